/** What keeps pipelines from moving is said before they are begun: on servers that are not set up for it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startMariadb, startPostgres } from '../../scripts/servers.ts';
import type { TestServer } from '../../scripts/servers.ts';
import { openConnection, query as mysqlQuery } from '../../src/adapters/mysql/move_session.ts';
import { openMysqlSource } from '../../src/adapters/mysql/move_source.ts';
import { openPostgresSource } from '../../src/adapters/postgres/move_source.ts';
import { openPostgresTarget } from '../../src/adapters/postgres/move_target.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { Dialect } from '../../src/core/movement/model.ts';
import { checkPipelines } from '../../src/usecases/check-pipelines.ts';
import type { PipelineFindings } from '../../src/usecases/check-pipelines.ts';
import { connectTo } from '../adapters/postgres/scratch-database.ts';
import { planText } from '../e2e/run-process.ts';

let postgres: TestServer;
let mariadb: TestServer;
beforeAll(async () => {
  [postgres, mariadb] = await Promise.all([
    startPostgres({ wal_level: 'replica', max_replication_slots: '1' }),
    startMariadb(['--binlog-row-image=MINIMAL']),
  ]);
});
afterAll(() => Promise.all([postgres?.stop(), mariadb?.stop()]));

async function check(source: Dialect, rows: readonly string[]): Promise<PipelineFindings> {
  const { plan } = parsePlan(planText([], rows, source));
  if (plan === null) throw new Error('the plan does not read');
  const open = source === 'postgres' ? openPostgresSource : openMysqlSource;
  const sides = {
    source: open(source === 'postgres' ? postgres.url() : mariadb.url(), 'postgres'),
    target: openPostgresTarget(postgres.url()),
  };
  try {
    return await checkPipelines(plan, sides);
  } finally {
    await Promise.all([sides.source.close(), sides.target.close()]);
  }
}

test('keys, and what a PostgreSQL source must be set to', async () => {
  const session = await connectTo(postgres.url());
  await session.query(`CREATE TABLE good (id int PRIMARY KEY, a int);
    CREATE TABLE bare (a int); CREATE TABLE spoiled (id int PRIMARY KEY)`);
  await session.close();
  const { problems, warnings } = await check('postgres', [
    'public.good | raw.good | | load + changes',
    'public.bare | raw.bare | | load + changes',
    'public.spoiled | raw.spoiled | ident | load',
  ]);
  expect(problems.map(({ line, code, message }) => [line, code, message])).toEqual([
    [17, 'no-key', expect.stringContaining('ALTER TABLE public.bare REPLICA IDENTITY FULL')],
    [18, 'no-key', 'public.spoiled has no column ident, which the plan names as key.'],
    [4, 'not-configured', expect.stringContaining('SET wal_level = logical')],
    [4, 'not-configured', expect.stringContaining('Raise max_replication_slots')],
  ]);
  expect(warnings).toEqual(['public.bare has no key: it is loaded whole, in one file.']);
});

test('types, and what a MariaDB source must be set to', async () => {
  const connection = await openConnection(mariadb.url());
  await mysqlQuery(connection, 'CREATE DATABASE shop');
  await mysqlQuery(
    connection,
    'CREATE TABLE shop.t (id int PRIMARY KEY, a int, b int AS (a + 1) STORED)',
  );
  await mysqlQuery(
    connection,
    'CREATE TABLE shop.u (id int PRIMARY KEY, t int, FOREIGN KEY (t) REFERENCES shop.t (id) ON DELETE CASCADE)',
  );
  connection.destroy();
  const { problems, warnings } = await check('mysql', [
    'shop.t | raw.t | | load + changes',
    'shop.gone | raw.gone | | load',
    'shop.u | raw.u | | load + changes',
  ]);
  expect(warnings).toEqual([
    "shop.u has rows that change with those of shop.t (ON DELETE CASCADE), which the source's log does not tell: " +
      'the move stops when that happens.',
  ]);
  expect(problems).toMatchObject([
    { line: 16, code: 'unsupported-type', message: expect.stringContaining('shop.t.b') },
    { line: 17, code: 'table-missing' },
    {
      line: 4,
      code: 'not-configured',
      message: expect.stringContaining('binlog_row_image = FULL'),
    },
  ]);
  const loaded = await check('mysql', ['shop.t | raw.t | | load']);
  expect(loaded.problems).toEqual([]);
});
