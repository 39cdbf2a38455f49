/** What the statements of one routine refer to, before any name is looked up. */
import type { Routine } from '../catalog/types.ts';
import { shorten } from '../translate/refusals.ts';
import { parseSql } from '../translate/postgres/parser.ts';
import { readProgram } from '../translate/postgres/program.ts';
import { piecesOf, UNKNOWN_PART } from './code-pieces.ts';
import type { CodePiece } from './code-pieces.ts';
import type { EffectProblem } from './effect-types.ts';
import { errorLine, messageOf } from './parse-errors.ts';
import { referencesOf } from './references.ts';
import type { References } from './references.ts';

export interface ReferringStatement {
  readonly line: number;
  /** The text, shortened to one line. */
  readonly construct: string;
  readonly references: References;
}

export interface RoutineReferences {
  readonly statements: readonly ReferringStatement[];
  readonly problems: readonly EffectProblem[];
}

const LANGUAGES = new Set(['sql', 'plpgsql']);

/** Never throws: what can't be read is a problem with its line. */
export function routineReferences(routine: Routine): RoutineReferences {
  if (!LANGUAGES.has(routine.language)) return { statements: [], problems: [language(routine)] };
  let steps;
  try {
    steps = readProgram(routine);
  } catch (error) {
    const line = errorLine(routine, error);
    const construct = shorten(routine.body.split('\n')[line - 1] ?? '');
    return { statements: [], problems: [unparsable(line, construct, error)] };
  }
  const { pieces, dynamic } = piecesOf(steps);
  const problems: EffectProblem[] = dynamic.map(({ line, expression }) => ({
    code: 'dynamic-sql',
    line,
    construct: shorten(`EXECUTE ${expression}`),
    message: 'The text of this statement is known only when it runs.',
    advice: 'Write the statement without EXECUTE, or make its text constant.',
  }));
  const statements = pieces.flatMap((piece) => statementsOf(piece, problems));
  return { statements, problems };
}

/** Adds to `problems` what does not parse. */
function statementsOf(piece: CodePiece, problems: EffectProblem[]): readonly ReferringStatement[] {
  const { line, form } = piece;
  const construct = shorten(piece.text);
  const text = form === 'expression' ? `SELECT ${piece.text}` : piece.text;
  try {
    const nodes = parseSql(text).stmts ?? [];
    return nodes.map(({ stmt }) => {
      const references = referencesOf(stmt);
      return { line, construct, references: piece.certain ? references : knownPart(references) };
    });
  } catch (error) {
    // A guess at what a statement may become need not be a statement.
    if (piece.certain) problems.push(unparsable(line, construct, error));
    return [];
  }
}

/** Leaves out names that hold something only the run knows. */
function knownPart(references: References): References {
  const isKnown = ({ schema, name }: { readonly schema: string | null; readonly name: string }) =>
    !name.includes(UNKNOWN_PART) && schema?.includes(UNKNOWN_PART) !== true;
  return {
    reads: references.reads.filter(isKnown),
    writes: references.writes.filter((write) => isKnown(write.relation)),
    calls: references.calls.filter(isKnown),
    searchPath: references.searchPath?.some((schema) => schema.includes(UNKNOWN_PART))
      ? null
      : references.searchPath,
  };
}

function unparsable(line: number, construct: string, error: unknown): EffectProblem {
  return {
    code: 'parse-error',
    line,
    construct,
    message: messageOf(error),
    advice: 'Correct the syntax, or write the model by hand and mark the procedure `manual`.',
  };
}

function language(routine: Routine): EffectProblem {
  return {
    code: 'language',
    line: 1,
    construct: `LANGUAGE ${routine.language}`,
    message: `Routines in ${routine.language} are not read.`,
    advice: 'Rewrite it in SQL or PL/pgSQL, or write the model by hand (`manual`).',
  };
}
