/** Binds what is called in expressions: clocks, functions, casts. */
import { text } from '../fragment.ts';
import type { FuncCall, Node } from 'libpg-query';
import type { Binder } from './bind.ts';
import { isExternal } from './external.ts';
import { clockFunctionType, isRandom } from './clock.ts';
import type { Scope } from './scope.ts';
import { functionPath, names, typeText } from './tree.ts';
import { refuse } from '../refusals.ts';
import { isMeaningful } from './settings.ts';

/** A clock function or keyword, with its brackets where it has any. */
export function bindClock(binder: Binder, start: number, type: string): void {
  const first = binder.source.tokenAt(start);
  const open = binder.source.tokens[first + 1]?.text === '(';
  const end = open
    ? binder.source.endOfBrackets(binder.source.tokens[first + 1]?.start ?? start)
    : (binder.source.tokens[first]?.end ?? start);
  binder.source.edit(start, end, [
    { kind: 'clock', text: binder.source.text.slice(start, end), type },
  ]);
}

const OF_SESSION: ReadonlySet<string> = new Set(['currval', 'lastval']);

/** A call: a clock, random values, a sequence, or a function of a user. */
export function bindCall(binder: Binder, call: FuncCall, scope: Scope | null): void {
  const path = functionPath(call);
  const name = path.at(-1) ?? '';
  const start = binder.source.index(call.location);
  const nameParts = names(call.funcname).length;
  const shadowed = path.length === 1 && binder.environment.shadowsBuiltIn(name);
  if (path.length === 1 && isClock(name, call) && !shadowed) {
    bindClock(binder, start, clockFunctionType(name) ?? 'timestamp with time zone');
    return;
  }
  if (isExternal(name)) {
    refuse('external', binder.place(start), `${name} reads or writes outside of the database.`);
  }
  if (path.length === 1 && isRandom(name)) binder.random.push(binder.place(start));
  if (path.length === 1 && OF_SESSION.has(name)) {
    refuse('sequence', binder.place(start), `${name} tells what the session took from a sequence.`);
  }
  if (path.length === 1 && name === 'set_config') {
    const setting = textOf(call.args?.[0]);
    if (setting === null || isMeaningful(setting)) {
      const message = `SET ${setting ?? 'of a setting'} changes what later statements mean.`;
      refuse('session-setting', binder.place(start), message);
    }
  }
  if (path.length === 1 && name === 'nextval') {
    if (binder.sequenceCalls.has(start)) return;
    refuse(
      'sequence',
      binder.place(start),
      'The value of this sequence goes to no column that can be told.',
    );
  }
  const reading = binder.environment.functionCall(path, binder.place(start));
  if (reading.kind === 'unknown') {
    binder.source.edit(start, binder.source.endOfBrackets(start), [
      { kind: 'poison', refusal: reading.refusal },
    ]);
    return;
  }
  if (reading.kind === 'renamed') {
    binder.source.edit(start, binder.source.endOfName(start, nameParts), text(reading.sql));
  }
  binder.children(call, scope);
}

/** A cast to a type of a user: its name gets its schema. */
export function bindCast(
  binder: Binder,
  cast: Extract<Node, { TypeCast: unknown }>['TypeCast'],
  scope: Scope | null,
): void {
  if (cast.arg) binder.expression(cast.arg, scope);
  const type = cast.typeName;
  if (!type || type.location === undefined) return;
  const path = names(type.names);
  const full =
    path.length === 1 && typeText(type) !== null ? binder.environment.typeName(path) : null;
  const start = binder.source.index(type.location);
  if (full !== null) binder.source.edit(start, binder.source.endOfName(start, 1), text(full));
}

/** A constant text; null for any other expression. */
function textOf(node: Node | undefined): string | null {
  return node && 'A_Const' in node ? (node.A_Const.sval?.sval ?? null) : null;
}

function isClock(name: string, call: FuncCall): boolean {
  return clockFunctionType(name) !== null && (call.args ?? []).length === 0;
}
