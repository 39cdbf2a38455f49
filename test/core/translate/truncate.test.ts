import { describe, expect, it } from 'vitest';
import { foreignKey, shown, statements, table, withParser } from './catalog.ts';

withParser();

describe('TRUNCATE', () => {
  it('leaves nothing', () => {
    expect(shown(statements(`TRUNCATE dw.t;`))).toMatchInlineSnapshot(`
      "dw.t (table):
      select
          cast(null as integer) as id,
          cast(null as text) as code,
          cast(null as numeric(12,2)) as amount
      where false"
    `);
  });

  it('makes the model independent of the former rows', () => {
    expect(
      shown(
        statements(`TRUNCATE TABLE dw.t;
  INSERT INTO dw.t SELECT id, code, amount FROM stg.s;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (table):
      SELECT id, code, amount FROM {current stg.s}"
    `);
  });

  it('empties several tables', () => {
    expect(
      shown(
        statements(`TRUNCATE dw.t, dw.u;
  INSERT INTO dw.u SELECT id, code, amount FROM dw.t;`),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (table):
      select
          cast(null as integer) as id,
          cast(null as text) as code,
          cast(null as numeric(12,2)) as amount
      where false

      dw.u (table):
      SELECT id, code, amount FROM {final dw.t}"
    `);
  });

  it('empties referring tables with CASCADE', () => {
    expect(
      shown(
        statements('TRUNCATE dw.t CASCADE;', {
          extra: [
            table(
              'dw.child',
              { t: 'integer' },
              { foreignKeys: [foreignKey(['t'], 'dw.t', ['id'])] },
            ),
          ],
        }),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (table):
      select
          cast(null as integer) as id,
          cast(null as text) as code,
          cast(null as numeric(12,2)) as amount
      where false

      dw.child (table):
      select
          cast(null as integer) as t
      where false"
    `);
  });
});
