import { describe, expect, it } from 'vitest';
import { shown, statements, withParser } from './catalog.ts';

withParser();

describe('UPDATE', () => {
  it('keeps rows for which the condition does not hold', () => {
    expect(
      shown(statements(`UPDATE dw.t SET amount = amount * 2, code = 'twice' WHERE amount > 10;`)),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, merge id):
      select
          t.id,
          case when amount > 10 then cast('twice' as text) else t.code end as code,
          case when amount > 10 then cast(amount * 2 as numeric(12,2)) else t.amount end as amount
      from {former dw.t} as t"
    `);
  });

  it('sees the values from before the statement in every assignment', () => {
    expect(shown(statements(`UPDATE dw.u SET id = amount, amount = id;`))).toMatchInlineSnapshot(`
      "dw.u (rebuild):
      select
          cast(amount as integer) as id,
          u.code,
          cast(id as numeric(12,2)) as amount
      from {former dw.u} as u"
    `);
  });

  it('takes values from one matching row of FROM', () => {
    expect(shown(statements(`UPDATE dw.t x SET code = s.code FROM stg.s s WHERE s.id = x.id;`)))
      .toMatchInlineSnapshot(`
        "dw.t (rebuild, merge id):
        with t_matches as (
        select
            x.id as key_id,
            matched.*
        from {former dw.t} as x
        cross join lateral (
            select
                true as is_matched,
                s.code as new_code
            from {current stg.s} s
            where s.id = x.id
        ) as matched
        )
        select
            x.id,
            case when matched.is_matched then matched.new_code else x.code end as code,
            x.amount
        from {former dw.t} as x
        left join t_matches as matched
            on matched.key_id = x.id"
      `);
  });

  it('takes any of several matching rows', () => {
    expect(shown(statements(`UPDATE dw.t x SET code = s.code FROM stg.s s WHERE s.code = x.code;`)))
      .toMatchInlineSnapshot(`
        "dw.t (rebuild, merge id):
        with t_matches as (
        select
            x.id as key_id,
            matched.*
        from {former dw.t} as x
        cross join lateral (
            select
                true as is_matched,
                s.code as new_code
            from {current stg.s} s
            where s.code = x.code
        ) as matched
        )
        select
            x.id,
            case when matched.is_matched then matched.new_code else x.code end as code,
            x.amount
        from {former dw.t} as x
        left join (select distinct on (key_id) * from t_matches) as matched
            on matched.key_id = x.id"
      `);
  });

  it('sets several columns from a row or a subquery', () => {
    expect(
      shown(
        statements(`UPDATE dw.t SET (code, amount) = (SELECT s.code, s.amount FROM stg.s s WHERE s.id = t.id);
  UPDATE dw.u SET (code, amount) = ROW ('x', 1);`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      select
          t.id,
          cast((select c1 from (SELECT s.code, s.amount FROM {current stg.s} s WHERE s.id = t.id) as v (c1, c2)) as text) as code,
          cast((select c2 from (SELECT s.code, s.amount FROM {current stg.s} s WHERE s.id = t.id) as v (c1, c2)) as numeric(12,2)) as amount
      from {former dw.t} as t

      dw.u (rebuild):
      select
          u.id,
          cast('x' as text) as code,
          cast(1 as numeric(12,2)) as amount
      from {former dw.u} as u"
    `);
  });

  it('keeps a WITH clause in front', () => {
    expect(
      shown(
        statements(
          `WITH best AS (SELECT max(amount) AS amount FROM stg.s) UPDATE dw.t SET amount = best.amount FROM best;`,
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, merge id):
      with t_matches as (
      select
          t.id as key_id,
          matched.*
      from {former dw.t} as t
      cross join lateral (
          WITH best AS (SELECT max(amount) AS amount FROM {current stg.s})
          select
              true as is_matched,
              best.amount as new_amount
          from best
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

  it('refuses a column that is not there', () => {
    expect(shown(statements(`UPDATE dw.t SET nothing = 1;`))).toMatchInlineSnapshot(
      `"missing-column 2: UPDATE dw.t SET nothing = 1"`,
    );
  });
});
