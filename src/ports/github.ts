/** GitHub as Sprocket uses it: one repository, seen and changed as the App. */
import type { CheckContent, CheckState } from '../core/checkrun/types.ts';
import type { Standing } from '../core/commands/permission.ts';
import type { Instant } from '../core/lifecycle/state.ts';

export interface RepositoryName {
  readonly owner: string;
  readonly repo: string;
}

export interface GitHub
  extends GitHubContent, GitHubChecks, GitHubTalk, GitHubWorkflows, GitHubPulls {
  readonly name: RepositoryName;
  repository(): Promise<RepositoryFacts>;
  /** Asked for at the moment of acting; `teams` are slugs of the owner's. */
  standing(person: string, teams: readonly string[]): Promise<Standing>;
}

export interface RepositoryFacts {
  readonly id: number;
  readonly defaultBranch: string;
  readonly url: string;
}

export interface GitHubContent {
  /** The commit that a branch, tag or full SHA stands at; null where there is none. */
  commitOf(ref: string): Promise<string | null>;
  /** A file of a commit, with the name that git gives its content; null where there is none. */
  file(commit: string, path: string): Promise<RepositoryFile | null>;
  /** A few files in one request, in this order. */
  files(wanted: readonly FileAt[]): Promise<readonly (RepositoryFile | null)[]>;
  /** Paths of all files of a commit, as far as GitHub lists them at once. */
  paths(commit: string): Promise<readonly string[]>;
  /** The commit that changed a file last, looking back from another, and when it was made. */
  lastChange(
    commit: string,
    path: string,
  ): Promise<{ readonly sha: string; readonly at: Instant } | null>;
  /** The commit at which a branch left another. */
  mergeBase(base: string, head: string): Promise<string | null>;
}

export interface FileAt {
  /** A full SHA, a branch, or `HEAD` for the default branch. */
  readonly commit: string;
  readonly path: string;
}

export interface RepositoryFile {
  readonly blob: string;
  readonly text: string;
}

export interface GitHubChecks {
  createCheck(sha: string, externalId: string, content: CheckContent): Promise<CheckRun>;
  /** Only for check runs that this App made. */
  updateCheck(id: number, content: CheckContent): Promise<CheckRun>;
  check(id: number): Promise<CheckRun | null>;
  /** This App's check runs on a commit, oldest first. */
  checksOf(sha: string): Promise<readonly CheckRun[]>;
}

export interface CheckRun {
  readonly id: number;
  readonly sha: string;
  readonly externalId: string;
  readonly state: CheckState;
  readonly title: string | null;
  readonly summary: string | null;
  readonly url: string | null;
  /** Where `Details` leads. */
  readonly detailsUrl: string | null;
  readonly startedAt: Instant | null;
}

export const REACTIONS = ['eyes', 'rocket', 'confused'] as const;
export type Reaction = (typeof REACTIONS)[number];

export interface GitHubTalk {
  /** Null where it was deleted. */
  comment(id: number): Promise<IssueComment | null>;
  /** Texts of this App's own comments on an issue since a moment. */
  ownReplies(issue: number, since: Instant): Promise<readonly string[]>;
  /** Gives the address of the new comment. */
  reply(issue: number, body: string): Promise<string>;
  react(comment: number, reaction: Reaction): Promise<void>;
  /** What this App made of a comment so far. */
  ownReactions(comment: number): Promise<ReadonlySet<Reaction>>;
  issue(number: number): Promise<Issue | null>;
  /** Issues that this App wrote, open or closed, oldest first. */
  ownIssues(): Promise<readonly Issue[]>;
  createIssue(issue: { readonly title: string; readonly body: string }): Promise<Issue>;
  updateIssue(
    number: number,
    change: { readonly body?: string; readonly state?: 'open' | 'closed' },
  ): Promise<void>;
}

export interface IssueComment {
  readonly id: number;
  readonly body: string;
  readonly author: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

export interface Issue {
  readonly number: number;
  readonly body: string;
  readonly state: 'open' | 'closed';
  readonly url: string;
  readonly isPullRequest: boolean;
}

export interface GitHubWorkflows {
  /** Sends a `repository_dispatch`. GitHub never says whether a workflow took it up. */
  dispatch(event: string, payload: object): Promise<void>;
  /** Workflow runs of dispatches since a moment, newest first. */
  dispatchedRuns(since: Instant): Promise<readonly WorkflowRun[]>;
}

export interface WorkflowRun {
  readonly id: number;
  /** What `run-name` gave. */
  readonly title: string;
  readonly status: 'queued' | 'in_progress' | 'completed';
  /** Null while it is not completed. */
  readonly conclusion: string | null;
  readonly url: string;
}

export interface GitHubPulls {
  /** Open pull requests that changed last, newest first. */
  openPulls(): Promise<readonly { readonly number: number; readonly updatedAt: Instant }[]>;
  /** Merges one branch into another; `conflict`: only a person can. */
  mergeBranch(into: string, from: string): Promise<'merged' | 'nothing new' | 'conflict'>;
  pull(number: number): Promise<PullRequest | null>;
  /** Merges at exactly this head; throws where it moved or something stands against it. */
  merge(number: number, head: string): Promise<void>;
  /** Open or closed pull requests from a branch of this repository, newest first. */
  pullsFrom(branch: string): Promise<readonly PullRequest[]>;
  createPull(pull: NewPullRequest): Promise<PullRequest>;
  updatePull(
    number: number,
    change: { readonly title?: string; readonly body?: string },
  ): Promise<void>;
  /** Logins of people and slugs of teams; gives those that can't be asked. */
  requestReviews(
    number: number,
    people: readonly string[],
    teams: readonly string[],
  ): Promise<readonly string[]>;
  addLabels(number: number, labels: readonly string[]): Promise<void>;
}

export interface NewPullRequest {
  readonly title: string;
  readonly body: string;
  readonly head: string;
  readonly base: string;
}

export interface PullRequest {
  readonly number: number;
  readonly state: 'open' | 'closed';
  readonly merged: boolean;
  readonly body: string;
  readonly url: string;
  readonly head: { readonly sha: string; readonly ref: string };
  readonly base: { readonly sha: string; readonly ref: string };
  /** Its branch lives in another repository. */
  readonly fromFork: boolean;
  readonly author: string;
}

export type GitHubErrorCode =
  | 'not-found'
  | 'forbidden'
  | 'rate-limited'
  | 'conflict'
  | 'invalid'
  | 'unavailable';

/** GitHub said no. `advice` says what a person can do; nothing in it is secret. */
export class GitHubError extends Error {
  override readonly name = 'GitHubError';
  readonly code: GitHubErrorCode;
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  readonly advice: string;

  constructor(code: GitHubErrorCode, status: number, message: string, advice: string) {
    super(message);
    this.code = code;
    this.status = status;
    this.advice = advice;
  }
}
