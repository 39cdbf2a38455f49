/** A plan that reads without a problem, and pieces to spoil it with. */
export const SAMPLE = `---
sprocket: 1
name: sales-warehouse
source:  { dialect: postgres, url: SOURCE_DATABASE_URL }   # NAMES of environment variables
target:  { dialect: postgres, url: TARGET_DATABASE_URL, metadata_schema: wirekite }
sandbox: { url: SANDBOX_DATABASE_URL }                      # optional
production: { repository: acme/analytics, base: main, project: transform }
workers: 4
---
# Migration plan: sales-warehouse

Free prose, with a table that is nobody's business:

| a | b |
|---|---|
| 1 | 2 |

## Pipelines
| Include | Source | Target | Key | Mode | Status |
|---|---|---|---|---|---|
| yes | sales.orders | raw.orders | id | load + changes | Pending |
| no | sales.lines | raw.lines | order_id, "line no" | load | |

## Procedures
| Include | Procedure | Arguments | Writes | Depends on | Rating | Owner | Status |
|---|---|:-:|---|---|---|---|---|
| yes | dw.load_dim_customer() | | dw.dim_customer | | Likely | Ann | Pending |
| yes | dw.load_fact_sales(date, boolean) | p_day => date '2024-01-31' | dw.fact_sales, dw.agg | dw.load_dim_customer(), raw.orders | Possible: reads its own table | Ben \\| Cem | Blocked: waits for dw.load_dim_customer() |
| No | \`dw."Odd | name"()\` | | | | Manual: EXECUTE (line 3) | | Skipped |
`.replace('Odd | name', 'Odd \\| name');

export const PROCEDURES_TABLE = `## Procedures
| Include | Procedure | Status |
|---|---|---|
| yes | dw.load() | Pending |
`;

export const FRONT_MATTER = `---
sprocket: 1
name: p
source: { dialect: postgres, url: SOURCE_DATABASE_URL }
target: { dialect: postgres, url: TARGET_DATABASE_URL }
---
`;
