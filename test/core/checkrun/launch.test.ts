import { describe, expect, test } from 'vitest';
import {
  controlPayload,
  formatExternalId,
  isNoCommit,
  parseExternalId,
  planChanged,
  requestId,
  runId,
  runPayload,
} from '../../../src/core/checkrun/launch.ts';
import * as limits from '../../../src/core/checkrun/limits.ts';
import { planCheck, planProblems } from '../../../src/core/checkrun/plan-check.ts';
import { parsePlan } from '../../../src/core/plan/parse.ts';
import { byteLength } from '../../../src/core/report/markdown.ts';
import { planText } from './plans.ts';

const SHA = 'a'.repeat(40);
const BLOB = 'b'.repeat(40);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u;

describe('a changed plan', () => {
  const plan = planText([{ name: 'dw.load_a()' }, { name: 'dw.load_b()' }]);
  const file = (blob: string, text = plan) => ({ blob: blob.repeat(40), text });
  const done = plan.replace('| Pending |', '| Failed: line 1: it \\| broke |');
  test.each([
    ['new', null, file('b'), true],
    ['changed', file('c', `${plan}more`), file('b'), true],
    ['as before', file('b'), file('b'), false],
    ['removed', file('b'), null, false],
    ['never there', null, null, false],
    ['with another Status', file('c'), file('b', done), false],
    [
      'with a Status of other width',
      file('c', plan.replace('Pending ', 'Pending    ')),
      file('b', done),
      false,
    ],
    ['with another Status and more', file('c'), file('b', done.replace('| yes', '| no')), true],
    ['not to be read', file('c', 'a'), file('b', 'b'), true],
  ])('%s', (_what, before, after, changed) => {
    expect(planChanged(before, after)).toBe(changed);
  });

  test('40 zeros are no commit', () => {
    expect(isNoCommit('0'.repeat(40))).toBe(true);
    expect(isNoCommit(SHA)).toBe(false);
  });
});

describe('ids', () => {
  test('the same event gives the same id, another attempt another', () => {
    const id = runId(1, SHA, BLOB, 0);
    expect(id).toMatch(UUID);
    expect(runId(1, SHA, BLOB, 0)).toBe(id);
    const others = [runId(2, SHA, BLOB, 0), runId(1, BLOB, BLOB, 0), runId(1, SHA, BLOB, 1)];
    expect(new Set([id, ...others]).size).toBe(4);
    expect(requestId(id, 'comment', 1)).not.toBe(requestId(id, 'comment', 2));
  });

  test('a check run says what it is for', () => {
    const run = { kind: 'run', run: runId(1, SHA, BLOB, 0), attempt: 3 } as const;
    expect(parseExternalId(formatExternalId(run))).toEqual(run);
    expect(parseExternalId(formatExternalId({ kind: 'plan', blob: BLOB }))).toEqual({
      kind: 'plan',
      blob: BLOB,
    });
    expect(parseExternalId('')).toBeNull();
    expect(parseExternalId('run:x:1')).toBeNull();
  });
});

describe('what is dispatched', () => {
  const run = { run: runId(1, SHA, BLOB, 0), sha: SHA, check_run: 5, issue: 2, leg: 1, resumed: 0 };
  const control = {
    request: requestId('x', 1),
    run: run.run,
    sha: SHA,
    check_run: 5,
    issue: 2,
    person: 'octocat',
  };

  test('stays within the limits of a payload', () => {
    const most = {
      ...control,
      at: '2026-03-01T10:00:00Z',
      what: { kind: 'boxes', boxes: Array.from({ length: 500 }, () => `retry:${'0'.repeat(16)}`) },
    };
    for (const payload of [runPayload.parse(run), controlPayload.parse(most)]) {
      expect(Object.keys(payload).length).toBeLessThanOrEqual(limits.PAYLOAD_PROPERTIES);
      expect(byteLength(JSON.stringify(payload))).toBeLessThan(limits.PAYLOAD);
    }
  });

  test.each([
    ['a name in place of an id', { what: { kind: 'boxes', boxes: ['retry:dw.load()'] } }],
    ['a text for a login', { person: '$(id)', what: { kind: 'button', identifier: 'stop' } }],
    ['a branch for a commit', { sha: 'main', what: { kind: 'button', identifier: 'stop' } }],
    ['no number', { what: { kind: 'comment', comment: '1', issue: 2 } }],
  ])('%s is refused', (_what, change) => {
    expect(controlPayload.safeParse({ ...control, ...change }).success).toBe(false);
  });
});

describe('the check of a plan', () => {
  const on = { path: 'plan.md', on: 'pull request' } as const;

  test('is a success that says what is included and draws the graph', () => {
    const text = planText([
      { name: 'dw.a()' },
      { name: 'dw.b()', dependsOn: 'dw.a()', rating: 'Possible: a loop' },
      { name: 'dw.c()', include: 'no', rating: 'Manual: COPY' },
    ]);
    const content = planCheck(parsePlan(text), on);
    expect(content.state).toEqual({ status: 'completed', conclusion: 'success' });
    expect(content.title).toBe('Ready: 2 of 3 procedures included');
    expect(content.summary).toContain('Merge this pull request to launch it');
    expect(content.summary).toContain('| Likely | 1 | 1 |');
    expect(content.summary).toContain('| Manual | 1 | 0 |');
    expect(content.text).toContain('n1 --> n2');
    expect(content.buttons.map(({ label }) => label)).toEqual(['Launch']);
    expect(content.annotations).toEqual([]);
  });

  test('lists what is missing, each on its line', () => {
    const text = planText([{ name: 'dw.a()', dependsOn: 'dw.gone()' }, { name: 'oops' }]);
    const content = planCheck(parsePlan(text), on);
    expect(content.state).toEqual({ status: 'completed', conclusion: 'action_required' });
    expect(content.title).toBe('2 problems in the plan');
    expect(content.annotations.map(({ startLine, level }) => [startLine, level])).toEqual([
      [10, 'failure'],
      [11, 'failure'],
    ]);
    expect(content.buttons).toEqual([]);
  });

  test('asks for a procedure where none is included', () => {
    const parsed = parsePlan(planText([{ name: 'dw.a()', include: 'no' }]));
    expect(planProblems(parsed).map(({ code }) => code)).toEqual(['nothing-included']);
    expect(planCheck(parsed, on).annotations[0]?.startLine).toBe(10);
  });

  test('holds its limits for 10,000 procedures and for 10,000 problems', () => {
    const names = Array.from({ length: 10_000 }, (_, at) => `dw.procedure_${at}()`);
    const fine = planText(
      names.map((name, at) => ({ name, ...(at > 0 ? { dependsOn: names[at - 1] ?? '' } : {}) })),
    );
    const wrong = planText(names.map(() => ({ name: 'no name at all' })));
    for (const text of [fine, wrong]) {
      const content = planCheck(parsePlan(text), on);
      expect(byteLength(content.summary)).toBeLessThanOrEqual(limits.CHECK_TEXT);
      expect(byteLength(content.text ?? '')).toBeLessThanOrEqual(limits.CHECK_TEXT);
      expect(content.annotations.length).toBeLessThanOrEqual(limits.MOST_ANNOTATIONS);
    }
  });
});
