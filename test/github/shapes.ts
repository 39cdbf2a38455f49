/** Answers in GitHub's shape: the description's own examples with the double's state laid over. */
import { githubContract } from './contract.ts';
import { APP, PERMISSIONS, timestamp } from './state.ts';
import type {
  CheckState,
  CommentState,
  IssueState,
  RepositoryState,
  WorkflowRunState,
  World,
} from './state.ts';

type Shape = Record<string, unknown>;

function webUrl(repository: RepositoryState): string {
  return `https://github.com/${repository.owner}/${repository.name}`;
}

function example(name: string): Shape {
  return githubContract().example(name);
}

function part(shape: Shape, key: string): Shape {
  const value = shape[key];
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

export function userShape(login: string): Shape {
  const user = part(example('issue'), 'user');
  return {
    ...user,
    login,
    id: idOf(login),
    type: login.endsWith('[bot]') ? 'Bot' : 'User',
    site_admin: false,
  };
}

function idOf(login: string): number {
  return [...login].reduce((sum, each) => (sum * 31 + (each.codePointAt(0) ?? 0)) % 1_000_003, 7);
}

export function repositoryShape(repository: RepositoryState): Shape {
  return {
    ...example('full-repository'),
    id: repository.id,
    name: repository.name,
    full_name: `${repository.owner}/${repository.name}`,
    owner: userShape(repository.owner),
    html_url: webUrl(repository),
    default_branch: repository.defaultBranch,
    has_discussions: false,
  };
}

export function commitShape(repository: RepositoryState, sha: string): Shape {
  const { files: _files, stats: _stats, ...shape } = example('commit');
  const [email = '', name = '', date = '', tree = '', line = '', message = ''] = repository.git
    .run(['show', '-s', '--format=%ce%x00%cn%x00%cI%x00%T%x00%P%x00%B', sha])
    .split('\0');
  const parents = line.split(' ');
  const who = { name, email, date };
  return {
    ...shape,
    sha,
    html_url: `${webUrl(repository)}/commit/${sha}`,
    commit: {
      ...part(shape, 'commit'),
      author: who,
      committer: who,
      message,
      tree: { url: `https://api.github.com/trees/${tree}`, sha: tree },
    },
    author: userShape(email.split('@')[0] ?? name),
    committer: userShape(name),
    parents: parents
      .filter((parent) => parent !== '')
      .map((parent) => ({
        sha: parent,
        url: `https://api.github.com/commits/${parent}`,
        html_url: `${webUrl(repository)}/commit/${parent}`,
      })),
  };
}

export function checkShape(repository: RepositoryState, check: CheckState): Shape {
  const shape = example('check-run-example-of-in-progress-conclusion');
  return {
    ...shape,
    id: check.id,
    name: check.name,
    head_sha: check.sha,
    external_id: check.externalId,
    html_url: `${webUrl(repository)}/runs/${check.id}`,
    details_url: check.detailsUrl,
    status: check.status,
    conclusion: check.conclusion,
    started_at: check.startedAt,
    completed_at: check.completedAt,
    output: {
      ...part(shape, 'output'),
      title: check.title,
      summary: check.summary,
      text: check.text,
      annotations_count: check.annotations.length,
    },
    app: { ...part(shape, 'app'), id: check.appId, slug: APP.slug },
    pull_requests: [],
  };
}

export function issueShape(repository: RepositoryState, issue: IssueState): Shape {
  const {
    pull_request: _pull,
    assignee: _assignee,
    assignees: _assignees,
    milestone: _milestone,
    closed_by: _by,
    repository: _repository,
    ...shape
  } = example('issue');
  return {
    ...shape,
    id: issue.id,
    number: issue.number,
    title: issue.title,
    body: issue.body,
    state: issue.state,
    html_url: `${webUrl(repository)}/issues/${issue.number}`,
    user: userShape(issue.author),
    labels: issue.labels.map((name) => ({ name })),
    assignee: null,
    milestone: null,
    created_at: issue.createdAt,
    ...(issue.pull === null
      ? {}
      : {
          pull_request: {
            url: `https://api.github.com/repos/${repository.owner}/${repository.name}/pulls/${issue.number}`,
            html_url: `${webUrl(repository)}/pull/${issue.number}`,
            diff_url: `${webUrl(repository)}/pull/${issue.number}.diff`,
            patch_url: `${webUrl(repository)}/pull/${issue.number}.patch`,
          },
        }),
  };
}

export function commentShape(repository: RepositoryState, comment: CommentState): Shape {
  return {
    ...example('issue-comment'),
    id: comment.id,
    html_url: `${webUrl(repository)}/issues/${comment.issue}#issuecomment-${comment.id}`,
    body: comment.body,
    user: userShape(comment.author),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    performed_via_github_app: null,
  };
}

export function pullShape(
  world: World,
  repository: RepositoryState,
  issue: IssueState,
  kind: 'pull-request' | 'pull-request-simple',
): Shape {
  const { pull } = issue;
  if (pull === null) throw new Error(`#${issue.number} is no pull request`);
  const shape = kind === 'pull-request' ? example(kind) : simplePull();
  const repo = repositoryShape(repository);
  const side = (ref: string, sha: string, id: number) => ({
    label: `${repository.owner}:${ref}`,
    ref,
    sha,
    user: userShape(repository.owner),
    repo: { ...repo, id },
  });
  return {
    ...shape,
    id: issue.id,
    number: issue.number,
    title: issue.title,
    body: issue.body,
    state: issue.state,
    html_url: `${webUrl(repository)}/pull/${issue.number}`,
    user: userShape(issue.author),
    labels: [],
    assignee: null,
    assignees: [],
    milestone: null,
    requested_reviewers: pull.reviewers.map(userShape),
    requested_teams: [],
    merged_at: pull.mergedAt,
    ...(kind === 'pull-request' ? { merged: pull.mergedAt !== null, merged_by: null } : {}),
    head: side(pull.head, headSha(repository, issue), pull.headRepository),
    base: side(pull.base, pull.baseSha, repository.id),
    updated_at: timestamp(world),
  };
}

export function headSha(repository: RepositoryState, issue: IssueState): string {
  return repository.git.resolve(issue.pull?.head ?? '') ?? '0'.repeat(40);
}

function simplePull(): Shape {
  return githubContract().examples('pull-request-simple-items')[0] ?? {};
}

export function runShape(repository: RepositoryState, run: WorkflowRunState): Shape {
  const { triggering_actor: _actor, ...shape } = example('workflow-run');
  return {
    ...shape,
    id: run.id,
    name: run.name,
    display_title: run.title,
    event: run.event,
    head_sha: run.sha,
    status: run.status,
    conclusion: run.conclusion,
    created_at: run.createdAt,
    html_url: `${webUrl(repository)}/actions/runs/${run.id}`,
    pull_requests: [],
  };
}

export function installationShape(): Shape {
  const shape = example('installation');
  return {
    ...shape,
    id: APP.installation,
    app_id: APP.id,
    app_slug: APP.slug,
    permissions: PERMISSIONS,
    // GitHub's description wants an account to be a user and an enterprise at once.
    account: {
      ...userShape('acme'),
      name: 'acme',
      slug: 'acme',
      created_at: null,
      updated_at: null,
    },
  };
}

export function appShape(): Shape {
  return { ...example('integration'), id: APP.id, slug: APP.slug };
}
