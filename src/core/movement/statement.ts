/** What a statement in a binary log does to tables: TRUNCATE and DDL leave no row events. */
import type { QualifiedName } from '../catalog/types.ts';

export interface TableStatement {
  readonly kind: 'truncate' | 'alter' | 'drop' | 'rename';
  readonly tables: readonly QualifiedName[];
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

/**
 * Reads `TRUNCATE`, `ALTER TABLE`, `DROP TABLE` and `RENAME TABLE`, and `CREATE / DROP INDEX … ON`, which
 * change no rows (null). `schema` is the one that unqualified names belong to.
 */
export function tableStatement(sql: string, schema: string): TableStatement | null {
  const all = tokens(sql);
  let at = 0;
  const word = () => {
    const token = all[at];
    return token === undefined || token.quoted ? '' : token.text.toUpperCase();
  };
  const skip = (...words: readonly string[]) => {
    while (words.includes(word())) at += 1;
  };
  const name = (): QualifiedName => {
    const first = all[at]?.text ?? '';
    at += 1;
    if (word() !== '.') return { schema, name: first };
    const second = all[at + 1]?.text ?? '';
    at += 2;
    return { schema: first, name: second };
  };
  const list = (): QualifiedName[] => {
    const names = [name()];
    while (word() === ',') {
      at += 1;
      names.push(name());
    }
    return names;
  };

  const verb = word();
  at += 1;
  if (verb === 'TRUNCATE') {
    skip('TABLE', 'IF', 'EXISTS');
    return { kind: 'truncate', tables: [name()] };
  }
  skip('OR', 'REPLACE', 'ONLINE', 'IGNORE', 'TEMPORARY');
  if (word() !== 'TABLE' && word() !== 'TABLES') return null;
  at += 1;
  skip('IF', 'EXISTS');
  if (verb === 'ALTER') return { kind: 'alter', tables: [name()] };
  if (verb === 'DROP') return { kind: 'drop', tables: list() };
  if (verb !== 'RENAME') return null;
  const renamed: QualifiedName[] = [];
  do {
    if (word() === ',') at += 1;
    renamed.push(name());
    if (word() === 'TO') {
      at += 1;
      name();
    }
  } while (word() === ',');
  return { kind: 'rename', tables: renamed };
}
