/** The text of a search_path setting. */
import { scan } from '../translate/postgres/parser.ts';

/**
 * Schemas of a setting such as `dw, "My ""Odd"" Schema"`, in order. `$user` and the system's own
 * are left out: neither holds the tables of a procedure.
 */
export function parseSearchPath(setting: string): readonly string[] {
  return scan(setting)
    .filter((token) => token.kind === 'word' || token.kind === 'string')
    .map((token) => unquoted(token.text))
    .filter((schema) => schema !== '' && schema !== '$user' && schema !== 'pg_catalog');
}

function unquoted(text: string): string {
  const quote = text.at(0);
  if (quote !== '"' && quote !== "'") return text.toLowerCase();
  return text.slice(1, -1).replaceAll(quote + quote, quote);
}
