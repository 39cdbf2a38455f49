import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatRoutineName,
  formatTableName,
  parseRoutineName,
  parseTableName,
  splitList,
} from '../../../src/core/plan/names.ts';

function routine(text: string) {
  const parsed = parseRoutineName(text, 'postgres');
  return parsed.ok ? parsed.value.id : parsed.problem.message;
}

test.each([
  ['dw.load_dim_customer()', 'dw.load_dim_customer()'],
  ['dw.load ( int , VARCHAR(20) )', 'dw.load(integer, character varying)'],
  [
    'dw.load(numeric(10,2), timestamp(3) with time zone)',
    'dw.load(numeric, timestamp with time zone)',
  ],
  ['dw.load(int4[], text[3][3])', 'dw.load(integer[], text[])'],
  [
    'dw.load(char(3), "char", bit(2), bit varying(2))',
    'dw.load(bpchar, "char", "bit", bit varying)',
  ],
  ['dw.load("my schema"."My, type")', 'dw.load("my schema"."My, type")'],
  ['"my schema"."Load ""x"" (all)"(text)', 'my schema.Load "x" (all)(text)'],
  ['`my db`.`load all`()', 'my db.load all()'],
  ['`dw.load()`', 'dw.load()'],
  ['"dw.a"."../b"()', 'dw.a.../b()'],
  ['döner.größe_ß(text)', 'döner.größe_ß(text)'],
  ['dw.Load_Dim$1()', 'dw.Load_Dim$1()'],
])('%j is %j', (text, id) => {
  expect(routine(text)).toBe(id);
});

test.each([
  [
    'dw.load_x',
    '"dw.load_x" lacks its argument types. Write dw.load_x(), or the types between the parentheses, as in dw.load_x(integer, text).',
  ],
  ['load_x()', '"load_x()" is no name of a procedure. Write schema.name(argument types).'],
  [
    'my-schema.load x()',
    '"my-schema.load x()" is no name of a procedure. Write schema.name(argument types), with double quotes around a part that holds more than letters, digits, _ and $: "my-schema"."load x"(…)',
  ],
  [
    'dw.load(integer',
    '"dw.load(integer" is no name of a procedure. Write schema.name(argument types), with a type between all commas and one closing parenthesis.',
  ],
  [
    'dw.load(integer,)',
    '"dw.load(integer,)" is no name of a procedure. Write schema.name(argument types), with a type between all commas and one closing parenthesis.',
  ],
  ['a.b.c()', '"a.b.c()" is no name of a procedure. Write schema.name(argument types).'],
  [
    '../../etc/passwd()',
    '"../../etc/passwd()" is no name of a procedure. Write schema.name(argument types).',
  ],
  ['', '"" is no name of a procedure. Write schema.name(argument types).'],
])('%j is refused', (text, message) => {
  expect(routine(text)).toBe(message);
});

test('names end at 63 bytes in PostgreSQL and at 64 characters in MySQL', () => {
  const ok = (text: string, dialect: 'postgres' | 'mysql') => parseTableName(text, dialect).ok;
  expect(ok(`dw.${'x'.repeat(63)}`, 'postgres')).toBe(true);
  expect(ok(`dw.${'é'.repeat(31)}x`, 'postgres')).toBe(true);
  expect(ok(`dw.${'x'.repeat(64)}`, 'postgres')).toBe(false);
  expect(ok(`dw.${'é'.repeat(32)}`, 'postgres')).toBe(false);
  expect(ok(`dw.${'é'.repeat(64)}`, 'mysql')).toBe(true);
  expect(ok(`dw.${'é'.repeat(65)}`, 'mysql')).toBe(false);
  expect(routine(`dw.${'x'.repeat(64)}()`)).toContain('longer than 63 bytes');
});

test.each([
  ['float(24)', 'real'],
  ['float(25)', 'double precision'],
  ['interval year to month', 'interval'],
  ['interval(3)', 'interval'],
  ['timestamp (3) with time zone', 'timestamp with time zone'],
  ['VARCHAR(20)[]', 'character varying[]'],
  ['dw.my_type', 'dw.my_type'],
])('the type %s is spelled %s', (text, type) => {
  expect(routine(`dw.load(${text})`)).toBe(`dw.load(${type})`);
});

test('MySQL types keep their length', () => {
  const parsed = parseRoutineName('dw.load(varchar(20), int(11) unsigned)', 'mysql');
  expect(parsed.ok && parsed.value.id).toBe('dw.load(varchar(20), int(11) unsigned)');
});

test('a text that may be a secret is not shown', () => {
  expect(routine('postgres://me:hunter2@db/x')).not.toContain('hunter2');
});

test('lists split outside quotes and parentheses', () => {
  expect(splitList('dw.a, "x, y".b;\n dw.load(integer, text)\ndw.c,')).toEqual([
    'dw.a',
    '"x, y".b',
    'dw.load(integer, text)',
    'dw.c',
  ]);
});

const part = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 15 })
  .filter((text) => !text.includes('\0') && new TextEncoder().encode(text).length <= 63);

test('any stored name is read back from its spelling', () => {
  fc.assert(
    fc.property(
      part,
      part,
      fc.subarray(['integer', 'text[]', 'double precision']),
      (schema, name, types) => {
        const table = parseTableName(formatTableName({ schema, name }), 'postgres');
        expect(table).toEqual({ ok: true, value: { schema, name } });
        const parsed = parseRoutineName(formatRoutineName({ schema, name }, types), 'postgres');
        expect(parsed).toEqual({
          ok: true,
          value: {
            id: `${schema}.${name}(${types.join(', ')})`,
            name: { schema, name },
            argumentTypes: types,
          },
        });
      },
    ),
  );
});

test('no text makes the parser throw', () => {
  const piece = fc.constantFrom('"', '`', "'", '(', ')', '[', ',', '.', 'a', ' ', '\n');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const parsed = parseRoutineName(pieces.join(''), 'postgres');
      if (parsed.ok) {
        const { name, argumentTypes } = parsed.value;
        expect(parseRoutineName(formatRoutineName(name, argumentTypes), 'postgres')).toEqual(
          parsed,
        );
      } else {
        expect(parsed.problem.message).toMatch(/Write .+/su);
      }
    }),
    { numRuns: 2000 },
  );
});
