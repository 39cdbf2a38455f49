import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { translate } from '../../../src/core/translate/translate.ts';
import type { Query, Sql, Translation } from '../../../src/core/translate/types.ts';
import { procedure, queryText, statements, translated, warehouse, withParser } from './catalog.ts';

withParser();

const TARGETS = fc.constantFrom('dw.t', 'dw.u');
const SOURCES = fc.constantFrom('stg.s', 'dw.t', 'dw.u');
const CONDITIONS = fc.constantFrom(
  'amount > 0',
  'code IS NULL',
  'id = 1 AND amount < 5',
  "code = 'x' OR id IN (SELECT id FROM dw.u)",
  'EXISTS (SELECT 1 FROM stg.s WHERE s.id = 7)',
);

const STATEMENT = fc.oneof(
  fc
    .record({ to: TARGETS, from: SOURCES, where: CONDITIONS })
    .map(
      ({ to, from, where }) =>
        `INSERT INTO ${to} SELECT id, code, amount FROM ${from} WHERE ${where};`,
    ),
  fc
    .record({ to: TARGETS, from: SOURCES })
    .map(
      ({ to, from }) =>
        `INSERT INTO ${to} SELECT id, code, amount FROM ${from} ON CONFLICT (id) DO UPDATE SET amount = excluded.amount;`,
    ),
  fc
    .record({ to: TARGETS, where: CONDITIONS })
    .map(({ to, where }) => `UPDATE ${to} SET amount = amount + 1, code = 'x' WHERE ${where};`),
  fc
    .record({ to: TARGETS, from: SOURCES })
    .map(
      ({ to, from }) => `UPDATE ${to} x SET amount = y.amount FROM ${from} y WHERE y.id = x.id;`,
    ),
  fc
    .record({ to: TARGETS, where: CONDITIONS })
    .map(({ to, where }) => `DELETE FROM ${to} WHERE ${where};`),
  TARGETS.map((to) => `TRUNCATE ${to};`),
  fc
    .record({ to: TARGETS, from: SOURCES })
    .map(
      ({ to, from }) =>
        `MERGE INTO ${to} x USING ${from} y ON y.id = x.id WHEN MATCHED THEN UPDATE SET code = y.code WHEN NOT MATCHED THEN INSERT (id) VALUES (y.id);`,
    ),
  fc
    .record({ where: CONDITIONS, to: TARGETS })
    .map(
      ({ where, to }) =>
        `IF (SELECT count(*) FROM stg.s) > 3 THEN DELETE FROM ${to} WHERE ${where}; ELSE TRUNCATE ${to}; END IF;`,
    ),
);

/** CTE names that a text reads before they are there. */
function readTooEarly({ ctes, final }: Query): readonly string[] {
  const known = new Set<string>();
  const missing: string[] = [];
  const look = (sql: Sql): void => {
    for (const part of sql)
      if (part.kind === 'cte' && !known.has(part.name)) missing.push(part.name);
  };
  for (const cte of ctes) {
    look(cte.sql);
    if (known.has(cte.name)) missing.push(`${cte.name} twice`);
    known.add(cte.name);
  }
  look(final);
  return missing;
}

/** Models that read a table's final state before it is built, or its former one after. */
function builtTooLate({ models }: Translation): readonly string[] {
  const built = new Set<string>();
  const problems: string[] = [];
  for (const model of models) {
    const own = `${model.table.schema}.${model.table.name}`;
    for (const sql of [...model.query.ctes.map((cte) => cte.sql), model.query.final])
      for (const part of sql) {
        if (part.kind !== 'relation') continue;
        const read = `${part.table.schema}.${part.table.name}`;
        if (part.state === 'final' && !built.has(read)) problems.push(`${own} reads final ${read}`);
        if (part.state === 'former' && built.has(read))
          problems.push(`${own} reads former ${read}`);
      }
    built.add(own);
  }
  return problems;
}

