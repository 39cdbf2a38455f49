import { describe, expect, it } from 'vitest';
import { shown, statements, withParser } from './catalog.ts';

withParser();

describe('sequences', () => {
  it('nextval continues a surrogate key', () => {
    expect(
      shown(
        statements(
          `INSERT INTO dw.numbered (no, code) SELECT nextval('dw.numbered_no_seq'), code FROM stg.s;`,
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.numbered (rebuild, append):
      with numbered_inserted (no, code) as (
      SELECT row_number() over (), code FROM {current stg.s}
      ), numbered_inserted_rows as (
      select
          cast((select greatest(max(no), 0) from {former dw.numbered}) + no as integer) as no,
          code,
          cast('new'::text as text) as state
      from numbered_inserted
      )
      select
          no,
          code,
          state
      from {former dw.numbered}

      union all

      select
          no,
          code,
          state
      from numbered_inserted_rows"
    `);
  });

  it('a left-out serial column gets the next numbers', () => {
    expect(shown(statements(`INSERT INTO dw.numbered (code) SELECT code FROM stg.s ORDER BY id;`)))
      .toMatchInlineSnapshot(`
        "dw.numbered (rebuild, append):
        with numbered_inserted as (
        SELECT code FROM {current stg.s} ORDER BY id
        ), numbered_inserted_rows as (
        select
            cast((select greatest(max(no), 0) from {former dw.numbered}) + row_number() over () as integer) as no,
            code,
            cast('new'::text as text) as state
        from numbered_inserted
        )
        select
            no,
            code,
            state
        from {former dw.numbered}

        union all

        select
            no,
            code,
            state
        from numbered_inserted_rows"
      `);
  });

  it('RESTART IDENTITY begins again', () => {
    expect(
      shown(
        statements(`TRUNCATE dw.numbered RESTART IDENTITY;
  INSERT INTO dw.numbered (code) SELECT code FROM stg.s;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.numbered (table):
      with numbered_inserted as (
      SELECT code FROM {current stg.s}
      )
      select
          cast(0 + row_number() over () as integer) as no,
          code,
          cast('new'::text as text) as state
      from numbered_inserted"
    `);
  });

  it('CONTINUE IDENTITY goes on', () => {
    expect(
      shown(
        statements(`TRUNCATE dw.numbered;
  INSERT INTO dw.numbered (code) SELECT code FROM stg.s;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.numbered (rebuild):
      with numbered_inserted as (
      SELECT code FROM {current stg.s}
      )
      select
          cast((select greatest(max(no), 0) from {former dw.numbered}) + row_number() over () as integer) as no,
          code,
          cast('new'::text as text) as state
      from numbered_inserted"
    `);
  });
});
