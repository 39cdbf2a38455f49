import { describe, expect, it } from 'vitest';
import { shown, statements, withParser } from './catalog.ts';

withParser();

describe('tables that a procedure makes', () => {
  it('CREATE TABLE AS gives a model', () => {
    expect(shown(statements(`CREATE TABLE dw.made AS SELECT id, code FROM stg.s;`)))
      .toMatchInlineSnapshot(`
      "dw.made (table):
      SELECT id, code FROM {current stg.s}"
    `);
  });

  it('DROP and CREATE rebuild a table', () => {
    expect(
      shown(
        statements(`DROP TABLE IF EXISTS dw.t;
  CREATE TABLE dw.t AS SELECT id, code, amount FROM stg.s;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (table):
      SELECT id, code, amount FROM {current stg.s}"
    `);
  });

  it('WITH NO DATA makes an empty table', () => {
    expect(
      shown(
        statements(`CREATE TABLE dw.made AS SELECT id, code FROM stg.s WITH NO DATA;
  INSERT INTO dw.made SELECT 1, 'a';`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.made (table):
      with made_inserted (id, code) as (
      SELECT 1, 'a'
      )
      select
          id,
          cast(code as text) as code
      from made_inserted"
    `);
  });

  it('columns may be named in the head', () => {
    expect(shown(statements(`CREATE TABLE dw.made (a, b) AS SELECT id, code FROM stg.s;`)))
      .toMatchInlineSnapshot(`
        "dw.made (table):
        with made (a, b) as (
        SELECT id, code FROM {current stg.s}
        )
        select
            a,
            b
        from made"
      `);
  });

  it('a temporary table is a step', () => {
    expect(
      shown(
        statements(`CREATE TEMP TABLE work (id integer, code text DEFAULT 'none') ON COMMIT DROP;
  INSERT INTO work (id) SELECT id FROM stg.s;
  INSERT INTO dw.t (id, code) SELECT id, code FROM work;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with work_inserted as (
      SELECT id FROM {current stg.s}
      ), work_inserted_rows as (
      select
          id,
          cast(('none') as text) as code
      from work_inserted
      ), t_inserted as (
      SELECT id, code FROM work_inserted_rows as work
      ), t_inserted_rows as (
      select
          id,
          code,
          cast(null as numeric(12,2)) as amount
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

  it('a temporary table shadows, until it is dropped', () => {
    expect(
      shown(
        statements(`CREATE TEMPORARY TABLE t AS SELECT id, code, amount FROM stg.s;
  INSERT INTO dw.u SELECT * FROM t;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.u (rebuild, append):
      with t as (
      SELECT id, code, amount FROM {current stg.s}
      ), u_inserted as (
      SELECT * FROM t
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

  it('LIKE takes columns over', () => {
    expect(
      shown(
        statements(`CREATE TEMP TABLE work (LIKE dw.t);
  INSERT INTO work SELECT id, code, amount FROM stg.s;
  INSERT INTO dw.u SELECT * FROM work;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.u (rebuild, append):
      with work_inserted as (
      SELECT id, code, amount FROM {current stg.s}
      ), u_inserted as (
      SELECT * FROM work_inserted as work
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

  it('COMMIT takes ON COMMIT tables away', () => {
    expect(
      shown(
        statements(`CREATE TEMP TABLE work ON COMMIT DELETE ROWS AS SELECT id, code, amount FROM stg.s;
  COMMIT;
  INSERT INTO dw.t SELECT * FROM work;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with work as (
      select
          cast(null as integer) as id,
          cast(null as text) as code,
          cast(null as numeric(12,2)) as amount
      where false
      ), t_inserted as (
      SELECT * FROM work
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

  it('refuses a table that is dropped and not made again', () => {
    expect(shown(statements(`DROP TABLE dw.t;`))).toMatchInlineSnapshot(`"ddl 2: DROP TABLE dw.t"`);
  });
});
