import { expect, test } from 'vitest';
import { parameterValues } from '../../../src/core/plan/parameter-values.ts';

const PARAMETERS = [
  { name: 'p_day', defaultSql: null },
  { name: 'p_full', defaultSql: 'false' },
  { name: 'p_region', defaultSql: null },
];

function values(args: readonly [string | null, string][], shared: Record<string, string> = {}) {
  const procedure = { arguments: args.map(([parameter, sql]) => ({ parameter, sql })) };
  return parameterValues(
    procedure,
    { proof: { maxRows: 1, rows: 'target', parameters: shared } },
    PARAMETERS,
  );
}

test('values come by place, by name, and from the settings, in this order of weight', () => {
  expect(
    values(
      [
        [null, '1'],
        ['p_region', "'N'"],
      ],
      { p_day: '2', p_region: "'S'", p_other: '3' },
    ),
  ).toEqual({
    values: { p_day: '1', p_region: "'N'" },
    missing: [],
    unknown: [],
  });
  expect(values([], { p_day: '2' })).toEqual({
    values: { p_day: '2' },
    missing: ['p_region'],
    unknown: [],
  });
});

test('values without a parameter are named', () => {
  expect(
    values([
      [null, '1'],
      [null, '2'],
      [null, '3'],
      [null, '4'],
      ['p_x', '5'],
    ]),
  ).toEqual({
    values: { p_day: '1', p_full: '2', p_region: '3' },
    missing: [],
    unknown: ['4', 'p_x'],
  });
});
