/** A name of a table or view as its author wrote it. */
export interface RelationReference {
  /** Null where it was left out. */
  readonly schema: string | null;
  readonly name: string;
}

/** How a statement changes a table. */
export type WriteAction =
  | 'insert'
  | 'update'
  | 'delete'
  | 'merge'
  | 'truncate'
  | 'copy'
  | 'create'
  | 'drop'
  | 'alter'
  | 'refresh';
