/** What of a database can be migrated by a machine, what not, and why: as a value and as a table. */
import { qualified } from '../catalog/names.ts';
import type { Translation } from '../translate/types.ts';
import { count, fit, formatNumber, formatSeconds, oneLine, truncate, width, wrap } from './text.ts';

/** `sprocket assess --json`. */
export interface Assessment {
  readonly sprocket: 1;
  readonly seconds: number;
  readonly counts: {
    readonly procedures: number;
    readonly automatic: number;
    readonly refused: number;
    readonly models: number;
  };
  /** By code of refusal, the code that stops most procedures first. */
  readonly refusals: readonly RefusalCount[];
  readonly procedures: readonly AssessedProcedure[];
}

interface RefusalCount {
  readonly code: string;
  readonly procedures: number;
  /** Places in all procedures. */
  readonly places: number;
  readonly advice: string;
}

interface AssessedProcedure {
  readonly name: string;
  readonly outcome: Translation['outcome'];
  /** Tables that models will build: `schema.name`. */
  readonly models: readonly string[];
  readonly reasons: readonly {
    readonly code: string;
    readonly line: number;
    readonly construct: string;
    readonly message: string;
    readonly advice: string;
  }[];
}

/** Sums up translations. `seconds` is how long it took to make them. */
export function assess(translations: readonly Translation[], seconds: number): Assessment {
  const procedures = translations.map((translation) => ({
    name: translation.routine,
    outcome: translation.outcome,
    models: translation.models.map((model) => qualified(model.table)),
    reasons: translation.refusals.map(({ code, line, construct, message, advice }) => ({
      code,
      line,
      construct,
      message,
      advice,
    })),
  }));
  const refused = procedures.filter(({ outcome }) => outcome === 'refused').length;
  return {
    sprocket: 1,
    seconds: Math.round(seconds * 1000) / 1000,
    counts: {
      procedures: procedures.length,
      automatic: procedures.length - refused,
      refused,
      models: procedures.reduce((sum, { models }) => sum + models.length, 0),
    },
    refusals: countRefusals(procedures),
    procedures,
  };
}

function countRefusals(procedures: readonly AssessedProcedure[]): readonly RefusalCount[] {
  const places = procedures.flatMap(({ name, reasons }) =>
    reasons.map((reason) => ({ name, reason })),
  );
  return [...Map.groupBy(places, ({ reason }) => reason.code)]
    .map(([code, found]) => ({
      code,
      procedures: new Set(found.map(({ name }) => name)).size,
      places: found.length,
      advice: found[0]?.reason.advice ?? '',
    }))
    .toSorted((a, b) => b.procedures - a.procedures || a.code.localeCompare(b.code, 'en'));
}

const LEAST_COLUMNS = 40;
const MAX_NAME = 50;
const NAME_SHARE = 0.6;
const GAP = '  ';

const WHAT: Readonly<Record<Translation['outcome'], string>> = {
  models: 'models',
  checks: 'only checks: dbt tests',
  calls: 'only calls others',
  nothing: 'leaves nothing behind',
  refused: 'by hand',
};

/**
 * Lines for a terminal or a pipe, none wider than `columns` (Infinity for a pipe): what is
 * automatic, then what is not with its reasons, then the sums.
 */
export function assessLines(assessment: Assessment, columns: number): readonly string[] {
  const room = Math.max(LEAST_COLUMNS, columns);
  const widest = assessment.procedures.reduce(
    (most, { name }) => Math.max(most, width(oneLine(name))),
    0,
  );
  const most = Number.isFinite(room) ? Math.min(MAX_NAME, Math.floor(room * NAME_SHARE)) : widest;
  const name = Math.min(widest, most);
  const automatic = assessment.procedures.filter(({ outcome }) => outcome !== 'refused');
  const refused = assessment.procedures.filter(({ outcome }) => outcome === 'refused');
  const cut = (line: string) => truncate(line, room);
  const line = (sign: string, procedure: AssessedProcedure) =>
    cut(`${sign} ${fit(oneLine(procedure.name), name)}${GAP}${whatBecomes(procedure)}`);
  return [
    ...automatic.map((procedure) => line('✓', procedure)),
    ...refused.flatMap((procedure) => [
      line('✗', procedure),
      ...procedure.reasons.flatMap((reason) => reasonLines(reason, room)),
    ]),
    ...(assessment.procedures.length === 0 ? [] : ['']),
    ...summaryLines(assessment, room),
  ];
}

function whatBecomes({ outcome, models }: AssessedProcedure): string {
  return outcome === 'models'
    ? `${count(models.length, 'model')}: ${models.map(oneLine).join(', ')}`
    : WHAT[outcome];
}

function reasonLines(reason: AssessedProcedure['reasons'][number], room: number): string[] {
  const text = `${oneLine(reason.message)} [${reason.code}]`;
  return hanging(`    line ${reason.line}: `, text, room);
}

function summaryLines({ counts, refusals, seconds }: Assessment, room: number): string[] {
  const share =
    counts.procedures === 0 ? 0 : Math.floor((100 * counts.automatic) / counts.procedures);
  const codeColumns = Math.max(0, ...refusals.map(({ code }) => code.length));
  const numberColumns = Math.max(
    0,
    ...refusals.map(({ procedures }) => formatNumber(procedures).length),
  );
  const sums = `${formatNumber(counts.automatic)} of ${count(counts.procedures, 'procedure')} (${share} %) can be migrated by a machine, giving ${count(counts.models, 'model')}. Assessed in ${formatSeconds(seconds)}; nothing is proven yet.`;
  return [
    ...wrap(sums, room),
    ...(refusals.length === 0 ? [] : ['', ...wrap('What stands in the way of the others:', room)]),
    ...refusals.flatMap(({ code, procedures, advice }) => {
      const number = fit(formatNumber(procedures), numberColumns, 'right');
      return hanging(`${GAP}${number}${GAP}${fit(code, codeColumns)}${GAP}`, oneLine(advice), room);
    }),
  ];
}

/** A text behind a label; its further lines stand beneath its first. */
function hanging(label: string, text: string, room: number): string[] {
  const indent = Math.min(width(label), Math.floor(room / 2));
  const lines = wrap(text, room - indent);
  return lines.map(
    (line, index) => `${index === 0 ? fit(label, indent) : ' '.repeat(indent)}${line}`,
  );
}
