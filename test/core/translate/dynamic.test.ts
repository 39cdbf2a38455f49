import { describe, expect, it } from 'vitest';
import { procedure, shown, statements, translated, withParser } from './catalog.ts';

withParser();

describe('EXECUTE', () => {
  it('is the statement that its constant text says', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE t text := 'dw.t';
BEGIN
  EXECUTE format('DELETE FROM %s WHERE id = $1', t) USING 5;
  EXECUTE 'UPDATE dw.u SET code = ' || quote_literal('it''s');
END`,
          ),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild):
      select t.*
      from {former dw.t} as t
      where (id = 5) is not true

      dw.u (rebuild):
      select
          u.id,
          cast('it''s' as text) as code,
          u.amount
      from {former dw.u} as u"
    `);
  });

  it('counts its rows, but does not say whether it found any', () => {
    const after = (use: string) =>
      shown(
        statements(`DECLARE n integer; BEGIN
  UPDATE dw.u SET code = 'x' WHERE id = 1;
  EXECUTE 'DELETE FROM dw.u WHERE id = 2';
  ${use}
END;`),
      );
    expect(after('IF FOUND THEN DELETE FROM dw.t; END IF;')).toBe('unprovable-count 5: FOUND');
    expect(after('GET DIAGNOSTICS n = ROW_COUNT; UPDATE dw.t SET id = n;')).toContain(
      'select count(*) as value',
    );
  });

  it('takes several statements in one text', () => {
    expect(
      shown(
        statements(
          `EXECUTE 'DELETE FROM dw.t; INSERT INTO dw.t SELECT id, code, amount FROM stg.s';`,
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (table):
      SELECT id, code, amount FROM {current stg.s}"
    `);
  });
});
