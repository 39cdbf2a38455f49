import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSandbox } from '../../src/adapters/sandbox/open.ts';
import { PROOF_SCHEMA } from '../../src/core/proof/names.ts';
import type { Sandbox, SqlSession } from '../../src/ports/sandbox.ts';
import { compareDatabases, observe } from '../../src/usecases/prove-compare.ts';
import type { CompareRequest, TableComparison } from '../../src/usecases/prove-compare-rows.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox(null);
});
afterAll(() => sandbox.close());

const t = { schema: 'public', name: 't' };

/** Runs `procedure` and `model` on two clones of `base`, and compares what comes out. */
async function compared(
  base: string,
  procedure: string,
  model: string,
  options: Partial<CompareRequest> = {},
): Promise<readonly TableComparison[]> {
  const sessions: SqlSession[] = [];
  const open = async (database: string) => {
    const session = await sandbox.connect(database);
    sessions.push(session);
    return session;
  };
  try {
    await sandbox.create('base');
    const setup = await sandbox.connect('base');
    await setup.query(`CREATE SCHEMA ${PROOF_SCHEMA}; ${base}`);
    await setup.close();
    await sandbox.clone('base', 'p');
    await sandbox.clone('base', 'm');
    const [p, m, before] = [await open('p'), await open('m'), await open('base')];
    const sides = [
      { session: p, before: await observe(p) },
      { session: m, before: await observe(m) },
    ] as const;
    if (procedure !== '') await p.query(procedure);
    if (model !== '') await m.query(model);
    const { tables } = await compareDatabases({
      procedure: sides[0],
      model: sides[1],
      before,
      round: 'test',
      always: [],
      ignored: [],
      onlyModel: [],
      leftOut: [],
      surrogates: [],
      foreignKeys: [],
      keyOf: () => [],
      ...options,
    });
    return tables;
  } finally {
    for (const session of sessions) await session.close();
  }
}

describe('what is compared', () => {
  it('is every table that either side has touched, whoever should have written it', async () => {
    const base =
      'CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE TABLE w (a int); INSERT INTO w VALUES (1), (2)';
    expect(await compared(base, '', '')).toEqual([]);
    expect(
      await compared(base, 'INSERT INTO t VALUES (1)', 'INSERT INTO t VALUES (1)'),
    ).toMatchObject([{ table: t, rows: 1, equal: true, changed: true }]);
    const hidden = await compared(
      base,
      'INSERT INTO t VALUES (1); INSERT INTO u VALUES (2)',
      'INSERT INTO t VALUES (1)',
    );
    expect(hidden).toMatchObject([{ equal: true }, { table: { name: 'u' }, equal: false }]);
    const deleted = await compared(base, 'DELETE FROM w WHERE a = 1', '');
    expect(deleted).toMatchObject([{ table: { name: 'w' }, equal: false, changed: true }]);
    const swapped = await compared(base, '', 'TRUNCATE w; INSERT INTO w VALUES (1), (3)');
    expect(swapped).toMatchObject([{ table: { name: 'w' }, equal: false, changed: false }]);
    const updated = await compared(base, 'UPDATE w SET a = a', '');
    expect(updated).toMatchObject([{ table: { name: 'w' }, equal: true, changed: true }]);
  });

  it('also is what one side has dropped, made, or made with other columns', async () => {
    const base = 'CREATE TABLE t (a int)';
    expect(await compared(base, 'DROP TABLE t', '')).toMatchObject([
      { equal: false, problem: expect.stringContaining('only the models leave it') },
    ]);
    expect(await compared(base, 'CREATE TABLE u AS SELECT 1 AS a', '')).toMatchObject([
      { equal: false, problem: 'the models do not build it' },
    ]);
    const step = { onlyModel: [{ schema: 'public', name: 'step' }] };
    expect(await compared(base, '', 'CREATE TABLE step (a int)', step)).toEqual([]);
    const typed = await compared(
      base,
      'INSERT INTO t VALUES (1)',
      'DROP TABLE t; CREATE TABLE t AS SELECT 1::bigint AS a',
    );
    expect(typed).toMatchObject([{ equal: false, problem: expect.stringContaining('bigint') }]);
    const longer = await compared(
      'CREATE TABLE t (a varchar(3))',
      "INSERT INTO t VALUES ('x')",
      "DROP TABLE t; CREATE TABLE t AS SELECT 'x'::varchar AS a",
    );
    expect(longer).toMatchObject([{ equal: true }]);
    const more = await compared(
      base,
      'INSERT INTO t VALUES (1)',
      'ALTER TABLE t ADD b int; INSERT INTO t VALUES (1)',
    );
    expect(more).toMatchObject([{ equal: false, problem: 'the model has one column more: b' }]);
  });

  it('leaves out columns and log tables only by name', async () => {
    const base = 'CREATE TABLE t (a int, r float8); CREATE TABLE log (a int)';
    const [p, m] = [
      'INSERT INTO t VALUES (1, 0.5); INSERT INTO log VALUES (1)',
      'INSERT INTO t VALUES (1, 0.7)',
    ];
    const options = {
      leftOut: [{ table: t, column: 'r' }],
      ignored: [{ schema: 'public', name: 'log' }],
    };
    expect(await compared(base, p, m, options)).toMatchObject([{ table: t, equal: true }]);
    expect(await compared(base, p, m)).toMatchObject([{ equal: false }, { equal: false }]);
  });

  it('is a view too, where it is asked for', async () => {
    const base =
      'CREATE TABLE s (a int); INSERT INTO s VALUES (1); CREATE VIEW t AS SELECT a FROM s';
    const always = { always: [t] };
    expect(await compared(base, '', '', always)).toMatchObject([
      { table: t, rows: 1, equal: true },
    ]);
    expect(
      await compared(base, '', 'CREATE OR REPLACE VIEW t AS SELECT a + 1 AS a FROM s', always),
    ).toMatchObject([{ equal: false }]);
  });
});

