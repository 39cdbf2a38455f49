/**
 * The front matter of `plan.md`: the one place that says which settings there are. The JSON Schema
 * for editors, the messages and the documentation follow from it.
 *
 * The `error` of each setting says what to write; the reader puts the setting's name before it.
 */
import { z } from 'zod';
import { DIALECTS } from './types.ts';

/** A map with these keys only. An issue of an unknown key has the known ones as its message. */
function section<T extends z.ZodRawShape>(shape: T, advice: string) {
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? Object.keys(shape).join(' ') : advice),
  });
}

const environmentVariable = (example: string, what: string) =>
  z
    .string({ error: nameAdvice(example) })
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,254}$/u, { error: nameAdvice(example) })
    .meta({
      description: `NAME of the environment variable that holds the connection URL of ${what}. Never the URL itself.`,
      examples: [example],
    });

function nameAdvice(example: string): string {
  return `Write the NAME of the environment variable that holds the URL, for example ${example}.`;
}

const dialect = z
  .enum(DIALECTS, { error: 'Write postgres or mysql (mysql also stands for MariaDB).' })
  .meta({ description: 'Kind of database. `mysql` also stands for MariaDB.' });

const PARAMETER_ADVICE = `Write an SQL expression as text, for example "date '2024-01-31'".`;

const parameters = z
  .record(
    z.string(),
    z.union([z.string(), z.number(), z.boolean(), z.null()], { error: PARAMETER_ADVICE }),
    { error: `Write one "parameter: SQL expression" per line.` },
  )
  .meta({ description: 'SQL expressions by parameter name, as they would stand in a CALL.' });

const TABLES_ADVICE = 'Write a list of tables, for example [dw.load_history].';

const tables = (description: string) =>
  z.array(z.string({ error: TABLES_ADVICE }), { error: TABLES_ADVICE }).meta({ description });

const source = section(
  { dialect, url: environmentVariable('SOURCE_DATABASE_URL', 'the source') },
  'Write source: { dialect: postgres, url: SOURCE_DATABASE_URL }.',
).meta({ description: 'The database that holds the stored procedures. It is only read.' });

const METADATA_ADVICE =
  'Write the name of a schema of at most 63 letters, digits and _, for example wirekite.';

const target = section(
  {
    dialect,
    url: environmentVariable('TARGET_DATABASE_URL', 'the target'),
    metadata_schema: z
      .string({ error: METADATA_ADVICE })
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/u, { error: METADATA_ADVICE })
      .default('wirekite')
      .meta({ description: 'Schema of the progress and action tables; on MySQL, a database.' }),
  },
  'Write target: { dialect: postgres, url: TARGET_DATABASE_URL }.',
).meta({ description: 'The database that the pipelines load and the dbt models are built in.' });

const sandbox = section(
  { url: environmentVariable('SANDBOX_DATABASE_URL', 'the sandbox') },
  'Write sandbox: { url: SANDBOX_DATABASE_URL }, or leave it out.',
).meta({
  description:
    'A throw-away database server for the proof, whose databases may be created and dropped. Left out: an embedded PostgreSQL.',
});

const REPOSITORY_ADVICE = 'Write owner/name as on GitHub, for example acme/analytics.';
const PROJECT_ADVICE =
  'Write the folder relative to the root of the repository, without "..", for example transform.';
const BASE_ADVICE = 'Write the name of a branch, for example main.';
const REVIEWERS_ADVICE =
  'Write a list of GitHub logins or organisation/team, for example [octocat].';
const LABELS_ADVICE = 'Write a list of labels of at most 50 characters, for example [migration].';

const login = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})';

