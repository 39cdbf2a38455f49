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

/** The overload that takes this many arguments; null where none does. */
export function overload(routines: readonly Routine[], argumentCount: number): Routine | null {
  const fits = (routine: Routine): boolean => {
    const passed = routine.parameters.filter(
      (parameter) =>
        parameter.mode !== 'table' && (parameter.mode !== 'out' || routine.kind === 'procedure'),
    );
    const required = passed.filter(
      (parameter) => parameter.defaultSql === null && parameter.mode !== 'variadic',
    );
    const open = passed.some((parameter) => parameter.mode === 'variadic');
    return argumentCount >= required.length && (open || argumentCount <= passed.length);
  };
  return routines.find(fits) ?? null;
}
