/** `plan.md` from text to value, with everything that is wrong with it at once. */
import type { QualifiedName } from '../catalog/types.ts';
import type { Report } from './cells.ts';
import { readSections } from './document.ts';
import type { Section } from './document.ts';
import { readFrontMatter } from './front-matter.ts';
import type { FrontMatter } from './front-matter.ts';
import { splitLines } from './lines.ts';
import { parseTableName } from './names.ts';
import { readPipelines } from './pipelines.ts';
import { readParameters, readProcedures } from './procedures.ts';
import type { RawSettings } from './settings-schema.ts';
import { PIPELINES, PROCEDURES, readSheet } from './sheet.ts';
import type { PlanText, Sheet } from './sheet.ts';
import type { Dialect, Plan, PlanProblem, PlanSettings, Position } from './types.ts';

export interface ParsedPlan {
  /** Null where there are problems. */
  readonly plan: Plan | null;
  /** In the order of the text. */
  readonly problems: readonly PlanProblem[];
}

/** A plan as text with the places of what Sprocket owns in it, checked or not. */
export interface PlanDocument extends PlanText {
  readonly frontMatter: FrontMatter;
  readonly pipelines: Sheet | null;
  readonly procedures: Sheet | null;
  readonly problems: readonly PlanProblem[];
}

/** UTF-16 units: more than 10,000 procedures need. */
const MAX_LENGTH = 8_000_000;
/** Of lines that are not rows with pipes around them: a Markdown parser takes seconds for more. */
const MAX_PROSE = 1_000_000;
/** Quotes and lists inside one another on one line, whose cost grows with the square. */
const TOO_DEEP = /^(?:[ \t]*(?:>|[-+*]|\d{1,9}[.)])){50}/mu;
const BYTE_ORDER_MARK = '\uFEFF';

/** Reads and checks a plan. Line numbers and columns of problems start at 1. */
export function parsePlan(text: string): ParsedPlan {
  const tooLarge = sizeProblem(text);
  if (tooLarge !== null) return { plan: null, problems: [tooLarge] };
  const document = readPlanDocument(text);
  const problems = [...document.problems];
  const report: Report = (problem) => problems.push(problem);
  const { frontMatter } = document;
  const { settings } = frontMatter;
  const dialect = sourceDialect(document);

  const pipelines =
    document.pipelines === null
      ? { pipelines: [], problems: [] }
      : readPipelines(document.pipelines, {
          sourceDialect: dialect,
          targetDialect: settings?.target.dialect ?? dialect,
          oneDatabase: settings !== null && settings.source.url === settings.target.url,
        });
  const procedures =
    document.procedures === null
      ? { procedures: [], problems: [] }
      : readProcedures(document.procedures, {
          dialect,
          overrides: settings?.procedures ?? {},
          at: frontMatter.at,
        });
  problems.push(...pipelines.problems, ...procedures.problems);
  const planSettings = settings === null ? null : domainSettings(settings, frontMatter.at, report);
  if (planSettings === null || problems.length > 0) {
    return { plan: null, problems: inOrder(problems) };
  }
  const plan: Plan = {
    settings: planSettings,
    pipelines: pipelines.pipelines,
    procedures: procedures.procedures,
    positions: settingPositions(frontMatter.at),
  };
  return { plan, problems: [] };
}

/** Finds what Sprocket reads and writes in a plan; the base of reading and of editing. */
export function readPlanDocument(text: string): PlanDocument {
  const lines = splitLines(text, text.startsWith(BYTE_ORDER_MARK) ? 1 : 0);
  const frontMatter = readFrontMatter(text, lines);
  const sections = readSections(text, lines, frontMatter.bodyLine);
  const pipelines = readSheet({ text, lines }, sections, PIPELINES);
  const procedures = readSheet({ text, lines }, sections, PROCEDURES);
  const problems = [
    ...frontMatter.problems,
    ...missingSection(sections, lines.length),
    ...pipelines.problems,
    ...procedures.problems,
  ];
  return {
    text,
    lines,
    frontMatter,
    pipelines: pipelines.sheet,
    procedures: procedures.sheet,
    problems,
  };
}

/** What makes a text costly to read; checked before it is read. */
function sizeProblem(text: string): PlanProblem | null {
  const problem = (message: string): PlanProblem => ({
    line: 1,
    column: 1,
    code: 'too-large',
    message,
  });
  if (text.length > MAX_LENGTH) {
    return problem('A plan has at most 8 million characters. Split it into several plans.');
  }
  if (text.replaceAll(/^ {0,3}\|.*$/gmu, '').length > MAX_PROSE) {
    return problem(
      'A plan has at most 1 million characters outside tables whose rows start with a pipe. Shorten the text.',
    );
  }
  return TOO_DEEP.test(text)
    ? problem('A line nests 50 quotes or lists. Write it with less of them.')
    : null;
}

/** The dialect that the plan names, also where other settings are wrong. */
export function sourceDialect(document: PlanDocument): Dialect {
  return document.frontMatter.raw(['source', 'dialect']) === 'mysql' ? 'mysql' : 'postgres';
}

function missingSection(sections: readonly Section[], lastLine: number): PlanProblem[] {
  if (sections.some((section) => section.title.trim().toLowerCase() === 'procedures')) return [];
  const message =
    'The plan has no heading Procedures. Write ## Procedures and its table beneath; "sprocket plan" drafts both.';
  return [{ line: lastLine, column: 1, code: 'section-missing', message }];
}

function domainSettings(raw: RawSettings, at: FrontMatter['at'], report: Report): PlanSettings {
  const parameters = readParameters(raw.proof.parameters, at(['proof', 'parameters']), report);
  return {
    name: raw.name,
    source: { dialect: raw.source.dialect, urlVariable: raw.source.url },
    target: {
      dialect: raw.target.dialect,
      urlVariable: raw.target.url,
      metadataSchema: raw.target.metadata_schema,
    },
    sandbox: raw.sandbox === undefined ? null : { urlVariable: raw.sandbox.url },
    production: {
      repository: raw.production.repository ?? null,
      base: raw.production.base ?? null,
      project: raw.production.project,
      reviewers: raw.production.reviewers,
      labels: raw.production.labels,
    },
    workers: raw.workers,
    proof: {
      maxRows: raw.proof.max_rows,
      rows: raw.proof.rows,
      parameters: Object.fromEntries(parameters.map(({ parameter, sql }) => [parameter, sql])),
    },
    zeroDates: raw.pipelines.zero_dates,
    dataTables: dataTables(raw, at, report),
  };
}

function dataTables(raw: RawSettings, at: FrontMatter['at'], report: Report): QualifiedName[] {
  return (raw.data_tables ?? []).flatMap((item, index) => {
    const table = parseTableName(item, raw.source.dialect);
    if (table.ok) return [table.value];
    report({ ...at(['data_tables', index]), ...table.problem });
    return [];
  });
}

function settingPositions(at: FrontMatter['at']): ReadonlyMap<string, Position> {
  const paths = ['source.url', 'target.url', 'sandbox.url', 'production.repository', 'workers'];
  return new Map(paths.map((path) => [path, at(path.split('.'))]));
}

function inOrder(problems: readonly PlanProblem[]): readonly PlanProblem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
