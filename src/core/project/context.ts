/** What all parts of the project writer look things up in. Built once per project. */
import type { Catalog, QualifiedName, Table, View } from '../catalog/types.ts';
import { qualified, sameName } from '../catalog/names.ts';
import type { Arrangement } from './arrange.ts';
import type { Parameters } from './parameters.ts';
import type { Sources } from './sources.ts';
import type { ProjectOptions } from './types.ts';

export interface ProjectContext {
  readonly catalog: Catalog;
  readonly options: ProjectOptions;
  readonly arrangement: Arrangement;
  readonly sources: Sources;
  readonly parameters: Parameters;
  table(name: QualifiedName): Table | null;
  view(name: QualifiedName): View | null;
  /** Another relation of the database whose name differs by case only. */
  twin(name: QualifiedName): QualifiedName | null;
  /** Names and types of a table's or view's columns; of a table that only a model makes, too. */
  columns(name: QualifiedName): readonly TypedColumn[];
}

export interface TypedColumn {
  readonly name: string;
  /** Null where it can't be told without asking a server. */
  readonly type: string | null;
}

export function createContext(
  parts: Omit<ProjectContext, 'table' | 'view' | 'twin' | 'columns'>,
): ProjectContext {
  const tables = new Map(parts.catalog.tables.map((table) => [qualified(table.name), table]));
  const made = parts.arrangement.models.map(
    ({ translated }) => [qualified(translated.table), translated.columns] as const,
  );
  const known = [...parts.catalog.tables, ...parts.catalog.views].map(
    ({ name, columns }) => [qualified(name), columns] as const,
  );
  const views = new Map(parts.catalog.views.map((view) => [qualified(view.name), view]));
  const namesakes = Map.groupBy(
    [...parts.catalog.tables, ...parts.catalog.views].map(({ name }) => name),
    (name) => qualified(name).toLowerCase(),
  );
  const columns = new Map<string, readonly TypedColumn[]>([...made, ...known]);
  return {
    ...parts,
    table: (name) => tables.get(qualified(name)) ?? null,
    view: (name) => views.get(qualified(name)) ?? null,
    twin: (name) =>
      namesakes.get(qualified(name).toLowerCase())?.find((other) => !sameName(other, name)) ?? null,
    columns: (name) => columns.get(qualified(name)) ?? [],
  };
}
