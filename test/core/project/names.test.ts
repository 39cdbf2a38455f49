import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  modelNamer,
  NameRegistry,
  routineName,
  safeName,
  safePath,
} from '../../../src/core/project/names.ts';
import { ProjectError } from '../../../src/core/project/types.ts';
import { name } from './builders.ts';

const ALLOWED = /^[a-z0-9_]{1,63}$/u;

describe('safeName', () => {
  it('gives only allowed characters, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }), (text) => {
        expect(safeName(text)).toMatch(ALLOWED);
        expect(safePath('models', safeName(text), `${safeName(text)}.sql`)).not.toContain('..');
      }),
    );
  });

  it('keeps names apart that differ by more than case', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        fc.pre(a.toLowerCase() !== b.toLowerCase() && a !== '' && b !== '');
        // Only a name that is plain already may come out as another one's plain form.
        fc.pre(safeName(a) !== a.toLowerCase() || safeName(b) !== b.toLowerCase());
        expect(safeName(a)).not.toBe(safeName(b));
      }),
    );
  });

  it.each([
    ['fact_sales', 'fact_sales'],
    ['Fact_Sales', 'fact_sales'],
    ['../../etc/passwd', /^etc_passwd_[0-9a-f]{8}$/u],
    ['Umsätze 2024', /^umsatze_2024_[0-9a-f]{8}$/u],
    ['o\'brien"', /^o_brien_[0-9a-f]{8}$/u],
    ['表', /^x_[0-9a-f]{8}$/u],
    ['con', /^con_[0-9a-f]{8}$/u],
  ])('%s', (given, expected) => {
    expect(safeName(given)).toMatch(
      expected instanceof RegExp ? expected : new RegExp(`^${expected}$`, 'u'),
    );
  });

  it('cuts long names and keeps them apart', () => {
    const a = safeName(`${'x'.repeat(80)}a`);
    const b = safeName(`${'x'.repeat(80)}b`);
    expect(a).toHaveLength(63);
    expect(a).not.toBe(b);
  });
});

describe('safePath', () => {
  it.each(['../x', 'a/../b', './a', 'a//..', 'a\\b', 'a/b\n', 'c:/x'])('refuses %j', (path) => {
    expect(() => safePath('models', path)).toThrow(ProjectError);
  });

  it('takes folders of an existing project as they are called', () => {
    expect(safePath('my models/Märkte', 'x.sql')).toBe('my models/Märkte/x.sql');
  });
});

describe('model names', () => {
  it('put the schema in front only where a table of another schema has the same name', () => {
    const namer = modelNamer([name('dw.sales'), name('mart.Sales'), name('dw.dim')]);
    expect(namer(name('dw.sales'))[0]).toBe('dw__sales');
    expect(namer(name('dw.dim'))[0]).toBe('dim');
  });

  it('tell tables apart that differ by case only', () => {
    const namer = modelNamer([name('dw.sales'), name('dw.Sales')]);
    const names = new NameRegistry();
    const a = names.claim(namer(name('dw.sales')));
    const b = names.claim(namer(name('dw.Sales')));
    expect(a.toLowerCase()).not.toBe(b.toLowerCase());
  });

  it('a registry never gives a name twice', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'A', 'b', 'a_2'), { maxLength: 12 }), (wanted) => {
        const names = new NameRegistry(['b']);
        const given = wanted.map((candidate) => names.claim([candidate]).toLowerCase());
        expect(new Set(given).size).toBe(given.length);
        expect(given).not.toContain('b');
      }),
    );
  });
});

it('a routine is called by its name alone', () => {
  expect(routineName('dw.load_sales(date, integer)')).toBe('load_sales');
});
