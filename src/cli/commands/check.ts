import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { openCatalog } from '../../adapters/postgres/catalog-reader.ts';
import type { MissingReason } from '../../core/catalog/rights.ts';
import { count } from '../../core/report/text.ts';
import { checkPlan } from '../../usecases/check.ts';
import type { CheckedRight, CheckReport } from '../../usecases/check.ts';
import { openSides } from '../move_wiring.ts';
import { EXIT, UsageError } from '../output/failure.ts';
import { print, withPlanOptions } from '../session.ts';
import type { PlanOptions } from '../session.ts';

interface Options extends PlanOptions {
  readonly connect?: boolean;
}

export function register(program: Command): void {
  withPlanOptions(program.command('check'))
    .description('say everything that is wrong with the plan, each with its line')
    .option('--connect', 'also try the connections, and every right that a run will need')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sprocket check\n  $ sprocket check --connect\n  $ sprocket check --connect --json | jq -r ".missingRights[].grant"',
    )
    .action(async (options: Options) => {
      const text = await readFile(options.plan, 'utf8').catch(() => {
        throw new UsageError(
          `There is no plan at ${options.plan}.`,
          'Draft one with "sprocket plan", or name another with --plan.',
        );
      });
      const access = { open: openCatalog, openSides, environment: process.env };
      const report = await checkPlan(text, options.connect === true ? access : null);
      print(options, { ok: isSound(report), ...report }, lines(options, report).join('\n'));
      process.exitCode = isSound(report) ? EXIT.ok : EXIT.needsPerson;
    });
}

function isSound({ problems, missingRights }: CheckReport): boolean {
  return problems.length === 0 && missingRights.length === 0;
}

function lines({ plan: file }: Options, report: CheckReport): readonly string[] {
  const { problems, missingRights, warnings, included, reached } = report;
  const sums = `${count(included.procedures, 'procedure')} and ${count(included.pipelines, 'pipeline')} are included`;
  const looked = reached.length === 0 ? '' : `; ${reached.join(', ')} reached`;
  return [
    ...problems.map(({ line, column, message }) => `${file}:${line}:${column}  ${message}`),
    ...[...Map.groupBy(missingRights, ({ setting }) => setting)].flatMap(([setting, rights]) =>
      rightLines(setting, rights),
    ),
    ...warnings.map((warning) => `Note: ${warning}`),
    isSound(report)
      ? `${file} is fine: ${sums}${looked}.`
      : `${file}: ${count(problems.length, 'problem')}, ${count(missingRights.length, 'missing right')}.`,
  ];
}

const WITHOUT_GRANT: Readonly<Record<MissingReason, string>> = {
  'no-right': 'is missing',
  'no-object': 'is needed, but there is no such object',
  'row-security': 'gives only some of the rows',
  'read-only': 'is impossible: the server takes no writes',
};

/** Statements to run in that database; the rest as comments, so that all can be pasted. */
function rightLines(setting: string, rights: readonly CheckedRight[]): readonly string[] {
  return [
    `-- Missing in the database of ${setting}; let its owner run:`,
    ...rights.map(({ grant, right, why, reason }) =>
      grant === null ? `-- ${right} ${WITHOUT_GRANT[reason]} (${why})` : `${grant} -- ${why}`,
    ),
  ];
}
