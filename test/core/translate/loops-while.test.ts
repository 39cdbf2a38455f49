import { describe, expect, it } from 'vitest';
import { procedure, shown, translated, withParser } from './catalog.ts';

withParser();

describe('WHILE, LOOP and cursors', () => {
  it('steps through a range', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE d date := DATE '2024-01-01';
BEGIN
  WHILE d <= DATE '2024-12-31' LOOP
    INSERT INTO dw.t (id, amount) SELECT id, amount FROM stg.s WHERE day = d;
    d := d + 1;
  END LOOP;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with each_d as (
      select cast(d as date) as d
      from generate_series((DATE '2024-01-01'), (DATE '2024-12-31'), 1 * interval '1 day') as series (d)
      ), t_inserted as (
      select body_row.*
      from each_d as each_row
      cross join lateral (
          SELECT s.id, s.amount FROM {current stg.s} WHERE s.day = d
      ) as body_row
      ), t_inserted_rows as (
      select
          id,
          cast(null as text) as code,
          amount
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

  it('pages through rows', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE o integer := 0;
BEGIN
  LOOP
    INSERT INTO dw.t SELECT id, code, amount FROM stg.s ORDER BY id LIMIT 100 OFFSET o;
    EXIT WHEN NOT FOUND;
    o := o + 100;
  END LOOP;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted as (
      SELECT id, code, amount FROM {current stg.s} ORDER BY id
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

  it('fetches a cursor to its end', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE c CURSOR FOR SELECT id, code FROM stg.s; r record;
BEGIN
  OPEN c;
  LOOP
    FETCH c INTO r;
    EXIT WHEN NOT FOUND;
    INSERT INTO dw.t (id, code) VALUES (r.id, r.code);
  END LOOP;
  CLOSE c;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with loop_rows as (
      SELECT id, code FROM {current stg.s}
      ), t_inserted (id, code) as (
      select body_row.*
      from loop_rows as r
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

  it('fetches a cursor ahead', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE c CURSOR FOR SELECT id, code FROM stg.s; r record;
BEGIN
  OPEN c;
  FETCH c INTO r;
  WHILE FOUND LOOP
    INSERT INTO dw.t (id, code) VALUES (r.id, r.code);
    FETCH c INTO r;
  END LOOP;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with loop_rows as (
      SELECT id, code FROM {current stg.s}
      ), t_inserted (id, code) as (
      select body_row.*
      from loop_rows as r
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
