import { describe, expect, it } from 'vitest';
import { column, refusals, statements, table, withParser } from './catalog.ts';

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

  it('of a DEFAULT are named where a statement leaves the column out', () => {
    const uuid = column('uid', 'uuid', { defaultSql: 'gen_random_uuid()' });
    const keyed = table('dw.keyed', { id: 'integer', uid: uuid });
    const unprovable = (text: string): readonly boolean[] | undefined =>
      statements(text, { extra: [keyed] }).models[0]?.columns.map(
        (found) => found.unprovable !== null,
      );
    expect(unprovable('INSERT INTO dw.keyed (id) SELECT id FROM stg.s;')).toEqual([false, true]);
    expect(unprovable('INSERT INTO dw.keyed VALUES (1, DEFAULT);')).toEqual([false, true]);
    expect(unprovable('INSERT INTO dw.keyed SELECT id, NULL FROM stg.s;')).toEqual([false, false]);
    expect(
      unprovable(
        'MERGE INTO dw.keyed k USING stg.s s ON s.id = k.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id);',
      ),
    ).toEqual([false, true]);
  });
});
