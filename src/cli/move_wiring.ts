/** Puts a move together: which adapters, for which databases. */
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { openFolder } from '../adapters/files/folder.ts';
import { openMysqlSource } from '../adapters/mysql/move_source.ts';
import { openMysqlTarget } from '../adapters/mysql/move_target.ts';
import { openPostgresSource } from '../adapters/postgres/move_source.ts';
import { openPostgresTarget } from '../adapters/postgres/move_target.ts';
import { systemClock } from '../adapters/system/clock.ts';
import type { Dialect, MovePlan } from '../core/movement/model.ts';
import { diskName } from '../core/movement/names.ts';
import type { Plan } from '../core/plan/types.ts';
import type { MoveSource, MoveTarget } from '../ports/move.ts';
import type { MoveContext, MoveEvents } from '../usecases/move_context.ts';
import { patiently, watchAction } from '../usecases/move_control.ts';
import { MoveStore } from '../usecases/move_store.ts';
import { PipelineStore } from '../usecases/pipeline_store.ts';
import { databaseAddress } from './session.ts';

export interface MoveSettings {
  readonly plan: MovePlan;
  readonly source: { readonly dialect: Dialect; readonly url: string };
  readonly target: {
    readonly dialect: Dialect;
    readonly url: string;
    readonly metadataSchema: string;
  };
  /** Where `.dkt` and `.ckt` files go; the plan gets a folder of its own in it. */
  readonly folder: string;
}

/** How long a target that is away is waited for before anything began. */
const PATIENCE_MS = 60_000;

const SOURCES: Readonly<Record<Dialect, (url: string, target: Dialect) => MoveSource>> = {
  postgres: openPostgresSource,
  mysql: openMysqlSource,
};
const TARGETS: Readonly<Record<Dialect, (url: string) => MoveTarget>> = {
  postgres: openPostgresTarget,
  mysql: openMysqlTarget,
};
const QUOTES: Readonly<Record<Dialect, (name: string) => string>> = {
  postgres: (name) => `"${name.replaceAll('"', '""')}"`,
  mysql: (name) => `\`${name.replaceAll('`', '``')}\``,
};

/**
 * Rows that pass through are young garbage, most of it outside of V8's heap. V8 would let the young part of the heap grow
 * to over 130 MB, and be no faster for it: it stays as large as it is when a move begins. And for so few objects in the
 * heap V8 would search all of it again after every 10 MB of rows, which took half of this process's time: it waits until
 * the heap, with what hangs on it, has grown to three times its size.
 */
function tuneHeapForRows(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=200');
}

/** Opens everything, creates the metadata tables, runs `use`, and closes everything. */
export async function withMove<T>(
  settings: MoveSettings,
  signal: AbortSignal,
  events: MoveEvents,
  use: (context: MoveContext) => Promise<T>,
): Promise<T> {
  const { plan } = settings;
  tuneHeapForRows();
  const source = SOURCES[settings.source.dialect](settings.source.url, settings.target.dialect);
  const target = TARGETS[settings.target.dialect](settings.target.url);
  const schema = QUOTES[settings.target.dialect](settings.target.metadataSchema);
  const store = new MoveStore(schema, plan.name, systemClock);
  const pipelines = new PipelineStore(schema, plan.name, systemClock);
  const folder = await openFolder(path.join(settings.folder, diskName(plan.name)));
  try {
    await patiently(systemClock, signal, PATIENCE_MS, () =>
      target.createMetadata(settings.target.metadataSchema),
    );
    const control = await patiently(systemClock, signal, PATIENCE_MS, () =>
      watchAction({
        words: () => store.actions(target.statements),
        clock: systemClock,
        signal,
        warn: (message) => events.log(message),
      }),
    );
    try {
      return await use({
        plan,
        source,
        target,
        store,
        pipelines,
        folder,
        control,
        clock: systemClock,
        events,
      });
    } finally {
      await control.close();
    }
  } finally {
    await Promise.allSettled([folder.close(), source.close(), target.close()]);
  }
}

/** Drops what a plan's source keeps for it; null where no pipeline is followed. */
export function releaseSource({ settings, pipelines }: Plan): (() => Promise<void>) | null {
  if (!pipelines.some(({ include, mode }) => include && mode === 'load + changes')) return null;
  return async () => {
    const { dialect, urlVariable } = settings.source;
    const source = SOURCES[dialect](databaseAddress(urlVariable).url, settings.target.dialect);
    try {
      await source.releaseChanges(settings.name);
    } finally {
      await source.close();
    }
  };
}

/** Both sides of a plan's pipelines. */
export function openSides({ settings }: Plan): { source: MoveSource; target: MoveTarget } {
  const { source, target } = settings;
  return {
    source: SOURCES[source.dialect](databaseAddress(source.urlVariable).url, target.dialect),
    target: TARGETS[target.dialect](databaseAddress(target.urlVariable).url),
  };
}
