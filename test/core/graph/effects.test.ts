/** Effects of real routines, read from a real server's catalog. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCatalog } from '../../../src/adapters/postgres/catalog.ts';
import { openSandbox } from '../../../src/adapters/sandbox/open.ts';
import { qualified } from '../../../src/core/catalog/names.ts';
import type { RoutineEffects } from '../../../src/core/graph/effect-types.ts';
import { readEffects } from '../../../src/core/graph/effects.ts';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';
import type { Sandbox } from '../../../src/ports/sandbox.ts';
import { CASES, TABLES } from './effect-cases.ts';

let sandbox: Sandbox;
let effects: ReadonlyMap<string, RoutineEffects>;

beforeAll(async () => {
  await loadParser();
  sandbox = await openSandbox(process.env['DATABASE_URL'] ?? null);
  await sandbox.create('effects');
  const session = await sandbox.connect('effects');
  await session.query(TABLES);
  await session.query('SET check_function_bodies = off');
  for (const [at, each] of Object.values(CASES).entries()) {
    const { head = 'LANGUAGE plpgsql', parameters = '', body } = each;
    const kind = head.startsWith('RETURNS') ? 'FUNCTION' : 'PROCEDURE';
    await session.query(
      `CREATE ${kind} public.case_${at}(${parameters}) ${head} AS $body$${body}$body$`,
    );
  }
  effects = readEffects(await readCatalog(session));
  await session.close();
});

afterAll(() => sandbox.close());

const words = (text = ''): readonly string[] => {
  const names = text.replaceAll('a "b".c', 'a~"b".c').split(' ').filter(Boolean);
  return names.map((name) => name.replace('~', ' ')).toSorted();
};

test.each(Object.entries(CASES).map(([name, each], at) => [name, each, at] as const))(
  '%s',
  (_, each, at) => {
    const id = [...effects.keys()].find((key) => key.startsWith(`public.case_${at}(`));
    const found = effects.get(id ?? '');
    expect({
      reads: found?.reads.map(qualified).toSorted(),
      views: found?.views.map(qualified).toSorted(),
      writes: found?.writes.map(qualified).toSorted(),
      calls: found?.calls,
      problems: found?.problems.map(({ line, code }) => `${line} ${code}`),
    }).toEqual({
      reads: words(each.reads),
      views: words(each.views),
      writes: words(each.writes),
      calls: each.calls ?? [],
      problems: each.problems ?? [],
    });
  },
);

describe('by statement', () => {
  test('each with its line and how it changes the table', () => {
    const at = Object.keys(CASES).indexOf(
      'a temporary table hides a table from where it is made to where it is dropped',
    );
    const found = effects.get(`public.case_${at}()`);
    expect(
      found?.statements.map(({ line, reads, writes }) => [
        line,
        reads.map(qualified),
        writes.map((write) => `${write.action} ${qualified(write.table)}`),
      ]),
    ).toEqual([
      [2, ['public.p'], ['insert dw.agg']],
      [3, ['stg.a'], []],
      [6, [], ['delete public.p']],
    ]);
  });

  test('lines of SQL bodies', () => {
    const at = Object.keys(CASES).indexOf('SQL bodies');
    expect(effects.get(`public.case_${at}()`)?.statements.map(({ line }) => line)).toEqual([2, 4]);
  });
});
