/** What phases and people leave behind: artifacts, log lines, decisions. */
import { z } from 'zod';
import { contractName } from '../../core/lifecycle/contract.ts';
import { ARTIFACT_KINDS } from '../../ports/metadata.ts';
import type {
  Artifact,
  ArtifactFilter,
  ArtifactSet,
  Decision,
  LogFilter,
  LogLine,
  LogRecord,
} from '../../ports/metadata.ts';
import type { Query } from './lock.ts';
import { isoTime, jsonTexts, quoteIdentifier, withoutNul } from './metadata-sql.ts';

/** Each set takes the place of what the procedure had of the kind. */
export async function writeArtifacts(
  session: Query,
  schema: string,
  plan: string,
  sets: readonly ArtifactSet[],
): Promise<void> {
  if (sets.length === 0) return;
  const table = `${quoteIdentifier(schema)}.sprocket_artifact`;
  await session.query(
    `DELETE FROM ${table} a
     USING json_to_recordset($2::json) AS o (source text, kind text)
     WHERE a.plan = $1 AND a.source = o.source AND a.kind = o.kind`,
    [plan, JSON.stringify(sets.map(({ id, kind }) => ({ source: contractName(id), kind })))],
  );
  await session.query(
    `INSERT INTO ${table} (plan, source, kind, path, content)
     SELECT $1, source, kind, path, content FROM json_to_recordset($2::json)
       AS n (source text, kind text, path text, content text)`,
    [
      plan,
      JSON.stringify(
        sets.flatMap(({ id, kind, contents }) =>
          [...contents].map(([path, content]) => ({
            source: contractName(id),
            kind,
            path,
            content: withoutNul(content),
          })),
        ),
      ),
    ],
  );
}

const artifactSchema = z.tuple([z.string(), z.enum(ARTIFACT_KINDS), z.string(), z.string()]);

/** By procedure in claiming order, then kind and path. */
export async function readArtifacts(
  session: Query,
  schema: string,
  plan: string,
  filter: ArtifactFilter,
): Promise<readonly Artifact[]> {
  const own = quoteIdentifier(schema);
  const { rows } = await session.query(
    `SELECT p.procedure, a.kind, a.path, a.content
     FROM ${own}.sprocket_artifact a
     JOIN ${own}.sprocket_procedure p ON p.plan = a.plan AND p.source = a.source
     WHERE a.plan = $1 AND p.included
       AND ($2::json IS NULL OR a.source = ANY (${jsonTexts('$2')}))
       AND ($3::json IS NULL OR a.kind = ANY (${jsonTexts('$3')}))
     ORDER BY p.position, a.kind, a.path COLLATE "C"`,
    [plan, jsonOrNull(filter.ids?.map(contractName)), jsonOrNull(filter.kinds)],
  );
  return rows.map((row) => {
    const [id, kind, path, content] = artifactSchema.parse(row);
    return { id, kind, path, content };
  });
}

export async function writeLog(
  session: Query,
  schema: string,
  plan: string,
  lines: readonly LogLine[],
): Promise<void> {
  if (lines.length === 0) return;
  await session.query(
    `INSERT INTO ${quoteIdentifier(schema)}.sprocket_log (plan, source, at, level, message)
     SELECT $1, n.line ->> 'source', (n.line ->> 'at')::timestamp, n.line ->> 'level',
       n.line ->> 'message'
     FROM json_array_elements($2::json) WITH ORDINALITY AS n (line, number) ORDER BY n.number`,
    [
      plan,
      JSON.stringify(
        lines.map(({ id, at, level, message }) => ({
          source: id === null ? null : contractName(id),
          at,
          level,
          message: withoutNul(message),
        })),
      ),
    ],
  );
}

const logSchema = z.tuple([
  z.coerce.number(),
  z.string().nullable(),
  z.string(),
  z.enum(['info', 'warning', 'error']),
  z.string(),
]);

export async function readLog(
  session: Query,
  schema: string,
  plan: string,
  filter: LogFilter,
): Promise<readonly LogRecord[]> {
  const own = quoteIdentifier(schema);
  const { rows } = await session.query(
    `SELECT l.id, p.procedure, ${isoTime('l.at')}, l.level, l.message
     FROM ${own}.sprocket_log l
     LEFT JOIN ${own}.sprocket_procedure p ON p.plan = l.plan AND p.source = l.source
     WHERE l.plan = $1 AND ($2::text IS NULL OR l.source = $2) AND l.id > $3::bigint
     ORDER BY l.id`,
    [plan, filter.id === undefined ? null : contractName(filter.id), String(filter.after ?? 0)],
  );
  return rows.map((row) => {
    const [number, id, at, level, message] = logSchema.parse(row);
    return { number, id, at, level, message };
  });
}

export async function writeDecisions(
  session: Query,
  schema: string,
  plan: string,
  decisions: readonly Decision[],
): Promise<void> {
  if (decisions.length === 0) return;
  await session.query(
    `INSERT INTO ${quoteIdentifier(schema)}.sprocket_decision
       (plan, source, decision, person, reason, at)
     SELECT $1, source, decision, person, reason, at FROM json_to_recordset($2::json)
       AS n (source text, decision text, person text, reason text, at timestamp)`,
    [
      plan,
      JSON.stringify(
        decisions.map(({ id, ...rest }) => ({
          ...rest,
          source: contractName(id),
          person: withoutNul(rest.person),
          reason: withoutNul(rest.reason),
        })),
      ),
    ],
  );
}

const decisionSchema = z.tuple([
  z.string(),
  z.enum(['retry', 'skip', 'manual', 'accept']),
  z.string(),
  z.string().nullable(),
  z.string(),
]);

/** Oldest first. */
export async function readDecisions(
  session: Query,
  schema: string,
  plan: string,
): Promise<readonly Decision[]> {
  const own = quoteIdentifier(schema);
  const { rows } = await session.query(
    `SELECT p.procedure, d.decision, d.person, d.reason, ${isoTime('d.at')}
     FROM ${own}.sprocket_decision d
     JOIN ${own}.sprocket_procedure p ON p.plan = d.plan AND p.source = d.source
     WHERE d.plan = $1 ORDER BY d.id`,
    [plan],
  );
  return rows.map((row) => {
    const [id, decision, person, reason, at] = decisionSchema.parse(row);
    return { id, decision, person, reason, at };
  });
}

function jsonOrNull(values: readonly string[] | undefined): string | null {
  return values === undefined ? null : JSON.stringify(values);
}
