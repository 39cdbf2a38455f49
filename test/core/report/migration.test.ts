import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteLength } from '../../../src/core/report/markdown.ts';
import { migrationMarkdown } from '../../../src/core/report/migration.ts';
import { outcomeOf } from '../../../src/core/report/migration-types.ts';
import type { MigrationReport } from '../../../src/core/report/migration-types.ts';
import { parseMarkdown } from '../plan/markdown-oracle.ts';
import { entry, REPORT, translation, verdict } from './migration-sample.ts';

const EMPTY: MigrationReport = {
  plan: 'p',
  project: '.',
  maxRows: null,
  entries: [],
  notIncluded: [],
  variables: [],
  problems: [],
};

function headings(text: string): string[] {
  return parseMarkdown(text).children.flatMap((node) =>
    node.type === 'heading' && node.depth === 2
      ? node.children.flatMap((child) => (child.type === 'text' ? [child.value] : []))
      : [],
  );
}

test('a summary says first what needs a person, then all procedures, then the details', () => {
  expect(migrationMarkdown(REPORT, Number.POSITIVE_INFINITY)).toMatchInlineSnapshot(`
    "# Migration of sales-warehouse

    7 stored procedures became 5 dbt models: **3** proven equal, **1** proven equal, with a person's model, **1** accepted by a person, **1** skipped, **1** refused.

    The proofs compared **1,206,739 rows** in 12 rounds, in 17s. Of larger tables 100,000 rows were taken, and all rows that they refer to. *Proven* means: the procedure and its models ran on the same rows, several times over with unchanged and with changed input, and after every round each table that the procedure writes held the same rows on both sides, duplicates and NULLs counted. Lines below are those of the procedure's body.

    ## For your review

    ### Proven (manual): \`dw.load_by_hand()\`

    The model is written by a person, and was built and proven in place of the generated one. Taken over by \`bea\` on 2024-01-31.

    ### Accepted: \`dw.load_random()\`

    A person took this model without a proof. Accepted by \`ann\` on 2024-01-31: the draw is @&#8203;random by intent.

    \`\`\`text
    dw.random, round "first run": 1 row differs
      row 1
        column  procedure  model
        id      1          1
      * draw    0.25       0.75
    \`\`\`

    ### Refused: \`dw.export_all()\`

    Not translated: a faithful translation of the following is not known to Sprocket.

    | Line | Construct | Why | What to do |
    |---:|---|---|---|
    | 12 | <code>COPY dw.sales TO '/tmp/x' &#124; gzip</code> | COPY writes a file. | Load the file with a pipeline. |

    ### Skipped: \`dw.load_old()\`

    Left out. Models that read its tables read them as dbt sources; something else must fill them. Skipped by \`ann\`: Not used any more.

    ## To do before the first run

    - \`dw.sales\`: The model stg_sales builds this table too. Delete one of them.

    ## Procedures

    |  | Procedure | Outcome | Models | Rounds | Rows | Seconds | Branches |
    |---|---|---|---|---:|---:|---:|---:|
    | ✅ | \`dw.load_dim_customer()\` | Proven | \`dim_customer\` | 3 | 1,203,127 | 4.2 | 2 of 3 |
    | ✅ | \`dw.load_sales(date)\` | Proven | \`sales\`, \`sales_by_day\` | 3 | 1,204 | 4.2 |  |
    | ✅ | \`dw.check_sales()\` | Proven | none: only checks, now dbt tests | 3 | 1,204 | 4.2 |  |
    | ✅ | \`dw.load_by_hand()\` | Proven (manual) | \`by_hand\` | 3 | 1,204 | 4.2 |  |
    | ☑️ | \`dw.load_random()\` | Accepted | \`random\` | 3 | 1,204 | 4.2 |  |
    | ✋ | \`dw.export_all()\` | Refused |  |  |  |  |  |
    | ⏭️ | \`dw.load_old()\` | Skipped |  |  |  |  |  |

    ## Worth knowing about the procedures

    The models do what the procedures did, also where that looks unintended.

    - \`dw.load_dim_customer()\`, line 14 (possible bug, kept as it is): The UPDATE has no join condition; it changes &#60;all&#62; rows.

    ## Left out on purpose

    - \`dw.load_log\`: a log. It only gets row counts, times and messages, from \`dw.load_dim_customer()\`, \`dw.load_sales(date)\`. If it holds data, name it under \`data_tables\` in the plan.
    - \`dw.load_sales(date)\`: column \`dw.sales.token\` was not compared: random()
    - \`dw.load_dim_customer()\`, line 20 (left out): The notice is not repeated.

    ## Not included in the plan

    - \`dw.vacuum_all()\`: only maintenance

    ## Parameters

    Parameters became dbt variables that hold SQL expressions. Set them in \`dbt_project.yml\` or with \`--vars\`.

    | Variable | Type | Value | Parameter |
    |---|---|---|---|
    | \`p_day\` | \`date\` | **needed** | \`p_day\` of \`dw.load_sales(date)\` |
    | \`p_full\` |  | \`false\` | \`p_full\` of \`dw.load_sales(date)\` |

    ## How to run

    \`\`\`shell
    cd transform
    dbt build --vars '{"p_day": "…"}'
    dbt build --vars '{"p_day": "…"}' --select dim_customer   # one model with its tests
    \`\`\`

    Each model builds the table that its procedure wrote, under the same schema and name: what reads these tables notices nothing. Stop the schedule of the procedures before the first build; keep them until you are content.
    "
  `);
});

