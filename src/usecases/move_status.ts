/** How far a move is: rows by table, and how far the target is behind the source. */
import { qualified, sameName } from '../core/catalog/names.ts';
import type { SourceLag } from '../ports/move.ts';
import type { MoveContext } from './move_context.ts';

interface TableStatus {
  readonly table: string;
  readonly target: string;
  readonly state: 'Loading' | 'Loaded' | 'Following' | 'Cut over';
  readonly rows: number;
  /** Of the source, when the load began; 0 where it was never analysed. */
  readonly estimatedRows: number;
  /** Zero dates that became NULL. */
  readonly nulled: number;
}

interface StreamStatus extends SourceLag {
  readonly applied: string;
  readonly changes: number;
  /** Between the last applied transaction's commit at the source and now, while there is something to apply. */
  readonly seconds: number;
}

export interface MoveStatus {
  readonly tables: readonly TableStatus[];
  readonly stream: StreamStatus | null;
}

export async function moveStatus(
  context: Pick<MoveContext, 'plan' | 'source' | 'store' | 'target' | 'clock'>,
): Promise<MoveStatus> {
  const { clock, plan, source, store, target } = context;
  const stream = await store.stream(target.statements);
  const tables = (await store.tableRows(target.statements)).map(
    ({ table, rows, estimate, nulled }): TableStatus => {
      const { source: from } = table.mapping;
      const follows = plan.pipelines.some(
        ({ source: own, follow }) => follow && sameName(own, from),
      );
      const state =
        table.phase === 'created'
          ? 'Loading'
          : !follows
            ? 'Loaded'
            : stream?.cutover === 'done'
              ? 'Cut over'
              : 'Following';
      const { mapping } = table;
      return {
        table: qualified(mapping.source),
        target: qualified(mapping.target),
        state,
        rows,
        estimatedRows: estimate,
        nulled,
      };
    },
  );
  if (stream === null || stream.cutover === 'done') return { tables, stream: null };
  const lag = await source.lag(plan.name, stream.applied);
  const age = stream.sourceMs === null ? 0 : Math.max(0, Date.parse(clock.now()) - stream.sourceMs);
  return {
    tables,
    stream: {
      ...lag,
      applied: stream.applied,
      changes: stream.changes,
      seconds: lag.bytes === 0 ? 0 : Math.round(age / 1000),
    },
  };
}
