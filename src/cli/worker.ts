/**
 * The program of one worker process. `sprocket run` starts it, and so does the Action's `work`; it
 * starts another one of itself for the tables that are to be moved.
 */
import { enableCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { movingCommand } from './moving.ts';
import { tameCompilers } from './compiler.ts';
import { workCommand } from './work.ts';

const optionsSchema = z.object({
  /** Name of the plan. */
  plan: z.string(),
  /** Environment variable with the URL of the target. */
  target: z.string(),
  /** Schema of the metadata tables. */
  schema: z.string(),
  /** Most procedures to claim at once. */
  most: z.coerce.number().default(1),
  /** Workers that are started with this one. */
  together: z.coerce.number().default(1),
  /** Move tables instead, until STOP or cutover. */
  tables: z.boolean().default(false),
});

const { values } = parseArgs({
  options: {
    plan: { type: 'string' },
    target: { type: 'string' },
    schema: { type: 'string' },
    most: { type: 'string' },
    together: { type: 'string' },
    tables: { type: 'boolean' },
  },
});
enableCompileCache();
tameCompilers();
const options = optionsSchema.parse(values);
await (options.tables ? movingCommand(options) : workCommand(options));
