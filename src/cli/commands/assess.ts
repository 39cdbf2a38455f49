import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { openCatalog } from '../../adapters/postgres/catalog-reader.ts';
import { readCatalog } from '../../adapters/postgres/catalog.ts';
import { openSandbox } from '../../adapters/sandbox/open.ts';
import { systemClock } from '../../adapters/system/clock.ts';
import { RATINGS } from '../../core/plan/types.ts';
import { assessLines } from '../../core/report/assess.ts';
import { wrap } from '../../core/report/text.ts';
import { assessDatabase, assessFiles } from '../../usecases/assess.ts';
import type { RatedAssessment } from '../../usecases/assess.ts';
import type { ScriptFile } from '../../usecases/prove-load-items.ts';
import { EXIT, UsageError } from '../output/failure.ts';
import { databaseAddress, print } from '../session.ts';
import { orderNotes } from './order-notes.ts';

interface Options {
  readonly source: string;
  readonly in?: readonly string[];
  readonly schema?: readonly string[];
  readonly procedures?: readonly string[];
  readonly sandbox: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command('assess')
    .description('say what can be migrated by a machine, what not, and why; nothing is proven')
    .option(
      '--source <variable>',
      'environment variable with the URL of the database',
      'SOURCE_DATABASE_URL',
    )
    .option('--in <schema...>', 'only procedures in these schemas')
    .option('--schema <file...>', 'instead of a database: files that create tables and views')
    .option('--procedures <file...>', 'instead of a database: files that create the procedures')
    .option(
      '--sandbox <variable>',
      'environment variable with the URL of a PostgreSQL to load the files into; where it is not set, one is started',
      'SANDBOX_DATABASE_URL',
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sprocket assess\n  $ sprocket assess --in dw mart --json\n  $ sprocket assess --schema tables.sql --procedures load.sql report.sql',
    )
    .action(async (options: Options) => {
      const assessment = await assessed(options);
      const columns = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
      const lines = [...assessLines(assessment, columns), ...notes(assessment, columns)];
      print(options, assessment, lines.join('\n'));
      const sound = assessment.broken.length === 0 && assessment.cycles.length === 0;
      process.exitCode = sound ? EXIT.ok : EXIT.needsPerson;
    });
}

async function assessed(options: Options): Promise<RatedAssessment> {
  const { schema = [], procedures = [] } = options;
  if (schema.length === 0 && procedures.length === 0) {
    const reader = await openCatalog(databaseAddress(options.source));
    try {
      return await assessDatabase(reader, options.in ?? null, systemClock);
    } finally {
      await reader.close();
    }
  }
  if (procedures.length === 0) {
    throw new UsageError(
      '--schema gives tables, but no file with procedures is given.',
      'Add --procedures <file…>; a file that holds both can be given there alone.',
    );
  }
  const files = { schema: await scripts(schema), procedures: await scripts(procedures) };
  const sandbox = await openSandbox(process.env[options.sandbox] ?? null);
  try {
    return await assessFiles({ sandbox, readCatalog, clock: systemClock, ...files });
  } finally {
    await sandbox.close();
  }
}

function scripts(paths: readonly string[]): Promise<readonly ScriptFile[]> {
  return Promise.all(
    paths.map(async (name) => {
      const text = await readFile(name, 'utf8').catch(() => {
        throw new UsageError(`There is no file ${name} that can be read.`, 'Check the path.');
      });
      return { name, text };
    }),
  );
}

function notes(assessment: RatedAssessment, columns: number): readonly string[] {
  const { ratings, helpers, broken } = assessment;
  const rated = RATINGS.filter((rating) => ratings[rating] > 0)
    .map((rating) => `${ratings[rating]} ${rating}`)
    .join(', ');
  return [
    ...(rated === '' ? [] : [`Rated: ${rated}.`]),
    ...(helpers.length === 0
      ? []
      : [`Functions that only compute a value go along with their callers: ${helpers.length}.`]),
    ...orderNotes(assessment.cycles, assessment.unordered),
    ...broken.map(
      ({ file, line, message }) => `${file}:${line}: the server refuses it: ${message}`,
    ),
  ].flatMap((note) => wrap(note, columns));
}
