import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openSandbox } from '../../src/adapters/sandbox/open.ts';
import { loadParser } from '../../src/core/translate/postgres/parser.ts';
import type { Sandbox } from '../../src/ports/sandbox.ts';
import { loadFiles } from '../../src/usecases/prove-load.ts';
import type { LoadResult } from '../../src/usecases/prove-load.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  await loadParser();
  sandbox = await openSandbox(null);
});
afterAll(() => sandbox.close());
beforeEach(() => sandbox.create('files'));

async function load(files: {
  schema?: string;
  procedures?: string;
  data?: string;
}): Promise<LoadResult> {
  const file = (name: string, text: string | undefined) =>
    text === undefined ? [] : [{ name: `${name}.sql`, text }];
  const session = await sandbox.connect('files');
  try {
    return await loadFiles(session, {
      schema: file('schema', files.schema),
      procedures: file('procedures', files.procedures),
      data: file('data', files.data),
    });
  } finally {
    await session.close();
  }
}

async function rows(sql: string): Promise<unknown> {
  const session = await sandbox.connect('files');
  try {
    return (await session.query(sql)).rows;
  } finally {
    await session.close();
  }
}

describe('filling a sandbox from files', () => {
  it('takes statements in any order, and names the routines to prove', async () => {
    const result = await load({
      schema: `
        CREATE VIEW s.v AS SELECT s.f(a) AS b FROM s.t;
        CREATE TABLE s.child (a int REFERENCES s.t (a), m mood);
        CREATE TABLE s.t (a int PRIMARY KEY);
        CREATE TYPE mood AS ENUM ('sad', 'ok');
        CREATE SCHEMA s;
        CREATE FUNCTION s.not_to_prove() RETURNS int LANGUAGE sql AS 'SELECT 1';`,
      procedures: `
        CREATE FUNCTION s.f(x int, y mood DEFAULT 'ok') RETURNS int LANGUAGE sql AS 'SELECT x';
        CREATE PROCEDURE s.p(INOUT x numeric(10, 2), OUT y text, VARIADIC z int[])
          LANGUAGE plpgsql AS $$ BEGIN nonsense; END $$;
        CREATE FUNCTION s.watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE OR REPLACE FUNCTION s.f(x int, y mood DEFAULT 'ok') RETURNS int LANGUAGE sql AS 'SELECT x + 1';`,
      data: `
        INSERT INTO s.child VALUES (1, 'ok');
        INSERT INTO s.t VALUES (1);
        INSERT INTO s.t VALUES (2);`,
    });
    expect(result.failed).toEqual([]);
    expect(result.broken).toEqual([]);
    expect(result.routines).toEqual(['s.p(numeric, text, integer[])', 's.f(integer, public.mood)']);
    expect(await rows('SELECT * FROM s.v ORDER BY b')).toEqual([['2'], ['3']]);
    expect(await rows('SELECT * FROM s.child')).toEqual([['1', 'ok']]);
  });

  it('reads a dump: COPY data, an empty search_path, owners and roles that are not here', async () => {
    const result = await load({
      schema: `
        \\connect warehouse
        SET statement_timeout = 0;
        SET transaction_timeout = 0;
        SELECT pg_catalog.set_config('search_path', '', false);
        CREATE SCHEMA s;
        ALTER SCHEMA s OWNER TO somebody;
        CREATE EXTENSION IF NOT EXISTS no_such_extension;
        CREATE ROLE reader;
        CREATE TABLE s.t (a integer, b text);
        GRANT SELECT ON TABLE s.t TO reader;
        COPY s.t (a, b) FROM stdin;
1\tit's
2\t\\N
\\.
        SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('s.u', 'id'), 41, true);
        CREATE TABLE s.u (id serial);`,
    });
    expect(result.failed).toEqual([]);
    expect(result.searchPath).toBeNull();
    expect(result.notes.map((note) => note.line)).toEqual([2, 7, 8, 9, 11, 16]);
    expect(await rows('SELECT * FROM s.t ORDER BY a')).toEqual([
      ['1', "it's"],
      ['2', null],
    ]);
    expect(await rows("SELECT rolname FROM pg_roles WHERE rolname = 'reader'")).toEqual([]);
  });

  it('keeps what an unqualified name meant where a statement is tried again', async () => {
    const result = await load({
      schema: `
        CREATE SCHEMA one; CREATE SCHEMA two;
        SET search_path TO one;
        CREATE VIEW v AS SELECT * FROM late;
        SET search_path = two;
        CREATE TABLE late (b int);
        SET search_path = one, public;
        CREATE TABLE late (a int);`,
    });
    expect(result.failed).toEqual([]);
    expect(result.searchPath).toBe('one, public');
    expect(
      await rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'v'"),
    ).toEqual([['a']]);
  });

  it('makes a schema that no file makes, and says so', async () => {
    const result = await load({
      schema: 'CREATE TABLE dw.t (a int);',
      procedures: `CREATE PROCEDURE etl.p() LANGUAGE sql AS 'INSERT INTO dw.t VALUES (1)';`,
    });
    expect(result.failed).toEqual([]);
    expect(result.routines).toEqual(['etl.p()']);
    expect(result.notes.map((note) => note.message)).toEqual([
      'schema dw was made for it: no file creates it',
      'schema etl was made for it: no file creates it',
    ]);
  });

  it('makes a sequence that only a default names, where its name is looked up', async () => {
    const result = await load({
      schema: `
        CREATE SCHEMA etl;
        SET search_path = etl, public;
        CREATE TABLE t (id integer NOT NULL DEFAULT nextval('t_id_seq'::regclass), a int);
        CREATE TABLE u (id integer DEFAULT nextval('"Mixed".u_seq'::regclass));
        CREATE TABLE v (id integer DEFAULT nextval('t_id_seq'));
        CREATE TABLE w (id integer DEFAULT nextval('not a name'::regclass));`,
      data: 'INSERT INTO etl.t (a) VALUES (7);',
    });
    expect(result.failed).toMatchObject([{ line: 7 }]);
    expect(result.notes.map(({ message }) => message.split(' was')[0])).toEqual([
      'sequence t_id_seq',
      'schema Mixed',
      'sequence "Mixed".u_seq',
    ]);
    expect(await rows('SELECT * FROM etl.t')).toEqual([['1', '7']]);
  });

  it('gives partitioned tables a part where no file makes one', async () => {
    const result = await load({
      schema: `
        CREATE TABLE m (a int, d date) PARTITION BY RANGE (d);
        CREATE TABLE h (a int) PARTITION BY HASH (a);
        CREATE TABLE own (a int) PARTITION BY LIST (a);
        CREATE TABLE own_1 PARTITION OF own FOR VALUES IN (1);`,
      data: "INSERT INTO m VALUES (1, '2024-01-01'); INSERT INTO h VALUES (2); INSERT INTO own VALUES (3);",
    });
    expect(result.failed.map(({ statement }) => statement)).toEqual(['INSERT INTO own VALUES (3)']);
    expect(await rows('SELECT a FROM m UNION SELECT a FROM h ORDER BY a')).toEqual([['1'], ['2']]);
  });

  it('makes a schema whose owner is not here when it is needed', async () => {
    const result = await load({
      schema: 'CREATE SCHEMA dw AUTHORIZATION somebody; CREATE TABLE dw.t (a int);',
    });
    expect(result.failed).toEqual([]);
    expect(result.notes.map(({ message }) => message)).toEqual([
      'owner of a schema left out: role "somebody" does not exist',
      'schema dw was made for it: no file creates it',
    ]);
  });

  it('reports what fails for good, and goes on with the rest', async () => {
    const result = await load({
      schema: 'CREATE TABLE a (x no_such_type);\nCREATE TABLE b (x int);\nCREATE TABL c;',
      procedures: `
        CREATE FUNCTION broken(x int) RETURNS no_such_type LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION s.unreadable(x int LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION atomic() RETURNS int BEGIN ATOMIC SELECT y FROM b; END;
        CREATE FUNCTION good() RETURNS int LANGUAGE sql AS 'SELECT 1';`,
      data: "INSERT INTO b VALUES (1);\nINSERT INTO b VALUES ('x');\nINSERT INTO b VALUES (3);",
    });
    expect(result.routines).toEqual(['public.good()']);
    expect(result.failed).toMatchObject([
      { file: 'schema.sql', line: 1, message: 'type "no_such_type" does not exist' },
      { file: 'schema.sql', line: 3, message: expect.stringContaining('syntax error') },
      { file: 'data.sql', line: 2, statement: "INSERT INTO b VALUES ('x')" },
    ]);
    expect(result.broken).toMatchObject([
      { line: 2, head: { schema: null, name: 'broken', argumentTypes: ['integer'] } },
      { line: 3, head: { schema: 's', name: 'unreadable' } },
      { line: 4, message: 'column "y" does not exist' },
    ]);
    expect(await rows('SELECT x FROM b ORDER BY x')).toEqual([['1'], ['3']]);
  });

  it('takes statements that no semicolon stands between, and says so', async () => {
    const result = await load({
      schema: 'CREATE TABLE a (x int)\n\nCREATE TABLE b (x int);',
      procedures: `CREATE TABLE c (x int)
CREATE PROCEDURE p() LANGUAGE sql AS 'INSERT INTO c SELECT x FROM b'

GRANT EXECUTE ON PROCEDURE p() TO public;
call p()
CREATE PROCEDURE q(x int LANGUAGE sql AS 'SELECT 1'`,
    });
    expect(result.routines).toEqual(['public.p()']);
    expect(result.failed).toEqual([]);
    expect(result.broken).toMatchObject([{ line: 6, head: { name: 'q' } }]);
    expect(result.notes.map(({ file, line }) => `${file} ${line}`)).toEqual([
      'schema.sql 3',
      'procedures.sql 2',
      'procedures.sql 4',
      'procedures.sql 5',
      'procedures.sql 6',
    ]);
  });

  it('never passes over a routine in silence, also where what is wrong stands before it', async () => {
    const result = await load({
      procedures: `CREATE TABLE a (x int,)
CREATE PROCEDURE s.p() LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION "Q"() RETURNS int LANGUAGE sql AS $$ SELECT 'x $ $;`,
    });
    expect(result.broken).toMatchObject([
      { line: 1, head: { schema: 's', name: 'p' }, message: 'syntax error at or near ")"' },
      { line: 3, head: { schema: null, name: 'Q' } },
    ]);
  });

  it('does not run the calls that a file of procedures ends with, and keeps their text', async () => {
    const result = await load({
      schema: 'CREATE TABLE t (a int);',
      procedures: `
        CREATE PROCEDURE p(x int) LANGUAGE sql AS 'INSERT INTO t VALUES (x)';
        CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (x) RETURNING a';
        CALL p(7);
        SELECT * FROM f(8);
        INSERT INTO t VALUES (1);`,
    });
    expect(result.calls).toEqual(['CALL p(7)', 'SELECT * FROM f(8)']);
    expect(await rows('SELECT a FROM t')).toEqual([['1']]);
  });

  it('never touches the server beyond its database', async () => {
    const result = await load({
      schema:
        'CREATE DATABASE other; ALTER SYSTEM SET work_mem = 1; DROP ROLE postgres; BEGIN; COMMIT;',
    });
    expect(result.failed).toEqual([]);
    expect(result.notes).toHaveLength(5);
    expect(await rows("SELECT datname FROM pg_database WHERE datname = 'other'")).toEqual([]);
  });
});
