import { describe, expect, it } from 'vitest';
import { shown, statements, withParser } from './catalog.ts';

withParser();

describe('MERGE', () => {
  it('takes the first arm that holds', () => {
    expect(
      shown(
        statements(`MERGE INTO dw.t AS x USING stg.s AS s ON s.id = x.id
    WHEN MATCHED AND s.amount IS NULL THEN DELETE
    WHEN MATCHED THEN UPDATE SET amount = s.amount
    WHEN NOT MATCHED THEN INSERT (id, code) VALUES (s.id, s.code);`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      with t_merged as (
      select
          x.id,
          x.code,
          case chosen.arm when 2 then s.amount else x.amount end as amount
      from {former dw.t} as x
      left join (
          select
              s.*,
              true as source_row_exists
          from {current stg.s} AS s
      ) as s on s.id = x.id
      cross join lateral (
          select case
              when source_row_exists and (s.amount IS NULL) then 1
              when source_row_exists then 2
          end as arm
      ) as chosen
      where (chosen.arm in (1)) is not true
      ), t_new as (
      select
          s.id as id,
          s.code as code,
          cast(null as numeric(12,2)) as amount
      from {current stg.s} AS s
      where not exists (
          select 1
          from {former dw.t} as x
          where s.id = x.id
      )
      )
      select
          id,
          code,
          amount
      from t_merged

      union all

      select
          id,
          code,
          amount
      from t_new"
    `);
  });

  it('updates and adds by key', () => {
    expect(
      shown(
        statements(`MERGE INTO dw.t AS x USING (SELECT id, code FROM stg.s) AS s ON s.id = x.id
    WHEN MATCHED THEN UPDATE SET code = s.code
    WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.code, DEFAULT);`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, merge id):
      with t_merged as (
      select
          x.id,
          case chosen.arm when 1 then s.code else x.code end as code,
          x.amount
      from {former dw.t} as x
      left join (
          select
              s.*,
              true as source_row_exists
          from (SELECT id, code FROM {current stg.s}) AS s
      ) as s on s.id = x.id
      cross join lateral (
          select case
              when source_row_exists then 1
          end as arm
      ) as chosen
      ), t_new as (
      select
          s.id as id,
          s.code as code,
          cast(null as numeric(12,2)) as amount
      from (SELECT id, code FROM {current stg.s}) AS s
      where not exists (
          select 1
          from {former dw.t} as x
          where s.id = x.id
      )
      )
      select
          id,
          code,
          amount
      from t_merged

      union all

      select
          id,
          code,
          amount
      from t_new"
    `);
  });

  it('ends with an error where a row is matched twice', () => {
    expect(
      shown(
        statements(`MERGE INTO dw.t AS x USING stg.s AS s ON s.code = x.code
    WHEN MATCHED THEN UPDATE SET amount = s.amount;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      with t_acting as (
      select
          x.id as key_id,
          chosen.arm,
          case chosen.arm when 1 then s.amount else x.amount end as new_amount
      from {former dw.t} as x
      left join (
          select
              s.*,
              true as source_row_exists
          from {current stg.s} AS s
      ) as s on s.code = x.code
      cross join lateral (
          select case
              when source_row_exists then 1
          end as arm
      ) as chosen
      where chosen.arm in (1)
      )
      select
          x.id,
          x.code,
          case when acting.arm in (1) then acting.new_amount else x.amount end as amount
      from {former dw.t} as x
      left join t_acting as acting
          on acting.key_id = x.id
      where (select count(cast('several source rows act on one row of dw.t: ' || key_id as integer)) from (select key_id from t_acting group by key_id having count(*) > 1) as repeated) = 0"
    `);
  });

  it('does nothing where it says so', () => {
    expect(
      shown(
        statements(`MERGE INTO dw.t AS x USING stg.s AS s ON s.id = x.id
    WHEN MATCHED THEN DO NOTHING
    WHEN NOT MATCHED AND s.amount > 0 THEN INSERT (id) VALUES (s.id);`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_new as (
      select
          s.id as id,
          cast(null as text) as code,
          cast(null as numeric(12,2)) as amount
      from {current stg.s} AS s
      where not exists (
          select 1
          from {former dw.t} as x
          where s.id = x.id
      )
          and case
              when (s.amount > 0) then 1
          end = 1
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
      from t_new"
    `);
  });
});
