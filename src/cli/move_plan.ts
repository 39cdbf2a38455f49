/** From plan.md and the command line to what a move needs. */
import path from 'node:path';
import type { Command } from 'commander';
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

/** Options that the commands about pipelines share. */
export function withMoveOptions(command: Command): Command {
  return command
    .option('--folder <path>', 'where files on their way are kept', path.join('.sprocket', 'move'))
    .option('--chunk-mb <n>', 'size of a file on its way, in MB', '64');
}

async function moveSettings(options: MoveCommandOptions): Promise<MoveSettings> {
  const { plan } = await readPlan(options);
  const { settings } = plan;
  const megabytes = Number(options.chunkMb);
  if (!(megabytes > 0)) {
    throw new UsageError('--chunk-mb takes a number above 0.', 'Correct it, then start again.');
  }
  const pipelines = plan.pipelines
    .filter(({ include }) => include)
    .map(({ source, target, key, mode }) => ({
      source,
      target,
      key,
      follow: mode === 'load + changes',
    }));
  if (pipelines.length === 0) {
    throw new UsageError(
      `${options.plan} includes no pipeline.`,
      'Say "yes" in the Include column of those that are to be moved.',
    );
  }
  return {
    plan: {
      name: settings.name,
      pipelines,
      zeroDates: settings.zeroDates === 'as_null' ? 'null' : 'error',
      chunkBytes: megabytes * 1024 * 1024,
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
    folder: path.resolve(options.folder),
  };
}

/** Runs `use` with everything open; SIGTERM and SIGINT act as STOP. What it logs goes to stderr. */
export async function withPlannedMove<T>(
  options: MoveCommandOptions,
  use: (context: MoveContext) => Promise<T>,
): Promise<T> {
  const settings = await moveSettings(options);
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
