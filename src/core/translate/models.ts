/** The models of one translation: which table each builds, and in what order they can be built. */
import type { QualifiedName } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import { addedSince } from './control/choose.ts';
import type { Evaluated } from './finish.ts';
import { baseOf } from './postgres/tree.ts';
import { makeRefusal } from './refusals.ts';
import type { Rendered, RenderSettings } from './render.ts';
import { renderVersion } from './render.ts';
import type { TableState } from './state.ts';
import { identifyingKey } from './table.ts';
import type { IncrementalForm, ModelColumn, Refusal, TranslatedModel } from './types.ts';
import type { Version } from './version.ts';

export interface Built {
  readonly model: TranslatedModel;
  readonly rendered: Rendered;
  readonly refusals: readonly Refusal[];
}

type References = ReadonlyMap<string, readonly string[]>;
type Shared = ReadonlyMap<Version, QualifiedName>;

/**
 * Reading another table's final state through its model is shorter. Where that makes a circle,
 * each model computes what it needs itself; where two tables need each other's former state, the
 * rows that are added get a model of their own, which is built before both. Foreign keys count as
 * reads, as long as an order can be found with them.
 */
export function modelsOf(
  evaluated: Evaluated,
  kept: ReadonlyMap<string, TableState>,
): { readonly models: readonly Built[]; readonly problems: readonly Refusal[] } {
  const tables = [...kept.values()].filter(
    (table) => table.refusal === null && table.version !== null,
  );
  const finals: Shared = new Map(
    tables.flatMap((table) => (table.version ? [[table.version, table.shape.name]] : [])),
  );
  const steps = addedRows(tables);
  const references = referencesOf(evaluated, tables);
  const none: Shared = new Map();
  const free: References = new Map();
  for (const attempt of [
    { shared: finals, steps: none, references },
    { shared: none, steps: none, references },
    { shared: steps, steps, references },
    { shared: finals, steps: none, references: free },
    { shared: none, steps: none, references: free },
    { shared: steps, steps, references: free },
  ]) {
    const settings: RenderSettings = {
      finals: attempt.shared,
      changed: new Set(kept.keys()),
      taken: evaluated.taken,
    };
    const models = [
      ...[...attempt.steps].map(([version, name]) =>
        stepModel(evaluated, version, name, tables, settings),
      ),
      ...tables.flatMap((table) =>
        table.version ? [modelOf(evaluated, table, table.version, settings)] : [],
      ),
    ];
    const ordered = buildOrder(models, attempt.references);
    if (ordered) return { models: ordered, problems: models.flatMap((model) => model.refusals) };
  }
  const message = `Each of ${tables.map((table) => qualified(table.shape.name)).join(', ')} is made from the former state of another of them.`;
  return {
    models: [],
    problems: [
      makeRefusal('former-and-final', { line: 1, construct: evaluated.routine.name.name }, message),
    ],
  };
}

/** For each table those that its foreign keys refer to: their rows must be there first. */
function referencesOf(
  evaluated: Evaluated,
  tables: readonly TableState[],
): ReadonlyMap<string, readonly string[]> {
  return new Map(
    tables.map(({ shape }) => {
      const table = evaluated.evaluation.session.index.table(shape.name);
      const referenced = (table?.foreignKeys ?? []).map((key) => qualified(key.references));
      return [qualified(shape.name), referenced.filter((key) => key !== qualified(shape.name))];
    }),
  );
}

/** The rows that each table gets, with the name of the model that would hold them. */
function addedRows(tables: readonly TableState[]): Shared {
  return new Map(
    tables.flatMap((table) => {
      const added = table.version ? (addedSince(table.version, table.initial) ?? []) : [];
      return added.map((version, index): [Version, QualifiedName] => {
        const { schema, name } = table.shape.name;
        return [
          version,
          { schema, name: `${name}__new${added.length === 1 ? '' : `_${index + 1}`}` },
        ];
      });
    }),
  );
}

function stepModel(
  evaluated: Evaluated,
  version: Version,
  name: QualifiedName,
  tables: readonly TableState[],
  settings: RenderSettings,
): Built {
  const rendered = renderVersion(version, settings);
  const owner = tables.find((table) => qualified(table.shape.name) === version.owner);
  const columns = owner ? columnsOf(evaluated, owner, version) : [];
  return {
    rendered,
    refusals: rendered.refusals,
    model: {
      table: name,
      columns,
      materialization: 'table',
      query: rendered.query,
      incremental: null,
      buildAfter: [],
      lines: version.lines,
      intermediate: true,
    },
  };
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
  const functions = [...session.readByFunctions.values()].filter((name) => qualified(name) !== key);
  return {
    rendered,
    refusals: rendered.refusals,
    model: {
      table: table.shape.name,
      columns: columnsOf(evaluated, table, version),
      materialization: readsItself ? 'rebuild' : 'table',
      query: rendered.query,
      incremental: readsItself ? incrementalForm(evaluated, table, version, settings) : null,
      buildAfter: functions,
      lines: table.lines ?? { first: 1, last: 1 },
      intermediate: false,
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
  return (columns ?? version.columns ?? []).map((column) => ({
    name: column.name,
    type: column.type,
    baseType: column.type === null ? null : baseOf(column.type),
    surrogate: columns?.find((candidate) => candidate.name === column.name)?.surrogate ?? false,
    unprovable: random?.get(column.name) ?? null,
  }));
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
    const [only] = added;
    const rows: Version = { ...version, body: { kind: 'union', inputs: added } };
    return {
      strategy: 'append',
      uniqueKey: [],
      query: renderVersion(added.length === 1 && only ? { ...only } : rows, settings).query,
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
function buildOrder(models: readonly Built[], references: References): readonly Built[] | null {
  const keys = new Set(models.map((model) => qualified(model.model.table)));
  const before = new Map<string, Set<string>>([...keys].map((key) => [key, new Set()]));
  const waits = new Map<string, QualifiedName[]>();
  for (const { model, rendered } of models) {
    const key = qualified(model.table);
    for (const other of references.get(key) ?? []) if (keys.has(other)) before.get(key)?.add(other);
    for (const { table, state } of rendered.relations) {
      const other = qualified(table);
      if (other === key || !keys.has(other)) continue;
      if (state === 'final') before.get(key)?.add(other);
      if (state !== 'former') continue;
      before.get(other)?.add(key);
      waits.set(other, [...(waits.get(other) ?? []), model.table]);
    }
  }
  const order: Built[] = [];
  const done = new Set<string>();
  while (order.length < models.length) {
    const next = models.find(({ model }) => {
      const key = qualified(model.table);
      return !done.has(key) && [...(before.get(key) ?? [])].every((other) => done.has(other));
    });
    if (!next) return null;
    const key = qualified(next.model.table);
    done.add(key);
    order.push({
      ...next,
      model: { ...next.model, buildAfter: [...next.model.buildAfter, ...(waits.get(key) ?? [])] },
    });
  }
  return order;
}
