/** Starting, starting again, and forgetting the run of a plan. */
import { z } from 'zod';
import { contractName, progressTarget } from '../../core/lifecycle/contract.ts';
import type { Operation } from '../../core/lifecycle/contract.ts';
import { MetadataError } from '../../ports/metadata.ts';
import type {
  IsStopped,
  ResetResult,
  RunDefinition,
  RunRecord,
  TableName,
} from '../../ports/metadata.ts';
import { moveLock } from '../../core/movement/names.ts';
import { presenceLock, progressLock, tryLockInTransaction } from './lock.ts';
import type { Query } from './lock.ts';
import { movedTables, writePipelines } from './metadata-pipelines.ts';
import { isoTime, jsonTexts, quoteIdentifier } from './metadata-sql.ts';

const OPERATIONS: readonly Operation[] = ['D', 'CE', 'C', 'P'];

/** Those that refer to others come first. */
const OWN_TABLES = [
  'decision',
  'log',
  'artifact',
  'dependency',
  'wait',
  'procedure',
  'run',
  'pipeline',
  'move_file',
  'move_table',
  'move_stream',
  'move_lag',
];

/** Writes the run and what it includes; its row stays locked until the transaction ends. */
export async function writeDefinition(
  session: Query,
  schema: string,
  definition: RunDefinition,
): Promise<void> {
  const { plan, procedures } = definition;
  const own = quoteIdentifier(schema);
  await session.query(
    `INSERT INTO ${own}.sprocket_run AS old (plan, plan_text, base_commit, started_at)
     VALUES ($1, $2, $3, $4::timestamp)
     ON CONFLICT (plan) DO UPDATE SET plan_text = excluded.plan_text, finished_at = NULL,
       base_commit = coalesce(old.base_commit, excluded.base_commit)`,
    [plan, definition.planText, definition.baseCommit, definition.at],
  );
  // Locked in the order in which every change locks them.
  await session.query(
    `SELECT FROM ${own}.sprocket_procedure WHERE plan = $1 ORDER BY position FOR UPDATE`,
    [plan],
  );
  await session.query(
    `UPDATE ${own}.sprocket_procedure SET included = false
     WHERE plan = $1 AND source NOT IN (SELECT json_array_elements_text($2::json))`,
    [plan, JSON.stringify(procedures.map(({ id }) => contractName(id)))],
  );
  await session.query(
    `INSERT INTO ${own}.sprocket_procedure
       (plan, source, procedure, included, position, route, status)
     SELECT $1, source, procedure, true, position, 'automatic', 'Pending'
     FROM json_to_recordset($2::json) AS n (source text, procedure text, position int)
     ON CONFLICT (plan, source) DO UPDATE SET included = true, position = excluded.position`,
    [
      plan,
      JSON.stringify(
        procedures.map(({ id }, position) => ({
          source: contractName(id),
          procedure: id,
          position,
        })),
      ),
    ],
  );
  await session.query(`DELETE FROM ${own}.sprocket_dependency WHERE plan = $1`, [plan]);
  await session.query(
    `INSERT INTO ${own}.sprocket_dependency (plan, source, needs)
     SELECT DISTINCT $1, n.source, n.needs
     FROM json_to_recordset($2::json) AS n (source text, needs text)
     JOIN ${own}.sprocket_procedure p ON p.plan = $1 AND p.source = n.needs`,
    [
      plan,
      JSON.stringify(
        procedures.flatMap(({ id, dependsOn }) =>
          dependsOn.map((needs) => ({ source: contractName(id), needs: contractName(needs) })),
        ),
      ),
    ],
  );
  await writePipelines(session, schema, definition);
}

const runSchema = z.tuple([z.string(), z.string().nullable(), z.string(), z.string().nullable()]);

export async function readRun(
  session: Query,
  schema: string,
  plan: string,
): Promise<RunRecord | null> {
  const { rows } = await session.query(
    `SELECT plan_text, base_commit, ${isoTime('started_at')}, ${isoTime('finished_at')}
     FROM ${quoteIdentifier(schema)}.sprocket_run WHERE plan = $1`,
    [plan],
  );
  if (rows[0] === undefined) return null;
  const [planText, baseCommit, startedAt, finishedAt] = runSchema.parse(rows[0]);
  return { plan, planText, baseCommit, startedAt, finishedAt };
}

export async function readCatalogText(
  session: Query,
  schema: string,
  plan: string,
): Promise<string | null> {
  const { rows } = await session.query(
    `SELECT catalog FROM ${quoteIdentifier(schema)}.sprocket_run WHERE plan = $1`,
    [plan],
  );
  return rows[0]?.[0] ?? null;
}

/** Sets one column of the run; `value` is cast to the column's type. */
export async function writeRun(
  session: Query,
  schema: string,
  plan: string,
  column: 'finished_at' | 'catalog',
  value: string | null,
): Promise<void> {
  const type = column === 'catalog' ? 'text' : 'timestamp';
  const { rowCount } = await session.query(
    `UPDATE ${quoteIdentifier(schema)}.sprocket_run SET ${column} = $2::${type} WHERE plan = $1`,
    [plan, value],
  );
  if (rowCount === 0) {
    throw new MetadataError(
      'unknown-run',
      `The plan "${plan}" has no run in schema "${schema}".`,
      'Start it with "sprocket run".',
    );
  }
}

/** Forgets the plan and empties the tables that it loads again, in the open transaction. */
export async function resetInTransaction(
  session: Query,
  schema: string,
  plan: string,
  isStopped: IsStopped,
): Promise<ResetResult> {
  const own = quoteIdentifier(schema);
  // Nobody may say RUN between the look and the end.
  await session.query(`LOCK TABLE ${own}.wirekite_action IN SHARE MODE`);
  const actions = await session.query(`SELECT action FROM ${own}.wirekite_action`);
  if (!isStopped(actions.rows.map(([action]) => action ?? null))) return { kind: 'not-stopped' };
  for (const lock of [presenceLock(schema, plan), moveLock(plan)]) {
    if (!(await tryLockInTransaction(session, lock))) return { kind: 'locked' };
  }
  const targets = JSON.stringify(OPERATIONS.map((operation) => progressTarget(plan, operation)));
  if (await isAnyLocked(session, schema, targets)) return { kind: 'locked' };
  const tables = await movedTables(session, schema, plan);
  if (tables.length > 0) await session.query(`TRUNCATE ${tables.map(quoteTable).join(', ')}`);
  await session.query(
    `DELETE FROM ${own}.wirekite_progress
     WHERE target = ANY (${jsonTexts('$1')})`,
    [targets],
  );
  for (const table of OWN_TABLES) {
    await session.query(`DELETE FROM ${own}.sprocket_${table} WHERE plan = $1`, [plan]);
  }
  return { kind: 'done', tables };
}

async function isAnyLocked(session: Query, schema: string, targets: string): Promise<boolean> {
  const { rows } = await session.query(
    `SELECT source, target FROM ${quoteIdentifier(schema)}.wirekite_progress
     WHERE finish_time IS NULL AND target = ANY (${jsonTexts('$1')})`,
    [targets],
  );
  for (const [source, target] of rows) {
    const name = progressLock(schema, source ?? '', target ?? '');
    if (!(await tryLockInTransaction(session, name))) return true;
  }
  return false;
}

function quoteTable(table: TableName): string {
  return `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`;
}
