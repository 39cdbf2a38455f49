/** What V8's compilers must not do in a process of ours. */
import { setFlagsFromString } from 'node:v8';

/**
 * Called before anything loads the SQL parser; there is no way back.
 *
 * V8 compiles often used WebAssembly functions once more, with its optimizing compiler. For the
 * largest function of PostgreSQL's parser that takes 400 MB in each process, and the parser gets
 * hardly faster.
 *
 * A process that ends while another thread compiles JavaScript can wait for that thread for ever:
 * the thread waits for a garbage collection that nobody will begin any more (nodejs/node#54918).
 */
export function tameCompilers(): void {
  // Compiles only the function with this index once more: one that is none of the parser's.
  setFlagsFromString('--wasm-tier-up-filter=0');
  setFlagsFromString('--no-concurrent-sparkplug');
}