const production = section(
  {
    repository: z
      .string({ error: REPOSITORY_ADVICE })
      .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/u, {
        error: REPOSITORY_ADVICE,
      })
      .optional()
      .meta({
        description: 'Repository of the dbt project. Left out: the repository of the plan.',
        examples: ['acme/analytics'],
      }),
    base: z
      .string({ error: BASE_ADVICE })
      .regex(
        /^(?![-/.])(?!.*(?:\.\.|\/\/|\/\.|@\{|\.lock$|[/.]$))[!-)+-9;->@-Z\]_-}\u00a0-\uffff]{1,200}$/u,
        {
          error: BASE_ADVICE,
        },
      )
      .optional()
      .meta({
        description: 'Branch that the pull request goes to. Left out: the default branch.',
        examples: ['main'],
      }),
    project: z
      .string({ error: PROJECT_ADVICE })
      .regex(/^(?!\/)(?!.*(?:^|\/)\.(?:\.|git)(?:\/|$))[ -9;-[\]-~\u00a0-\uffff]{1,200}$/u, {
        error: PROJECT_ADVICE,
      })
      .default('transform')
      .meta({ description: 'Folder of the dbt project in that repository.' }),
    reviewers: z
      .array(
        z
          .string({ error: REVIEWERS_ADVICE })
          .regex(new RegExp(`^${login}(?:/[A-Za-z0-9._-]{1,100})?$`, 'u'), {
            error: REVIEWERS_ADVICE,
          }),
        { error: REVIEWERS_ADVICE },
      )
      .default([])
      .meta({ description: 'Who is asked to review: logins, and organisation/team for teams.' }),
    labels: z
      .array(
        z
          .string({ error: LABELS_ADVICE })
          .min(1, { error: LABELS_ADVICE })
          .max(50, { error: LABELS_ADVICE }),
        { error: LABELS_ADVICE },
      )
      .default([])
      .meta({ description: 'Labels of the pull request.' }),
  },
  'Write production: { repository: acme/analytics, base: main, project: transform }.',
).meta({ description: 'Where the dbt project lives and the pull request goes.' });

const ROWS_ADVICE = 'Write a whole number of rows, 1 or more.';

const proof = section(
  {
    max_rows: z.int({ error: ROWS_ADVICE }).min(1, { error: ROWS_ADVICE }).default(100_000).meta({
      description:
        'Tables with more rows are proven on a sample of this size, closed under foreign keys.',
    }),
    rows: z
      .enum(['target', 'source'], { error: 'Write target or source.' })
      .default('target')
      .meta({
        description:
          'Where the proof takes the rows of tables that pipelines have loaded: from the target as they were loaded, or from the source as they are.',
      }),
    parameters: parameters.default({}).meta({
      description:
        'Values for every procedure that has a parameter of that name. The Arguments column goes before.',
    }),
  },
  'Write proof: { max_rows: 100000 }, or leave it out.',
).meta({ description: 'How much is proven.' });

const pipelines = section(
  {
    zero_dates: z
      .enum(['error', 'as_null'], { error: 'Write error or as_null.' })
      .default('error')
      .meta({
        description:
          'What becomes of dates of MySQL that are no dates (0000-00-00): an error, or NULL (counted).',
      }),
  },
  'Write pipelines: { zero_dates: error }, or leave it out.',
).meta({ description: 'How the pipelines move tables.' });

const procedure = section(
  {
    parameters: parameters.optional().meta({
      description: 'Values for its parameters: the same as the Arguments column, with more room.',
    }),
    data_tables: tables(
      'Tables that this procedure only logs to, and that are data all the same.',
    ).optional(),
  },
  'Write { parameters: { name: SQL expression } }, { data_tables: [schema.table] }, or both.',
).meta({ description: 'What applies to one procedure.' });

const NAME_ADVICE =
  'Write 1 to 63 lower case letters, digits, - and _, a letter or digit at both ends, for example sales-warehouse.';
const WORKERS_ADVICE = 'Write a whole number from 1 to 256.';

export const settingsSchema = section(
  {
    sprocket: z
      .literal(1, { error: 'Write sprocket: 1, the version of this format.' })
      .meta({ description: 'Version of this format.' }),
    name: z
      .string({ error: NAME_ADVICE })
      .regex(/^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/u, { error: NAME_ADVICE })
      .meta({
        description: 'Name of the migration: the branch is sprocket/<name>.',
        examples: ['sales-warehouse'],
      }),
    source,
    target,
    sandbox: sandbox.optional(),
    production: production.prefault({}),
    workers: z
      .int({ error: WORKERS_ADVICE })
      .min(1, { error: WORKERS_ADVICE })
      .max(256, { error: WORKERS_ADVICE })
      .default(4)
      .meta({ description: 'How many workers run side by side.' }),
    proof: proof.prefault({}),
    pipelines: pipelines.prefault({}),
    data_tables: tables(
      'Tables that look like logs (only row counts, times and messages are written to them) and that are data all the same: they become models and are compared.',
    ).optional(),
    procedures: z
      .record(z.string(), procedure, {
        error: 'Write one "schema.name(argument types):" per procedure, with its settings beneath.',
      })
      .optional()
      .meta({ description: 'What applies to single procedures, by schema.name(argument types).' }),
  },
  'Write the settings as "key: value" lines.',
).meta({
  title: 'Front matter of a Sprocket plan.md',
  description: 'Settings of a migration from stored procedures to dbt models.',
});

export type RawSettings = z.output<typeof settingsSchema>;

/** The JSON Schema (draft 7) of what people write, for editors. */
export function settingsJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(settingsSchema, { target: 'draft-7', io: 'input' });
}
