import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Routine } from '../../../src/core/catalog/types.ts';
import type { Translation } from '../../../src/core/translate/types.ts';
import {
  foreignKey,
  key,
  parameter,
  procedure,
  refusals,
  statements,
  table,
  translated,
  withParser,
} from './catalog.ts';

withParser();

function body(text: string, more: Partial<Routine> = {}): Translation {
  return translated(procedure('dw.load', text, more));
}

const FUNCTION: Partial<Routine> = {
  kind: 'function',
  language: 'sql',
  returns: 'integer',
  parameters: [],
};

/** For each code: the line, and a routine that can't be translated for that reason. */
const CASES: readonly (readonly [string, number, () => Translation])[] = [
  ['parse-error', 1, () => body('BEGIN SELEC 1; END')],
  ['parse-error', 2, () => body('BEGIN\n  EXECUTE $q$DELETE dw.t$q$;\nEND')],
  ['language', 1, () => body('print(1)', { language: 'plpython3u' })],
  ['trigger-function', 1, () => body('BEGIN RETURN new; END', { isTrigger: true })],
  ['unknown-relation', 2, () => statements('DELETE FROM dw.missing;')],
  ['unknown-relation', 2, () => statements('INSERT INTO dw.t (id) SELECT id FROM stg.missing;')],
  ['unknown-name', 2, () => statements('DELETE FROM dw.t WHERE nothing = 1;')],
  ['shared-rows', 2, () => statements('INSERT INTO dw.t SELECT * FROM ONLY dw.u;')],
  ['missing-column', 2, () => statements('UPDATE dw.t SET nothing = 1;')],
  [
    'dynamic-sql',
    2,
    () =>
      body("BEGIN\n  EXECUTE 'DELETE FROM dw.t WHERE ' || p;\nEND", {
        parameters: [parameter('p', 'text')],
      }),
  ],
  [
    'parameter-in-name',
    2,
    () =>
      body("BEGIN\n  EXECUTE format('DELETE FROM %I', p);\nEND", {
        parameters: [parameter('p', 'text')],
      }),
  ],
  [
    'cursor',
    2,
    () =>
      body(
        'DECLARE c CURSOR FOR SELECT id FROM stg.s; r record; BEGIN\n  OPEN c;\n  FETCH LAST FROM c INTO r; DELETE FROM dw.t WHERE id = r.id; END',
      ),
  ],
  [
    'loop',
    2,
    () =>
      body('DECLARE r record; BEGIN\n  WHILE random_state() LOOP DELETE FROM dw.t; END LOOP; END'),
  ],
  [
    'loop-order',
    3,
    () =>
      body(
        'DECLARE r record; BEGIN\n  FOR r IN SELECT id, code FROM stg.s LOOP\n    UPDATE dw.t SET amount = r.id WHERE code = r.code;\n  END LOOP; END',
      ),
  ],
  [
    'loop-carried',
    2,
    () =>
      body(
        "DECLARE r record; seen text := ''; BEGIN\n  FOR r IN SELECT id, code FROM stg.s LOOP\n    INSERT INTO dw.t (id, code) VALUES (r.id, seen);\n    seen := seen || r.code;\n  END LOOP; END",
      ),
  ],
  [
    'exception-handler',
    4,
    () =>
      statements(
        'BEGIN DELETE FROM dw.t WHERE id = 1;\nEXCEPTION WHEN others THEN\nDELETE FROM dw.u;\nEND;',
      ),
  ],
  ['volatile', 2, () => statements('UPDATE dw.t SET amount = random();')],
  ['sequence', 2, () => statements("DELETE FROM dw.t WHERE id = nextval('dw.s');")],
  ['copy', 2, () => statements("COPY dw.t FROM '/data/t.csv';")],
  [
    'external',
    2,
    () =>
      statements("INSERT INTO dw.t (id) SELECT id FROM dblink('x', 'select 1') AS d (id integer);"),
  ],
  ['ddl', 2, () => statements('ALTER TABLE dw.t ADD COLUMN more text;')],
  [
    'several-unique-keys',
    2,
    () =>
      statements('INSERT INTO dw.two SELECT id, code FROM stg.s ON CONFLICT DO NOTHING;', {
        extra: [
          table(
            'dw.two',
            { a: 'integer!', b: 'text!' },
            {
              keys: [key('unique', ['a']), key('unique', ['b'])],
            },
          ),
        ],
      }),
  ],
  [
    'trigger-on-table',
    2,
    () =>
      statements('DELETE FROM dw.watched;', {
        extra: [table('dw.watched', { id: 'integer' }, { triggers: ['audit'] })],
      }),
  ],
  [
    'foreign-key-action',
    2,
    () =>
      statements('DELETE FROM dw.u WHERE id = 1;', {
        extra: [
          table(
            'dw.child',
            { u: 'integer' },
            {
              foreignKeys: [{ ...foreignKey(['u'], 'dw.u', ['id']), onDelete: 'cascade' }],
            },
          ),
        ],
      }),
  ],
  ['session-setting', 2, () => statements("SET timezone = 'UTC';\nDELETE FROM dw.t;")],
  [
    'session-setting',
    2,
    () => statements("PERFORM set_config('TimeZone', 'UTC', true);\nDELETE FROM dw.t;"),
  ],
  [
    'session-setting',
    1,
    () => body('BEGIN DELETE FROM dw.t; END', { settings: { TimeZone: 'UTC' } }),
  ],
  ['system-column', 2, () => statements('DELETE FROM dw.t a USING dw.t b WHERE a.ctid < b.ctid;')],
  [
    'function-side-effect',
    2,
    () =>
      statements('INSERT INTO dw.t (id) SELECT dw.touch() FROM stg.s;', {
        routines: [procedure('dw.touch', 'UPDATE dw.u SET amount = 1 RETURNING 1', FUNCTION)],
      }),
  ],
  [
    'function-reads-written',
    3,
    () =>
      statements('DELETE FROM dw.u;\nINSERT INTO dw.t (id) SELECT dw.many() FROM stg.s;', {
        routines: [procedure('dw.many', 'SELECT count(*)::integer FROM dw.u', FUNCTION)],
      }),
  ],
  [
    'handler-value',
    4,
    () =>
      statements(
        "DECLARE v text := 'a'; BEGIN\nBEGIN DELETE FROM dw.u;\nEXCEPTION WHEN others THEN v := 'b'; END;\nUPDATE dw.t SET code = v; END;",
      ),
  ],
  ['recursive-call', 1, () => body('BEGIN DELETE FROM dw.t; CALL dw.load(); END')],
  ['call', 2, () => statements('CALL dw.missing(1);')],
  [
    'call-in-plan',
    2,
    () =>
      statements('CALL dw.fill(); CALL dw.fill();', {
        routines: [procedure('dw.fill', 'BEGIN DELETE FROM dw.t; END')],
      }),
  ],
  [
    'former-and-final',
    1,
    () =>
      body(
        'BEGIN\n  WITH a AS (DELETE FROM dw.t WHERE id IN (SELECT id FROM dw.u))\n  DELETE FROM dw.u WHERE id IN (SELECT id FROM dw.t);\nEND',
      ),
  ],
  ['transaction-control', 3, () => statements('DELETE FROM dw.t;\nROLLBACK;')],
  ['raise', 1, () => body("BEGIN\n  DELETE FROM dw.t;\n  RAISE EXCEPTION 'no';\nEND")],
  [
    'raise',
    2,
    () =>
      statements(
        "IF EXISTS (SELECT 1 FROM dw.t) THEN RAISE EXCEPTION 'no'; END IF; DELETE FROM dw.t;",
      ),
  ],
  [
    'unprovable-count',
    3,
    () =>
      body(
        'DECLARE n text; BEGIN\n  DELETE FROM dw.t;\n  GET DIAGNOSTICS n = PG_CONTEXT;\n  UPDATE dw.u SET code = n WHERE amount > 0;\n  INSERT INTO dw.u (id) SELECT id FROM stg.s;\nEND',
      ),
  ],
  [
    'statement',
    2,
    () => statements('WITH a AS (UPDATE dw.t SET amount = 1 RETURNING id) DELETE FROM dw.t;'),
  ],
  [
    'return-value',
    2,
    () => body('DECLARE v text; BEGIN\n  TRUNCATE dw.t INTO v; UPDATE dw.u SET code = v; END'),
  ],
];

