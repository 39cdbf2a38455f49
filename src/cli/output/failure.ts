/** What a command says when it can't do what was asked, and how it ends. */
import { z } from 'zod';

/** How commands end. */
export const EXIT = {
  ok: 0,
  /** Something is left that a person must look at. */
  needsPerson: 1,
  /** The command line or the plan is wrong. */
  usage: 2,
  /** A database, git, dbt or the machine is not as it must be. */
  environment: 3,
} as const;

/** The command line or the plan is wrong; the message says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
  readonly advice: string;

  constructor(message: string, advice: string) {
    super(message);
    this.advice = advice;
  }
}

const failureSchema = z.object({
  message: z.string(),
  code: z.string().nullable().default(null),
  advice: z.string().nullable().default(null),
});

export type Failure = z.output<typeof failureSchema>;

/** What is known of a thrown value. */
export function failureOf(error: unknown): Failure {
  const parsed = failureSchema.safeParse(error);
  if (parsed.success) return parsed.data;
  const message = error instanceof Error ? error.message : String(error);
  return { message, code: null, advice: null };
}

export function exitStatus(error: unknown): number {
  return error instanceof UsageError ? EXIT.usage : EXIT.environment;
}

/** A failure for people: what happened, and what to do. */
export function failureText({ message, advice }: Failure): string {
  return advice === null ? message : `${message}\n${advice}`;
}
