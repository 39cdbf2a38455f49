/** `MIGRATION.md`, which is also the body of the pull request: what a reviewer needs, in that order. */
import type { ProofVerdict } from '../proof/types.ts';
import { fitBlocks } from './limit.ts';
import type { Block } from './limit.ts';
import { markdownCode, markdownHead, markdownRow } from './markdown.ts';
import { decisionBlock } from './migration-decisions.ts';
import { leftOutBlocks, parameterBlock, problemBlock, remarkBlock } from './migration-details.ts';
import { OUTCOMES, outcomeOf } from './migration-types.ts';
import type { MigrationEntry, MigrationOutcome, MigrationReport } from './migration-types.ts';
import { count, formatNumber, formatSeconds } from './text.ts';

const WORDS: Readonly<Record<MigrationOutcome, string>> = {
  Proven: 'proven equal',
  'Proven (manual)': "proven equal, with a person's model",
  Accepted: 'accepted by a person',
  Skipped: 'skipped',
  Refused: 'refused',
  Differs: 'different from its model',
  Nondeterministic: 'nondeterministic',
  Broken: 'broken at the source',
  Error: 'ended by an error of Sprocket',
  'Not proven': 'not proven',
};

const SIGNS: Readonly<Record<MigrationOutcome, string>> = {
  Proven: '✅',
  'Proven (manual)': '✅',
  Accepted: '☑️',
  Skipped: '⏭️',
  Refused: '✋',
  Differs: '❌',
  Nondeterministic: '❌',
  Broken: '❌',
  Error: '❌',
  'Not proven': '❌',
};

/**
 * The summary of a migration as GitHub Markdown. `limit` is in bytes of UTF-8 (a pull request's
 * body takes 65,536 characters) and at least 8,000; Infinity for the file.
 */
export function migrationMarkdown(report: MigrationReport, limit: number): string {
  const blocks = [
    introduction(report),
    decisionBlock(report.entries),
    problemBlock(report.problems),
    procedureBlock(report.entries),
    remarkBlock(report.entries),
    ...leftOutBlocks(report),
    parameterBlock(report),
    runBlock(report),
  ];
  return `${fitBlocks(
    blocks.filter((block) => block !== null),
    limit - 1,
  ).trimEnd()}\n`;
}

function introduction(report: MigrationReport): Block {
  const { entries } = report;
  const models = entries.reduce((sum, entry) => sum + entry.models.length, 0);
  const verdicts = entries.flatMap(({ verdict }) =>
    verdict?.outcome === 'proven' ? [verdict] : [],
  );
  const byOutcome = OUTCOMES.flatMap((outcome) => {
    const number = entries.filter((entry) => outcomeOf(entry) === outcome).length;
    return number === 0 ? [] : [`**${formatNumber(number)}** ${WORDS[outcome]}`];
  });
  const lines = [
    `# Migration of ${report.plan}`,
    '',
    `${count(entries.length, 'stored procedure')} became ${count(models, 'dbt model')}${byOutcome.length === 0 ? '' : `: ${byOutcome.join(', ')}`}.`,
    ...(verdicts.length === 0 ? [] : ['', proofSentence(verdicts, report.maxRows)]),
  ];
  return text(lines);
}

function proofSentence(verdicts: readonly ProofVerdict[], maxRows: number | null): string {
  const sum = (of: (verdict: ProofVerdict) => number) =>
    verdicts.reduce((total, verdict) => total + of(verdict), 0);
  const rows = formatNumber(sum((verdict) => verdict.rows));
  const rounds = count(
    sum((verdict) => verdict.rounds),
    'round',
  );
  const time = formatSeconds(sum((verdict) => verdict.seconds));
  const sample =
    maxRows === null
      ? ''
      : ` Of larger tables ${formatNumber(maxRows)} rows were taken, and all rows that they refer to.`;
  return `The proofs compared **${rows} rows** in ${rounds}, in ${time}.${sample} *Proven* means: the procedure and its models ran on the same rows, several times over with unchanged and with changed input, and after every round each table that the procedure writes held the same rows on both sides, duplicates and NULLs counted. Lines below are those of the procedure's body.`;
}

function procedureBlock(entries: readonly MigrationEntry[]): Block | null {
  if (entries.length === 0) return null;
  const head = markdownHead(
    ['', 'Procedure', 'Outcome', 'Models', 'Rounds', 'Rows', 'Seconds', 'Branches'],
    ['Rounds', 'Rows', 'Seconds', 'Branches'],
  );
  const rows = entries.map((entry) => `${procedureRow(entry)}\n`);
  return {
    head: `## Procedures\n\n${head}\n`,
    entries: rows,
    tail: '\n',
    left: (left) =>
      `\n… and ${count(left, 'more procedure', 'more procedures')}; MIGRATION.md has them all.\n`,
  };
}

function procedureRow(entry: MigrationEntry): string {
  const { verdict } = entry;
  const outcome = outcomeOf(entry);
  const isProof = verdict !== null && verdict.rounds > 0;
  const branches = verdict?.branches;
  return markdownRow([
    SIGNS[outcome],
    markdownCode(entry.name),
    outcome,
    entry.models.length === 0
      ? noModelWords(entry)
      : entry.models.map(({ name }) => markdownCode(name)).join(', '),
    isProof ? formatNumber(verdict.rounds) : '',
    isProof ? formatNumber(verdict.rows) : '',
    isProof ? verdict.seconds.toFixed(1) : '',
    isProof && branches !== undefined && branches.total > 0
      ? `${branches.reached} of ${branches.total}`
      : '',
  ]);
}

/** Why a procedure has no model, where that is as it should be. */
function noModelWords({ translation }: MigrationEntry): string {
  switch (translation?.outcome) {
    case 'checks':
      return 'none: only checks, now dbt tests';
    case 'calls':
      return 'none: only calls others';
    case 'nothing':
      return 'none: leaves nothing behind';
    default:
      return '';
  }
}

function runBlock(report: MigrationReport): Block | null {
  const models = report.entries.flatMap((entry) => entry.models.map(({ name }) => name));
  if (models.length === 0) return null;
  const needed = report.variables.filter(({ value }) => value === null);
  const example = models[0] ?? '';
  const variables =
    needed.length === 0
      ? ''
      : ` --vars '{${needed.map(({ name }) => `"${shellSafe(name)}": "…"`).join(', ')}}'`;
  const lines = [
    '## How to run',
    '',
    '```shell',
    ...(report.project === '.' ? [] : [`cd ${shellWord(report.project)}`]),
    `dbt build${variables}`,
    `dbt build${variables} --select ${shellSafe(example)}   # one model with its tests`,
    '```',
    '',
    'Each model builds the table that its procedure wrote, under the same schema and name: what reads these tables notices nothing. Stop the schedule of the procedures before the first build; keep them until you are content.',
  ];
  return text(lines);
}

function shellWord(text: string): string {
  const safe = shellSafe(text);
  return /^[\w./-]+$/u.test(safe) ? safe : `"${safe}"`;
}

/** Within a fenced shell block: nothing that ends the block or the quotes. */
function shellSafe(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}_./ -]/gu, '');
}

/** A part that is never cut. */
function text(lines: readonly string[]): Block {
  return { head: `${lines.join('\n')}\n\n`, entries: [], tail: '', left: () => '' };
}
