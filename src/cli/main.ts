#!/usr/bin/env node
/** The command `sprocket`. */
import { Command, CommanderError } from 'commander';
import { register as accept } from './commands/accept.ts';
import { register as assess } from './commands/assess.ts';
import { register as check } from './commands/check.ts';
import { register as cutover } from './commands/cutover.ts';
import { register as log } from './commands/log.ts';
import { register as manual } from './commands/manual.ts';
import { register as move } from './commands/move.ts';
import { register as pause } from './commands/pause.ts';
import { register as plan } from './commands/plan.ts';
import { register as reset } from './commands/reset.ts';
import { register as resume } from './commands/resume.ts';
import { register as retry } from './commands/retry.ts';
import { register as run } from './commands/run.ts';
import { register as skip } from './commands/skip.ts';
import { register as status } from './commands/status.ts';
import { register as stop } from './commands/stop.ts';
import { register as verify } from './commands/verify.ts';
import { register as work } from './commands/work.ts';
import { EXIT, exitStatus, failureOf, failureText } from './output/failure.ts';

/** In the order in which people meet them. */
const COMMANDS = [
  assess,
  plan,
  check,
  run,
  status,
  pause,
  resume,
  stop,
  retry,
  skip,
  manual,
  accept,
  log,
  reset,
  move,
  verify,
  cutover,
  work,
];

/** Runs a command line (without the program's name); gives the exit status. */
async function main(args: readonly string[]): Promise<number> {
  const program = new Command('sprocket')
    .description('Moves a data warehouse from stored procedures to dbt, and proves each model.')
    .showHelpAfterError('Run "sprocket --help" for the commands.')
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 something needs a person, 2 the command line or the plan is wrong,\n3 a database, git, dbt or the machine is not as it must be.',
    );
  for (const register of COMMANDS) register(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return fail(error, args.includes('--json'));
  }
}

function fail(error: unknown, json: boolean): number {
  const failure = failureOf(error);
  if (json) process.stdout.write(`${JSON.stringify({ sprocket: 1, error: failure })}\n`);
  process.stderr.write(`sprocket: ${failureText(failure)}\n`);
  if ((process.env.SPROCKET_DEBUG ?? '') !== '') process.stderr.write(`${stackOf(error)}\n`);
  return exitStatus(error);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? '') : '';
}

process.exitCode = await main(process.argv.slice(2));
