/** Reports under a size: cut between entries, never within one, with a count of what is left out. */
import { byteLength } from './markdown.ts';

/** A part of a report: entries between a head and a tail. */
export interface Block {
  readonly head: string;
  /** Each with its own line breaks. */
  readonly entries: readonly string[];
  readonly tail: string;
  /** Stands in for entries that have no room. */
  readonly left: (count: number) => string;
}

/**
 * Joins blocks to at most `limit` bytes of UTF-8. Where not everything has room, every block keeps
 * its head and tail, and gets a fair share for its entries; what one does not need goes to the next.
 * Heads, tails and notes themselves must have room.
 */
export function fitBlocks(blocks: readonly Block[], limit: number): string {
  const whole = blocks.map(({ head, entries, tail }) => [head, ...entries, tail].join('')).join('');
  if (byteLength(whole) <= limit) return whole;
  const fixed = blocks.map(
    ({ head, entries, tail, left }) =>
      byteLength(head) + byteLength(tail) + byteLength(left(entries.length)),
  );
  let room = limit - fixed.reduce((sum, bytes) => sum + bytes, 0);
  let waiting = blocks.filter(({ entries }) => entries.length > 0).length;
  return blocks
    .map((block) => {
      const share = Math.floor(room / Math.max(1, waiting));
      if (block.entries.length > 0) waiting -= 1;
      const sizes = block.entries.map(byteLength);
      const { taken, used } = take(sizes, share);
      room -= used;
      const rest = block.entries.length - taken;
      return [
        block.head,
        ...block.entries.slice(0, taken),
        rest === 0 ? '' : block.left(rest),
        block.tail,
      ].join('');
    })
    .join('');
}

function take(sizes: readonly number[], room: number): { taken: number; used: number } {
  let used = 0;
  let taken = 0;
  for (const size of sizes) {
    if (used + size > room) break;
    used += size;
    taken += 1;
  }
  return { taken, used };
}

/** The largest number of first items, one after the other, whose sizes stay within the room. */
export function within(sizes: readonly number[], room: number): ReadonlySet<number> {
  let used = 0;
  const chosen = new Set<number>();
  for (const [index, size] of sizes.entries()) {
    if (used + size > room) continue;
    used += size;
    chosen.add(index);
  }
  return chosen;
}
