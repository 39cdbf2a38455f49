import { describe, expect, it } from 'vitest';
import { procedure, shown, statements, translated, view, withParser } from './catalog.ts';

withParser();

describe('log tables', () => {
  it('are left out where only counts, times and messages go there', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE n bigint;
BEGIN
  INSERT INTO dw.t SELECT id, code, amount FROM stg.s;
  GET DIAGNOSTICS n = ROW_COUNT;
  INSERT INTO dw.log (at, rows, note) VALUES (clock_timestamp(), n, 'done');
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted as (
      SELECT id, code, amount FROM {current stg.s}
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

  it('are data where rows of tables go there', () => {
    expect(shown(statements(`INSERT INTO dw.log (at, note) SELECT now(), code FROM stg.s;`)))
      .toMatchInlineSnapshot(`
      "dw.log (rebuild, append):
      with log_inserted (at, note) as (
      SELECT {now()}, code FROM {current stg.s}
      ), log_inserted_rows as (
      select
          at,
          cast(null as bigint) as rows,
          note
      from log_inserted
      )
      select
          at,
          rows,
          note
      from {former dw.log}

      union all

      select
          at,
          rows,
          note
      from log_inserted_rows"
    `);
  });

  it('are data where something reads them', () => {
    expect(
      shown(
        statements(`INSERT INTO dw.log (at, note) VALUES (now(), 'start');
  INSERT INTO dw.t (id) SELECT count(*) FROM dw.log;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.log (rebuild, append):
      with log_inserted (at, note) as (
      VALUES ({now()}, 'start')
      ), log_inserted_rows as (
      select
          at,
          cast(null as bigint) as rows,
          cast(note as text) as note
      from log_inserted
      )
      select
          at,
          rows,
          note
      from {former dw.log}

      union all

      select
          at,
          rows,
          note
      from log_inserted_rows

      dw.t (rebuild, append):
      with t_inserted (id) as (
      SELECT count(*) FROM {final dw.log}
      ), t_inserted_rows as (
      select
          cast(id as integer) as id,
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

  it('are data where a view reads them', () => {
    expect(
      shown(
        statements("INSERT INTO dw.log (at, note) VALUES (now(), 'start');", {
          views: [
            view(
              'dw.last_run',
              { at: 'timestamp with time zone' },
              'SELECT max(at) AS at FROM dw.log',
            ),
          ],
        }),
      ),
    ).toMatchInlineSnapshot(`
      "dw.log (rebuild, append):
      with log_inserted (at, note) as (
      VALUES ({now()}, 'start')
      ), log_inserted_rows as (
      select
          at,
          cast(null as bigint) as rows,
          cast(note as text) as note
      from log_inserted
      )
      select
          at,
          rows,
          note
      from {former dw.log}

      union all

      select
          at,
          rows,
          note
      from log_inserted_rows"
    `);
  });

  it('are data where a person says so', () => {
    expect(
      shown(
        translated(
          procedure('dw.load', `BEGIN INSERT INTO dw.log (at) VALUES (now()); END`),
          {},
          { dataTables: ['dw.log'] },
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.log (rebuild, append):
      with log_inserted (at) as (
      VALUES ({now()})
      ), log_inserted_rows as (
      select
          at,
          cast(null as bigint) as rows,
          cast(null as text) as note
      from log_inserted
      )
      select
          at,
          rows,
          note
      from {former dw.log}

      union all

      select
          at,
          rows,
          note
      from log_inserted_rows"
    `);
  });

  it.each([
    ['removed', "DELETE FROM dw.log WHERE at < now() - interval '90 days';"],
    ['changed', 'UPDATE dw.log SET at = now();'],
  ])('are data where rows are only %s', (_title, text) => {
    const { outcome, logTables } = statements(text);
    expect({ outcome, logTables }).toEqual({ outcome: 'models', logTables: [] });
  });
});
