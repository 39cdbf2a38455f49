/** Procedures of a run as rows, and back. */
import { z } from 'zod';
import { contractName, progressTarget } from '../../core/lifecycle/contract.ts';
import { isOutcome, isPhase, STATUSES } from '../../core/lifecycle/state.ts';
import type { Attempt, ProcedureState, Status } from '../../core/lifecycle/state.ts';
import type { RunMember } from '../../core/lifecycle/run.ts';
import type { Query } from './lock.ts';
import { writeProgress } from './metadata-progress.ts';
import { isoTime, quoteIdentifier, withoutNul } from './metadata-sql.ts';

const awaitedSchema = z.object({
  id: z.string(),
  moving: z.boolean(),
  loadedAt: z.string().nullable(),
  failure: z.string().nullable(),
  heldBy: z.string().nullable(),
});

const rowSchema = z.tuple([
  z.string(),
  z.enum(['automatic', 'manual']),
  z.enum(STATUSES),
  z.string().nullable(),
  z.enum(['proven', 'refused', 'nondeterministic', 'mismatch', 'broken', 'error']).nullable(),
  z.string().nullable(),
  z.string().nullable(),
  z.string().nullable(),
  z.string().nullable(),
  z.coerce.number().nullable(),
  z.string().transform((json) => z.array(z.string()).parse(JSON.parse(json))),
  z.string().transform((json) => z.array(awaitedSchema).parse(JSON.parse(json))),
]);

/** Which rows: `where` may use the alias `p`; `$1` is the plan and `$2` the progress target. */
export interface RowSelection {
  readonly where: string;
  readonly parameters: readonly string[];
}

/** Members of the run that fit, in claiming order. */
export async function readMembers(
  session: Query,
  schema: string,
  plan: string,
  selection: RowSelection,
): Promise<RunMember[]> {
  const own = quoteIdentifier(schema);
  const { rows } = await session.query(
    `SELECT p.procedure, p.route, p.status, p.claim, p.proof, p.reason,
       ${isoTime('g.start_time')}, ${isoTime('g.finish_time')}, g.mark, g.restarts,
       (SELECT coalesce(json_agg(n.procedure ORDER BY n.position), '[]')
        FROM ${own}.sprocket_dependency d
        JOIN ${own}.sprocket_procedure n ON n.plan = d.plan AND n.source = d.needs
        WHERE d.plan = p.plan AND d.source = p.source),
       (SELECT coalesce(json_agg(json_build_object('id', w.pipeline, 'moving', l.moving IS NOT DISTINCT FROM 1,
          'loadedAt', l.loaded_at, 'failure', l.failure, 'heldBy', l.held_by) ORDER BY l.position), '[]')
        FROM ${own}.sprocket_wait w
        LEFT JOIN ${own}.sprocket_pipeline l ON l.plan = w.plan AND l.pipeline = w.pipeline
        WHERE w.plan = p.plan AND w.source = p.source)
     FROM ${own}.sprocket_procedure p
     LEFT JOIN ${own}.wirekite_progress g ON g.source = p.source AND g.target = $2
     WHERE p.plan = $1 AND p.included AND (${selection.where})
     ORDER BY p.position`,
    [plan, progressTarget(plan, 'P'), ...selection.parameters],
  );
  return rows.map(toMember);
}

const countSchema = z.tuple([z.enum(STATUSES), z.coerce.number()]);

export async function readCounts(
  session: Query,
  schema: string,
  plan: string,
): Promise<ReadonlyMap<Status, number>> {
  const { rows } = await session.query(
    `SELECT status, count(*) FROM ${quoteIdentifier(schema)}.sprocket_procedure
     WHERE plan = $1 AND included GROUP BY status`,
    [plan],
  );
  return new Map(rows.map((row) => countSchema.parse(row)));
}

function toMember(row: unknown): RunMember {
  const [
    id,
    route,
    status,
    claim,
    proof,
    reason,
    startedAt,
    finishedAt,
    mark,
    restarts,
    dependsOn,
    pipelines,
  ] = rowSchema.parse(row);
  const attempt: Attempt | null =
    startedAt === null
      ? null
      : { startedAt, finishedAt, mark: toMark(mark), restarts: restarts ?? 0 };
  return { id, dependsOn, pipelines, state: { status, route, attempt, claim, proof, reason } };
}

/** A word that somebody else wrote there means that nothing is known to be finished. */
function toMark(mark: string | null): Attempt['mark'] {
  return mark !== null && (isPhase(mark) || isOutcome(mark)) ? mark : null;
}

/** Writes changed states, with their progress rows. */
export async function writeStates(
  session: Query,
  schema: string,
  plan: string,
  states: ReadonlyMap<string, ProcedureState>,
  before: ReadonlyMap<string, RunMember>,
): Promise<void> {
  const changed = [...states].filter(
    ([id, state]) => !isSame(state, before.get(id)?.state ?? null),
  );
  if (changed.length === 0) return;
  await session.query(
    `UPDATE ${quoteIdentifier(schema)}.sprocket_procedure p
     SET route = n.route, status = n.status, claim = n.claim, proof = n.proof, reason = n.reason
     FROM json_to_recordset($2::json) AS n
       (source text, route text, status text, claim text, proof text, reason text)
     WHERE p.plan = $1 AND p.source = n.source`,
    [
      plan,
      JSON.stringify(
        changed.map(([id, { route, status, claim, proof, reason }]) => ({
          source: contractName(id),
          route,
          status,
          claim,
          proof,
          reason: withoutNul(reason),
        })),
      ),
    ],
  );
  await writeProgress(
    session,
    schema,
    changed.flatMap(([id, { attempt }]) =>
      attempt === null || isSame(attempt, before.get(id)?.state.attempt ?? null)
        ? []
        : [
            {
              source: id,
              target: progressTarget(plan, 'P'),
              operation: 'P' as const,
              mark: attempt.mark,
              table: null,
              startTime: attempt.startedAt,
              finishTime: attempt.finishedAt,
              restarts: attempt.restarts,
            },
          ],
    ),
  );
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
