/** The first `plan.md` of a migration, as `sprocket plan` writes it. */
import { stringify } from 'yaml';
import type { QualifiedName } from '../catalog/types.ts';
import { nameCell, escapeCell } from './cell-writing.ts';
import { formatIdentifier, formatRoutineName, formatTableName } from './names.ts';
import type { Argument, Dialect, PipelineMode, Rating } from './types.ts';

interface DraftRoutine {
  readonly name: QualifiedName;
  readonly argumentTypes: readonly string[];
}

interface DraftPipeline {
  readonly include: boolean;
  readonly source: QualifiedName;
  readonly target: QualifiedName;
  readonly key: readonly string[];
  readonly mode: PipelineMode;
}

interface DraftProcedure extends DraftRoutine {
  readonly include: boolean;
  readonly arguments: readonly Argument[];
  readonly writes: readonly QualifiedName[];
  readonly dependsOn: readonly DraftRoutine[];
  readonly rating: Rating;
  /** Short, each one line: what speaks against (or for) translating it. */
  readonly reasons: readonly string[];
}

export interface PlanDraft {
  readonly name: string;
  readonly source: { readonly dialect: Dialect; readonly urlVariable: string };
  readonly target: {
    readonly dialect: Dialect;
    readonly urlVariable: string;
    readonly metadataSchema: string;
  };
  /** Null writes the setting as a comment. */
  readonly sandboxUrlVariable: string | null;
  readonly production: {
    /** Null writes the setting as a comment: the repository of the plan. */
    readonly repository: string | null;
    readonly base: string | null;
    readonly project: string;
  };
  readonly workers: number;
  readonly maxRows: number;
  readonly pipelines: readonly DraftPipeline[];
  readonly procedures: readonly DraftProcedure[];
}

/** Gives a plan that `parsePlan` reads without a problem. */
export function renderDraft(draft: PlanDraft): string {
  return [
    '---',
    ...settingLines(draft),
    '---',
    `# Migration plan: ${draft.name}`,
    '',
    ...introduction(draft),
    '',
    '## Pipelines',
    '',
    ...(draft.pipelines.length === 0
      ? [
          'No table needs to be moved: the procedures read what is in the target database already.',
          '',
        ]
      : [
          draft.procedures.length === 0
            ? 'Source tables that are loaded into the target database.'
            : 'Source tables that are loaded into the target database before the procedures need them.',
          '',
        ]),
    ...table(
      ['Include', 'Source', 'Target', 'Key', 'Mode', 'Status'],
      draft.pipelines.map((pipeline) => pipelineCells(pipeline)),
    ),
    '',
    '## Procedures',
    '',
    'In the order in which they run where nothing else decides it. Values for parameters go into',
    "Arguments, as in a CALL: `p_day => date '2024-01-31'`.",
    '',
    ...table(
      ['Include', 'Procedure', 'Arguments', 'Writes', 'Depends on', 'Rating', 'Status'],
      draft.procedures.map((procedure) => procedureCells(procedure)),
    ),
    '',
  ].join('\n');
}

function settingLines(draft: PlanDraft): string[] {
  const { source, target, production } = draft;
  const repository = production.repository ?? 'owner/name';
  const base = production.base ?? 'main';
  return [
    'sprocket: 1',
    `name: ${scalar(draft.name)}`,
    '# The names of environment variables that hold the connection URLs. Never write a URL here.',
    `source: { dialect: ${source.dialect}, url: ${scalar(source.urlVariable)} }`,
    `target: { dialect: ${target.dialect}, url: ${scalar(target.urlVariable)}, metadata_schema: ${scalar(target.metadataSchema)} }`,
    '# Where the proofs run. Left out: a PostgreSQL that Sprocket brings along.',
    commented(
      draft.sandboxUrlVariable === null,
      `sandbox: { url: ${scalar(draft.sandboxUrlVariable ?? 'SANDBOX_DATABASE_URL')} }`,
    ),
    '# The dbt project that gets the pull request. Left out: this repository and its default branch.',
    'production:',
    `  ${commented(production.repository === null, `repository: ${scalar(repository)}`)}`,
    `  ${commented(production.base === null, `base: ${scalar(base)}`)}`,
    `  project: ${scalar(production.project)}`,
    `workers: ${draft.workers}`,
    '# Larger tables are proven on a sample of this many rows.',
    `proof: { max_rows: ${draft.maxRows} }`,
  ];
}

function introduction(draft: PlanDraft): string[] {
  const of = (rows: readonly { readonly include: boolean }[], noun: string) =>
    `${rows.filter((row) => row.include).length} of ${rows.length} ${noun}`;
  if (draft.procedures.length === 0) {
    return [
      `${of(draft.pipelines, 'pipelines')} are included. Change that in the Include column (yes or no). Sprocket keeps`,
      'the Status column; everything else on this page is yours.',
    ];
  }
  return [
    `${of(draft.procedures, 'procedures')} and ${of(draft.pipelines, 'pipelines')} are included. Change that in the Include columns (yes or`,
    'no). Sprocket keeps the Status columns; everything else on this page is yours.',
    '',
    'Rating: Likely and Possible procedures can be translated by a machine and proven; Unlikely and',
    'Manual ones start as "no", for the reason given.',
  ];
}

function pipelineCells(pipeline: DraftPipeline): string[] {
  return [
    pipeline.include ? 'yes' : 'no',
    nameCell(formatTableName(pipeline.source)),
    nameCell(formatTableName(pipeline.target)),
    nameCell(pipeline.key.map(formatIdentifier).join(', ')),
    pipeline.mode,
    'Pending',
  ];
}

function procedureCells(procedure: DraftProcedure): string[] {
  const { name, argumentTypes, rating, reasons } = procedure;
  const why = reasons.map(oneLine).filter((reason) => reason !== '');
  return [
    procedure.include ? 'yes' : 'no',
    nameCell(formatRoutineName(name, argumentTypes)),
    nameCell(procedure.arguments.map(formatArgument).join(', ')),
    nameCell(procedure.writes.map(formatTableName).join(', ')),
    nameCell(
      procedure.dependsOn
        .map((other) => formatRoutineName(other.name, other.argumentTypes))
        .join(', '),
    ),
    escapeCell(why.length === 0 ? rating : `${rating}: ${why.join('; ')}`),
    'Pending',
  ];
}

function formatArgument({ parameter, sql }: Argument): string {
  const value = sql.replaceAll(/[\r\n]+/gu, ' ').trim();
  return parameter === null ? value : `${formatIdentifier(parameter)} => ${value}`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    `|${cells.map((cell) => (cell === '' ? ' |' : ` ${cell} |`)).join('')}`;
  return [line(header), `|${'---|'.repeat(header.length)}`, ...rows.map(line)];
}

/** A YAML scalar, quoted where it must be, also inside `{ }`. */
function scalar(text: string): string {
  const plain = stringify(text, { lineWidth: 0 }).trim();
  return /[,{}[\]]/u.test(plain) && !/^["']/u.test(plain) ? JSON.stringify(text) : plain;
}

function commented(isComment: boolean, line: string): string {
  return isComment ? `# ${line}` : line;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}
