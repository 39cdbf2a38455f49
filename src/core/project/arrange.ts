/**
 * Which models the project has, what they are called, and what each of their reads means.
 *
 * A read is bound to the state that the procedure would have found at its place in the execution
 * order. Where that state is another model's, it is a `ref`. Where it is the state before the run,
 * it is the table itself as a source, and the model that changes the table must wait for the reader.
 */
import type { Catalog, QualifiedName, View } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import type { TranslatedModel, Translation } from '../translate/types.ts';
import {
  joinNames,
  modelNamer,
  NameRegistry,
  routineName,
  safeName,
  shortHash,
  withSuffix,
} from './names.ts';
import { builtQuery, relationParts } from './parts.ts';
import type { RelationPart } from './parts.ts';
import { ProjectError } from './types.ts';
import type { ExistingProject, MigratedModel } from './types.ts';
import { viewParts } from './view-sql.ts';

export interface PlannedModel {
  readonly name: string;
  /** The relation that dbt builds. */
  readonly relation: QualifiedName;
  readonly role: 'final' | 'step' | 'view';
  /** True where several procedures write the table. */
  readonly inChain: boolean;
  /** Place in the execution order; views come after everything. */
  readonly position: number;
  readonly routine: string | null;
  readonly translated: TranslatedModel;
}

/** What a read of a relation comes to. */
export type Resolution =
  | { readonly kind: 'this' }
  | { readonly kind: 'model'; readonly model: PlannedModel }
  /** `built`: a model of this project changes it later; it may not exist before the first run. */
  | { readonly kind: 'source'; readonly table: QualifiedName; readonly built: PlannedModel | null }
  /** A model that the existing project had before. */
  | { readonly kind: 'existing'; readonly name: string }
  /** A view whose tables are in a state that only a copy of its query can show. */
  | { readonly kind: 'inline'; readonly view: View };

/** Who reads: a place in the execution order and, for a model, the model. */
export interface Reader {
  readonly position: number;
  readonly model: PlannedModel | null;
}

export interface Arrangement {
  /** In execution order; views last. */
  readonly models: readonly PlannedModel[];
  resolve(reader: Reader, part: RelationPart): Resolution;
  modelOf(position: number, table: QualifiedName): PlannedModel | null;
  /** All models of one place in the execution order. */
  modelsAt(position: number): readonly PlannedModel[];
  /** The model that builds a table or view of the database; null where none does. */
  builderOf(relation: QualifiedName): PlannedModel | null;
}

/** Decides on names, roles and reads of all models. Pure; throws `ProjectError` on broken input. */
export function arrange(
  catalog: Catalog,
  translations: readonly Translation[],
  existing: ExistingProject | null,
): Arrangement {
  const writers = writersByTable(translations);
  const views = new ViewReads(catalog, translations, writers);
  const modelled = [...views.asModels()];
  const models = nameModels(catalog, translations, writers, modelled, existing);
  const byKey = new Map(
    models.map((model) => [modelKey(model.position, model.translated.table), model]),
  );
  const modelOf = (position: number, table: QualifiedName) =>
    byKey.get(modelKey(position, table)) ?? null;
  const viewPosition = translations.length;
  const builtBefore = tablesBuiltBefore(translations, existing);

  const resolve = (reader: Reader, part: RelationPart): Resolution => {
    const written = writers.get(qualified(part.table)) ?? [];
    if (part.state === 'final') {
      const model = modelOf(reader.position, part.table);
      if (model === null) {
        throw new ProjectError(
          'unknown-model',
          `${qualified(part.table)} is read in its final state, but position ${reader.position} of the translations has no model for it`,
        );
      }
      return { kind: 'model', model };
    }
    const previous = written.findLast((position) => position < reader.position);
    const before = previous === undefined ? null : modelOf(previous, part.table);
    if (before !== null) return { kind: 'model', model: before };
    const last = written.at(-1);
    const built = last === undefined ? null : modelOf(last, part.table);
    if (built !== null) {
      const own = reader.model !== null && reader.model.name === built.name;
      return own ? { kind: 'this' } : { kind: 'source', table: part.table, built };
    }
    const existingName = builtBefore.get(qualified(part.table));
    if (existingName !== undefined) return { kind: 'existing', name: existingName };
    const view = views.find(part.table);
    if (view === null) return { kind: 'source', table: part.table, built: null };
    const viewModel = modelOf(viewPosition, part.table);
    return viewModel === null ? { kind: 'inline', view } : { kind: 'model', model: viewModel };
  };
  const builders = new Map(
    models.flatMap((model) => (model.role === 'step' ? [] : [[qualified(model.relation), model]])),
  );
  const places = Map.groupBy(models, ({ position }) => position);
  return {
    models,
    resolve,
    modelOf,
    modelsAt: (position) => places.get(position) ?? [],
    builderOf: (name) => builders.get(qualified(name)) ?? null,
  };
}

