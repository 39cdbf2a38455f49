import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';
import { catalog, foreignKey, key, model, table, translation } from './builders.ts';
import { fileOf, loadSales, orders, render, sales } from './warehouse.ts';

beforeAll(loadParser);

describe('contracts', () => {
  it('hold the DDL of the table, and data tests say it again', () => {
    const fact = table(
      'dw.fact',
      { sale: 'integer!', state: 'character varying(10)', n: 'numeric' },
      {
        keys: [key('unique', ['sale', 'state'])],
        foreignKeys: [foreignKey(['sale'], 'dw.sales', ['id'])],
        checks: [{ name: 'state_check', sql: "state = ANY (ARRAY['new'::text, 'paid'::text])" }],
      },
    );
    const project = render({
      catalog: catalog({ tables: [orders, sales, fact] }),
      translations: [
        loadSales,
        translation('dw.load_fact()', [model(fact, 'SELECT * FROM ‹current dw.sales› s')]),
      ],
    });
    expect(parse(fileOf(project, 'models/dw/fact.yml'))).toMatchObject({
      models: [
        {
          config: {
            contract: { enforced: true },
            meta: { sprocket: { procedure: 'dw.load_fact()', lines: '2-9' } },
          },
          constraints: [
            { type: 'unique', columns: ['sale', 'state'] },
            { type: 'check', name: 'state_check' },
            { type: 'foreign_key', to: "ref('sales')", to_columns: ['id'] },
          ],
          data_tests: [{ sprocket_unique_together: { arguments: { columns: ['sale', 'state'] } } }],
          columns: [
            {
              name: 'sale',
              data_type: 'integer',
              constraints: [{ type: 'not_null' }],
              data_tests: [
                'not_null',
                { relationships: { arguments: { to: "ref('sales')", field: 'id' } } },
              ],
            },
            {
              name: 'state',
              data_type: 'character varying(10)',
              data_tests: [{ accepted_values: { arguments: { values: ['new', 'paid'] } } }],
            },
            { name: 'n', data_type: 'pg_catalog.numeric' },
          ],
        },
      ],
    });
  });

  it('leave a foreign key out that would turn the order round', () => {
    const parent = table('dw.parent', { id: 'integer!' }, { keys: [key('primary', ['id'])] });
    const child = table(
      'dw.child',
      { id: 'integer' },
      { foreignKeys: [foreignKey(['id'], 'dw.parent', ['id'])] },
    );
    const project = render({
      catalog: catalog({ tables: [parent, child] }),
      translations: [
        translation('dw.load_child()', [model(child, 'SELECT 1 AS id')]),
        translation('dw.load_parent()', [model(parent, 'SELECT id FROM ‹current dw.child› c')]),
      ],
    });
    expect(fileOf(project, 'models/dw/child.yml')).not.toContain('foreign_key');
    expect(fileOf(project, 'models/dw/child.yml')).toContain("ref('parent')");
  });

  it('warn of rows that leave a table before those that refer to them', () => {
    const child = table(
      'dw.child',
      { id: 'integer' },
      { foreignKeys: [foreignKey(['id'], 'dw.sales', ['id'])] },
    );
    const project = render({
      catalog: catalog({ tables: [orders, sales, child] }),
      translations: [
        translation('dw.load()', [
          model(sales, 'SELECT * FROM ‹current stg.orders› o'),
          model(child, 'SELECT id FROM ‹final dw.sales› s'),
        ]),
      ],
    });
    expect(project.problems.map(({ code, subject }) => [code, subject])).toEqual([
      ['referenced-before', 'dw.sales'],
    ]);
  });
});
