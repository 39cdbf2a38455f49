/** From the last state of an evaluation to models, tests and what is to be said about them. */
import type { QualifiedName, Routine } from '../catalog/types.ts';
import { qualified, routineId } from '../catalog/names.ts';
import type { Evaluation } from './evaluate.ts';
import { choose, addedSince } from './control/branch.ts';
import { sql } from './fragment.ts';
import { canonicalType, baseOf } from './postgres/tree.ts';
import { makeRefusal } from './refusals.ts';
import type { Rendered, RenderSettings } from './render.ts';
import { renderFragment, renderVersion } from './render.ts';
import type { State, TableState } from './state.ts';
import { TEMPORARY } from './state.ts';
import { identifyingKey } from './table.ts';
import type {
  IncrementalForm,
  ModelColumn,
  Refusal,
  TranslatedModel,
  TranslatedTest,
  Translation,
} from './types.ts';
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
  const finals = new Map<string, Version>();
  for (const [key, table] of kept) {
    if (table.refusal) refusals.push(table.refusal);
    else if (table.version) finals.set(key, table.version);
    else if (session.index.table(table.shape.name))
      refusals.push(
        makeRefusal(
          'ddl',
          { line: table.lines?.first ?? 0, construct: `DROP TABLE ${key}` },
          `The table ${key} is dropped and not made again.`,
        ),
      );
  }
  const returned = returnedModel(evaluated);
  const { models, problems } = modelsOf(evaluated, finals, kept);
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

interface Built {
  readonly model: TranslatedModel;
  readonly rendered: Rendered;
  readonly refusals: readonly Refusal[];
}

function modelsOf(
  evaluated: Evaluated,
  finals: ReadonlyMap<string, Version>,
  kept: ReadonlyMap<string, TableState>,
): { models: readonly Built[]; problems: readonly Refusal[] } {
  // Reading another table's final state through its model is shorter; where that would make a
  // circle of models, each one computes what it needs itself.
  for (const shared of [finals, new Map<string, Version>()]) {
    const models = [...finals].flatMap(([key, version]) => {
      const table = kept.get(key);
      return table
        ? [modelOf(evaluated, table, version, settingsOf(evaluated, key, shared, kept))]
        : [];
    });
    const ordered = buildOrder(models);
    if (ordered) return { models: ordered, problems: models.flatMap((model) => model.refusals) };
  }
  const message = `Each of ${[...finals.keys()].join(', ')} is made from the former state of another of them.`;
  return {
    models: [],
    problems: [
      makeRefusal('former-and-final', { line: 1, construct: evaluated.routine.name.name }, message),
    ],
  };
}

function settingsOf(
  evaluated: Evaluated,
  own: string | null,
  finals: ReadonlyMap<string, Version>,
  kept: ReadonlyMap<string, TableState>,
): RenderSettings {
  return { own, finals, changed: new Set(kept.keys()), taken: evaluated.taken };
}

function modelOf(
  evaluated: Evaluated,
  table: TableState,
  version: Version,
  settings: RenderSettings,
): Built {
  const { session } = evaluated.evaluation;
  const rendered = renderVersion(version, settings);
  const key = qualified(table.shape.name);
  const readsItself = rendered.relations.some(
    (relation) => relation.state === 'former' && qualified(relation.table) === key,
  );
  const incremental = readsItself ? incrementalForm(evaluated, table, version, settings) : null;
  const functions = [...session.readByFunctions.values()].filter((name) => qualified(name) !== key);
  return {
    rendered,
    refusals: rendered.refusals,
    model: {
      table: table.shape.name,
      columns: columnsOf(evaluated, table, version),
      materialization: readsItself ? 'rebuild' : 'table',
      query: rendered.query,
      incremental,
      buildAfter: functions,
      lines: table.lines ?? { first: 1, last: 1 },
    },
  };
}

function columnsOf(
  evaluated: Evaluated,
  table: TableState,
  version: Version,
): readonly ModelColumn[] {
  const { columns } = table.shape;
  const random = evaluated.evaluation.session.randomColumns.get(qualified(table.shape.name));
  return (columns ?? version.columns ?? []).map((column) => {
    const surrogate =
      columns?.find((candidate) => candidate.name === column.name)?.surrogate ?? false;
    return {
      name: column.name,
      type: column.type,
      baseType: column.type === null ? null : baseOf(column.type),
      surrogate,
      unprovable: random?.get(column.name) ?? null,
    };
  });
}

function incrementalForm(
  evaluated: Evaluated,
  table: TableState,
  version: Version,
  settings: RenderSettings,
): IncrementalForm | null {
  const catalogTable = evaluated.evaluation.session.index.table(table.shape.name);
  if (
    !catalogTable ||
    catalogTable.columns.some(
      (column) => column.identity === 'always' || column.generatedSql !== null,
    )
  )
    return null;
  const added = addedSince(version, table.initial);
  if (added && added.length > 0) {
    const rows: Version = { ...version, body: { kind: 'union', inputs: added } };
    const [only] = added;
    return {
      strategy: 'append',
      uniqueKey: [],
      query: renderVersion(added.length === 1 && only ? only : rows, settings).query,
    };
  }
  const key = identifyingKey(table.shape);
  if (version.change?.kind !== 'merge' || version.change.base !== table.initial || !key)
    return null;
  return {
    strategy: 'merge',
    uniqueKey: key.columns,
    query: renderVersion(version.change.rows, settings).query,
  };
}

/** Models in an order in which they can be built, each with what it must wait for; null for a circle. */
function buildOrder(models: readonly Built[]): readonly Built[] | null {
  const byTable = new Map(models.map((model) => [qualified(model.model.table), model]));
  const before = new Map<string, Set<string>>(
    models.map((model) => [qualified(model.model.table), new Set()]),
  );
  const waits = new Map<string, QualifiedName[]>();
  for (const { model, rendered } of models) {
    const key = qualified(model.table);
    for (const { table, state } of rendered.relations) {
      const other = qualified(table);
      if (other === key || !byTable.has(other)) continue;
      if (state === 'final') before.get(key)?.add(other);
      if (state !== 'former') continue;
      before.get(other)?.add(key);
      waits.set(other, [...(waits.get(other) ?? []), model.table]);
    }
  }
  const order: Built[] = [];
  const done = new Set<string>();
  while (order.length < models.length) {
    const next = models.find(
      ({ model }) =>
        !done.has(qualified(model.table)) &&
        [...(before.get(qualified(model.table)) ?? [])].every((key) => done.has(key)),
    );
    if (!next) return null;
    done.add(qualified(next.model.table));
    const buildAfter = [
      ...next.model.buildAfter,
      ...(waits.get(qualified(next.model.table)) ?? []),
    ];
    order.push({ ...next, model: { ...next.model, buildAfter } });
  }
  return order;
}

/** A routine that returns rows: a view of its name. */
function returnedModel(evaluated: Evaluated): Built | null {
  const { routine, evaluation } = evaluated;
  const { session } = evaluation;
  const [first] = session.returned;
  if (!first || session.written.size > 0) return null;
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
    own: null,
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
  finals: ReadonlyMap<string, Version>,
): { tests: readonly BuiltTest[]; problems: readonly Refusal[] } {
  const { session } = evaluated.evaluation;
  const settings: RenderSettings = {
    own: null,
    finals,
    changed: new Set(finals.keys()),
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
