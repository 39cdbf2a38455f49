import { describe, expect, it } from 'vitest';
import { parameter, procedure, shown, statements, translated, withParser } from './catalog.ts';

withParser();

describe('FOR', () => {
  it('is unrolled over constants', () => {
    expect(shown(statements(`FOR i IN 1..2 LOOP INSERT INTO dw.t (id) VALUES (i); END LOOP;`)))
      .toMatchInlineSnapshot(`
        "dw.t (rebuild, append):
        with t_inserted (id) as (
        VALUES (1)
        ), t_inserted_rows as (
        select
            id,
            cast(null as text) as code,
            cast(null as numeric(12,2)) as amount
        from t_inserted
        ), t_inserted_2 (id) as (
        VALUES (2)
        ), t_inserted_rows_2 as (
        select
            id,
            cast(null as text) as code,
            cast(null as numeric(12,2)) as amount
        from t_inserted_2
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
        from t_inserted_rows

        union all

        select
            id,
            code,
            amount
        from t_inserted_rows_2"
      `);
  });

  it('is unrolled over an array', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE c text;
BEGIN
  FOREACH c IN ARRAY ARRAY['a', 'b'] LOOP UPDATE dw.t SET amount = 0 WHERE code = c; END LOOP;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      with t_updated as (
      select
          t.id,
          t.code,
          case when code = 'a' then cast(0 as numeric(12,2)) else t.amount end as amount
      from {former dw.t} as t
      )
      select
          t.id,
          t.code,
          case when code = 'b' then cast(0 as numeric(12,2)) else t.amount end as amount
      from t_updated as t"
    `);
  });

  it('is a series over bounds that are not known', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `BEGIN
  FOR i IN 1..p LOOP INSERT INTO dw.t (id) VALUES (i); END LOOP;
END`,
            { parameters: [parameter('p', 'integer')] },
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with each_i as (
      select i
      from generate_series(1, {p}, 1) as series (i)
      ), t_inserted (id) as (
      select body_row.*
      from each_i as each_row
      cross join lateral (
          VALUES (i)
      ) as body_row
      ), t_inserted_rows as (
      select
          id,
          cast(null as text) as code,
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

  it('does the body for all rows of a query', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE r record;
BEGIN
  FOR r IN SELECT id, code FROM stg.s LOOP
    IF r.code IS NOT NULL THEN
      INSERT INTO dw.t (id, code) VALUES (r.id, r.code);
    END IF;
  END LOOP;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with loop_rows as (
      SELECT id, code FROM {current stg.s}
      ), loop_rows_2 as (
      select
          r.id,
          r.code,
          ((r.code IS NOT NULL)) is true as is_case_4
      from loop_rows as r
      ), loop_rows_3 as (
      select r.*
      from loop_rows_2 as r
      where r.is_case_4
      ), t_inserted (id, code) as (
      select body_row.*
      from loop_rows_3 as r
      cross join lateral (
          VALUES (r.id, r.code)
      ) as body_row
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
});
