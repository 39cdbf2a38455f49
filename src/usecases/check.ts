/** Whether a plan can be run: as it is written, and, where asked for, in its databases. */
import { passedParameters, qualified, routineId } from '../core/catalog/names.ts';
import { requiredRights, rightText } from '../core/catalog/required-rights.ts';
import type { MissingReason, MissingRight, RequiredRight } from '../core/catalog/rights.ts';
import type { Catalog, QualifiedName } from '../core/catalog/types.ts';
import { cycleText, findCycles } from '../core/graph/cycles.ts';
import { readEffects } from '../core/graph/effects.ts';
import { makeGraph } from '../core/graph/graph.ts';
import type { DependencyGraph } from '../core/graph/graph.ts';
import { requiredParameters } from '../core/graph/rating.ts';
import { scopeEffects } from '../core/graph/scope-effects.ts';
import { includedIds, scheduleRun } from '../core/lifecycle/schedule.ts';
import { launchProblems } from '../core/plan/launch.ts';
import { parameterValues } from '../core/plan/parameter-values.ts';
import { parsePlan } from '../core/plan/parse.ts';
import type { Plan, Position } from '../core/plan/types.ts';
import { CatalogError, ConnectionError } from '../ports/catalog.ts';
import type { CatalogReader, OpenCatalog } from '../ports/catalog.ts';
import { ConnectionLost } from '../ports/move.ts';
import { checkPipelines } from './check-pipelines.ts';
import type { PipelineSides } from './check-pipelines.ts';
import { translateIncluded } from './run.ts';

interface CheckProblem extends Position {
  readonly code: string;
  readonly message: string;
}

export interface CheckedRight {
  /** Name of the environment variable that holds the URL. */
  readonly setting: string;
  /** `SELECT on dw.sales`. */
  readonly right: string;
  readonly why: string;
  readonly reason: MissingReason;
  /** Statement that gives the right; null where none helps. */
  readonly grant: string | null;
}

export interface CheckReport {
  /** Null where the plan can't be read. */
  readonly plan: string | null;
  readonly included: { readonly procedures: number; readonly pipelines: number };
  readonly problems: readonly CheckProblem[];
  readonly missingRights: readonly CheckedRight[];
  /** What a person should know, and may let be. */
  readonly warnings: readonly string[];
  /** Settings whose database was reached and looked at. */
  readonly reached: readonly string[];
}