function modelKey(position: number, table: QualifiedName): string {
  return `${position} ${qualified(table)}`;
}

/** Positions of the translations that have a model for a table, ascending. */
function writersByTable(
  translations: readonly Translation[],
): ReadonlyMap<string, readonly number[]> {
  const writers = new Map<string, number[]>();
  for (const [position, translation] of translations.entries()) {
    for (const model of translation.models) {
      // A step belongs to its procedure alone, however it is called.
      if (model.intermediate) continue;
      const key = qualified(model.table);
      const positions = writers.get(key) ?? [];
      positions.push(position);
      writers.set(key, positions);
    }
  }
  return writers;
}

function nameModels(
  catalog: Catalog,
  translations: readonly Translation[],
  writers: ReadonlyMap<string, readonly number[]>,
  views: readonly View[],
  existing: ExistingProject | null,
): readonly PlannedModel[] {
  const tables = translations.flatMap(({ models }) =>
    models.flatMap(({ table, intermediate }) => (intermediate ? [] : [table])),
  );
  const known = [...catalog.tables, ...catalog.views].map(({ name }) => name);
  const candidates = modelNamer([...known, ...tables]);
  const occupied = new Set(known.map(qualified));
  const names = new NameRegistry(takenNames(translations, existing));
  // Finals first: a table's own name belongs to the model that builds it.
  const finals = new Map<string, string>();
  for (const table of [...tables, ...views.map(({ name }) => name)]) {
    const key = qualified(table);
    if (!finals.has(key)) finals.set(key, names.claim(candidates(table)));
  }
  const planned = translations.flatMap((translation, position) =>
    translation.models.map((translated): PlannedModel => {
      const { table } = translated;
      const written = writers.get(qualified(table)) ?? [];
      const final = finals.get(qualified(table)) ?? safeName(table.name);
      const isFinal = !translated.intermediate && written.at(-1) === position;
      const name = isFinal ? final : names.claim(stepNames(final, table, translation, occupied));
      return {
        name,
        relation: isFinal ? table : { schema: table.schema, name },
        role: isFinal ? 'final' : 'step',
        inChain: written.length > 1 && !translated.intermediate,
        position,
        routine: translation.routine,
        translated,
      };
    }),
  );
  const viewModels = views.map((view): PlannedModel => {
    const name = finals.get(qualified(view.name)) ?? view.name.name;
    const position = translations.length;
    const translated = viewModel(view);
    return {
      name,
      relation: view.name,
      role: 'view',
      inChain: false,
      position,
      routine: null,
      translated,
    };
  });
  return [...planned, ...viewModels];
}

/** Models that an earlier rendering wrote for other procedures than these. */
function otherMigrated(
  translations: readonly Translation[],
  existing: ExistingProject | null,
): readonly MigratedModel[] {
  const routines = new Set(translations.map(({ routine }) => routine));
  const migrated = existing?.migrated ?? [];
  return migrated.filter(({ procedure }) => procedure !== null && !routines.has(procedure));
}

function takenNames(
  translations: readonly Translation[],
  existing: ExistingProject | null,
): readonly string[] {
  const migrated = otherMigrated(translations, existing).map(({ model }) => model);
  return [...(existing?.modelNames ?? []), ...migrated];
}

