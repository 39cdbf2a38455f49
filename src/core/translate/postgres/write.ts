/** Binds any statement that writes rows. */
import type { BoundWrite } from '../bound.ts';
import type { Node } from 'libpg-query';
import { bindDelete } from './delete.ts';
import { bindInsert } from './insert.ts';
import { bindMerge } from './merge.ts';
import { bindUpdate } from './update.ts';
import type { WriteContext } from './write-context.ts';
import { refuse } from '../refusals.ts';

/** Binds a statement that writes rows; null where the node is none. */
export function bindWrite(node: Node, context: WriteContext): BoundWrite | null {
  const write = bindByKind(node, context);
  const [random] = context.binder.random;
  if (write && write.kind !== 'insert' && random) {
    refuse('volatile', random, 'The rows depend on a value that no two runs share.');
  }
  return write;
}

function bindByKind(node: Node, context: WriteContext): BoundWrite | null {
  if ('InsertStmt' in node) return bindInsert(node.InsertStmt, context);
  if ('UpdateStmt' in node) return bindUpdate(node.UpdateStmt, context);
  if ('DeleteStmt' in node) return bindDelete(node.DeleteStmt, context);
  if ('MergeStmt' in node) return bindMerge(node.MergeStmt, context);
  return null;
}
