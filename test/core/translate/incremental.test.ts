import { describe, expect, it } from 'vitest';
import type { warehouse } from './catalog.ts';
import { queryText, statements, T, table, withParser } from './catalog.ts';

withParser();

/** The incremental form of the only model: strategy, key and query. */
function form(text: string, more: Parameters<typeof warehouse>[0] = {}): string {
  const incremental = statements(text, more).models[0]?.incremental;
  if (!incremental) return 'none';
  return `${[incremental.strategy, ...incremental.uniqueKey].join(' ')}: ${queryText(incremental.query)}`;
}

describe('incremental forms', () => {
  it('append new rows', () => {
    expect(form('INSERT INTO dw.t SELECT id, code, amount FROM stg.s;')).toBe(
      'append: SELECT id, code, amount FROM {current stg.s}',
    );
  });

  it('merge changed rows by key', () => {
    expect(form("UPDATE dw.t SET code = 'x' WHERE id = 1;")).toBe(
      "merge id: select\n    t.id,\n    cast('x' as text) as code,\n    t.amount\nfrom {former dw.t} as t\nwhere id = 1",
    );
  });

  it.each([
    ['rows are deleted', 'DELETE FROM dw.t WHERE id = 1;'],
    ['the key changes', 'UPDATE dw.t SET id = id + 1 WHERE id > 3;'],
    ['every row changes', 'UPDATE dw.t SET amount = 0;'],
    [
      'the former rows are not read',
      'TRUNCATE dw.t; INSERT INTO dw.t SELECT id, code, amount FROM stg.s;',
    ],
    [
      'rows are added after a deletion',
      'DELETE FROM dw.t WHERE id = 1; INSERT INTO dw.t SELECT id, code, amount FROM stg.s;',
    ],
  ])('are not given where %s', (_title, text) => {
    expect(form(text)).toBe('none');
  });

  it('are not given by key where the table has none', () => {
    const keyless = table('dw.k', { id: 'integer', code: 'text' });
    expect(form("UPDATE dw.k SET code = 'x' WHERE id = 1;", { extra: [keyless] })).toBe('none');
  });

  it('are not given where a column is generated', () => {
    const [id, code] = T.columns;
    if (!id || !code) throw new Error('The table has lost its columns.');
    const generated = {
      ...T,
      name: { schema: 'dw', name: 'g' },
      columns: [id, { ...code, generatedSql: "'x'::text" }],
    };
    expect(form('INSERT INTO dw.g (id) SELECT id FROM stg.s;', { extra: [generated] })).toBe(
      'none',
    );
  });
});
