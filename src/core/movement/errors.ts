/** What can go wrong while data moves: each with a closed code, the place, and what to do. */
import { qualified } from '../catalog/names.ts';
import type { QualifiedName } from '../catalog/types.ts';

export type MoveErrorCode =
  | 'unsupported-type'
  | 'unrepresentable-value'
  | 'rows-differ'
  | 'target-not-empty'
  | 'plan-changed'
  | 'table-missing'
  | 'no-key'
  | 'schema-changed'
  | 'lost-claim'
  | 'already-running'
  | 'too-many-restarts'
  | 'position-lost'
  | 'not-configured'
  | 'unsafe-reset'
  | 'sides-differ'
  | 'corrupt-file'
  | 'disk-full';

/** A failure that trying again does not cure. */
export class MoveError extends Error {
  readonly code: MoveErrorCode;
  /** `schema.table`, or null where no table is meant. */
  readonly table: string | null;

  constructor(code: MoveErrorCode, message: string, table: string | null = null) {
    super(message);
    this.name = 'MoveError';
    this.code = code;
    this.table = table;
  }
}

/** `what` completes "the table was …". */
export function schemaChanged(table: QualifiedName, what: string): MoveError {
  const name = qualified(table);
  return new MoveError(
    'schema-changed',
    `${name} was ${what} at the source while it was followed. Everything before that is applied. ` +
      `Undo the change, or reset the pipelines and load again.`,
    name,
  );
}

/** A value that the target can't hold, met while a change was converted. */
export class UnrepresentableValue extends Error {
  readonly values: string;

  constructor(values: string) {
    super(`the target can't hold ${values}`);
    this.name = 'UnrepresentableValue';
    this.values = values;
  }
}

/** Thrown through everything that is under way when STOP was asked for. Not a failure. */
export class Stopped extends Error {
  constructor() {
    super('stopped as asked');
    this.name = 'Stopped';
  }
}
