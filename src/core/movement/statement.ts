/** What a statement in a binary log does to tables: TRUNCATE and DDL leave no row events. */
import type { QualifiedName } from '../catalog/types.ts';

export interface TableStatement {
  readonly kind:
    | 'truncate'
    | 'alter'
    | 'drop'
    | 'drop-schema'
    | 'rename'
    /** CREATE OR REPLACE: the former rows are gone. */
    | 'replace'
    /** Rows come or go with whole partitions, or files of the engine. */
    | 'partition'
    /** INSERT, UPDATE and the like: of a session that logs statements in place of rows. */
    | 'write';
  /** For `write` all that may be names in it. */
  readonly tables: readonly QualifiedName[];
  /** Columns that an ALTER drops or renames, in lower case: one of the same name may come in the same statement. */
  readonly dropped: readonly string[];
}

/** True where the statement is about this table, among others. `same` compares names as the server does. */
export function concerns(
  { kind, tables }: TableStatement,
  table: QualifiedName,
  same: (a: QualifiedName, b: QualifiedName) => boolean,
): boolean {
  return tables.some(({ schema, name }) =>
    same({ schema, name: kind === 'drop-schema' ? table.name : name }, table),
  );
}

type Token = { readonly text: string; readonly quoted: boolean };

const PIECE =
  /\/\*!\d*|\*\/|\/\*(?!!)[\s\S]*?\*\/|(?:--[ \t]|#)[^\n]*|`((?:[^`]|``)*)`|'(?:[^'\\]|\\.|'')*'|"((?:[^"\\]|\\.|"")*)"|[\p{L}\p{N}_$@]+|[^\s]/gsu;

/** Words, names and single characters, without comments; the inside of an executable comment counts. */
function tokens(sql: string): readonly Token[] {
  const out: Token[] = [];
  for (const match of sql.matchAll(PIECE)) {
    const [piece, backticked, doubled] = match;
    if (backticked !== undefined)
      out.push({ text: backticked.replaceAll('``', '`'), quoted: true });
    else if (doubled !== undefined) out.push({ text: doubled, quoted: true });
    else if (!/^(?:\/\*|\*\/|--|#)/.test(piece)) out.push({ text: piece, quoted: false });
  }
  return out;
}

const WRITES = ['INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'LOAD'];
/** What may come after DROP in an ALTER besides the name of a column. */
const NO_COLUMN =
  /^(?:INDEX|KEY|PRIMARY|FOREIGN|CONSTRAINT|CHECK|PARTITION|DEFAULT|SYSTEM VERSIONING|PERIOD FOR)\b/;
const PARTITIONS =
  /^(?:(?:TRUNCATE|DROP|EXCHANGE|DISCARD|IMPORT|CONVERT) PARTITION|CONVERT TABLE|(?:DISCARD|IMPORT) TABLESPACE)\b/;
const RENAMED_PART = /^RENAME (?:COLUMN|INDEX|KEY)\b/;

class Reader {
  readonly #tokens: readonly Token[];
  readonly #schema: string;
  #at = 0;

  constructor(sql: string, schema: string) {
    this.#tokens = tokens(sql);
    this.#schema = schema;
  }

  /** The next `count` words, in upper case; a quoted name is none. */
  words(count = 1): string {
    return this.#tokens
      .slice(this.#at, this.#at + count)
      .map(({ text, quoted }) => (quoted ? '' : text.toUpperCase()))
      .join(' ');
  }

  ended(): boolean {
    return this.#at >= this.#tokens.length;
  }

  peek(): string {
    return this.#tokens[this.#at]?.text ?? '';
  }

  next(): string {
    const text = this.peek();
    this.#at += 1;
    return text;
  }

  skip(...words: readonly string[]): void {
    while (words.includes(this.words())) this.#at += 1;
  }

  skipTo(...words: readonly string[]): void {
    while (!this.ended() && !words.includes(this.words())) this.#at += 1;
  }

  name(): QualifiedName {
    const first = this.next();
    if (this.words() !== '.') return { schema: this.#schema, name: first };
    this.#at += 1;
    return { schema: first, name: this.next() };
  }

  list(): QualifiedName[] {
    const names = [this.name()];
    while (this.words() === ',') {
      this.#at += 1;
      names.push(this.name());
    }
    return names;
  }
}

/** What follows the name in ALTER TABLE. */
function alteration(reader: Reader, table: QualifiedName): TableStatement {
  const dropped: string[] = [];
  const tables = [table];
  let kind: TableStatement['kind'] = 'alter';
  let depth = 0;
  for (; !reader.ended(); reader.next()) {
    const word = reader.words();
    if (word === '(') depth += 1;
    else if (word === ')') depth -= 1;
    if (depth > 0) continue;
    if (PARTITIONS.test(reader.words(2))) kind = 'partition';
    if (kind === 'partition' && word === 'TABLE') {
      reader.next();
      tables.push(reader.name());
    } else if (word === 'CHANGE' || reader.words(2) === 'RENAME COLUMN')
      dropped.push(...renamedColumn(reader));
    else if (word === 'RENAME' && !RENAMED_PART.test(reader.words(2))) kind = 'rename';
    else if (word === 'DROP') {
      reader.next();
      if (NO_COLUMN.test(reader.words(2))) continue;
      reader.skip('COLUMN', 'IF', 'EXISTS');
      dropped.push(reader.next().toLowerCase());
    }
  }
  return { kind, tables, dropped };
}

/** `CHANGE a b …` and `RENAME COLUMN a TO b`: its former name, if it has another now. */
function renamedColumn(reader: Reader): readonly string[] {
  reader.next();
  reader.skip('COLUMN', 'IF', 'EXISTS');
  const from = reader.next().toLowerCase();
  reader.skip('TO');
  return reader.peek().toLowerCase() === from ? [] : [from];
}

function renaming(reader: Reader): readonly QualifiedName[] {
  const renamed: QualifiedName[] = [];
  do {
    reader.skip(',');
    renamed.push(reader.name());
    reader.skipTo('TO');
    reader.next();
    reader.name();
  } while (reader.words() === ',');
  return renamed;
}

/** Every name, with what stands before its dot; texts and words among them do no harm. */
function namesIn(reader: Reader): readonly QualifiedName[] {
  const names: QualifiedName[] = [];
  while (!reader.ended()) names.push(reader.name());
  return names;
}

/**
 * Reads `TRUNCATE`, `ALTER TABLE`, `DROP TABLE`, `RENAME TABLE`, `CREATE OR REPLACE TABLE`, `DROP DATABASE` and what
 * writes rows; null for anything else, as `CREATE / DROP INDEX … ON`, which changes no rows. `schema` is the one that
 * unqualified names belong to.
 */
export function tableStatement(sql: string, schema: string): TableStatement | null {
  const reader = new Reader(sql, schema);
  if (reader.words(2) === 'SET STATEMENT') {
    reader.skipTo('FOR');
    reader.next();
  }
  const of = (kind: TableStatement['kind'], tables: readonly QualifiedName[]): TableStatement => ({
    kind,
    tables,
    dropped: [],
  });
  const verb = reader.words();
  const replaces = reader.words(3) === 'CREATE OR REPLACE';
  reader.next();
  if (WRITES.includes(verb)) return of('write', namesIn(reader));
  if (verb === 'TRUNCATE') {
    reader.skip('TABLE', 'IF', 'EXISTS');
    return of('truncate', [reader.name()]);
  }
  reader.skip('OR', 'REPLACE', 'ONLINE', 'IGNORE');
  const what = reader.words();
  reader.next();
  reader.skip('IF', 'NOT', 'EXISTS');
  if (verb === 'DROP' && (what === 'DATABASE' || what === 'SCHEMA'))
    return of('drop-schema', [{ schema: reader.next(), name: '' }]);
  if (what !== 'TABLE' && what !== 'TABLES') return null;
  if (verb === 'ALTER') return alteration(reader, reader.name());
  if (verb === 'DROP') return of('drop', reader.list());
  if (verb === 'RENAME') return of('rename', renaming(reader));
  return verb === 'CREATE' && replaces ? of('replace', [reader.name()]) : null;
}
