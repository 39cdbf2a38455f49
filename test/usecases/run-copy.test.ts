import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readCatalog } from '../../src/adapters/postgres/catalog.ts';
import { connect } from '../../src/adapters/postgres/connection.ts';
import { readSchemaScript } from '../../src/adapters/postgres/schema-script.ts';
import type { Catalog } from '../../src/core/catalog/types.ts';
import { qualified } from '../../src/core/catalog/names.ts';
import type { SqlSession } from '../../src/ports/sandbox.ts';
import { copySource } from '../../src/usecases/run-copy.ts';
import type { CopyResult, LoadedTables } from '../../src/usecases/run-copy.ts';
import { connectTo, openScratchServer } from '../adapters/postgres/scratch-database.ts';
import type { ScratchServer } from '../adapters/postgres/scratch-database.ts';

let server: ScratchServer;
let writer: SqlSession;
let source: SqlSession;
let target: SqlSession;

beforeAll(async () => {
  server = await openScratchServer();
});
afterAll(() => server.close());
beforeEach(async () => {
  const url = await server.create('source');
  writer = await connectTo(url);
  source = await connect({ setting: 'SOURCE', url }, { readOnly: true });
  target = await connectTo(await server.create('copy'));
  return async () => {
    await Promise.all([writer.close(), source.close(), target.close()]);
  };
});

async function copy(
  maxRows = 1_000,
  only?: readonly string[],
  loaded: LoadedTables | null = null,
): Promise<CopyResult> {
  const catalog = await readCatalog(source);
  const tables = new Set(only ?? catalog.tables.map(({ name }) => qualified(name)));
  const readSchema = readSchemaScript;
  const request = { source, loaded, target, readSchema, catalog, tables, maxRows };
  return copySource({ ...request, without: 'wirekite' });
}

/** What a catalog says, but for what a copy leaves out on purpose. */
function comparable(catalog: Catalog): unknown {
  return JSON.parse(
    JSON.stringify({ ...catalog, database: '', schemaComments: {} }, (key, value: unknown) =>
      key === 'comment' || key === 'estimatedRows' ? null : value,
    ),
  );
}

async function rows(session: SqlSession, query: string): Promise<unknown> {
  return (await session.query(query)).rows;
}

