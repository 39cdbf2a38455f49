import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createEscapeTranslator,
  decodeField,
  encodeField,
  fromBinary,
  toBinary,
} from '../../../src/core/movement/wire.ts';

describe('fields', () => {
  test('any text comes back, and never ends a field or a line', () => {
    fc.assert(
      fc.property(fc.option(fc.string({ unit: 'binary' }), { nil: null }), (text) => {
        const field = encodeField(text === null ? null : toBinary(text));
        expect(field).not.toMatch(/[\t\n\r]/);
        const back = decodeField(field);
        // A lone surrogate has no UTF-8: it is what a database never gives.
        expect(back === null ? null : fromBinary(back)).toBe(
          text === null ? null : text.toWellFormed(),
        );
      }),
    );
  });

  test('NULL and the text \\N are two things', () => {
    expect(encodeField(null)).toBe('\\N');
    expect(encodeField('\\N')).toBe('\\\\N');
    expect(decodeField('\\\\N')).toBe('\\N');
  });
});

test('what only COPY can read becomes the bytes that it stands for, however the text is cut', () => {
  const raw = new Map([
    ['\\f', '\f'],
    ['\\v', '\v'],
    ['\\b', '\b'],
  ]);
  const piece = fc.constantFrom(
    '\\f',
    '\\v',
    '\\b',
    '\\t',
    '\\n',
    '\\\\',
    '\\N',
    'f',
    'v',
    'é',
    '\t',
    '\n',
  );
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat({ max: 30 })), (pieces, cuts) => {
      const whole = Buffer.from(pieces.join(''));
      const translate = createEscapeTranslator();
      const out: Buffer[] = [];
      let from = 0;
      for (const cut of [...cuts, whole.length]) {
        out.push(translate(whole.subarray(from, from + cut)));
        from += cut;
      }
      const expected = pieces.map((text) => raw.get(text) ?? text);
      expect(Buffer.concat(out).toString()).toBe(expected.join(''));
    }),
  );
});
