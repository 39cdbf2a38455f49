/** Repositories of the App's tests, and what it did there. */
import * as people from '../github/people.ts';
import { BOT } from '../github/state.ts';
import type { CheckState, RepositoryState } from '../github/state.ts';
import type { Stage } from './harness.ts';

/** One of its own for each test. */
export function newRepository(
  { double }: Stage,
  files: Readonly<Record<string, string>>,
): RepositoryState {
  const name = `migration-${double.world.repositories.size + 1}`;
  const repository = double.addRepository('acme', name, files);
  repository.roles.set('visitor', 'read');
  return repository;
}

export async function launchedRepository(stage: Stage, plan: string): Promise<RepositoryState> {
  const repository = newRepository(stage, { 'README.md': 'hello' });
  people.push(stage.double, repository, { 'plan.md': plan });
  await stage.settled();
  return repository;
}

export function checks(repository: RepositoryState): CheckState[] {
  return [...repository.checks.values()];
}

export function replies(repository: RepositoryState, issue: number): string[] {
  return [...repository.comments.values()]
    .filter((each) => each.issue === issue && each.author === BOT)
    .map(({ body }) => body);
}

export function reactions(repository: RepositoryState, id: number): string[] {
  return repository.comments.get(id)?.reactions.map(({ content }) => content) ?? [];
}
