import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCatalog } from '../../src/adapters/postgres/catalog-reader.ts';
import { openPostgresSource } from '../../src/adapters/postgres/move_source.ts';
import { openPostgresTarget } from '../../src/adapters/postgres/move_target.ts';
import { openSandbox } from '../../src/adapters/sandbox/open.ts';
import type { Sandbox, SqlSession } from '../../src/ports/sandbox.ts';
import { checkPlan } from '../../src/usecases/check.ts';
import type { CheckReport } from '../../src/usecases/check.ts';

const ROLE = `sprocket_check_${process.pid}`;
const OWNER = `sprocket_owner_${process.pid}`;
const SQL = `
  CREATE ROLE ${ROLE} LOGIN PASSWORD 'p'; CREATE ROLE ${OWNER};
  CREATE SCHEMA dw; CREATE SCHEMA "Stage 1";
  CREATE TABLE "Stage 1"."or.ders" (id integer PRIMARY KEY); CREATE TABLE dw.t (id integer);
  CREATE TABLE dw.u (id integer); CREATE TABLE dw.untouched (id integer);
  CREATE VIEW dw.v AS SELECT id FROM "Stage 1"."or.ders";
  CREATE PROCEDURE dw.load() LANGUAGE sql AS 'TRUNCATE dw.t; INSERT INTO dw.t SELECT id FROM dw.v';
  CREATE PROCEDURE dw.day(p_day date, INOUT p_rows integer, p_more integer DEFAULT 1) LANGUAGE sql AS 'SELECT 1';
  CREATE PROCEDURE dw.left() LANGUAGE sql AS 'TRUNCATE dw.t; INSERT INTO dw.t SELECT id FROM dw.u';
  CREATE PROCEDURE dw.right() LANGUAGE sql AS 'TRUNCATE dw.u; INSERT INTO dw.u SELECT id FROM dw.t';
  ALTER TABLE "Stage 1"."or.ders" OWNER TO ${OWNER};`;

interface Row {
  readonly name: string;
  readonly values?: string;
  readonly dependsOn?: string;
}

const plan = (
  rows: readonly Row[],
  changed: { readonly pipelines?: string; readonly more?: string } = {},
) =>
  `---
sprocket: 1
name: sales
source: { dialect: postgres, url: FROM }
target: { dialect: postgres, url: TO }
sandbox: { url: BOX }
${changed.more ?? ''}
---
## Pipelines
| Include | Source | Target | Key | Mode | Status |
|---|---|---|---|---|---|
${changed.pipelines ?? ''}
## Procedures
| Include | Procedure | Arguments | Writes | Depends on | Rating | Status |
|---|---|---|---|---|---|---|
${rows.map(({ name, values = '', dependsOn = '' }) => `| yes | ${name} | ${values} | | ${dependsOn} | | Pending |`).join('\n')}
`;

let sandbox: Sandbox;
let owner: SqlSession;
/** As the role that lacks rights, and as one that has all. */
let limited: string;
let whole: string;

beforeAll(async () => {
  sandbox = await openSandbox(process.env['DATABASE_URL'] ?? null);
  await sandbox.create('checked');
  owner = await sandbox.connect('checked');
  await owner.query(SQL);
  const { host, port, user, password, database } = sandbox.parameters('checked');
  const at = `${host}:${port}/${encodeURIComponent(database)}`;
  limited = `postgresql://${ROLE}:p@${at}`;
  whole = `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${at}`;
});

afterAll(async () => {
  await owner.query(`DROP OWNED BY ${ROLE}, ${OWNER} CASCADE; DROP ROLE ${ROLE}, ${OWNER}`);
  await owner.close();
  await sandbox.close();
});

const openSides = (url = whole) => ({
  source: openPostgresSource(url, 'postgres'),
  target: openPostgresTarget(url),
});
/** The server of this test need not write a logical log. */
const ofRights = ({ problems }: CheckReport) =>
  problems.filter(({ code }) => code !== 'not-configured');
const check = (text: string, url: string): Promise<CheckReport> =>
  checkPlan(text, {
    open: openCatalog,
    openSides: () => openSides(url),
    environment: { FROM: url, TO: url, BOX: url },
  });

