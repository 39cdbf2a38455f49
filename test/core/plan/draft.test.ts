import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderDraft } from '../../../src/core/plan/draft.ts';
import type { PlanDraft } from '../../../src/core/plan/draft.ts';
import { parsePlan } from '../../../src/core/plan/parse.ts';
import { RATINGS } from '../../../src/core/plan/types.ts';

const DRAFT: PlanDraft = {
  name: 'sales-warehouse',
  source: { dialect: 'postgres', urlVariable: 'SOURCE_DATABASE_URL' },
  target: { dialect: 'postgres', urlVariable: 'TARGET_DATABASE_URL', metadataSchema: 'wirekite' },
  sandboxUrlVariable: null,
  production: { repository: null, base: null, project: 'transform' },
  workers: 4,
  maxRows: 100_000,
  pipelines: [
    {
      include: true,
      source: { schema: 'sales', name: 'orders' },
      target: { schema: 'raw', name: 'orders' },
      key: ['id'],
      mode: 'load + changes',
    },
  ],
  procedures: [
    {
      name: { schema: 'dw', name: 'load_dim_customer' },
      argumentTypes: [],
      include: true,
      arguments: [],
      writes: [{ schema: 'dw', name: 'dim_customer' }],
      dependsOn: [],
      rating: 'Likely',
      reasons: [],
    },
    {
      name: { schema: 'dw', name: 'Load | all' },
      argumentTypes: ['date'],
      include: false,
      arguments: [{ parameter: 'p_day', sql: "date '2024-01-31'" }],
      writes: [],
      dependsOn: [{ name: { schema: 'dw', name: 'load_dim_customer' }, argumentTypes: [] }],
      rating: 'Unlikely',
      reasons: ['EXECUTE of a built text (line 12)', 'COPY to a file (line 30)'],
    },
  ],
};

test('a draft explains itself', () => {
  expect(renderDraft(DRAFT)).toBe(`---
sprocket: 1
name: sales-warehouse
# The names of environment variables that hold the connection URLs. Never write a URL here.
source: { dialect: postgres, url: SOURCE_DATABASE_URL }
target: { dialect: postgres, url: TARGET_DATABASE_URL, metadata_schema: wirekite }
# Where the proofs run. Left out: a PostgreSQL that Sprocket brings along.
# sandbox: { url: SANDBOX_DATABASE_URL }
# The dbt project that gets the pull request. Left out: this repository and its default branch.
production:
  # repository: owner/name
  # base: main
  project: transform
workers: 4
# Larger tables are proven on a sample of this many rows.
proof: { max_rows: 100000 }
---
# Migration plan: sales-warehouse

1 of 2 procedures and 1 of 1 pipelines are included. Change that in the Include columns (yes or
no). Sprocket keeps the Status columns; everything else on this page is yours.

Rating: Likely and Possible procedures can be translated by a machine and proven; Unlikely and
Manual ones start as "no", for the reason given.

## Pipelines

Source tables that are loaded into the target database before the procedures need them.

| Include | Source | Target | Key | Mode | Status |
|---|---|---|---|---|---|
| yes | sales.orders | raw.orders | id | load + changes | Pending |

## Procedures

In the order in which they run where nothing else decides it. Values for parameters go into
Arguments, as in a CALL: \`p_day => date '2024-01-31'\`.

| Include | Procedure | Arguments | Writes | Depends on | Rating | Status |
|---|---|---|---|---|---|---|
| yes | dw.load_dim_customer() | | dw.dim_customer | | Likely | Pending |
| no | \`dw."Load \\| all"(date)\` | \`p_day => date '2024-01-31'\` | | dw.load_dim_customer() | Unlikely: EXECUTE of a built text (line 12); COPY to a file (line 30) | Pending |
`);
});

const part = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
    fc.string({
      unit: fc.constantFrom('|', '\\', '`', '_', '*', '<', '&', ' ', 'a', '"', '.', '(', '-'),
      minLength: 1,
      maxLength: 8,
    }),
  )
  // What no cell can hold: line breaks, and blanks that Markdown takes off.
  .filter(
    (text) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text) && new TextEncoder().encode(text).length <= 63,
  );
const name = fc.record({ schema: part, name: part });
const line = fc.string({ unit: 'grapheme', maxLength: 30 });
const argumentTypes = fc.subarray([
  'integer',
  'text[]',
  '"my s"."t, |"',
  'timestamp with time zone',
]);

test('any draft is read back as it was meant', () => {
  const id = (of: { name: { schema: string; name: string }; argumentTypes: readonly string[] }) =>
    `${of.name.schema}.${of.name.name}(${of.argumentTypes.join(', ')})`;
  const drafts = fc.record({
    procedures: fc.uniqueArray(
      fc.record({
        name,
        argumentTypes,
        include: fc.boolean(),
        arguments: fc.constantFrom([], [{ parameter: 'p_|', sql: "'a | \\ ` b'" }]),
        writes: fc.array(name, { maxLength: 3 }),
        rating: fc.constantFrom(...RATINGS),
        reasons: fc.array(line, { maxLength: 3 }),
      }),
      { selector: id, maxLength: 5 },
    ),
    pipelines: fc.uniqueArray(
      fc.record({
        include: fc.boolean(),
        source: name,
        target: name,
        key: fc.array(part, { maxLength: 2 }),
        mode: fc.constantFrom('load' as const, 'load + changes' as const),
      }),
      { selector: (row) => `${row.source.schema}.${row.source.name}`, maxLength: 1 },
    ),
    repository: fc.option(fc.constantFrom('acme/analytics', 'a/b.c')),
    base: fc.option(fc.constantFrom('main', 'release/1.0', '1.0', 'true', 'a,b')),
    project: fc.constantFrom('transform', '.', 'dbt/my project', '#1', 'null', '{x}'),
  });
  fc.assert(
    fc.property(drafts, ({ procedures, pipelines, repository, base, project }) => {
      const draft: PlanDraft = {
        ...DRAFT,
        production: { repository, base, project },
        pipelines,
        procedures: procedures.map((procedure) => ({
          ...procedure,
          dependsOn: procedures.slice(0, 2),
        })),
      };
      const { plan, problems } = parsePlan(renderDraft(draft));
      expect(problems).toEqual([]);
      expect(plan?.settings.production).toMatchObject({ repository, base, project });
      expect(
        plan?.pipelines.map(({ include, source, target, key, mode }) => ({
          include,
          source,
          target,
          key,
          mode,
        })),
      ).toEqual(pipelines);
      expect(
        plan?.procedures.map((row) => ({
          id: row.id,
          include: row.include,
          arguments: row.arguments,
          writes: row.writes,
          rating: row.rating,
          dependsOn: row.dependsOn.procedures,
        })),
      ).toEqual(
        procedures.map((row) => ({
          id: id(row),
          include: row.include,
          arguments: row.arguments,
          writes: row.writes,
          rating: row.rating,
          dependsOn: procedures.slice(0, 2).map(id),
        })),
      );
    }),
  );
});
