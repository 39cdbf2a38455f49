import { describe, expect, it } from 'vitest';
import { shown, statements, withParser } from './catalog.ts';

withParser();

describe('models of several tables', () => {
  it("read each other's final state", () => {
    expect(
      shown(
        statements(`INSERT INTO dw.t SELECT id, code, amount FROM stg.s;
  INSERT INTO dw.u SELECT id, code, amount FROM dw.t;`),
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
      with u_inserted as (
      SELECT id, code, amount FROM {final dw.t}
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

  it('are built before the table that they read changes', () => {
    expect(
      shown(
        statements(`INSERT INTO dw.u SELECT id, code, amount FROM dw.t;
  DELETE FROM dw.t;`),
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

      dw.t (table) after dw.u:
      select
          cast(null as integer) as id,
          cast(null as text) as code,
          cast(null as numeric(12,2)) as amount
      where false"
    `);
  });

  it('compute what they need themselves where a version in between is read', () => {
    expect(
      shown(
        statements(`INSERT INTO dw.t SELECT id, code, amount FROM stg.s;
  INSERT INTO dw.u SELECT id, code, amount FROM dw.t;
  DELETE FROM dw.t WHERE amount < 0;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.u (rebuild, append):
      with t_inserted as (
      SELECT id, code, amount FROM {current stg.s}
      ), t as (
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
      ), u_inserted as (
      SELECT id, code, amount FROM t
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
      with t_inserted as (
      SELECT id, code, amount FROM {current stg.s}
      ), t as (
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
      )
      select t.*
      from t as t
      where (amount < 0) is not true"
    `);
  });

  it("share the added rows where each needs the other's former state", () => {
    expect(
      shown(
        statements(`WITH moved AS (INSERT INTO dw.t SELECT id, code, amount FROM dw.u)
  INSERT INTO dw.u SELECT id, code, amount FROM dw.t;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t__new (table):
      SELECT id, code, amount FROM {former dw.u} as u

      dw.u__new (table):
      SELECT id, code, amount FROM {former dw.t} as t

      dw.t (rebuild, append) after dw.u__new:
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
      from {final dw.t__new}

      dw.u (rebuild, append) after dw.t__new:
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
      from {final dw.u__new}"
    `);
  });
});
