import { describe, expect, it } from 'vitest';
import { refusals, statements, withParser } from './catalog.ts';

withParser();

describe('random values', () => {
  it('of a column are named, so that the proof leaves them out', () => {
    const { models, notes } = statements(
      'INSERT INTO dw.t (id, amount) SELECT id, random() FROM stg.s;',
    );
    const named = models[0]?.columns.map(({ name, unprovable }) => [name, unprovable !== null]);
    expect(named).toEqual([
      ['id', false],
      ['code', false],
      ['amount', true],
    ]);
    expect(notes).toContainEqual(expect.objectContaining({ kind: 'unprovable', line: 2 }));
  });

  it.each([
    [
      'decide which rows there are',
      'INSERT INTO dw.t SELECT id, code, amount FROM stg.s WHERE random() < 0.5;',
    ],
    ['are grouped by', 'INSERT INTO dw.t (id) SELECT (random() * 9)::int FROM stg.s GROUP BY 1;'],
    ['change rows', 'UPDATE dw.t SET amount = random();'],
    ['are samples', 'INSERT INTO dw.t SELECT id, code, amount FROM stg.s TABLESAMPLE system (10);'],
  ])('are refused where they %s', (_title, text) => {
    expect(refusals(statements(text)).map((line) => line.split(':')[0])).toEqual(['volatile 2']);
  });

  it('are refused where a later statement reads them', () => {
    const translation = statements(
      'INSERT INTO dw.t (id, amount) SELECT id, random() FROM stg.s;\nDELETE FROM dw.t WHERE amount > 1;',
    );
    expect(translation.refusals.map(({ code }) => code)).toEqual(['volatile']);
  });
});
