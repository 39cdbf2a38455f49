import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buttonsFor, commandOfButton } from '../../../src/core/checkrun/buttons.ts';
import type { RunSituation } from '../../../src/core/checkrun/buttons.ts';
import * as limits from '../../../src/core/checkrun/limits.ts';
import {
  boxId,
  monitorBody,
  newlyTicked,
  openingBody,
  readBoxes,
  readMarker,
  withMarker,
} from '../../../src/core/checkrun/monitor.ts';
import type { MonitorMarker } from '../../../src/core/checkrun/monitor.ts';
import { pullRequestBody } from '../../../src/core/checkrun/pull-request.ts';
import { runCheck } from '../../../src/core/checkrun/run-check.ts';
import { byteLength } from '../../../src/core/report/markdown.ts';
import { viewOf } from './plans.ts';

const SITUATIONS: readonly RunSituation[] = [
  'launchable',
  'refused',
  'running',
  'paused',
  'stopped',
  'interrupted',
  'needs a person',
  'done',
];

const marker: MonitorMarker = {
  plan: 'sales',
  run: '11111111-2222-8333-8444-555555555555',
  sha: 'a'.repeat(40),
  blob: 'b'.repeat(40),
  check_run: 7,
  attempt: 0,
  leg: 1,
  resumed: 0,
  pull_request: null,
  reported: null,
};

describe('limits of a check run', () => {
  test('hold at 10,000 procedures, and what is left out is counted', () => {
    const view = viewOf(
      10_000,
      'refused: EXECUTE of text that is known only at run time '.repeat(20),
    );
    const content = runCheck({ ...view, situation: 'needs a person' });
    expect(byteLength(content.summary)).toBeLessThanOrEqual(limits.CHECK_TEXT);
    expect(content.summary.length).toBeGreaterThan(limits.CHECK_TEXT * 0.9);
    expect(content.summary).toMatch(/… and [\d,]+ more rows: .*1,250 skipped/u);
    expect(content.summary).toContain('(https://github.com/acme/migration/tree/sprocket/sales)');
    expect(content.title.length).toBeLessThanOrEqual(limits.CHECK_TITLE);
    expect(content.title).toContain('10,000');
    expect(content.annotations.length).toBeLessThanOrEqual(limits.MOST_ANNOTATIONS);
  });

  test('hold for any text of others', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        fc.constantFrom(...SITUATIONS),
        (text, situation) => {
          const view = viewOf(40, text.repeat(4));
          const content = runCheck({ ...view, situation, notice: text.repeat(5) });
          expect(byteLength(content.summary)).toBeLessThanOrEqual(limits.CHECK_TEXT);
          for (const { message, title } of content.annotations) {
            expect(byteLength(message)).toBeLessThanOrEqual(limits.ANNOTATION_MESSAGE);
            expect(title.length).toBeLessThanOrEqual(limits.ANNOTATION_TITLE);
          }
          expect(
            byteLength(monitorBody(marker, { ...view, notice: text }, '')),
          ).toBeLessThanOrEqual(limits.BODY);
        },
      ),
      { numRuns: 30 },
    );
  });

  test.each(SITUATIONS)('%s: at most three buttons, each within its limits', (situation) => {
    const buttons = buttonsFor(situation, 3);
    expect(buttons.length).toBeLessThanOrEqual(limits.BUTTONS);
    for (const { label, description, identifier } of buttons) {
      expect(label.length).toBeLessThanOrEqual(limits.BUTTON_LABEL);
      expect(description.length).toBeLessThanOrEqual(limits.BUTTON_DESCRIPTION);
      expect(identifier.length).toBeLessThanOrEqual(limits.BUTTON_IDENTIFIER);
      expect(commandOfButton(identifier)).not.toBeNull();
    }
  });

  test('buttons fit the state', () => {
    const labels = (situation: RunSituation, failed: number) =>
      buttonsFor(situation, failed).map(({ label }) => label);
    expect(labels('running', 0)).toEqual(['Pause', 'Stop']);
    expect(labels('running', 2)).toEqual(['Pause', 'Stop', 'Retry failed']);
    expect(labels('paused', 0)).toEqual(['Resume', 'Stop']);
    expect(labels('interrupted', 1)).toEqual(['Resume', 'Retry failed']);
    expect(labels('launchable', 0)).toEqual(['Launch']);
    expect(labels('done', 0)).toEqual([]);
    expect(commandOfButton('deploy')).toBeNull();
  });

  test('annotations come only with the end, for they add up', () => {
    expect(runCheck(viewOf(16)).annotations).toEqual([]);
    const ended = runCheck({ ...viewOf(16, 'no key'), situation: 'needs a person' });
    expect(
      ended.annotations.map(({ title, startLine, message }) => [title, startLine, message]),
    ).toEqual([
      ['dw.load_table_number_3() failed', 13, 'no key'],
      ['dw.load_table_number_11() failed', 21, 'no key'],
    ]);
  });

  test('failed rows come first, each with its log folded', () => {
    const { summary, title } = runCheck(viewOf(8, 'why'));
    const rows = summary
      .split('\n')
      .filter((line) => line.startsWith('| ') && line.includes('dw.'));
    expect(rows[0]).toContain('Failed');
    expect(rows[0]).toContain('<details><summary>Log (3 lines)</summary>');
    expect(title).toBe(
      '4 of 8 done, 1 failed, 1 blocked, 1 running, 1 pending, 1 accepted, 1 manual, 1 skipped',
    );
  });
});

