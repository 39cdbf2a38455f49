/** Plans and progress for tests of what GitHub shows. */
import { parsePlan } from '../../../src/core/plan/parse.ts';
import type { Plan } from '../../../src/core/plan/types.ts';
import { STATUSES } from '../../../src/core/lifecycle/state.ts';
import type { Status } from '../../../src/core/lifecycle/state.ts';
import type { ProgressRow } from '../../../src/core/report/progress.ts';
import type { RunView } from '../../../src/core/checkrun/run-check.ts';

export interface PlanRow {
  readonly name: string;
  readonly include?: 'yes' | 'no';
  readonly dependsOn?: string;
  readonly rating?: string;
}

export function planText(rows: readonly PlanRow[], name = 'sales'): string {
  return [
    '---',
    'sprocket: 1',
    `name: ${name}`,
    'source: { dialect: postgres, url: SOURCE_DATABASE_URL }',
    'target: { dialect: postgres, url: TARGET_DATABASE_URL }',
    '---',
    '## Procedures',
    '| Include | Procedure | Depends on | Rating | Status |',
    '|---|---|---|---|---|',
    ...rows.map(
      ({ name: procedure, include = 'yes', dependsOn = '', rating = 'Likely' }) =>
        `| ${include} | ${procedure} | ${dependsOn} | ${rating} | Pending |`,
    ),
    '',
  ].join('\n');
}

function planOf(rows: readonly PlanRow[], name = 'sales'): Plan {
  const { plan, problems } = parsePlan(planText(rows, name));
  if (plan === null) throw new Error(problems.map(({ message }) => message).join('\n'));
  return plan;
}

function progressRow(name: string, status: Status, message: string | null): ProgressRow {
  return {
    name,
    kind: 'procedure',
    status,
    phase: status === 'Running' ? 'prove' : null,
    restarts: 0,
    startedAt: '2026-03-01T10:00:00.000Z',
    finishedAt: null,
    waitsFor: [],
    message,
    models: [],
    rows: null,
  };
}

/** A run of so many procedures, in all states by turns. */
export function viewOf(count: number, message: string | null = null): RunView {
  const names = Array.from({ length: count }, (_, index) => `dw.load_table_number_${index}()`);
  return {
    plan: planOf(names.map((name) => ({ name }))),
    path: 'plan.md',
    progress: {
      plan: 'sales',
      action: 'RUN',
      rows: names.map((name, index) =>
        progressRow(name, STATUSES[index % STATUSES.length] ?? 'Pending', message),
      ),
    },
    situation: 'running',
    now: '2026-03-01T10:01:00.000Z',
    logs: new Map(names.map((name) => [name, ['translated', 'built', 'proved']])),
    notice: null,
    links: {
      workflow: 'https://github.com/acme/migration/actions/runs/1',
      branch: 'https://github.com/acme/migration/tree/sprocket/sales',
      monitor: 'https://github.com/acme/migration/issues/1',
      check: 'https://github.com/acme/migration/runs/1',
      pullRequest: null,
    },
  };
}