describe('refusals', () => {
  it.each(CASES)('%s at line %i', (code, line, provoke) => {
    const translation = provoke();
    expect(translation.outcome).toBe('refused');
    expect(translation.models).toEqual([]);
    expect(refusals(translation).map((refusal) => refusal.split(':')[0])).toContain(
      `${code} ${line}`,
    );
    for (const refusal of translation.refusals) expect(refusal.advice).not.toBe('');
  });

  it('has a case for every code', () => {
    const source = readFileSync(
      new URL('../../../src/core/translate/refusals.ts', import.meta.url),
      'utf8',
    );
    const codes = [...source.matchAll(/^ {2}'?([a-z-]+)'?:$|^ {2}'?([a-z-]+)'?: '/gmu)].map(
      ([, long, short]) => long ?? short ?? '',
    );
    const provoked = new Set([...CASES.map(([code]) => code), 'too-large']);
    expect(codes.length).toBeGreaterThan(30);
    expect(codes.filter((code) => !provoked.has(code))).toEqual([]);
  });

  it('leave what does not need the refused part as it is', () => {
    const translation = body(
      `DECLARE v text; BEGIN
  SELECT nothing INTO v FROM stg.s;
  RAISE NOTICE '%', v;
  DELETE FROM dw.t;
END`,
    );
    expect(translation.outcome).toBe('models');
  });

  it('are all given at once', () => {
    expect(
      refusals(
        statements(
          'UPDATE dw.t SET nothing = 1;\nDELETE FROM dw.missing;\nUPDATE dw.u SET none = 2;',
        ),
      ),
    ).toEqual([
      'missing-column 2: UPDATE dw.t SET nothing = 1',
      'unknown-relation 3: DELETE FROM dw.missing',
      'missing-column 4: UPDATE dw.u SET none = 2',
    ]);
  });

  it('keep their construct short', () => {
    const long = `DELETE FROM dw.missing WHERE ${'id = 1 OR '.repeat(50)} true;`;
    const [refusal] = statements(long).refusals;
    expect(refusal?.construct.length).toBeLessThanOrEqual(120);
  });
});

it('refuses what has too many statements to be written out', () => {
  const inserts = Array.from(
    { length: 1_501 },
    (_, index) => `INSERT INTO dw.t (id) SELECT id FROM dw.u WHERE id = ${index};`,
  );
  expect(refusals(statements(inserts.join('\n')))).toEqual(['too-large 1: dw.load']);
});