/** Whatever a warehouse may hold that a copy must hold too, in an order that does not help. */
const AWKWARD = `
CREATE SCHEMA "Odd ""Schema"; CREATE SCHEMA a; CREATE SCHEMA z;
CREATE FUNCTION a.twice(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT n * 2';
CREATE TYPE a.mood AS ENUM ('sad', 'it''s ok', 'glad');
CREATE DOMAIN a.percent AS numeric(5,2) DEFAULT 1.5 NOT NULL CHECK (VALUE BETWEEN 0 AND 100);
CREATE TYPE a.point3 AS (x int, "y y" text);
CREATE TYPE a.span AS RANGE (subtype = numeric);
CREATE SEQUENCE z.numbers AS smallint INCREMENT 3 START 7 CYCLE;
CREATE TABLE a.people (
  id int GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 10) PRIMARY KEY,
  serial_no serial, boss int REFERENCES a.people,
  name varchar(20) COLLATE "C" NOT NULL DEFAULT 'x''y', mood a.mood DEFAULT 'glad',
  share a.percent, at a.point3, years a.span, tags text[] DEFAULT '{}',
  doubled int GENERATED ALWAYS AS (a.twice(3)) STORED,
  number smallint DEFAULT nextval('z.numbers'), "Odd col" timestamptz DEFAULT now(),
  CONSTRAINT named CHECK (name <> ''), UNIQUE (name, mood));
CREATE TABLE "Odd ""Schema"."T T" (k text PRIMARY KEY, person int REFERENCES a.people);
CREATE TABLE z.parts (day date NOT NULL, n int, PRIMARY KEY (day, n)) PARTITION BY RANGE (day);
CREATE TABLE z.parts_old PARTITION OF z.parts FOR VALUES FROM (MINVALUE) TO ('2026-01-01')
  PARTITION BY LIST (n);
CREATE TABLE z.parts_old_1 PARTITION OF z.parts_old FOR VALUES IN (1, 2);
CREATE TABLE z.parts_rest PARTITION OF z.parts DEFAULT;
CREATE INDEX parts_n ON z.parts (n) WHERE n > 1;
CREATE UNIQUE INDEX lower_name ON a.people (lower(name)) WHERE boss IS NULL;
CREATE VIEW a.bosses AS SELECT boss, count(*) AS n FROM a.people GROUP BY boss;
CREATE VIEW z.busy AS SELECT * FROM a.bosses WHERE n > 1;
CREATE FUNCTION a.busiest() RETURNS SETOF z.busy LANGUAGE sql AS 'SELECT * FROM z.busy';
CREATE MATERIALIZED VIEW a.kept AS SELECT name FROM a.people;
CREATE UNIQUE INDEX kept_name ON a.kept (name);
CREATE TABLE a.audit (what text);
CREATE FUNCTION a.note() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO a.audit VALUES (NEW.name); RETURN NEW; END $$;
CREATE TRIGGER noting AFTER INSERT ON a.people FOR EACH ROW EXECUTE FUNCTION a.note();
CREATE AGGREGATE a.product (int) (SFUNC = int4mul, STYPE = int, INITCOND = '1');
CREATE PROCEDURE a.load(p_from date, INOUT p_n int DEFAULT 3) LANGUAGE plpgsql
  SET search_path TO a, pg_temp AS $$ BEGIN p_n := a.product(p_n); END $$;
CREATE SCHEMA wirekite; CREATE TABLE wirekite.wirekite_progress (x int);
INSERT INTO a.people (boss, name, mood, years, at)
  SELECT CASE WHEN n > 1 THEN 100 END, 'n' || n, 'sad', '[1,2)', ROW(n, E'a\\tb\\n\\\\'::text)::a.point3
  FROM generate_series(1, 5) n;
INSERT INTO "Odd ""Schema"."T T" VALUES ('\u{1F600} \\ "', 110), (E'a\\nb', NULL);
INSERT INTO z.parts VALUES ('2025-05-05', 1), ('2026-05-05', 9);
REFRESH MATERIALIZED VIEW a.kept;
`;

describe('a copy of a source', () => {
  it('has the same catalog and the same rows', async () => {
    await writer.query(AWKWARD);
    const { problems, sampled } = await copy();
    expect({ problems, sampled }).toEqual({ problems: [], sampled: [] });
    const scope = { schemas: ['a', 'z', 'Odd "Schema'] };
    expect(comparable(await readCatalog(target))).toEqual(
      comparable(await readCatalog(source, scope)),
    );
    for (const table of ['a.people', 'a.kept', 'a.audit', 'z.parts', '"Odd ""Schema"."T T"']) {
      const query = `SELECT t::text FROM ${table} t ORDER BY 1`;
      expect(await rows(target, query), table).toEqual(await rows(source, query));
    }
    // Triggers did not fire on the way, and sequences go on where they were.
    const next = `INSERT INTO a.people (name) VALUES ('new') RETURNING id, serial_no, number`;
    expect(await rows(target, next)).toEqual(await rows(writer, next));
    expect(await rows(target, 'SELECT count(*) FROM a.audit')).toEqual([['6']]);
  });

  it('never writes to the source', async () => {
    await writer.query('CREATE TABLE public.t (a int); INSERT INTO public.t VALUES (1)');
    await copy();
    await expect(source.query('INSERT INTO public.t VALUES (2)')).rejects.toThrow('read-only');
  });

  it('takes rows of the tables that matter, and of those that they refer to', async () => {
    await writer.query(`CREATE TABLE public.a (id int PRIMARY KEY);
      CREATE TABLE public.b (id int PRIMARY KEY, a int REFERENCES public.a);
      CREATE TABLE public.c (id int);
      INSERT INTO public.a VALUES (1); INSERT INTO public.b VALUES (1, 1);
      INSERT INTO public.c VALUES (1)`);
    expect(await copy(10, ['public.b'])).toMatchObject({ rows: 2 });
    expect(await rows(target, 'SELECT * FROM public.c')).toEqual([]);
  });

  it('says what the sandbox refuses, and goes on', async () => {
    await writer.query(
      'CREATE TABLE public.a (id int); CREATE TABLE public.lost (id int); INSERT INTO a VALUES (1)',
    );
    // As where an extension is not installed in the sandbox.
    const readSchema: typeof readSchemaScript = async (session, without) => {
      const script = await readSchemaScript(session, without);
      return { ...script, objects: ['CREATE EXTENSION nowhere', ...script.objects] };
    };
    const catalog = await readCatalog(source);
    const request = {
      source,
      loaded: null,
      target,
      readSchema,
      catalog,
      without: '',
      tables: new Set(['public.a']),
    };
    const { problems } = await copySource({ ...request, maxRows: 10 });
    expect(problems).toEqual([expect.stringContaining('CREATE EXTENSION nowhere')]);
    expect(await rows(target, 'SELECT count(*) FROM public.a')).toEqual([['1']]);
  });
});

