import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDbtRunner } from '../../src/adapters/dbt/runner.ts';
import { openWorkspace } from '../../src/adapters/files/workspace.ts';
import { openSandbox } from '../../src/adapters/sandbox/open.ts';
import { routineId } from '../../src/core/catalog/names.ts';
import { readHints } from '../../src/core/proof/hints/read.ts';
import { loadParser } from '../../src/core/translate/postgres/parser.ts';
import { translate } from '../../src/core/translate/translate.ts';
import type { Sandbox } from '../../src/ports/sandbox.ts';
import { chooseArguments } from '../../src/usecases/prove-arguments.ts';
import { DEFAULT_LIMITS, withSession } from '../../src/usecases/prove-context.ts';
import { NONE_HANDWRITTEN } from '../../src/usecases/prove-handwritten.ts';
import { instrument } from '../../src/usecases/prove-prepare.ts';
import { poolsOf } from '../../src/usecases/prove-rows.ts';
import { catalog, parameter, procedure, table } from '../core/proof/catalog.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  await loadParser();
  sandbox = await openSandbox(null);
});
afterAll(() => sandbox.close());

it('leaves out values with which a loop would turn for ever', async () => {
  const crawl = procedure(
    'crawl',
    `BEGIN
  IF p_pages = 90000 OR p_pages = 2 THEN
    DELETE FROM s.t;
  END IF;
  FOR i IN 1 .. p_pages LOOP
    INSERT INTO s.t VALUES (i);
    COMMIT;
    PERFORM pg_sleep(0.01);
  END LOOP;
END`,
    [parameter('p_pages', 'integer', '1')],
  );
  const known = catalog({ tables: [table('t', ['id'])], routines: [crawl] });
  const clock = new Date('2025-01-01T00:00:00Z');
  await sandbox.create('given');
  const translations = translate(known);
  const pools = await withSession({ sandbox }, 'given', async (session) => {
    await session.query(`CREATE SCHEMA s; CREATE TABLE s.t (id integer); ${crawl.definition}`);
    await instrument(session, known, translations, clock.toISOString());
    return poolsOf(session, {
      catalog: known,
      hints: readHints(known, known.routines),
      values: { clock, wildness: 'mixed' },
      seed: 'test',
    });
  });
  const workspace = await openWorkspace();
  const context = {
    sandbox,
    dbt: createDbtRunner({ env: process.env, roots: [] }),
    workspace,
    signal: null,
    limits: DEFAULT_LIMITS,
    catalog: known,
    translations: new Map(translations.map((one) => [one.routine, one])),
    handwritten: NONE_HANDWRITTEN,
  };
  const sets = await chooseArguments(
    context,
    { routines: [routineId(crawl)], given: new Map(), calls: [], pools, clock },
    'given',
    { name: 'arguments', clock: clock.toISOString(), values: new Map() },
  );
  await workspace.close();
  const tried = sets.get(routineId(crawl))?.map(({ p_pages: pages }) => pages);
  expect(tried).toContain('1');
  expect(tried).not.toContain('90000');
});
