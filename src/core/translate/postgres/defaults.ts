/** DEFAULT expressions as fragments: clocks are holes there as anywhere else. */
import type { Node } from 'libpg-query';
import type { Fragment } from '../fragment.ts';
import { clockFunctionType, clockValueType, isRandom } from './clock.ts';
import { parseSql } from './parser.ts';
import { SourceText } from './source.ts';
import { functionPath, walk } from './tree.ts';

/** Whether a DEFAULT gives values that no two runs share. */
export function isRandomDefault(expression: string): boolean {
  let found = false;
  walk(parseSql(`select ${expression}`), (node) => {
    if (!('FuncCall' in node)) return;
    const call = (node as Extract<Node, { FuncCall: unknown }>).FuncCall;
    found ||= isRandom(functionPath(call).at(-1) ?? '');
  });
  return found;
}

export function bindDefault(expression: string): Fragment {
  const prefix = 'select ';
  const source = new SourceText(prefix + expression, 1);
  walk(parseSql(source.text), (node) => {
    if ('SQLValueFunction' in node) {
      const { op, location } = (node as Extract<Node, { SQLValueFunction: unknown }>)
        .SQLValueFunction;
      markClock(source, source.index(location), clockValueType(op));
    }
    if ('FuncCall' in node) {
      const call = (node as Extract<Node, { FuncCall: unknown }>).FuncCall;
      const path = functionPath(call);
      markClock(
        source,
        source.index(call.location),
        path.length === 1 ? clockFunctionType(path[0] ?? '') : null,
      );
    }
  });
  return source.slice(prefix.length, source.text.length);
}

function markClock(source: SourceText, start: number, type: string | null): void {
  if (type === null) return;
  const first = source.tokenAt(start);
  const next = source.tokens[first + 1];
  const end =
    next?.text === '(' ? source.endOfBrackets(next.start) : (source.tokens[first]?.end ?? start);
  source.edit(start, end, [{ kind: 'clock', text: source.text.slice(start, end), type }]);
}
