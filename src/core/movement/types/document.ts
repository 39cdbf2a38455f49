/** `docs/types.md`, made from the type tables, so that it can't say anything else than the code does. */
import type { TypeRule } from './rule.ts';
import { TYPE_TABLES } from './map.ts';

const HEAD = `# Types

Made from \`src/core/movement/types/\` by \`node scripts/types-document.ts\`; a test compares. The first row that fits holds.

What the target can't hold is an error that names table, key, column and kind of value: while planning where the
type decides it, else at that row, and nothing of that row's file is kept. Nothing is changed silently.

MySQL stands for MySQL and MariaDB. Everything here was tested on MariaDB only; MySQL proper was not at hand.
`;

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}

function table(title: string, rules: readonly TypeRule[]): string {
  const rows = rules.map(
    (rule) => `| ${cell(rule.from)} | ${cell(rule.to)} | ${cell(rule.note)} |`,
  );
  return `\n## ${title}\n\n| from | to | |\n|---|---|---|\n${rows.join('\n')}\n`;
}

/** The page as Markdown. */
export function typesDocument(): string {
  return (
    HEAD +
    table('MySQL → PostgreSQL', TYPE_TABLES.mysql.postgres) +
    table('PostgreSQL → MySQL', TYPE_TABLES.postgres.mysql) +
    table('PostgreSQL → PostgreSQL', TYPE_TABLES.postgres.postgres) +
    table('MySQL → MySQL', TYPE_TABLES.mysql.mysql)
  );
}
