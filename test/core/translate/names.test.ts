import { describe, expect, it } from 'vitest';
import {
  parameter,
  procedure,
  shown,
  statements,
  table,
  translated,
  view,
  withParser,
} from './catalog.ts';

withParser();

describe('names', () => {
  it('are looked up along the search_path of the routine', () => {
    expect(
      shown(
        translated(
          procedure('dw.load', `BEGIN INSERT INTO t SELECT id, code, amount FROM s; END`, {
            settings: { search_path: 'stg, dw' },
          }),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted as (
      SELECT id, code, amount FROM {current stg.s}
      )
      select
          id,
          code,
          amount
      from {former dw.t}

      union all

      select
          id,
          code,
          amount
      from t_inserted"
    `);
  });

  it('are looked up along the search_path of the database', () => {
    expect(shown(statements('DELETE FROM t WHERE id = 1;', { searchPath: ['public', 'dw'] })))
      .toMatchInlineSnapshot(`
      "dw.t (rebuild):
      select t.*
      from {former dw.t} as t
      where (id = 1) is not true"
    `);
  });

  it('may be quoted and folded', () => {
    expect(
      shown(
        statements(
          'INSERT INTO "dw"."T x" ("a""b", SELECT_) SELECT ID, Code FROM STG.S;'.replace(
            'SELECT_',
            '"select"',
          ),
          { extra: [table('dw.T x', { 'a"b': 'integer', select: 'text' })] },
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.T x (rebuild, append):
      with "T x_inserted" ("a""b", "select") as (
      SELECT ID, Code FROM {current stg.s}
      )
      select
          "a""b",
          "select"
      from {former dw.T x}

      union all

      select
          "a""b",
          "select"
      from "T x_inserted""
    `);
  });

  it('with a schema in front lose it where the table is a step', () => {
    expect(
      shown(
        statements(`DELETE FROM dw.t WHERE id = 1;
  INSERT INTO dw.u SELECT dw.t.id, dw.t.code, dw.t.amount FROM dw.t WHERE dw.t.id > 2;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      select t.*
      from {former dw.t} as t
      where (id = 1) is not true

      dw.u (rebuild, append):
      with u_inserted as (
      SELECT t.id, t.code, t.amount FROM {final dw.t} WHERE t.id > 2
      )
      select
          id,
          code,
          amount
      from {former dw.u}

      union all

      select
          id,
          code,
          amount
      from u_inserted"
    `);
  });

  it('of CTEs are not taken by steps', () => {
    expect(
      shown(
        statements(
          `INSERT INTO dw.t WITH t_inserted AS (SELECT id, code, amount FROM stg.s) SELECT id + 1, code, amount FROM t_inserted;`,
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted_2 (id, code, amount) as (
      WITH t_inserted AS (SELECT id, code, amount FROM {current stg.s}) SELECT id + 1, code, amount FROM t_inserted
      )
      select
          id,
          code,
          amount
      from {former dw.t}

      union all

      select
          id,
          code,
          amount
      from t_inserted_2"
    `);
  });

  it('of CTEs shadow tables', () => {
    expect(
      shown(
        statements(
          `INSERT INTO dw.t WITH s AS (SELECT 1 AS id, 'x' AS code, 2.5 AS amount) SELECT * FROM s;`,
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted as (
      WITH s AS (SELECT 1 AS id, 'x' AS code, 2.5 AS amount) SELECT * FROM s
      ), t_inserted_rows as (
      select
          id,
          cast(code as text) as code,
          cast(amount as numeric(12,2)) as amount
      from t_inserted
      )
      select
          id,
          code,
          amount
      from {former dw.t}

      union all

      select
          id,
          code,
          amount
      from t_inserted_rows"
    `);
  });

  it('of functions get their schema', () => {
    expect(
      shown(
        translated(
          procedure('dw.load', `BEGIN UPDATE t SET code = tidy(code); END`, {
            settings: { search_path: 'dw' },
          }),
          {
            routines: [
              procedure('dw.tidy', 'SELECT lower(p)', {
                kind: 'function',
                language: 'sql',
                returns: 'text',
                parameters: [parameter('p', 'text')],
              }),
            ],
          },
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      select
          t.id,
          cast(dw.tidy(code) as text) as code,
          t.amount
      from {former dw.t} as t"
    `);
  });

  it('of views are followed where a table below them changes', () => {
    expect(
      shown(
        statements(
          'INSERT INTO dw.t SELECT id, code, amount FROM stg.s; INSERT INTO dw.u SELECT id, code, amount FROM dw.v;',
          {
            views: [
              view(
                'dw.v',
                { id: 'integer', code: 'text', amount: 'numeric(12,2)' },
                'SELECT t.id, t.code, t.amount FROM dw.t',
              ),
            ],
          },
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted as (
      SELECT id, code, amount FROM {current stg.s}
      )
      select
          id,
          code,
          amount
      from {former dw.t}

      union all

      select
          id,
          code,
          amount
      from t_inserted

      dw.u (rebuild, append):
      with v (id, code, amount) as (
      SELECT t.id, t.code, t.amount FROM {final dw.t}
      ), u_inserted as (
      SELECT id, code, amount FROM v
      )
      select
          id,
          code,
          amount
      from {former dw.u}

      union all

      select
          id,
          code,
          amount
      from u_inserted"
    `);
  });
});
