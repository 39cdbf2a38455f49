/** What must never be read in a log. */
import { setSecret } from '@actions/core';

/**
 * Hides every connection URL of the environment, and its password by itself: a secret is hidden by
 * GitHub as a whole only, and databases quote parts.
 */
export function maskUrls(environment: NodeJS.ProcessEnv): void {
  for (const value of Object.values(environment)) {
    if (value === undefined || !URL.canParse(value)) continue;
    const { password, searchParams } = new URL(value);
    const secrets = [
      password,
      searchParams.get('password') ?? '',
      searchParams.get('sslpassword') ?? '',
    ];
    if (secrets.every((each) => each === '')) continue;
    setSecret(value);
    for (const each of secrets.flatMap((secret) => [secret, decoded(secret)])) {
      if (each !== '') setSecret(each);
    }
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
