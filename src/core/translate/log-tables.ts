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
import { FORGIVEN } from './log-flow.ts';
import { renderFragment, renderVersion } from './render.ts';
import type { RenderSettings } from './render.ts';
import type { TableState } from './state.ts';

export function findLogTables(
  evaluated: readonly Evaluated[],
  index: CatalogIndex,
  facts: FactsReader,
  dataTables: ReadonlySet<string>,
): ReadonlySet<string> {
  const logs = candidates(evaluated);
  for (const key of dataTables) logs.delete(key);
  for (const view of index.catalog.views)
    for (const key of facts.viewReads(view.name)) logs.delete(key);
  for (const table of index.catalog.tables) {
    for (const key of table.foreignKeys) {
      // A table that other tables refer to is part of the data, unless they are logs as well.
      if (!logs.has(qualified(table.name))) logs.delete(qualified(key.references));
    }
  }
  // What is read for a table that lasts is no log; that table may have been thought one itself.
  for (let size = -1; size !== logs.size;) {
    size = logs.size;
    for (const key of readForData(evaluated, logs)) logs.delete(key);
  }
  return logs;
}

function candidates(evaluated: readonly Evaluated[]): Set<string> {
  const found = new Set<string>();
  const added = new Set<string>();
  const data = new Set<string>();
  const takesData = new Set<string>();
  const certain = new Set<string>();
  for (const { evaluation, state } of evaluated) {
    for (const [key, table] of changedTables(state)) {
      (isLogWrite(table) ? found : data).add(key);
      if (table.addsRows) added.add(key);
      if (table.takesData) takesData.add(key);
      if (table.looksLikeLog) certain.add(key);
    }
    for (const key of evaluation.session.logWrites) {
      found.add(key);
      added.add(key);
      certain.add(key);
    }
  }
  for (const key of data) found.delete(key);
  // Figures that were computed from tables are data, unless the table shows that it is a log.
  for (const key of takesData) if (!certain.has(key)) found.delete(key);
  // Rows that are only changed or removed came from somewhere else: they are data.
  return found.intersection(added);
}

/** Tables that flow into tables that are no logs, into checks, or into returned rows. */
function readForData(
  evaluated: readonly Evaluated[],
  logs: ReadonlySet<string>,
): ReadonlySet<string> {
  const read = new Set<string>();
  for (const { evaluation, state } of evaluated) {
    const { session } = evaluation;
    const finals = [...changedTables(state)].flatMap(([key, table]) =>
      table.version && !logs.has(key) ? [table.version] : [],
    );
    const rendered = [
      ...[...finals, ...session.returned].map((version) => renderVersion(version, PLAIN)),
      ...session.raises.map((raise) => renderFragment(raise.condition, PLAIN)),
    ];
    for (const { relations } of rendered)
      for (const { table } of relations) read.add(qualified(table));
    for (const key of session.readByFunctions.keys()) read.add(key);
  }
  return read;
}

/** Renders a version as it is, without regard to models. */
const PLAIN: RenderSettings = { finals: new Map(), changed: new Set(), taken: new Set() };

export function isLogWrite(table: TableState): boolean {
  if (!table.onlyDataFree || table.version === null) return false;
  if (table.refusal && !FORGIVEN.has(table.refusal.code)) return false;
  const rendered = renderVersion(table.version, PLAIN);
  // A number from a sequence may be the key of anything; all else here is known to a run only.
  return rendered.noise || rendered.refusals.some(({ code }) => code !== 'sequence');
}
