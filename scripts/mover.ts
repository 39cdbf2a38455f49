/** A worker that moves a plan's tables, as a process of its own that can be killed. Used by tests and soak. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MoveSettings } from '../src/cli/move_wiring.ts';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

export interface Mover {
  readonly ended: Promise<number | null>;
  /** What it said on stderr so far. */
  said(): string;
  kill(signal: NodeJS.Signals): void;
}

/** Writes the plan.md that says what `settings` do; returns its path. */
export async function writePlan(settings: MoveSettings): Promise<string> {
  const { plan, source, target } = settings;
  const rows = plan.pipelines.map(
    (pipeline) =>
      `| yes | ${pipeline.source.schema}.${pipeline.source.name} | ${pipeline.target.schema}.${pipeline.target.name} | ` +
      `${pipeline.key.join(', ')} | ${pipeline.follow ? 'load + changes' : 'load'} | Pending |`,
  );
  const text = `---
sprocket: 1
name: ${plan.name}
source: { dialect: ${source.dialect}, url: MOVE_SOURCE_URL }
target: { dialect: ${target.dialect}, url: MOVE_TARGET_URL, metadata_schema: ${target.metadataSchema} }
production: { repository: acme/analytics, base: main, project: . }
---
# A move

## Pipelines
| Include | Source | Target | Key | Mode | Status |
|---|---|---|---|---|---|
${rows.join('\n')}

## Procedures
| Include | Procedure | Arguments | Writes | Depends on | Rating | Status |
|---|---|---|---|---|---|---|
`;
  const file = path.join(settings.folder, 'plan.md');
  await writeFile(file, text);
  return file;
}

export function startMover(
  settings: MoveSettings,
  planFile: string,
  command: readonly string[],
): Mover {
  const child = spawn(
    process.execPath,
    [
      MAIN,
      ...command,
      '--plan',
      planFile,
      '--folder',
      path.join(settings.folder, 'work'),
      '--chunk-mb',
      String(settings.plan.chunkBytes / 1024 / 1024),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        MOVE_SOURCE_URL: settings.source.url,
        MOVE_TARGET_URL: settings.target.url,
      },
    },
  );
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return {
    ended: new Promise((resolve) => child.once('close', (code) => resolve(code))),
    said: () => text,
    kill: (signal) => child.kill(signal),
  };
}

/** Numbers in [0, 1) that a seed determines (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
