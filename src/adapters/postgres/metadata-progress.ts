/** Rows of `wirekite_progress`, whatever the operation. */
import { contractName } from '../../core/lifecycle/contract.ts';
import type { Operation } from '../../core/lifecycle/contract.ts';
import type { Query } from './lock.ts';
import { quoteIdentifier } from './metadata-sql.ts';

export interface ProgressRecord {
  readonly source: string;
  readonly target: string;
  readonly operation: Operation;
  readonly mark: string | null;
  readonly table: string | null;
  /** ISO 8601 in UTC, as are all times here. */
  readonly startTime: string;
  readonly finishTime: string | null;
  readonly restarts: number;
}

/** Inserts rows, or replaces those of the same source and target. */
export async function writeProgress(
  session: Query,
  schema: string,
  records: readonly ProgressRecord[],
): Promise<void> {
  if (records.length === 0) return;
  // A cast to TIMESTAMP drops the Z, and so keeps UTC whatever the session's time zone is.
  await session.query(
    `INSERT INTO ${quoteIdentifier(schema)}.wirekite_progress AS old
       (source, target, operation, mark, table_name, start_time, finish_time, restarts)
     SELECT source, target, operation, mark, table_name, start_time, finish_time, restarts
     FROM json_to_recordset($1::json) AS new (source text, target text, operation text, mark text,
       table_name text, start_time timestamp, finish_time timestamp, restarts int)
     ON CONFLICT (source, target) DO UPDATE SET mark = excluded.mark,
       table_name = excluded.table_name, start_time = excluded.start_time,
       finish_time = excluded.finish_time, restarts = excluded.restarts`,
    [
      JSON.stringify(
        records.map((record) => ({
          source: contractName(record.source),
          target: record.target,
          operation: record.operation,
          mark: record.mark,
          table_name: record.table === null ? null : contractName(record.table),
          start_time: record.startTime,
          finish_time: record.finishTime,
          restarts: record.restarts,
        })),
      ),
    ],
  );
}
