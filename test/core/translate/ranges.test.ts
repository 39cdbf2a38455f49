import { describe, expect, it } from 'vitest';
import { procedure, refusals, shown, translated, withParser } from './catalog.ts';

withParser();

/** A loop over ranges of ids, from the least to the greatest. */
function ranges(
  body: string,
  { grow = 'v := v + n;', condition = 'v <= top' } = {},
): ReturnType<typeof translated> {
  return translated(
    procedure(
      'dw.load',
      `DECLARE v integer; top integer; w integer; total bigint := 0; done bigint; n CONSTANT integer := 100;
BEGIN
  SELECT min(id), max(id) INTO v, top FROM stg.s;
  WHILE ${condition} LOOP
    ${body}
    ${grow}
  END LOOP;
END`,
    ),
  );
}

const INSERT = 'INSERT INTO dw.t SELECT id, code, amount FROM stg.s WHERE';

describe('loops over ranges of keys', () => {
  it('are one range', () => {
    expect(shown(ranges(`${INSERT} id >= v AND id < v + n AND code <> 'x'; COMMIT;`)))
      .toMatchInlineSnapshot(`
      "dw.t (rebuild, append):
      with variables (v, top) as (
      SELECT min(id), max(id)             FROM {current stg.s}
      ), each_v as (
      select cast(v as integer) as v
      from generate_series((select v from variables), ((select top from variables)), 100) as series (v)
      ), range_of_v as (
      select min(v) as v, max(v) as last_v
      from each_v
      ), t_inserted as (
      SELECT id, code, amount FROM {current stg.s} WHERE id >= (select v from range_of_v) AND id < (select last_v from range_of_v) + 100 AND code <> 'x'
      )
      select
          id,
          code,
          amount
      from {former dw.t}

      union all

      select
          id,
          code,
          amount
      from t_inserted"
    `);
  });

  it.each([
    ['the other way round', `${INSERT} v <= id AND v + n > id;`, {}],
    ['between whole numbers', `${INSERT} id BETWEEN v AND v + n - 1;`, {}],
    [
      'between numbers that are written out',
      `${INSERT} id BETWEEN v AND v + 99;`,
      { grow: 'v := v + 100;' },
    ],
    ['with an end in a variable', `w := v + n; ${INSERT} id >= v AND id < w;`, {}],
    ['that go on at their end', `w := v + n; ${INSERT} id >= v AND id < w;`, { grow: 'v := w;' }],
    [
      'that go on after their end',
      `w := v + n - 1; ${INSERT} id BETWEEN v AND w;`,
      { grow: 'v := w + 1;' },
    ],
    [
      'that count',
      `${INSERT} id >= v AND id < v + n; GET DIAGNOSTICS done = ROW_COUNT; total := total + done;`,
      {},
    ],
    [
      'of a joined table',
      'INSERT INTO dw.t SELECT a.id, b.code, a.amount FROM stg.s a LEFT JOIN stg.s b ON b.id = a.id WHERE a.id >= v AND a.id < v + n;',
      {},
    ],
    ['left by EXIT', `EXIT WHEN v > top; ${INSERT} id >= v AND id < v + n;`, { condition: '' }],
  ])('are one range %s', (_title, body, form) => {
    const { condition } = { condition: 'v <= top', ...form };
    const result = condition === '' ? unconditional(body) : ranges(body, form);
    expect(refusals(result)).toEqual([]);
    expect(shown(result)).toContain('range_of_v');
    expect(shown(result)).not.toContain('lateral');
  });

  it.each([
    ['with a gap', `${INSERT} id > v AND id < v + n;`, {}],
    ['that overlap', `${INSERT} id >= v AND id <= v + n;`, {}],
    ['that overlap, written out', `${INSERT} id BETWEEN v AND v + 100;`, { grow: 'v := v + 100;' }],
    ['of another width', `${INSERT} id >= v AND id < v + 50;`, {}],
    ['of a key with decimals', `${INSERT} amount BETWEEN v AND v + n - 1;`, {}],
    ['over two columns', `${INSERT} id >= v AND amount < v + n;`, {}],
    ['under OR', `${INSERT} (id >= v AND id < v + n) OR code IS NULL;`, {}],
    [
      'that show in the rows',
      'INSERT INTO dw.t SELECT v, code, amount FROM stg.s WHERE id >= v AND id < v + n;',
      {},
    ],
    [
      'that are counted into the rows',
      `w := total; ${INSERT.replace('id,', 'w,')} id >= v AND id < v + n;`,
      {},
    ],
    [
      'that are summed up',
      'INSERT INTO dw.t (amount) SELECT sum(amount) FROM stg.s WHERE id >= v AND id < v + n;',
      {},
    ],
    [
      'that are grouped',
      'INSERT INTO dw.t (code, amount) SELECT code, sum(amount) FROM stg.s WHERE id >= v AND id < v + n GROUP BY code;',
      {},
    ],
    [
      'without duplicates in each',
      'INSERT INTO dw.t (code) SELECT DISTINCT code FROM stg.s WHERE id >= v AND id < v + n;',
      {},
    ],
    [
      'that are numbered',
      'INSERT INTO dw.t (id) SELECT row_number() OVER (ORDER BY id) FROM stg.s WHERE id >= v AND id < v + n;',
      {},
    ],
    ['of which each takes a few', `${INSERT} id >= v AND id < v + n ORDER BY id LIMIT 10;`, {}],
    [
      'in a subquery',
      'INSERT INTO dw.t (id) SELECT a.id FROM (SELECT id FROM stg.s WHERE id >= v AND id < v + n) a;',
      {},
    ],
    ['with an end set afterwards', `${INSERT} id >= v AND id < w; w := v + n;`, {}],
  ])('stay a loop over the turns %s', (_title, body, form) => {
    const result = ranges(body, form);
    expect(shown(result)).not.toContain('range_of_v');
  });

  it.each([
    [
      'that find out what was inserted before',
      `${INSERT} id >= v AND id < v + n AND NOT EXISTS (SELECT FROM dw.t WHERE t.code = s.code);`,
      {},
    ],
    [
      'that move their own end',
      'INSERT INTO dw.t SELECT id + 1, code, amount FROM stg.s WHERE id >= v AND id < v + n;',
      { condition: 'v <= (SELECT max(id) FROM dw.t)' },
    ],
  ])('are refused %s', (_title, body, form) => {
    expect(refusals(ranges(body, form))).not.toEqual([]);
  });
});

function unconditional(body: string): ReturnType<typeof translated> {
  return translated(
    procedure(
      'dw.load',
      `DECLARE v integer; top integer; n CONSTANT integer := 100;
BEGIN
  SELECT min(id), max(id) INTO v, top FROM stg.s;
  LOOP
    ${body}
    v := v + n;
  END LOOP;
END`,
    ),
  );
}
