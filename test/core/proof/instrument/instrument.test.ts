import { beforeAll, describe, expect, it } from 'vitest';
import { withCountedBranches } from '../../../../src/core/proof/instrument/branches.ts';
import { bodyOnProofClock, onProofClock } from '../../../../src/core/proof/instrument/clock.ts';
import { withoutLogHandlers } from '../../../../src/core/proof/instrument/handlers.ts';
import { loadParser } from '../../../../src/core/translate/postgres/parser.ts';

beforeAll(loadParser);

describe('the clock of stored code', () => {
  it.each([
    ['SELECT now(), NOW ( )', 'SELECT sprocket_proof.now(), sprocket_proof.now ( )'],
    ['SELECT pg_catalog.now()', 'SELECT sprocket_proof.now()'],
    ['WHERE d > CURRENT_DATE - 1', 'WHERE d > sprocket_proof."current_date"() - 1'],
    ['VALUES (localtimestamp(3))', 'VALUES (sprocket_proof."localtimestamp"()::timestamp(3))'],
    ['SELECT clock_timestamp() AS now', 'SELECT sprocket_proof.clock_timestamp() AS now'],
    ['ü := current_timestamp;', 'ü := sprocket_proof."current_timestamp"();'],
    ['RETURN CURRENT_DATE;', 'RETURN sprocket_proof."current_date"();'],
    ['WHILE CURRENT_TIME < x LOOP', 'WHILE sprocket_proof."current_time"() < x LOOP'],
  ])('replaces it: %s', (text, expected) => {
    expect(onProofClock(text)).toBe(expected);
  });

  it.each([
    "SELECT 'now()', $$CURRENT_DATE$$ -- now()",
    'SELECT own.now()',
    'SELECT now, t.current_date, price AS current_date, price current_date',
    'SELECT now(1)',
    'SELECT "CURRENT_DATE", current_user',
  ])('leaves alone what is no clock: %s', (text) => {
    expect(onProofClock(text)).toBe(text);
  });

  it('is replaced inside statements that are run from strings, and in no other string', () => {
    const body = `
BEGIN
  INSERT INTO log VALUES ('now() it begins');
  EXECUTE 'INSERT INTO t SELECT ''it''''s'', now() WHERE d < ' || 'CURRENT_DATE';
  v := $q$ UPDATE t SET a = now() $q$;
END`;
    expect(bodyOnProofClock(body)).toBe(`
BEGIN
  INSERT INTO log VALUES ('now() it begins');
  EXECUTE 'INSERT INTO t SELECT ''it''''s'', sprocket_proof.now() WHERE d < ' || 'sprocket_proof."current_date"()';
  v := $q$ UPDATE t SET a = sprocket_proof.now() $q$;
END`);
  });
});

describe('handlers', () => {
  const target = [{ schema: 'dw', name: 'sales' }];

  it('that only log are taken out, and every line keeps its number', () => {
    const body = `
BEGIN
  INSERT INTO dw.sales SELECT CASE WHEN a THEN 1 END FROM s;
EXCEPTION
  WHEN unique_violation OR division_by_zero THEN
    GET STACKED DIAGNOSTICS v_text = MESSAGE_TEXT;
    IF v_text <> '' THEN v_ok := false; ELSE NULL; END IF;
    INSERT INTO audit.log VALUES (v_text);
  WHEN OTHERS THEN
    RAISE EXCEPTION 'failed: %', SQLERRM;
END`;
    const result = withoutLogHandlers(body, target);
    expect(result.removed).toEqual([4]);
    expect(result.kept).toEqual([]);
    expect(result.body).toBe(`
BEGIN
  INSERT INTO dw.sales SELECT CASE WHEN a THEN 1 END FROM s;
${'\n'.repeat(7)}END`);
  });

  it.each([
    'INSERT INTO dw.sales SELECT 1;',
    'UPDATE ONLY sales SET a = 1;',
    'DELETE FROM dw."sales";',
    "EXECUTE 'x';",
    'CONTINUE;',
    'FOR r IN SELECT 1 LOOP NULL; END LOOP;',
  ])('that do more than log stay: %s', (statement) => {
    const body = `BEGIN\n NULL;\nEXCEPTION WHEN OTHERS THEN ${statement}\nEND`;
    expect(withoutLogHandlers(body, target)).toEqual({ body, removed: [], kept: [3] });
  });

  it('of inner blocks are judged for themselves, and RAISE EXCEPTION is no handler', () => {
    const body = `DECLARE x int;
BEGIN
  FOR r IN SELECT 1 LOOP
    BEGIN
      IF a THEN RAISE EXCEPTION 'no'; END IF;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  CASE x WHEN 1 THEN NULL; ELSE NULL; END CASE;
EXCEPTION WHEN OTHERS THEN
  BEGIN
    RAISE NOTICE 'x';
  EXCEPTION WHEN OTHERS THEN NULL;
  END;
END`;
    const result = withoutLogHandlers(body, []);
    expect(result.removed.toSorted((a, b) => a - b)).toEqual([6, 10, 13]);
    expect(result.body).not.toMatch(/OTHERS/);
    expect(result.body.split('\n')).toHaveLength(body.split('\n').length);
    expect(result.body).toMatch(/RAISE EXCEPTION 'no'/);
  });
});

describe('branches', () => {
  it('keep the word before a condition in brackets apart from what is put there', () => {
    const result = withCountedBranches(
      'BEGIN IF(x) THEN NULL; END IF; END',
      [{ line: 1, label: 'if' }],
      1,
    );
    expect(result.body).toBe('BEGIN IF sprocket_proof.branch(1, ((x))) THEN NULL; END IF; END');
  });

  it('report which way their conditions went', () => {
    const body = `BEGIN
  IF x > 0 AND CASE WHEN a THEN b ELSE c END -- why
  THEN NULL;
  ELSIF EXISTS (SELECT 1) THEN NULL;
  END IF;
  IF left_alone THEN NULL; END IF;
  DROP TABLE IF EXISTS t;
END`;
    const result = withCountedBranches(
      body,
      [
        { line: 2, label: 'if' },
        { line: 4, label: 'elsif' },
        { line: 7, label: 'nothing' },
      ],
      5,
    );
    expect(result.numbers).toEqual([5, 6]);
    expect(result.body).toBe(`BEGIN
  IF sprocket_proof.branch(5, (x > 0 AND CASE WHEN a THEN b ELSE c END)) -- why
  THEN NULL;
  ELSIF sprocket_proof.branch(6, (EXISTS (SELECT 1))) THEN NULL;
  END IF;
  IF left_alone THEN NULL; END IF;
  DROP TABLE IF EXISTS t;
END`);
  });
});
