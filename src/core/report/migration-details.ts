/** Parts of the summary that explain: remarks, what was left out, parameters, what is to be done. */
import { qualified } from '../catalog/names.ts';
import type { Note } from '../translate/types.ts';
import type { Block } from './limit.ts';
import { markdownCode, markdownHead, markdownRow, markdownText } from './markdown.ts';
import { outcomeOf } from './migration-types.ts';
import type { MigrationEntry, MigrationProblem, MigrationReport } from './migration-types.ts';
import { count } from './text.ts';

/** Notes about the procedure itself, which a reviewer may want to act on. */
const REMARKS: readonly Note['kind'][] = ['author-bug', 'ambiguity', 'unprovable', 'general'];

const KINDS: Readonly<Record<Note['kind'], string>> = {
  'left-out': 'left out',
  'log-table': 'log table',
  'author-bug': 'possible bug, kept as it is',
  handler: 'error handler',
  commit: 'transaction',
  ambiguity: 'order of rows',
  unprovable: 'not comparable',
  inlined: 'inlined',
  general: 'note',
};

export function problemBlock(problems: readonly MigrationProblem[]): Block | null {
  const entries = problems.map(
    ({ subject, message, advice }) =>
      `- ${markdownCode(subject)}: ${markdownText(message)} ${markdownText(advice)}\n`,
  );
  return listBlock('## To do before the first run\n\n', entries, 'more point');
}

export function remarkBlock(entries: readonly MigrationEntry[]): Block | null {
  return listBlock(
    '## Worth knowing about the procedures\n\nThe models do what the procedures did, also where that looks unintended.\n\n',
    noteLines(entries, (kind) => REMARKS.includes(kind)),
    'more remark',
  );
}

/** What the models don't do, and what was not compared: each with its reason. */
export function leftOutBlocks(report: MigrationReport): readonly (Block | null)[] {
  const migrated = report.entries.filter((entry) => outcomeOf(entry) !== 'Skipped');
  const logTables = migrated.flatMap((entry) =>
    (entry.translation?.logTables ?? []).map((table) => ({ table: qualified(table), entry })),
  );
  const writers = Map.groupBy(logTables, ({ table }) => table);
  const tables = [...writers].map(
    ([table, uses]) =>
      `- ${markdownCode(table)}: a log. It only gets row counts, times and messages, from ${uses
        .slice(0, 3)
        .map(({ entry }) => markdownCode(entry.name))
        .join(
          ', ',
        )}${uses.length > 3 ? ` and ${uses.length - 3} more` : ''}. If it holds data, name it under \`data_tables\` in the plan.\n`,
  );
  const columns = migrated.flatMap(({ name, verdict }) =>
    (verdict?.leftOut ?? []).map(
      ({ column, reason }) =>
        `- ${markdownCode(name)}: column ${markdownCode(column)} was not compared: ${markdownText(reason)}\n`,
    ),
  );
  const notes = noteLines(migrated, (kind) => !REMARKS.includes(kind) && kind !== 'log-table');
  const others = report.notIncluded.map(
    ({ name, reason }) =>
      `- ${markdownCode(name)}${reason === null ? '' : `: ${markdownText(reason)}`}\n`,
  );
  return [
    listBlock('## Left out on purpose\n\n', [...tables, ...columns, ...notes], 'more point'),
    listBlock('## Not included in the plan\n\n', others, 'more procedure'),
  ];
}

export function parameterBlock({ variables, entries }: MigrationReport): Block | null {
  if (variables.length === 0) return null;
  const types = new Map(
    entries.flatMap(({ name, translation }) =>
      (translation?.parameters ?? []).map((parameter): [string, string] => [
        `${name} ${parameter.name}`,
        parameter.type,
      ]),
    ),
  );
  const rows = variables.map(({ name, routine, parameter, value }) =>
    markdownRow([
      markdownCode(name),
      markdownCode(types.get(`${routine} ${parameter}`) ?? ''),
      value === null ? '**needed**' : markdownCode(value),
      `${markdownCode(parameter)} of ${markdownCode(routine)}`,
    ]),
  );
  const head = [
    '## Parameters',
    '',
    'Parameters became dbt variables that hold SQL expressions. Set them in `dbt_project.yml` or with `--vars`.',
    '',
    markdownHead(['Variable', 'Type', 'Value', 'Parameter']),
  ];
  return {
    head: `${head.join('\n')}\n`,
    entries: rows.map((row) => `${row}\n`),
    tail: '\n',
    left: (left) =>
      `\n… and ${count(left, 'more parameter', 'more parameters')}; MIGRATION.md has them all.\n`,
  };
}

function noteLines(
  entries: readonly MigrationEntry[],
  wanted: (kind: Note['kind']) => boolean,
): readonly string[] {
  return entries.flatMap(({ name, translation }) =>
    (translation?.notes ?? [])
      .filter(({ kind }) => wanted(kind))
      .map(
        ({ kind, line, message }) =>
          `- ${markdownCode(name)}, line ${line} (${KINDS[kind]}): ${markdownText(message)}\n`,
      ),
  );
}

function listBlock(head: string, entries: readonly string[], noun: string): Block | null {
  if (entries.length === 0) return null;
  return {
    head,
    entries,
    tail: '\n',
    left: (left) => `- … and ${count(left, noun)}; MIGRATION.md has them all.\n`,
  };
}
