/** The rows of the table Pipelines. */
import { qualified } from '../catalog/names.ts';
import { readInclude, readMode, readStatus, readTable } from './cells.ts';
import type { Report } from './cells.ts';
import { parseIdentifier, splitList } from './names.ts';
import type { Sheet, SheetRow } from './sheet.ts';
import { shown } from './shown.ts';
import type { Dialect, PlannedPipeline, PlanProblem } from './types.ts';

export interface PipelineContext {
  readonly sourceDialect: Dialect;
  readonly targetDialect: Dialect;
  /** Source and target are reached through one variable. */
  readonly oneDatabase: boolean;
}

export interface PipelineRows {
  readonly pipelines: readonly PlannedPipeline[];
  readonly problems: readonly PlanProblem[];
}

export function readPipelines(sheet: Sheet, context: PipelineContext): PipelineRows {
  const problems: PlanProblem[] = [];
  const sources = new Map<string, number>();
  const targets = new Map<string, number>();
  const pipelines = sheet.rows.flatMap((row) => {
    const pipeline = readPipeline(row, context, (problem) => problems.push(problem));
    if (pipeline === null) return [];
    const source = qualified(pipeline.source);
    const target = qualified(pipeline.target);
    problems.push(
      ...listedTwice(row, 'Source', source, sources),
      ...listedTwice(row, 'Target', target, targets),
    );
    if (context.oneDatabase && source === target) {
      problems.push({
        ...row.at('Target'),
        code: 'pipeline-onto-itself',
        message: `Source and target are one database, so ${shown(target)} would be loaded into itself. Write another target, or delete the row: a table that is there needs no pipeline.`,
      });
    }
    return [pipeline];
  });
  return { pipelines, problems };
}

function readPipeline(
  row: SheetRow,
  context: PipelineContext,
  report: Report,
): PlannedPipeline | null {
  const include = readInclude(row, report);
  const source = readTable(row.text('Source'), row, 'Source', context.sourceDialect, report);
  const target = readTable(row.text('Target'), row, 'Target', context.targetDialect, report);
  const key = readKey(row, report);
  const mode = readMode(row, report);
  const status = readStatus(row, report);
  if (source === null || target === null) return null;
  const id = qualified(source);
  return { id, include, source, target, key, mode, status, position: row.position };
}

function readKey(row: SheetRow, report: Report): readonly string[] {
  return splitList(row.text('Key')).flatMap((item) => {
    const column = parseIdentifier(item);
    if (column !== null) return [column];
    const message = `${shown(item)} is no name of a column. Write the columns of the key separated by commas, with double quotes around a name that holds more than letters, digits, _ and $.`;
    report({ ...row.at('Key'), code: 'name-invalid', message });
    return [];
  });
}

function listedTwice(
  row: SheetRow,
  column: 'Source' | 'Target',
  name: string,
  seen: Map<string, number>,
): PlanProblem[] {
  const before = seen.get(name);
  if (before === undefined) {
    seen.set(name, row.position.line);
    return [];
  }
  const message = `${shown(name)} is the ${column.toLowerCase()} of the pipeline on line ${before} already. Delete one of them.`;
  return [{ ...row.at(column), code: 'pipeline-duplicate', message }];
}
