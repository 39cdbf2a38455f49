/**
 * What one translation knows and collects while it walks a routine: the catalog, the routine's
 * names, versions handed out, notes, checks and refusals.
 */
import type { QualifiedName, Routine, Table } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import type { CatalogIndex } from './catalog-index.ts';
import type { Fragment } from './fragment.ts';
import type { AmbiguityCheck } from './rules/context.ts';
import type { ShapeColumn, TableShape } from './table.ts';
import type { Note, Refusal, TranslatedBranch } from './types.ts';
import type { Version } from './version.ts';
import { VersionFactory } from './version.ts';
import type { FactsReader, RoutineFacts } from './postgres/facts.ts';
import { bindDefault, isRandomDefault } from './postgres/defaults.ts';
import type { State } from './state.ts';

/** A condition under which the routine raises an error. */
export interface RaiseCheck {
  readonly condition: Fragment;
  readonly message: string;
  readonly line: number;
}

/** A path that left the routine early: under this condition its result is this state. */
export interface EarlyReturn {
  readonly condition: Fragment;
  readonly state: State;
}

export class Session {
  /** Steps of the routine itself that were evaluated. */
  steps = 0;
  readonly index: CatalogIndex;
  readonly facts: FactsReader;
  readonly factory = new VersionFactory();
  readonly effects: RoutineFacts;
  /** Tables that the routine reads at some point, as `schema.name`. */
  readonly reads: ReadonlySet<string>;
  /** Tables that the routine writes at some point, as `schema.name`. */
  readonly written: ReadonlySet<string>;
  readonly notes: Note[] = [];
  readonly refusals: Refusal[] = [];
  readonly raises: RaiseCheck[] = [];
  readonly ambiguities: AmbiguityCheck[] = [];
  readonly branches: TranslatedBranch[] = [];
  readonly returns: EarlyReturn[] = [];
  readonly calls: string[] = [];
  /** Tables and views whose state before the call was read. */
  readonly read = new Map<string, QualifiedName>();
  /** Tables that a query reads inside a function that it calls. */
  readonly readByFunctions = new Map<string, QualifiedName>();
  /** Tables that an exception handler writes: right only where they are log tables. */
  readonly handlerWrites = new Map<string, Refusal>();
  /** Tables that get rows without data anywhere, handlers too. */
  readonly logWrites = new Set<string>();
  /** Columns whose values no two runs share, by table: column to reason. */
  readonly randomColumns = new Map<string, Map<string, string>>();
  readonly returned: Version[] = [];
  readonly callStack: string[] = [];
  readonly #initial = new Map<string, Version>();

  /** Routines that have models of their own. */
  readonly inScope: ReadonlySet<string>;

  constructor(
    index: CatalogIndex,
    facts: FactsReader,
    effects: RoutineFacts,
    inScope: ReadonlySet<string>,
  ) {
    this.inScope = inScope;
    this.index = index;
    this.facts = facts;
    this.effects = effects;
    this.written = effects.writes;
    this.reads = effects.reads;
  }

  /** Set by the evaluation: notes what a function that changes tables does to them. */
  sideEffect: (routine: Routine, refusal: Refusal) => void = (_routine, refusal) => {
    this.refusals.push(refusal);
  };

  note(kind: Note['kind'], line: number, message: string): void {
    if (this.notes.some((note) => note.line === line && note.message === message)) return;
    this.notes.push({ kind, line, message });
  }

  /** Notes a column whose values no two runs share. */
  random(table: string, column: string, line: number): void {
    const columns = this.randomColumns.get(table) ?? new Map<string, string>();
    columns.set(column, 'its values are random: no two runs share them');
    this.randomColumns.set(table, columns);
    this.note(
      'unprovable',
      line,
      `${table}.${column} gets random values: the proof leaves it out.`,
    );
  }

  /** The state of a table or view before the call; one version for each. */
  initial(name: QualifiedName): Version | null {
    const key = qualified(name);
    const known = this.#initial.get(key);
    if (known) return known;
    const relation = this.index.table(name) ?? this.index.view(name);
    if (!relation) return null;
    const version = this.factory.make({
      label: name.name,
      title: key,
      lines: { first: 0, last: 0 },
      columns: relation.columns.map((column) => ({ name: column.name, type: column.type })),
      keys: 'keys' in relation ? usableKeys(relation).map((key) => key.columns) : [],
      change: null,
      owner: key,
      dataFree: false,
      body: { kind: 'initial', table: name },
    });
    this.#initial.set(key, version);
    return version;
  }

  shapeOf(table: Table): TableShape {
    const columns = table.columns.map((column): ShapeColumn => {
      const surrogate =
        column.identity !== null ||
        column.sequence !== null ||
        column.defaultSql?.startsWith('nextval(') === true;
      const defaultSql = column.defaultSql ?? this.index.domainDefault(column.type);
      return {
        name: column.name,
        type: column.type,
        notNull: !column.nullable,
        readBack: this.reads.has(qualified(table.name)),
        surrogate,
        defaultSql: surrogate || defaultSql === null ? null : bindDefault(defaultSql),
        randomDefault: defaultSql !== null && isRandomDefault(defaultSql),
        generated: column.generatedSql === null ? null : bindDefault(column.generatedSql),
      };
    });
    const notNull = new Set(
      table.columns.filter((column) => !column.nullable).map((column) => column.name),
    );
    return {
      name: table.name,
      temporary: false,
      columns,
      keys: usableKeys(table).map((key) => ({
        name: key.name,
        columns: key.columns,
        primary: key.kind === 'primary',
        nullsCollide: key.nullsNotDistinct,
        notNull: key.columns.every((column) => notNull.has(column)),
      })),
      indexes: table.keys.flatMap(({ name, indexedSql, predicateSql, nullsNotDistinct }) =>
        indexedSql === undefined
          ? []
          : [
              {
                name,
                parts: indexedSql,
                predicate: predicateSql,
                nullsCollide: nullsNotDistinct,
              },
            ],
      ),
    };
  }
}

function usableKeys(table: Table): Table['keys'] {
  return table.keys.filter((key) => key.predicateSql === null && !key.hasExpressions);
}
