/** What GitHub says about a job that calls: its OIDC token, verified. */
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { z } from 'zod';

/** Why a job gets nothing; answered to it as it stands. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
  readonly status: number;
  readonly advice: string;

  constructor(status: number, message: string, advice: string) {
    super(message);
    this.status = status;
    this.advice = advice;
  }
}

const claimsSchema = z.object({
  repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/u),
  /** Names can be given to another repository; ids can't. */
  repository_id: z.string().regex(/^\d+$/u).transform(Number),
  ref: z.string(),
  event_name: z.string(),
  /** `owner/name/.github/workflows/file.yml@refs/heads/branch`: the workflow that was started. */
  workflow_ref: z.string(),
  /** The one that the job itself stands in: another where it is a reusable one. */
  job_workflow_ref: z.string().optional(),
});
export type WorkflowIdentity = z.output<typeof claimsSchema>;

export type VerifyJob = (token: string) => Promise<WorkflowIdentity>;

/** Seconds that clocks may differ. */
const TOLERANCE = 30;

/** `issuer` signs jobs' tokens; `audience` is whom they must be meant for: this App. */
export function jobVerifier(issuer: string, audience: string): VerifyJob {
  const keys = createRemoteJWKSet(new URL(`${issuer.replace(/\/+$/u, '')}/.well-known/jwks`));
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ['RS256'],
        clockTolerance: TOLERANCE,
        requiredClaims: ['exp', 'iat'],
      });
      return claimsSchema.parse(payload);
    } catch (error) {
      throw refusalOf(error);
    }
  };
}

function refusalOf(error: unknown): Error {
  const isToken =
    error instanceof z.ZodError ||
    (error instanceof errors.JOSEError &&
      !(error instanceof errors.JWKSTimeout) &&
      error.code !== 'ERR_JOSE_GENERIC');
  if (isToken) {
    const why = error instanceof errors.JOSEError ? error.message : 'claims are missing';
    return new TokenRefused(
      401,
      `the job's OIDC token does not hold: ${why}`,
      'Give app-url exactly as APP_URL says on the App, and let the App know the issuer (OIDC_ISSUER) where GitHub is not github.com.',
    );
  }
  return new TokenRefused(
    503,
    "the keys of GitHub's OIDC issuer can't be read",
    'Look whether the App reaches OIDC_ISSUER.',
  );
}
