/** From plan.md and the command line to what a move needs. */
import path from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { Plan } from '../core/plan/types.ts';
import type { MoveContext } from '../usecases/move_context.ts';
import { UsageError } from './output/failure.ts';
import type { MoveSettings } from './move_wiring.ts';
import { withMove } from './move_wiring.ts';
import type { PlanOptions } from './session.ts';
import { databaseAddress, readPlan } from './session.ts';

export interface MoveCommandOptions extends PlanOptions {
  readonly folder: string;
  readonly chunkMb: string;
}

/** Where files on their way are kept, and how large one is. */
export const MOVE_FOLDER = path.join('.sprocket', 'move');
export const CHUNK_MB = 64;

/** Options that the commands about pipelines share. */
export function withMoveOptions(command: Command): Command {
  return command
    .option('--folder <path>', 'where files on their way are kept', MOVE_FOLDER)
    .option('--chunk-mb <n>', 'size of a file on its way, in MB', String(CHUNK_MB));
}

/** Null where the plan includes no pipeline. */
export function moveSettings(
  { settings, pipelines }: Plan,
  { folder, chunkMb }: { readonly folder: string; readonly chunkMb: number },
): MoveSettings | null {
  const included = pipelines.filter(({ include }) => include);
  if (included.length === 0) return null;
  return {
    plan: {
      name: settings.name,
      pipelines: included.map(({ source, target, key, mode }) => ({
        source,
        target,
        key,
        follow: mode === 'load + changes',
      })),
      zeroDates: settings.zeroDates === 'as_null' ? 'null' : 'error',
      chunkBytes: chunkMb * 1024 * 1024,
    },
    source: {
      dialect: settings.source.dialect,
      url: databaseAddress(settings.source.urlVariable).url,
    },
    target: {
      dialect: settings.target.dialect,
      url: databaseAddress(settings.target.urlVariable).url,
      metadataSchema: settings.target.metadataSchema,
    },
    folder,
  };
}

async function settingsOf(options: MoveCommandOptions): Promise<MoveSettings> {
  const { plan } = await readPlan(options);
  const chunkMb = Number(options.chunkMb);
  if (!(chunkMb > 0)) {
    throw new UsageError('--chunk-mb takes a number above 0.', 'Correct it, then start again.');
  }
  const settings = moveSettings(plan, { folder: path.resolve(options.folder), chunkMb });
  if (settings !== null) return settings;
  throw new UsageError(
    `${options.plan} includes no pipeline.`,
    'Say "yes" in the Include column of those that are to be moved.',
  );
}

/** Reads the value of an option that is a time. */
export function seconds(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !(number >= 0 && number <= MOST_SECONDS)) {
    throw new InvalidArgumentError('Write a number of seconds, at most a day.');
  }
  return number;
}

const MOST_SECONDS = 86_400;

/** Runs `use` with everything open; SIGTERM and SIGINT act as STOP. What it logs goes to stderr. */
export async function withPlannedMove<T>(
  options: MoveCommandOptions,
  use: (context: MoveContext) => Promise<T>,
): Promise<T> {
  const settings = await settingsOf(options);
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGTERM', onSignal);
  process.once('SIGINT', onSignal);
  try {
    return await withMove(
      settings,
      stop.signal,
      {
        log: (message) => process.stderr.write(`${message}\n`),
        progress: ({ kind, table, count }) => {
          if (kind === 'rows') process.stderr.write(`${table}: ${count} rows\n`);
        },
      },
      use,
    );
  } finally {
    process.removeListener('SIGTERM', onSignal);
    process.removeListener('SIGINT', onSignal);
  }
}
