/** Tables that the project reads and does not build: dbt sources. */
import type { Catalog, QualifiedName } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import { identifier } from '../translate/identifiers.ts';
import { NameRegistry, safeName, safePath } from './names.ts';
import type { ExistingProject, ProjectFile, ProjectOptions, SourceFreshness } from './types.ts';
import { templateYaml } from './yaml-text.ts';

interface UsedSource {
  readonly source: string;
  readonly name: string;
  /** Where the rows are in the target database. */
  readonly table: QualifiedName;
}

/** Hands out source names as tables are used, and writes down those that were. */
export class Sources {
  readonly #used = new Map<string, UsedSource>();
  readonly #declared: ReadonlyMap<string, UsedSource>;
  readonly #sourceNames = new Map<string, string>();
  readonly #registry: NameRegistry;
  readonly #tableNames = new Map<string, NameRegistry>();
  readonly #moved: ProjectOptions['moved'];
  /** The table of the source database by its place in the target. */
  readonly #origins = new Map<string, QualifiedName>();

  constructor(existing: ExistingProject | null, moved: ProjectOptions['moved']) {
    this.#moved = moved;
    const sources = existing?.sources ?? [];
    this.#declared = new Map(sources.map((source) => [qualified(source.table), source]));
    this.#registry = new NameRegistry(sources.map(({ source }) => source));
    // Tables that are new join the source that the project has for their schema.
    for (const { source, table } of sources) this.#sourceNames.set(table.schema, source);
    for (const [source, tables] of Map.groupBy(sources, ({ source }) => source)) {
      this.#tableNames.set(source, new NameRegistry(tables.map(({ name }) => name)));
    }
  }

  /** The source and table name by which a table is read; notes that it is. */
  use(origin: QualifiedName): UsedSource {
    const table = this.#moved.get(qualified(origin)) ?? origin;
    const key = qualified(table);
    this.#origins.set(key, origin);
    const known = this.#declared.get(key) ?? this.#used.get(key);
    if (known) return known;
    const source = this.#sourceName(table.schema);
    const registry = this.#tableNames.get(source) ?? new NameRegistry();
    this.#tableNames.set(source, registry);
    const used = { source, name: registry.claim([safeName(table.name)]), table };
    this.#used.set(key, used);
    return used;
  }

  #sourceName(schema: string): string {
    const known = this.#sourceNames.get(schema);
    if (known !== undefined) return known;
    const name = this.#registry.claim([safeName(schema), `${safeName(schema)}_warehouse`]);
    this.#sourceNames.set(schema, name);
    return name;
  }

  /** One file per source, in its schema's folder. Call it when all models are rendered. */
  files(
    catalog: Catalog,
    options: ProjectOptions,
    folderOf: (schema: string) => string,
  ): readonly ProjectFile[] {
    const bySource = Map.groupBy(this.#used.values(), ({ source }) => source);
    const extension = options.existing?.yamlExtension ?? 'yml';
    const taken = new Set(options.existing?.paths);
    return [...bySource].map(([source, tables]) => {
      const folder = folderOf(tables[0]?.table.schema ?? source);
      const pathAt = (number: number) =>
        safePath(
          folder,
          `_${safeName(source)}__sources${number === 1 ? '' : `_${number}`}.${extension}`,
        );
      let number = 1;
      while (taken.has(pathAt(number))) number++;
      return {
        path: pathAt(number),
        text: templateYaml({ sources: [this.#yaml(catalog, options, source, tables)] }),
      };
    });
  }

  #yaml(
    catalog: Catalog,
    options: ProjectOptions,
    source: string,
    used: readonly UsedSource[],
  ): object {
    const schema = used[0]?.table.schema ?? source;
    const comment = catalog.schemaComments[schema];
    const known = new Map(
      [...catalog.tables, ...catalog.views].map((table) => [qualified(table.name), table]),
    );
    return {
      name: source,
      ...(schema === source ? {} : { schema }),
      description: comment ?? `Tables of schema ${schema}.`,
      tables: used
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, table }) => {
          const origin = this.#origins.get(qualified(table)) ?? table;
          const found = known.get(qualified(origin));
          const freshness = options.freshness.find(
            (entry) => qualified(entry.table) === qualified(origin),
          );
          return {
            name,
            ...(name === table.name ? {} : { identifier: table.name }),
            ...(found?.comment ? { description: found.comment } : {}),
            ...(freshness ? { config: freshnessYaml(freshness) } : {}),
            columns: (found?.columns ?? []).map((column) => ({
              name: column.name,
              ...(identifier(column.name) === column.name ? {} : { quote: true }),
              data_type: column.type,
              ...(column.comment ? { description: column.comment } : {}),
            })),
          };
        }),
    };
  }
}

function freshnessYaml(freshness: SourceFreshness): object {
  const hours = (count: number) => ({ count, period: 'hour' });
  return {
    loaded_at_field: identifier(freshness.loadedAtColumn),
    freshness: {
      warn_after: hours(freshness.warnAfterHours),
      ...(freshness.errorAfterHours === null
        ? {}
        : { error_after: hours(freshness.errorAfterHours) }),
    },
  };
}
