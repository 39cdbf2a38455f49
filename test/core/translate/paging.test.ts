import { describe, expect, it } from 'vitest';
import { procedure, refusals, shown, translated, withParser } from './catalog.ts';

withParser();

/** A loop that takes pages of a hundred rows. */
function paged(query: string, exit = 'NOT FOUND', step = '100'): ReturnType<typeof translated> {
  return translated(
    procedure(
      'dw.load',
      `DECLARE o integer := 0;
BEGIN
  LOOP
    INSERT INTO dw.t ${query};
    EXIT WHEN ${exit};
    o := o + ${step};
  END LOOP;
END`,
    ),
  );
}

describe('paging loops', () => {
  it('are the query without its pages', () => {
    expect(
      shown(paged('SELECT id, code, amount FROM stg.s ORDER BY id LIMIT 100 OFFSET o')),
    ).toContain('SELECT id, code, amount FROM {current stg.s} ORDER BY id\n)');
  });

  it.each([
    [
      'without an order',
      'SELECT id, code, amount FROM stg.s LIMIT 100 OFFSET o',
      'NOT FOUND',
      '100',
    ],
    [
      'with gaps',
      'SELECT id, code, amount FROM stg.s ORDER BY id LIMIT 100 OFFSET o',
      'NOT FOUND',
      '200',
    ],
    [
      'that end elsewhere',
      'SELECT id, code, amount FROM stg.s ORDER BY id LIMIT 100 OFFSET o',
      'o > 500',
      '100',
    ],
    [
      'that read what they write',
      'SELECT id, code, amount FROM stg.s WHERE id NOT IN (SELECT id FROM dw.t) ORDER BY id LIMIT 100 OFFSET o',
      'NOT FOUND',
      '100',
    ],
    [
      'that end with a page whose rows are all there',
      'SELECT id, code, amount FROM stg.s ORDER BY id LIMIT 100 OFFSET o ON CONFLICT DO NOTHING',
      'NOT FOUND',
      '100',
    ],
  ])('are refused %s', (_title, query, exit, step) => {
    expect(refusals(paged(query, exit, step)).map((line) => line.split(' ')[0])).toEqual(['loop']);
  });
});
