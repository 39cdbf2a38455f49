/** What tokens may do: never more than what they are for, nor than the installation has. */

/** All that a job can be given. Not `workflows`: only the App itself ever adds one. */
export const PERMISSION_NAMES = [
  'actions',
  'checks',
  'contents',
  'issues',
  'members',
  'metadata',
  'pull_requests',
] as const;
export const LEVELS = ['read', 'write'] as const;
export type Level = (typeof LEVELS)[number];
export type Permissions = Readonly<Partial<Record<(typeof PERMISSION_NAMES)[number], Level>>>;

/** The most that a job gets on the repository that it runs in. */
export const MIGRATION_PERMISSIONS: Permissions = {
  actions: 'read',
  checks: 'write',
  contents: 'write',
  issues: 'write',
  members: 'read',
  metadata: 'read',
  pull_requests: 'write',
};

/** What the pull request takes where it goes to another repository. */
export const PRODUCTION_PERMISSIONS: Permissions = {
  contents: 'write',
  issues: 'write',
  metadata: 'read',
  pull_requests: 'write',
};

/** Of what is asked for, what another one has as well, at the lower of both levels. */
export function narrowed(
  asked: Permissions,
  has: Readonly<Record<string, string | undefined>>,
): Permissions {
  return Object.fromEntries(
    PERMISSION_NAMES.flatMap((name): [string, Level][] => {
      const [wanted, given] = [asked[name], has[name]];
      if (wanted === undefined || given === undefined) return [];
      return [[name, wanted === 'write' && given !== 'read' ? 'write' : 'read']];
    }),
  );
}