export interface CheckAccess {
  readonly open: OpenCatalog;
  /** Opens both sides of the plan's pipelines. */
  readonly openSides: (plan: Plan) => PipelineSides;
  /** Values of environment variables; empty ones count as not set. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** `access` is null where the databases are left alone. Throws only what is no finding. */
export async function checkPlan(text: string, access: CheckAccess | null): Promise<CheckReport> {
  const { plan, problems } = parsePlan(text);
  if (plan === null) return { ...NOTHING, problems };
  const variables = new Set(
    Object.entries(access?.environment ?? {}).flatMap(([name, value]) =>
      value === undefined || value === '' ? [] : [name],
    ),
  );
  const launch = launchProblems(plan, variables).filter(
    ({ code }) => access !== null || code !== 'variable-empty',
  );
  const report: CheckReport = {
    ...NOTHING,
    plan: plan.settings.name,
    included: {
      procedures: includedIds(plan).length,
      pipelines: plan.pipelines.filter(({ include }) => include).length,
    },
    problems: [...launch, ...declaredCycles(plan)],
  };
  return access === null ? report : checkDatabases(plan, report, access);
}

const NOTHING: CheckReport = {
  plan: null,
  included: { procedures: 0, pipelines: 0 },
  problems: [],
  missingRights: [],
  warnings: [],
  reached: [],
};

function declaredGraph(plan: Plan): DependencyGraph {
  return makeGraph(
    includedIds(plan),
    plan.procedures.flatMap(({ id, dependsOn }) =>
      dependsOn.procedures.map((other) => [id, other] as const),
    ),
  );
}

/** Cycles that the plan itself writes down. */
function declaredCycles(plan: Plan): readonly CheckProblem[] {
  return findCycles(declaredGraph(plan)).map((cycle) => ({
    ...positionOf(plan, cycle[0] ?? ''),
    code: 'cycle',
    message: `These procedures wait for each other for ever: ${cycleText(cycle)}. Take one of them out of the column “Depends on” of another.`,
  }));
}

function positionOf(plan: Plan, id: string): Position {
  const { line, column } = plan.procedures.find((each) => each.id === id)?.position ?? START;
  return { line, column };
}

const START: Position = { line: 1, column: 1 };

/** A role that a database plays in the plan. */
interface Use {
  readonly path: 'source.url' | 'target.url' | 'sandbox.url';
  readonly variable: string;
  readonly dialect: 'postgres' | 'mysql';
}

/** What one database adds to the report. */
interface Findings extends Pick<
  CheckReport,
  'problems' | 'missingRights' | 'warnings' | 'reached'
> {
  /** Tables of the source that included procedures read or write. */
  readonly tables: readonly QualifiedName[];
}

const NO_FINDINGS: Findings = {
  problems: [],
  missingRights: [],
  warnings: [],
  reached: [],
  tables: [],
};

async function checkDatabases(
  plan: Plan,
  report: CheckReport,
  access: CheckAccess,
): Promise<CheckReport> {
  const { source, target, sandbox } = plan.settings;
  const uses: readonly Use[] = [
    { path: 'source.url', variable: source.urlVariable, dialect: source.dialect },
    { path: 'target.url', variable: target.urlVariable, dialect: target.dialect },
    ...(sandbox === null
      ? []
      : [{ path: 'sandbox.url', variable: sandbox.urlVariable, dialect: 'postgres' } as const]),
  ];
  const found: Findings[] = [];
  for (const use of uses) found.push(await checkDatabase(plan, use, access));
  const reached = new Set(found.flatMap((each) => each.reached));
  const gone = [source, target].some(
    ({ dialect, urlVariable }) => dialect === 'postgres' && !reached.has(urlVariable),
  );
  // What keeps a database from being reached is said once.
  if (!gone) found.push(await checkMoves(plan, access));
  return {
    ...report,
    problems: [...report.problems, ...found.flatMap((each) => each.problems)],
    missingRights: found.flatMap((each) => each.missingRights),
    warnings: found.flatMap((each) => each.warnings),
    reached: [...reached],
  };
}

/** A database that can't be reached or read is a finding like any other. */
async function checkDatabase(plan: Plan, use: Use, access: CheckAccess): Promise<Findings> {
  const { path, variable, dialect } = use;
  const url = access.environment[variable] ?? '';
  // That a variable is not set is said already.
  if (url === '') return NO_FINDINGS;
  if (dialect !== 'postgres') {
    const warning = `${variable} (${path}) is not PostgreSQL: only its pipelines were looked at.`;
    return { ...NO_FINDINGS, warnings: [warning] };
  }
  let reader: CatalogReader | null = null;
  try {
    reader = await access.open({ setting: variable, url });
    const found = path === 'source.url' ? await checkSource(plan, reader) : NO_FINDINGS;
    const missing = await reader.missingRights(rightsFor(path, plan, found.tables));
    return {
      ...found,
      missingRights: oncePerGrant(missing).map((each) => checkedRight(variable, each)),
      reached: [variable],
    };
  } catch (error) {
    if (!(error instanceof ConnectionError) && !(error instanceof CatalogError)) throw error;
    const { line, column } = plan.positions.get(path) ?? START;
    const message = `${error.message} ${error.advice}`;
    return { ...NO_FINDINGS, problems: [{ line, column, code: error.code, message }] };
  } finally {
    await reader?.close();
  }
}

/** Tables that pipelines move, on both sides. */
async function checkMoves(plan: Plan, access: CheckAccess): Promise<Findings> {
  const { source, target } = plan.settings;
  const isSet = [source, target].every(
    ({ urlVariable }) => (access.environment[urlVariable] ?? '') !== '',
  );
  if (!isSet || !plan.pipelines.some(({ include }) => include)) return NO_FINDINGS;
  const sides = access.openSides(plan);
  try {
    return { ...NO_FINDINGS, ...(await checkPipelines(plan, sides)) };
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    // Of PostgreSQL that is said already.
    if (source.dialect === 'postgres') return NO_FINDINGS;
    const { line, column } = plan.positions.get('source.url') ?? START;
    const message = `${source.urlVariable} can't be reached: ${error.message}.`;
    return { ...NO_FINDINGS, problems: [{ line, column, code: 'unreachable', message }] };
  } finally {
    await Promise.allSettled([sides.source.close(), sides.target?.close()]);
  }
}

async function checkSource(plan: Plan, reader: CatalogReader): Promise<Findings> {
  const catalog = await reader.readCatalog();
  const schedule = scheduleRun(plan, catalog, await translateIncluded(plan, catalog));
  const known = findCycles(declaredGraph(plan)).map(cycleText);
  const values = checkArguments(plan, catalog);
  return {
    ...NO_FINDINGS,
    problems: [
      ...schedule.problems
        .filter(({ message }) => !known.some((cycle) => message.includes(cycle)))
        .map(({ code, message }) => ({ ...mentioned(plan, message), code, message })),
      ...values.problems,
    ],
    warnings: [...schedule.warnings, ...values.warnings, ...movedElsewhere(plan, catalog)],
    tables: touchedTables(plan, catalog),
  };
}

/** A model is built in its procedure's table, and goes on from the rows there. */
function movedElsewhere(plan: Plan, catalog: Catalog): readonly string[] {
  const effects = scopeEffects(includedIds(plan), readEffects(catalog), new Set());
  const written = new Set([...effects.values()].flatMap(({ writes }) => [...writes.keys()]));
  return plan.pipelines
    .filter(({ include, id, target }) => include && written.has(id) && qualified(target) !== id)
    .map(
      ({ id, target }) =>
        `${id} is moved to ${qualified(target)}, and a procedure writes it: its model goes on from what is in ${id} of the target. Write ${id} as the Target, so that it finds the moved rows.`,
    );
}

function checkArguments(plan: Plan, catalog: Catalog): Pick<CheckReport, 'problems' | 'warnings'> {
  const routines = new Map(catalog.routines.map((routine) => [routineId(routine), routine]));
  const problems: CheckProblem[] = [];
  const warnings: string[] = [];
  for (const procedure of plan.procedures.filter(({ include }) => include)) {
    const routine = routines.get(procedure.id);
    if (routine === undefined) continue;
    const parameters = passedParameters(routine);
    const { missing, unknown } = parameterValues(procedure, plan.settings, parameters);
    if (unknown.length > 0) {
      const names = parameters.map(({ name }) => name).join(', ');
      problems.push({
        ...positionOf(plan, procedure.id),
        code: 'argument-unknown',
        message: `${procedure.id} does not take ${unknown.join(', ')}. ${names === '' ? 'It takes no arguments.' : `Its parameters: ${names}.`}`,
      });
    }
    const needed = requiredParameters(routine).filter((name) => missing.includes(name));
    if (needed.length > 0) {
      warnings.push(
        `${procedure.id} gets no value for ${needed.join(', ')}: it is called with NULL. Give one in the column Arguments.`,
      );
    }
  }
  return { problems, warnings };
}

/** The place of the included procedure that a message names first. */
function mentioned(plan: Plan, message: string): Position {
  const places = plan.procedures
    .filter(({ include, id }) => include && message.includes(id))
    .map(({ id, position }) => ({ at: message.indexOf(id), length: id.length, position }))
    .toSorted((a, b) => a.at - b.at || b.length - a.length);
  const { line, column } = places[0]?.position ?? START;
  return { line, column };
}

function touchedTables(plan: Plan, catalog: Catalog): readonly QualifiedName[] {
  const effects = scopeEffects(includedIds(plan), readEffects(catalog), new Set());
  const touched = new Set(
    [...effects.values()].flatMap(({ reads, writes }) => [...reads.keys(), ...writes.keys()]),
  );
  return catalog.tables.map(({ name }) => name).filter((name) => touched.has(qualified(name)));
}

function rightsFor(
  path: Use['path'],
  plan: Plan,
  tables: readonly QualifiedName[],
): readonly RequiredRight[] {
  const { source, target, sandbox } = requiredRights(plan, tables);
  if (path === 'source.url') return source;
  return path === 'target.url' ? target : sandbox;
}

/** One statement often gives several rights, as for a schema that has to be made first. */
function oncePerGrant(missing: readonly MissingRight[]): readonly MissingRight[] {
  const given = new Set<string>();
  return missing.filter(({ grant }) => {
    if (grant === null) return true;
    const isNew = !given.has(grant);
    given.add(grant);
    return isNew;
  });
}

function checkedRight(setting: string, { required, reason, grant }: MissingRight): CheckedRight {
  return { setting, right: rightText(required), why: required.why, reason, grant };
}
