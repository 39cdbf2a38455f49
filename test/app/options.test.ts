import { expect, test } from 'vitest';
import { readOptions } from '../../app/options.ts';
import { KeyedQueue } from '../../app/queue.ts';

const GOOD = { APP_ID: '1', PRIVATE_KEY: 'a\\nb', WEBHOOK_SECRET: 's' };

test('without an App the server helps to make one', () => {
  expect(readOptions({})).toBeNull();
});

test('a key may have its line breaks written out', () => {
  expect(readOptions(GOOD)).toMatchObject({ appId: 1, privateKey: 'a\nb', port: 3000 });
});

test.each([
  [{ ...GOOD, WEBHOOK_SECRET: '' }, 'WEBHOOK_SECRET is not set'],
  [{ APP_ID: '1' }, 'Set both APP_ID and PRIVATE_KEY'],
  [{ ...GOOD, PORT: '99999' }, 'PORT'],
  [{ ...GOOD, SPROCKET_ACTION: 'acme/sprocket@v1' }, 'SPROCKET_ACTION'],
  [{ ...GOOD, PRIVATE_KEY: '', PRIVATE_KEY_PATH: '/nowhere' }, "can't be read"],
])('%j is refused', (environment, message) => {
  expect(() => readOptions(environment)).toThrow(message);
});

test('work of one key goes in order, also after a failure; other keys do not wait', async () => {
  const queue = new KeyedQueue();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = queue.run('a', async () => {
    await gate.promise;
    order.push('a1');
    throw new Error('no');
  });
  const second = queue.run('a', async () => {
    order.push('a2');
  });
  await queue.run('b', async () => {
    order.push('b');
  });
  gate.resolve();
  await expect(first).rejects.toThrow('no');
  await second;
  expect(order).toEqual(['b', 'a1', 'a2']);
  expect(queue.size).toBe(0);
});
