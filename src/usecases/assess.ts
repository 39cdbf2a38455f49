/** What of a database, or of files, a machine can migrate: rated, not proven. */
import type { Catalog } from '../core/catalog/types.ts';
import { cycleText } from '../core/graph/cycles.ts';
import type { UnorderedWriters } from '../core/graph/dependencies.ts';
import { drawScope } from '../core/graph/scope.ts';
import type { Scope, ScopeOptions } from '../core/graph/scope.ts';
import { parseSearchPath } from '../core/graph/search-path.ts';
import type { Rating } from '../core/plan/types.ts';
import { assess } from '../core/report/assess.ts';
import type { Assessment } from '../core/report/assess.ts';
import { secondsBetween } from '../core/report/text.ts';
import { loadParser } from '../core/translate/postgres/parser.ts';
import type { CatalogReader } from '../ports/catalog.ts';
import type { Clock } from '../ports/clock.ts';
import type { Sandbox, SqlSession } from '../ports/sandbox.ts';
import { loadFiles } from './prove-load.ts';
import type { LoadRemark, ScriptFile } from './prove-load-items.ts';
import { chosenSchemas } from './scope.ts';

type AssessedProcedure = Assessment['procedures'][number];

interface RatedProcedure extends AssessedProcedure {
  readonly rating: Rating;
  readonly ratingReasons: readonly string[];
  /** Ids of procedures that must come first. */
  readonly dependsOn: readonly string[];
}

export interface RatedAssessment extends Assessment {
  readonly procedures: readonly RatedProcedure[];
  readonly ratings: Readonly<Record<Rating, number>>;
  /** `a → b → a`. */
  readonly cycles: readonly string[];
  readonly unordered: readonly UnorderedWriters[];
  /** Functions that only compute a value, and go along with what calls them. */
  readonly helpers: readonly string[];
  /** Procedures in the files that the server does not take, and other statements that failed. */
  readonly broken: readonly LoadRemark[];
}

/** Throws what the reader throws. */
export async function assessDatabase(
  reader: CatalogReader,
  schemas: readonly string[] | null,
  clock: Clock,
): Promise<RatedAssessment> {
  const began = clock.now();
  const catalog = await reader.readCatalog();
  const chosen = chosenSchemas(catalog, schemas);
  return assessCatalog(catalog, chosen === null ? {} : { schemas: chosen }, [], began, clock);
}

export interface FileAssessment {
  readonly sandbox: Sandbox;
  readonly readCatalog: (session: SqlSession) => Promise<Catalog>;
  readonly schema: readonly ScriptFile[];
  /** The routines that these create are assessed. */
  readonly procedures: readonly ScriptFile[];
  readonly clock: Clock;
}

const DATABASE = 'assess';

/** Throws `SandboxError` where the sandbox is not to be had. */
export async function assessFiles(request: FileAssessment): Promise<RatedAssessment> {
  const { sandbox, clock, schema, procedures } = request;
  const began = clock.now();
  await loadParser();
  await sandbox.create(DATABASE);
  const loaded = await inSession(sandbox, (session) =>
    loadFiles(session, { schema, procedures, data: [] }),
  );
  // The files may have changed the settings of their session.
  const found = await inSession(sandbox, request.readCatalog);
  const searchPath =
    loaded.searchPath === null ? found.searchPath : parseSearchPath(loaded.searchPath);
  await sandbox.drop(DATABASE);
  const broken = [...loaded.broken, ...loaded.failed];
  const only = new Set(loaded.routines);
  return assessCatalog({ ...found, searchPath }, { only }, broken, began, clock);
}

async function inSession<T>(
  sandbox: Sandbox,
  use: (session: SqlSession) => Promise<T>,
): Promise<T> {
  const session = await sandbox.connect(DATABASE);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

async function assessCatalog(
  catalog: Catalog,
  options: ScopeOptions,
  broken: readonly LoadRemark[],
  began: string,
  clock: Clock,
): Promise<RatedAssessment> {
  await loadParser();
  const scope = drawScope(catalog, { ...options, settle: false });
  return ratedAssessment(scope, broken, secondsBetween(began, clock.now()));
}

function ratedAssessment(
  scope: Scope,
  broken: readonly LoadRemark[],
  seconds: number,
): RatedAssessment {
  const { rows } = scope;
  const assessment = assess(
    rows.map((row) => row.translation),
    seconds,
  );
  const byName = new Map(rows.map((row) => [row.id, row]));
  const count = (rating: Rating): number => rows.filter((row) => row.rating === rating).length;
  return {
    ...assessment,
    procedures: assessment.procedures.flatMap((procedure) => {
      const row = byName.get(procedure.name);
      if (row === undefined) return [];
      const { rating, reasons: ratingReasons, dependsOn } = row;
      return [{ ...procedure, rating, ratingReasons, dependsOn }];
    }),
    ratings: {
      Likely: count('Likely'),
      Possible: count('Possible'),
      Unlikely: count('Unlikely'),
      Manual: count('Manual'),
    },
    cycles: scope.cycles.map(cycleText),
    unordered: scope.graph.unordered,
    helpers: scope.helpers,
    broken,
  };
}
