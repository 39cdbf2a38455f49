/** Bodies of a megabyte, and such as are nested beyond any measure. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Catalog, Routine, Table } from '../../../src/core/catalog/types.ts';
import type { RoutineEffects } from '../../../src/core/graph/effect-types.ts';
import { readEffects } from '../../../src/core/graph/effects.ts';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';

const MEGABYTE = 1_000_000;

const table = (name: string): Table => ({
  name: { schema: 'dw', name },
  kind: 'table',
  columns: [],
  keys: [],
  foreignKeys: [],
  checks: [],
  triggers: [],
  comment: null,
  estimatedRows: null,
});

function effectsOf(body: string, language = 'plpgsql'): RoutineEffects {
  const routine: Routine = {
    name: { schema: 'dw', name: 'load' },
    kind: 'procedure',
    language,
    parameters: [],
    returns: null,
    returnsSet: false,
    body,
    definition: `CREATE PROCEDURE dw.load() LANGUAGE ${language} AS $whole$${body}$whole$`,
    settings: {},
    volatility: 'volatile',
    isTrigger: false,
    comment: null,
  };
  const catalog: Catalog = {
    dialect: 'postgres',
    version: '18',
    database: 'large',
    searchPath: ['dw'],
    tables: ['a', 'b', 'c'].map(table),
    views: [],
    routines: [routine],
    sequences: [],
    types: [],
    schemaComments: {},
  };
  const found = readEffects(catalog).get('dw.load()');
  if (found === undefined) throw new Error('no effects');
  return found;
}

const names = (found: RoutineEffects['reads']): readonly string[] => found.map(({ name }) => name);

beforeAll(loadParser);

describe('a megabyte', () => {
  const padding = `-- ${'x'.repeat(900)}\n`;

  test.each([
    ['plpgsql', 'BEGIN\n', 'END'],
    ['sql', '', ''],
  ])('of statements in %s', (language, begin, end) => {
    const statement = `${padding}  INSERT INTO a SELECT * FROM b;\n`;
    const count = Math.ceil(MEGABYTE / statement.length);
    const found = effectsOf(`${begin}${statement.repeat(count)}${end}`, language);
    expect(found.problems).toEqual([]);
    expect(found.statements).toHaveLength(count);
    const lines = found.statements.map(({ line }) => line);
    expect(lines.at(-1)).toBe((lines[0] ?? 0) + 2 * (count - 1));
  });

  test('in one statement', () => {
    const rows = Array.from({ length: 40_000 }, (_, at) => `(${at}, 'a value ${at}')`).join(',\n');
    const found = effectsOf(`BEGIN\nINSERT INTO a VALUES ${rows};\nDELETE FROM b;\nEND`);
    expect(found.problems).toEqual([]);
    expect(names(found.writes)).toEqual(['a', 'b']);
  });

  test('of conditions side by side', () => {
    const conditions = Array.from({ length: 40_000 }, (_, at) => `x = ${at} OR y < ${at}`);
    const found = effectsOf(`BEGIN\nDELETE FROM a WHERE ${conditions.join('\n OR ')};\nEND`);
    expect(found.problems).toEqual([]);
    expect(names(found.writes)).toEqual(['a']);
  });
});

describe('nested beyond measure', () => {
  const deep = Array.from({ length: 60_000 }, (_, at) => `'x${at}'`).join(' || ');

  test('an expression is a problem with its line; the rest is read', () => {
    const found = effectsOf(
      `BEGIN\n  DELETE FROM a;\n  PERFORM ${deep} FROM b;\n  DELETE FROM c;\nEND`,
    );
    expect(found.problems).toMatchObject([{ code: 'parse-error', line: 3 }]);
    expect(names(found.writes)).toEqual(['a', 'c']);
  });

  test.each([
    [
      'blocks',
      `BEGIN ${'IF true THEN '.repeat(20_000)}DELETE FROM a;${' END IF;'.repeat(20_000)} END`,
    ],
    ['brackets', `BEGIN DELETE FROM a WHERE ${'('.repeat(50_000)}true${')'.repeat(50_000)}; END`],
    ['queries', `BEGIN PERFORM ${'(SELECT '.repeat(20_000)}1${')'.repeat(20_000)}; END`],
  ])('%s', (_, body) => {
    expect(effectsOf(body).problems).toMatchObject([{ code: 'parse-error', line: 1 }]);
  });

  test('SQL bodies too', () => {
    expect(effectsOf(`SELECT 1;\nSELECT ${deep}`, 'sql').problems).toMatchObject([
      { code: 'parse-error' },
    ]);
  });
});
