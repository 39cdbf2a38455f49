/** What a move tells about itself while it follows and when it ends. */
import { qualified } from '../core/catalog/names.ts';
import { MoveError } from '../core/movement/errors.ts';
import type { MovedTable, Pipeline } from '../core/movement/model.ts';
import type { MoveContext } from './move_context.ts';
import type { Extract } from './move_extract.ts';
import type { TableVerdict } from './verify.ts';

const MARK_MS = 1000;

/** The log names a row by the table's own key: another one can't be found in it. */
export function assertKey(pipeline: Pipeline, table: MovedTable): void {
  const own = table.key.toSorted().join('\0');
  if (!pipeline.follow || pipeline.key.length === 0 || own === '') return;
  if (pipeline.key.toSorted().join('\0') === own) return;
  const name = qualified(table.name);
  throw new MoveError(
    'no-key',
    `The plan names ${pipeline.key.join(', ')} as key of ${name}, whose changes are known by ${table.key.join(', ')}. ` +
      `Leave the Key empty, or load without changes (Mode "load").`,
    name,
  );
}

/** The first row that differs, in words; empty where none is shown. */
export function firstDifference(verdicts: readonly TableVerdict[]): string {
  const [verdict] = verdicts;
  const row = verdict?.shown[0];
  if (verdict === undefined || row === undefined) return '';
  const key = Object.entries(row.key).map(([name, value]) => `${name} = ${value ?? 'NULL'}`);
  return `First of them: ${verdict.table} at ${key.join(', ')} is ${row.kind} (${row.columns.map(({ column }) => column).join(', ')}).`;
}

/** Writes the place in the source's log into the CE row, about once a second. */
export class LogMarks {
  readonly #context: MoveContext;
  readonly #extract: Extract;
  #log: string | null = null;
  #mark = '';
  #at = 0;

  constructor(context: MoveContext, extract: Extract) {
    this.#context = context;
    this.#extract = extract;
  }

  async write(now: boolean): Promise<void> {
    const { clock, plan, source, store, target } = this.#context;
    const { position } = this.#extract.durable();
    const time = Date.parse(clock.now());
    if (position === this.#mark || (!now && time - this.#at < MARK_MS)) return;
    const log = source.logName(plan.name, position);
    if (log !== this.#log) {
      await store.finishRows(target.statements, 'CE', log);
      await store.beginRow(target.statements, log, 'CE', null, position);
      this.#log = log;
    }
    await store.setMark(target.statements, log, 'CE', position, false);
    this.#mark = position;
    this.#at = time;
  }
}
