/** One repository on GitHub, as the App sees it. */
import type { GitHub } from '../../ports/github.ts';
import { call, callOrNull } from './call.ts';
import type { Connection } from './call.ts';
import { checksOf } from './checks.ts';
import { contentOf } from './content.ts';
import { pullsOf } from './pulls.ts';
import { talkOf } from './talk.ts';
import { workflowsOf } from './workflows.ts';

export function openGitHub(connection: Connection): GitHub {
  const { client, name } = connection;
  return {
    name,
    ...contentOf(connection),
    ...checksOf(connection),
    ...talkOf(connection),
    ...workflowsOf(connection),
    ...pullsOf(connection),

    async repository() {
      const found = await call('read the repository', () =>
        client.request('GET /repos/{owner}/{repo}', { ...name }),
      );
      return { id: Number(found.id), defaultBranch: found.default_branch, url: found.html_url };
    },

    async standing(person, teams) {
      const found = await callOrNull('read the permission', () =>
        client.request('GET /repos/{owner}/{repo}/collaborators/{username}/permission', {
          ...name,
          username: person,
        }),
      );
      const member: string[] = [];
      for (const team of teams) {
        const membership = await callOrNull('read the membership', () =>
          client.request('GET /orgs/{org}/teams/{team_slug}/memberships/{username}', {
            org: name.owner,
            team_slug: team,
            username: person,
          }),
        );
        if (membership?.state === 'active') member.push(team);
      }
      return {
        roleName: found?.role_name ?? 'none',
        permission: found?.permission ?? 'none',
        teams: member,
      };
    },
  };
}