describe('the monitor issue', () => {
  test('remembers the run, also where people wrote around it', () => {
    const body = openingBody(marker, 'Started.');
    expect(readMarker(body)).toEqual(marker);
    expect(readMarker(`hello\r\n${body.replaceAll('\n', '\r\n')}`)).toEqual(marker);
    expect(readMarker(withMarker(body, { ...marker, leg: 4 }))).toEqual({ ...marker, leg: 4 });
    expect(readMarker('<!-- sprocket-monitor {"run":1} -->')).toBeNull();
    expect(readMarker('<!-- sprocket-monitor {] -->')).toBeNull();
    expect(readMarker('something else')).toBeNull();
  });

  test('has boxes for what failed, and keeps those that are ticked', () => {
    const view = viewOf(8, 'why');
    const body = monitorBody(marker, view, '');
    const id = boxId('dw.load_table_number_3()');
    expect(readBoxes(body)).toEqual([
      { kind: 'retry', id, checked: false },
      { kind: 'skip', id, checked: false },
    ]);
    const clicked = body.replace('- [ ] skip', '- [x] skip');
    expect(newlyTicked(body, clicked)).toEqual([{ kind: 'skip', id, checked: true }]);
    expect(newlyTicked(clicked, clicked)).toEqual([]);
    const again = monitorBody(marker, view, clicked);
    expect(readBoxes(again).filter(({ checked }) => checked)).toEqual([
      { kind: 'skip', id, checked: true },
    ]);
  });

  test('a name can not forge a box or the marker', () => {
    const name = `dw."x --> <!-- sprocket:skip:${'0'.repeat(16)} -->"()`;
    const view = viewOf(1);
    const row = view.progress.rows[0];
    if (row === undefined) throw new Error('no row');
    const rows = [{ ...row, name, status: 'Failed' as const }];
    const body = monitorBody(marker, { ...view, progress: { ...view.progress, rows } }, '');
    expect(readBoxes(body).map(({ id }) => id)).toEqual([boxId(name), boxId(name)]);
    expect(readMarker(body)).toEqual(marker);
  });

  test('holds at 10,000 procedures', () => {
    expect(
      byteLength(monitorBody(marker, viewOf(10_000, 'x'.repeat(500)), '')),
    ).toBeLessThanOrEqual(limits.BODY);
  });
});

describe('the pull request', () => {
  const url = 'https://github.com/acme/analytics/blob/sprocket/sales/MIGRATION.md';

  test('has a body within the limit, with what it opened closed', () => {
    const log = `\`\`\`text\n${'a line of a log\n'.repeat(10_000)}\`\`\`\n`;
    const body = pullRequestBody({
      plan: 'sales',
      run: marker.run,
      summary: `# Summary\n<details>\n\n${log}</details>`,
      summaryUrl: url,
    });
    expect(byteLength(body)).toBeLessThanOrEqual(limits.BODY);
    expect(
      body.endsWith(
        `\n\`\`\`\n</details>\n\n… the rest has no room here: [the whole summary](${url}).`,
      ),
    ).toBe(true);
  });

  test('any summary fits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme' })),
        fc.integer({ min: 1, max: 9_000 }),
        (lines, times) => {
          const summary = `${lines.join('\n')}\n`.repeat(times).slice(0, 400_000);
          const body = pullRequestBody({
            plan: 'sales',
            run: marker.run,
            summary,
            summaryUrl: url,
          });
          expect(byteLength(body)).toBeLessThanOrEqual(limits.BODY);
        },
      ),
      { numRuns: 25 },
    );
  });
});
