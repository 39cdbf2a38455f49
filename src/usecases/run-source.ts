/** Reads what a run works on from its source. */
import type { Catalog } from '../core/catalog/types.ts';
import { includedIds } from '../core/lifecycle/schedule.ts';
import type { Plan } from '../core/plan/types.ts';
import type { DatabaseAddress, OpenCatalog } from '../ports/catalog.ts';

/**
 * The source's catalog, without the tables that the run itself keeps. Where no procedure is
 * included nobody needs it, and the source may be of a kind that has none to read.
 */
export async function readSource(
  open: OpenCatalog,
  address: DatabaseAddress,
  plan: Plan,
): Promise<Catalog> {
  const { settings } = plan;
  if (includedIds(plan).length === 0) return emptyCatalog(settings.source.dialect);
  const reader = await open(address);
  try {
    return withoutSchema(await reader.readCatalog(), settings.target.metadataSchema);
  } finally {
    await reader.close();
  }
}

function emptyCatalog(dialect: Catalog['dialect']): Catalog {
  const nothing = { tables: [], views: [], routines: [], sequences: [], types: [] };
  return { dialect, version: '', database: '', searchPath: [], ...nothing, schemaComments: {} };
}

/** Source and target may be one database: what Sprocket made there is no part of the warehouse. */
function withoutSchema(catalog: Catalog, schema: string): Catalog {
  const isOther = (thing: { readonly name: { readonly schema: string } }): boolean =>
    thing.name.schema !== schema;
  return {
    ...catalog,
    tables: catalog.tables.filter(isOther),
    views: catalog.views.filter(isOther),
    routines: catalog.routines.filter(isOther),
    sequences: catalog.sequences.filter(isOther),
    types: catalog.types.filter(isOther),
    searchPath: catalog.searchPath.filter((name) => name !== schema),
    schemaComments: Object.fromEntries(
      Object.entries(catalog.schemaComments).filter(([name]) => name !== schema),
    ),
  };
}
