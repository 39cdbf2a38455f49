/** The Action: one command per step of the workflow. */
import { setFailed } from '@actions/core';
import { z } from 'zod';
import { controlCommand } from './commands/control.ts';
import { finishCommand } from './commands/finish.ts';
import { planCommand } from './commands/plan.ts';
import { scopeCommand } from './commands/scope.ts';
import { workCommand } from './commands/work.ts';
import { COMMANDS } from './inputs.ts';
import type { ActionCommand } from './inputs.ts';
import { input, JobError } from './runner.ts';
import { maskUrls } from './secrets.ts';

const RUN: Readonly<Record<ActionCommand, () => Promise<void>>> = {
  scope: scopeCommand,
  plan: planCommand,
  work: workCommand,
  finish: finishCommand,
  control: controlCommand,
};

const advised = z.object({ message: z.string(), advice: z.string() });

try {
  maskUrls(process.env);
  const asked = input('command');
  const command = COMMANDS.find((each) => each === asked);
  if (command === undefined) {
    throw new JobError(`There is no command "${asked}". Write one of ${COMMANDS.join(', ')}.`);
  }
  await RUN[command]();
} catch (error) {
  const known = advised.safeParse(error).data;
  if (known !== undefined) setFailed(`${known.message} ${known.advice}`);
  else if (error instanceof JobError) setFailed(error.message);
  else setFailed(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
