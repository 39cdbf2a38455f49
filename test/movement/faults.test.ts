/** Servers that die, logs that are gone, disks that are full. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seeded } from '../../scripts/mover.ts';
import { runMove } from '../../src/usecases/move.ts';
import { moveStatus } from '../../src/usecases/move_status.ts';
import { filled, setAction, until } from './arena-tools.ts';
import { inArena, moveTo, openArena, PAIRS, startServers, stopServers } from './support.ts';
import type { Servers } from './support.ts';

let servers: Servers;
let started: Servers | undefined;
beforeAll(async () => {
  servers = await startServers();
  started = servers;
});
afterAll(() => stopServers(started));

test('a slot whose log is gone is said so, with what to do', async () => {
  const arena = await openArena(servers, ['postgres', 'postgres'], { tables: ['t'] });
  await arena.onSource(`CREATE TABLE ${arena.src}.t (id int PRIMARY KEY)`);
  await moveTo(arena, 'drained');
  await arena.onSource(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()`,
  );
  // The slot is made anew where it is missing, which would lose what lay between: that must not pass.
  await expect(moveTo(arena, 'drained')).rejects.toMatchObject({ code: 'position-lost' });
  await arena.close();
});

test('files that an earlier run left, whole or cut off, are never applied: what they held is read again', async () => {
  const arena = await openArena(servers, ['mysql', 'postgres'], { tables: ['t'] });
  await arena.onSource(
    `CREATE TABLE ${arena.src}.t (id int PRIMARY KEY, v varchar(20))`,
    `INSERT INTO ${arena.src}.t VALUES (1, 'a')`,
  );
  await moveTo(arena, 'drained');
  await arena.onSource(`INSERT INTO ${arena.src}.t VALUES (2, 'b')`);
  const folder = path.join(arena.settings.folder, arena.settings.plan.name);
  await mkdir(folder, { recursive: true });
  for (const file of [1, 2, 3]) {
    await writeFile(
      path.join(folder, `${file}.ckt`),
      'B\tbinlog.000001:4\t0\nI\t0\t77\tforged\nC\tbinlog.000001:5\nB\t',
    );
  }
  const result = await moveTo(arena, 'cutover');
  expect(result.verdicts).toMatchObject([{ equal: true, targetRows: 2 }]);
  await arena.close();
});

test('a full disk is named, and nothing is lost, neither of a load nor of changes', async () => {
  const arena = await openArena(servers, ['postgres', 'postgres'], { tables: ['t'] });
  await filled(arena, 100);
  const folder = path.join(arena.settings.folder, arena.settings.plan.name);
  const withFull = (...files: readonly string[]) =>
    inArena(arena, async (context) => {
      const clear = async () => {
        await context.folder.clear();
        for (const file of files) await symlink('/dev/full', path.join(folder, file));
      };
      return runMove(
        { ...context, folder: { ...context.folder, clear } },
        { goal: 'drained', patienceMs: 1000 },
      );
    });
  await expect(withFull(`${arena.src}.t.1.dkt`)).rejects.toMatchObject({
    code: 'disk-full',
  });
  expect((await moveTo(arena, 'drained')).outcome).toBe('drained');
  await arena.onSource(`INSERT INTO ${arena.src}.t VALUES (-1, 'a change')`);
  await expect(withFull('1.ckt', '2.ckt', '3.ckt', '4.ckt')).rejects.toMatchObject({
    code: 'disk-full',
  });
  expect((await moveTo(arena, 'cutover')).verdicts).toMatchObject([
    { equal: true, targetRows: 101 },
  ]);
  await arena.close();
});

test('a cut connection and a server that is killed are waited for', async () => {
  for (const pair of [PAIRS[1], PAIRS[2]]) {
    if (pair === undefined) continue;
    const arena = await openArena(servers, pair, { tables: ['t'], chunkBytes: 50_000 });
    await filled(arena, 1500);
    const random = seeded(7);
    const moving = inArena(arena, (context) =>
      runMove(context, { goal: 'forever', patienceMs: 60_000 }),
    );
    for (const server of [arena.source, arena.target]) {
      await new Promise((done) => setTimeout(done, 100 + random() * 300));
      await server.kill();
      await server.restart();
    }
    await arena.onSource(`INSERT INTO ${arena.src}.t VALUES (-1, 'after')`);
    const arrived = until(async () => {
      const rows = await arena
        .onTarget(`SELECT count(*) FROM ${arena.raw}.t WHERE id = -1`)
        .catch(() => []);
      return rows[0]?.[0] === '1';
    });
    // Where it gives up, its own error says more than that the row did not come.
    await Promise.race([arrived, moving]);
    await arrived;
    await setAction(arena, 'STOP');
    expect((await moving).outcome).toBe('stopped');
    await setAction(arena, 'RUN');
    expect((await moveTo(arena, 'cutover')).verdicts).toMatchObject([
      { equal: true, targetRows: 1501 },
    ]);
    await arena.close();
  }
});

test('a claim that a session of its own seems to hold is waited for by the worker that lost it', async () => {
  const arena = await openArena(servers, ['postgres', 'postgres'], { tables: ['t'] });
  await arena.onSource(`CREATE TABLE ${arena.src}.t (id int PRIMARY KEY)`);
  const stop = new AbortController();
  const moving = moveTo(arena, 'forever', stop.signal);
  const count = async () => (await arena.onTarget(`SELECT count(*) FROM ${arena.raw}.t`))[0]?.[0];
  await until(() =>
    count().then(
      (rows) => rows === '0',
      () => false,
    ),
  );
  await arena.onTarget(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sprocket claim'`,
    `SELECT pg_advisory_lock(hashtextextended('sprocket ${arena.settings.plan.name}', 0))`,
    'SELECT pg_sleep(2)',
  );
  await arena.onSource(`INSERT INTO ${arena.src}.t VALUES (1)`);
  await until(async () => (await count()) === '1');
  stop.abort();
  expect((await moving).outcome).toBe('stopped');
  expect(arena.logged.join('\n')).toContain('still holds its claim');
  await arena.close();
});

test('a slot whose log the source gave up is shown as lost, and is an error that says what to do', async () => {
  const arena = await openArena(servers, ['postgres', 'postgres'], { tables: ['t'] });
  await arena.onSource(`CREATE TABLE ${arena.src}.t (id int PRIMARY KEY)`);
  await moveTo(arena, 'drained');
  const status = async () => (await inArena(arena, moveStatus)).stream;
  expect(await status()).toMatchObject({ status: 'reserved', retainedBytes: expect.any(Number) });
  await arena.onSource(
    `ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'`,
    'SELECT pg_reload_conf()',
    ...[1, 2, 3].flatMap(() => [
      `SELECT pg_logical_emit_message(false, 'filler', 'x')`,
      'SELECT pg_switch_wal()',
    ]),
    'CHECKPOINT',
  );
  expect(await status()).toMatchObject({ status: 'lost' });
  await expect(moveTo(arena, 'drained')).rejects.toMatchObject({
    code: 'position-lost',
    message: expect.stringContaining('max_slot_wal_keep_size'),
  });
  await arena.onSource('ALTER SYSTEM RESET max_slot_wal_keep_size', 'SELECT pg_reload_conf()');
  await arena.close();
});
