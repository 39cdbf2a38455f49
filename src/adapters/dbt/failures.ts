/** Why dbt could not begin, from what it says. */
import { DbtError } from '../../ports/dbt.ts';
import type { NodeResult } from '../../ports/dbt.ts';
import type { DbtAnswer } from './results.ts';

const CONNECTION =
  /could not connect|connection to server|password authentication failed|FATAL:|could not translate host name|server closed the connection|Connection refused|timeout expired/iu;

/** Said of single nodes, but no node's own affair. */
const SERVER_GAVE_UP =
  /server closed the connection unexpectedly|terminating connection due to|No space left on device|the database system is (?:starting up|shutting down|in recovery mode)/iu;

/** The error for results that only show that the server gave up in the middle; null for others. */
export function serverFailureOf(nodes: readonly NodeResult[]): DbtError | null {
  const failed = nodes.filter(({ status }) => status === 'error');
  const message = failed
    .map((node) => node.message ?? '')
    .find((text) => SERVER_GAVE_UP.test(text));
  if (message === undefined) return null;
  return new DbtError(
    'connection',
    `The server gave up while dbt was running: ${message.trim()}`,
    'Look at its disk, its memory and its log, then run again: it goes on where it was.',
  );
}

/** The error for an invocation that gave no results. */
export function failureOf(answer: DbtAnswer): DbtError {
  const said = answer.events.filter(({ level }) => level === 'error').map(({ message }) => message);
  const message = (answer.exception ?? (said.join('\n') || 'dbt failed without a word')).trim();
  if (CONNECTION.test(message)) {
    return new DbtError(
      'connection',
      message,
      'Check host, port, user and password, and that the server takes connections.',
    );
  }
  return new DbtError(
    'project',
    message,
    'Correct the file that dbt names; `dbt parse` in the project shows the same message.',
  );
}
