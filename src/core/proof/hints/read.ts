/** Reads hints from everything in a catalog that speaks of values: routines, views, constraints. */
import type { Node } from 'libpg-query';
import type { Catalog, QualifiedName, Routine } from '../../catalog/types.ts';
import { routineId, sameName } from '../../catalog/names.ts';
import { parseSearchPath } from '../../graph/search-path.ts';
import { parseSql } from '../../translate/postgres/parser.ts';
import { readProgram } from '../../translate/postgres/program.ts';
import { allSteps } from '../../translate/program.ts';
import type { CodeText, LoopSource, Step, Target } from '../../translate/program.ts';
import { columnPlace, HintBook, variablePlace } from './places.ts';
import type { Place } from './places.ts';
import { QueryReader } from './query.ts';
import type { HintWorld, KnownRelation } from './tree.ts';

/** `loadParser` must have been awaited. Texts that don't parse are passed over. */
export function readHints(catalog: Catalog, routines: readonly Routine[]): HintBook {
  const book = new HintBook();
  const relations = new Relations(catalog, book);
  for (const table of catalog.tables) {
    for (const { references, columns, referencedColumns } of table.foreignKeys) {
      for (const [index, column] of columns.entries()) {
        const target = referencedColumns[index];
        if (target === undefined) continue;
        book.join(columnPlace(table.name, column), columnPlace(references, target));
      }
    }
    for (const check of table.checks) relations.readCheck(table.name, check.sql);
  }
  for (const routine of routines) readRoutine(routine, catalog, relations, book);
  return book;
}

/** Names of tables and views, looked up as the server does. */
class Relations {
  readonly #catalog: Catalog;
  readonly #book: HintBook;
  readonly #views = new Map<string, KnownRelation>();

  constructor(catalog: Catalog, book: HintBook) {
    this.#catalog = catalog;
    this.#book = book;
  }

  find(schema: string | null, name: string, searchPath: readonly string[]): KnownRelation | null {
    const schemas = schema === null ? searchPath : [schema];
    for (const candidate of schemas) {
      const found = this.#known({ schema: candidate, name });
      if (found !== null) return found;
    }
    return null;
  }

  readCheck(table: QualifiedName, condition: string): void {
    const from = `"${table.schema}"."${table.name}"`;
    this.read(`SELECT FROM ${from} WHERE ${condition}`, this.#catalog.searchPath, () => null);
  }

  read(
    text: string,
    searchPath: readonly string[],
    variable: (name: string) => Place | null,
  ): readonly (Place | null)[] {
    const world: HintWorld = {
      relation: (schema, name) => this.find(schema, name, searchPath),
      variable,
      parameters: (path, count) => this.#parameters(path, count, searchPath),
    };
    const reader = new QueryReader(world, this.#book);
    const statements = parsed(text);
    return statements.flatMap((statement) => reader.statement(statement));
  }

  #parameters(
    path: readonly string[],
    count: number,
    searchPath: readonly string[],
  ): readonly Place[] {
    const name = path.at(-1) ?? '';
    const schemas = path.length > 1 ? path.slice(-2, -1) : searchPath;
    const taken = (routine: Routine) =>
      routine.parameters.filter(({ mode }) => mode !== 'table' && mode !== 'out');
    const routine = schemas
      .flatMap((schema) =>
        this.#catalog.routines.filter((one) => sameName(one.name, { schema, name })),
      )
      .find((one) => taken(one).length >= count);
    if (routine === undefined) return [];
    const id = routineId(routine);
    return taken(routine).map((parameter) => variablePlace(id, parameter.name));
  }

  #known(name: QualifiedName): KnownRelation | null {
    const table = this.#catalog.tables.find((candidate) => sameName(candidate.name, name));
    if (table !== undefined) {
      return { name, columns: table.columns.map((column) => column.name), sources: null };
    }
    const view = this.#catalog.views.find((candidate) => sameName(candidate.name, name));
    if (view === undefined) return null;
    const key = `${name.schema}.${name.name}`;
    const before = this.#views.get(key);
    if (before !== undefined) return before;
    const columns = view.columns.map((column) => column.name);
    const places = this.read(view.sql, this.#catalog.searchPath, () => null);
    const sources = new Map(columns.map((column, index) => [column, places[index] ?? null]));
    const known = { name, columns, sources };
    this.#views.set(key, known);
    return known;
  }
}

/** A statement, or else an expression as PL/pgSQL has them. */
function parsed(text: string): readonly Node[] {
  return nodesOf(text) ?? nodesOf(`SELECT ${text}`) ?? [];
}

function nodesOf(text: string): readonly Node[] | null {
  try {
    return (parseSql(text).stmts ?? []).flatMap(({ stmt }) => (stmt === undefined ? [] : [stmt]));
  } catch {
    return null;
  }
}

function readRoutine(
  routine: Routine,
  catalog: Catalog,
  relations: Relations,
  book: HintBook,
): void {
  const id = routineId(routine);
  const own = routine.settings['search_path'];
  const searchPath = own === undefined ? catalog.searchPath : parseSearchPath(own);
  const read = (code: CodeText | null) =>
    code === null ? [] : relations.read(code.text, searchPath, (name) => variablePlace(id, name));
  const into = (targets: readonly Target[] | null, places: readonly (Place | null)[]) => {
    for (const [index, target] of (targets ?? []).entries()) {
      const place = places[index];
      if (place != null) book.join(variablePlace(id, target.join('.')), place);
    }
  };
  for (const step of stepsOf(routine)) readStep(step, read, into);
}

function stepsOf(routine: Routine): readonly Step[] {
  try {
    return [...allSteps(readProgram(routine))];
  } catch {
    return [];
  }
}

type Read = (code: CodeText | null) => readonly (Place | null)[];
type Into = (targets: readonly Target[] | null, places: readonly (Place | null)[]) => void;

function readStep(step: Step, read: Read, into: Into): void {
  switch (step.kind) {
    case 'statement':
      return into(step.into, read(step.code));
    case 'assign':
      return into([step.target], read(step.expression));
    case 'if':
      for (const arm of step.arms) read(arm.condition);
      return;
    case 'for-query': {
      const places = readSource(step.source, read);
      return into(step.targets, places);
    }
    case 'for-range':
      return into([[step.variable]], [...read(step.lower), ...read(step.upper)]);
    case 'block':
      for (const { name, initial, cursor } of step.declarations) {
        into([[name]], read(initial));
        read(cursor?.query ?? null);
      }
      return;
    case 'while':
    case 'exit':
    case 'assert':
      read(step.condition);
      return;
    case 'return':
    case 'return-next':
      read(step.value);
      return;
    case 'return-query':
      readSource(step.query, read);
      return;
    case 'perform':
      read(step.query);
      return;
    case 'execute':
      into(step.into, []);
      return;
    case 'open':
      if (step.query !== null) readSource(step.query, read);
      return;
    default:
  }
}

function readSource(source: LoopSource, read: Read): readonly (Place | null)[] {
  return source.kind === 'query' ? read(source.query) : [];
}
