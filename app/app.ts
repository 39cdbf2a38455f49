/** From webhooks to use cases. Holds no state: whatever is lost here is asked for again. */
import type { Context, Probot } from 'probot';
import type { z } from 'zod';
import type { RepositoryName } from '../src/ports/github.ts';
import { START_MINUTES } from '../src/core/checkrun/launch.ts';
import { onButton, onIssueEdited, onRerun } from '../src/usecases/github-click.ts';
import { onComment } from '../src/usecases/github-command.ts';
import { launchOnPush } from '../src/usecases/github-launch.ts';
import type { Launched } from '../src/usecases/github-launch.ts';
import { reportNotStarted } from '../src/usecases/github-not-started.ts';
import { onboard } from '../src/usecases/github-onboard.ts';
import { checkPullRequest } from '../src/usecases/github-pull-request.ts';
import { onWorkflowEnded } from '../src/usecases/github-reconcile.ts';
import { isRunBranch } from '../src/usecases/run-knowledge.ts';
import type { Intake } from './intake.ts';
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
import { wire } from './wiring.ts';
import type { AppFacts, Wired } from './wiring.ts';

export interface AppEnvironment {
  readonly app: AppFacts;
  readonly intake: Intake;
  readonly options: Pick<AppOptions, 'action' | 'actionVersion' | 'url'>;
}

interface Delivered {
  readonly installation: { readonly id: number };
  readonly repository: { readonly name: string; readonly owner: { readonly login: string } };
}

/** Registers every handler on a Probot. */
export function registerHandlers(probot: Probot, environment: AppEnvironment): void {
  const { app, intake, options } = environment;

  /** Takes an event of a repository; it is handled after whatever is under way for that. */
  function handle<T extends Delivered>(
    context: Context,
    schema: z.ZodType<T>,
    use: (payload: T, wired: Wired) => Promise<unknown>,
  ): void {
    const parsed = schema.safeParse(context.payload);
    if (!parsed.success) {
      context.log.info({ delivery: context.id, event: context.name }, 'left alone');
      return;
    }
    const { installation, repository } = parsed.data;
    const name: RepositoryName = { owner: repository.owner.login, repo: repository.name };
    take(context, installation.id, name, (wired) => use(parsed.data, wired));
  }

  function take(
    { id, name: event }: Pick<Context, 'id' | 'name'>,
    installation: number,
    name: RepositoryName,
    use: (wired: Wired) => Promise<unknown>,
  ): void {
    intake.take({ id, event, repository: `${name.owner}/${name.repo}` }, async () =>
      use(wire(await probot.auth(installation), app, name)),
    );
  }

  /** GitHub never says that a dispatch came to nothing. The hourly look finds what a restart forgets. */
  function watchStart(
    { id }: Pick<Context, 'id'>,
    installation: number,
    name: RepositoryName,
    launched: Launched,
  ): void {
    if (launched.kind !== 'launched') return;
    const timer = setTimeout(() => {
      take({ id: `${id} start`, name: 'push' }, installation, name, ({ context }) =>
        reportNotStarted(context, launched),
      );
    }, START_MINUTES * 60_000);
    timer.unref();
  }

  probot.on('push', (context) =>
    handle(context, pushSchema, async (payload, { context: wired }) => {
      const { default_branch: branch } = payload.repository;
      // Most pushes go elsewhere: GitHub need not be asked about them.
      if (branch !== undefined && payload.ref !== `refs/heads/${branch}`) return 'ignored';
      const launched = await launchOnPush(wired, payload);
      if (launched !== null)
        watchStart(context, payload.installation.id, wired.github.name, launched);
      return launched?.kind ?? 'plan unchanged';
    }),
  );

  probot.on(
    ['pull_request.opened', 'pull_request.synchronize', 'pull_request.reopened'],
    (context) =>
      handle(context, pullRequestSchema, async ({ number, pull_request: pull }, wired) => {
        // The result of a run holds no plan to be checked.
        const isResult = pull.user?.login === `${app.slug}[bot]` && isRunBranch(pull.head.ref);
        return isResult ? 'ignored' : checkPullRequest(wired.context, number);
      }),
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

  probot.on(['check_run.requested_action', 'check_run.rerequested'], (context) =>
    handle(context, checkRunSchema, async (payload, { context: wired }) => {
      const { action, check_run: check, requested_action: pressed, sender } = payload;
      if (check.app?.id !== app.id || sender.type !== 'User') return 'ignored';
      const click = {
        check: check.id,
        externalId: check.external_id ?? '',
        person: sender.login,
        delivery: context.id,
        at: wired.clock.now(),
        pulls: check.pull_requests.map(({ number }) => number),
      };
      return action === 'rerequested'
        ? onRerun(wired, click)
        : onButton(wired, { ...click, identifier: pressed?.identifier ?? '' });
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
        at: wired.clock.now(),
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

  probot.on(['installation.created', 'installation_repositories.added'], (context) => {
    const parsed = installationSchema.safeParse(context.payload);
    const { action, actionVersion: version, url: appUrl } = options;
    if (!parsed.success || action === null) return;
    const { installation, repositories = [], repositories_added: added } = parsed.data;
    const isOnly = added === undefined && repositories.length === 1;
    // Nobody chose them: an account may have hundreds, and gets new ones every day.
    if (installation.repository_selection === 'all' && !isOnly) return;
    for (const { full_name: full } of added ?? repositories) {
      const [owner = '', repo = ''] = full.split('/');
      take(context, installation.id, { owner, repo }, (wired) =>
        onboard(wired.context, wired.repository, { action, version, appUrl, isOnly }),
      );
    }
  });
}
