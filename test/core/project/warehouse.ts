/** A small warehouse, and its project. */
import { renderProject } from '../../../src/core/project/render.ts';
import type { ProjectInput, RenderedProject } from '../../../src/core/project/types.ts';
import { catalog, key, model, OPTIONS, table, translation } from './builders.ts';

export const orders = table('stg.orders', { id: 'integer', amount: 'numeric(10,2)' });
export const sales = table(
  'dw.sales',
  { id: 'integer!', amount: 'numeric(10,2)' },
  { keys: [key('primary', ['id'])], comment: 'Sales, one row each' },
);
export const totals = table('dw.totals', { total: 'numeric' });

export function render(input: Partial<ProjectInput>): RenderedProject {
  return renderProject({ catalog: CATALOG, translations: [], options: OPTIONS, ...input });
}

export function fileOf(project: RenderedProject, path: string): string {
  const file = project.files.find((candidate) => candidate.path === path);
  if (file === undefined) {
    throw new Error(`no ${path} among ${project.files.map((each) => each.path).join(', ')}`);
  }
  return file.text;
}

const CATALOG = catalog({ tables: [orders, sales, totals] });
export const loadSales = translation('dw.load_sales()', [
  model(sales, 'SELECT id, amount FROM ‹current stg.orders›'),
]);
export const sumUp = translation('dw.sum_up()', [
  model(totals, 'SELECT sum(amount) AS total FROM ‹current dw.sales› s'),
]);
