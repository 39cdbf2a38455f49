/**
 * V8 compiles often used WebAssembly functions once more, with its optimizing compiler. For the
 * largest function of PostgreSQL's parser that takes 400 MB in each process, and the parser gets
 * hardly faster.
 */
import { setFlagsFromString } from 'node:v8';

/** Keeps the SQL parser small. Called before anything loads it; there is no way back. */
export function keepParserSmall(): void {
  // Compiles only the function with this index once more: one that is none of the parser's.
  setFlagsFromString('--wasm-tier-up-filter=0');
}
