/** What the runner gives a job: inputs, the event, the repository, addresses. */
import { readFileSync } from 'node:fs';
import { getInput, setOutput } from '@actions/core';
import { z } from 'zod';
import type { RepositoryName } from '../src/ports/github.ts';
import { INPUTS } from './inputs.ts';
import type { InputName, OutputName } from './inputs.ts';

/** The job was started in a way that can't work; the message says what to do. */
export class JobError extends Error {
  override readonly name = 'JobError';
}

export function input(name: InputName): string {
  const value = getInput(name);
  const row = INPUTS[name];
  if (value !== '') return value;
  if (row.default !== null) return row.default;
  throw new JobError(`The input ${name} is missing. ${row.description}`);
}

export function numberInput(name: InputName, most: number): number {
  const number = Number(input(name));
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new JobError(`The input ${name} takes a whole number from 1 to ${most}.`);
}

export function output(name: OutputName, value: string | number | boolean): void {
  setOutput(name, String(value));
}

const eventSchema = z.object({
  action: z.string().optional(),
  client_payload: z.unknown().optional(),
  sender: z.object({ login: z.string() }).optional(),
});
export type RunnerEvent = z.output<typeof eventSchema> & { readonly name: string };

export function runnerEvent(): RunnerEvent {
  const path = environment('GITHUB_EVENT_PATH');
  const parsed = eventSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  return { ...parsed, name: environment('GITHUB_EVENT_NAME') };
}

export function repositoryName(text = environment('GITHUB_REPOSITORY')): RepositoryName {
  const [owner = '', repo = ''] = text.split('/');
  return { owner, repo };
}

export function workflowUrl(): string {
  return `${environment('GITHUB_SERVER_URL')}/${environment('GITHUB_REPOSITORY')}/actions/runs/${environment('GITHUB_RUN_ID')}`;
}

export function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new JobError(
      `${name} is not set. Sprocket's Action runs in GitHub Actions only; elsewhere use the command sprocket.`,
    );
  }
  return value;
}
