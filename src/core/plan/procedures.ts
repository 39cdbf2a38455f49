/** The rows of the table Procedures, with what the front matter says of single procedures. */
import type { QualifiedName } from '../catalog/types.ts';
import { nearest } from '../lifecycle/select.ts';
import { parseArguments, valueProblems } from './arguments.ts';
import { readInclude, readRating, readStatus, readTables } from './cells.ts';
import type { Report } from './cells.ts';
import {
  formatRoutineName,
  formatTableName,
  parseRoutineName,
  parseTableName,
  splitList,
} from './names.ts';
import type { RoutineName } from './names.ts';
import type { RawSettings } from './settings-schema.ts';
import type { Sheet, SheetRow } from './sheet.ts';
import { shown } from './shown.ts';
import type { Argument, Dialect, PlannedProcedure, PlanProblem, Position } from './types.ts';

export interface ProcedureContext {
  readonly dialect: Dialect;
  /** `procedures` of the front matter. */
  readonly overrides: NonNullable<RawSettings['procedures']>;
  /** Position of a setting in the front matter. */
  readonly at: (path: readonly string[]) => Position;
}

export interface ProcedureRows {
  readonly procedures: readonly PlannedProcedure[];
  readonly problems: readonly PlanProblem[];
}

/** What the front matter says of one procedure. */
interface Override {
  readonly arguments: readonly Argument[];
  readonly dataTables: readonly QualifiedName[];
}

/** The procedures of the table: by id, and by `schema.name` for those who leave the types out. */
interface Known {
  readonly ids: ReadonlySet<string>;
  readonly byBareName: ReadonlyMap<string, RoutineName>;
}

/** What to do about a procedure that the plan doesn't have: the nearest name where there is one. */
type Guess = (name: QualifiedName) => string;

/** A look for the nearest name goes through all of them: enough for people, bounded for machines. */
const MAX_GUESSES = 50;

export function readProcedures(sheet: Sheet, context: ProcedureContext): ProcedureRows {
  const problems: PlanProblem[] = [];
  const report: Report = (problem) => problems.push(problem);
  const names = readNames(sheet, context.dialect, report);
  const found = names.filter((name) => name !== null);
  const known: Known = {
    ids: new Set(found.map((name) => name.id)),
    byBareName: new Map(found.map((name) => [formatTableName(name.name), name])),
  };
  const guess = boundedGuess(known);
  const overrides = readOverrides(context, known, guess, report);
  const procedures = sheet.rows.flatMap((row, index) => {
    const include = readInclude(row, report);
    const status = readStatus(row, report);
    const { rating, reasons: ratingReasons } = readRating(row, report);
    const writes = readTables(row, 'Writes', context.dialect, report);
    const dependsOn = readDependencies(row, context.dialect, known, guess, report);
    const values = readValues(row, report);
    const name = names[index] ?? null;
    if (name === null) return [];
    const override = overrides.get(name.id) ?? { arguments: [], dataTables: [] };
    reportConflicts(row, values, override, report);
    return [
      {
        ...name,
        include,
        arguments: [...values, ...override.arguments],
        writes,
        dependsOn,
        rating,
        ratingReasons,
        dataTables: override.dataTables,
        status,
        position: row.position,
      },
    ];
  });
  return { procedures, problems };
}

/** One name a row; null where it is none, or stands further up already. */
function readNames(
  sheet: Sheet,
  dialect: Dialect,
  report: Report,
): readonly (RoutineName | null)[] {
  const lines = new Map<string, number>();
  return sheet.rows.map((row) => {
    const parsed = parseRoutineName(row.text('Procedure'), dialect);
    if (!parsed.ok) {
      report({ ...row.at('Procedure'), ...parsed.problem });
      return null;
    }
    const before = lines.get(parsed.value.id);
    if (before === undefined) {
      lines.set(parsed.value.id, row.position.line);
      return parsed.value;
    }
    const message = `${shown(parsed.value.id)} is on line ${before} already. Delete one of the two rows.`;
    report({ ...row.at('Procedure'), code: 'procedure-duplicate', message });
    return null;
  });
}

