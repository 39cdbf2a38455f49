/** Reads what a run works on from its source. */
import type { Catalog } from '../core/catalog/types.ts';
import type { Plan } from '../core/plan/types.ts';
import type { DatabaseAddress, OpenCatalog } from '../ports/catalog.ts';

/** The source's catalog, without the tables that the run itself keeps. */
export async function readSource(
  open: OpenCatalog,
  address: DatabaseAddress,
  { settings }: Plan,
): Promise<Catalog> {
  const reader = await open(address);
  try {
    return withoutSchema(await reader.readCatalog(), settings.target.metadataSchema);
  } finally {
    await reader.close();
  }
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