describe('any sequence of statements', () => {
  it('gives models whose steps read only earlier ones, in an order in which they can be built', () => {
    fc.assert(
      fc.property(fc.array(STATEMENT, { minLength: 1, maxLength: 6 }), (list) => {
        const translation = statements(list.join('\n'));
        const queries = [
          ...translation.models.flatMap(({ query, incremental }) =>
            incremental ? [query, incremental.query] : [query],
          ),
          ...translation.tests.map(({ query }) => query),
        ];
        expect(queries.flatMap(readTooEarly)).toEqual([]);
        expect(builtTooLate(translation)).toEqual([]);
        expect(queries.map(queryText).join()).not.toContain('undefined');
        expect(translation.outcome === 'refused').toBe(translation.refusals.length > 0);
      }),
      { numRuns: 150, seed: 4711 },
    );
  });

  it('is translated in the same way twice, and leaves the catalog as it is', () => {
    fc.assert(
      fc.property(fc.array(STATEMENT, { minLength: 1, maxLength: 4 }), (list) => {
        const routine = procedure('dw.load', `BEGIN\n${list.join('\n')}\nEND`);
        const catalog = warehouse({ routines: [routine] });
        const before = structuredClone(catalog);
        const first = translate(catalog);
        expect(translate(catalog)).toEqual(first);
        expect(translate(structuredClone(catalog))).toEqual(first);
        expect(catalog).toEqual(before);
      }),
      { numRuns: 40, seed: 4711 },
    );
  });
});

describe('anything at all', () => {
  const WORDS = fc.constantFrom(
    ...'BEGIN END IF THEN ELSE LOOP FOR IN SELECT INSERT INTO UPDATE SET DELETE FROM WHERE WITH AS dw.t dw.u stg.s id code amount x := = ( ) , ; 1 $1 $$ * . [ ] NULL :: || EXECUTE RETURN'.split(
      ' ',
    ),
    "'text'",
    "'",
    '"q"',
    '--',
    '/*',
    'é😀',
    '\n',
  );

  it('in a body gives a translation, and never an error', () => {
    fc.assert(
      fc.property(fc.array(WORDS, { maxLength: 30 }), fc.boolean(), (words, framed) => {
        const text = framed ? `BEGIN ${words.join(' ')} END` : words.join(' ');
        const language = framed ? 'plpgsql' : 'sql';
        const translation = translated(procedure('dw.load', text, { language }));
        expect(translation.routine).toBe('dw.load()');
      }),
      { numRuns: 300, seed: 4711 },
    );
  });

  it('that is no SQL is refused as such', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{3,9} [a-z]{3,9} [a-z]{3,9}$/u), (words) => {
        const { refusals } = translated(procedure('dw.load', `BEGIN\n  ${words} ?!;\nEND`));
        expect(refusals.map(({ code }) => code)).toEqual(['parse-error']);
      }),
      { numRuns: 40, seed: 4711 },
    );
  });
});

describe('large routines', () => {
  it('of a megabyte are translated', () => {
    const line =
      "  UPDATE dw.t SET code = 'a rather long text that fills the line' WHERE id = 1;\n";
    const values = Array.from(
      { length: 20_000 },
      (_value, index) => `(${index}, 'code of ${index}', 1.5)`,
    );
    const text = `${line.repeat(50)}  INSERT INTO dw.t VALUES ${values.join(',\n    ')};\n-- ${'x'.repeat(400_000)}`;
    expect(text.length).toBeGreaterThan(1_000_000);
    expect(statements(text).outcome).toBe('models');
  });

  it('that are nested without end are refused', () => {
    const deep = `SELECT ${'('.repeat(20_000)}1${')'.repeat(20_000)}`;
    const translation = statements(`INSERT INTO dw.t (id) ${deep};`);
    expect(translation.outcome).toBe('refused');
    expect(['too-large', 'parse-error']).toContain(translation.refusals[0]?.code);
  });
});