/** Names with parentheses are procedures of the plan, names without are tables. */
function readDependencies(
  row: SheetRow,
  dialect: Dialect,
  known: Known,
  guess: Guess,
  report: Report,
): PlannedProcedure['dependsOn'] {
  const procedures: string[] = [];
  const tables: QualifiedName[] = [];
  const position = row.at('Depends on');
  for (const item of splitList(row.text('Depends on'))) {
    const routine = parseRoutineName(item, dialect);
    const table = parseTableName(item, dialect);
    const meant = table.ok ? known.byBareName.get(formatTableName(table.value)) : undefined;
    if (routine.ok) {
      procedures.push(routine.value.id);
      if (known.ids.has(routine.value.id)) continue;
      const message = `${shown(routine.value.id)} is not in the table Procedures. ${guess(routine.value.name)}`;
      report({ ...position, code: 'procedure-unknown', message });
    } else if (meant !== undefined) {
      const written = formatRoutineName(meant.name, meant.argumentTypes);
      const message = `${shown(item)} is a procedure of this plan. Write ${written}.`;
      report({ ...position, code: 'procedure-unknown', message });
    } else if (table.ok) {
      tables.push(table.value);
    } else {
      report({ ...position, ...(item.includes('(') ? routine.problem : table.problem) });
    }
  }
  return { procedures, tables };
}

function readValues(row: SheetRow, report: Report): readonly Argument[] {
  const { values, problems } = parseArguments(row.text('Arguments'));
  for (const problem of problems) report({ ...row.at('Arguments'), ...problem });
  return values;
}

function reportConflicts(
  row: SheetRow,
  values: readonly Argument[],
  override: Override,
  report: Report,
): void {
  for (const { parameter } of override.arguments) {
    if (parameter === null || !values.some((value) => value.parameter === parameter)) continue;
    const message = `The parameter ${shown(parameter)} has a value in the front matter too. Delete one of them.`;
    report({ ...row.at('Arguments'), code: 'argument-invalid', message });
  }
}

function readOverrides(
  context: ProcedureContext,
  known: Known,
  guess: Guess,
  report: Report,
): ReadonlyMap<string, Override> {
  const entries = Object.entries(context.overrides).flatMap(([key, raw]): [string, Override][] => {
    const at = (...path: string[]) => context.at(['procedures', key, ...path]);
    const parsed = parseRoutineName(key, context.dialect);
    if (!parsed.ok) {
      report({ ...at(), ...parsed.problem });
      return [];
    }
    const { id } = parsed.value;
    if (!known.ids.has(id)) {
      const message = `${shown(id)} is not in the table Procedures. ${guess(parsed.value.name)}`;
      report({ ...at(), code: 'procedure-unknown', message });
    }
    const dataTables = (raw.data_tables ?? []).flatMap((item) => {
      const table = parseTableName(item, context.dialect);
      if (table.ok) return [table.value];
      report({ ...at('data_tables'), ...table.problem });
      return [];
    });
    return [
      [
        id,
        { arguments: readParameters(raw.parameters ?? {}, at('parameters'), report), dataTables },
      ],
    ];
  });
  return new Map(entries);
}

/** Values of a `parameters` map of the front matter. */
export function readParameters(
  parameters: RawSettings['proof']['parameters'],
  position: Position,
  report: Report,
): readonly (Argument & { readonly parameter: string })[] {
  const values = Object.entries(parameters).map(([parameter, value]) => ({
    parameter,
    sql: String(value).trim(),
  }));
  for (const problem of valueProblems(values)) report({ ...position, ...problem });
  return values;
}

function boundedGuess(known: Known): Guess {
  const candidates = [...known.byBareName].map(([text, { name, argumentTypes }]) => ({
    value: formatRoutineName(name, argumentTypes),
    text,
  }));
  let left = MAX_GUESSES;
  return (name) => {
    left -= 1;
    const found = left < 0 ? null : nearest(formatTableName(name), candidates);
    return found === null ? 'Add a row for it, or delete the name here.' : `Did you mean ${found}?`;
  };
}
