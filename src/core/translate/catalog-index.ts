/** A catalog with its names looked up fast, as one routine sees them. */
import type { Catalog, QualifiedName, Routine, Table, View } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';

export class CatalogIndex {
  readonly catalog: Catalog;
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #views: ReadonlyMap<string, View>;
  readonly #routines: ReadonlyMap<string, readonly Routine[]>;
  readonly #types: ReadonlySet<string>;
  readonly #domainDefaults: ReadonlyMap<string, string>;
  readonly #referring: ReadonlyMap<string, readonly Table[]>;
  readonly #parents: ReadonlyMap<string, readonly QualifiedName[]>;
  readonly #children: ReadonlyMap<string, readonly QualifiedName[]>;

  constructor(catalog: Catalog) {
    this.catalog = catalog;
    this.#tables = new Map(catalog.tables.map((table) => [qualified(table.name), table]));
    this.#views = new Map(catalog.views.map((view) => [qualified(view.name), view]));
    this.#routines = Map.groupBy(catalog.routines, (routine) => qualified(routine.name));
    const links = catalog.tables.flatMap((table) =>
      table.foreignKeys.map((key) => ({ table, to: qualified(key.references) })),
    );
    this.#referring = new Map(
      [...Map.groupBy(links, (link) => link.to)].map(([to, group]) => [
        to,
        group.map((link) => link.table),
      ]),
    );
    const kinship = catalog.tables.flatMap(({ name, partitionOf, inherits = [] }) =>
      [...(partitionOf ? [partitionOf] : []), ...inherits].map((parent) => ({ name, parent })),
    );
    this.#parents = namesBy(
      kinship,
      ({ name }) => name,
      ({ parent }) => parent,
    );
    this.#children = namesBy(
      kinship,
      ({ parent }) => parent,
      ({ name }) => name,
    );
    this.#types = new Set(catalog.types.map((type) => qualified(type.name)));
    this.#domainDefaults = new Map(
      catalog.types.flatMap(({ name, defaultSql }): [string, string][] =>
        defaultSql === undefined
          ? []
          : [
              [qualified(name), defaultSql],
              ...(catalog.searchPath.includes(name.schema)
                ? [[name.name, defaultSql] satisfies [string, string]]
                : []),
            ],
      ),
    );
  }

  table(name: QualifiedName): Table | null {
    return this.#tables.get(qualified(name)) ?? null;
  }

  /** Tables with a foreign key to a table. */
  referring(name: QualifiedName): readonly Table[] {
    return this.#referring.get(qualified(name)) ?? [];
  }

  /** Tables that show rows of this one, or whose rows it shows: partitions, and INHERITS. */
  sharingRows(name: QualifiedName): readonly QualifiedName[] {
    return [...this.#follow(this.#parents, name), ...this.#follow(this.#children, name)];
  }

  /** Whether other tables keep rows that this one shows although it is not partitioned. */
  hasHeirs(name: QualifiedName): boolean {
    return this.table(name)?.kind !== 'partitioned' && this.#children.has(qualified(name));
  }

  #follow(
    links: ReadonlyMap<string, readonly QualifiedName[]>,
    from: QualifiedName,
  ): readonly QualifiedName[] {
    const found = new Map<string, QualifiedName>();
    const open = [from];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const next of links.get(qualified(at)) ?? []) {
        if (found.has(qualified(next))) continue;
        found.set(qualified(next), next);
        open.push(next);
      }
    }
    return [...found.values()];
  }

  view(name: QualifiedName): View | null {
    return this.#views.get(qualified(name)) ?? null;
  }

  /** The first schema of the path that holds a table or view of this name. */
  resolveRelation(name: string, path: readonly string[]): QualifiedName | null {
    for (const schema of path) {
      const candidate = { schema, name };
      if (this.table(candidate) || this.view(candidate)) return candidate;
    }
    return null;
  }

  /** DEFAULT of a domain, by its name as the catalog prints it; null for none, and other types. */
  domainDefault(type: string): string | null {
    return this.#domainDefaults.get(type.replaceAll('"', '')) ?? null;
  }

  resolveType(name: string, path: readonly string[]): QualifiedName | null {
    const schema = path.find((candidate) =>
      this.#types.has(qualified({ schema: candidate, name })),
    );
    return schema === undefined ? null : { schema, name };
  }

  /** Overloads of a routine's name, in the first schema of the path that has any. */
  routines(path: readonly string[], searchPath: readonly string[]): readonly Routine[] {
    const name = path.at(-1) ?? '';
    const schemas = path.length > 1 ? [path.at(-2) ?? ''] : searchPath;
    for (const schema of schemas) {
      const found = this.#routines.get(qualified({ schema, name }));
      if (found) return found;
    }
    return [];
  }

  /** Schemas in which a routine's unqualified names are looked up. */
  searchPathOf(routine: Routine): readonly string[] {
    const own = ownPath(routine);
    return own ? own.filter((schema) => schema !== BUILT_IN) : this.catalog.searchPath;
  }

  /** Whether a function of the user is found before a built-in one of the same name. */
  shadowsBuiltIn(name: string, routine: Routine): boolean {
    const own = ownPath(routine) ?? [];
    const before = own.slice(0, Math.max(own.indexOf(BUILT_IN), 0));
    return before.length > 0 && this.routines([name], before).length > 0;
  }
}

const BUILT_IN = 'pg_catalog';

/** The routine's own SET search_path; null where it has none. */
function ownPath(routine: Routine): readonly string[] | null {
  const own = routine.settings.search_path;
  if (own === undefined) return null;
  return own
    .split(',')
    .map((schema) => schema.trim().replaceAll(/^["']|["']$/gu, ''))
    .filter((schema) => schema !== '' && schema !== '$user');
}

function namesBy<T>(
  items: readonly T[],
  key: (item: T) => QualifiedName,
  value: (item: T) => QualifiedName,
): ReadonlyMap<string, readonly QualifiedName[]> {
  const groups = Map.groupBy(items, (item) => qualified(key(item)));
  return new Map([...groups].map(([name, group]) => [name, group.map(value)]));
}
