import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { createDbtRunner } from '../../adapters/dbt/runner.ts';
import { openWorkspace } from '../../adapters/files/workspace.ts';
import { readCatalog } from '../../adapters/postgres/catalog.ts';
import { openSandbox } from '../../adapters/sandbox/open.ts';
import type { ProofVerdict } from '../../core/proof/types.ts';
import { mismatchLines } from '../../core/report/mismatch.ts';
import { DEFAULT_LIMITS, ProofAborted } from '../../usecases/prove-context.ts';
import type { LoadRemark, ScriptFile } from '../../usecases/prove-load-items.ts';
import { proveFiles } from '../../usecases/prove.ts';
import type { FileProof } from '../../usecases/prove.ts';
import { withAdvice } from '../../usecases/environment.ts';
import { proofFiles } from '../../usecases/prove-output.ts';
import { ROOT } from '../engine.ts';
import { EXIT, UsageError } from '../output/failure.ts';
import { print } from '../session.ts';
import { listenForEnd } from '../signals.ts';

interface Options {
  readonly schema: readonly string[];
  readonly procedures: readonly string[];
  readonly data?: readonly string[];
  readonly change?: readonly string[];
  readonly out: string;
  readonly json?: string;
  readonly sandbox: string;
}

export function register(program: Command): void {
  program
    .command('prove')
    .description('translate the procedures of files, and prove each model equal to its procedure')
    .requiredOption('--schema <file...>', 'files that create tables and views')
    .requiredOption('--procedures <file...>', 'files that create the procedures to prove')
    .option('--data <file...>', 'files that fill the tables')
    .option(
      '--change <file>',
      'SQL that changes the inputs before one more round; may be repeated',
      repeated,
    )
    .requiredOption('--out <folder>', 'where the dbt project and MIGRATION.md go')
    .option('--json <file>', 'write the verdicts as JSON; `-` for standard output')
    .option(
      '--sandbox <variable>',
      'environment variable with the URL of a PostgreSQL to prove on; where neither it nor DATABASE_URL is set, one is started',
      'SANDBOX_DATABASE_URL',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ sprocket prove --schema schema.sql --procedures load.sql --data data.sql --change day2.sql --out build/dbt --json build/proof.json\n\nExit status 1: a model differs from its procedure, or Sprocket itself failed.',
    )
    .action(async (options: Options) => {
      const started = performance.now();
      const proof = await proved(options);
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      for (const file of proofFiles(proof, basename(resolve(options.out)))) {
        const path = join(options.out, file.path);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, file.text);
      }
      const result = { seconds, procedures: proof.verdicts };
      if (options.json !== undefined && options.json !== '-') {
        await mkdir(dirname(options.json), { recursive: true });
        await writeFile(options.json, `${JSON.stringify({ sprocket: 1, ...result }, null, 2)}\n`);
      }
      print({ json: options.json === '-' }, result, summary(proof, seconds, options.out));
      const wrong = proof.verdicts.some(
        ({ outcome }) => outcome === 'mismatch' || outcome === 'error',
      );
      process.exitCode = wrong ? EXIT.needsPerson : EXIT.ok;
    });
}

function repeated(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

async function proved(options: Options): Promise<FileProof> {
  const files = {
    schema: await scripts(options.schema),
    procedures: await scripts(options.procedures),
    data: await scripts(options.data ?? []),
  };
  const changes = (await scripts(options.change ?? [])).map(({ name, text }) => ({
    name,
    sql: text,
  }));
  const ending = listenForEnd();
  const sandbox = await openSandbox(
    process.env[options.sandbox] ?? process.env.DATABASE_URL ?? null,
  );
  const dbt = createDbtRunner({ env: process.env, roots: [process.cwd(), ROOT] });
  const workspace = await openWorkspace();
  const close = () => Promise.allSettled([dbt.close(), workspace.close(), sandbox.close()]);
  // A query or a dbt run under way would go on for minutes: closing what it runs on is what ends it.
  ending.signal.addEventListener('abort', () => void close(), { once: true });
  try {
    return await proveFiles({
      tools: { sandbox, dbt, workspace, signal: ending.signal, limits: DEFAULT_LIMITS },
      readCatalog,
      files,
      changes,
      now: new Date(),
      progress: ({ round, step }) => process.stderr.write(`${round}: ${step}\n`),
    });
  } catch (error) {
    // What fails because its server was stopped has not failed: it was told to end.
    throw ending.signal.aborted ? new ProofAborted() : withAdvice(error);
  } finally {
    ending.dispose();
    await close();
  }
}

function scripts(paths: readonly string[]): Promise<readonly ScriptFile[]> {
  return Promise.all(
    paths.map(async (name) => {
      const text = await readFile(name, 'utf8').catch(() => {
        throw new UsageError(`There is no file ${name} that can be read.`, 'Check the path.');
      });
      return { name, text };
    }),
  );
}

function summary({ verdicts, loaded }: FileProof, seconds: number, out: string): string {
  const width = Math.max(0, ...verdicts.map(({ outcome }) => outcome.length));
  const lines = verdicts.flatMap((verdict) => verdictLines(verdict, width));
  const failed = loaded.failed.map(
    ({ file, line, message }) => `${file}:${line}: the server refuses it: ${message}`,
  );
  const counts = [...Map.groupBy(verdicts, ({ outcome }) => outcome)]
    .map(([outcome, group]) => `${group.length} ${outcome}`)
    .join(', ');
  return [
    ...lines,
    ...failed,
    ...noteLines(loaded.notes),
    '',
    `${counts || 'no procedure'} in ${seconds} s; dbt project: ${out}`,
  ].join('\n');
}

/** A dump has the same note for each of its tables: said once, with the first place. */
function noteLines(notes: readonly LoadRemark[]): readonly string[] {
  return [...Map.groupBy(notes, ({ message }) => message)].map(([message, [first, ...more]]) => {
    const place = `${first?.file ?? ''}:${first?.line ?? 0}`;
    return `note: ${place}${more.length === 0 ? '' : ` and ${more.length} more`}: ${message}`;
  });
}

function verdictLines(verdict: ProofVerdict, width: number): readonly string[] {
  const { name, outcome, models, rounds, rows, reasons, differences } = verdict;
  const proof = rounds === 0 ? '' : `  ${rounds} rounds, ${rows} rows, ${models.length} models`;
  return [
    `${outcome.padEnd(width)}  ${name}${proof}`,
    ...reasons.map(({ line, construct, message, advice }) =>
      [`  line ${line}: ${message}`, `    ${construct}`, `    ${advice}`]
        .filter((text) => text.trim() !== '')
        .join('\n'),
    ),
    ...mismatchLines(differences, { rows: 5, columns: 100 }).map((line) => `  ${line}`),
  ];
}