describe('rows', () => {
  async function rows(type: string, procedure: string, model: string): Promise<TableComparison> {
    const [result] = await compared(
      `CREATE TABLE t (a ${type})`,
      `INSERT INTO t VALUES ${procedure}`,
      `INSERT INTO t VALUES ${model}`,
    );
    if (result === undefined) throw new Error('nothing was compared');
    return result;
  }

  it.each([
    ['int', '(1), (1), (NULL)', '(NULL), (1), (1)'],
    ['float8', "('NaN'), (0), ('-0'), ('Infinity')", "('Infinity'), ('NaN'), (0), (0)"],
    ['json', `('{"a": 1}')`, `('{"a": 1}')`],
    ['jsonb', `('{"a": 1, "b": 2}')`, `('{"b": 2, "a": 1}')`],
    ['xml', "('<a/>')", "('<a/>')"],
    ['int[]', "('{1,NULL}'), (NULL)", '(NULL), (ARRAY[1, NULL])'],
    ['char(5)', "('x')", "('x  ')"],
    ['text', "(''), (NULL), ('ü'), (E'a\\tb\\\\N\\n')", "(NULL), (E'a\\tb\\\\N\\n'), ('ü'), ('')"],
    ['bytea', "('\\x00')", "('\\x00')"],
    ['interval', "('1 mon')", "('1 mon')"],
    ['point', "('(1,2)')", "('(1,2)')"],
    ['int4range', "('[1,3]')", "('[1,4)')"],
  ])('are a multiset: %s is equal', async (type, procedure, model) => {
    expect(await rows(type, procedure, model)).toMatchObject({
      equal: true,
      close: false,
      differences: [],
    });
  });

  it.each([
    ['int', '(1), (1), (2)', '(1), (2), (2)'],
    ['int', '(1), (1)', '(1)'],
    ['text', "('')", '(NULL)'],
    ['text', "('a')", "('a ')"],
    ['json', `('{"a": 1}')`, `('{"a":1}')`],
    ['numeric', '(1.0)', '(1.00)'],
    ['float8', '(1)', '(1.00000000001)'],
    ['float8', "('NaN')", "('Infinity')"],
    ['float8', '(NULL)', '(0)'],
    ['timestamptz', "('2024-01-01 00:00:00.000001')", "('2024-01-01')"],
    ['interval', "('1 mon')", "('30 days')"],
  ])('are not equal where one differs: %s', async (type, procedure, model) => {
    expect(await rows(type, procedure, model)).toMatchObject({ equal: false });
  });

  it('may differ in the last bits of floats, one row against one row', async () => {
    expect(await rows('float8', '(0.3), (0.1 + 0.2), (7)', '(0.3), (0.3), (7)')).toMatchObject({
      equal: true,
      close: false,
    });
    const drift = ['(0.1::float8 + 0.2::float8), (7)', '(0.3), (7)'] as const;
    expect(await rows('float8', ...drift)).toMatchObject({ equal: true, close: true });
    expect(await rows('real', '(1.0000001)', '(1.0000002)')).toMatchObject({
      equal: true,
      close: true,
    });
    const named = await compared(
      'CREATE TABLE t (key text, n float8, place int)',
      "INSERT INTO t VALUES ('a', 0.1::float8 + 0.2::float8, 1)",
      "INSERT INTO t VALUES ('a', 0.3, 1)",
    );
    expect(named).toMatchObject([{ equal: true, close: true }]);
    const keyed = await compared(
      'CREATE TABLE t (k text, a float8)',
      "INSERT INTO t VALUES ('a', 0.1::float8 + 0.2::float8), ('b', 0.3)",
      "INSERT INTO t VALUES ('a', 0.3), ('c', 0.3)",
    );
    expect(keyed).toMatchObject([
      { equal: false, close: false, differences: [{ procedure: { k: 'b' }, model: { k: 'c' } }] },
    ]);
  });

  it('that differ are shown side by side by their key, and by likeness without one', async () => {
    const base = 'CREATE TABLE t (k int, a text, b text)';
    const p = "INSERT INTO t VALUES (1, 'x', 'y'), (2, 'x', 'y'), (3, 'z', NULL)";
    const m = "INSERT INTO t VALUES (1, 'x', 'y'), (2, 'p', 'q'), (4, 'z', NULL)";
    const byKey = await compared(base, p, m, { keyOf: () => ['k'] });
    expect(byKey[0]?.differences).toEqual([
      {
        table: t,
        round: 'test',
        procedure: { k: '2', a: 'x', b: 'y' },
        model: { k: '2', a: 'p', b: 'q' },
      },
      { table: t, round: 'test', procedure: { k: '3', a: 'z', b: null }, model: null },
      { table: t, round: 'test', procedure: null, model: { k: '4', a: 'z', b: null } },
    ]);
    const byLikeness = await compared(base, p, m);
    expect(byLikeness[0]?.differences).toContainEqual({
      table: t,
      round: 'test',
      procedure: { k: '3', a: 'z', b: null },
      model: { k: '4', a: 'z', b: null },
    });
  });
});