describe('a sample of a large source', () => {
  it('is about as large as it may be, the same each time, and closed by foreign keys', async () => {
    await writer.query(`
      CREATE TABLE public.region (id int PRIMARY KEY);
      CREATE TABLE public.customer (id int PRIMARY KEY, region int NOT NULL REFERENCES public.region,
        referred_by int REFERENCES public.customer);
      CREATE TABLE public.item (a int, b text, PRIMARY KEY (a, b));
      CREATE TABLE public.line (id int PRIMARY KEY, customer int REFERENCES public.customer,
        item_a int, item_b text, FOREIGN KEY (item_a, item_b) REFERENCES public.item);
      INSERT INTO public.region SELECT n FROM generate_series(0, 9) n;
      INSERT INTO public.customer SELECT n, n % 10, CASE WHEN n > 0 THEN n - 1 END
        FROM generate_series(0, 2999) n;
      INSERT INTO public.item SELECT n, 'it''s ' || n FROM generate_series(1, 3000) n;
      INSERT INTO public.line SELECT n, CASE WHEN n % 3 > 0 THEN n % 3000 END, n % 3000 + 1,
        'it''s ' || (n % 3000 + 1) FROM generate_series(1, 6000) n`);
    const first = await copy(300);
    expect(first.problems).toEqual([]);
    expect(first.sampled.map(({ name }) => name)).toEqual(['customer', 'item', 'line']);
    const lines = await rows(target, 'SELECT id FROM public.line ORDER BY id');
    expect((lines as unknown[]).length).toBeGreaterThan(200);
    expect((lines as unknown[]).length).toBeLessThan(420);
    // The foreign keys are there and hold, the one of a table on itself too.
    expect(
      await rows(
        target,
        `SELECT count(*), bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'`,
      ),
    ).toEqual([['4', 't']]);
    await target.close();
    target = await connectTo(await server.create('copy'));
    await copy(300);
    expect(await rows(target, 'SELECT id FROM public.line ORDER BY id')).toEqual(lines);
  });
});

it('takes rows of loaded tables from where they were loaded to', async () => {
  await writer.query(`
    CREATE TABLE public.customer (id int PRIMARY KEY, name text);
    CREATE TABLE public.line (id int PRIMARY KEY, customer int REFERENCES public.customer);
    INSERT INTO public.customer SELECT n, 'in the source' FROM generate_series(1, 50) n;
    INSERT INTO public.line SELECT n, n FROM generate_series(1, 50) n`);
  const url = await server.create('loaded');
  const filler = await connectTo(url);
  await filler.query(`
    CREATE SCHEMA raw; CREATE TABLE raw."Customer" (name text, id int);
    INSERT INTO raw."Customer" SELECT 'as loaded', n FROM generate_series(1, 50) n`);
  await filler.close();
  const session = await connect({ setting: 'TARGET', url }, { readOnly: true });
  const places = new Map([['public.customer', { schema: 'raw', name: 'Customer' }]]);
  // A sample, so that counts and rows that are referred to come from there too.
  const { problems } = await copy(10, undefined, { session, places });
  await session.close();
  expect(problems).toEqual([]);
  expect(await rows(target, 'SELECT DISTINCT name FROM public.customer')).toEqual([['as loaded']]);
  expect(
    await rows(
      target,
      'SELECT count(*) FROM public.line l JOIN public.customer c ON c.id = l.customer',
    ),
  ).toEqual(await rows(target, 'SELECT count(*) FROM public.line'));
});
