import { describe, expect, it } from 'vitest';
import { column, procedure, shown, statements, table, translated, withParser } from './catalog.ts';

withParser();

describe('the clock', () => {
  it('stays a hole, however it is written', () => {
    expect(
      shown(
        statements(`UPDATE dw.log SET at = now() WHERE at < CURRENT_DATE - interval '1 day' AND note = 'x' || localtimestamp(0)::text;
  INSERT INTO dw.t (id, code) SELECT id, CURRENT_USER FROM stg.s WHERE day < transaction_timestamp();
  INSERT INTO dw.u (id) SELECT count(*) FROM dw.log;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.log (rebuild):
      select
          case when at < {CURRENT_DATE} - interval '1 day' AND note = 'x' || {localtimestamp(0)}::text then {now()} else log.at end as at,
          log.rows,
          log.note
      from {former dw.log} as log

      dw.t (rebuild, append):
      with t_inserted (id, code) as (
      SELECT id, CURRENT_USER FROM {current stg.s} WHERE day < {transaction_timestamp()}
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
      from t_inserted_rows

      dw.u (rebuild, append):
      with u_inserted (id) as (
      SELECT count(*) FROM {final dw.log}
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
      from u_inserted_rows"
    `);
  });

  it('is a function of the user where that is found first', () => {
    expect(
      shown(
        translated(
          procedure('dw.load', `BEGIN DELETE FROM t WHERE now() > '2020-01-01'; END`, {
            settings: { search_path: 'dw, pg_catalog' },
          }),
          {
            routines: [
              procedure('dw.now', "SELECT timestamptz '2020-02-29'", {
                kind: 'function',
                language: 'sql',
                returns: 'timestamp with time zone',
              }),
            ],
          },
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      select t.*
      from {former dw.t} as t
      where (dw.now() > '2020-01-01') is not true"
    `);
  });

  it("is the built-in one where the user's function comes later", () => {
    expect(
      shown(
        translated(
          procedure('dw.load', `BEGIN DELETE FROM t WHERE now() > '2020-01-01'; END`, {
            settings: { search_path: 'dw' },
          }),
          {
            routines: [
              procedure('dw.now', "SELECT timestamptz '2020-02-29'", {
                kind: 'function',
                language: 'sql',
                returns: 'timestamp with time zone',
              }),
            ],
          },
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      select t.*
      from {former dw.t} as t
      where ({now()} > '2020-01-01') is not true"
    `);
  });

  it('in a default is a hole as well', () => {
    expect(
      shown(
        statements('INSERT INTO dw.d (id) SELECT id FROM stg.s;', {
          extra: [
            table('dw.d', {
              id: 'integer',
              at: column('at', 'timestamp with time zone', { defaultSql: 'now()' }),
            }),
          ],
        }),
      ),
    ).toMatchInlineSnapshot(`
      "dw.d (rebuild, append):
      with d_inserted as (
      SELECT id FROM {current stg.s}
      ), d_inserted_rows as (
      select
          id,
          cast({now()} as timestamp with time zone) as at
      from d_inserted
      )
      select
          id,
          at
      from {former dw.d}

      union all

      select
          id,
          at
      from d_inserted_rows"
    `);
  });
});
