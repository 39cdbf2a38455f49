/** The environment of the server, checked before anything starts. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ENV_FILE } from './setup.ts';
import type { SetupOptions } from './setup.ts';

const schema = z.object({
  APP_ID: z.string().regex(/^\d+$/u).optional(),
  PRIVATE_KEY: z.string().min(1).optional(),
  PRIVATE_KEY_PATH: z.string().min(1).optional(),
  WEBHOOK_SECRET: z.string().min(1).optional(),
  HOST: z.string().default('0.0.0.0'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  GITHUB_API_URL: z.url().default('https://api.github.com'),
  APP_URL: z.url({ protocol: /^https?$/u }).optional(),
  OIDC_ISSUER: z.url().default('https://token.actions.githubusercontent.com'),
  GITHUB_ORGANIZATION: z.string().min(1).optional(),
  SPROCKET_ACTION: z
    .string()
    .regex(/^[\w.-]+\/[\w.-]+@[0-9a-f]{40}$/u)
    .optional(),
  SPROCKET_ACTION_VERSION: z.string().default('v1'),
  SPROCKET_METADATA_URL: z.url({ protocol: /^postgres(?:ql)?$/u }).optional(),
  SPROCKET_TEST_SPEED: z.literal('1').optional(),
});

export interface AppOptions {
  readonly appId: number;
  readonly privateKey: string;
  readonly secret: string;
  readonly host: string;
  readonly port: number;
  readonly logLevel: string;
  readonly baseUrl: string;
  /** Where this server is reached; null: it gives no tokens to jobs. */
  readonly url: string | null;
  /** Who signs the OIDC tokens of jobs. */
  readonly oidcIssuer: string;
  /** `owner/name@SHA` that onboarding pull requests use; null: none are opened. */
  readonly action: string | null;
  readonly actionVersion: string;
  /** URL of the database with the metadata tables, where the App may reach it; else null. */
  readonly metadataUrl: string | null;
  /** Waits between writes as GitHub asks for. */
  readonly throttle: boolean;
}

export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}

/** Null where there is no App yet: the server then helps to make one. */
export function readOptions(
  environment: Readonly<Record<string, string | undefined>>,
): AppOptions | null {
  const values = readValues(environment);
  const key = values.PRIVATE_KEY ?? keyFile(values.PRIVATE_KEY_PATH);
  if (values.APP_ID === undefined && key === null) return null;
  if (values.APP_ID === undefined || key === null) {
    throw new OptionsError(
      'Set both APP_ID and PRIVATE_KEY (or PRIVATE_KEY_PATH), or neither to make an App in the browser.',
    );
  }
  if (values.WEBHOOK_SECRET === undefined) {
    throw new OptionsError(
      'WEBHOOK_SECRET is not set: without it anybody could send commands. Set it here and on the page of the App.',
    );
  }
  return {
    appId: Number(values.APP_ID),
    privateKey: key.replaceAll('\\n', '\n'),
    secret: values.WEBHOOK_SECRET,
    host: values.HOST,
    port: values.PORT,
    logLevel: values.LOG_LEVEL,
    baseUrl: values.GITHUB_API_URL,
    url: values.APP_URL?.replace(/\/+$/u, '') ?? null,
    oidcIssuer: values.OIDC_ISSUER,
    action: values.SPROCKET_ACTION ?? null,
    actionVersion: values.SPROCKET_ACTION_VERSION,
    metadataUrl: values.SPROCKET_METADATA_URL ?? null,
    throttle: values.SPROCKET_TEST_SPEED === undefined,
  };
}

/** Where and for whom an App is made in the browser. */
export function readSetupOptions(
  environment: Readonly<Record<string, string | undefined>>,
): SetupOptions {
  const values = readValues(environment);
  return {
    host: values.HOST,
    port: values.PORT,
    baseUrl: values.GITHUB_API_URL,
    publicUrl: values.APP_URL?.replace(/\/+$/u, '') ?? null,
    organization: values.GITHUB_ORGANIZATION ?? null,
    envFile: ENV_FILE,
  };
}

function readValues(environment: Readonly<Record<string, string | undefined>>) {
  const parsed = schema.safeParse(
    Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== '')),
  );
  if (parsed.success) return parsed.data;
  const list = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new OptionsError(`The environment can't be used: ${list.join('; ')}`);
}

function keyFile(path: string | undefined): string | null {
  if (path === undefined) return null;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new OptionsError(`PRIVATE_KEY_PATH: ${path} can't be read.`);
  }
}
