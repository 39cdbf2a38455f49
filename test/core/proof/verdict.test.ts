import { describe, expect, it } from 'vitest';
import { firstMoment, roundClocks } from '../../../src/core/proof/clock.ts';
import { pairRows } from '../../../src/core/proof/compare/pairs.ts';
import type {
  ComparedTable,
  RoundRecord,
  RoutineRecord,
  SideError,
} from '../../../src/core/proof/record.ts';
import { verdictOf } from '../../../src/core/proof/verdict.ts';
import type { VerdictInput } from '../../../src/core/proof/verdict.ts';
import type {
  ModelColumn,
  TranslatedModel,
  Translation,
} from '../../../src/core/translate/types.ts';
import { procedure } from './catalog.ts';

const t = { schema: 's', name: 't' };

function modelOf(columns: readonly Partial<ModelColumn>[] = [{}]): TranslatedModel {
  return {
    table: t,
    columns: columns.map((column) => ({
      name: 'a',
      type: 'integer',
      baseType: 'integer',
      surrogate: false,
      unprovable: null,
      ...column,
    })),
    materialization: 'table',
    query: { ctes: [], final: [] },
    incremental: null,
    buildAfter: [],
    intermediate: false,
    lines: { first: 2, last: 2 },
  };
}

function translationOf(parts: Partial<Translation> = {}): Translation {
  return {
    routine: 's.p()',
    outcome: 'models',
    models: [modelOf()],
    tests: [],
    parameters: [],
    refusals: [],
    notes: [],
    branches: [],
    calls: [],
    reads: [],
    writes: [t],
    logTables: [],
    ...parts,
  };
}

function compared(parts: Partial<ComparedTable> = {}): ComparedTable {
  const base = { table: t, rows: 3, equal: true, changed: true, renamed: false, close: false };
  return { ...base, problem: null, differences: [], ...parts };
}

function round(parts: Partial<RoundRecord> = {}): RoundRecord {
  return {
    name: 'data as given',
    kind: 'given',
    scope: 'alone',
    procedureError: null,
    modelError: null,
    ambiguities: [],
    tables: [compared()],
    ...parts,
  };
}

function error(code: string, parts: Partial<SideError> = {}): SideError {
  return { message: 'it fails', code, line: 2, dynamic: false, ...parts };
}

function verdict(
  rounds: readonly RoundRecord[],
  parts: Partial<Omit<VerdictInput, 'record'>> & { readonly record?: Partial<RoutineRecord> } = {},
) {
  const record = {
    routine: 's.p()',
    rounds,
    orderDependence: null,
    fault: null,
    branches: { reached: 0, total: 0 },
  };
  return verdictOf({
    routine: procedure('p', 'BEGIN\n  INSERT INTO t SELECT 1;\nEND'),
    translation: translationOf(),
    givenError: null,
    madeUp: false,
    models: ['t'],
    parameters: [],
    remarks: [],
    seconds: 1,
    ...parts,
    record: { ...record, ...parts.record },
  });
}

const refusal = { code: 'x', line: 1, construct: 'c', message: 'm', advice: 'a' };
const refused = translationOf({ outcome: 'refused', refusals: [refusal], models: [] });

