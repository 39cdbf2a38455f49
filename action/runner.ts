/** What the runner gives a job: inputs, the event, the repository, addresses. */
import { getInput, setOutput } from '@actions/core';
import { context } from '@actions/github';
import { z } from 'zod';
import type { RepositoryName } from '../src/ports/github.ts';
import { INPUTS } from './inputs.ts';
import type { InputName, OutputName } from './inputs.ts';

/** The job was started in a way that can't work; the message says what to do. */
export class JobError extends Error {
  override readonly name = 'JobError';
}

/** Null where it is empty and has no default. */
export function optionalInput(name: InputName): string | null {
  const value = getInput(name);
  return value === '' ? INPUTS[name].default : value;
}

export function input(name: InputName): string {
  const value = optionalInput(name);
  if (value !== null) return value;
  throw new JobError(`The input ${name} is missing. ${INPUTS[name].description}`);
}

/** A whole number, from 1. */
export function numberInput(name: InputName, most: number): number {
  const number = Number(input(name));
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new JobError(`The input ${name} takes a whole number from 1 to ${most}.`);
}

/** Minutes, also parts of them, in milliseconds. */
export function minutesInput(name: InputName, most: number): number {
  const minutes = Number(input(name));
  if (minutes > 0 && minutes <= most) return Math.ceil(minutes * 60_000);
  throw new JobError(`The input ${name} takes a number of minutes, up to ${most}.`);
}

export function output(name: OutputName, value: string | number | boolean): void {
  setOutput(name, String(value));
}

const eventSchema = z.object({ client_payload: z.unknown().optional() });
export type RunnerEvent = z.output<typeof eventSchema> & { readonly name: string };

export function runnerEvent(): RunnerEvent {
  return { ...eventSchema.parse(context.payload), name: context.eventName };
}

/** The repository that the job runs in. */
export function ownRepository(): RepositoryName {
  environment('GITHUB_REPOSITORY');
  return context.repo;
}

export function apiUrl(): string {
  return context.apiUrl;
}

/** Where people see the repository. */
export function repositoryUrl(): string {
  const { owner, repo } = ownRepository();
  return `${context.serverUrl}/${owner}/${repo}`;
}

export function workflowUrl(): string {
  return `${repositoryUrl()}/actions/runs/${context.runId}`;
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
