/** Picks the adapters behind the ports for one repository. */
import type { ProbotOctokit } from 'probot';
import type { Connection } from '../src/adapters/github/call.ts';
import { openGitHub } from '../src/adapters/github/github.ts';
import { openGitHubRepository } from '../src/adapters/github/repository.ts';
import { systemClock } from '../src/adapters/system/clock.ts';
import type { RunRepository } from '../src/ports/repository.ts';
import type { RepositoryName } from '../src/ports/github.ts';
import type { GitHubContext } from '../src/usecases/github-context.ts';

export interface AppFacts {
  readonly id: number;
  readonly slug: string;
}

export interface Wired {
  readonly context: GitHubContext;
  readonly repository: RunRepository;
}

export function wire(client: ProbotOctokit, app: AppFacts, name: RepositoryName): Wired {
  const connection: Connection = { client, name, slug: app.slug, appId: app.id };
  return {
    context: { github: openGitHub(connection), clock: systemClock },
    repository: openGitHubRepository(connection),
  };
}
