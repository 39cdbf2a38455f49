/** What a move makes sure of before it reads a row: the place in the log, and tables that it can fill. */
import { qualified } from '../core/catalog/names.ts';
import { MoveError } from '../core/movement/errors.ts';
import type { MovedTable, Pipeline } from '../core/movement/model.ts';
import { mapTable } from '../core/movement/types/map.ts';
import { waitingOf } from './move_context.ts';
import type { MoveContext } from './move_context.ts';
import type { LoadTable } from './move_load_file.ts';
import { assertKey } from './move_marks.ts';
import type { StoredTable } from './move_stored.ts';

/** The place in the log, and every table of the plan in the target, as far as they are not there. */
export async function prepareTables(
  context: MoveContext,
  follow: boolean,
): Promise<readonly LoadTable[]> {
  const { control, plan, source, store, target } = context;
  const stored = new Map(
    (await store.tables(target.statements)).map((table) => [table.number, table]),
  );
  const described: MovedTable[] = [];
  for (const [number, pipeline] of plan.pipelines.entries()) {
    const table = await source.describe(pipeline.source, !stored.has(number), control.stopping);
    if (table === null) {
      const name = qualified(pipeline.source);
      throw new MoveError(
        'table-missing',
        `The source has no table ${name}, or this user may not see it. A view is none: move what it reads. Correct the plan, ` +
          `or grant SELECT.`,
        name,
      );
    }
    described.push(table);
  }
  const stream = await store.stream(target.statements);
  const isNew = plan.pipelines.some(({ follow: each }, number) => each && !stored.has(number));
  if (follow && (stream === null || isNew)) {
    // The place in the log is taken before anything is read, so that nothing falls between.
    const names = plan.pipelines
      .filter((pipeline) => pipeline.follow)
      .map((pipeline) => pipeline.source);
    const position = await source.prepareChanges(plan.name, names, waitingOf(context));
    if (stream === null) await beginStream(context, position);
  }
  const out: LoadTable[] = [];
  for (const [number, pipeline] of plan.pipelines.entries()) {
    const table = described[number];
    if (table === undefined) continue;
    const known = stored.get(number) ?? (await newTable(context, number, pipeline, table));
    out.push({ source: table, stored: known });
  }
  return out;
}

async function beginStream(
  { plan, source, store, target }: MoveContext,
  position: string,
): Promise<void> {
  const transaction = await target.begin();
  try {
    await store.addStream(transaction, position);
    await store.beginRow(transaction, source.logName(plan.name, position), 'CE', null, position);
    await transaction.commit();
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
}

async function newTable(
  { events, plan, source, store, target }: MoveContext,
  number: number,
  pipeline: Pipeline,
  described: MovedTable,
): Promise<StoredTable> {
  assertKey(pipeline, described);
  const same = source.dialect === target.dialect;
  const types = same
    ? await target.hasTypes(described.columns.map((column) => column.type))
    : new Set<string>();
  const mapping = mapTable(described, pipeline, {
    source: source.dialect,
    target: target.dialect,
    zeroDates: plan.zeroDates,
    exactCollation: target.capabilities.exactCollation,
    targetHasType: (type) => types.has(type),
  });
  if (mapping.key.length === 0) {
    events.log(`${qualified(described.name)} has no key: it is loaded whole, in one file`);
  }
  await target.createTable(mapping, described);
  if (!(await target.isEmpty(mapping.target))) {
    throw new MoveError(
      'target-not-empty',
      `${qualified(mapping.target)} holds rows that no run of this plan loaded. Empty it, or name another target.`,
      qualified(mapping.target),
    );
  }
  await store.addTable(target.statements, number, mapping, described.estimatedRows);
  return {
    number,
    mapping,
    phase: 'created',
    files: 0,
    covered: null,
    complete: false,
    loadedAt: null,
  };
}