test('a migration that is proven through and through is short', () => {
  const report = {
    ...EMPTY,
    entries: [entry('dw.a()', { models: [{ name: 'a', path: 'models/a.sql' }] })],
  };
  const text = migrationMarkdown(report, Number.POSITIVE_INFINITY);
  expect(headings(text)).toEqual(['Procedures', 'How to run']);
  expect(text).toContain('1 stored procedure became 1 dbt model: **1** proven equal.');
  expect(text).toContain(
    '```shell\ndbt build\ndbt build --select a   # one model with its tests\n```',
  );
});

test('a migration of nothing is said to be that', () => {
  expect(migrationMarkdown(EMPTY, 8000)).toBe(
    '# Migration of p\n\n0 stored procedures became 0 dbt models.\n',
  );
});

test.each([
  [{}, 'Proven'],
  [{ verdict: null }, 'Not proven'],
  [{ verdict: null, translation: translation('x', { outcome: 'refused' }) }, 'Refused'],
  [{ verdict: verdict('x', { outcome: 'refused' }) }, 'Refused'],
  [{ verdict: verdict('x', { outcome: 'broken' }) }, 'Broken'],
  [{ verdict: verdict('x', { outcome: 'error' }) }, 'Error'],
  [{ verdict: verdict('x', { outcome: 'mismatch' }) }, 'Differs'],
  [{ verdict: verdict('x', { outcome: 'nondeterministic' }) }, 'Nondeterministic'],
  [{ decision: { kind: 'manual', by: 'a', at: null, reason: null } }, 'Proven (manual)'],
  [{ decision: { kind: 'accept', by: 'a', at: null, reason: null } }, 'Accepted'],
  [{ decision: { kind: 'skip', by: 'a', at: null, reason: null } }, 'Skipped'],
] as const)('%j is %s', (some, outcome) => {
  expect(outcomeOf(entry('x', some))).toBe(outcome);
});

function large(count: number): MigrationReport {
  const entries = Array.from({ length: count }, (_, i) => {
    const name = `dw.load_table_number_${i}(integer)`;
    const sample = REPORT.entries[i % REPORT.entries.length];
    return { ...(sample ?? entry(name)), name };
  });
  return {
    ...REPORT,
    entries,
    variables: entries.map(({ name }, i) => ({
      name: `p_${i}`,
      routine: name,
      parameter: 'p',
      value: '1',
    })),
    notIncluded: entries.map(({ name }) => ({ name, reason: null })),
    problems: entries.map(({ name }) => ({ subject: name, message: 'A point.', advice: 'Do it.' })),
  };
}

test('ten thousand procedures fit a pull request, and what is left out is counted', () => {
  const text = migrationMarkdown(large(10_000), 65_535);
  expect(byteLength(text)).toBeLessThanOrEqual(65_535);
  expect(byteLength(text)).toBeGreaterThan(63_000);
  expect(headings(text)).toEqual(headings(migrationMarkdown(REPORT, Number.POSITIVE_INFINITY)));
  const rows = text.match(/^\| [✅☑⏭✋❌]/gmu)?.length ?? 0;
  const left = /… and ([\d,]+) more procedures; MIGRATION.md has them all.\n\n## Worth/u.exec(
    text,
  )?.[1];
  expect(rows + Number(left?.replaceAll(',', ''))).toBe(10_000);
});

test('whatever the limit, the summary stays within it and keeps its parts', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 8000, max: 60_000 }),
      fc.integer({ min: 1, max: 80 }),
      (limit, count) => {
        const text = migrationMarkdown(large(count), limit);
        expect(byteLength(text)).toBeLessThanOrEqual(limit);
        expect(headings(text)).toContain('Procedures');
        expect(headings(text)).toContain('How to run');
      },
    ),
    { numRuns: 30 },
  );
});

test('names and messages stay text', () => {
  const hostile = '`|</details><script>\n# x\n@ann ```\n';
  const report: MigrationReport = {
    ...EMPTY,
    entries: [
      entry(hostile, {
        models: [{ name: hostile, path: hostile }],
        translation: translation(hostile, {
          parameters: [{ name: hostile, type: hostile, defaultSql: null }],
          notes: [{ kind: 'general', line: 1, message: hostile }],
          logTables: [{ schema: hostile, name: hostile }],
        }),
        verdict: verdict(hostile, {
          outcome: 'mismatch',
          reasons: [{ line: 1, construct: hostile, message: hostile, advice: hostile }],
          differences: [
            {
              table: { schema: hostile, name: hostile },
              round: hostile,
              procedure: { [hostile]: hostile },
              model: null,
            },
          ],
        }),
        decision: { kind: 'accept', by: hostile, at: null, reason: hostile },
      }),
    ],
    notIncluded: [{ name: hostile, reason: hostile }],
    variables: [{ name: hostile, routine: hostile, parameter: hostile, value: null }],
    problems: [{ subject: hostile, message: hostile, advice: hostile }],
  };
  const text = migrationMarkdown(report, Number.POSITIVE_INFINITY);
  expect(headings(text)).toEqual([
    'For your review',
    'To do before the first run',
    'Procedures',
    'Worth knowing about the procedures',
    'Left out on purpose',
    'Not included in the plan',
    'Parameters',
    'How to run',
  ]);
  const outsideCode = text.replaceAll(/^(`{3,}).*?^\1$/gmsu, '').replaceAll(/<\/?code>/gu, '');
  expect(outsideCode).not.toMatch(/[<]/u);
  expect(outsideCode).not.toContain('@ann');
});
