/** With which arguments procedures are called: several sets, so that their branches are taken. */
import type { Routine } from '../catalog/types.ts';
import { routineId } from '../catalog/names.ts';
import { parseSql, scan } from '../translate/postgres/parser.ts';
import { baseOf } from '../translate/postgres/tree.ts';
import { parameterName } from './call.ts';
import { variablePlace } from './hints/places.ts';
import { literalOf } from './hints/tree.ts';
import { onProofClock } from './instrument/clock.ts';
import { typedLiteral } from './names.ts';
import type { Pools } from './rows/pools.ts';
import { dayText, familyOf } from './rows/values.ts';
import { statementRole } from './statement.ts';

/** How many different sets of arguments are tried. */
const MOST_SETS = 6;

/** SQL expressions by parameter, one set after the other; all have the same parameters. */
export type ArgumentSets = readonly Readonly<Record<string, string>>[];

export interface ArgumentSources {
  /** Given by a person: always taken. */
  readonly given: Readonly<Record<string, string>>;
  /** Seen in a caller: taken first. */
  readonly seen: Readonly<Record<string, string>>;
  readonly pools: Pools;
  readonly clock: Date;
}

const EARLY = /(^|_)(from|start|begin|since|min|first|low|de|von|desde|inicio|ini|du|debut)(_|$)/u;
const LATE = /(^|_)(to|end|until|till|max|last|high|ate|bis|hasta|fin|fim|au)(_|$)/u;

/** Parameters that a caller passes values for. */
export function passedParameters(
  routine: Routine,
): readonly { readonly name: string; readonly type: string; readonly defaultSql: string | null }[] {
  return routine.parameters.flatMap((parameter, index) => {
    const { mode, type, defaultSql } = parameter;
    if (mode === 'out' || mode === 'table') return [];
    return [{ name: parameterName(parameter, index), type, defaultSql }];
  });
}

export function argumentSets(routine: Routine, sources: ArgumentSources): ArgumentSets {
  const choices = passedParameters(routine).map((parameter): [string, readonly string[]] => [
    parameter.name,
    choicesOf(routineId(routine), parameter, sources),
  ]);
  const most = Math.max(1, ...choices.map(([, values]) => values.length));
  return Array.from({ length: Math.min(MOST_SETS, most) }, (_, set) =>
    Object.fromEntries(
      choices.map(([name, values]) => [name, values[Math.min(set, values.length - 1)] ?? 'NULL']),
    ),
  );
}

/** The values of one parameter, the most likely first. */
function choicesOf(
  routine: string,
  parameter: ReturnType<typeof passedParameters>[number],
  { given, seen, pools, clock }: ArgumentSources,
): readonly string[] {
  const { name, type, defaultSql } = parameter;
  const fixed = given[name];
  if (fixed !== undefined) return [onProofClock(fixed)];
  const constant = (expression: string) => plainConstant(expression, type);
  const first = seen[name] ?? defaultSql;
  const likely = likelyValues(routine, name, type, pools, clock).map((value) =>
    typedLiteral(value, type),
  );
  const all = first === null || first === undefined ? likely : [onProofClock(first), ...likely];
  return [...new Set(all.map(constant))];
}

/** `'full'::text` and `'full'` are one value. */
function plainConstant(expression: string, type: string): string {
  try {
    const statement = parseSql(`SELECT ${expression}`).stmts?.[0]?.stmt;
    const target =
      statement && 'SelectStmt' in statement ? statement.SelectStmt.targetList?.[0] : null;
    const value = target && 'ResTarget' in target ? literalOf(target.ResTarget.val) : null;
    return value === null ? expression : typedLiteral(value, type);
  } catch {
    // Not an expression: the call will say so.
    return expression;
  }
}

function likelyValues(
  routine: string,
  name: string,
  type: string,
  pools: Pools,
  clock: Date,
): readonly string[] {
  const family = familyOf(baseOf(type));
  const lower = name.toLowerCase();
  if (family === 'date' || family === 'timestamp') {
    const seen = pools.seenAt(variablePlace(routine, name)).toSorted();
    const [first, last] = [seen.at(0), seen.at(-1)];
    if (EARLY.test(lower))
      return [first ?? dayText(clock, -90), ...daysFrom(clock, [-90, -7, -400])];
    if (LATE.test(lower)) return [last ?? dayText(clock, 1), ...daysFrom(clock, [1, 0, -30])];
    return [...seen.slice(-3).toReversed(), ...daysFrom(clock, [0, -1, -30])];
  }
  if (family === 'boolean') return ['true', 'false'];
  const pool = pools.ofPlace(variablePlace(routine, name), type, baseOf(type));
  if (pool === null) return [];
  return [...pool.told, ...pool.keys.slice(0, 3), ...pool.others.slice(0, 3)];
}

function daysFrom(clock: Date, offsets: readonly number[]): readonly string[] {
  return offsets.map((offset) => dayText(clock, offset));
}

/** Arguments of a call that stands in a file, as expressions by parameter. */
export function argumentsOfCall(
  text: string,
  routines: readonly Routine[],
): { readonly routine: string; readonly values: Readonly<Record<string, string>> } | null {
  const path = calledPath(text);
  const written = writtenArguments(text);
  const routine = routines.find(
    ({ name, parameters }) =>
      name.name === path.at(-1) &&
      (path.length < 2 || name.schema === path[0]) &&
      parameters.length >= written.length,
  );
  if (routine === undefined) return null;
  const parameters = passedParameters(routine);
  const values = written.flatMap((argument, index): [string, string][] => {
    const [, named, value = argument] = /^([\w"]+)\s*(?:=>|:=)\s*(.+)$/su.exec(argument) ?? [];
    const name = named ?? parameters[index]?.name;
    return name === undefined ? [] : [[name, value]];
  });
  return { routine: routineId(routine), values: Object.fromEntries(values) };
}

function calledPath(text: string): readonly string[] {
  const role = statementRole(text);
  return role.kind === 'call' ? role.routine : [];
}

/** The texts between the commas of the first bracketed list. */
function writtenArguments(text: string): readonly string[] {
  const found: string[] = [];
  let depth = 0;
  let from = 0;
  for (const token of scan(text)) {
    if (token.text === '(' || token.text === '[') {
      depth += 1;
      if (depth === 1) from = token.end;
    }
    const closes = token.text === ')' || token.text === ']';
    if (depth === 1 && (token.text === ',' || closes)) {
      const argument = text.slice(from, token.start).trim();
      if (argument !== '') found.push(argument);
      from = token.end;
    }
    if (closes) depth -= 1;
    if (closes && depth === 0) break;
  }
  return found;
}
