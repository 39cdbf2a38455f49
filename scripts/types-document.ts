/** Writes `docs/types.md` from the type tables. */
import { writeFile } from 'node:fs/promises';
import { typesDocument } from '../src/core/movement/types/document.ts';

await writeFile(new URL('../docs/types.md', import.meta.url), typesDocument());
