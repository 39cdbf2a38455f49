import { describe, expect, it } from 'vitest';
import { parameter, procedure, shown, statements, translated, withParser } from './catalog.ts';

withParser();

describe('IF and CASE', () => {
  it('takes the side that a constant chooses', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE full_load boolean := true;
BEGIN
  IF full_load THEN TRUNCATE dw.t; ELSE DELETE FROM dw.u; END IF;
  INSERT INTO dw.t SELECT id, code, amount FROM stg.s;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (table):
      SELECT id, code, amount FROM {current stg.s}"
    `);
  });

  it('keeps the rows of one side or the other', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `BEGIN
  IF p_full THEN DELETE FROM dw.t; ELSE UPDATE dw.t SET amount = 0; END IF;
END`,
            { parameters: [parameter('p_full', 'boolean')] },
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      with t_updated as (
      select
          t.id,
          t.code,
          cast(0 as numeric(12,2)) as amount
      from {former dw.t} as t
      )
      select *
      from t_updated
      where ({p_full}) is not true"
    `);
  });

  it('computes a condition over tables once', () => {
    expect(
      shown(
        statements(`IF (SELECT count(*) FROM stg.s) > 0 THEN
    INSERT INTO dw.t SELECT id, code, amount FROM stg.s;
  END IF;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted as (
      SELECT id, code, amount FROM {current stg.s}
      ), value as (
      select (SELECT count(*) FROM {current stg.s}) > 0 as value
      ), condition as (
      select (select value from value) as holds
      ), t_inserted_if as (
      select *
      from t_inserted
      where (select holds from condition)
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
      from t_inserted_if"
    `);
  });

  it('chooses the values of variables', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE v text;
BEGIN
  CASE p WHEN 1 THEN v := 'one'; WHEN 2 THEN v := 'two'; ELSE v := 'many'; END CASE;
  UPDATE dw.t SET code = v;
END`,
            { parameters: [parameter('p', 'integer')] },
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      select
          t.id,
          (case when ({p} IN (1)) then 'one' else (case when ({p} IN (2)) then 'two' else 'many' end) end) as code,
          t.amount
      from {former dw.t} as t"
    `);
  });

  it('returns early under a condition', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `BEGIN
  IF p_skip THEN RETURN; END IF;
  DELETE FROM dw.t;
END`,
            { parameters: [parameter('p_skip', 'boolean', 'false')] },
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      select *
      from {former dw.t}
      where {p_skip}"
    `);
  });
});
