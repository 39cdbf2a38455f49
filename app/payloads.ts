/** What the App reads of webhooks. Everything else in them, and every other event, is left alone. */
import { z } from 'zod';

const installation = z.object({ id: z.int().positive() });
const repository = z.object({
  name: z.string(),
  owner: z.object({ login: z.string() }),
});
const user = z.object({ login: z.string(), type: z.string().default('User') });

export const pushSchema = z.object({
  installation,
  repository: repository.extend({ default_branch: z.string().optional() }),
  ref: z.string(),
  before: z.string(),
  after: z.string(),
});

export const pullRequestSchema = z.object({
  installation,
  repository,
  action: z.string(),
  number: z.int(),
  pull_request: z.object({ user: user.nullable(), head: z.object({ ref: z.string() }) }),
});

export const commentSchema = z.object({
  installation,
  repository,
  action: z.string(),
  issue: z.object({ number: z.int(), pull_request: z.unknown().optional() }),
  comment: z.object({
    id: z.int(),
    body: z.string().nullable(),
    created_at: z.string(),
    user: user.nullable(),
    performed_via_github_app: z.object({ slug: z.string().optional() }).nullish(),
  }),
});

export const checkRunSchema = z.object({
  installation,
  repository,
  action: z.string(),
  sender: user,
  requested_action: z.object({ identifier: z.string() }).nullish(),
  check_run: z.object({
    id: z.int(),
    external_id: z.string().nullable(),
    app: z.object({ id: z.int() }).nullish(),
    pull_requests: z.array(z.object({ number: z.int() })).default([]),
  }),
});

export const issueSchema = z.object({
  installation,
  repository,
  action: z.string(),
  sender: user,
  issue: z.object({ number: z.int(), body: z.string().nullable() }),
  changes: z.object({ body: z.object({ from: z.string() }).optional() }).optional(),
});

export const workflowRunSchema = z.object({
  installation,
  repository,
  action: z.string(),
  workflow_run: z.object({
    id: z.int(),
    display_title: z.string().default(''),
    conclusion: z.string().nullable(),
    html_url: z.string(),
  }),
});

const named = z.array(z.object({ full_name: z.string() }));

export const installationSchema = z.object({
  installation: installation.extend({ repository_selection: z.string() }),
  action: z.string(),
  repositories: named.optional(),
  repositories_added: named.optional(),
});
