/** Why dbt could not begin, from what it says. */
import { DbtError } from '../../ports/dbt.ts';
import type { DbtAnswer } from './results.ts';

const CONNECTION =
  /could not connect|connection to server|password authentication failed|FATAL:|could not translate host name|server closed the connection|Connection refused|timeout expired/iu;

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
