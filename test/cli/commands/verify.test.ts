import { expect, test } from 'vitest';
import { verdictText } from '../../../src/cli/commands/verify.ts';

const VERDICT = {
  table: 'shop.t',
  target: 'raw.t',
  equal: false,
  sourceRows: 5,
  targetRows: 5,
  missing: 1,
  extra: 3,
  different: 1,
  shown: [
    {
      kind: 'missing',
      key: { id: '1' },
      columns: [
        { column: 'id', source: '1', target: null },
        { column: 'name', source: 'a "b"', target: null },
      ],
    },
    { kind: 'extra', key: { id: '9' }, columns: [{ column: 'id', source: null, target: '9' }] },
    {
      kind: 'different',
      key: { id: '2' },
      columns: [{ column: 'name', source: 'x', target: null }],
    },
  ],
} as const;

test('shows rows that one side lacks with their values, and of others what differs', () => {
  expect(verdictText(VERDICT).split('\n')).toEqual([
    'shop.t: 5 rows at the source, 5 in the target; 1 missing, 3 extra, 1 different',
    '  missing: id = "1", name = "a \\"b\\""',
    '  extra: id = "9"',
    '  different at id = "2" (source → target)',
    '    name: "x" → NULL',
    '  and 2 more',
  ]);
});

test('does not list a table that is not there yet', () => {
  expect(verdictText({ ...VERDICT, targetRows: 0, missing: 5, extra: 0, different: 0 })).toBe(
    'shop.t: 5 rows at the source, 0 in the target; 5 missing, 0 extra, 0 different\n' +
      '  The target holds none of them.',
  );
  expect(verdictText({ ...VERDICT, equal: true })).toBe('shop.t: equal, 5 rows');
});
