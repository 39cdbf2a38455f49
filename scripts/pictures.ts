/**
 * Makes the pictures of the README from a run of the demo: `node scripts/pictures.ts [folder]`.
 * `folder` is the demo's own where it is left out; the demo must have been run.
 */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openDemoServer } from './demo-server.ts';
import { terminalSvg } from './terminal-svg.ts';

const ROOT = join(import.meta.dirname, '..');
const FOLDER = resolve(process.argv[2] ?? join(ROOT, '.sprocket', 'demo'));
const COLUMNS = 96;
const ROWS = 44;
const PROCEDURE = 'stg.load_consents';
/** What closes the body of that procedure. */
const END = '\n$procedure$;';
const MODEL = 'stg__consent';

/** What `sprocket status` prints on a terminal. */
async function statusLines(): Promise<readonly string[]> {
  const server = await openDemoServer(join(FOLDER, 'postgres'));
  try {
    const url = server.url('sprocket_demo');
    const program = `${process.execPath} ${join(ROOT, 'src/cli/main.ts')}`;
    const plan = join(FOLDER, 'warehouse', 'plan.md');
    // `script` gives it a terminal, so that the picture has the colours that people see.
    const command = `stty cols ${COLUMNS} rows ${ROWS}; ${program} status --plan ${plan}`;
    const output = execFileSync('script', ['-qec', command, '/dev/null'], {
      encoding: 'utf8',
      env: { ...process.env, SOURCE_DATABASE_URL: url, TARGET_DATABASE_URL: url },
    });
    return output.replaceAll('\r', '').trimEnd().split('\n');
  } finally {
    await server.stop();
  }
}

function procedureLines(): readonly string[] {
  const text = readFileSync(join(ROOT, 'examples/retail/procedures.sql'), 'utf8');
  const start = text.indexOf(`CREATE OR REPLACE PROCEDURE ${PROCEDURE}(`);
  return withDimComments(text.slice(start, text.indexOf(END, start) + END.length));
}

function modelLines(): readonly string[] {
  const [file] = globSync(`branch/transform/models/**/${MODEL}.sql`, { cwd: FOLDER });
  if (file === undefined) throw new Error(`The demo in ${FOLDER} has no model ${MODEL}.`);
  return withDimComments(readFileSync(join(FOLDER, file), 'utf8').trimEnd());
}

function withDimComments(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => (/^\s*(--|\{#|\{\{ config)/u.test(line) ? `\u001B[90m${line}\u001B[0m` : line));
}

const images = join(ROOT, 'docs', 'images');
const progress = terminalSvg(
  [await statusLines()],
  'Progress of the demo, printed by sprocket status',
);
writeFileSync(join(images, 'progress.svg'), progress);
const model = terminalSvg(
  [procedureLines(), modelLines()],
  `The procedure ${PROCEDURE} and the dbt model ${MODEL}`,
);
writeFileSync(join(images, 'model.svg'), model);
