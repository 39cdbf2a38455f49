import { describe, expect, it } from 'vitest';
import { procedure, shown, statements, translated, withParser } from './catalog.ts';

withParser();

describe("the author's text", () => {
  it('keeps comments and layout', () => {
    expect(
      shown(
        statements(`-- Only what was paid.
  INSERT INTO dw.t (id, code)
  SELECT s.id,        -- the number
         /* cleaned */ trim(s.code)
    FROM stg.s AS s   -- from staging
   WHERE s.amount > 0;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted (id, code) as (
      -- Only what was paid.
      SELECT s.id,        -- the number
               /* cleaned */ trim(s.code)
          FROM {current stg.s} AS s   -- from staging
         WHERE s.amount > 0
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

  it('counts in characters, not in bytes', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE v text := '日本😀';
BEGIN
  INSERT INTO dw.t (id, code) SELECT id, 'é😀' || v || code FROM stg.s WHERE code <> '😀' AND code <> v;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted (id, code) as (
      SELECT id, 'é😀' || '日本😀' || code FROM {current stg.s} WHERE code <> '😀' AND code <> '日本😀'
      ), t_inserted_rows as (
      select
          id,
          cast(code as text) as code,
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

  it('holds strings in dollars and with escapes', () => {
    expect(
      shown(
        statements(
          `INSERT INTO dw.t (id, code) SELECT id, $q$it's dw.t$q$ || E'\\n' || 'dw.t' FROM stg.s;`,
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted (id, code) as (
      SELECT id, $q$it's dw.t$q$ || E'\\n' || 'dw.t' FROM {current stg.s}
      ), t_inserted_rows as (
      select
          id,
          cast(code as text) as code,
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

  it('keeps case and quotes of names', () => {
    expect(shown(statements(`INSERT INTO DW.T ("id", Code) SELECT "s"."id", S.Code FROM Stg.S;`)))
      .toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted as (
      SELECT "s"."id", S.Code FROM {current stg.s}
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
