/** Writes inside a loop, each as one write over all rows of the loop. */
import type { BoundQuery, BoundWrite } from '../bound.ts';
import { rowsFrom } from './loop-rows.ts';
import type { Evaluation } from '../evaluate.ts';
import { sql } from '../fragment.ts';
import type { LoopRows, State } from '../state.ts';

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
  if (bound.kind === 'insert')
    return { ...bound, query: bound.query ? lateral(bound.query, loop) : bound.query };
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
