import { beforeAll, describe, expect, it } from 'vitest';
import { separated } from '../../../src/core/proof/unseparated.ts';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';

beforeAll(loadParser);

function texts(script: string): string[] {
  return separated(script).map(({ text }) => text);
}

describe('statements without a semicolon between', () => {
  it('are cut where a line begins that can not go on with the one before', () => {
    const table = "CREATE TABLE t (a text DEFAULT 'ü🎁')";
    const body = 'create procedure p() language plpgsql as $$ begin\ncall q(); end; $$';
    const script = `${table}\n\n\n  ${body}\nGRANT EXECUTE ON PROCEDURE p TO public\nCALL p()`;
    expect(texts(script)).toEqual([
      table,
      body,
      'GRANT EXECUTE ON PROCEDURE p TO public',
      'CALL p()',
    ]);
    expect(separated(script)[1]?.start).toBe(script.indexOf('create procedure'));
  });

  it('stay together where what stands before is none, or a line does not begin so', () => {
    for (const whole of [
      'CREATE TABLE t (a int\nCREATE PROCEDURE p()',
      'CREATE TABLE t (a int) CREATE PROCEDURE p()',
      'CREATE TABLE t (a int)\nSELECT 1',
      'SELECT 1 FROM\nCREATE',
      'nonsense',
      '',
    ])
      expect(texts(whole)).toEqual([whole]);
  });

  it('give what remains although it does not parse', () => {
    const script = "CREATE TABLE t (a int)\nCREATE FUNCTION f(x int LANGUAGE sql AS 'SELECT 1'";
    expect(texts(script)).toEqual([
      'CREATE TABLE t (a int)',
      "CREATE FUNCTION f(x int LANGUAGE sql AS 'SELECT 1'",
    ]);
  });
});