describe('a verdict', () => {
  it('is proven where all rounds are equal and rows have changed', () => {
    expect(
      verdict([round(), round({ tables: [compared({ changed: false, rows: 4 })] })]),
    ).toMatchObject({
      outcome: 'proven',
      rounds: 2,
      rows: 7,
      reasons: [],
    });
  });

  it('is never proven where no row has changed, or nothing could be compared', () => {
    const still = round({ tables: [compared({ changed: false })] });
    expect(verdict([still, still])).toMatchObject({
      outcome: 'refused',
      reasons: [{ message: expect.stringContaining('nothing is proven') }],
    });
    expect(verdict([])).toMatchObject({ outcome: 'refused' });
    const blind = translationOf({ models: [modelOf([{ unprovable: 'random' }])] });
    expect(verdict([round()], { translation: blind })).toMatchObject({
      outcome: 'refused',
      leftOut: [{ column: 's.t.a', reason: 'random' }],
    });
  });

  it('is proven without changed rows where none are to change', () => {
    const still = round({ tables: [] });
    for (const outcome of ['checks', 'calls', 'nothing'] as const) {
      const translation = translationOf({ outcome, models: [] });
      expect(verdict([still], { translation }).outcome).toBe('proven');
    }
  });

  it('is a mismatch where rows differ or only one side fails, and says in which round', () => {
    const differences = [{ table: t, round: 'r', procedure: { a: '1' }, model: { a: null } }];
    const rows = verdict([
      round(),
      round({ name: 'second run', tables: [compared({ equal: false, differences })] }),
    ]);
    expect(rows).toMatchObject({
      outcome: 'mismatch',
      differences,
      reasons: [{ message: expect.stringMatching(/second run.*\(a=1\).*\(a=NULL\)/u) }],
    });
    expect(verdict([round(), round({ modelError: 'no' })])).toMatchObject({ outcome: 'mismatch' });
    const oneSided = round({ kind: 'changed', procedureError: error('22012') });
    expect(verdict([round(), oneSided])).toMatchObject({
      outcome: 'mismatch',
      reasons: [{ line: 2, construct: 'INSERT INTO t SELECT 1;' }],
    });
    const both = round({
      kind: 'changed',
      procedureError: error('22012'),
      modelError: 'it fails, too',
      tables: [],
    });
    expect(verdict([round(), both])).toMatchObject({ outcome: 'proven', rows: 3 });
  });

  it('is broken where it fails on the data as given, and where its text is wrong whatever the data', () => {
    const failed = round({ procedureError: error('22012'), modelError: 'x', tables: [] });
    expect(verdict([failed], { givenError: error('22012') }).outcome).toBe('broken');
    expect(verdict([failed], { givenError: error('22012'), madeUp: true }).outcome).toBe('refused');
    expect(verdict([failed], { givenError: error('42703'), madeUp: true })).toMatchObject({
      outcome: 'broken',
      reasons: [{ line: 2, message: 'It fails on the source: it fails' }],
    });
  });

  it('of a refused procedure tells whether it is broken or nondeterministic besides', () => {
    expect(verdict([], { translation: refused })).toMatchObject({
      outcome: 'refused',
      reasons: [{ message: 'm' }],
    });
    const at = (givenError: SideError) => verdict([], { translation: refused, givenError }).outcome;
    expect(at(error('42P01'))).toBe('broken');
    expect(at(error('42P01', { dynamic: true }))).toBe('refused');
    expect(at(error('42883'))).toBe('refused');
    expect(at(error('22012'))).toBe('refused');
    const orderDependence = { round: 'r', table: t, differences: [] };
    expect(verdict([], { translation: refused, record: { orderDependence } }).outcome).toBe(
      'nondeterministic',
    );
  });

  it('is nondeterministic before it is a mismatch, and names the table and the rows that tie', () => {
    const differences = [{ table: t, round: 'r', procedure: { a: '1' }, model: { a: '2' } }];
    const orderDependence = { round: 'r', table: t, differences };
    const unequal = round({ tables: [compared({ equal: false })] });
    expect(verdict([unequal], { record: { orderDependence } })).toMatchObject({
      outcome: 'nondeterministic',
      differences,
      reasons: [{ message: expect.stringMatching(/s\.t.*\(a=1\) or \(a=2\)/u) }],
    });
    expect(verdict([round({ ambiguities: ['two rows for one key'] })])).toMatchObject({
      outcome: 'nondeterministic',
      reasons: [{ message: expect.stringContaining('two rows for one key') }],
    });
  });

  it('is an error where Sprocket itself has failed, whatever else was seen', () => {
    expect(verdict([round()], { record: { fault: 'oops' } })).toMatchObject({
      outcome: 'error',
      reasons: [{ message: 'oops' }],
    });
  });
});

describe('the proof’s clock', () => {
  it('goes on from round to round, with microseconds', () => {
    expect(roundClocks(new Date('2024-02-28T23:00:00Z'), 4)).toEqual([
      '2024-02-28 23:00:00.123456+00',
      '2024-02-29 00:00:00.123456+00',
      '2024-03-01 00:00:00.123456+00',
      '2024-03-02 00:00:00.123456+00',
    ]);
  });

  it('begins late on the day of the newest data, never after the present', () => {
    const now = new Date('2024-06-01T12:00:00Z');
    const at = (...days: string[]) =>
      firstMoment(
        days.map((day) => new Date(day)),
        now,
      ).toISOString();
    expect(at('2023-05-05T00:00:00Z', '2023-05-04T10:00:00Z')).toBe('2023-05-05T23:00:00.000Z');
    expect(at('2024-06-01T10:00:00Z')).toBe(now.toISOString());
  });

  it('is the same on every day where no data are dated', () => {
    const on = (now: string, ...newest: Date[]) => firstMoment(newest, new Date(now));
    const first = on('2024-06-01T12:00:00Z');
    expect(on('2031-01-01T00:00:00Z')).toEqual(first);
    expect(on('2031-01-01T00:00:00Z', new Date('9999-12-31T00:00:00Z'))).toEqual(first);
  });
});

describe('rows that differ', () => {
  it('stand side by side only with rows that are theirs', () => {
    const rows = {
      columns: ['k', 'a'],
      procedure: [
        ['1', 'x'],
        ['2', 'y'],
      ],
      model: [['2', 'z']],
    };
    expect(pairRows(t, 'r', rows, ['k'])).toEqual([
      { table: t, round: 'r', procedure: { k: '1', a: 'x' }, model: null },
      { table: t, round: 'r', procedure: { k: '2', a: 'y' }, model: { k: '2', a: 'z' } },
    ]);
  });
});
