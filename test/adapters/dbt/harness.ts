/** Real dbt on a real PostgreSQL: databases, project folders and a runner that go away together. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readCatalog } from '../../../src/adapters/postgres/catalog.ts';
import { createDbtRunner } from '../../../src/adapters/dbt/runner.ts';
import { openSandbox } from '../../../src/adapters/sandbox/open.ts';
import type { Catalog } from '../../../src/core/catalog/types.ts';
import { renderProject } from '../../../src/core/project/render.ts';
import type {
  ProjectFile,
  ProjectOptions,
  RenderedProject,
} from '../../../src/core/project/types.ts';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';
import type { Translation } from '../../../src/core/translate/types.ts';
import type { BuildResult, DbtBuild, DbtConnection, DbtRunner } from '../../../src/ports/dbt.ts';
import { OPTIONS } from '../../core/project/builders.ts';

export const ROOT = join(import.meta.dirname, '../../..');

export interface TestDatabase {
  readonly connection: DbtConnection;
  run(sql: string): Promise<void>;
  /** Rows as arrays of texts. */
  rows(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  catalog(): Promise<Catalog>;
}

export interface Harness {
  readonly runner: DbtRunner;
  /** An empty database with these statements run in it. */
  database(ddl: string): Promise<TestDatabase>;
  /** Writes files into a new folder and gives its path. */
  folder(files: readonly ProjectFile[]): Promise<string>;
  build(database: TestDatabase, projectDir: string, more?: Partial<DbtBuild>): Promise<BuildResult>;
  close(): Promise<void>;
}

export async function openHarness(): Promise<Harness> {
  await loadParser();
  const sandbox = await openSandbox(process.env['DATABASE_URL'] ?? null);
  const runner = createDbtRunner({ env: process.env, roots: [ROOT] });
  const scratch = await mkdtemp(join(tmpdir(), 'sprocket-dbt-test-'));
  let count = 0;

  const database = async (ddl: string): Promise<TestDatabase> => {
    const name = `dbt_${++count}`;
    await sandbox.create(name);
    const rows = async (sql: string) => {
      const session = await sandbox.connect(name);
      try {
        return (await session.query(sql)).rows;
      } finally {
        await session.close();
      }
    };
    const run = async (sql: string) => {
      await rows(sql);
    };
    const catalog = async () => {
      const session = await sandbox.connect(name);
      try {
        return await readCatalog(session);
      } finally {
        await session.close();
      }
    };
    await run(ddl);
    return { connection: sandbox.parameters(name), run, rows, catalog };
  };

  return {
    runner,
    database,
    folder: async (files) => {
      const folder = join(scratch, `project_${++count}`);
      for (const { path, text } of files) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text);
      }
      return folder;
    },
    build: ({ connection }, projectDir, more = {}) =>
      runner.build({ projectDir, connection, select: [], vars: {}, threads: 2, ...more }),
    close: async () => {
      await runner.close();
      await sandbox.close();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

/** Renders translations of procedures in a database. */
export async function renderFor(
  database: TestDatabase,
  translations: readonly Translation[],
  options: Partial<ProjectOptions> = {},
): Promise<RenderedProject> {
  const catalog = await database.catalog();
  return renderProject({ catalog, translations, options: { ...OPTIONS, ...options } });
}

/** What went wrong in a build, for messages of failing tests. */
export function failures(result: BuildResult): readonly string[] {
  return result.nodes
    .filter(({ status }) => status !== 'success' && status !== 'pass')
    .map(({ name, status, message }) => `${name}: ${status}: ${message ?? ''}`);
}
