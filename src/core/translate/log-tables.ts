/**
 * Tables that only get row counts, times and messages, and that nobody reads: logs.
 *
 * Nothing that lasts depends on them, so they are left out, and the summary names them. A table is
 * a log only by what is written to it in all routines, never by its name.
 */
import { qualified } from '../catalog/names.ts';
import type { CatalogIndex } from './catalog-index.ts';
import type { Evaluated } from './finish.ts';
import { changedTables } from './finish.ts';
import type { FactsReader } from './postgres/facts.ts';
import { renderVersion } from './render.ts';
import type { TableState } from './state.ts';

export function findLogTables(
  evaluated: readonly Evaluated[],
  index: CatalogIndex,
  facts: FactsReader,
  dataTables: ReadonlySet<string>,
): ReadonlySet<string> {
  const candidates = new Set<string>();
  const excluded = new Set<string>(dataTables);
  for (const { evaluation, state } of evaluated) {
    for (const [key, table] of changedTables(state)) {
      if (isLogWrite(table)) candidates.add(key);
      else excluded.add(key);
    }
    for (const key of evaluation.session.logWrites) candidates.add(key);
    for (const key of evaluation.session.read.keys()) excluded.add(key);
  }
  for (const view of index.catalog.views)
    for (const key of facts.viewReads(view.name)) excluded.add(key);
  for (const table of index.catalog.tables) {
    for (const key of table.foreignKeys) {
      // A table that other tables refer to is part of the data, unless they are logs as well.
      const referring = qualified(table.name);
      if (!candidates.has(referring)) excluded.add(qualified(key.references));
    }
  }
  return new Set([...candidates].filter((key) => !excluded.has(key)));
}

function isLogWrite(table: TableState): boolean {
  if (!table.onlyDataFree || table.version === null) return false;
  if (table.refusal)
    return table.refusal.code === 'unprovable-count' || table.refusal.code === 'sequence';
  const settings = {
    own: null,
    finals: new Map(),
    changed: new Set<string>(),
    taken: new Set<string>(),
  };
  const rendered = renderVersion(table.version, settings);
  return rendered.noise || rendered.refusals.length > 0;
}
