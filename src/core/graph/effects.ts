/**
 * What each routine of a catalog reads, writes and calls, statement by statement: told from the
 * parse trees alone, so it is also there for what can't be translated.
 */
import type { Catalog, QualifiedName, Routine, TriggerEvent } from '../catalog/types.ts';
import { qualified, routineId } from '../catalog/names.ts';
import type {
  EffectProblem,
  RoutineEffects,
  StatementEffects,
  TableWrite,
} from './effect-types.ts';
import { KnownNames, unique } from './known-names.ts';
import type { RelationReference } from './reference-types.ts';
import type { WriteReference } from './references.ts';
import { routineReferences } from './routine-references.ts';
import type { ReferringStatement, RoutineReferences } from './routine-references.ts';

/**
 * Effects by routine id, in the order of the catalog. The parser must be loaded. Never throws: what
 * can't be read is among the problems of its routine.
 */
export function readEffects(catalog: Catalog): ReadonlyMap<string, RoutineEffects> {
  const read = catalog.routines.map((routine) => ({
    routine,
    references: routineReferences(routine),
  }));
  const names = namesFrom(catalog, read);
  return new Map(
    read.map(({ routine, references }) => {
      const effects = new Resolver(routine, names).resolve(references);
      return [effects.routine, effects];
    }),
  );
}

interface Read {
  readonly routine: Routine;
  readonly references: RoutineReferences;
}

/** Tables that routines make are known to all of them: one may make what another reads. */
function namesFrom(catalog: Catalog, read: readonly Read[]): KnownNames {
  const created = new Set<string>();
  const temporary = new Set<string>();
  const paths = new KnownNames(catalog, created, temporary);
  for (const { routine, references } of read) {
    let searchPath = paths.searchPathOf(routine);
    for (const { references: found } of references.statements) {
      searchPath = found.searchPath ?? searchPath;
      for (const write of found.writes) {
        const { schema, name } = write.relation;
        if (write.action !== 'create') continue;
        if (isTemporary(write)) temporary.add(name);
        else created.add(qualified({ schema: schema ?? searchPath[0] ?? '', name }));
      }
    }
  }
  return paths;
}

/** Changes that a view passes on to the table below it. */
const ROW_CHANGES: ReadonlySet<TableWrite['action']> = new Set([
  'insert',
  'update',
  'delete',
  'merge',
  'copy',
]);

const ALL_EVENTS: readonly TriggerEvent[] = ['insert', 'update', 'delete', 'truncate'];

function eventsOf(action: TableWrite['action']): readonly TriggerEvent[] {
  if (action === 'copy') return ['insert'];
  if (action === 'merge') return ['insert', 'update', 'delete'];
  return ALL_EVENTS.filter((event) => event === action);
}

function isTemporary(write: WriteReference): boolean {
  return write.temporary || write.relation.schema === 'pg_temp';
}

/** Walks a routine's statements in order: what a name means depends on those before. */
class Resolver {
  readonly #routine: Routine;
  readonly #names: KnownNames;
  readonly #problems: EffectProblem[] = [];
  readonly #temporary = new Set<string>();
  /** Tables that only this routine makes, and whether they are there at the moment. */
  readonly #made = new Map<string, boolean>();
  #searchPath: readonly string[];

  constructor(routine: Routine, names: KnownNames) {
    this.#routine = routine;
    this.#names = names;
    this.#searchPath = names.searchPathOf(routine);
  }

