import { writeFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { findTables } from '../../adapters/mysql/tables.ts';
import { openCatalog } from '../../adapters/postgres/catalog-reader.ts';
import { leadToSame } from '../../adapters/postgres/connection.ts';
import { qualified } from '../../core/catalog/names.ts';
import { cycleText } from '../../core/graph/cycles.ts';
import { waves } from '../../core/graph/graph.ts';
import { RATINGS } from '../../core/plan/types.ts';
import type { Dialect } from '../../core/plan/types.ts';
import { count } from '../../core/report/text.ts';
import { ConnectionError } from '../../ports/catalog.ts';
import { draftPlan, draftTables } from '../../usecases/scope.ts';
import type { DraftedPlan, DraftRequest } from '../../usecases/scope.ts';
import { UsageError } from '../output/failure.ts';
import { databaseAddress, print } from '../session.ts';
import { orderNotes } from './order-notes.ts';

interface Options {
  readonly source: string;
  readonly target: string;
  readonly sandbox?: string;
  readonly in?: readonly string[];
  readonly name?: string;
  readonly metadataSchema: string;
  readonly repository?: string;
  readonly base?: string;
  readonly project: string;
  readonly workers: number;
  readonly maxRows: number;
  readonly oneDatabase?: boolean;
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command('plan')
    .description('draft plan.md from the source: procedures with order and rating, pipelines')
    .option(
      '--source <variable>',
      'environment variable with the URL of the source',
      'SOURCE_DATABASE_URL',
    )
    .option(
      '--target <variable>',
      'environment variable with the URL of the target',
      'TARGET_DATABASE_URL',
    )
    .option('--sandbox <variable>', 'environment variable with the URL of a PostgreSQL for proofs')
    .option('--in <schema...>', 'only procedures in these schemas')
    .option(
      '--name <name>',
      'name of the plan; the name of the source database where it is left out',
    )
    .option('--metadata-schema <schema>', 'schema in the target for the tables of runs', 'wirekite')
    .option('--repository <owner/name>', 'repository that gets the pull request')
    .option('--base <branch>', 'branch that the pull request goes to')
    .option('--project <folder>', 'folder of the dbt project there', 'transform')
    .option('--workers <n>', 'how many workers run side by side', wholeNumber, 4)
    .option(
      '--max-rows <n>',
      'larger tables are proven on a sample of this many rows',
      wholeNumber,
      100_000,
    )
    .option('--one-database', 'source and target are the same database: no table has to be moved')
    .option('--out <file>', 'where to write it; - for the terminal', 'plan.md')
    .option('--force', 'write over a plan that is there')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sprocket plan\n  $ sprocket plan --in dw mart --name sales-warehouse --project transform',
    )
    .action(async (options: Options) => {
      if (isMysql(databaseAddress(options.source).url)) return draftMysql(options);
      const drafted = await draft(options);
      if (options.out !== '-') await write(options, drafted.text);
      const text = options.out === '-' ? drafted.text.trimEnd() : summary(options, drafted);
      print(options, result(options, drafted), text);
    });
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) {
    throw new InvalidArgumentError('Write a whole number from 1.');
  }
  return number;
}

const isMysql = (url: string) => /^(?:mysql|mariadb):/u.test(url);

/** The procedures of MySQL and MariaDB are not read yet; their tables can be moved. */
async function draftMysql(options: Options): Promise<void> {
  const { url } = databaseAddress(options.source);
  const found = await findTables(url, options.in ?? null).catch((error: unknown) => {
    throw new ConnectionError(
      'refused',
      options.source,
      error instanceof Error ? error.message : 'the server failed in an unknown way',
      'Look at the host, port, user, password and database in the URL.',
    );
  });
  if (found.tables.length === 0) {
    throw new UsageError(
      `${options.source}: no table is there to be moved.`,
      'Name the database in the URL, or others with --in.',
    );
  }
  const { text, draft } = draftTables(found, draftSettings(options, 'mysql'));
  if (options.out !== '-') await write(options, text);
  const pipelines = draft.pipelines.map(({ source, mode }) => ({
    source: qualified(source),
    mode,
  }));
  const said = [
    `Wrote ${options.out}: ${count(pipelines.length, 'pipeline')} included, ${found.followable ? 'with their changes' : "without their changes, which the source's log does not tell as it is set"}.`,
    'Procedures of MySQL and MariaDB are not read: only tables are moved.',
    'Read it, change what you will, then run "sprocket check".',
  ];
  print(
    options,
    { plan: draft.name, file: options.out === '-' ? null : options.out, text, pipelines },
    options.out === '-' ? text.trimEnd() : said.join('\n'),
  );
}

