import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contractName, progressTarget } from '../../../src/core/lifecycle/contract.ts';

describe('contractName', () => {
  it('leaves a name alone that fits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 256 }), (name) => {
        expect(contractName(name)).toBe(name);
      }),
    );
  });

  it('cuts a longer one, so that names that begin alike stay apart', () => {
    const start = '\u{1F600}'.repeat(300);
    const names = [`${start}a`, `${start}b`];
    const cut = names.map(contractName);
    for (const name of cut) {
      expect(Array.from(name)).toHaveLength(256);
      expect(start.startsWith(name.slice(0, 200))).toBe(true);
    }
    expect(new Set(cut).size).toBe(2);
  });

  it('always fits into the column', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), (name) => {
        expect(Array.from(contractName(name)).length).toBeLessThanOrEqual(256);
      }),
    );
  });
});

it('keeps plans and operations apart', () => {
  expect(progressTarget('sales-warehouse', 'D')).toBe('sales-warehouse:D');
});
