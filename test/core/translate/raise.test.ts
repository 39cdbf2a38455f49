import { describe, expect, it } from 'vitest';
import { queryText, shown, statements, withParser } from './catalog.ts';

withParser();

describe('RAISE EXCEPTION and ASSERT', () => {
  it('is a test under its condition', () => {
    expect(
      shown(
        statements(`IF NOT EXISTS (SELECT 1 FROM stg.s) THEN
    RAISE EXCEPTION 'nothing came in';
  END IF;
  ASSERT (SELECT count(*) FROM stg.s) < 1000, 'too many';
  INSERT INTO dw.t SELECT id, code, amount FROM stg.s;`),
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

      raise before (line 2): if NOT EXISTS (SELECT 1 FROM stg.s)
      with value as (
      select NOT EXISTS (SELECT 1 FROM {current stg.s}) as value
      ), condition as (
      select (select value from value) as holds
      )
      select 1 as failed
      where (select holds from condition)

      raise before (line 5): 'too many'
      with value as (
      select (SELECT count(*) FROM {current stg.s}) < 1000 as value
      )
      select 1 as failed
      where ((select value from value)) is not true"
    `);
  });

  it('is no error where the routine has returned before', () => {
    const [raise] = statements(`IF NOT EXISTS (SELECT 1 FROM stg.s) THEN RETURN; END IF;
  IF EXISTS (SELECT 1 FROM dw.u) THEN RAISE EXCEPTION 'not empty'; END IF;
  DELETE FROM dw.t;`).tests;
    expect(raise && queryText(raise.query)).toContain(
      'where ((select holds from condition)) is not true and ((select holds from condition_2))',
    );
  });

  it('refuses a check of former rows', () => {
    expect(
      shown(
        statements(`IF EXISTS (SELECT 1 FROM dw.t) THEN RAISE EXCEPTION 'not empty'; END IF;
  DELETE FROM dw.t;`),
      ),
    ).toMatchInlineSnapshot(`"raise 2: if EXISTS (SELECT 1 FROM dw.t)"`);
  });

  it('leaves messages out', () => {
    expect(
      shown(
        statements(`RAISE NOTICE 'hello %', 1;
  DELETE FROM dw.t;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (table):
      select
          cast(null as integer) as id,
          cast(null as text) as code,
          cast(null as numeric(12,2)) as amount
      where false"
    `);
  });
});
