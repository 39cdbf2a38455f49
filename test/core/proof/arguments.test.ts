import { beforeAll, describe, expect, it } from 'vitest';
import { argumentSets, argumentsOfCall } from '../../../src/core/proof/arguments.ts';
import type { ArgumentSets } from '../../../src/core/proof/arguments.ts';
import { callSql, keepRowsSql, sideError } from '../../../src/core/proof/call.ts';
import { readHints } from '../../../src/core/proof/hints/read.ts';
import { Pools } from '../../../src/core/proof/rows/pools.ts';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';
import { catalog, parameter, procedure, table } from './catalog.ts';

beforeAll(loadParser);

const clock = new Date('2024-06-15T23:00:00Z');

function setsOf(
  body: string,
  parameters: Parameters<typeof procedure>[2],
  options: { given?: Record<string, string>; seen?: Record<string, string> } = {},
): ArgumentSets {
  const routine = procedure('p', `BEGIN ${body} END`, parameters);
  const whole = catalog({ tables: [table('t', ['day date', 'kind text'])], routines: [routine] });
  const pools = new Pools(
    whole,
    readHints(whole, [routine]),
    { clock, wildness: 'plain' },
    new Map(),
  );
  return argumentSets(routine, { given: {}, seen: {}, pools, clock, ...options });
}

describe('sets of arguments', () => {
  it('begin with the author’s default, then take what the procedure compares with', () => {
    const body = "IF p_mode = 'full' THEN DELETE FROM t; ELSIF p_mode = 'delta' THEN NULL; END IF;";
    const sets = setsOf(body, [parameter('p_mode', 'text', "'full'::text")]);
    expect(sets.slice(0, 2)).toEqual([{ p_mode: "'full'" }, { p_mode: "'delta'" }]);
  });

  it('take what a person has given, and nothing else', () => {
    const sets = setsOf('NULL;', [parameter('p_mode', 'text')], { given: { p_mode: "'mine'" } });
    expect(sets).toEqual([{ p_mode: "'mine'" }]);
  });

  it('put a caller’s value before the default', () => {
    const sets = setsOf('NULL;', [parameter('p_days', 'integer', '7')], { seen: { p_days: '30' } });
    expect(sets[0]).toEqual({ p_days: '30' });
  });

  it('make ranges whose ends are in order, and read the proof’s clock', () => {
    const parameters = [
      parameter('p_from', 'date'),
      parameter('p_to', 'date'),
      parameter('p_day', 'date', 'CURRENT_DATE'),
    ];
    const [first] = setsOf('DELETE FROM t WHERE day BETWEEN p_from AND p_to;', parameters);
    expect(first).toEqual({
      p_from: "'2024-03-17'::date",
      p_to: "'2024-06-16'::date",
      p_day: 'sprocket_proof."current_date"()',
    });
  });

  it('are one empty set where there is nothing to give', () => {
    expect(setsOf('NULL;', [])).toEqual([{}]);
  });
});

describe('a call in a file', () => {
  const routines = [procedure('p', 'BEGIN END', [parameter('a', 'date'), parameter('b', 'text')])];

  it.each([
    ["CALL s.p('2024-01-01', 'x')", { a: "'2024-01-01'", b: "'x'" }],
    [
      "SELECT s.p(b => f('a,b', ARRAY[1,2]), a := now())",
      { b: "f('a,b', ARRAY[1,2])", a: 'now()' },
    ],
    ['CALL p(CURRENT_DATE)', { a: 'CURRENT_DATE' }],
  ])('gives the arguments as they are written: %s', (text, values) => {
    expect(argumentsOfCall(text, routines)).toEqual({ routine: 's.p(date, text)', values });
  });

  it('of something else gives none', () => {
    expect(argumentsOfCall('CALL other.p(1)', routines)).toBeNull();
    expect(argumentsOfCall('SELECT 1', routines)).toBeNull();
  });
});

describe('calling', () => {
  it('casts every value to its parameter, and gives what is only given back as NULL', () => {
    const routine = procedure('p', '', [
      parameter('a', 'date'),
      { ...parameter('b', 'text'), mode: 'out' },
      { ...parameter('c', 'integer[]'), mode: 'variadic' },
      parameter('d', 'text', "'x'::text"),
    ]);
    expect(callSql(routine, { a: "'2024-01-01'", c: 'ARRAY[1]' })).toBe(
      `CALL "s"."p"(CAST('2024-01-01' AS date), NULL, VARIADIC CAST(ARRAY[1] AS integer[]), CAST('x'::text AS text))`,
    );
    const rows = { ...procedure('f', '', [parameter('a', 'integer')]), kind: 'function' as const };
    expect(callSql(rows, { a: '1' })).toBe('SELECT "s"."f"(CAST(1 AS integer))');
    expect(keepRowsSql(rows, {}, { schema: 's', name: 'f' })).toBe(
      'CREATE TABLE "s"."f" AS SELECT * FROM "s"."f"(CAST(NULL AS integer))',
    );
  });

  it('tells the line of the procedure itself, also where what it calls has failed', () => {
    const where = `SQL statement "SELECT 1 / 0"
PL/pgSQL function s.helper(integer) line 3 at PERFORM
SQL statement "CALL s.helper(1)"
PL/pgSQL function s.p() line 12 at CALL`;
    const error = { message: 'division by zero', code: '22012', where };
    expect(sideError(procedure('p', ''), error)).toEqual({
      message: 'division by zero',
      code: '22012',
      line: 12,
      dynamic: false,
    });
    const dynamic = { ...error, where: 'PL/pgSQL function p() line 2 at EXECUTE' };
    expect(sideError(procedure('p', ''), dynamic)).toMatchObject({ line: 2, dynamic: true });
    expect(sideError(procedure('p', ''), { ...error, where: null }).line).toBeNull();
  });
});
