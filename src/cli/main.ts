#!/usr/bin/env node
/** The command `sprocket`. */
import { enableCompileCache } from 'node:module';
import { Command, CommanderError } from 'commander';
import { EXIT, exitStatus, failureOf, failureText } from './output/failure.ts';
import type { Failure } from './output/failure.ts';
import { tameCompilers } from './compiler.ts';

interface CommandModule {
  register(program: Command): void;
}

/** In the order in which people meet them. Each is loaded when it is wanted: some bring a lot. */
const COMMANDS: Readonly<Record<string, () => Promise<CommandModule>>> = {
  assess: () => import('./commands/assess.ts'),
  plan: () => import('./commands/plan.ts'),
  check: () => import('./commands/check.ts'),
  prove: () => import('./commands/prove.ts'),
  run: () => import('./commands/run.ts'),
  status: () => import('./commands/status.ts'),
  pause: () => import('./commands/pause.ts'),
  resume: () => import('./commands/resume.ts'),
  stop: () => import('./commands/stop.ts'),
  retry: () => import('./commands/retry.ts'),
  skip: () => import('./commands/skip.ts'),
  manual: () => import('./commands/manual.ts'),
  accept: () => import('./commands/accept.ts'),
  log: () => import('./commands/log.ts'),
  reset: () => import('./commands/reset.ts'),
  move: () => import('./commands/move.ts'),
  verify: () => import('./commands/verify.ts'),
  cutover: () => import('./commands/cutover.ts'),
};

/** Runs a command line (without the program's name); gives the exit status. */
async function main(args: readonly string[]): Promise<number> {
  tameCompilers();
  const program = new Command('sprocket')
    .description('Moves a data warehouse from stored procedures to dbt, and proves each model.')
    .showHelpAfterError('Run "sprocket --help" for the commands.')
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 something needs a person, 2 the command line or the plan is wrong,\n3 a database, git, dbt or the machine is not as it must be.',
    );
  const wanted = Object.hasOwn(COMMANDS, args[0] ?? '') ? [COMMANDS[args[0] ?? '']] : null;
  for (const load of wanted ?? Object.values(COMMANDS)) (await load?.())?.register(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    const json = args.includes('--json');
    if (!(error instanceof CommanderError)) return fail(error, json);
    if (error.exitCode === 0) return EXIT.ok;
    // Said to people already.
    if (json) printFailure({ message: error.message, code: 'usage', advice: null });
    return EXIT.usage;
  }
}

function printFailure(failure: Failure): void {
  process.stdout.write(`${JSON.stringify({ sprocket: 1, error: failure })}\n`);
}

function fail(error: unknown, json: boolean): number {
  const failure = failureOf(error);
  if (json) printFailure(failure);
  process.stderr.write(`sprocket: ${failureText(failure)}\n`);
  if ((process.env.SPROCKET_DEBUG ?? '') !== '') process.stderr.write(`${stackOf(error)}\n`);
  return exitStatus(error);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? '') : '';
}

/** `sprocket log | head`: who has read enough closes the pipe, and that is no failure. */
function endWithReader(output: NodeJS.WriteStream): void {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    process.stderr.write(`sprocket: The output can't be written: ${error.message}\n`);
    process.exit(EXIT.environment);
  });
}

endWithReader(process.stdout);
// Every command and every worker starts this program anew.
enableCompileCache();
process.exitCode = await main(process.argv.slice(2));
