/**
 * Checks who imports whom, by the rules in `.dependency-cruiser.cjs`, and that every source file
 * was seen: a tool that can't read the code finds nothing wrong with it.
 */
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { cruise } from 'dependency-cruiser';
import extractConfiguration from 'dependency-cruiser/config-utl/extract-depcruise-config';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['src', 'app', 'action'];
const BUNDLE = 'action/dist/';

export interface Violation {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
}

export interface Boundaries {
  readonly violations: readonly Violation[];
  /** Source files that are there but were not read. */
  readonly unseen: readonly string[];
  readonly modules: number;
}

/** Looks at the sources in a folder that is laid out as this project is. */
export async function checkBoundaries(root: string): Promise<Boundaries> {
  const folders = FOLDERS.filter((folder) => existsSync(join(root, folder)));
  const { forbidden = [], options = {} } = await extractConfiguration(
    join(ROOT, '.dependency-cruiser.cjs'),
  );
  const { output } = await cruise(folders, {
    ...options,
    baseDir: root,
    validate: true,
    ruleSet: { forbidden },
  });
  if (typeof output === 'string') throw new Error('dependency-cruiser gave a text, not a result.');
  const seen = new Set(output.modules.map(({ source }) => source));
  const files = folders.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }));
  return {
    violations: output.summary.violations.map(({ rule, from, to }) => ({
      rule: rule.name,
      from,
      to,
    })),
    unseen: files.filter((file) => !file.startsWith(BUNDLE) && !seen.has(file)),
    modules: files.filter((file) => seen.has(file)).length,
  };
}

async function main(): Promise<number> {
  const { violations, unseen, modules } = await checkBoundaries(ROOT);
  for (const { rule, from, to } of violations) console.error(`${from} imports ${to} (${rule})`);
  for (const file of unseen) console.error(`${file} was not read`);
  if (modules === 0) console.error('No module was read.');
  console.log(`${modules} modules, ${violations.length} imports across a boundary.`);
  return violations.length === 0 && unseen.length === 0 && modules > 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
