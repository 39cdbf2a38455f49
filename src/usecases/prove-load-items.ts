/** The statements of the files that a sandbox is filled from, one by one. */
import { splitScript } from '../core/proof/script.ts';
import type { ScriptPiece } from '../core/proof/script.ts';
import { headFromTokens, statementRole } from '../core/proof/statement.ts';
import type { RoutineHead, StatementRole } from '../core/proof/statement.ts';
import { separated } from '../core/proof/unseparated.ts';

/** `name` is how the file is named to people. */
export interface ScriptFile {
  readonly name: string;
  readonly text: string;
}

export interface LoadInput {
  readonly schema: readonly ScriptFile[];
  /** The routines that these create are the ones to prove. */
  readonly procedures: readonly ScriptFile[];
  readonly data: readonly ScriptFile[];
}

export interface LoadRemark {
  readonly file: string;
  readonly line: number;
  /** The statement's beginning, on one line. */
  readonly statement: string;
  readonly message: string;
}

export interface Item {
  readonly file: string;
  readonly part: keyof LoadInput;
  readonly piece: ScriptPiece;
  readonly role: StatementRole;
  /** Whether the file has no semicolon before it, so that the server would not take it. */
  readonly unseparated: boolean;
  /** What unqualified names meant at this place of the file; null until it was reached. */
  searchPath: string | null;
  error: string | null;
}

export function itemsOf(input: LoadInput): Item[] {
  return (['schema', 'procedures', 'data'] as const).flatMap((part) =>
    input[part].flatMap((file) =>
      splitScript(file.text)
        .flatMap(rolesOf)
        .map((item) => ({ ...item, file: file.name, part, searchPath: null, error: null })),
    ),
  );
}

function rolesOf(piece: ScriptPiece): readonly Pick<Item, 'piece' | 'role' | 'unseparated'>[] {
  const role = roleOf(piece);
  const parts = piece.kind === 'statement' && role.kind === 'invalid' ? separated(piece.text) : [];
  if (parts.length < 2) return [{ piece, role, unseparated: false }];
  return parts.map(({ text, start }, index) => {
    const line = piece.line + piece.text.slice(0, start).split('\n').length - 1;
    const part: ScriptPiece = { kind: 'statement', text, line };
    return { piece: part, role: roleOf(part), unseparated: index > 0 };
  });
}

function roleOf(piece: ScriptPiece): StatementRole {
  if (piece.kind === 'statement') return statementRole(piece.text);
  if (piece.kind === 'copy') return { kind: 'data' };
  if (piece.kind === 'command') return { kind: 'ignored', why: 'it is a command of psql' };
  const message = 'a quote that begins here is never closed';
  return { kind: 'invalid', message, head: headFromTokens(piece.text) };
}

export function headOf(role: StatementRole): RoutineHead | null {
  return role.kind === 'routine' || role.kind === 'invalid' ? role.head : null;
}

export function remark(item: Item, message: string): LoadRemark {
  const line = item.piece.text.replaceAll(/\s+/gu, ' ');
  const statement = line.length <= 80 ? line : `${line.slice(0, 77)}...`;
  return { file: item.file, line: item.piece.line, statement, message };
}
