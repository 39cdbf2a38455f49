/** Pipelines of a run as rows. Workers that move tables write most of them (`pipeline_store.ts`). */
import { contractName } from '../../core/lifecycle/contract.ts';
import { metadataStatements } from '../../core/movement/metadata.ts';
import { moveLock } from '../../core/movement/names.ts';
import {
  pipelineParameters,
  pipelineRecord,
  pipelineSql,
} from '../../core/movement/pipeline-record.ts';
import type { PipelineRecord } from '../../core/movement/pipeline-record.ts';
import type { RunDefinition, TableName } from '../../ports/metadata.ts';
import { holders, lockInTransaction } from './lock.ts';
import type { Query } from './lock.ts';
import { jsonTexts, quoteIdentifier } from './metadata-sql.ts';
import { ident } from './sql.ts';

/** Held while the tables of pipelines are made: by "sprocket move" too. */
export const MOVE_METADATA_LOCK = 'sprocket metadata';

const DIALECT = { ident, text: 'TEXT', options: '' };

/** Creates the tables of pipelines, in the open transaction. */
export async function createMoveTables(session: Query, schema: string): Promise<void> {
  await lockInTransaction(session, MOVE_METADATA_LOCK);
  const { rows } = await session.query('SELECT to_regclass($1)', [
    `${quoteIdentifier(schema)}.sprocket_pipeline`,
  ]);
  // IF NOT EXISTS asks for the right to create even where there is nothing to create.
  if (rows[0]?.[0] !== null) return;
  const [, ...statements] = moveStatements(schema);
  for (const statement of statements) await session.query(statement);
}

/** The first one creates the schema. */
export function moveStatements(schema: string): readonly string[] {
  return metadataStatements(schema, DIALECT);
}

export async function readPipelines(
  session: Query,
  schema: string,
  plan: string,
): Promise<readonly PipelineRecord[]> {
  let parameter = 0;
  const sql = pipelineSql(quoteIdentifier(schema)).replaceAll('?', () => `$${(parameter += 1)}`);
  const { rows } = await session.query(sql, [...pipelineParameters(plan)]);
  return rows.map(pipelineRecord);
}

/** Writes which pipelines the plan includes, and who waits for them. What failed is tried again. */
export async function writePipelines(
  session: Query,
  schema: string,
  { plan, pipelines, procedures }: RunDefinition,
): Promise<void> {
  const own = quoteIdentifier(schema);
  await session.query(
    `DELETE FROM ${own}.sprocket_pipeline
     WHERE plan = $1 AND NOT pipeline = ANY (${jsonTexts('$2')})`,
    [plan, JSON.stringify(pipelines.map(({ id }) => id))],
  );
  await session.query(
    `INSERT INTO ${own}.sprocket_pipeline (plan, pipeline, target_table, follows, position, moving)
     SELECT $1, id, target, follows, position, 0
     FROM json_to_recordset($2::json) AS n (id text, target text, follows int, position int)
     ON CONFLICT (plan, pipeline) DO UPDATE SET failure = NULL, held_by = NULL,
       target_table = excluded.target_table, follows = excluded.follows,
       position = excluded.position`,
    [
      plan,
      JSON.stringify(
        pipelines.map(({ id, target, follows }, position) => ({
          id,
          target,
          follows: follows ? 1 : 0,
          position,
        })),
      ),
    ],
  );
  await session.query(`DELETE FROM ${own}.sprocket_wait WHERE plan = $1`, [plan]);
  await session.query(
    `INSERT INTO ${own}.sprocket_wait (plan, source, pipeline)
     SELECT $1, source, pipeline
     FROM json_to_recordset($2::json) AS n (source text, pipeline text)`,
    [
      plan,
      JSON.stringify(
        procedures.flatMap(({ id, pipelines: awaited }) =>
          awaited.map((pipeline) => ({ source: contractName(id), pipeline })),
        ),
      ),
    ],
  );
}

/** Has failed pipelines tried again, with those that they hold up. */
export async function retryPipelines(
  session: Query,
  schema: string,
  plan: string,
  ids: readonly string[],
): Promise<void> {
  await session.query(
    `UPDATE ${quoteIdentifier(schema)}.sprocket_pipeline SET failure = NULL, held_by = NULL
     WHERE plan = $1 AND (pipeline = ANY (${jsonTexts('$2')}) OR held_by = ANY (${jsonTexts('$2')}))`,
    [plan, JSON.stringify(ids)],
  );
}

export async function isMoving(session: Query, plan: string): Promise<boolean> {
  return (await holders(session, moveLock(plan))) > 0;
}

/** Tables that pipelines have made and that are still there, whatever the plan says by now. */
export async function movedTables(
  session: Query,
  schema: string,
  plan: string,
): Promise<readonly TableName[]> {
  const { rows } = await session.query(
    `SELECT t.target ->> 'schema', t.target ->> 'name'
     FROM (SELECT mapping::json -> 'target' AS target, number
           FROM ${quoteIdentifier(schema)}.sprocket_move_table WHERE plan = $1) t
     WHERE to_regclass(format('%I.%I', t.target ->> 'schema', t.target ->> 'name')) IS NOT NULL
     ORDER BY t.number`,
    [plan],
  );
  return rows.map(([tableSchema, name]) => ({ schema: tableSchema ?? '', name: name ?? '' }));
}
