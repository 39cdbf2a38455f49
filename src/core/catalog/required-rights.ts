/** The rights that the run of a plan needs in each of its databases. */
import type { Plan, PlannedPipeline } from '../plan/types.ts';
import { qualified } from './names.ts';
import type { RequiredRight, TableRight } from './rights.ts';
import type { QualifiedName } from './types.ts';

export interface RunRights {
  /** Only reads, but for what following changes asks of PostgreSQL. */
  readonly source: readonly RequiredRight[];
  readonly target: readonly RequiredRight[];
  /** Of a sandbox of the user's own. */
  readonly sandbox: readonly RequiredRight[];
}

const CHANGES: readonly TableRight[] = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];

/** `tables`: those of the source that included procedures read or write. */
export function requiredRights(plan: Plan, tables: readonly QualifiedName[]): RunRights {
  const included = plan.pipelines.filter(({ include }) => include);
  return {
    source: distinct([
      ...tables.flatMap((table) => reading(table, 'the proof takes its rows from there')),
      ...included.flatMap(({ source }) => reading(source, 'a pipeline loads it')),
      ...followRights(included),
    ]),
    target: distinct([
      ...metadataRights(plan.settings.target.metadataSchema),
      ...included.flatMap(({ target }) => loadingRights(target)),
    ]),
    sandbox: [
      { on: 'role', right: 'CREATEDB', why: 'each proof runs in databases of its own' },
      {
        on: 'parameter',
        parameter: 'session_replication_role',
        right: 'SET',
        why: 'rows are laid in another order, which foreign keys and triggers must not notice',
      },
    ],
  };
}

function reading(table: QualifiedName, why: string): readonly RequiredRight[] {
  const { schema } = table;
  return [
    { on: 'schema', schema, right: 'USAGE', createIfMissing: false, why },
    { on: 'table', table, right: 'SELECT', createIfMissing: false, why },
  ];
}

/** A publication is made by whoever may create in the database and owns the tables. */
function followRights(pipelines: readonly PlannedPipeline[]): readonly RequiredRight[] {
  const followed = pipelines.filter(({ mode }) => mode === 'load + changes');
  if (followed.length === 0) return [];
  const why = 'changes are followed by logical replication';
  return [
    { on: 'role', right: 'REPLICATION', why },
    { on: 'database', right: 'CREATE', why },
    ...followed.map(({ source }): RequiredRight => ({
      on: 'table',
      table: source,
      right: 'OWNER',
      createIfMissing: false,
      why,
    })),
  ];
}

function metadataRights(schema: string): readonly RequiredRight[] {
  const why = 'the run keeps its progress there';
  return [
    { on: 'database', right: 'WRITE', why },
    { on: 'schema', schema, right: 'CREATE', createIfMissing: true, why },
    { on: 'schema', schema, right: 'USAGE', createIfMissing: true, why },
    ...CHANGES.map((right): RequiredRight => ({ on: 'all tables', schema, right, why })),
  ];
}

function loadingRights(table: QualifiedName): readonly RequiredRight[] {
  const { schema } = table;
  const why = 'a pipeline fills it';
  return [
    { on: 'schema', schema, right: 'CREATE', createIfMissing: true, why },
    { on: 'schema', schema, right: 'USAGE', createIfMissing: true, why },
    ...[...CHANGES, 'TRUNCATE' as const].map((right): RequiredRight => ({
      on: 'table',
      table,
      right,
      createIfMissing: true,
      why,
    })),
  ];
}

/** The first of those that ask for the same. */
function distinct(rights: readonly RequiredRight[]): readonly RequiredRight[] {
  const found = new Map<string, RequiredRight>();
  for (const right of rights) {
    const key = rightText(right);
    if (!found.has(key)) found.set(key, right);
  }
  return [...found.values()];
}

/** `SELECT on dw.sales`. */
export function rightText(required: RequiredRight): string {
  switch (required.on) {
    case 'database':
      return `${required.right} on the database`;
    case 'schema':
      return `${required.right} on schema ${required.schema}`;
    case 'table':
      return `${required.right} on ${qualified(required.table)}`;
    case 'all tables':
      return `${required.right} on all tables in schema ${required.schema}`;
    case 'parameter':
      return `${required.right} on parameter ${required.parameter}`;
    case 'role':
      return required.right;
  }
}
