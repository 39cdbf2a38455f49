/** What every command about a run needs: the plan, its metadata tables, and who is asking. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { connect } from '../adapters/postgres/connection.ts';
import { openMetadata } from '../adapters/postgres/metadata.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { parsePlan } from '../core/plan/parse.ts';
import type { Plan } from '../core/plan/types.ts';
import type { DatabaseAddress } from '../ports/catalog.ts';
import type { Metadata } from '../ports/metadata.ts';
import { UsageError } from './output/failure.ts';

export interface PlanOptions {
  /** Path of plan.md. */
  readonly plan: string;
  readonly json?: boolean;
}

export interface PlanFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
  readonly plan: Plan;
}

/** Adds the options that every command about a run has. */
export function withPlanOptions(command: Command): Command {
  return command
    .option('--plan <file>', 'the plan', 'plan.md')
    .option('--json', 'print the result as JSON');
}

/** Adds the option that says who decides. */
export function withPerson(command: Command): Command {
  return command.option('--by <name>', 'who decides; git’s user.name where it is left out');
}

/** Reads and checks the plan; throws `UsageError` with every problem and its line. */
export async function readPlan(options: PlanOptions): Promise<PlanFile> {
  const path = resolve(options.plan);
  const text = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(
      `There is no plan at ${options.plan}.`,
      'Draft one with "sprocket plan", or name another with --plan.',
    );
  });
  const { plan, problems } = parsePlan(text);
  if (plan !== null) return { path, text, plan };
  const list = problems.map(({ line, column, message }) => `  ${line}:${column}  ${message}`);
  throw new UsageError(
    `${options.plan} has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${list.join('\n')}`,
    'Mend the plan, then start again.',
  );
}

/** The URL of a database that the plan names by its environment variable. */
export function databaseAddress(variable: string): DatabaseAddress {
  const url = process.env[variable];
  if (url === undefined || url === '') {
    throw new UsageError(
      `The environment variable ${variable} is not set.`,
      `Set it to the connection URL: export ${variable}=postgresql://user:password@host/database`,
    );
  }
  return { setting: variable, url };
}

/** Connects to the metadata tables of the plan's target database. */
export function openPlanMetadata({ settings }: Plan): Promise<Metadata> {
  const address = databaseAddress(settings.target.urlVariable);
  return openMetadata({
    open: () => connect(address),
    schema: settings.target.metadataSchema,
    clock: systemClock,
  });
}

/** Reads the plan, connects, and closes the connection whatever `use` does. */
export async function withMetadata<T>(
  options: PlanOptions,
  use: (metadata: Metadata, file: PlanFile) => Promise<T>,
): Promise<T> {
  const file = await readPlan(options);
  const metadata = await openPlanMetadata(file.plan);
  try {
    return await use(metadata, file);
  } finally {
    await metadata.close();
  }
}

/** Who decides: as given, else git's user, else the account. */
export async function personName(given: string | undefined): Promise<string> {
  if (given !== undefined && given.trim() !== '') return given.trim();
  const git = await promisify(execFile)('git', ['config', 'user.name']).catch(() => null);
  const name = git?.stdout.trim() ?? '';
  return name === '' ? userInfo().username : name;
}

/** Prints a result: as JSON where asked for, else as text. */
export function print(options: { readonly json?: boolean }, value: object, text: string): void {
  const output = options.json === true ? JSON.stringify({ sprocket: 1, ...value }) : text;
  process.stdout.write(output === '' ? '' : `${output}\n`);
}
