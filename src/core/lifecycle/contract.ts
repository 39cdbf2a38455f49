/** How `wirekite_progress` names things: the contract that people's own SQL relies on. */
import { createHash } from 'node:crypto';

/** What a row of `wirekite_progress` is about: data load, change extract, change load, procedure. */
export type Operation = 'D' | 'CE' | 'C' | 'P';

/** Width of the columns `source`, `target` and `table_name`, in characters. */
const WIDTH = 256;
const HASH_DIGITS = 32;

/** A name as it fits into a column: longer ones are cut and end in a hash of the whole. */
export function contractName(name: string): string {
  const characters = Array.from(name);
  if (characters.length <= WIDTH) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS);
  return `${characters.slice(0, WIDTH - HASH_DIGITS - 1).join('')}~${hash}`;
}

/** The `target` column: plans that share a database keep apart by it. */
export function progressTarget(plan: string, operation: Operation): string {
  return contractName(`${plan}:${operation}`);
}
