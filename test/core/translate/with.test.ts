import { describe, expect, it } from 'vitest';
import { shown, statements, withParser } from './catalog.ts';

withParser();

describe('WITH that writes', () => {
  it('moves rows from one table to another', () => {
    expect(
      shown(
        statements(`WITH gone AS (DELETE FROM dw.t WHERE amount < 0 RETURNING id, code, amount)
    INSERT INTO dw.u SELECT * FROM gone;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.u (rebuild, append):
      with t_deleted as (
      select t.*
      from {former dw.t} as t
      where (amount < 0)
      ), t_returned as (
      select id, code, amount
      from t_deleted as t
      ), u_inserted as (
      SELECT * FROM t_returned as gone
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
      from u_inserted

      dw.t (rebuild) after dw.u:
      select t.*
      from {former dw.t} as t
      where (amount < 0) is not true"
    `);
  });

  it('names the columns of a writing CTE anew', () => {
    expect(
      shown(
        statements(`WITH gone (a, b) AS (DELETE FROM dw.t WHERE amount < 0 RETURNING id, code)
    INSERT INTO dw.u (id, code) SELECT a, b FROM gone;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.u (rebuild, append):
      with t_deleted as (
      select t.*
      from {former dw.t} as t
      where (amount < 0)
      ), t_returned as (
      select id, code
      from t_deleted as t
      ), gone_2 (a, b) as (
      select *
      from t_returned
      ), u_inserted (id, code) as (
      SELECT a, b FROM gone_2 as gone
      ), u_inserted_rows as (
      select
          id,
          code,
          cast(null as numeric(12,2)) as amount
      from u_inserted
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
      from u_inserted_rows

      dw.t (rebuild) after dw.u:
      select t.*
      from {former dw.t} as t
      where (amount < 0) is not true"
    `);
  });

  it('lets every part see the tables as they were', () => {
    expect(
      shown(
        statements(`WITH added AS (INSERT INTO dw.t SELECT id, code, amount FROM stg.s)
    INSERT INTO dw.u SELECT id, code, amount FROM dw.t;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.u (rebuild, append):
      with u_inserted as (
      SELECT id, code, amount FROM {former dw.t} as t
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
      from u_inserted

      dw.t (rebuild, append) after dw.u:
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

  it('keeps CTEs of the author in a query', () => {
    expect(
      shown(
        statements(
          `INSERT INTO dw.t WITH s AS (SELECT id, code, amount FROM stg.s) SELECT * FROM s WHERE amount > 0;`,
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted as (
      WITH s AS (SELECT id, code, amount FROM {current stg.s}) SELECT * FROM s WHERE amount > 0
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

  it('refuses two parts that change rows of one table', () => {
    expect(
      shown(
        statements(
          `WITH a AS (UPDATE dw.t SET amount = 1 WHERE id = 1 RETURNING id) DELETE FROM dw.t WHERE id = 2;`,
        ),
      ),
    ).toMatchInlineSnapshot(`"statement 2: UPDATE dw.t SET amount = 1 WHERE id = 1 RETURNING id"`);
  });
});
