import { describe, expect, it } from 'vitest';
import { procedure, shown, statements, translated, withParser } from './catalog.ts';

withParser();

describe('variables', () => {
  it('a value of an expression stands where the variable is named', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE
  v_low numeric := 10;
  v_name text;
BEGIN
  v_name := 'a' || 'b';
  INSERT INTO dw.t (id, code) SELECT id, v_name FROM stg.s WHERE amount > v_low;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted (id, code) as (
      SELECT id, 'ab' as v_name FROM {current stg.s} WHERE amount > cast(10 as numeric)
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

  it('a negative number stays one value', () => {
    expect(
      shown(
        statements(
          `DECLARE v integer := -1; BEGIN UPDATE dw.t SET id = id -v, code = v::text; END;`,
        ),
      ),
    ).toContain('id -(-1) as id,\n    (-1)::text as code');
  });

  it('digits of a number stay as they are written', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE
  v_rate numeric := 0.1 + 0.2;
  v_big numeric := 123456789012345678901234567890;
BEGIN
  UPDATE dw.t SET amount = v_rate * v_big;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      select
          t.id,
          t.code,
          cast(cast((0.1 + 0.2) as numeric) * cast(123456789012345678901234567890 as numeric) as numeric(12,2)) as amount
      from {former dw.t} as t"
    `);
  });

  it('a query gives a step of one row, NULL where there is none', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE
  v_last date;
BEGIN
  SELECT max(day) INTO v_last FROM stg.s;
  INSERT INTO dw.t (id) SELECT id FROM stg.s WHERE day > v_last;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with v_last (v_last) as (
      SELECT max(day)             FROM {current stg.s}
      ), t_inserted as (
      SELECT id FROM {current stg.s} WHERE day > (select v_last from v_last)
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

  it('what a write returns is one value, and none is picked from several', () => {
    const text = shown(
      statements(
        'DECLARE v integer; BEGIN DELETE FROM dw.u WHERE amount > 5 RETURNING id INTO v; UPDATE dw.t SET id = v; END;',
      ),
    );
    expect(text).toContain('select v from v');
    expect(text).not.toContain('limit 1');
  });

  it('STRICT is a test', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE
  v_code text;
BEGIN
  SELECT code INTO STRICT v_code FROM stg.s WHERE id = 1;
  UPDATE dw.t SET code = v_code;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      with v_code (v_code) as (
      SELECT code                    FROM {current stg.s} WHERE id = 1
      )
      select
          t.id,
          (select v_code from v_code) as code,
          t.amount
      from {former dw.t} as t

      raise before (line 4): query returned no rows or more than one row
      with query as (
      SELECT code                    FROM {current stg.s} WHERE id = 1
      )
      select 1 as failed
      where (select count(*) from query) <> 1"
    `);
  });

  it('a record has fields', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE
  r record;
BEGIN
  SELECT min(id) AS low, max(id) AS high INTO r FROM stg.s;
  DELETE FROM dw.t WHERE id BETWEEN r.low AND r.high;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      with r as (
      SELECT min(id) AS low, max(id) AS high        FROM {current stg.s}
      )
      select t.*
      from {former dw.t} as t
      where (id BETWEEN (select low from r) AND (select high from r)) is not true"
    `);
  });

  it('a variable is as it was when the statement ran', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE
  v_count bigint;
BEGIN
  SELECT count(*) INTO v_count FROM dw.t;
  DELETE FROM dw.t;
  INSERT INTO dw.u (id) VALUES (v_count);
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.u (rebuild, append):
      with v_count (v_count) as (
      SELECT count(*)              FROM {former dw.t} as t
      ), u_inserted (id) as (
      VALUES ((select v_count from v_count))
      ), u_inserted_rows as (
      select
          cast(id as integer) as id,
          cast(null as text) as code,
          cast(null as numeric(12,2)) as amount
      from u_inserted
      )
      select
          id,
          code,
          amount
      from {former dw.u}

      union all

      select
          id,
          code,
          amount
      from u_inserted_rows

      dw.t (table) after dw.u:
      select
          cast(null as integer) as id,
          cast(null as text) as code,
          cast(null as numeric(12,2)) as amount
      where false"
    `);
  });

  it('a value that nothing lasting needs is left out', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE
  v_rows bigint;
BEGIN
  DELETE FROM dw.t;
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  RAISE NOTICE '% rows', v_rows;
END`,
          ),
        ),
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

  it('a column comes before a variable only where both do not fit', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE
  v text := 'x';
BEGIN
  UPDATE dw.t SET code = v WHERE dw.t.code IS NULL;
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, merge id):
      select
          t.id,
          case when t.code IS NULL then 'x' else t.code end as code,
          t.amount
      from {former dw.t} as t"
    `);
  });
});
