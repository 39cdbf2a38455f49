import { describe, expect, it } from 'vitest';
import { procedure, shown, translated, withParser } from './catalog.ts';

withParser();

describe('FOR over rows that depend on each other', () => {
  it('writes by the key of the row', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE r record; v_old numeric;
BEGIN
  FOR r IN SELECT id, amount FROM stg.s LOOP
    SELECT amount INTO v_old FROM dw.t WHERE id = r.id;
    UPDATE dw.t SET amount = coalesce(v_old, 0) + r.amount WHERE id = r.id;
  END LOOP;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, merge id):
      with loop_rows as (
      SELECT id, amount FROM {current stg.s}
      ), loop_rows_2 as (
      select
          r.id,
          r.amount,
          cast(looked_up.v_v_old as numeric) as v_v_old,
          coalesce(looked_up.is_found, false) as found_at_4
      from loop_rows as r
      left join lateral (
          select true as is_found, found_row.*
          from (
          SELECT t.amount            FROM {former dw.t} as t WHERE t.id = r.id
          ) as found_row
          limit 1
      ) as looked_up (is_found, v_v_old) on true
      ), t_matches as (
      select
          t.id as key_id,
          matched.*
      from {former dw.t} as t
      cross join lateral (
          select
              true as is_matched,
              cast(coalesce(r.v_v_old, 0) + r.amount as numeric(12,2)) as new_amount
          from loop_rows_2 as r
          where t.id = r.id
      ) as matched
      )
      select
          t.id,
          t.code,
          case when matched.is_matched then matched.new_amount else t.amount end as amount
      from {former dw.t} as t
      left join t_matches as matched
          on matched.key_id = t.id"
    `);
  });

  it('carries a running total over a total order', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE r record; total numeric := 0;
BEGIN
  FOR r IN SELECT id, amount FROM stg.s ORDER BY id LOOP
    total := total + r.amount;
    INSERT INTO dw.t (id, amount) VALUES (r.id, total);
  END LOOP;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with loop_rows as (
      SELECT id, amount FROM {current stg.s} ORDER BY id
      ), loop_rows_2 as (
      select
          r.id,
          r.amount,
          cast(case when bool_or((r.amount) is null) over (order by r.id rows between unbounded preceding and 1 preceding) then null else cast(0 as numeric) + coalesce(sum((r.amount)) over (order by r.id rows between unbounded preceding and 1 preceding), 0) end as numeric) as total_before
      from loop_rows as r
      ), loop_rows_3 as (
      select
          r.id,
          r.amount,
          r.total_before,
          cast((r.total_before + r.amount) as numeric) as v_total
      from loop_rows_2 as r
      ), t_inserted (id, amount) as (
      select body_row.*
      from loop_rows_3 as r
      cross join lateral (
          VALUES (r.id, r.v_total)
      ) as body_row
      ), t_inserted_rows as (
      select
          id,
          cast(null as text) as code,
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

  it('runs inside another loop', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE r record; x record;
BEGIN
  FOR r IN SELECT id, code FROM stg.s LOOP
    FOR x IN SELECT id FROM dw.u WHERE code = r.code LOOP
      INSERT INTO dw.t (id, code) VALUES (x.id, r.code);
    END LOOP;
  END LOOP;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with loop_rows as (
      SELECT id, code FROM {current stg.s}
      ), inner_loop_rows as (
      select
          inner_row.*,
          r.id as outer_id,
          r.code as outer_code
      from loop_rows as r
      cross join lateral (
          SELECT u.id FROM {current dw.u} WHERE u.code = r.code
      ) as inner_row
      ), t_inserted (id, code) as (
      select body_row.*
      from inner_loop_rows as x
      cross join lateral (
          VALUES (x.id, x.outer_code)
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

  it('goes on with the next row', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE r record;
BEGIN
  FOR r IN SELECT id, code FROM stg.s LOOP
    CONTINUE WHEN r.code IS NULL;
    INSERT INTO dw.t (id) VALUES (r.id);
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
      select r.*
      from loop_rows as r
      where ((r.code IS NULL)) is not true
      ), t_inserted (id) as (
      select body_row.*
      from loop_rows_2 as r
      cross join lateral (
          VALUES (r.id)
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
});
