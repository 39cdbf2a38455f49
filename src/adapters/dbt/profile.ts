/** The profile by which dbt reaches a database: a private file, with the password left out of it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { DbtConnection } from '../../ports/dbt.ts';

export const PROFILE = 'sprocket';
const TARGET = 'run';
/** dbt replaces values of variables with this prefix by stars in everything that it prints. */
const PASSWORD_VARIABLE = 'DBT_ENV_SECRET_SPROCKET_PASSWORD';

/** Writes `profiles.yml` into a folder that only its owner can read. */
export async function writeProfile(
  folder: string,
  connection: DbtConnection,
  threads: number,
): Promise<void> {
  const output = {
    type: 'postgres',
    host: connection.host,
    port: connection.port,
    user: connection.user,
    password: `{{ env_var('${PASSWORD_VARIABLE}') }}`,
    dbname: connection.database,
    // Models say their own schema; dbt wants one for those that do not.
    schema: 'public',
    threads,
    connect_timeout: 10,
    retries: 1,
    application_name: 'sprocket dbt',
    ...(connection.sslMode === undefined ? {} : { sslmode: connection.sslMode }),
  };
  const profile = { [PROFILE]: { target: TARGET, outputs: { [TARGET]: output } } };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const text = stringify(profile, { version: '1.1', lineWidth: 0 });
  await writeFile(join(folder, 'profiles.yml'), text, { mode: 0o600 });
}

/** Environment of one invocation, beyond what dbt needs to run at all. */
export function dbtEnvironment(connection: DbtConnection): Record<string, string> {
  return {
    // dbt takes no empty password; a server that asks for none does not look at it.
    [PASSWORD_VARIABLE]: connection.password === '' ? 'no-password-set' : connection.password,
    DBT_SEND_ANONYMOUS_USAGE_STATS: 'false',
    DO_NOT_TRACK: '1',
  };
}

/** The caller's environment without settings of dbt, which would change what is run. */
export function cleanEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || name.startsWith('DBT_') ? [] : [[name, value]],
    ),
  );
}