  resolve({ statements, problems }: RoutineReferences): RoutineEffects {
    const resolved = statements.map((statement) => this.#statement(statement));
    // What the routine makes and drops again is a temporary table by another name.
    const lasts = (name: QualifiedName): boolean => this.#made.get(qualified(name)) !== false;
    const kept = resolved
      .map((statement) => ({
        ...statement,
        reads: statement.reads.filter(lasts),
        writes: statement.writes.filter((write) => lasts(write.table)),
      }))
      .filter(({ reads, writes, calls }) => reads.length + writes.length + calls.length > 0);
    const reads = kept.flatMap((statement) => statement.reads);
    const views = reads.filter((name) => this.#names.isView(name));
    const contents = views.map((view) => this.#names.contentsOf(view));
    return {
      routine: routineId(this.#routine),
      statements: kept,
      reads: unique([
        ...reads.filter((name) => !this.#names.isView(name)),
        ...contents.flatMap((each) => each.tables),
      ]),
      views: unique([...views, ...contents.flatMap((each) => each.views)]),
      writes: unique(kept.flatMap((statement) => statement.writes.map((write) => write.table))),
      calls: [
        ...new Set([
          ...kept.flatMap((statement) => statement.calls),
          ...contents.flatMap((each) => each.calls),
        ]),
      ],
      problems: [...problems, ...this.#problems].toSorted((a, b) => a.line - b.line),
    };
  }

  #statement(statement: ReferringStatement): StatementEffects {
    const { line, references } = statement;
    const reads = references.reads.flatMap((relation) => this.#read(relation, statement));
    const calls = references.calls.flatMap((call) => {
      const found = this.#names.called(call, this.#searchPath, (name) => this.#typeOf(name));
      const expected =
        call.procedure || (call.schema !== null && this.#names.hasSchema(call.schema));
      if (found.length === 0 && expected) this.#unknownRoutine(call, statement);
      return found;
    });
    const writes = references.writes.flatMap((write) => this.#write(write, statement));
    this.#searchPath = references.searchPath ?? this.#searchPath;
    return { line, reads: unique(reads), writes, calls: [...new Set(calls)] };
  }

  #read(relation: RelationReference, statement: ReferringStatement): readonly QualifiedName[] {
    if (this.#isOwnTemporary(relation)) return [];
    const name = this.#find(relation, statement);
    if (name === null) return [];
    const problem = this.#names.isView(name) ? this.#names.contentsOf(name).problem : null;
    if (problem !== null) {
      const message = `The view ${qualified(name)} can't be read: ${problem}`;
      this.#problem('parse-error', statement, message, 'Give its tables in “Depends on”.');
    }
    return [name, ...this.#names.wholesOf(name)];
  }

  #write(write: WriteReference, statement: ReferringStatement): readonly TableWrite[] {
    const { action, relation } = write;
    if (action === 'create' && isTemporary(write)) {
      this.#temporary.add(relation.name);
      return [];
    }
    if (this.#isOwnTemporary(relation)) {
      if (action === 'drop') this.#temporary.delete(relation.name);
      return [];
    }
    const name = action === 'create' ? this.#create(write) : this.#change(write, statement);
    if (name === null) return [];
    this.#hiddenWriters(name, action, statement);
    const others = this.#changedAlong(name, write);
    const changed = this.#tableOf(name, action);
    return [changed, ...this.#names.wholesOf(changed), ...others].map((table) => ({
      table,
      action,
    }));
  }

  #changedAlong(
    name: QualifiedName,
    { action, cascade }: WriteReference,
  ): readonly QualifiedName[] {
    if (cascade) return this.#names.referrersOf(name);
    return action === 'delete' ? this.#names.changedByDelete(name) : [];
  }

  /** The table that a write to a view changes: the only one that the view reads. */
  #tableOf(name: QualifiedName, action: TableWrite['action']): QualifiedName {
    if (!this.#names.isView(name) || !ROW_CHANGES.has(action)) return name;
    const [table, ...others] = this.#names.contentsOf(name).tables;
    return table !== undefined && others.length === 0 ? table : name;
  }

  #create({ relation, ifNotExists }: WriteReference): QualifiedName | null {
    const name = { schema: relation.schema ?? this.#searchPath[0] ?? '', name: relation.name };
    if (this.#names.inCatalog(name)) return ifNotExists ? null : name;
    this.#made.set(qualified(name), true);
    return name;
  }

  #change(write: WriteReference, statement: ReferringStatement): QualifiedName | null {
    if (write.action !== 'drop') return this.#find(write.relation, statement);
    // DROP … IF EXISTS of what is not there does nothing.
    const name = this.#names.relation(write.relation, this.#searchPath);
    if (name !== null && !this.#names.inCatalog(name)) this.#made.set(qualified(name), false);
    return name;
  }

  #isOwnTemporary({ schema, name }: RelationReference): boolean {
    return schema === 'pg_temp' || (schema === null && this.#temporary.has(name));
  }

  #find(relation: RelationReference, statement: ReferringStatement): QualifiedName | null {
    const name = this.#names.relation(relation, this.#searchPath);
    if (name !== null || isOfSystem(relation)) return name;
    const { schema } = relation;
    if (schema === null && this.#names.isTemporarySomewhere(relation.name)) {
      const message = `The temporary table ${relation.name} is made by whoever calls this routine.`;
      this.#problem(
        'callers-table',
        statement,
        message,
        'Make the table in the routine that reads it.',
      );
      return null;
    }
    const written = schema === null ? relation.name : `${schema}.${relation.name}`;
    const where =
      schema === null ? ` in ${this.#searchPath.join(', ') || 'an empty search_path'}` : '';
    const message = `There is no table or view ${written}${where}.`;
    const advice = 'Create it before the run, or correct the name or the search_path.';
    this.#problem('unknown-relation', statement, message, advice);
    return schema === null ? null : { schema, name: relation.name };
  }

  #hiddenWriters(
    name: QualifiedName,
    action: TableWrite['action'],
    statement: ReferringStatement,
  ): void {
    const table = this.#names.table(name);
    const triggers = table?.triggers ?? [];
    const events = table?.triggerEvents ?? ALL_EVENTS;
    if (triggers.length > 0 && eventsOf(action).some((event) => events.includes(event))) {
      const message = `${qualified(name)} has triggers that act on writes: ${triggers.join(', ')}.`;
      const advice = 'Move what they do into the procedure, or disable them.';
      this.#problem('hidden-writer', statement, message, advice);
    }
    if (this.#names.isView(name) && ROW_CHANGES.has(action)) {
      const tables = this.#names.contentsOf(name).tables.map(qualified).join(', ');
      const message = `${qualified(name)} is a view over ${tables}: the tables below it are changed.`;
      this.#problem('hidden-writer', statement, message, 'Write to the table itself.');
    }
  }

  #typeOf(name: string): string | null {
    return this.#routine.parameters.find((parameter) => parameter.name === name)?.type ?? null;
  }

  #unknownRoutine(called: RelationReference, statement: ReferringStatement): void {
    const written = called.schema === null ? called.name : `${called.schema}.${called.name}`;
    const message = `There is no routine ${written} that takes these arguments.`;
    const advice = 'Create it before the run, or correct its name or arguments.';
    this.#problem('unknown-routine', statement, message, advice);
  }

  #problem(
    code: EffectProblem['code'],
    { line, construct }: ReferringStatement,
    message: string,
    advice: string,
  ): void {
    if (this.#problems.some((each) => each.line === line && each.message === message)) return;
    this.#problems.push({ code, line, construct, message, advice });
  }
}

function isOfSystem({ schema, name }: RelationReference): boolean {
  if (schema === null) return name.startsWith('pg_');
  return schema === 'information_schema' || schema.startsWith('pg_');
}
