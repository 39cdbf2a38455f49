import { describe, expect, it } from 'vitest';
import { shown, statements, table, withParser } from './catalog.ts';

withParser();

describe('INSERT', () => {
  it('puts the rows of the query beside those that were there', () => {
    expect(
      shown(
        statements(
          `INSERT INTO dw.t (id, code, amount) SELECT id, code, amount FROM stg.s WHERE amount > 0;`,
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with t_inserted as (
      SELECT id, code, amount FROM {current stg.s} WHERE amount > 0
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

  it('gives left-out columns their default, and casts to the column', () => {
    expect(
      shown(statements(`INSERT INTO dw.numbered (no, code) SELECT id, upper(code) FROM stg.s;`)),
    ).toMatchInlineSnapshot(`
      "dw.numbered (rebuild, append):
      with numbered_inserted (no, code) as (
      SELECT id, upper(code) FROM {current stg.s}
      ), numbered_inserted_rows as (
      select
          no,
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

  it('takes columns in the order of the statement', () => {
    expect(shown(statements(`INSERT INTO dw.t (amount, id) SELECT amount, id FROM stg.s;`)))
      .toMatchInlineSnapshot(`
        "dw.t (rebuild, append):
        with t_inserted as (
        SELECT amount, id FROM {current stg.s}
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

  it('reads the table that it writes as it was before', () => {
    expect(shown(statements(`INSERT INTO dw.t SELECT id + 1000, code, amount FROM dw.t;`)))
      .toMatchInlineSnapshot(`
        "dw.t (rebuild, append):
        with t_inserted (id, code, amount) as (
        SELECT id + 1000, code, amount FROM {former dw.t} as t
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

  it('reads in a later statement what an earlier one wrote', () => {
    expect(
      shown(
        statements(`INSERT INTO dw.t SELECT id, code, amount FROM stg.s;
  INSERT INTO dw.u SELECT id, code, amount FROM dw.t;`),
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
      from t_inserted

      dw.u (rebuild, append):
      with u_inserted as (
      SELECT id, code, amount FROM {final dw.t}
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
      from u_inserted"
    `);
  });

  it('takes VALUES with DEFAULT', () => {
    expect(
      shown(
        statements(
          `INSERT INTO dw.numbered (no, code, state) VALUES (1, 'a', DEFAULT), (2, 'b', 'old');`,
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.numbered (rebuild, append):
      with numbered_inserted (no, code, state) as (
      VALUES (1, 'a', 'new'::text), (2, 'b', 'old')
      ), numbered_inserted_rows as (
      select
          cast(no as integer) as no,
          cast(code as text) as code,
          cast(state as text) as state
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

  it('takes DEFAULT VALUES', () => {
    expect(shown(statements(`INSERT INTO dw.numbered DEFAULT VALUES;`))).toMatchInlineSnapshot(`
      "dw.numbered (rebuild, append):
      with numbered_inserted as (
      select
          cast((select greatest(max(no), 0) from {former dw.numbered}) + 1 as integer) as no,
          cast(null as text) as code,
          cast('new'::text as text) as state
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
      from numbered_inserted"
    `);
  });

  it('refuses columns that do not fit', () => {
    expect(
      shown(
        statements(`INSERT INTO dw.t (id, nothing) SELECT id, code FROM stg.s;
  INSERT INTO dw.u (id) SELECT id, code FROM stg.s;`),
      ),
    ).toMatchInlineSnapshot(`
      "missing-column 2: INSERT INTO dw.t (id, nothing) SELECT id, code FROM stg.s
      missing-column 3: INSERT INTO dw.u (id) SELECT id, code FROM stg.s"
    `);
  });

  it('takes the DEFAULT of a domain', () => {
    const domain = {
      name: { schema: 'dw', name: 'code' },
      kind: 'domain',
      labels: [],
      baseType: 'text',
      defaultSql: "'none'::text",
      fields: [],
    } as const;
    const coded = table('dw.coded', { id: 'integer', code: 'dw.code' });
    const text = shown(
      statements('INSERT INTO dw.coded (id) SELECT id FROM stg.s;', {
        extra: [coded],
        types: [domain],
      }),
    );
    expect(text).toContain("cast('none'::text as dw.code) as code");
  });
});
