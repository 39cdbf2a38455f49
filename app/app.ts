/** From webhooks to use cases. Holds no state: whatever is lost here, the reconcile finds again. */
import type { Context, Probot } from 'probot';
import type { z } from 'zod';
import { GitHubError } from '../src/ports/github.ts';
import type { RepositoryName } from '../src/ports/github.ts';
import { START_MINUTES } from '../src/core/checkrun/launch.ts';
import { onButton, onComment, onIssueEdited } from '../src/usecases/github-command.ts';
import { RefusedError } from '../src/usecases/github-context.ts';
import { launchOnPush, reportNotStarted } from '../src/usecases/github-launch.ts';
import type { Launched } from '../src/usecases/github-launch.ts';
import { onboard } from '../src/usecases/github-onboard.ts';
import { checkPullRequest } from '../src/usecases/github-pull-request.ts';
import { onWorkflowEnded } from '../src/usecases/github-reconcile.ts';
import type { AppOptions } from './options.ts';
import {
  checkRunSchema,
  commentSchema,
  installationSchema,
  issueSchema,
  pullRequestSchema,
  pushSchema,
  workflowRunSchema,
} from './payloads.ts';
import type { KeyedQueue } from './queue.ts';
import { wire } from './wiring.ts';
import type { AppFacts, Wired } from './wiring.ts';

export interface AppEnvironment {
  readonly app: AppFacts;
  readonly queue: KeyedQueue;
  readonly options: Pick<AppOptions, 'action' | 'actionVersion' | 'url'>;
}

interface Delivered {
  readonly installation: { readonly id: number };
  readonly repository: { readonly name: string; readonly owner: { readonly login: string } };
}

/** Registers every handler on a Probot. */
export function registerHandlers(probot: Probot, environment: AppEnvironment): void {
  const { app, queue, options } = environment;

  /** Runs `use` for the repository of an event, after whatever is under way for it. */
  async function handle<T extends Delivered>(
    context: Context,
    schema: z.ZodType<T>,
    use: (payload: T, wired: Wired) => Promise<unknown>,
  ): Promise<void> {
    const parsed = schema.safeParse(context.payload);
    if (!parsed.success) {
      context.log.info({ delivery: context.id, event: context.name }, 'left alone');
      return;
    }
    const { installation, repository } = parsed.data;
    const name: RepositoryName = { owner: repository.owner.login, repo: repository.name };
    await inOrder(context, installation.id, name, (wired) => use(parsed.data, wired));
  }

  async function inOrder(
    context: Pick<Context, 'id' | 'name' | 'log'>,
    installation: number,
    name: RepositoryName,
    use: (wired: Wired) => Promise<unknown>,
  ): Promise<void> {
    const fields = {
      delivery: context.id,
      event: context.name,
      repository: `${name.owner}/${name.repo}`,
    };
    await queue.run(fields.repository, async () => {
      try {
        const client = await probot.auth(installation);
        const outcome = await use(wire(client, app, name));
        context.log.info({ ...fields, outcome }, 'handled');
      } catch (error) {
        if (!isFinal(error)) throw error;
        context.log.warn({ ...fields, err: error }, 'refused');
      }
    });
  }

  function watchStart(
    context: Context,
    installation: number,
    name: RepositoryName,
    launched: Launched,
  ): void {
    if (launched.kind !== 'launched') return;
    const timer = setTimeout(() => {
      void inOrder(context, installation, name, ({ context: wired }) =>
        reportNotStarted(wired, launched),
      ).catch((error: unknown) =>
        context.log.error({ err: error }, 'could not look for the start'),
      );
    }, START_MINUTES * 60_000);
    timer.unref();
  }

  probot.on('push', (context) =>
    handle(context, pushSchema, async (payload, { context: wired }) => {
      const launched = await launchOnPush(wired, payload);
      if (launched !== null)
        watchStart(context, payload.installation.id, wired.github.name, launched);
      return launched?.kind ?? 'plan unchanged';
    }),
  );

  probot.on(
    ['pull_request.opened', 'pull_request.synchronize', 'pull_request.reopened'],
    (context) =>
      handle(context, pullRequestSchema, ({ number }, { context: wired }) =>
        checkPullRequest(wired, number),
      ),
  );

  probot.on('issue_comment.created', (context) =>
    handle(context, commentSchema, ({ action, issue, comment }, { context: wired }) =>
      onComment(wired, {
        action,
        body: comment.body ?? '',
        authorType: comment.user?.type ?? 'User',
        author: comment.user?.login ?? 'ghost',
        throughApp: comment.performed_via_github_app?.slug ?? null,
        comment: comment.id,
        issue: issue.number,
        onPullRequest: issue.pull_request !== undefined && issue.pull_request !== null,
        createdAt: comment.created_at,
      }),
    ),
  );

  probot.on('check_run.requested_action', (context) =>
    handle(context, checkRunSchema, async (payload, { context: wired }) => {
      const { check_run: check, requested_action: action, sender } = payload;
      if (check.app?.id !== app.id || sender.type !== 'User') return 'ignored';
      return onButton(wired, {
        check: check.id,
        externalId: check.external_id ?? '',
        identifier: action?.identifier ?? '',
        person: sender.login,
        delivery: context.id,
        pulls: check.pull_requests.map(({ number }) => number),
      });
    }),
  );

  probot.on('issues.edited', (context) =>
    handle(context, issueSchema, async ({ issue, changes, sender }, { context: wired }) => {
      if (changes?.body === undefined) return 'ignored';
      return onIssueEdited(wired, {
        issue: issue.number,
        before: changes.body.from,
        after: issue.body ?? '',
        person: sender.login,
        personType: sender.type,
        delivery: context.id,
      });
    }),
  );

  probot.on('workflow_run.completed', (context) =>
    handle(context, workflowRunSchema, ({ workflow_run: run }, { context: wired }) =>
      onWorkflowEnded(wired, {
        id: run.id,
        title: run.display_title,
        status: 'completed',
        conclusion: run.conclusion,
        url: run.html_url,
      }),
    ),
  );

  probot.on(['installation.created', 'installation_repositories.added'], async (context) => {
    const parsed = installationSchema.safeParse(context.payload);
    const { action, actionVersion: version, url: appUrl } = options;
    if (!parsed.success || action === null) return;
    const { installation, repositories, repositories_added: added } = parsed.data;
    for (const { full_name: full } of added ?? repositories ?? []) {
      const [owner = '', repo = ''] = full.split('/');
      await inOrder(context, installation.id, { owner, repo }, (wired) =>
        onboard(wired.context, wired.repository, { action, version, appUrl }),
      );
    }
  });
}

/** Whether coming again would not help. Other failures answer 500, and the reconcile asks again. */
function isFinal(error: unknown): boolean {
  if (error instanceof RefusedError) return true;
  return (
    error instanceof GitHubError &&
    !['unavailable', 'rate-limited', 'conflict'].includes(error.code)
  );
}
