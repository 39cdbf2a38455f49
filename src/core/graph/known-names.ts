/** Everything that a name can mean in a catalog, whichever routine asks. */
import type { Catalog, ForeignKey, QualifiedName, Routine, Table } from '../catalog/types.ts';
import { qualified, routineId } from '../catalog/names.ts';
import { CatalogIndex } from '../translate/catalog-index.ts';
import { parseSql } from '../translate/postgres/parser.ts';
import type { CallReference } from './call-syntax.ts';
import { bestOverloads } from './overloads.ts';
import { messageOf } from './parse-errors.ts';
import type { RelationReference } from './reference-types.ts';
import { referencesOf } from './references.ts';
import { parseSearchPath } from './search-path.ts';

interface Referrer {
  readonly table: QualifiedName;
  readonly key: ForeignKey;
}

/** What a view stands for, through other views. */
export interface ViewContents {
  readonly tables: readonly QualifiedName[];
  readonly views: readonly QualifiedName[];
  readonly calls: readonly string[];
  /** The parser's message where it can't read a view; null where all were read. */
  readonly problem: string | null;
}

const NOTHING: ViewContents = { tables: [], views: [], calls: [], problem: null };

export class KnownNames {
  readonly #index: CatalogIndex;
  /** Tables that some routine creates and that the catalog lacks, and temporary tables by name. */
  readonly #created: ReadonlySet<string>;
  readonly #temporary: ReadonlySet<string>;
  readonly #schemas: ReadonlySet<string>;
  readonly #referrers: ReadonlyMap<string, readonly Referrer[]>;
  readonly #contents = new Map<string, ViewContents>();
  readonly #ids = new Map<Routine, string>();

  constructor(catalog: Catalog, created: ReadonlySet<string>, temporary: ReadonlySet<string>) {
    this.#index = new CatalogIndex(catalog);
    this.#created = created;
    this.#temporary = temporary;
    const named = [...catalog.tables, ...catalog.views, ...catalog.routines];
    this.#schemas = new Set(named.map((each) => each.name.schema));
    this.#referrers = Map.groupBy(
      catalog.tables.flatMap((table) =>
        table.foreignKeys.map((key) => ({ table: table.name, key, to: qualified(key.references) })),
      ),
      ({ to }) => to,
    );
  }

  searchPathOf(routine: Routine): readonly string[] {
    const own = routine.settings['search_path'];
    return own === undefined ? this.#index.catalog.searchPath : parseSearchPath(own);
  }

  table(name: QualifiedName): Table | null {
    return this.#index.table(name);
  }

  isView(name: QualifiedName): boolean {
    return this.#index.view(name) !== null;
  }

  inCatalog(name: QualifiedName): boolean {
    return this.table(name) !== null || this.isView(name);
  }

  isKnown(name: QualifiedName): boolean {
    return this.inCatalog(name) || this.#created.has(qualified(name));
  }

  /** Some routine makes a temporary table of this name: whoever calls may have made it. */
  isTemporarySomewhere(name: string): boolean {
    return this.#temporary.has(name);
  }

  hasSchema(schema: string): boolean {
    return this.#schemas.has(schema);
  }

  /** The partitioned tables that a partition belongs to. */
  wholesOf(name: QualifiedName): readonly QualifiedName[] {
    const found: QualifiedName[] = [];
    for (let at = this.table(name)?.partitionOf; at !== undefined;) {
      found.push(at);
      at = this.table(at)?.partitionOf;
    }
    return found;
  }

  /** Tables that refer to a table, directly or through others: TRUNCATE … CASCADE takes them too. */
  referrersOf(name: QualifiedName): readonly QualifiedName[] {
    return this.#followKeys(name, () => 'on');
  }

  /** Tables whose foreign keys delete or change rows when rows of this one are deleted. */
  changedByDelete(name: QualifiedName): readonly QualifiedName[] {
    return this.#followKeys(name, ({ key }) => {
      const action = key.onDelete ?? 'restrict';
      if (action === 'restrict') return 'not';
      return action === 'cascade' ? 'on' : 'here';
    });
  }

  /** `here`: this table too, but no further. */
  #followKeys(
    from: QualifiedName,
    follow: (referrer: Referrer) => 'not' | 'here' | 'on',
  ): readonly QualifiedName[] {
    const found = new Map<string, QualifiedName>();
    const pending = [qualified(from)];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      for (const referrer of this.#referrers.get(at) ?? []) {
        const key = qualified(referrer.table);
        const reach = follow(referrer);
        if (reach === 'not' || found.has(key) || key === qualified(from)) continue;
        found.set(key, referrer.table);
        if (reach === 'on') pending.push(key);
      }
    }
    return [...found.values()];
  }

  /** A materialized view counts as a table: it holds rows of its own, besides reading others. */
  contentsOf(view: QualifiedName): ViewContents {
    const key = qualified(view);
    const known = this.#contents.get(key);
    if (known !== undefined) return known;
    // A view can only come back to itself through a function; that adds nothing.
    this.#contents.set(key, NOTHING);
    const contents = this.#read(view);
    this.#contents.set(key, contents);
    return contents;
  }

  #read(name: QualifiedName): ViewContents {
    const view = this.#index.view(name);
    if (view === null) return NOTHING;
    let references;
    try {
      references = referencesOf(parseSql(view.sql).stmts?.[0]?.stmt);
    } catch (error) {
      return { ...NOTHING, tables: [name], problem: messageOf(error) };
    }
    const searchPath = this.#index.catalog.searchPath;
    const direct = references.reads.flatMap(
      (relation) => this.relation(relation, searchPath) ?? [],
    );
    const inner = direct.filter((each) => this.isView(each)).map((each) => this.contentsOf(each));
    const calls = references.calls.flatMap((call) => this.called(call, searchPath, () => null));
    return {
      tables: unique([
        ...(view.materialized ? [name] : []),
        ...direct.filter((each) => !this.isView(each)),
        ...inner.flatMap((each) => each.tables),
      ]),
      views: unique([
        ...direct.filter((each) => this.isView(each)),
        ...inner.flatMap((each) => each.views),
      ]),
      calls: [...new Set([...calls, ...inner.flatMap((each) => each.calls)])],
      problem: inner.find((each) => each.problem !== null)?.problem ?? null,
    };
  }

  /** The table or view that a name means; null where there is none. Temporary tables are not here. */
  relation(reference: RelationReference, searchPath: readonly string[]): QualifiedName | null {
    const schemas = reference.schema === null ? searchPath : [reference.schema];
    for (const schema of schemas) {
      const candidate = { schema, name: reference.name };
      if (this.isKnown(candidate)) return candidate;
    }
    return null;
  }

  /**
   * Ids of the routines that a call can mean: one, or several overloads that the text alone can't
   * tell apart. `typeOfVariable` gives the type of a parameter of the caller.
   */
  called(
    call: CallReference,
    searchPath: readonly string[],
    typeOfVariable: (name: string) => string | null,
  ): readonly string[] {
    const path = call.schema === null ? [call.name] : [call.schema, call.name];
    const found = bestOverloads(this.#index.routines(path, searchPath), call, typeOfVariable);
    return found.map((routine) => this.#idOf(routine));
  }

  #idOf(routine: Routine): string {
    const known = this.#ids.get(routine);
    if (known !== undefined) return known;
    const id = routineId(routine);
    this.#ids.set(routine, id);
    return id;
  }
}

export function unique(names: readonly QualifiedName[]): readonly QualifiedName[] {
  return [...new Map(names.map((name) => [qualified(name), name])).values()];
}
