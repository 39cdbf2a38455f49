/** Writes inside a loop, each as one write over all rows of the loop. */
import type { BoundInsert, BoundQuery, BoundWrite } from '../bound.ts';
import { rowsFrom } from './loop-rows.ts';
import type { Evaluation } from '../evaluate.ts';
import { sql } from '../fragment.ts';
import type { LoopRows, State } from '../state.ts';
import type { TableShape } from '../table.ts';

/** A write of the loop's body as one write over all rows. */
export function overLoop(evaluation: Evaluation, state: State, bound: BoundWrite): BoundWrite {
  const { loop } = state;
  if (!loop) return bound;
  const shape = evaluation.environment(state).shapeOf(bound.table.name)?.shape;
  evaluation.loops.at(-1)?.write(bound, shape?.columns?.map((column) => column.name) ?? []);
  if (bound.kind === 'merge')
    throw evaluation.refusal(
      'loop',
      bound.place.line,
      bound.place.construct,
      'A MERGE inside a loop is not turned into one statement.',
    );
  if (bound.returning)
    throw evaluation.refusal(
      'loop',
      bound.place.line,
      bound.place.construct,
      'RETURNING inside a loop gives one value an iteration.',
    );
  if (bound.kind === 'insert') {
    if (!bound.query) return bound;
    const query = lateral(bound.query, loop);
    if (bound.conflict?.action.kind === 'update') requireOneEach(evaluation, bound, query, shape);
    return { ...bound, query };
  }
  if (bound.kind === 'update') {
    if (!bound.singleMatch) {
      throw evaluation.refusal(
        'loop-order',
        bound.place.line,
        bound.place.construct,
        'Several iterations may update the same row; the last one wins, or they add up.',
      );
    }
    return { ...bound, from: bound.from ? sql`${rowsFrom(loop)}, ${bound.from}` : rowsFrom(loop) };
  }
  return { ...bound, using: bound.using ? sql`${rowsFrom(loop)}, ${bound.using}` : rowsFrom(loop) };
}

/**
 * One statement may not propose two rows with one key; iterations may, and each sees the row that
 * the one before has left.
 */
function requireOneEach(
  evaluation: Evaluation,
  bound: BoundInsert,
  query: BoundQuery,
  shape: TableShape | undefined,
): void {
  const { conflict } = bound;
  const key = conflict?.target?.partial
    ? undefined
    : (conflict?.target?.columns ??
      shape?.keys.find(({ name }) => name === conflict?.constraint)?.columns);
  const given = bound.columns ?? shape?.columns?.map(({ name }) => name) ?? [];
  const targets = new Map(query.columns?.map(({ name }, index) => [name, given[index]]));
  const unique = query.keys.some((columns) =>
    columns.every((column) => key?.includes(targets.get(column) ?? '')),
  );
  if (unique) return;
  throw evaluation.refusal(
    'loop-order',
    bound.place.line,
    bound.place.construct,
    'Several iterations may write the same row; the last one wins, or they add up.',
  );
}

/** A query of the body, for every row of the loop. */
function lateral(query: BoundQuery, loop: LoopRows): BoundQuery {
  const one = query.keys.some((key) => key.length === 0);
  const names = query.columns?.map((column) => column.name) ?? [];
  const keys = one ? loop.rows.keys.flatMap((key) => keyInOutputs(key, query, names)) : [];
  return {
    ...query,
    keys,
    reads: [...query.reads, loop.rows],
    sql: sql`select body_row.*\nfrom ${rowsFrom(loop)}\ncross join lateral (\n    ${query.sql}\n) as body_row`,
  };
}

function keyInOutputs(
  key: readonly string[],
  query: BoundQuery,
  names: readonly string[],
): (readonly string[])[] {
  const outputs = key.map((column) => names[query.loopColumns.indexOf(column)]);
  const known = outputs.filter((output) => output !== undefined);
  return known.length === key.length ? [known] : [];
}