async function draft(options: Options): Promise<DraftedPlan> {
  const address = databaseAddress(options.source);
  const oneDatabase = options.oneDatabase ?? isOneDatabase(options);
  const reader = await openCatalog(address);
  try {
    return await draftPlan({
      reader,
      schemas: options.in ?? null,
      oneDatabase,
      settings: draftSettings(options, 'postgres'),
    });
  } finally {
    await reader.close();
  }
}

function draftSettings(options: Options, source: Dialect): DraftRequest['settings'] {
  return {
    name: options.name ?? null,
    source: { dialect: source, urlVariable: options.source },
    target: {
      dialect: isMysql(process.env[options.target] ?? '') ? 'mysql' : 'postgres',
      urlVariable: options.target,
      metadataSchema: options.metadataSchema,
    },
    sandboxUrlVariable: options.sandbox ?? null,
    production: {
      repository: options.repository ?? null,
      base: options.base ?? null,
      project: options.project,
    },
    workers: options.workers,
    maxRows: options.maxRows,
  };
}

/** The target need not be there yet: then it is taken for another database. */
function isOneDatabase({ source, target }: Options): boolean {
  if (source === target) return true;
  const url = process.env[target] ?? '';
  return url !== '' && leadToSame(databaseAddress(source), { setting: target, url });
}

async function write({ out, force }: Options, text: string): Promise<void> {
  await writeFile(out, text, { flag: force === true ? 'w' : 'wx' }).catch((error: unknown) => {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    throw new UsageError(
      exists ? `${out} is there already.` : `${out} can't be written.`,
      exists ? 'Name another file with --out, or write over it with --force.' : 'Check the folder.',
    );
  });
}

function result({ out }: Options, { text, draft: { name }, scope }: DraftedPlan): object {
  return {
    plan: name,
    file: out === '-' ? null : out,
    text,
    procedures: scope.rows.map(({ id, include, rating, reasons, dependsOn }) => ({
      name: id,
      include,
      rating,
      reasons,
      dependsOn,
    })),
    waves: waves(scope.graph),
    cycles: scope.cycles.map(cycleText),
    unordered: scope.graph.unordered,
    helpers: scope.helpers,
  };
}

function summary({ out, target }: Options, { draft: { pipelines }, scope }: DraftedPlan): string {
  const included = scope.rows.filter(({ include }) => include).length;
  const rated = RATINGS.map((rating) => {
    const found = scope.rows.filter((row) => row.rating === rating).length;
    return found === 0 ? [] : [`${found} ${rating}`];
  });
  const loaded = pipelines.filter(({ include }) => include).length;
  const isTargetKnown = (process.env[target] ?? '') !== '';
  return [
    `Wrote ${out}: ${included} of ${count(scope.rows.length, 'procedure')} and ${count(loaded, 'pipeline')} are included.`,
    `Rated: ${rated.flat().join(', ')}. Ready in ${count(waves(scope.graph).length, 'wave')}.`,
    ...(loaded > 0 && !isTargetKnown
      ? [
          `${target} is not set, so the target is taken for another database (else: --one-database).`,
        ]
      : []),
    ...orderNotes(scope.cycles.map(cycleText), scope.graph.unordered),
    'Read it, change what you will, then run "sprocket check".',
  ].join('\n');
}
