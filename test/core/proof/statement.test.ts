import { beforeAll, describe, expect, it } from 'vitest';
import { schemasNamed, statementRole } from '../../../src/core/proof/statement.ts';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';

beforeAll(loadParser);

describe('what a statement is for', () => {
  it.each([
    ['CREATE TABLE t (a int)', 'create'],
    ['ALTER TABLE t ADD b int', 'create'],
    ['SELECT * INTO t FROM u', 'create'],
    ['INSERT INTO t VALUES (1)', 'data'],
    ['DO $$BEGIN NULL; END$$', 'data'],
    ['DROP TABLE t', 'once'],
    ['SELECT 1', 'once'],
    ['CALL s.p(1)', 'call'],
    ['SELECT * FROM s.f(1)', 'call'],
    ['SET search_path TO s', 'setting'],
    ["SELECT pg_catalog.set_config('search_path', '', false)", 'setting'],
    ['ALTER TABLE t OWNER TO x', 'lenient'],
    ['GRANT SELECT ON t TO x', 'lenient'],
    ['CREATE EXTENSION x', 'lenient'],
    ["COMMENT ON TABLE t IS 'x'", 'lenient'],
    ['BEGIN', 'ignored'],
    ['CREATE DATABASE d', 'ignored'],
    ['ALTER SYSTEM SET work_mem = 1', 'ignored'],
    ['DROP ROLE r', 'ignored'],
    ['SET ROLE r', 'ignored'],
    ['SET SESSION AUTHORIZATION r', 'ignored'],
    ['SELEC 1', 'invalid'],
  ])('%s', (text, kind) => {
    expect(statementRole(text).kind).toBe(kind);
  });

  it('names the routine that it makes, also where the rest does not parse', () => {
    expect(
      statementRole("CREATE FUNCTION s.f(a int, OUT b text, VARIADIC c text[]) LANGUAGE sql AS ''"),
    ).toEqual({
      kind: 'routine',
      head: { schema: 's', name: 'f', argumentTypes: ['integer', 'text[]'] },
    });
    expect(statementRole('CREATE OR REPLACE PROCEDURE "My S".P(a int LANGUAGE')).toMatchObject({
      kind: 'invalid',
      head: { schema: 'My S', name: 'p' },
    });
    expect(statementRole('CREATE TABLE (')).toMatchObject({ kind: 'invalid', head: null });
  });

  it('tells the schemas that it names', () => {
    expect(schemasNamed('CREATE VIEW a.v AS SELECT * FROM b.t JOIN c ON true')).toEqual(
      expect.arrayContaining(['a', 'b']),
    );
    expect(schemasNamed('SELEC')).toEqual([]);
  });
});
