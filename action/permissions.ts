/** What each command does on the migration repository: its token can do nothing else. */
import type { Permissions } from '../src/adapters/github/permissions.ts';
import type { ActionCommand } from './inputs.ts';

export const COMMAND_PERMISSIONS: Readonly<Record<ActionCommand, Permissions>> = {
  /** Commits the draft and offers it. */
  scope: { contents: 'write', metadata: 'read', pull_requests: 'write' },
  /** Reports, and on a schedule dispatches what was interrupted. */
  plan: {
    actions: 'read',
    checks: 'write',
    contents: 'write',
    issues: 'write',
    metadata: 'read',
  },
  /** Reports, and brings the plan's Status on the run's branch up to date. */
  work: { checks: 'write', contents: 'write', issues: 'write', metadata: 'read' },
  /** Commits, opens the pull request, dispatches the next leg. */
  finish: {
    checks: 'write',
    contents: 'write',
    issues: 'write',
    metadata: 'read',
    pull_requests: 'write',
  },
  /** Looks up who asks, answers where it was asked, dispatches. */
  control: {
    actions: 'read',
    checks: 'write',
    contents: 'write',
    issues: 'write',
    members: 'read',
    metadata: 'read',
    pull_requests: 'write',
  },
};
