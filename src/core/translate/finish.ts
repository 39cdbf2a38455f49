/** From the last state of an evaluation to models, tests and what is to be said about them. */
import type { QualifiedName, Routine } from '../catalog/types.ts';
import { qualified, routineId } from '../catalog/names.ts';
import type { Evaluation } from './evaluate.ts';
import { choose } from './control/choose.ts';
import { sql } from './fragment.ts';
import { canonicalType, baseOf } from './postgres/tree.ts';
import { makeRefusal } from './refusals.ts';
import type { Rendered, RenderSettings } from './render.ts';
import { renderFragment, renderVersion } from './render.ts';
import type { State, TableState } from './state.ts';
import { TEMPORARY } from './state.ts';
import type { Built } from './models.ts';
import { modelsOf } from './models.ts';
import type { Refusal, TranslatedTest, Translation } from './types.ts';
import type { Version } from './version.ts';

export interface Evaluated {
  readonly routine: Routine;
  readonly evaluation: Evaluation;
  readonly state: State;
  /** Names of CTEs in the author's text. */
  readonly taken: ReadonlySet<string>;
}

/** The state at the end, early returns included. */
export function finalState({ evaluation, state }: Pick<Evaluated, 'evaluation' | 'state'>): State {
  return evaluation.session.returns.reduceRight(
    (rest, early) =>
      choose(
        evaluation,
        early.condition,
        sql`(${early.condition}) is not true`,
        early.state,
        rest,
        { line: 0 },
      ),
    state,
  );
}

/** Tables of a state that last and were changed, by `schema.name`. */
export function changedTables(state: State): ReadonlyMap<string, TableState> {
  return new Map(
    [...state.tables].filter(
      ([, table]) =>
        table.shape.name.schema !== TEMPORARY &&
        (table.version !== table.initial || table.refusal !== null),
    ),
  );
}

export function finish(evaluated: Evaluated, logTables: ReadonlySet<string>): Translation {
  const { routine, evaluation, state } = evaluated;
  const { session } = evaluation;
  const changed = changedTables(state);
  const kept = new Map([...changed].filter(([key]) => !logTables.has(key)));
  const refusals: Refusal[] = [...session.refusals];
  for (const [key, refusal] of session.handlerWrites)
    if (!logTables.has(key)) refusals.push(refusal);
  const finals = new Map<Version, QualifiedName>();
  for (const [key, table] of kept) {
    if (table.refusal) refusals.push(table.refusal);
    else if (table.version) finals.set(table.version, table.shape.name);
    else if (session.index.table(table.shape.name))
      refusals.push(
        makeRefusal(
          'ddl',
          { line: table.lines?.first ?? 0, construct: `DROP TABLE ${key}` },
          `The table ${key} is dropped and not made again.`,
        ),
      );
  }
  for (const table of kept.values()) refusals.push(...sharedRows(evaluated, table));
  const returned = returnedModel(evaluated);
  const { models, problems } = modelsOf(evaluated, kept);
  refusals.push(...problems, ...(returned?.refusals ?? []));
  const { tests, problems: testProblems } = testsOf(evaluated, finals);
  refusals.push(...testProblems);
  const all = [...models, ...(returned ? [returned] : [])];
  const unique = distinctRefusals(refusals);
  const used = new Set(
    all
      .flatMap((model) => [...model.rendered.parameters])
      .concat(tests.flatMap((test) => [...test.parameters])),
  );
  const logs = [...changed.keys(), ...session.handlerWrites.keys()].filter((key) =>
    logTables.has(key),
  );
  for (const key of new Set(logs))
    session.note(
      'log-table',
      changed.get(key)?.lines?.first ?? 0,
      `${key} only gets row counts, times and messages, and nothing reads it: it is left out.`,
    );
  const translated = unique.length === 0;
  return {
    routine: routineId(routine),
    outcome: translated ? outcomeOf(all.length, tests.length, session.calls.length) : 'refused',
    models: translated ? all.map((model) => model.model) : [],
    tests: translated ? tests.map((test) => test.test) : [],
    parameters: routine.parameters
      .filter((parameter) => parameter.mode !== 'table' && used.has(parameter.name))
      .map((parameter) => ({
        name: parameter.name,
        type: canonicalType(parameter.type),
        defaultSql: parameter.defaultSql,
      })),
    refusals: unique,
    notes: [...session.notes].toSorted((a, b) => a.line - b.line),
    branches: session.branches,
    calls: [...new Set(session.calls)],
    reads: [...session.read].filter(([key]) => !logTables.has(key)).map(([, name]) => name),
    writes: [...kept.values()].map((table) => table.shape.name),
    logTables: [...new Set(logs)].map(nameOf),
  };
}

