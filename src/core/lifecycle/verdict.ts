/** What a verdict means for the run of its procedure. */
import type { ProofReason, ProofVerdict } from '../proof/types.ts';
import { count, formatSeconds } from '../report/text.ts';
import type { Translation } from '../translate/types.ts';

/** Why a procedure fails with this verdict, for people; null where it was proven. */
export function failureText({ outcome, reasons, differences }: ProofVerdict): string | null {
  if (outcome === 'proven') return null;
  const [first] = reasons;
  const more = reasons.length > 1 ? ` (and ${reasons.length - 1} more)` : '';
  if (first !== undefined) return `${reasonText(first)}${more}`;
  return differences.length > 0 ? 'Its model gives other rows.' : `The proof says: ${outcome}.`;
}

function reasonText({ line, construct, message, advice }: ProofReason): string {
  const where = line > 0 ? `line ${line}: ` : '';
  const what = construct === '' ? '' : `${construct}: `;
  return `${where}${what}${message}${advice === '' ? '' : ` ${advice}`}`;
}

const NOTHING_PROVEN = {
  models: [],
  rounds: 0,
  rows: 0,
  seconds: 0,
  differences: [],
  branches: { reached: 0, total: 0 },
  leftOut: [],
};

/** The verdict on a procedure that was refused, so that there was nothing to prove. */
export function refusedVerdict({ routine, refusals }: Translation): ProofVerdict {
  return {
    ...NOTHING_PROVEN,
    name: routine,
    outcome: 'refused',
    reasons: refusals.map(({ line, construct, message, advice }) => ({
      line,
      construct,
      message,
      advice,
    })),
  };
}

/** The verdict on a person's model that no proof can take up: why not, and what to do. */
export function unprovableVerdict(name: string, message: string, advice: string): ProofVerdict {
  const reason = { line: 0, construct: '', message, advice };
  return { ...NOTHING_PROVEN, name, outcome: 'refused', reasons: [reason] };
}

/** The verdict where Sprocket itself has failed. */
export function faultVerdict(name: string, message: string): ProofVerdict {
  const reason = { line: 0, construct: '', message, advice: '' };
  return { ...NOTHING_PROVEN, name, outcome: 'error', reasons: [reason] };
}

/** A verdict in one line, for the log. */
export function verdictText(verdict: ProofVerdict): string {
  const { outcome, rounds, rows, seconds } = verdict;
  const numbers = `${count(rounds, 'round')}, ${count(rows, 'row')}, ${formatSeconds(seconds)}`;
  return outcome === 'proven'
    ? `Proven: ${numbers}.`
    : `Not proven (${outcome}), ${numbers}: ${failureText(verdict) ?? ''}`;
}

/** What a translation came to, in a few words. */
export function translationText({ outcome, models, tests }: Translation): string {
  switch (outcome) {
    case 'models':
      return count(models.length, 'model');
    case 'checks':
      return `it only checks: ${count(tests.length, 'test')}`;
    case 'calls':
      return 'it only calls others';
    case 'nothing':
      return 'nothing that lasts depends on it';
    case 'refused':
      return 'refused';
  }
}
