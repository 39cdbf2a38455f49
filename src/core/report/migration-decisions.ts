/** The part of the summary that needs a person's eyes: all that is not simply proven. */
import type { ProofReason } from '../proof/types.ts';
import type { Block } from './limit.ts';
import {
  markdownCode,
  markdownFence,
  markdownHead,
  markdownRow,
  markdownText,
} from './markdown.ts';
import { outcomeOf } from './migration-types.ts';
import type { MigrationDecision, MigrationEntry, MigrationOutcome } from './migration-types.ts';
import { mismatchLines } from './mismatch.ts';
import { count } from './text.ts';

/** Differing rows of one procedure that are shown, and reasons. */
const ROWS = 3;
const REASONS = 20;
const COLUMNS = 100;

const EXPLANATIONS: Readonly<Record<MigrationOutcome, string | null>> = {
  Proven: null,
  'Proven (manual)':
    'The model is written by a person, and was built and proven in place of the generated one.',
  Accepted: 'A person took this model without a proof.',
  Skipped:
    'Left out. Models that read its tables read them as dbt sources; something else must fill them.',
  Refused: 'Not translated: a faithful translation of the following is not known to Sprocket.',
  Differs: 'Model and procedure gave different rows.',
  Nondeterministic:
    'The procedure itself gives different rows when the same input comes in another order.',
  Broken: 'The procedure fails on the source.',
  Error: 'Sprocket itself failed here. Please report it.',
  'Not proven': 'There is no proof for this procedure.',
};

/** Null where everything is proven. */
export function decisionBlock(entries: readonly MigrationEntry[]): Block | null {
  const shown = entries.filter((entry) => outcomeOf(entry) !== 'Proven');
  if (shown.length === 0) return null;
  return {
    head: '## For your review\n\n',
    entries: shown.map(decisionEntry),
    tail: '',
    left: (left) =>
      `… and ${count(left, 'more procedure', 'more procedures')}; MIGRATION.md has them all.\n\n`,
  };
}

function decisionEntry(entry: MigrationEntry): string {
  const outcome = outcomeOf(entry);
  const { decision, verdict } = entry;
  const reasons = verdict?.reasons.length ? verdict.reasons : (entry.translation?.refusals ?? []);
  const differences = verdict?.differences ?? [];
  const parts = [
    `### ${outcome}: ${markdownCode(entry.name)}`,
    [EXPLANATIONS[outcome], decision === null ? null : decided(decision)]
      .filter((sentence) => sentence !== null)
      .join(' '),
    ...(reasons.length === 0 ? [] : [reasonTable(reasons)]),
    ...(differences.length === 0
      ? []
      : [markdownFence(mismatchLines(differences, { rows: ROWS, columns: COLUMNS }).join('\n'))]),
  ];
  return `${parts.join('\n\n')}\n\n`;
}

function decided({ kind, by, at, reason }: MigrationDecision): string {
  const verb = { accept: 'Accepted', manual: 'Taken over', skip: 'Skipped' }[kind];
  const day = at === null ? '' : ` on ${at.slice(0, 10)}`;
  const missing = kind === 'accept' ? ', without a reason' : '';
  const why = reason === null ? missing : `: ${markdownText(reason)}`;
  return `${verb} by ${markdownCode(by)}${day}${why}${/[.!?]$/u.test(why) ? '' : '.'}`;
}

function reasonTable(reasons: readonly ProofReason[]): string {
  const rows = reasons
    .slice(0, REASONS)
    .map(({ line, construct, message, advice }) =>
      markdownRow([
        String(line),
        markdownCode(construct),
        markdownText(message),
        markdownText(advice),
      ]),
    );
  const left = reasons.length - rows.length;
  return [
    markdownHead(['Line', 'Construct', 'Why', 'What to do'], ['Line']),
    ...rows,
    ...(left > 0 ? ['', `… and ${count(left, 'more reason', 'more reasons')}.`] : []),
  ].join('\n');
}
