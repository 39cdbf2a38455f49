/** Picks the adapters behind the ports for one repository. */
import type { ProbotOctokit } from 'probot';
import type { Connection } from '../src/adapters/github/call.ts';
import { openGitHub } from '../src/adapters/github/github.ts';
import { openGitHubRepository } from '../src/adapters/github/repository.ts';
import { connect } from '../src/adapters/postgres/connection.ts';
import { openLeadership } from '../src/adapters/postgres/leadership.ts';
import { openMetadata } from '../src/adapters/postgres/metadata.ts';
import { systemClock } from '../src/adapters/system/clock.ts';
import type { Plan } from '../src/core/plan/types.ts';
import type { RunRepository } from '../src/ports/repository.ts';
import type { RepositoryName } from '../src/ports/github.ts';
import type { CommandContext, RunTables } from '../src/usecases/github-hand-over.ts';

export interface AppFacts {
  readonly id: number;
  readonly slug: string;
  /** URL of the database with the metadata tables; null where the App reaches none. */
  readonly metadataUrl: string | null;
  /** Milliseconds between two reports of a run. */
  readonly reportInterval: number;
}

export interface Wired {
  readonly context: CommandContext;
  readonly repository: RunRepository;
}

export function wire(client: ProbotOctokit, app: AppFacts, name: RepositoryName): Wired {
  const connection: Connection = { client, name, slug: app.slug, appId: app.id };
  const { metadataUrl, reportInterval } = app;
  return {
    context: {
      github: openGitHub(connection),
      clock: systemClock,
      openTables: metadataUrl === null ? null : (plan) => openTables(metadataUrl, plan),
      reportInterval,
    },
    repository: openGitHubRepository(connection),
  };
}

/** Longer than a database in order takes; the workflow is there where it does not answer. */
const CONNECT_MS = 3_000;
const STATEMENT_MS = 10_000;

/** Opens the tables that a run of this plan has, if it has them in the App's database. */
async function openTables(url: string, plan: Plan): Promise<RunTables | null> {
  if (plan.settings.target.dialect !== 'postgres') return null;
  const open = () =>
    connect(
      { setting: 'SPROCKET_METADATA_URL', url },
      { connectTimeoutMs: CONNECT_MS, statementTimeoutMs: STATEMENT_MS },
    );
  const { metadataSchema: schema } = plan.settings.target;
  const metadata = await openMetadata({ open, schema, clock: systemClock, patience: 0 });
  const leadership = openLeadership(await open(), schema, plan.settings.name);
  return {
    metadata,
    leadership,
    close: async () => {
      await leadership.close();
      await metadata.close();
    },
  };
}
