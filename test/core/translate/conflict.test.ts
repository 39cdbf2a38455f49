import { describe, expect, it } from 'vitest';
import { shown, statements, withParser } from './catalog.ts';

withParser();

describe('INSERT … ON CONFLICT', () => {
  it('does nothing for rows whose key is there', () => {
    expect(
      shown(
        statements(
          `INSERT INTO dw.t SELECT id, code, amount FROM stg.s ON CONFLICT (id) DO NOTHING;`,
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted as (
      SELECT id, code, amount FROM {current stg.s}
      ), t_new as (
      select
          proposed.id,
          proposed.code,
          proposed.amount
      from t_inserted as proposed
      where not exists (
          select 1
          from {former dw.t} as existing
          where existing.id = proposed.id
      )
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

  it.each([
    'SELECT generate_series(1, 4) / 2',
    "SELECT length(unnest(array['a', 'b']))",
    'SELECT id + 0 * generate_series(1, 2) FROM stg.s GROUP BY id',
    'SELECT 1 FROM stg.s ORDER BY day FETCH FIRST 1 ROW WITH TIES',
    'SELECT 1 FROM stg.s LIMIT NULL',
    'SELECT 1 FROM stg.s LIMIT 10000000000',
  ])('does not take for one row what may be several: %s', (query) => {
    expect(shown(statements(`INSERT INTO dw.t (id) ${query} ON CONFLICT DO NOTHING;`))).toContain(
      'row_number() over (partition by',
    );
  });

  it('keeps one row of each key where the query may give several, and tests for ties', () => {
    expect(
      shown(
        statements(
          `INSERT INTO dw.t SELECT amount::integer, code, amount FROM stg.s ON CONFLICT DO NOTHING;`,
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted (id, code, amount) as (
      SELECT amount::integer, code, amount FROM {current stg.s}
      ), t_new as (
      select
          id,
          code,
          amount
      from (
          select
              proposed.*,
              row_number() over (partition by proposed.id) as row_of_key
          from t_inserted as proposed
          where not exists (
          select 1
          from {former dw.t} as existing
          where existing.id = proposed.id
      )
      ) as numbered
      where row_of_key = 1
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
      from t_new

      ambiguity before (line 2): Several rows of the query have the same (id); which one is inserted depends on their order.
      with t_inserted (id, code, amount) as (
      SELECT amount::integer, code, amount FROM {current stg.s}
      )
      select id
      from t_inserted
      where id is not null
      group by id
      having count(distinct row(code, amount)) > 1"
    `);
  });

  it('updates rows that are there, under its condition', () => {
    expect(
      shown(
        statements(`INSERT INTO dw.t AS x SELECT id, code, amount FROM stg.s
    ON CONFLICT (id) DO UPDATE SET amount = x.amount + excluded.amount WHERE x.code <> 'fixed';`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, merge id):
      with t_inserted as (
      SELECT id, code, amount FROM {current stg.s}
      ), t_upserted as (
      select
          x.id,
          x.code,
          case when excluded.is_proposed and (x.code <> 'fixed') then cast(x.amount + excluded.amount as numeric(12,2)) else x.amount end as amount
      from {former dw.t} as x
      left join (select *, true as is_proposed from t_inserted) as excluded
          on excluded.id = x.id
      ), t_new as (
      select
          proposed.id,
          proposed.code,
          proposed.amount
      from t_inserted as proposed
      where not exists (
          select 1
          from {former dw.t} as existing
          where existing.id = proposed.id
      )
      )
      select
          id,
          code,
          amount
      from t_upserted

      union all

      select
          id,
          code,
          amount
      from t_new"
    `);
  });

  it('only adds rows to an empty table', () => {
    expect(
      shown(
        statements(`TRUNCATE dw.t;
  INSERT INTO dw.t SELECT id, code, amount FROM stg.s ON CONFLICT (id) DO UPDATE SET code = excluded.code;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (table):
      SELECT id, code, amount FROM {current stg.s}"
    `);
  });

  it('refuses a target that is no key', () => {
    expect(
      shown(
        statements(
          `INSERT INTO dw.t SELECT id, code, amount FROM stg.s ON CONFLICT (code) DO NOTHING;`,
        ),
      ),
    ).toMatchInlineSnapshot(
      `"missing-column 2: INSERT INTO dw.t SELECT id, code, amount FROM stg.s ON CONFLICT (code) DO NOTHING"`,
    );
  });
});
