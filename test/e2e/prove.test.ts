/** `sprocket prove` from the command line: real files, a real sandbox, real dbt. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const SCHEMA = `
\\connect warehouse
CREATE TABLE dw.fact (order_id bigint, customer_sk int, amount numeric(12, 2), loaded_at timestamptz DEFAULT now());
CREATE TABLE dw.dim (customer_sk serial PRIMARY KEY, customer_id int UNIQUE, name text);
CREATE TABLE dw.latest (status text, order_id bigint);
CREATE TABLE dw.nothing (a int);
CREATE TABLE dw.sample (a double precision);
CREATE TABLE dw.log (job text, rows_done bigint, at timestamptz);
CREATE TABLE dw.failing (a int);
CREATE TABLE src.orders (id bigint PRIMARY KEY, customer_id int REFERENCES src.customers (id), status text, amount numeric(10, 2), day date);
CREATE TABLE src.customers (id int PRIMARY KEY, name varchar(30) NOT NULL);
CREATE SCHEMA src; CREATE SCHEMA dw;
ALTER TABLE dw.dim OWNER TO somebody;`;

const DATA = `
COPY src.customers (id, name) FROM stdin;
1\tAda
2\tZoë O'Brien
3\tBob
\\.
INSERT INTO src.orders VALUES (10, 1, 'paid', 5.00, '2024-05-01'), (11, 2, 'paid', 7.50, '2024-05-01'),
  (12, 2, 'open', 1.25, '2024-04-30'), (13, NULL, 'paid', 9.99, '2024-04-01'), (14, 3, NULL, NULL, '2024-05-02');`;

const PROCEDURES = `
CREATE PROCEDURE dw.load_dim() LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO dw.dim (customer_id, name) SELECT c.id, upper(c.name) FROM src.customers c
  ON CONFLICT (customer_id) DO UPDATE SET name = excluded.name;
END $$;
CREATE PROCEDURE dw.load_fact() LANGUAGE plpgsql AS $$
DECLARE v_rows bigint;
BEGIN
  TRUNCATE dw.fact;
  INSERT INTO dw.fact (order_id, customer_sk, amount)
  SELECT o.id, coalesce(d.customer_sk, -1), o.amount
    FROM src.orders o LEFT JOIN dw.dim d ON d.customer_id = o.customer_id
   WHERE o.status = 'paid' AND o.day >= CURRENT_DATE - 30;
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  INSERT INTO dw.log VALUES ('load_fact', v_rows, now());
END $$;
CREATE PROCEDURE dw.pick() LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM dw.latest;
  INSERT INTO dw.latest SELECT DISTINCT ON (status) status, id FROM src.orders ORDER BY status, day DESC;
END $$;
CREATE PROCEDURE dw.broken() LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM dw.latest WHERE no_such_column = 1;
END $$;
CREATE PROCEDURE dw.swallows() LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO dw.failing SELECT 1 / (id - id)::int FROM src.orders;
EXCEPTION WHEN OTHERS THEN
  INSERT INTO dw.log VALUES (SQLERRM, 0, now());
END $$;
CREATE PROCEDURE dw.vacuous() LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO dw.nothing SELECT 1 FROM src.orders WHERE status = 'never' AND amount IS NULL AND false;
END $$;
CREATE PROCEDURE dw.draws() LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO dw.sample SELECT random() FROM src.orders;
END $$;
CREATE PROCEDURE dw.checks() LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM src.orders) THEN RAISE EXCEPTION 'no orders'; END IF;
END $$;
CREATE PROCEDURE dw.nightly() LANGUAGE plpgsql AS $$
BEGIN
  CALL dw.load_dim();
  CALL dw.load_fact();
END $$;
CREATE FUNCTION dw.unreadable( LANGUAGE sql AS 'SELECT 1';
CALL dw.nightly();`;

const CHANGE = `INSERT INTO src.customers VALUES (4, 'New');
UPDATE src.orders SET status = 'paid' WHERE id = 12;
DELETE FROM src.orders WHERE id = 10;`;

const outputSchema = z.object({
  sprocket: z.literal(1),
  seconds: z.number(),
  procedures: z.array(
    z.looseObject({
      name: z.string(),
      outcome: z.enum(['proven', 'refused', 'nondeterministic', 'mismatch', 'broken', 'error']),
      models: z.array(z.string()),
      rounds: z.number(),
      rows: z.number(),
      reasons: z.array(
        z.object({
          line: z.number(),
          construct: z.string(),
          message: z.string(),
          advice: z.string(),
        }),
      ),
    }),
  ),
});

interface Proof {
  readonly folder: string;
  readonly status: number;
  readonly table: string;
  readonly output: z.infer<typeof outputSchema>;
}

interface Files {
  readonly schema: string;
  readonly procedures: string;
  readonly data: string;
  readonly change?: string;
}

async function prove(files: Files): Promise<Proof> {
  const folder = await mkdtemp(path.join(tmpdir(), 'prove-test-'));
  const at = (name: string) => path.join(folder, name);
  const args: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    await writeFile(at(`${name}.sql`), text);
    args.push(`--${name}`, at(`${name}.sql`));
  }
  args.push('--out', at('out'), '--json', at('proof.json'));
  const environment = {
    ...process.env,
    SANDBOX_DATABASE_URL: undefined,
    DATABASE_URL: undefined,
  };
  const [status, table] = await new Promise<[number, string]>((resolve) => {
    execFile(
      process.execPath,
      ['src/cli/main.ts', 'prove', ...args],
      { env: environment },
      (error, stdout) => resolve([Number(error?.code ?? 0), stdout]),
    );
  });
  const output = outputSchema.parse(JSON.parse(await readFile(at('proof.json'), 'utf8')));
  return { folder, status, table, output };
}

describe('sprocket prove', () => {
  let folder: string;
  let status: number;
  let output: z.infer<typeof outputSchema>;
  let table: string;

  beforeAll(async () => {
    ({ folder, status, output, table } = await prove({
      schema: SCHEMA,
      data: DATA,
      procedures: PROCEDURES,
      change: CHANGE,
    }));
  }, 600_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const verdict = (name: string) =>
    output.procedures.find((item) => item.name.startsWith(`dw.${name}(`));

  it('proves models, checks and callers, on rows that changed, in three rounds and more', () => {
    expect(verdict('load_dim')).toMatchObject({ outcome: 'proven', models: ['dim'], reasons: [] });
    expect(verdict('load_fact')).toMatchObject({ outcome: 'proven', models: ['fact'] });
    expect(verdict('checks')).toMatchObject({ outcome: 'proven', models: [] });
    expect(verdict('nightly')).toMatchObject({ outcome: 'proven', models: [] });
    for (const name of ['load_dim', 'load_fact', 'checks', 'nightly']) {
      expect(verdict(name)?.rounds).toBeGreaterThanOrEqual(3);
    }
    expect(verdict('load_fact')?.rows).toBeGreaterThan(5);
    expect(verdict('load_fact')).toMatchObject({ leftOut: [{ column: 'dw.log.*' }] });
  });

  it('says which procedures are broken, with the error and the line; a swallowed error is one', () => {
    expect(verdict('broken')).toMatchObject({
      outcome: 'broken',
      reasons: expect.arrayContaining([expect.objectContaining({ line: 3 })]),
    });
    expect(verdict('swallows')).toMatchObject({
      outcome: 'broken',
      reasons: [{ line: 3, message: expect.stringContaining('division by zero') }],
    });
    expect(verdict('unreadable')).toMatchObject({
      outcome: 'broken',
      reasons: [{ message: expect.stringContaining('syntax error') }],
    });
  });

  it('never calls proven what changes no row, or what can’t be compared', () => {
    expect(verdict('vacuous')).toMatchObject({
      outcome: 'refused',
      reasons: [{ message: expect.stringContaining('nothing is proven') }],
    });
    expect(verdict('draws')?.outcome).toBe('refused');
  });

  it('names the tie of a procedure that depends on the order of its input', () => {
    expect(verdict('pick')).toMatchObject({
      outcome: 'nondeterministic',
      reasons: [{ message: expect.stringContaining('dw.latest') }],
    });
  });

  it('leaves the project of what was proven, the summary, and nothing else', async () => {
    expect(status).toBe(0);
    expect(table).toMatch(/proven\s+dw\.load_dim\(\)/u);
    expect(table).toMatch(/^note: .*schema\.sql:\d+: left out: it is a command of psql$/mu);
    expect(table).toMatch(/^note: .*procedures\.sql:\d+: not run: the proof itself calls/mu);
    const files = ['dbt_project.yml', 'models/dw/dim.sql', 'models/dw/fact.sql', 'MIGRATION.md'];
    for (const file of files) expect(existsSync(path.join(folder, 'out', file))).toBe(true);
    expect(existsSync(path.join(folder, 'out', 'models/dw/latest.sql'))).toBe(false);
    expect(await readFile(path.join(folder, 'out', 'models/dw/fact.sql'), 'utf8')).toMatch(
      /current_date/iu,
    );
  });
});

it('does not hold a step against others whose procedure fails in a later round', async () => {
  const { folder, output } = await prove({
    schema: 'CREATE TABLE days (id int PRIMARY KEY, v text);',
    data: "INSERT INTO days VALUES (7, 'z');",
    procedures: `
      CREATE PROCEDURE once() LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO days VALUES (1, 'a');
      END $$;
      CREATE PROCEDURE then_always() LANGUAGE plpgsql AS $$
      BEGIN
        UPDATE days SET v = v || 'b';
      END $$;
      CREATE PROCEDURE daily() LANGUAGE plpgsql AS $$
      BEGIN
        CALL once();
        CALL then_always();
      END $$;`,
  });
  await rm(folder, { recursive: true, force: true });
  expect(output.procedures).toMatchObject([
    { name: 'public.once()', outcome: 'proven' },
    { name: 'public.then_always()', outcome: 'proven' },
    { name: 'public.daily()', outcome: 'proven' },
  ]);
});

it('blames no other for the keys of one whose procedure fails in a later round', async () => {
  const { folder, output } = await prove({
    schema: `CREATE TABLE calm (id int PRIMARY KEY, v text);
      CREATE TABLE keyed (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v text);`,
    data: "INSERT INTO calm VALUES (7, 'z');",
    procedures: `
      CREATE PROCEDURE calm_down() LANGUAGE plpgsql AS $$
      BEGIN
        UPDATE calm SET v = v || 'b';
      END $$;
      CREATE PROCEDURE jump() LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM setval('keyed_id_seq', 100);
        INSERT INTO keyed (v) VALUES ('a');
      END $$;`,
  });
  await rm(folder, { recursive: true, force: true });
  expect(output.procedures).toMatchObject([
    { name: 'public.calm_down()', outcome: 'proven' },
    { name: 'public.jump()', outcome: 'mismatch' },
  ]);
});

it('holds what a refused one leaves to chance against no other', async () => {
  const { folder, output } = await prove({
    schema: `CREATE TABLE orders (id int PRIMARY KEY, amount numeric);
      CREATE TABLE big (id int, amount numeric);
      CREATE TABLE lucky (id int);`,
    data: 'INSERT INTO orders SELECT n, n * 2 FROM generate_series(1, 20) n;',
    procedures: `
      CREATE PROCEDURE load_big() LANGUAGE plpgsql AS $$
      BEGIN
        TRUNCATE big;
        INSERT INTO big SELECT id, amount FROM orders WHERE amount > 10;
      END $$;
      CREATE PROCEDURE load_lucky() LANGUAGE plpgsql AS $$
      BEGIN
        TRUNCATE lucky;
        INSERT INTO lucky SELECT id FROM orders WHERE random() < 0.5;
      END $$;`,
  });
  await rm(folder, { recursive: true, force: true });
  expect(output.procedures).toMatchObject([
    { name: 'public.load_big()', outcome: 'proven' },
    { name: 'public.load_lucky()', outcome: 'refused' },
  ]);
});
