/** What people do on GitHub's pages, told to the App as webhooks. */
import { payloadOf, recordPush } from './events.ts';
import type { GitHubDouble } from './double.ts';
import { mergePull, openPull, pullPayload } from './routes/pulls.ts';
import { addComment, addIssue, commentPayload, editedPayload } from './routes/talk.ts';
import { checkShape, issueShape, runShape } from './shapes.ts';
import { APP, nextId, timestamp } from './state.ts';
import type { CommentState, IssueState, RepositoryState, WorkflowRunState } from './state.ts';

export function push(
  double: GitHubDouble,
  repository: RepositoryState,
  files: Readonly<Record<string, string | null>>,
  branch = 'main',
  sender = 'octocat',
): string {
  const before = repository.git.resolve(branch) ?? '0'.repeat(40);
  const after = repository.git.commit(branch, files, 'Change', {
    name: sender,
    email: `${sender}@example.com`,
  });
  const emit = (event: string, payload: Record<string, unknown>) => double.emit(event, payload);
  recordPush({ repository, emit }, `refs/heads/${branch}`, before, after, sender);
  for (const issue of repository.issues.values()) {
    if (issue.state === 'open' && issue.pull?.head === branch) {
      emit('pull_request', pullPayload(double.world, repository, issue, 'synchronize', sender));
    }
  }
  return after;
}

export function mergePullRequest(
  double: GitHubDouble,
  repository: RepositoryState,
  issue: IssueState,
  sender = 'octocat',
): string {
  const emit = (event: string, payload: Record<string, unknown>) => double.emit(event, payload);
  return mergePull({ world: double.world, repository, emit }, issue, sender);
}

/** `all`: whoever installs chose no repository, but all that the account has and will have. */
type Selection = 'all' | 'selected';

/** The App is installed on an account, with these repositories. */
export function install(
  double: GitHubDouble,
  repositories: readonly RepositoryState[],
  selection: Selection = 'selected',
): void {
  double.emit('installation', {
    action: 'created',
    installation: { id: APP.installation, repository_selection: selection },
    repositories: repositories.map(({ owner, name }) => ({ full_name: `${owner}/${name}` })),
    sender: { login: 'octocat', type: 'User' },
  });
}

/** The installation gets more repositories. */
export function addToInstallation(
  double: GitHubDouble,
  repositories: readonly RepositoryState[],
  selection: Selection = 'selected',
): void {
  double.emit('installation_repositories', {
    action: 'added',
    installation: { id: APP.installation, repository_selection: selection },
    repository_selection: selection,
    repositories_added: repositories.map(({ owner, name }) => ({ full_name: `${owner}/${name}` })),
    repositories_removed: [],
    sender: { login: 'octocat', type: 'User' },
  });
}

export function openIssue(
  double: GitHubDouble,
  repository: RepositoryState,
  author = 'octocat',
): IssueState {
  return addIssue(double.world, repository, {
    title: 'An issue',
    body: 'Hello',
    author,
    labels: [],
    pull: null,
  });
}

export function comment(
  double: GitHubDouble,
  repository: RepositoryState,
  issue: number,
  body: string,
  author = 'octocat',
): CommentState {
  const made = addComment(double.world, repository, issue, body, author);
  double.emit('issue_comment', commentPayload(repository, made, 'created'));
  return made;
}

export function editComment(
  double: GitHubDouble,
  repository: RepositoryState,
  target: CommentState,
  body: string,
): void {
  target.body = body;
  target.updatedAt = timestamp(double.world);
  double.emit('issue_comment', commentPayload(repository, target, 'edited'));
}

export function openPullRequest(
  double: GitHubDouble,
  repository: RepositoryState,
  head: string,
  options: { readonly author?: string; readonly fork?: boolean } = {},
): IssueState {
  const author = options.author ?? 'octocat';
  const issue = openPull(double.world, repository, {
    title: 'A change',
    body: '',
    head,
    base: repository.defaultBranch,
    author,
    fork: options.fork ?? false,
  });
  double.emit('pull_request', pullPayload(double.world, repository, issue, 'opened', author));
  return issue;
}

export function pressButton(
  double: GitHubDouble,
  repository: RepositoryState,
  check: number,
  label: string,
  sender = 'octocat',
): void {
  const action = repository.checks.get(check)?.actions.find((each) => each.label === label);
  if (action === undefined) throw new Error(`no button ${label}`);
  const pressed = { requested_action: { identifier: action.identifier } };
  tellOfCheck(double, repository, check, sender, 'requested_action', pressed);
}

/** Clicks "Re-run", which GitHub shows at every completed check run. */
export function rerun(double: GitHubDouble, repository: RepositoryState, check: number): void {
  tellOfCheck(double, repository, check, 'octocat', 'rerequested', {});
}

function tellOfCheck(
  double: GitHubDouble,
  repository: RepositoryState,
  check: number,
  sender: string,
  action: 'requested_action' | 'rerequested',
  more: Record<string, unknown>,
): void {
  const state = repository.checks.get(check);
  if (state === undefined) throw new Error(`no check run ${check}`);
  const pulls = [...repository.issues.values()].filter(
    ({ pull, state: open }) =>
      open === 'open' && pull !== null && repository.git.resolve(pull.head) === state.sha,
  );
  double.emit(
    'check_run',
    payloadOf('check_run', action, repository, sender, {
      ...more,
      check_run: {
        ...checkShape(repository, state),
        pull_requests: pulls.map(({ number, id }) => ({ number, id })),
      },
    }),
  );
}

/** Ticks the box on the first line that holds `text`. */
export function tick(
  double: GitHubDouble,
  repository: RepositoryState,
  issue: IssueState,
  text: string,
  sender = 'octocat',
): void {
  const before = issue.body;
  const line = before.split('\n').find((each) => each.startsWith('- [ ]') && each.includes(text));
  if (line === undefined) throw new Error(`no box ${text}`);
  issue.body = before.replace(line, line.replace('- [ ]', '- [x]'));
  double.emit('issues', editedPayload(repository, issue, sender, before));
}

/** A workflow takes up a dispatch, as its `run-name` says. */
export function startWorkflow(
  double: GitHubDouble,
  repository: RepositoryState,
  title: string,
  options: Partial<Pick<WorkflowRunState, 'event' | 'status'>> = {},
): WorkflowRunState {
  const run: WorkflowRunState = {
    id: nextId(double.world),
    name: 'Sprocket',
    title,
    event: options.event ?? 'repository_dispatch',
    sha: repository.git.resolve(repository.defaultBranch) ?? '',
    createdAt: timestamp(double.world),
    status: options.status ?? 'in_progress',
    conclusion: null,
  };
  repository.runs.push(run);
  return run;
}

export function endWorkflow(
  double: GitHubDouble,
  repository: RepositoryState,
  run: WorkflowRunState,
  conclusion: string,
): void {
  run.status = 'completed';
  run.conclusion = conclusion;
  double.emit(
    'workflow_run',
    payloadOf('workflow_run', 'completed', repository, 'octocat', {
      workflow_run: runShape(repository, run),
    }),
  );
}

export function issueOf(repository: RepositoryState, number: number) {
  const issue = repository.issues.get(number);
  if (issue === undefined) throw new Error(`no issue #${number}`);
  return { ...issue, shape: issueShape(repository, issue) };
}