describe('rights', () => {
  test('each one that is missing has the statement that gives it, and nothing else is asked for', async () => {
    const pipelines = '| yes | "Stage 1"."or.ders" | raw.orders | | load + changes | Pending |';
    const text = plan([{ name: 'dw.load()' }], { pipelines });
    const report = await check(text, limited);
    const { missingRights } = report;
    expect(ofRights(report)).toEqual([]);
    const { database } = sandbox.parameters('checked');
    expect(missingRights.map(({ setting, grant }) => [setting, grant])).toEqual([
      ['FROM', `GRANT USAGE ON SCHEMA "Stage 1" TO ${ROLE};`],
      ['FROM', `GRANT SELECT ON "Stage 1"."or.ders" TO ${ROLE};`],
      ['FROM', `GRANT USAGE ON SCHEMA dw TO ${ROLE};`],
      ['FROM', `GRANT SELECT ON dw.t TO ${ROLE};`],
      ['FROM', `ALTER ROLE ${ROLE} REPLICATION;`],
      ['FROM', `GRANT CREATE ON DATABASE ${database} TO ${ROLE};`],
      ['FROM', `GRANT ${OWNER} TO ${ROLE};`],
      ['TO', `GRANT CREATE ON DATABASE ${database} TO ${ROLE};`],
      ['BOX', `ALTER ROLE ${ROLE} CREATEDB;`],
      ['BOX', `GRANT SET ON PARAMETER session_replication_role TO ${ROLE};`],
    ]);

    for (const { grant } of missingRights) await owner.query(grant ?? 'SELECT 1');
    const after = await check(text, limited);
    expect(after).toMatchObject({ missingRights: [] });
    expect(ofRights(after)).toEqual([]);
  });

  test('only reading is asked of a source without pipelines', async () => {
    await owner.query(`
      DROP OWNED BY ${ROLE}; REVOKE ${OWNER} FROM ${ROLE}; ALTER ROLE ${ROLE} NOREPLICATION`);
    const { missingRights } = await check(plan([{ name: 'dw.load()' }]), limited);
    const rights = missingRights.filter(({ setting }) => setting === 'FROM');
    expect(new Set(rights.map(({ right }) => right.split(' ')[0]))).toEqual(
      new Set(['USAGE', 'SELECT']),
    );
  });

  test('a table of a pipeline that is not there', async () => {
    const pipelines = '| yes | dw.gone | raw.gone | | load | Pending |';
    const { missingRights } = await check(plan([{ name: 'dw.load()' }], { pipelines }), whole);
    expect(missingRights).toMatchObject([
      { setting: 'FROM', right: 'SELECT on dw.gone', reason: 'no-object', grant: null },
    ]);
  });
});

test('a moved table that a procedure writes must keep its name', async () => {
  const pipelines = '| yes | dw.t | raw.t | | load | Pending |';
  const { warnings } = await check(plan([{ name: 'dw.load()' }], { pipelines }), whole);
  expect(warnings).toContainEqual(expect.stringContaining('Write dw.t as the Target'));
});

describe('order', () => {
  test('a cycle in the data is named, at the line of its first procedure', async () => {
    const text = plan([{ name: 'dw.load()' }, { name: 'dw.left()' }, { name: 'dw.right()' }]);
    const { problems } = await check(text, whole);
    const line = text.split('\n').findIndex((each) => each.includes('dw.left()')) + 1;
    expect(problems).toMatchObject([{ code: 'cycle', line }]);
    expect(problems[0]?.message).toContain('dw.left() → dw.right() → dw.left()');
  });

  test('a cycle in the column is found without a database, and said once with one', async () => {
    const text = plan([
      { name: 'dw.left()', dependsOn: 'dw.right()' },
      { name: 'dw.right()', dependsOn: 'dw.left()' },
    ]);
    for (const report of [await checkPlan(text, null), await check(text, whole)]) {
      expect(report.problems.filter(({ code }) => code === 'cycle')).toHaveLength(1);
    }
  });

  test('writers of one table are told how they are taken', async () => {
    const { warnings, problems } = await check(
      plan([{ name: 'dw.load()' }, { name: 'dw.left()' }]),
      whole,
    );
    expect([warnings, problems]).toEqual([[], []]);
  });
});

test('a procedure that the source does not have', async () => {
  const text = plan([{ name: 'dw.load()' }, { name: 'dw.lode()' }]);
  const { problems } = await check(text, whole);
  const line = text.split('\n').findIndex((each) => each.includes('dw.lode()')) + 1;
  expect(problems).toMatchObject([{ code: 'procedure-unknown', line }]);
  expect(problems[0]?.message).toContain('Write dw.load()');
});

describe('arguments', () => {
  test('a value that is missing is a note', async () => {
    const { problems, warnings } = await check(plan([{ name: 'dw.day(date, int, int)' }]), whole);
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      expect.stringContaining('gets no value for p_day: it is called with NULL'),
    ]);
    const given = plan([{ name: 'dw.day(date, int, int)', values: "p_day => date '2024-01-31'" }]);
    expect(await check(given, whole)).toMatchObject({ problems: [], warnings: [] });
  });

  test('a value for a parameter that is not there is a problem', async () => {
    const text = plan([{ name: 'dw.day(date, int, int)', values: 'p_dya => now(), p_more => 2' }]);
    const { problems } = await check(text, whole);
    expect(problems).toMatchObject([{ code: 'argument-unknown' }]);
    expect(problems[0]?.message).toContain(
      'does not take p_dya. Its parameters: p_day, p_rows, p_more.',
    );
  });
});

test('another dialect is not looked at, and that is said', async () => {
  const text = plan([{ name: 'dw.load()' }]).replace(
    'target: { dialect: postgres',
    'target: { dialect: mysql',
  );
  const report = await check(text, whole);
  expect(report.warnings).toEqual([
    'TO (target.url) is not PostgreSQL: only its pipelines were looked at.',
  ]);
  expect(report.reached).toEqual(['FROM', 'BOX']);
});

test('a plan that can not be read is not tried out', async () => {
  const report = await checkPlan('no plan at all', {
    open: openCatalog,
    openSides: () => openSides(),
    environment: {},
  });
  expect(report).toMatchObject({ plan: null, reached: [] });
  expect(report.problems.length).toBeGreaterThan(0);
});
