/** The workflow that a migration repository runs, and what the onboarding pull request adds beside it. */
import { CONTROL_EVENT, RUN_EVENT } from '../checkrun/launch.ts';

export const WORKFLOW_PATH = '.github/workflows/sprocket.yml';

export interface WorkflowOptions {
  /** `owner/name@<full SHA>` of the Action. */
  readonly action: string;
  /** The release behind that SHA, for the comment. */
  readonly version: string;
  /** Names of the secrets that hold connection URLs. */
  readonly secrets: readonly string[];
  /** Address of the App that gives jobs their tokens; null: they have its key, as a secret. */
  readonly appUrl: string | null;
}

/** Brings the Python that dbt runs in. */
const PYTHON = 'actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0';
const DBT = 'dbt-core~=1.11.0 dbt-postgres~=1.10';
/** The throw-away server of the proofs: it lives as long as the job, and only the job reaches it. */
const SANDBOX_URL = 'postgresql://postgres@127.0.0.1:5432/postgres';
/** From which a job knows its run without asking GitHub. */
const TABLES = 'tables: ${{ needs.plan.outputs.tables }}';
/** Keeps what a run reports beyond the step summary. */
const UPLOAD = 'actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0';

/**
 * The workflow's text. Payloads reach the Action as a file that GitHub writes, never as text in a
 * shell: the only `run:` in it is constant.
 */
export function workflowText(options: WorkflowOptions): string {
  const uses = `${options.action} # ${options.version}`;
  const secrets = (indent: string): string[] => [
    ...options.secrets.map((name) => `${indent}${name}: \${{ secrets.${name} }}`),
    `${indent}SANDBOX_DATABASE_URL: ${SANDBOX_URL}`,
  ];
  const acting =
    options.appUrl === null
      ? [
          'app-id: ${{ secrets.SPROCKET_APP_ID }}',
          'private-key: ${{ secrets.SPROCKET_PRIVATE_KEY }}',
        ]
      : [`app-url: ${JSON.stringify(options.appUrl)}`];
  const step = (command: string, inputs: readonly string[] = []): string[] => [
    `      - uses: ${uses}`,
    '        id: sprocket',
    '        with:',
    `          command: ${command}`,
    ...acting.map((line) => `          ${line}`),
    ...inputs.map((input) => `          ${input}`),
    '        env:',
    ...secrets('          '),
  ];
  const job = (name: string, lines: readonly string[]): string[] => [`  ${name}:`, ...lines];
  const common = [
    '    runs-on: ubuntu-latest',
    ...(options.appUrl === null
      ? ['    permissions: {}']
      : [
          '    permissions:',
          '      # To prove to the App where this job runs. All else it does with the token of the App.',
          '      id-token: write',
        ]),
  ];
  return [
    '# Written by Sprocket. Change it as you like: Sprocket does not overwrite it.',
    'name: Sprocket',
    "run-name: Sprocket ${{ github.event.client_payload.request || github.event.client_payload.run || github.event_name }}${{ !github.event.client_payload.request && github.event.client_payload.leg && format(' {0}', github.event.client_payload.leg) || '' }}",
    'on:',
    '  repository_dispatch:',
    `    types: [${RUN_EVENT}, ${CONTROL_EVENT}]`,
    '  workflow_dispatch:',
    '  schedule:',
    '    # Resumes what was interrupted while the App could not see it.',
    "    - cron: '17 * * * *'",
    'permissions: {}',
    'concurrency:',
    '  # Requests to a run go beside it; runs, one after the other, none thrown away.',
    '  group: ${{ github.workflow }}-${{ github.event.action || github.event_name }}',
    '  cancel-in-progress: false',
    '  queue: max',
    'jobs:',
    ...job('plan', [
      `    if: github.event_name == 'schedule' || github.event.action == '${RUN_EVENT}'`,
      ...common,
      '    outputs:',
      '      tables: ${{ steps.sprocket.outputs.tables }}',
      '      workers: ${{ steps.sprocket.outputs.workers }}',
      '      proceed: ${{ steps.sprocket.outputs.proceed }}',
      '    steps:',
      ...step('plan'),
    ]),
    ...job('work', [
      '    needs: plan',
      "    if: needs.plan.outputs.proceed == 'true'",
      ...common,
      '    strategy:',
      '      fail-fast: false',
      '      matrix:',
      '        worker: ${{ fromJSON(needs.plan.outputs.workers) }}',
      '    services:',
      '      sandbox:',
      '        image: postgres:18-alpine',
      '        env:',
      '          # Nobody else gets to it: it listens on this machine alone.',
      '          POSTGRES_HOST_AUTH_METHOD: trust',
      '        ports: ["127.0.0.1:5432:5432"]',
      '        options: --health-cmd pg_isready --health-interval 2s --health-retries 30',
      '    steps:',
      `      - uses: ${PYTHON}`,
      '        with:',
      "          python-version: '3.12'",
      `      - run: python -m pip install --quiet ${DBT}`,
      ...step('work', [TABLES, 'worker: ${{ matrix.worker }}']),
    ]),
    ...job('finish', [
      '    needs: [plan, work]',
      '    # Not where a person cancelled: that means stop.',
      "    if: ${{ !cancelled() && needs.plan.outputs.proceed == 'true' }}",
      ...common,
      '    steps:',
      ...step('finish', [TABLES]),
      `      - uses: ${UPLOAD}`,
      "        if: ${{ !cancelled() && steps.sprocket.outputs.report != '' }}",
      '        with:',
      '          name: sprocket-report',
      '          path: ${{ steps.sprocket.outputs.report }}',
    ]),
    ...job('control', [
      `    if: github.event.action == '${CONTROL_EVENT}'`,
      ...common,
      '    timeout-minutes: 15',
      '    steps:',
      ...step('control'),
    ]),
    ...job('scope', [
      "    if: github.event_name == 'workflow_dispatch'",
      ...common,
      '    steps:',
      ...step('scope'),
    ]),
    '',
  ].join('\n');
}

