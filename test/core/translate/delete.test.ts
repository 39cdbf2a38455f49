import { describe, expect, it } from 'vitest';
import { shown, statements, withParser } from './catalog.ts';

withParser();

describe('DELETE', () => {
  it('keeps rows for which the condition is false or unknown', () => {
    expect(shown(statements(`DELETE FROM dw.t WHERE amount < 0;`))).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      select t.*
      from {former dw.t} as t
      where (amount < 0) is not true"
    `);
  });

  it('empties the table without a condition', () => {
    expect(shown(statements(`DELETE FROM dw.t;`))).toMatchInlineSnapshot(`
      "dw.t (table):
      select
          cast(null as integer) as id,
          cast(null as text) as code,
          cast(null as numeric(12,2)) as amount
      where false"
    `);
  });

  it('looks for matches in USING', () => {
    expect(
      shown(statements(`DELETE FROM dw.t x USING stg.s s WHERE s.id = x.id AND s.amount IS NULL;`)),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      select x.*
      from {former dw.t} as x
      where not exists (
          select 1
          from {current stg.s} s
          where s.id = x.id AND s.amount IS NULL
      )"
    `);
  });

  it('deletes and fills a window of the table', () => {
    expect(
      shown(
        statements(`DELETE FROM dw.t WHERE id IN (SELECT id FROM stg.s);
  INSERT INTO dw.t SELECT id, code, amount FROM stg.s;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      with t_kept as (
      select t.*
      from {former dw.t} as t
      where (id IN (SELECT id FROM {current stg.s})) is not true
      ), t_inserted as (
      SELECT id, code, amount FROM {current stg.s}
      )
      select
          id,
          code,
          amount
      from t_kept

      union all

      select
          id,
          code,
          amount
      from t_inserted"
    `);
  });
});
