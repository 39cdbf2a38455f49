import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { splitScript } from '../../../src/core/proof/script.ts';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';

beforeAll(loadParser);

function texts(script: string): string[] {
  return splitScript(script).map((piece) => piece.text);
}

describe('splitting a script', () => {
  it('ends statements at semicolons that stand for themselves', () => {
    const script = `SELECT ';' AS "a;b", $$x;y$$, $t$ $$;$$ $t$; -- not; here
/* nor; /* nested; */ here; */ SELECT 2;;
SELECT E'it\\'s;' ;`;
    expect(texts(script)).toEqual([
      `SELECT ';' AS "a;b", $$x;y$$, $t$ $$;$$ $t$`,
      'SELECT 2',
      `SELECT E'it\\'s;'`,
    ]);
  });

  it('keeps the last statement without a semicolon, and says where pieces begin', () => {
    expect(splitScript('\n\nSELECT 1;\n-- ü\n  SELECT\n 2')).toEqual([
      { kind: 'statement', text: 'SELECT 1', line: 3 },
      { kind: 'statement', text: 'SELECT\n 2', line: 5 },
    ]);
  });

  it('keeps bodies whole: dollar quotes, BEGIN ATOMIC with CASE, rules with several actions', () => {
    const bodies = [
      'CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$',
      'CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END',
      'CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)',
      'CREATE TABLE "begin" (atomic int)',
      "CREATE FUNCTION open(a int LANGUAGE sql AS 'SELECT 1'",
    ];
    expect(texts(bodies.map((body) => `${body};\n`).join(''))).toEqual(bodies);
  });

  it('cuts out the commands of psql, whatever quotes they hold', () => {
    const script = `\\connect warehouse
\\echo Don't stop
SELECT 1;
  \\set ON_ERROR_STOP on
SELECT 2 \\gset
CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$
\\this is text
SELECT 'x' $$;
\\i other.sql
\\echo it's over`;
    expect(splitScript(script).map((piece) => [piece.kind, piece.line])).toEqual([
      ['command', 1],
      ['command', 2],
      ['statement', 3],
      ['command', 4],
      ['statement', 5],
      ['command', 5],
      ['statement', 6],
      ['command', 9],
      ['command', 10],
    ]);
  });

  it("takes a COPY's data as they are, up to the line that closes them", () => {
    const script = `COPY s.t (a, b) FROM stdin;
1\tit's; $$ /* "
\\N\t\\.x
\\.
COPY t FROM STDIN WITH (FORMAT csv);
"a;b"
\\.

COPY t TO STDOUT;
SELECT 1;`;
    expect(splitScript(script)).toEqual([
      {
        kind: 'copy',
        text: 'COPY s.t (a, b) FROM stdin',
        data: `1\tit's; $$ /* "\n\\N\t\\.x\n`,
        line: 1,
      },
      { kind: 'copy', text: 'COPY t FROM STDIN WITH (FORMAT csv)', data: '"a;b"\n', line: 5 },
      { kind: 'statement', text: 'COPY t TO STDOUT', line: 9 },
      { kind: 'statement', text: 'SELECT 1', line: 10 },
    ]);
  });

  it('takes data to the end of the file where nothing closes them', () => {
    expect(splitScript('SELECT 1; COPY t FROM stdin;\n1\n2')).toMatchObject([
      { kind: 'statement' },
      { kind: 'copy', data: '1\n2' },
    ]);
  });

  it('gives what is never closed as one rest, and the statements before it', () => {
    expect(splitScript("SELECT 1;\nSELECT 'open;\nSELECT 2;")).toEqual([
      { kind: 'statement', text: 'SELECT 1', line: 1 },
      { kind: 'rest', text: "SELECT 'open;\nSELECT 2;", line: 2 },
    ]);
  });

  it('is not misled by where its windows end', () => {
    const long = `SELECT '${'x;\n'.repeat(150_000)}'`;
    const data = `${"it's\t\\N\n".repeat(60_000)}`;
    const script = `SELECT 1;\n${long};\nCOPY t FROM stdin;\n${data}\\.\nSELECT 3;`;
    const pieces = splitScript(script);
    expect(pieces.map((piece) => piece.kind)).toEqual([
      'statement',
      'statement',
      'copy',
      'statement',
    ]);
    expect(pieces[1]?.text).toBe(long);
    expect(pieces[2]).toMatchObject({ data });
  });

  it('handles an empty file, blank lines, comments alone and a byte order mark', () => {
    expect(splitScript('')).toEqual([]);
    expect(splitScript('\n -- nothing\n/* here */\n')).toEqual([]);
    expect(texts('\uFEFFSELECT 1;')).toEqual(['SELECT 1']);
  });

  it('gives back any list of statements that is written out with semicolons', () => {
    const statement = fc.constantFrom(
      "SELECT 'a;''b'",
      'SELECT $x$;$x$',
      'SELECT "ü;"',
      'DO $$BEGIN NULL; END$$',
      'SELECT /* ; */ 1',
      'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END',
    );
    const separator = fc.constantFrom(';', ';\n', ' ; -- ;\n', ';;\n', ';/* ; */');
    fc.assert(
      fc.property(fc.array(fc.tuple(statement, separator)), (parts) => {
        const script = parts.map(([text, end]) => text + end).join('');
        expect(texts(script)).toEqual(parts.map(([text]) => text));
      }),
    );
  });
});
