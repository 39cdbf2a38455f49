import { describe, expect, test } from 'vitest';
import type { Routine } from '../../../src/core/catalog/types.ts';
import { rate } from '../../../src/core/graph/rating.ts';
import type { RatingInput } from '../../../src/core/graph/rating.ts';
import { makeRefusal } from '../../../src/core/translate/refusals.ts';
import type { RefusalCode } from '../../../src/core/translate/refusals.ts';
import type { TranslatedModel, Translation } from '../../../src/core/translate/types.ts';

const routine: Routine = {
  name: { schema: 'dw', name: 'load' },
  kind: 'procedure',
  language: 'plpgsql',
  parameters: [],
  returns: null,
  returnsSet: false,
  body: '',
  definition: '',
  settings: {},
  volatility: 'volatile',
  isTrigger: false,
  comment: null,
};

const model: TranslatedModel = {
  table: { schema: 'dw', name: 'sales' },
  columns: [],
  materialization: 'table',
  query: { ctes: [], final: [] },
  incremental: null,
  buildAfter: [],
  intermediate: false,
  lines: { first: 1, last: 2 },
};

const translation: Translation = {
  routine: 'dw.load()',
  outcome: 'models',
  models: [model],
  tests: [],
  parameters: [],
  refusals: [],
  notes: [],
  branches: [],
  calls: [],
  reads: [],
  writes: [model.table],
  logTables: [],
};

const input: RatingInput = {
  routine,
  translation,
  problems: [],
  cycles: [],
  unordered: [],
  argumentsKnown: false,
};

const refused = (...codes: RefusalCode[]): Translation => ({
  ...translation,
  outcome: 'refused',
  models: [],
  refusals: codes.map((code, at) =>
    makeRefusal(code, { line: at + 3, construct: 'x' }, `${code}.`),
  ),
});

describe('Likely', () => {
  test.each([
    [{}, 'table'],
    [{ materialization: 'rebuild' }, 'rebuilt over its own rows'],
    [
      {
        materialization: 'rebuild',
        incremental: { strategy: 'append', uniqueKey: [], query: model.query },
      },
      'append',
    ],
    [
      {
        materialization: 'rebuild',
        incremental: { strategy: 'merge', uniqueKey: ['id'], query: model.query },
      },
      'merge by key',
    ],
  ] satisfies [Partial<TranslatedModel>, string][])(
    'says what comes of it: %o',
    (changed, text) => {
      const models = [{ ...model, ...changed }];
      expect(rate({ ...input, translation: { ...translation, models } })).toEqual({
        rating: 'Likely',
        reasons: [text],
      });
    },
  );

  test.each([
    ['checks', 'becomes tests'],
    ['calls', 'only calls others'],
    ['nothing', 'leaves nothing behind'],
  ] as const)('also without a model: %s', (outcome, text) => {
    const without = { ...translation, outcome, models: [] };
    expect(rate({ ...input, translation: without })).toEqual({ rating: 'Likely', reasons: [text] });
  });
});

describe('Possible', () => {
  const possible = (changed: Partial<RatingInput>): readonly string[] => {
    const { rating, reasons } = rate({ ...input, ...changed });
    expect(rating).toBe('Possible');
    return reasons;
  };

  test('a value is needed that nobody has given', () => {
    const parameters = [
      { name: 'p_day', type: 'date', mode: 'in', defaultSql: null },
      { name: 'p_limit', type: 'integer', mode: 'in', defaultSql: '10' },
      { name: 'p_out', type: 'integer', mode: 'out', defaultSql: null },
    ] as const;
    const changed = { routine: { ...routine, parameters } };
    expect(possible(changed)).toEqual(['needs a value for p_day in Arguments']);
    expect(rate({ ...input, ...changed, argumentsKnown: true }).rating).toBe('Likely');
  });

  test('another writes the same table', () => {
    const table = { schema: 'dw', name: 'sales' };
    const writers = ['dw.other()', 'dw.load()'];
    expect(possible({ unordered: [{ table, writers, reason: 'no-order' }] })).toEqual([
      'dw.other() writes dw.sales too: put the rows in the order in which they run',
    ]);
  });

  test('a column can not be proven, the result is ambiguous, effects are unclear', () => {
    const column = { name: 'id', type: null, baseType: null, surrogate: false };
    const models = [{ ...model, columns: [{ ...column, unprovable: 'random()' }] }];
    const notes = [
      { kind: 'left-out', line: 2, message: 'Nothing.' },
      { kind: 'author-bug', line: 7, message: 'All rows are changed.' },
    ] as const;
    const problem = {
      construct: '',
      advice: '',
      code: 'hidden-writer',
      line: 4,
      message: 'It fires.',
    };
    expect(
      possible({
        translation: { ...translation, models, notes },
        problems: [{ ...problem, code: 'hidden-writer' }],
      }),
    ).toEqual([
      'line 4: It fires',
      "sales.id can't be proven: random()",
      'line 7: All rows are changed',
    ]);
  });
});

describe('Unlikely and Manual', () => {
  test('what a change of a statement would mend, and what not', () => {
    expect(rate({ ...input, translation: refused('loop') })).toEqual({
      rating: 'Unlikely',
      reasons: ['line 3: loop'],
    });
    expect(rate({ ...input, translation: refused('language') }).rating).toBe('Manual');
    expect(rate({ ...input, translation: refused('loop', 'dynamic-sql') }).rating).toBe('Manual');
  });

  test('more than three reasons are counted', () => {
    const many = refused('loop', 'cursor', 'ddl', 'raise', 'volatile');
    expect(rate({ ...input, translation: many }).reasons).toEqual([
      'line 3: loop',
      'line 4: cursor',
      'line 5: ddl',
      'and 2 more',
    ]);
  });

  test('a cycle is named', () => {
    expect(rate({ ...input, cycles: [['dw.load()', 'dw.other()']] })).toEqual({
      rating: 'Unlikely',
      reasons: ['waits for itself: dw.load() → dw.other() → dw.load()'],
    });
  });
});