export const SECRETS = ['SOURCE_DATABASE_URL', 'TARGET_DATABASE_URL'] as const;

/** `plan.md` before anybody knows what is in the source. */
export function planSkeleton(name: string): string {
  return [
    '---',
    'sprocket: 1',
    `name: ${name}`,
    '# The names of secrets that hold the connection URLs. Never write a URL here.',
    'source: { dialect: postgres, url: SOURCE_DATABASE_URL }',
    'target: { dialect: postgres, url: TARGET_DATABASE_URL, metadata_schema: wirekite }',
    '# The throw-away server that the workflow starts beside each worker.',
    'sandbox: { url: SANDBOX_DATABASE_URL }',
    'production: { project: transform }',
    'workers: 4',
    '---',
    `# Migration plan: ${name}`,
    '',
    'Run the workflow *Sprocket* by hand (Actions, Sprocket, Run workflow): it reads the source and opens',
    'a pull request that fills in the tables below.',
    '',
    '## Pipelines',
    '',
    '| Include | Source | Target | Key | Mode | Status |',
    '|---|---|---|---|---|---|',
    '',
    '## Procedures',
    '',
    '| Include | Procedure | Arguments | Writes | Depends on | Rating | Status |',
    '|---|---|---|---|---|---|---|',
    '',
  ].join('\n');
}

/** The name of a plan from that of its repository. */
export function planNameOf(repository: string): string {
  const name = repository
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/gu, '-')
    .replaceAll(/^[-_]+|[-_]+$/gu, '')
    .slice(0, 63)
    .replaceAll(/[-_]+$/gu, '');
  return name === '' ? 'migration' : name;
}

/** What the pull request says; where the App gives tokens, its key is no business of the repository. */
export function onboardingBody(settingsUrl: string, appUrl: string | null): string {
  const key = [
    '- [ ] secret `SPROCKET_APP_ID`: the number on the page of the App',
    '- [ ] secret `SPROCKET_PRIVATE_KEY`: a private key of the App',
  ];
  return [
    'This adds the workflow that runs migrations, and a `plan.md` to begin with. Nothing starts before procedures are included in the plan.',
    '',
    '### Before you merge',
    '',
    `In [Settings, Secrets and variables, Actions](${settingsUrl}):`,
    '',
    ...(appUrl === null ? key : []),
    '- [ ] secret `SOURCE_DATABASE_URL`: the database with the stored procedures; a user that can only read is enough',
    '- [ ] secret `TARGET_DATABASE_URL`: the database that gets the tables; `sprocket check --connect` names each right that is missing',
    '',
    'Everybody who can change workflows here can read these secrets: protect the default branch.',
    '',
    '### After the merge',
    '',
    '1. Run the workflow *Sprocket* by hand. It opens a pull request with the plan filled in.',
    '2. Choose what to include there. The check `Sprocket` says what is missing.',
    '3. Merge it: that launches the run.',
    '',
  ].join('\n');
}
