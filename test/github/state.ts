/** What the double remembers. */
import type { GitFolder } from './git.ts';

export interface CheckState {
  readonly id: number;
  readonly appId: number;
  readonly name: string;
  readonly sha: string;
  externalId: string;
  status: string;
  conclusion: string | null;
  title: string;
  summary: string;
  text: string | null;
  detailsUrl: string | null;
  actions: readonly {
    readonly label: string;
    readonly description: string;
    readonly identifier: string;
  }[];
  annotations: unknown[];
  readonly startedAt: string;
  completedAt: string | null;
  updates: number;
}

export interface CommentState {
  readonly id: number;
  readonly issue: number;
  body: string;
  readonly author: string;
  readonly createdAt: string;
  updatedAt: string;
  readonly reactions: { readonly id: number; readonly user: string; readonly content: string }[];
}

export interface PullState {
  readonly head: string;
  readonly base: string;
  readonly headRepository: number;
  readonly baseSha: string;
  mergedAt: string | null;
  readonly reviewers: string[];
}

export interface IssueState {
  readonly id: number;
  readonly number: number;
  title: string;
  body: string;
  state: 'open' | 'closed';
  readonly author: string;
  labels: string[];
  readonly createdAt: string;
  readonly pull: PullState | null;
}

export interface WorkflowRunState {
  readonly id: number;
  readonly name: string;
  readonly title: string;
  readonly event: string;
  readonly sha: string;
  readonly createdAt: string;
  status: 'queued' | 'in_progress' | 'completed';
  conclusion: string | null;
}

export interface Dispatch {
  readonly event: string;
  readonly payload: Record<string, unknown>;
}

export interface RepositoryState {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
  defaultBranch: string;
  readonly git: GitFolder;
  readonly issues: Map<number, IssueState>;
  readonly comments: Map<number, CommentState>;
  readonly checks: Map<number, CheckState>;
  readonly runs: WorkflowRunState[];
  readonly dispatches: Dispatch[];
  /** Role by login. */
  readonly roles: Map<string, string>;
}

export interface DeliveryState {
  readonly id: number;
  readonly guid: string;
  readonly event: string;
  readonly payload: Record<string, unknown>;
  readonly at: string;
  redelivery: boolean;
  /** 0: not delivered yet, or nobody answered. */
  status: number;
}

export interface Token {
  readonly token: string;
  readonly expires: number;
  readonly permissions: Readonly<Record<string, string>>;
  /** Names without owner; null for all of the installation. */
  readonly repositories: readonly string[] | null;
}

export interface World {
  readonly repositories: Map<string, RepositoryState>;
  /** Active members by `organisation/team`. */
  readonly teams: Map<string, Set<string>>;
  readonly tokens: Map<string, Token>;
  readonly deliveries: DeliveryState[];
  /** Milliseconds that the double's clock is ahead of the machine's. */
  ahead: number;
  next: number;
}

export const APP = { id: 4242, slug: 'sprocket-test', installation: 77 } as const;
export const WEBHOOK_SECRET = 'a secret of the double';
export const BOT = `${APP.slug}[bot]`;

/** What the owner of the repositories gave the App. */
export const PERMISSIONS: Readonly<Record<string, string>> = {
  actions: 'read',
  checks: 'write',
  contents: 'write',
  issues: 'write',
  members: 'read',
  metadata: 'read',
  pull_requests: 'write',
  workflows: 'write',
};

export function newWorld(): World {
  return {
    repositories: new Map(),
    teams: new Map(),
    tokens: new Map(),
    deliveries: [],
    ahead: 0,
    next: 1000,
  };
}

export function now(world: World): number {
  return Date.now() + world.ahead;
}

/** As GitHub writes moments: without milliseconds. */
export function timestamp(world: World): string {
  return `${new Date(now(world)).toISOString().slice(0, 19)}Z`;
}

export function nextId(world: World): number {
  world.next += 1;
  return world.next;
}
