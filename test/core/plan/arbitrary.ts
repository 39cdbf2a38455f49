/** Plan-like documents: every freedom that people take with a plan that still reads well. */
import * as fc from 'fast-check';
import { STATUSES } from '../../../src/core/lifecycle/state.ts';
import { escapeCell } from '../../../src/core/plan/cell-writing.ts';
import { statusText } from '../../../src/core/plan/edit.ts';
import { FRONT_MATTER } from './sample.ts';

interface SampleRow {
  readonly id: string;
  readonly status: string;
}

export interface SamplePlan {
  readonly text: string;
  readonly pipelines: readonly SampleRow[];
  readonly procedures: readonly SampleRow[];
}

export const status = fc.record({
  status: fc.constantFrom(...STATUSES),
  detail: fc.option(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.string({
        unit: fc.constantFrom('|', '\\', '`', '_', '*', '<', '&amp;', ' ', 'a', '[', ']', '-->'),
        maxLength: 12,
      }),
    ),
  ),
});

interface Style {
  readonly newline: string;
  readonly pipes: boolean;
  readonly padding: string;
  readonly aligned: boolean;
  readonly extra: boolean;
  readonly order: number;
}

const style: fc.Arbitrary<Style> = fc.record({
  newline: fc.constantFrom('\n', '\r\n'),
  pipes: fc.boolean(),
  padding: fc.constantFrom('', ' ', '  ', '\t'),
  aligned: fc.boolean(),
  extra: fc.boolean(),
  order: fc.nat({ max: 5 }),
});

const prose = fc.constantFrom(
  '',
  'Some words.  ',
  '<!-- | yes | dw.ghost() | Pending | -->',
  '- a list\n  - of two',
  '```sql\n| Include | Procedure | Status |\n|---|---|---|\n| yes | dw.ghost() | Pending |\n```',
  '> | a | b |\n> |---|---|',
  '| unrelated | table |\n|---|---|\n| 1 | 2 |',
);

const cell = fc.constantFrom(
  '',
  'x',
  '`a \\| b`',
  'a \\| b',
  '**bold**',
  'text <!-- note -->',
  '\\\\',
);
const rowCount = fc.integer({ min: 0, max: 5 });

export const samplePlan: fc.Arbitrary<SamplePlan> = fc
  .record({
    style,
    before: prose,
    between: prose,
    after: prose,
    bom: fc.boolean(),
    finalNewline: fc.boolean(),
    cells: fc.infiniteStream(cell),
    statuses: fc.infiniteStream(status),
    pipelines: rowCount,
    procedures: rowCount,
  })
  .map((made) => {
    const { newline } = made.style;
    const statuses = () => {
      const next = made.statuses.next().value;
      return next === undefined ? '' : statusText(next.status, next.detail);
    };
    // Without a pipe before it, an empty first cell would be none.
    const filler = () => String(made.cells.next().value) || (made.style.pipes ? '' : 'none');
    const pipelines = Array.from({ length: made.pipelines }, (_, i) => ({
      id: `src.t${i}`,
      status: statuses(),
    }));
    const procedures = Array.from({ length: made.procedures }, (_, i) => ({
      id: `dw.load_${i}(integer)`,
      status: statuses(),
    }));
    const tables = [
      table('Pipelines', made.style, filler, pipelines, ({ id, status: text }) => ({
        Include: 'yes',
        Source: id,
        Target: id.replace('src', 'raw'),
        Status: escapeCell(text),
      })),
      table('Procedures', made.style, filler, procedures, ({ id, status: text }) => ({
        Include: 'no',
        Procedure: `\`${id}\``,
        Status: escapeCell(text),
      })),
    ];
    const body = [
      FRONT_MATTER,
      made.before,
      '',
      tables[0],
      '',
      made.between,
      '',
      tables[1],
      '',
      made.after,
    ]
      .join('\n')
      .replaceAll('\n', newline);
    const text = `${made.bom ? '\uFEFF' : ''}${made.finalNewline ? body : body.trimEnd()}`;
    return { text, pipelines, procedures };
  });

function table(
  title: string,
  { pipes, padding, aligned, extra, order }: Style,
  filler: () => string,
  rows: readonly SampleRow[],
  cells: (row: SampleRow) => Readonly<Record<string, string>>,
): string {
  const names = Object.keys(cells({ id: '', status: '' }));
  const columns = extra ? [...names, 'Owner', 'Note'] : names;
  const ordered = [
    ...columns.slice(order % columns.length),
    ...columns.slice(0, order % columns.length),
  ];
  const grid = [ordered, ...rows.map((row) => ordered.map((name) => cells(row)[name] ?? filler()))];
  const width = (index: number) => Math.max(...grid.map((line) => line[index]?.length ?? 0));
  const line = (texts: readonly string[]) => {
    const padded = texts.map(
      (text, at) => `${padding}${aligned ? text.padEnd(width(at)) : text}${padding}`,
    );
    return pipes ? `|${padded.join('|')}|` : padded.join('|').trimStart();
  };
  const dashes = `|${':-:|'.repeat(ordered.length)}`;
  const [header = [], ...rest] = grid;
  return [`## ${title}`, '', line(header), dashes, ...rest.map(line)].join('\n');
}
