/** Answers the binder's questions from a state: which version a name is, what a variable holds. */
import type { QualifiedName, Routine } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import type { TableTarget } from './bound.ts';
import type { Fragment } from './fragment.ts';
import { from, sql } from './fragment.ts';
import { identifier } from './identifiers.ts';
import type {
  BindEnvironment,
  FunctionReading,
  VariableReading,
  WriteTarget,
  WriteVerb,
} from './postgres/environment.ts';
import { bindView } from './postgres/view.ts';
import type { RelationName } from './postgres/tree.ts';
import { makeRefusal, refuse, RefusalError } from './refusals.ts';
import type { Place } from './refusals.ts';
import type { Session } from './session.ts';
import { labelKey, lookup, TEMPORARY } from './state.ts';
import type { LoopRows, State, TableState } from './state.ts';
import type { RangeItem } from './postgres/scope.ts';
import type { Version } from './version.ts';

export class StateEnvironment implements BindEnvironment {
  readonly #session: Session;
  readonly #state: State;
  readonly #searchPath: readonly string[];
  readonly #routine: Routine;
  #loopItems: readonly RangeItem[] | null = null;
  /** The last table that a statement was found to write. */
  lastTarget: string | null = null;
  /** Whether that statement puts new rows into it. */
  lastAdds = false;

  constructor(session: Session, state: State, routine: Routine) {
    this.#session = session;
    this.#state = state;
    this.#routine = routine;
    this.#searchPath = session.index.searchPathOf(routine);
  }

