import { expect, it } from 'vitest';
import { openSandbox } from '../../../src/adapters/sandbox/open.ts';

it('leaves alone what another sandbox uses that came in by another database of the server', async () => {
  const first = await openSandbox(process.env['DATABASE_URL'] ?? null);
  try {
    await first.create('warehouse');
    const { host, port, user, password, database } = first.parameters('warehouse');
    const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
    await first.create('other');
    // Advisory locks are those of one database: from here the lock of the first can't be seen.
    const second = await openSandbox(`postgresql://${login}@${host}:${port}/${database}`);
    await second.close();
    for (const name of ['warehouse', 'other']) {
      const session = await first.connect(name);
      expect((await session.query('SELECT 1')).rows).toEqual([['1']]);
      await session.close();
    }
  } finally {
    await first.close();
  }
});
