import { describe, expect, it } from 'vitest';
import { expectationOf } from '../../../../src/core/proof/unit-tests/expect.ts';
import { mostTelling } from '../../../../src/core/proof/unit-tests/pick.ts';
import type { FixtureRows } from '../../../../src/core/project/types.ts';

const table = (columns: string, ...rows: string[]): FixtureRows => ({
  columns: columns.split(' '),
  rows: rows.map((row) => row.split(' ').map((value) => (value === '-' ? null : value))),
});

describe('telling rows', () => {
  it('show other statuses and NULLs before more of the same', () => {
    const rows = ['paid', 'paid', 'paid', null, 'open'].map((status, id) => ({
      id: String(id),
      status,
    }));
    expect(mostTelling(rows, 3).map(({ id }) => id)).toEqual(['0', '3', '4']);
    expect(mostTelling(rows, 9)).toHaveLength(5);
    expect(mostTelling([], 3)).toEqual([]);
  });
});

describe('what a test expects', () => {
  const before = table('id v', '1 a', '2 b');
  const change = (after: FixtureRows) => ({ before, after });

  it('is everything, and what is new or changed, duplicates counted', () => {
    const after = table('id v', '1 a', '1 a', '2 c', '3 d');
    expect(expectationOf([change(after)], [])).toEqual({
      whole: after,
      changes: table('id v', '1 a', '2 c', '3 d'),
    });
  });

  it('leaves out columns that depend on the clock or the time zone, and those that it is told', () => {
    const at = (moment: string) => change(table('id v at', `1 a ${moment}`, `3 d ${moment}`));
    const found = expectationOf([at('monday'), at('tuesday')], ['v']);
    expect(found?.whole).toEqual(table('id', '1', '3'));
    expect(found?.changes).toEqual(table('id', '1', '3'));
  });

  it.each([
    ['rows come and go with the clock', [table('id v', '1 a'), table('id v', '1 a', '2 b')]],
    ['nothing has changed', [before]],
    ['nothing is left to compare', [table('id v', '1 a'), table('id v', '2 b')]],
    [
      'nobody would read so many',
      [table('id v', ...Array.from({ length: 30 }, (_, n) => `${n} a`))],
    ],
    ['nobody would read it', [table('id v', `1 ${'x'.repeat(300)}`)]],
  ])('is nothing where %s', (_, results) => {
    expect(expectationOf(results.map(change), [])).toBeNull();
  });

  it('is fewer rows where the procedure only removes some', () => {
    const after = table('id v', '1 a');
    expect(expectationOf([change(after)], [])).toEqual({
      whole: after,
      changes: { columns: ['id', 'v'], rows: [] },
    });
  });
});
