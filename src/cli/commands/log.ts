import type { Command } from 'commander';
import { systemClock } from '../../adapters/system/clock.ts';
import { selectProcedures } from '../../core/lifecycle/select.ts';
import type { LogRecord, Metadata } from '../../ports/metadata.ts';
import { UsageError } from '../output/failure.ts';
import { oneLine } from '../../core/report/text.ts';
import { print, withMetadata, withPlanOptions } from '../session.ts';
import type { PlanOptions } from '../session.ts';

interface Options extends PlanOptions {
  readonly follow?: boolean;
}

const INTERVAL = 1_000;

export function register(program: Command): void {
  withPlanOptions(program.command('log'))
    .description('show what was done for a procedure, or for the whole run')
    .argument('[procedure]', 'dw.load_orders(date), or without the arguments')
    .option('-f, --follow', 'go on showing new lines')
    .addHelpText('after', '\nExamples:\n  $ sprocket log dw.load_orders\n  $ sprocket log --follow')
    .action(async (name: string | undefined, options: Options) => {
      await withMetadata(options, async (metadata, { plan }) => {
        const id = name === undefined ? undefined : await find(metadata, plan.settings.name, name);
        let after = 0;
        do {
          const filter = id === undefined ? { after } : { id, after };
          const lines = await metadata.logs(plan.settings.name, filter);
          after = lines.at(-1)?.number ?? after;
          const texts = lines.map((line) => text(line, id));
          if (options.follow !== true && lines.length === 0) texts.push('Nothing was logged yet.');
          if (options.follow !== true || lines.length > 0) {
            print(options, { lines }, texts.join('\n'));
          }
          if (options.follow === true) await systemClock.sleep(INTERVAL);
        } while (options.follow === true);
      });
    });
}

async function find(metadata: Metadata, plan: string, name: string): Promise<string> {
  const { ids, problems } = selectProcedures([name], [...(await metadata.members(plan)).keys()]);
  const [id] = ids;
  if (id !== undefined) return id;
  throw new UsageError(problems[0]?.message ?? `There is no procedure "${name}".`, '');
}

const LEVELS = { info: '', warning: 'warning: ', error: 'error: ' };

function text({ at, level, message, id }: LogRecord, shown: string | undefined): string {
  const where = shown === undefined && id !== null ? `${oneLine(id)}: ` : '';
  const lines = message.split('\n').map(oneLine);
  return `${at.slice(0, 19)}Z ${LEVELS[level]}${where}${lines.join('\n    ')}`;
}
