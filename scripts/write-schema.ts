/** Writes `schema/plan.schema.json` from the settings' schema: `node scripts/write-schema.ts`. */
import { writeFileSync } from 'node:fs';
import { settingsJsonSchema } from '../src/core/plan/settings-schema.ts';

const file = new URL('../schema/plan.schema.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(settingsJsonSchema(), null, 2)}\n`);
