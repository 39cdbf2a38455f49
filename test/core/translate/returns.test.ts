import { describe, expect, it } from 'vitest';
import { parameter, procedure, shown, translated, withParser } from './catalog.ts';

withParser();

describe('returned rows', () => {
  it('give a view', () => {
    expect(
      shown(
        translated(
          procedure('dw.rows', `BEGIN RETURN QUERY SELECT s.id, s.code FROM stg.s; END`, {
            kind: 'function',
            returns: 'TABLE(id integer, code text)',
            returnsSet: true,
            parameters: [
              { name: 'id', type: 'integer', mode: 'table', defaultSql: null },
              { name: 'code', type: 'text', mode: 'table', defaultSql: null },
            ],
          }),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.rows (view):
      with rows (id, code) as (
      SELECT s.id, s.code FROM {current stg.s}
      )
      select
          id,
          code
      from rows"
    `);
  });

  it('of a function in SQL', () => {
    expect(
      shown(
        translated(
          procedure('dw.rows', `SELECT id, code FROM stg.s WHERE amount > p;`, {
            kind: 'function',
            language: 'sql',
            returns: 'SETOF record',
            returnsSet: true,
            parameters: [parameter('p', 'numeric')],
          }),
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.rows (view):
      with rows (id, code) as (
      SELECT id, code FROM {current stg.s} WHERE amount > {p}
      )
      select
          id,
          code
      from rows"
    `);
  });
});
