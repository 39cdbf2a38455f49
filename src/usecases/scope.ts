/** Drafts the first plan of a migration from what the source holds. */
import type { Catalog, QualifiedName } from '../core/catalog/types.ts';
import { planDraft } from '../core/graph/plan-draft.ts';
import type { DraftSettings } from '../core/graph/plan-draft.ts';
import { drawScope } from '../core/graph/scope.ts';
import type { Scope } from '../core/graph/scope.ts';
import { renderDraft } from '../core/plan/draft.ts';
import type { PlanDraft } from '../core/plan/draft.ts';
import { loadParser } from '../core/translate/postgres/parser.ts';
import { CatalogError } from '../ports/catalog.ts';
import type { CatalogReader } from '../ports/catalog.ts';

export interface DraftRequest {
  readonly reader: CatalogReader;
  /** Schemas whose routines are taken; null for all. Tables are read wherever they are. */
  readonly schemas: readonly string[] | null;
  /** `name` is made from the name of the database where it is null. */
  readonly settings: Omit<DraftSettings, 'name'> & { readonly name: string | null };
  /** Source and target are the same database. */
  readonly oneDatabase: boolean;
}

export interface DraftedPlan {
  /** plan.md. */
  readonly text: string;
  readonly draft: PlanDraft;
  readonly scope: Scope;
}

/** Throws `CatalogError` for a schema without routines, and what the reader throws. */
export async function draftPlan(request: DraftRequest): Promise<DraftedPlan> {
  const { reader, settings, oneDatabase } = request;
  await loadParser();
  const catalog = await reader.readCatalog();
  const schemas = chosenSchemas(catalog, request.schemas);
  const scope = drawScope(catalog, schemas === null ? {} : { schemas });
  const name = settings.name ?? planName(catalog.database);
  const draft = planDraft(scope, catalog, { ...settings, name }, oneDatabase);
  return { text: renderDraft(draft), draft, scope };
}

/** The first plan of a source whose procedures are not read: all its tables are moved. */
export function draftTables(
  found: {
    readonly database: string;
    readonly tables: readonly QualifiedName[];
    /** The source's log tells their changes. */
    readonly followable: boolean;
  },
  settings: DraftRequest['settings'],
): Omit<DraftedPlan, 'scope'> {
  const draft: PlanDraft = {
    ...settings,
    name: settings.name ?? planName(found.database),
    pipelines: found.tables.map((name) => ({
      include: true,
      source: name,
      target: name,
      key: [],
      mode: found.followable ? 'load + changes' : 'load',
    })),
    procedures: [],
  };
  return { text: renderDraft(draft), draft };
}

/** A name that a plan may have: lower case letters, digits, `-` and `_`, at most 63. */
function planName(database: string): string {
  const letters = [...database.toLowerCase()].map((each) =>
    /[a-z0-9_-]/u.test(each) ? each : '-',
  );
  const name = letters.join('').slice(0, MOST_NAME_LENGTH);
  const trimmed = name.replace(/^[-_]+/u, '').replace(/[-_]+$/u, '');
  return trimmed === '' ? 'migration' : trimmed;
}

const MOST_NAME_LENGTH = 63;

/** The schemas asked for, each of which must hold a routine; null for all. */
export function chosenSchemas(
  catalog: Catalog,
  asked: readonly string[] | null,
): ReadonlySet<string> | null {
  if (asked === null) return null;
  const holding = new Set(catalog.routines.map(({ name }) => name.schema));
  const missing = asked.filter((schema) => !holding.has(schema));
  if (missing.length === 0) return new Set(asked);
  const known = [...holding].map((schema) => JSON.stringify(schema)).join(', ');
  throw new CatalogError(
    'unknown-schema',
    `No routine is in schema ${missing.map((schema) => JSON.stringify(schema)).join(', ')}.`,
    known === '' ? 'The database holds no routine at all.' : `Schemas with routines: ${known}.`,
  );
}
