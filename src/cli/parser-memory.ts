/**
 * Keeps the SQL parser small. Imported before anything that loads it.
 *
 * V8 compiles often used WebAssembly functions once more, with its optimizing compiler. For the
 * largest function of PostgreSQL's parser that takes 400 MB in each process, and the parser gets
 * hardly faster. Naming a single function leaves all others as they are.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--wasm-tier-up-filter=0');