  /** The name of a table as the state keys it; null where there is none. */
  resolve(name: RelationName): QualifiedName | null {
    const temporary = { schema: TEMPORARY, name: name.name };
    if (
      (name.schema === null || name.schema === TEMPORARY) &&
      this.#state.tables.get(qualified(temporary))?.version
    )
      return temporary;
    if (name.schema !== null) return { schema: name.schema, name: name.name };
    for (const schema of this.#searchPath) {
      const candidate = { schema, name: name.name };
      if (this.#state.tables.has(qualified(candidate))) return candidate;
    }
    return this.#session.index.resolveRelation(name.name, this.#searchPath);
  }

  relation(name: RelationName): Version | null {
    const resolved = this.resolve(name);
    if (!resolved) return null;
    const key = qualified(resolved);
    const table = this.#state.tables.get(key);
    if (table) {
      if (this.#session.randomColumns.has(key)) {
        refuse(
          'volatile',
          { line: table.lines?.last ?? 0, construct: key },
          `${key} is read again after random values were put into it.`,
        );
      }
      return currentVersion(table, key);
    }
    const view = this.#session.index.view(resolved);
    if (view) {
      const reads = this.#session.facts.viewReads(resolved);
      if ([...reads].some((read) => this.#session.written.has(read))) {
        return bindView(
          this.#session,
          view,
          new StateEnvironment(this.#session, this.#state, this.#routine),
        );
      }
    }
    const initial = this.#session.initial(resolved);
    if (initial) this.#session.read.set(key, resolved);
    return initial;
  }

  variable(path: readonly string[]): VariableReading | null {
    const [first = '', second] = path;
    if (second === undefined) {
      const found = this.#found(first);
      if (found) return found;
      const value = lookup(this.#state, first);
      if (value?.kind === 'record' || value?.kind === 'fields') return null;
      if (value?.kind === 'poison')
        return { sql: [{ kind: 'poison', refusal: value.refusal }], type: null };
      return value;
    }
    const value = lookup(this.#state, first);
    if (value?.kind === 'poison')
      return { sql: [{ kind: 'poison', refusal: value.refusal }], type: null };
    if (value?.kind === 'fields') return value.fields.get(second) ?? null;
    if (value?.kind === 'record') {
      const column = value.row.columns?.find((candidate) => candidate.name === second);
      if (value.row.columns !== null && !column) return null;
      return {
        sql: sql`(select ${identifier(second)} from ${from(value.row)})`,
        type: column?.type ?? null,
      };
    }
    // `block_label.variable` and `routine.parameter`.
    const block = this.#state.variables.find((candidate) => candidate.has(labelKey(first)));
    const labelled = block?.get(second);
    if (labelled?.kind === 'scalar') return labelled;
    // The routine's name stands for its parameters, whatever inner blocks call their variables.
    const parameter = this.#state.variables[0]?.get(second);
    if (first === this.#routine.name.name && parameter?.kind === 'scalar') return parameter;
    return null;
  }

  #found(name: string): VariableReading | null {
    if (name !== 'found') return null;
    const { lastRows } = this.#state;
    if (lastRows.kind === 'unknown' || (lastRows.kind === 'rows' && lastRows.dynamic)) return null;
    if (lastRows.kind === 'each') return lastRows.found && { sql: lastRows.found, type: 'boolean' };
    return { sql: sql`(exists (select 1 from ${from(lastRows.rows)}))`, type: 'boolean' };
  }

  positional(index: number): VariableReading | null {
    const parameter = this.#routine.parameters.filter(
      (candidate) => candidate.mode !== 'table' && candidate.mode !== 'out',
    )[index - 1];
    return this.variable([`$${index}`]) ?? (parameter ? this.variable([parameter.name]) : null);
  }

  shadowsBuiltIn(name: string): boolean {
    return this.#session.index.shadowsBuiltIn(name, this.#routine);
  }

  isRandom(table: string, column: string): boolean {
    return this.#session.randomColumns.get(table)?.has(column) === true;
  }

  returnsSet(path: readonly string[]): boolean {
    return this.#session.index
      .routines(path, this.#searchPath)
      .some((routine) => routine.returnsSet);
  }

  functionCall(path: readonly string[], place: Place): FunctionReading {
    const overloads = this.#session.index.routines(path, this.#searchPath);
    const { facts } = this.#session;
    const routine = overloads.find((each) => facts.of(each).writes.size > 0) ?? overloads[0];
    if (!routine) return { kind: 'plain' };
    if (facts.of(routine).writes.size > 0) {
      const message = `The function ${qualified(routine.name)} changes tables.`;
      const refusal = makeRefusal('function-side-effect', place, message);
      this.#session.sideEffect(routine, refusal);
      return { kind: 'unknown', refusal };
    }
    for (const key of overloads.flatMap((each) => [...facts.of(each).reads])) {
      if (this.#session.written.has(key)) {
        refuse(
          'function-reads-written',
          place,
          `The function ${qualified(routine.name)} reads ${key}, which this procedure changes.`,
        );
      }
      const dot = key.indexOf('.');
      const name = { schema: key.slice(0, dot), name: key.slice(dot + 1) };
      this.#session.readByFunctions.set(key, name);
      this.#session.read.set(key, name);
    }
    if (path.length > 1) return { kind: 'plain' };
    return {
      kind: 'renamed',
      sql: `${identifier(routine.name.schema)}.${identifier(routine.name.name)}`,
    };
  }

  target(name: RelationName, alias: string, place: Place, verb?: WriteVerb): WriteTarget {
    const resolved = this.resolve(name);
    const key = resolved ? qualified(resolved) : '';
    this.lastTarget = resolved ? key : null;
    this.lastAdds = verb === 'add';
    const state = resolved ? this.#state.tables.get(key) : undefined;
    if (resolved && state) {
      const table = { name: resolved, temporary: state.shape.temporary, alias };
      if (state.version === null)
        refuse('unknown-relation', place, `The table ${key} was dropped before.`);
      return { table, version: state.version };
    }
    const table = resolved ? this.#session.index.table(resolved) : null;
    if (!resolved || !table) {
      if (resolved && this.#session.index.view(resolved))
        refuse(
          'statement',
          place,
          `${key} is a view: rows written through a view are not followed.`,
        );
      refuse(
        'unknown-relation',
        place,
        `There is no table ${name.schema === null ? '' : `${name.schema}.`}${name.name}.`,
      );
    }
    const version = this.#session.initial(resolved);
    if (!version) refuse('unknown-relation', place, `There is no table ${key}.`);
    return { table: { name: resolved, temporary: false, alias }, version };
  }

  defaultOf(table: TableTarget, column: string): Fragment | 'sequence' | null {
    const shape = this.shapeOf(table.name);
    const found = shape?.shape.columns?.find((candidate) => candidate.name === column);
    return found?.surrogate ? 'sequence' : (found?.defaultSql ?? null);
  }

  /** `#variable_conflict use_variable`: a variable is meant where both fit. */
  prefersVariables(): boolean {
    return /^\s*#variable_conflict\s+use_variable\b/imu.test(this.#routine.body);
  }

  loopItems(): readonly RangeItem[] {
    if (!this.#state.loop) return [];
    this.#loopItems ??= [loopItem(this.#state.loop)];
    return this.#loopItems;
  }

  typeName(path: readonly string[]): string | null {
    const type = this.#session.index.resolveType(path[0] ?? '', this.#searchPath);
    return type ? `${identifier(type.schema)}.${identifier(type.name)}` : null;
  }

  /** The state of a table that is written, as it is now or as it was at the start. */
  shapeOf(name: QualifiedName): TableState | null {
    const known = this.#state.tables.get(qualified(name));
    if (known) return known;
    const table = this.#session.index.table(name);
    const version = this.#session.initial(name);
    if (!table || !version) return null;
    return {
      shape: this.#session.shapeOf(table),
      initial: version,
      version,
      refusal: null,
      sequenceRestarted: false,
      lines: null,
      onlyDataFree: true,
      addsRows: false,
      takesData: false,
      looksLikeLog: false,
    };
  }
}

function loopItem(loop: LoopRows): RangeItem {
  const { columns, keys } = loop.rows;
  const qualifiedOnly = loop.record;
  return {
    alias: loop.alias,
    columns,
    keys,
    rowNumbers: [],
    version: loop.rows,
    schema: null,
    qualifiedOnly,
  };
}

function currentVersion(table: TableState, key: string): Version {
  if (table.refusal) throw new RefusalError(table.refusal);
  if (table.version === null) {
    throw new RefusalError(
      makeRefusal(
        'unknown-relation',
        { line: 0, construct: key },
        `The table ${key} was dropped before.`,
      ),
    );
  }
  return table.version;
}

/** A parameter as it stands in a query. */
export function parameterValue(name: string, type: string): Fragment {
  return [{ kind: 'parameter', name, type }];
}
