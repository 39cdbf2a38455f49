import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../../src/adapters/postgres/metadata-schema.ts';
import type { SqlSession } from '../../../src/ports/sandbox.ts';
import { connectTo, openScratchServer } from './scratch-database.ts';
import type { ScratchServer } from './scratch-database.ts';

const NOW = '2026-07-01T12:00:00.000Z';
let server: ScratchServer;
let url: string;
let sql: SqlSession;

beforeAll(async () => {
  server = await openScratchServer();
});
afterAll(() => server.close());
beforeEach(async () => {
  url = await server.create('schema');
  sql = await connectTo(url);
  return () => sql.close();
});

/** Everything in the schema that a program could notice, as lines. */
async function dump(): Promise<string> {
  const { rows } = await sql.query(`
    SELECT format('%s.%s %s%s%s', c.table_name, c.column_name, c.udt_name,
        coalesce('(' || c.character_maximum_length || ')', ''),
        CASE c.is_nullable WHEN 'NO' THEN ' not null' ELSE '' END
        || coalesce(' default ' || c.column_default, '')
        || CASE c.is_identity WHEN 'YES' THEN ' identity' ELSE '' END)
      FROM information_schema.columns c WHERE c.table_schema = 'wirekite'
    UNION ALL
    SELECT format('%s: %s', conrelid::regclass, pg_get_constraintdef(oid))
      FROM pg_constraint WHERE connamespace = 'wirekite'::regnamespace AND contype <> 'n'
    UNION ALL
    SELECT indexdef FROM pg_indexes WHERE schemaname = 'wirekite'
    UNION ALL
    SELECT format('version %s at %s', version, applied_at) FROM wirekite.sprocket_schema
    `);
  return `${rows
    .map(([line]) => line)
    .toSorted()
    .join('\n')}\n`;
}

describe('the metadata schema', () => {
  it('is the one that is written down', async () => {
    await migrate(sql, 'wirekite', NOW);
    await expect(await dump()).toMatchFileSnapshot('metadata-schema.snapshot.txt');
  });

  it('is the same however often and by how many it is made', async () => {
    const sessions = await Promise.all(Array.from({ length: 6 }, () => connectTo(url)));
    await Promise.all(sessions.map((session) => migrate(session, 'wirekite', NOW)));
    await Promise.all(sessions.map((session) => session.close()));
    const once = await dump();
    await migrate(sql, 'wirekite', '2027-01-01T00:00:00.000Z');
    expect(await dump()).toBe(once);
  });

  it('starts with RUN, and leaves a word that is there', async () => {
    await migrate(sql, 'wirekite', NOW);
    expect((await sql.query('SELECT action FROM wirekite.wirekite_action')).rows).toEqual([
      ['RUN'],
    ]);
    await sql.query(`UPDATE wirekite.wirekite_action SET action = 'STOP'`);
    await migrate(sql, 'wirekite', NOW);
    expect((await sql.query('SELECT action FROM wirekite.wirekite_action')).rows).toEqual([
      ['STOP'],
    ]);
  });

  it('takes the contract’s tables where somebody made them before', async () => {
    await sql.query(`CREATE SCHEMA wirekite;
      CREATE TABLE wirekite.wirekite_progress (
        source VARCHAR(256), target VARCHAR(256), operation TEXT NOT NULL, transmission TEXT NOT NULL DEFAULT 'F',
        mark VARCHAR(64) NULL, table_name VARCHAR(256) NULL, start_time TIMESTAMP NOT NULL, finish_time TIMESTAMP NULL,
        restarts INT DEFAULT 0 NOT NULL, PRIMARY KEY (source, target));
      CREATE TABLE wirekite.wirekite_action (action VARCHAR(5), PRIMARY KEY (action));
      INSERT INTO wirekite.wirekite_action VALUES ('PAUSE')`);
    await migrate(sql, 'wirekite', NOW);
    await expect(await dump()).toMatchFileSnapshot('metadata-schema.snapshot.txt');
    expect((await sql.query('SELECT action FROM wirekite.wirekite_action')).rows).toEqual([
      ['PAUSE'],
    ]);
  });

  it('leaves a foreign table of the same name alone', async () => {
    await sql.query(
      'CREATE SCHEMA wirekite; CREATE TABLE wirekite.wirekite_progress (id int, note text)',
    );
    await expect(migrate(sql, 'wirekite', NOW)).rejects.toMatchObject({
      code: 'foreign-table',
      message: expect.stringContaining('id,note') as string,
      advice: expect.stringContaining('metadata_schema') as string,
    });
    const { rows } = await sql.query(
      `SELECT tablename FROM pg_tables WHERE schemaname = 'wirekite'`,
    );
    expect(rows).toEqual([['wirekite_progress']]);
  });

  it('refuses tables of a newer version', async () => {
    await migrate(sql, 'wirekite', NOW);
    await sql.query(`INSERT INTO wirekite.sprocket_schema VALUES (999, now())`);
    await expect(migrate(sql, 'wirekite', NOW)).rejects.toMatchObject({ code: 'newer-schema' });
  });

  it('says which right is missing', async () => {
    const role = `sprocket_test_${process.pid}`;
    await sql.query(`CREATE ROLE ${role}`);
    try {
      const other = await connectTo(url);
      await other.query(`SET ROLE ${role}`);
      await expect(migrate(other, 'wirekite', NOW)).rejects.toMatchObject({
        code: 'no-right',
        advice: expect.stringContaining('GRANT CREATE ON DATABASE') as string,
      });
      await sql.query(`CREATE SCHEMA wirekite AUTHORIZATION ${role}`);
      await migrate(other, 'wirekite', NOW);
      await other.close();
    } finally {
      await sql.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
    }
  });
});
