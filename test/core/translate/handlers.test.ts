import { describe, expect, it } from 'vitest';
import { shown, statements, withParser } from './catalog.ts';

withParser();

describe('exception handlers', () => {
  it('are left out where they only write a log or raise again', () => {
    expect(
      shown(
        statements(`BEGIN
    DELETE FROM dw.t WHERE id = 1;
  EXCEPTION WHEN others THEN
    INSERT INTO dw.log (at, note) VALUES (now(), SQLERRM);
    RAISE;
  END;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      select t.*
      from {former dw.t} as t
      where (id = 1) is not true"
    `);
  });

  it('are refused where they write data', () => {
    expect(
      shown(
        statements(`BEGIN
    DELETE FROM dw.t WHERE id = 1;
  EXCEPTION WHEN others THEN
    DELETE FROM dw.u;
  END;`),
      ),
    ).toMatchInlineSnapshot(`"exception-handler 5: EXCEPTION WHEN OTHERS"`);
  });

  const withStatus = (after: string) =>
    shown(
      statements(`DECLARE v text; state text := 'ok'; BEGIN
  BEGIN
    SELECT code INTO STRICT v FROM stg.s WHERE id = 77;
  EXCEPTION WHEN no_data_found THEN
    v := 'none';
    state := 'failed';
  END;
  ${after}
END;`),
    );

  it('are refused where a value that they set goes into data', () => {
    expect(withStatus('UPDATE dw.t SET code = v;')).toMatchInlineSnapshot(
      `"exception-handler 6: EXCEPTION WHEN NO_DATA_FOUND"`,
    );
  });

  it('are refused where such a value is all that a row holds', () => {
    expect(withStatus('INSERT INTO dw.t (code) VALUES (v);')).toBe(
      'exception-handler 6: EXCEPTION WHEN NO_DATA_FOUND',
    );
  });

  it('may set what only a log shows', () => {
    expect(withStatus('DELETE FROM dw.t; INSERT INTO dw.log (at, note) VALUES (now(), state);'))
      .toMatchInlineSnapshot(`
      "dw.t (table):
      select
          cast(null as integer) as id,
          cast(null as text) as code,
          cast(null as numeric(12,2)) as amount
      where false

      raise before (line 4): query returned no rows or more than one row
      with query as (
      SELECT code               FROM {current stg.s} WHERE id = 77
      )
      select 1 as failed
      where (select count(*) from query) <> 1"
    `);
  });
});
