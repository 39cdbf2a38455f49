import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { setInclude, setStatus } from '../../../src/core/plan/edit.ts';
import type { StatusChange } from '../../../src/core/plan/edit.ts';
import { parsePlan } from '../../../src/core/plan/parse.ts';
import { samplePlan, status } from './arbitrary.ts';
import { FRONT_MATTER, SAMPLE } from './sample.ts';

const FACT = 'dw.load_fact_sales(date, boolean)';

test('only the cells that change are written', () => {
  const { text, notFound } = setStatus(SAMPLE, [
    { kind: 'procedure', id: FACT, status: 'Completed', detail: null },
    { kind: 'procedure', id: 'dw.Odd | name()', status: 'Failed', detail: 'a | b\n`c` <b> _x_' },
    { kind: 'pipeline', id: 'sales.lines', status: 'Running', detail: '1,204 rows' },
    { kind: 'procedure', id: 'dw.gone()', status: 'Completed', detail: null },
  ]);
  expect(notFound).toEqual([{ kind: 'procedure', id: 'dw.gone()' }]);
  const changed = text.split('\n').filter((line, index) => line !== SAMPLE.split('\n')[index]);
  expect(changed).toEqual([
    '| no | sales.lines | raw.lines | order_id, "line no" | load | Running: 1,204 rows |',
    "| yes | dw.load_fact_sales(date, boolean) | p_day => date '2024-01-31' | dw.fact_sales, dw.agg | dw.load_dim_customer(), raw.orders | Possible: reads its own table | Ben \\| Cem | Completed |",
    '| No | `dw."Odd \\| name"()` | | | | Manual: EXECUTE (line 3) | | Failed: a \\| b \\`c\\` \\<b\\> \\_x\\_ |',
  ]);
  expect(parsePlan(text).plan?.procedures[2]?.status).toEqual({
    status: 'Failed',
    detail: 'a | b `c` <b> _x_',
  });
});

test('included rows are switched', () => {
  const { text } = setInclude(SAMPLE, [
    { kind: 'procedure', id: FACT, include: false },
    { kind: 'pipeline', id: 'sales.lines', include: true },
  ]);
  const { plan } = parsePlan(text);
  expect(plan?.procedures.map((procedure) => procedure.include)).toEqual([true, false, false]);
  expect(plan?.pipelines.map((pipeline) => pipeline.include)).toEqual([true, true]);
});

test('a word that already says it stays as it is typed', () => {
  const { text } = setInclude(SAMPLE.replace('| No |', '|  no|'), [
    { kind: 'procedure', id: 'dw.Odd | name()', include: false },
  ]);
  expect(text).toContain('|  no| `dw.');
});

test('columns stay aligned as far as the header is wide', () => {
  const text = [
    FRONT_MATTER,
    '## Procedures',
    '| Include | Procedure | Status                |',
    '|---------|-----------|-----------------------|',
    '| yes     | dw.a()    | Pending               |',
    '| yes     | dw.b()    |                       |',
  ].join('\n');
  const edited = setStatus(text, [
    { kind: 'procedure', id: 'dw.a()', status: 'Completed', detail: null },
    { kind: 'procedure', id: 'dw.b()', status: 'Blocked', detail: 'waits for dw.load_something()' },
  ]).text;
  expect(edited.split('\n').slice(-2)).toEqual([
    '| yes     | dw.a()    | Completed             |',
    '| yes     | dw.b()    | Blocked: waits for dw.load_something() |',
  ]);
});

test('a row without outer pipes gets none', () => {
  const text = `${FRONT_MATTER}## Procedures\nInclude | Procedure | Status\n--|--|--\nyes | dw.a() | Pending  \nno | dw.b() |\n`;
  const edited = setStatus(text, [
    { kind: 'procedure', id: 'dw.a()', status: 'Completed', detail: null },
    { kind: 'procedure', id: 'dw.b()', status: 'Skipped', detail: null },
  ]).text;
  expect(edited).toContain('yes | dw.a() | Completed  \nno | dw.b() | Skipped\n');
});

test('a plan with problems is edited as far as its rows are found', () => {
  const text = SAMPLE.replace('sprocket: 1', 'sprocket: [').replace(
    '| yes | sales.orders',
    '| ja | sales.orders',
  );
  const change: StatusChange = {
    kind: 'pipeline',
    id: 'sales.orders',
    status: 'Running',
    detail: null,
  };
  const edited = setStatus(text, [change]);
  expect(edited.notFound).toEqual([]);
  expect(edited.text).toContain(
    '| ja | sales.orders | raw.orders | id | load + changes | Running |',
  );
});

test('no change, and any change to what is there already, leave every byte', () => {
  fc.assert(
    fc.property(samplePlan, ({ text, pipelines, procedures }) => {
      const { plan, problems } = parsePlan(text);
      expect(problems).toEqual([]);
      const changes: StatusChange[] = [
        ...(plan?.pipelines ?? []).map((row) => ({
          kind: 'pipeline' as const,
          id: row.id,
          ...row.status,
        })),
        ...(plan?.procedures ?? []).map((row) => ({
          kind: 'procedure' as const,
          id: row.id,
          ...row.status,
        })),
      ];
      expect(changes).toHaveLength(pipelines.length + procedures.length);
      expect(setStatus(text, [])).toEqual({ text, notFound: [] });
      expect(setStatus(text, changes)).toEqual({ text, notFound: [] });
    }),
  );
});

test('an edited plan says what was written, and nothing else in it changed', () => {
  fc.assert(
    fc.property(samplePlan, status, fc.nat(), fc.boolean(), (sample, wanted, at, ofPipeline) => {
      const rows = ofPipeline ? sample.pipelines : sample.procedures;
      const id = rows[at % Math.max(1, rows.length)]?.id;
      fc.pre(id !== undefined);
      const kind = ofPipeline ? 'pipeline' : 'procedure';
      const edited = setStatus(sample.text, [{ kind, id, ...wanted }]).text;
      const before = parsePlan(sample.text).plan;
      const after = parsePlan(edited).plan;
      const detail = wanted.detail?.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim() ?? '';
      const expected = { status: wanted.status, detail: detail === '' ? null : detail };
      const change = <T extends { id: string }>(row: T) =>
        row.id === id ? { ...row, status: expected } : row;
      expect(after).toEqual({
        ...before,
        pipelines: ofPipeline ? before?.pipelines.map(change) : before?.pipelines,
        procedures: ofPipeline ? before?.procedures : before?.procedures.map(change),
      });
      const lines = (text: string) => text.split(/(?<=\n)/u);
      const differing = lines(edited).filter((line, index) => line !== lines(sample.text)[index]);
      expect(differing.length).toBeLessThanOrEqual(1);
    }),
  );
});

test('the text depends on the last status only, not on those in between', () => {
  fc.assert(
    fc.property(
      samplePlan,
      fc.array(status, { minLength: 1, maxLength: 4 }),
      status,
      (sample, between, last) => {
        const id = sample.procedures[0]?.id;
        fc.pre(
          id !== undefined &&
            parsePlan(sample.text).plan?.procedures[0]?.status.status !== last.status,
        );
        const set = (text: string, to: typeof last) =>
          setStatus(text, [{ kind: 'procedure', id, ...to }]).text;
        const direct = set(sample.text, last);
        expect(set(between.reduce(set, sample.text), last)).toBe(direct);
      },
    ),
  );
});
