/** Names that a move gives to files, slots and progress rows. */
import { createHash } from 'node:crypto';
import { qualified } from '../catalog/names.ts';
import type { QualifiedName } from '../catalog/types.ts';

/** Width of `source` and `target` in `wirekite_progress`. */
const PROGRESS_WIDTH = 256;
const DIGEST = 16;
/** PostgreSQL's limit for a slot, and MySQL's for a lock. */
const OBJECT_WIDTH = 63;

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, DIGEST);
}

/** Cuts what is too long and ends it in a hash of the whole, so that two names stay two. */
export function fitted(text: string, width: number = PROGRESS_WIDTH): string {
  return text.length <= width ? text : `${text.slice(0, width - DIGEST - 1)}~${digest(text)}`;
}

/** `schema.table.N.dkt`: the `source` of a data load. */
export function dataFile(table: QualifiedName, number: number): string {
  const suffix = `.${number}.dkt`;
  return `${fitted(qualified(table), PROGRESS_WIDTH - suffix.length)}${suffix}`;
}

/** `N.ckt`: the `source` of a change load. */
export function changeFile(number: number): string {
  return `${number}.ckt`;
}

/** `plan:D`, `plan:CE`, `plan:C`: the `target`, which keeps two plans in one database apart. */
export function progressTarget(plan: string, operation: 'D' | 'CE' | 'C'): string {
  const suffix = `:${operation}`;
  return `${fitted(plan, PROGRESS_WIDTH - suffix.length)}${suffix}`;
}

/** Name of the lock that the worker holds which moves a plan's tables. */
export function moveLock(plan: string): string {
  return `sprocket ${plan}`;
}

/** Name of the replication slot, publication and lock of a plan: letters, digits and `_` only. */
export function objectName(plan: string): string {
  const plain = plan
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, OBJECT_WIDTH - DIGEST - 11);
  return `sprocket_${plain}_${digest(plan)}`;
}

/** A name that is safe as the name of a file on any disk. */
export function diskName(name: string): string {
  const safe = encodeURIComponent(name).replaceAll('*', '%2A');
  return safe.length <= 200 ? safe : `${safe.slice(0, 180)}~${digest(name)}`;
}
