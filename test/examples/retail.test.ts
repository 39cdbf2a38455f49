import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSandbox } from '../../src/adapters/sandbox/open.ts';
import type { Sandbox, SqlSession } from '../../src/ports/sandbox.ts';
import { reverseTables } from '../fixtures/reverse-tables.ts';
import { digests, exampleFile, runFiles } from './warehouse.ts';

/** Written by hand or not at all, or from nothing but its parameters. */
const unreached = ['dw.dim_date', 'mart.order_audit', 'mart.supplier_scorecard'];
const changes = ['changes/01-next-day.sql', 'changes/02-day-after.sql'] as const;

let sandbox: Sandbox;

async function use<T>(database: string, work: (session: SqlSession) => Promise<T>): Promise<T> {
  const session = await sandbox.connect(database);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

async function count(session: SqlSession, sql: string): Promise<number> {
  const { rows } = await session.query(`SELECT count(*) FROM ${sql}`);
  return Number(rows[0]?.[0]);
}

/** The calls of etl.run_nightly, in its order, each in a transaction of its own. */
async function nightlyCalls(session: SqlSession): Promise<string[]> {
  const { rows } = await session.query(
    `SELECT m[1] FROM pg_proc, regexp_matches(prosrc, 'CALL [^;]+', 'g') AS m
      WHERE oid = 'etl.run_nightly()'::regprocedure`,
  );
  return rows.flatMap(([call]) => call ?? []);
}

async function runNight(session: SqlSession): Promise<void> {
  for (const call of await nightlyCalls(session)) await session.query(call);
}

beforeAll(async () => {
  sandbox = await openSandbox(null);
  await sandbox.create('retail');
  await use('retail', (s) => runFiles(s, 'schema.sql', 'data.sql', 'procedures.sql'));
});
afterAll(() => sandbox.close());

describe('sample warehouse', () => {
  it('holds as many routines, views and rows as its README says', async () => {
    await use('retail', async (session) => {
      const { rows } = await session.query(
        `SELECT kind, count(*) FROM (
           SELECT relkind AS kind, relnamespace AS schema FROM pg_class WHERE relkind IN ('r', 'v')
           UNION ALL SELECT prokind, pronamespace FROM pg_proc) o
         WHERE schema::regnamespace::text IN ('shop', 'crm', 'billing', 'stg', 'dw', 'mart', 'etl')
         GROUP BY kind ORDER BY kind`,
      );
      const [functions, procedures, tables, views] = rows.map((row) => row[1]);
      const readme = await exampleFile('README.md');
      expect(readme).toContain(`${procedures} procedures and ${functions} functions`);
      expect(readme).toContain(`${tables} tables, ${views} views`);
      for (const table of ['shop.order_item', 'shop.orders', 'billing.payment']) {
        const shown = (await count(session, table)).toLocaleString('en-US');
        expect(readme, table).toContain(`${shown} `);
      }
    });
  });

  it('holds rows of the awkward kinds', async () => {
    await use('retail', async (session) => {
      const kinds = {
        'four-byte characters': `shop.customer WHERE last_name ~ '[\\U00010000-\\U0010FFFF]'`,
        NULLs: 'shop.orders WHERE customer_id IS NULL',
        'rows that came late': `billing.payment WHERE received_at > paid_at + interval '10 days'`,
        'the same payment twice':
          '(SELECT FROM billing.payment GROUP BY provider_ref HAVING count(provider_ref) > 1) d',
        'one person with several logins':
          '(SELECT FROM shop.customer GROUP BY lower(trim(email)) HAVING count(email) > 1) d',
      };
      for (const [kind, rows] of Object.entries(kinds)) {
        expect(await count(session, rows), kind).toBeGreaterThan(0);
      }
    });
  });

  it('has one procedure that fails on its data', async () => {
    await sandbox.clone('retail', 'broken');
    await use('broken', (session) =>
      expect(session.query('CALL mart.build_supplier_scorecard()')).rejects.toMatchObject({
        code: '22P02',
        message: expect.stringContaining('"n/a"'),
      }),
    );
  });

  it('runs night after night, with the same rows whatever their order on disk', async () => {
    await sandbox.clone('retail', 'forward');
    await sandbox.clone('retail', 'backward');
    let before: Record<string, string> = {};
    for (const change of [null, ...changes]) {
      const [forward, backward] = await Promise.all([
        use('forward', async (session) => {
          if (change !== null) await runFiles(session, change);
          await session.query('CALL etl.run_nightly()');
          expect(await count(session, 'etl.error_log')).toBe(0);
          return digests(session);
        }),
        use('backward', async (session) => {
          if (change !== null) await runFiles(session, change);
          await reverseTables(session);
          await runNight(session);
          return digests(session);
        }),
      ]);
      expect(backward).toEqual(forward);
      const same = Object.keys(forward).filter((table) => forward[table] === before[table]);
      expect(same).toEqual(change === null ? [] : unreached);
      before = forward;
    }
  }, 600_000);

  it('has reports and a sample that run by hand', async () => {
    await sandbox.clone('forward', 'hand');
    await use('hand', async (session) => {
      await session.query('CALL etl.sample_orders_for_audit(7)');
      expect(await count(session, 'mart.order_audit')).toBe(7);
      expect(await count(session, 'mart.top_products()')).toBe(20);
      expect(await count(session, 'mart.active_subscribers()')).toBeGreaterThan(0);
      await session.query(`CALL mart.score_customers('revenue')`);
      expect(await count(session, `mart.customer_score WHERE model = 'revenue'`)).toBeGreaterThan(
        0,
      );
      await session.query('CALL dw.load_fact_sales(30)');
      await session.query('CALL stg.load_orders(true)');
    });
  });
});
