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
});