describe('surrogate keys', () => {
  const dim = { schema: 'public', name: 'dim' };
  const fact = { schema: 'public', name: 'fact' };
  const base = `CREATE TABLE dim (sk int, code text, parent int);
    CREATE TABLE fact (dim_sk int, amount int);
    INSERT INTO dim VALUES (1, 'old', NULL); INSERT INTO fact VALUES (1, 5)`;
  const surrogates = [{ table: dim, column: 'sk', keeps: true }];
  const foreignKeys = [
    { table: fact, column: 'dim_sk', references: { table: dim, column: 'sk' } },
    { table: dim, column: 'parent', references: { table: dim, column: 'sk' } },
  ];
  const procedure = `INSERT INTO dim VALUES (2, 'a', NULL), (3, 'b', 2), (4, 'c', 3);
    INSERT INTO fact VALUES (2, 10), (4, 20), (NULL, 1), (-1, 2)`;

  async function equal(model: string, options: Partial<CompareRequest> = {}): Promise<boolean> {
    const tables = await compared(base, procedure, model, { surrogates, foreignKeys, ...options });
    return tables.every((table) => table.equal);
  }

  it('are equal up to renaming, with everything that refers to them, and parents of parents', async () => {
    const renamed = `INSERT INTO dim VALUES (4, 'a', NULL), (2, 'b', 4), (3, 'c', 2);
      INSERT INTO fact VALUES (4, 10), (3, 20), (NULL, 1), (-1, 2)`;
    expect(await equal(renamed)).toBe(true);
    expect(await equal(renamed, { surrogates: [] })).toBe(false);
    const tables = await compared(base, procedure, renamed, { surrogates, foreignKeys });
    expect(tables).toMatchObject([{ renamed: true }, { renamed: true }]);
    expect(await compared(base, procedure, procedure, { surrogates, foreignKeys })).toMatchObject([
      { renamed: false },
      { renamed: false },
    ]);
  });

  it('are not equal where a reference means another row, even by the same number', async () => {
    expect(
      await equal(`INSERT INTO dim VALUES (4, 'a', NULL), (2, 'b', 4), (3, 'c', 2);
        INSERT INTO fact VALUES (2, 10), (4, 20), (NULL, 1), (-1, 2)`),
    ).toBe(false);
    expect(
      await equal(`INSERT INTO dim VALUES (4, 'a', NULL), (2, 'b', 4), (3, 'c', 4);
        INSERT INTO fact VALUES (4, 10), (3, 20), (NULL, 1), (-1, 2)`),
    ).toBe(false);
  });

  it('of rows that were there before keep their numbers', async () => {
    const renumbered = `UPDATE dim SET sk = 9; UPDATE fact SET dim_sk = 9; ${procedure}`;
    expect(await equal(renumbered)).toBe(false);
    expect(
      await equal(renumbered, { surrogates: [{ table: dim, column: 'sk', keeps: false }] }),
    ).toBe(true);
  });

  it('are followed where nothing but a name or the values tell that a column refers to them', async () => {
    const renamed = `INSERT INTO dim VALUES (4, 'a', NULL), (2, 'b', 4), (3, 'c', 2);
      INSERT INTO fact VALUES (4, 10), (3, 20), (NULL, 1), (-1, 2)`;
    const parentOnly = foreignKeys.slice(1);
    expect(await equal(renamed, { foreignKeys: parentOnly })).toBe(true);
    const wrong = renamed.replace('(4, 10), (3, 20)', '(3, 10), (4, 20)');
    expect(await equal(wrong, { foreignKeys: parentOnly })).toBe(false);
  });
});
