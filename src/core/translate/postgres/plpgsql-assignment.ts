/** Reads assignments, whose text holds both sides. */
import { scan } from './parser.ts';
import type { Names } from './plpgsql-names.ts';
import type { CodeText, Step } from '../program.ts';

/** `name := expression`, where the text holds both sides. */
export function readAssignment(names: Names, line: number, varno: number, code: CodeText): Step {
  const tokens = scan(code.text);
  let depth = 0;
  const operator = tokens.findIndex((token) => {
    if (token.text === '[' || token.text === '(') depth += 1;
    if (token.text === ']' || token.text === ')') depth -= 1;
    return depth === 0 && (token.text === ':=' || token.text === '=');
  });
  const start = operator < 0 ? 0 : (tokens[operator]?.end ?? 0);
  const skipped = code.text.slice(0, start);
  const leading = code.text.slice(start).length - code.text.slice(start).trimStart().length;
  if (skipped.includes('[')) return { kind: 'unknown', line, construct: code.text };
  return {
    kind: 'assign',
    line,
    target: names.target(varno),
    expression: {
      ...code,
      text: code.text.slice(start + leading),
      line: line + newlines(code.text.slice(0, start + leading)),
    },
  };
}

function newlines(text: string): number {
  return text.split('\n').length - 1;
}