/** Model by table, for tables that models of the existing project build. */
function tablesBuiltBefore(
  translations: readonly Translation[],
  existing: ExistingProject | null,
): ReadonlyMap<string, string> {
  const migrated = otherMigrated(translations, existing).filter(({ step }) => !step);
  return new Map([
    ...(existing?.builtTables ?? []).map(({ model, table }) => [qualified(table), model] as const),
    ...migrated.map(({ model, table }) => [table, model] as const),
  ]);
}

/** Names for the state of a table after one of its writers, not those of tables that exist. */
function stepNames(
  final: string,
  table: QualifiedName,
  translation: Translation,
  occupied: ReadonlySet<string>,
): [string, ...string[]] {
  const step = joinNames(final, routineName(translation.routine));
  const hashed = withSuffix(step, `_${shortHash(translation.routine)}`);
  return occupied.has(qualified({ schema: table.schema, name: step })) ? [hashed] : [step, hashed];
}

function viewModel(view: View): TranslatedModel {
  return {
    table: view.name,
    columns: view.columns.map(({ name, type, baseType }) => ({
      name,
      type,
      baseType,
      surrogate: false,
      unprovable: null,
    })),
    materialization: 'view',
    query: { ctes: [], final: viewParts(view) },
    incremental: null,
    buildAfter: [],
    intermediate: false,
    lines: { first: 1, last: view.sql.split('\n').length },
  };
}

/** The views that the translations read, and at which places of the execution order. */
class ViewReads {
  readonly #views: ReadonlyMap<string, View>;
  readonly #writers: ReadonlyMap<string, readonly number[]>;
  readonly #readers = new Map<string, Set<number>>();
  readonly #tables = new Map<string, readonly QualifiedName[]>();

  constructor(
    catalog: Catalog,
    translations: readonly Translation[],
    writers: ReadonlyMap<string, readonly number[]>,
  ) {
    // A materialized view has rows of its own, as old as its last refresh: a source.
    this.#views = new Map(
      catalog.views.flatMap((view) => (view.materialized ? [] : [[qualified(view.name), view]])),
    );
    this.#writers = writers;
    for (const [position, translation] of translations.entries()) {
      for (const table of tablesRead(translation)) this.#addReader(table, position);
    }
  }

  find(name: QualifiedName): View | null {
    return this.#views.get(qualified(name)) ?? null;
  }

  /** Views that show every reader what it would have found, when built after all writers. */
  *asModels(): Generator<View> {
    for (const [key, positions] of this.#readers) {
      const view = this.#views.get(key);
      if (view === undefined) continue;
      const lastWrite = Math.max(-1, ...this.#baseWriters(view));
      if ([...positions].every((position) => position > lastWrite)) yield view;
    }
  }

  #addReader(table: QualifiedName, position: number): void {
    const key = qualified(table);
    const view = this.#views.get(key);
    if (view === undefined || this.#writers.has(key)) return;
    const positions = this.#readers.get(key) ?? new Set();
    if (positions.has(position)) return;
    this.#readers.set(key, positions.add(position));
    for (const read of this.#tablesOf(view)) this.#addReader(read, position);
  }

  #baseWriters(view: View): number[] {
    return this.#tablesOf(view).flatMap((table) => {
      const below = this.find(table);
      const own = this.#writers.get(qualified(table)) ?? [];
      return below === null ? own : [...own, ...this.#baseWriters(below)];
    });
  }

  #tablesOf(view: View): readonly QualifiedName[] {
    const key = qualified(view.name);
    const known = this.#tables.get(key);
    if (known) return known;
    const tables = viewParts(view).flatMap((part) =>
      part.kind === 'relation' ? [part.table] : [],
    );
    this.#tables.set(key, tables);
    return tables;
  }
}

function tablesRead(translation: Translation): readonly QualifiedName[] {
  const queries = [
    ...translation.models.flatMap((model) => [model.query, builtQuery(model, false)]),
    ...translation.tests.map((test) => test.query),
  ];
  return queries.flatMap((query) => relationParts(query).map((part) => part.table));
}
