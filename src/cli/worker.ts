/** The program of one worker process. `sprocket run` starts it, and so does the Action's `work`. */
import { enableCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { keepParserSmall } from './parser-memory.ts';
import { workCommand } from './work.ts';

const optionsSchema = z.object({
  /** Name of the plan. */
  plan: z.string(),
  /** Environment variable with the URL of the target. */
  target: z.string(),
  /** Schema of the metadata tables. */
  schema: z.string(),
  /** Most procedures to claim at once. */
  most: z.coerce.number(),
  /** Workers that are started with this one. */
  together: z.coerce.number(),
});

const { values } = parseArgs({
  options: {
    plan: { type: 'string' },
    target: { type: 'string' },
    schema: { type: 'string' },
    most: { type: 'string' },
    together: { type: 'string' },
  },
});
enableCompileCache();
keepParserSmall();
await workCommand(optionsSchema.parse(values));
