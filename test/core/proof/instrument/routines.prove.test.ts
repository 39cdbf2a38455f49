import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCatalog } from '../../../../src/adapters/postgres/catalog.ts';
import { openSandbox } from '../../../../src/adapters/sandbox/open.ts';
import {
  instrumentation,
  NOTED_CALLS,
  REACHED_BRANCHES,
  setClockSql,
} from '../../../../src/core/proof/instrument/routines.ts';
import { loadParser } from '../../../../src/core/translate/postgres/parser.ts';
import type { Translation } from '../../../../src/core/translate/types.ts';
import type { Sandbox, SqlSession } from '../../../../src/ports/sandbox.ts';

const CLOCK = '2024-02-29 23:59:58.123456+00';

const DATABASE = `
CREATE SCHEMA dw;
CREATE TABLE dw.log (at timestamptz DEFAULT now(), text text);
CREATE TABLE dw.t (id int, made timestamp DEFAULT localtimestamp, day date DEFAULT CURRENT_DATE);
CREATE VIEW dw.v AS SELECT now() AS n, CURRENT_DATE AS d, current_timestamp(0) AS c;
CREATE FUNCTION dw.today() RETURNS date LANGUAGE sql STABLE RETURN CURRENT_DATE;
CREATE FUNCTION dw.year(d date DEFAULT CURRENT_DATE) RETURNS int LANGUAGE sql STABLE AS
  'SELECT extract(year FROM d)::int';
CREATE FUNCTION dw.safe(a int, b int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  RETURN a / b;
EXCEPTION WHEN division_by_zero THEN
  RETURN NULL;
END $$;
CREATE PROCEDURE dw.load(p int) LANGUAGE plpgsql AS $$
BEGIN
  IF p > 0 THEN
    INSERT INTO dw.t (id) VALUES (p);
    CREATE TABLE dw.made AS SELECT now(), CURRENT_DATE, timeofday();
  ELSE
    PERFORM 1 / p;
  END IF;
EXCEPTION WHEN OTHERS THEN
  INSERT INTO dw.log (text) VALUES (SQLERRM);
END $$;`;

const translation: Translation = {
  routine: 'dw.load(integer)',
  outcome: 'models',
  models: [],
  tests: [],
  parameters: [],
  refusals: [],
  notes: [],
  branches: [{ line: 3, label: 'if p > 0' }],
  calls: [],
  reads: [],
  writes: [{ schema: 'dw', name: 't' }],
  logTables: [{ schema: 'dw', name: 'log' }],
};

describe('an instrumented database', () => {
  let sandbox: Sandbox;
  let session: SqlSession;

  beforeAll(async () => {
    await loadParser();
    sandbox = await openSandbox(null);
    await sandbox.create('d');
    session = await sandbox.connect('d');
    await session.query(DATABASE);
    const catalog = await readCatalog(session);
    const changes = instrumentation(catalog, [translation], CLOCK);
    expect(changes.branches).toEqual(new Map([['dw.load(integer)', [1]]]));
    expect(changes.removedHandlers).toEqual(new Map([['dw.load(integer)', [9]]]));
    for (const statement of changes.statements) await session.query(statement);
  });
  afterAll(async () => {
    await session.close();
    await sandbox.close();
  });

  it('has one clock: in routines, views, defaults of columns and of parameters', async () => {
    const { rows } = await session.query('SELECT * FROM dw.v');
    expect(rows).toEqual([[CLOCK, '2024-02-29', '2024-02-29 23:59:58+00']]);
    const calls = await session.query('SELECT dw.today(), dw.year()');
    expect(calls.rows).toEqual([['2024-02-29', '2024']]);
    await session.query('CALL dw.load(1)');
    expect((await session.query('SELECT * FROM dw.t')).rows).toEqual([
      ['1', '2024-02-29 23:59:58.123456', '2024-02-29'],
    ]);
    expect(await session.query('SELECT * FROM dw.made')).toMatchObject({
      columns: ['now', 'current_date', 'timeofday'],
      rows: [[CLOCK, '2024-02-29', 'Thu Feb 29 23:59:58.123456 2024 UTC']],
    });
    await session.query(setClockSql('2025-01-01 00:00:00+00'));
    expect((await session.query('SELECT dw.today()')).rows).toEqual([['2025-01-01']]);
  });

  it('fails where the procedure swallowed its error, and keeps handlers that choose a value', async () => {
    await expect(session.query('CALL dw.load(0)')).rejects.toMatchObject({
      code: '22012',
      where: expect.stringContaining('line 7'),
    });
    expect((await session.query('SELECT dw.safe(1, 0)')).rows).toEqual([[null]]);
  });

  it('has noted the arguments of the calls that were not undone', async () => {
    expect((await session.query(NOTED_CALLS)).rows).toEqual([['dw.load(integer)', '["1"]']]);
  });

  it('tells which sides of a condition were taken, also by a run that failed', async () => {
    expect((await session.query(REACHED_BRANCHES)).rows.toSorted()).toEqual([
      ['1', 'false'],
      ['1', 'true'],
    ]);
  });
});
