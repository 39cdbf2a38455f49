/** Row types in declarations, which the parser can't look up. */
import { scan } from './parser.ts';

/**
 * The parser runs without a catalog and rejects fields of `table%ROWTYPE` variables. To the
 * translator a row variable is a record, so the type is blanked out, positions kept.
 */
export function withoutRowTypes(definition: string): string {
  if (!/%\s*rowtype/iu.test(definition)) return definition;
  let result = definition;
  const bodies = scan(definition).filter(
    (token) => token.kind === 'string' && token.text.startsWith('$'),
  );
  for (const body of bodies) {
    const open = body.text.indexOf('$', 1) + 1;
    const inner = body.text.slice(open, -open);
    const tokens = scan(inner);
    for (const [index, token] of tokens.entries()) {
      if (token.text.toUpperCase() !== 'ROWTYPE' || tokens[index - 1]?.text !== '%') continue;
      let first = index - 2;
      while (tokens[first - 1]?.text === '.') first -= 2;
      const start = body.start + open + (tokens[first]?.start ?? 0);
      const end = body.start + open + token.end;
      result =
        result.slice(0, start) +
        'record'.padEnd(end - start).slice(0, Math.max(end - start, 6)) +
        result.slice(end);
    }
  }
  return result;
}
