/** What a routine does to the database at all, told from its text without evaluating it. */
import type { Node, RangeVar } from 'libpg-query';
import type { QualifiedName, Routine } from '../../catalog/types.ts';
import { qualified, routineId } from '../../catalog/names.ts';
import type { CatalogIndex } from '../catalog-index.ts';
import { allSteps } from '../program.ts';
import type { CodeText, LoopSource, Step } from '../program.ts';
import { constantOf } from './constants.ts';
import { parseSql } from './parser.ts';
import { readProgram } from './program.ts';
import { functionPath, relationName, walk } from './tree.ts';

export interface RoutineFacts {
  /** Keys `schema.name` of the tables that it, or a routine that it calls, writes. */
  readonly writes: ReadonlySet<string>;
  /** The same for tables and views that it reads, through views too. */
  readonly reads: ReadonlySet<string>;
}

const NOTHING: RoutineFacts = { writes: new Set(), reads: new Set() };

export class FactsReader {
  readonly #index: CatalogIndex;
  readonly #known = new Map<string, RoutineFacts>();
  readonly #viewReads = new Map<string, ReadonlySet<string>>();

  constructor(index: CatalogIndex) {
    this.#index = index;
  }

  of(routine: Routine): RoutineFacts {
    const id = routineId(routine);
    const known = this.#known.get(id);
    if (known) return known;
    // A routine that calls itself adds nothing to what its own text says.
    this.#known.set(id, NOTHING);
    const writes = new Set<string>();
    const reads = new Set<string>();
    const path = this.#index.searchPathOf(routine);
    for (const text of statementTexts(routine)) this.#statement(text, path, writes, reads);
    const facts = { writes, reads };
    this.#known.set(id, facts);
    return facts;
  }

  /** Tables and views that a view reads, through other views too. */
  viewReads(name: QualifiedName): ReadonlySet<string> {
    const key = qualified(name);
    const known = this.#viewReads.get(key);
    if (known) return known;
    const reads = new Set<string>();
    this.#viewReads.set(key, reads);
    const view = this.#index.view(name);
    if (view) this.#statement(view.sql, this.#index.catalog.searchPath, new Set(), reads);
    return reads;
  }

  #statement(text: string, path: readonly string[], writes: Set<string>, reads: Set<string>): void {
    let tree: object;
    try {
      tree = parseSql(text);
    } catch {
      // What does not parse is refused when the routine is evaluated, with its line.
      return;
    }
    walk(tree, (node) => {
      if ('RangeVar' in node) this.#read((node as { RangeVar: RangeVar }).RangeVar, path, reads);
      if ('FuncCall' in node)
        this.#call(
          functionPath((node as Extract<Node, { FuncCall: unknown }>).FuncCall),
          path,
          writes,
          reads,
        );
      if ('funccall' in node)
        this.#call(functionPath((node as { funccall: object }).funccall), path, writes, reads);
      for (const kind of ['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']) {
        if (kind in node)
          this.#write(
            (node as Record<string, { relation?: RangeVar }>)[kind]?.relation,
            path,
            writes,
          );
      }
      if ('TruncateStmt' in node) {
        for (const relation of (node as Extract<Node, { TruncateStmt: unknown }>).TruncateStmt
          .relations ?? []) {
          if ('RangeVar' in relation) this.#write(relation.RangeVar, path, writes);
        }
      }
      if ('CreateTableAsStmt' in node) {
        const relation = (node as Extract<Node, { CreateTableAsStmt: unknown }>).CreateTableAsStmt
          .into?.rel;
        if (relation?.relpersistence !== 't') this.#write(relation, path, writes);
      }
    });
  }

  #name(range: RangeVar, path: readonly string[]): QualifiedName | null {
    const { schema, name } = relationName(range);
    return schema === null ? this.#index.resolveRelation(name, path) : { schema, name };
  }

  #write(range: RangeVar | undefined, path: readonly string[], writes: Set<string>): void {
    const name = range ? this.#name(range, path) : null;
    if (name) writes.add(qualified(name));
  }

  #read(range: RangeVar, path: readonly string[], reads: Set<string>): void {
    const name = this.#name(range, path);
    if (!name) return;
    reads.add(qualified(name));
    if (this.#index.view(name)) for (const key of this.viewReads(name)) reads.add(key);
  }

  #call(
    called: readonly string[],
    path: readonly string[],
    writes: Set<string>,
    reads: Set<string>,
  ): void {
    for (const routine of this.#index.routines(called, path)) {
      const facts = this.of(routine);
      for (const key of facts.writes) writes.add(key);
      for (const key of facts.reads) reads.add(key);
    }
  }
}

/** Every SQL text in a routine: statements, and expressions as `select …`. */
export function statementTexts(routine: Routine): readonly string[] {
  if (routine.language !== 'sql' && routine.language !== 'plpgsql') return [];
  try {
    return [...allSteps(readProgram(routine))].flatMap((step) => textsOf(step));
  } catch {
    return [];
  }
}

const asSelect = (code: CodeText | null): string[] => (code ? [`select ${code.text}`] : []);

function sourceTexts(source: LoopSource | null): string[] {
  if (source?.kind === 'query') return [source.query.text];
  return source?.kind === 'dynamic' ? dynamicTexts(source.expression) : [];
}

function dynamicTexts(expression: CodeText): string[] {
  const text = safeConstant(expression.text);
  return typeof text === 'string' ? [text] : asSelect(expression);
}

function safeConstant(text: string): unknown {
  try {
    return constantOf(text, () => undefined);
  } catch {
    return undefined;
  }
}

function textsOf(step: Step): string[] {
  switch (step.kind) {
    case 'statement':
      return [step.code.text];
    case 'perform':
      return [step.query.text];
    case 'assign':
      return asSelect(step.expression);
    case 'if':
      return step.arms.flatMap((arm) => asSelect(arm.condition));
    case 'for-query':
      return sourceTexts(step.source);
    case 'return-query':
      return sourceTexts(step.query);
    case 'open':
      return sourceTexts(step.query);
    case 'while':
      return asSelect(step.condition);
    case 'execute':
      return dynamicTexts(step.expression);
    case 'return':
      return asSelect(step.value);
    case 'block':
      return step.declarations.flatMap((declaration) => [
        ...asSelect(declaration.initial),
        ...(declaration.cursor ? [declaration.cursor.query.text] : []),
      ]);
    default:
      return [];
  }
}