/** A model knows a table by one name: its rows must not be read or written by another one too. */
function sharedRows({ evaluation }: Evaluated, { shape, lines }: TableState): readonly Refusal[] {
  const { index, reads, written } = evaluation.session;
  const key = qualified(shape.name);
  const place = { line: lines?.first ?? 0, construct: key };
  if (index.hasHeirs(shape.name)) {
    const message = `Other tables inherit from ${key}: it shows their rows too.`;
    return [makeRefusal('shared-rows', place, message)];
  }
  const other = index
    .sharingRows(shape.name)
    .map(qualified)
    .find((name) => reads.has(name) || written.has(name));
  if (other === undefined) return [];
  const message = `${key} and ${other} share rows, and the procedure uses both.`;
  return [makeRefusal('shared-rows', place, message)];
}

function outcomeOf(models: number, tests: number, calls: number): Translation['outcome'] {
  if (models > 0) return 'models';
  if (tests > 0) return 'checks';
  return calls > 0 ? 'calls' : 'nothing';
}

function distinctRefusals(refusals: readonly Refusal[]): readonly Refusal[] {
  const seen = new Map(
    refusals.map((refusal) => [`${refusal.line} ${refusal.code} ${refusal.message}`, refusal]),
  );
  return [...seen.values()].toSorted((a, b) => a.line - b.line);
}

/** A routine that returns rows: a view of its name. */
function returnedModel(evaluated: Evaluated): Built | null {
  const { routine, evaluation } = evaluated;
  const { session } = evaluation;
  const [first] = session.returned;
  if (!first || session.written.size > 0 || !routine.returnsSet) return null;
  const outputs = routine.parameters.filter(
    (parameter) => parameter.mode === 'table' || parameter.mode === 'out',
  );
  const columns =
    outputs.length > 0
      ? outputs.map((parameter) => ({ name: parameter.name, type: canonicalType(parameter.type) }))
      : (first.columns ?? []);
  const head = columns.map((column) => column.name);
  const inputs = session.returned.map((rows) =>
    rows.body.kind === 'query'
      ? { ...rows, columns, body: { ...rows.body, head: head.length > 0 ? head : null } }
      : rows,
  );
  const version: Version = { ...first, columns, body: { kind: 'union', inputs } };
  const rendered = renderVersion(version, {
    finals: new Map(),
    changed: new Set(),
    taken: evaluated.taken,
  });
  return {
    rendered,
    refusals: rendered.refusals,
    model: {
      table: routine.name,
      columns: columns.map((column) => ({
        ...column,
        baseType: column.type === null ? null : baseOf(column.type),
        surrogate: false,
        unprovable: null,
      })),
      materialization: 'view',
      query: rendered.query,
      incremental: null,
      buildAfter: [],
      intermediate: false,
      lines: first.lines,
    },
  };
}

interface BuiltTest {
  readonly test: TranslatedTest;
  readonly parameters: ReadonlySet<string>;
}

function testsOf(
  evaluated: Evaluated,
  finals: ReadonlyMap<Version, QualifiedName>,
): { tests: readonly BuiltTest[]; problems: readonly Refusal[] } {
  const { session } = evaluated.evaluation;
  const settings: RenderSettings = {
    finals,
    changed: new Set([...finals.values()].map((name) => qualified(name))),
    taken: evaluated.taken,
  };
  const tests: BuiltTest[] = [];
  const problems: Refusal[] = [];
  const name = evaluated.routine.name.name;
  for (const [index, raise] of session.raises.entries()) {
    const rendered = renderFragment(sql`select 1 as failed\nwhere ${raise.condition}`, settings);
    problems.push(...rendered.refusals);
    if (rendered.relations.some((relation) => relation.state === 'former')) {
      problems.push(
        makeRefusal(
          'raise',
          { line: raise.line, construct: raise.message },
          'The error depends on the former rows of a table that the procedure changes.',
        ),
      );
    }
    tests.push(builtTest(`${name}_raises_${index + 1}`, rendered, raise, 'raise'));
  }
  for (const [index, check] of session.ambiguities.entries()) {
    const rendered = renderFragment(check.query, settings);
    if (rendered.refusals.length > 0) continue;
    session.note('ambiguity', check.line, check.message);
    if (rendered.relations.some((relation) => relation.state === 'former')) continue;
    tests.push(builtTest(`${name}_is_ambiguous_${index + 1}`, rendered, check, 'ambiguity'));
  }
  return { tests, problems };
}

function builtTest(
  name: string,
  rendered: Rendered,
  at: { readonly line: number; readonly message: string },
  kind: TranslatedTest['kind'],
): BuiltTest {
  const after = rendered.relations.some((relation) => relation.state === 'final');
  return {
    parameters: rendered.parameters,
    test: {
      name,
      query: rendered.query,
      line: at.line,
      message: at.message,
      kind,
      when: after ? 'after' : 'before',
    },
  };
}

function nameOf(key: string): QualifiedName {
  const dot = key.indexOf('.');
  return { schema: key.slice(0, dot), name: key.slice(dot + 1) };
}
