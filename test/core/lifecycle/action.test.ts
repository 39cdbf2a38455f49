import { describe, expect, it } from 'vitest';
import { effectiveAction } from '../../../src/core/lifecycle/action.ts';

describe('effectiveAction', () => {
  it.each([
    [[], 'RUN'],
    [['RUN'], 'RUN'],
    [['RUN', 'PAUSE'], 'PAUSE'],
    [['PAUSE', 'STOP', 'RUN'], 'STOP'],
    [[' stop'], 'STOP'],
  ] as const)('%j means %s', (words, action) => {
    expect(effectiveAction(words)).toEqual({ action, warning: null });
  });

  it.each([
    [['HALT'], 'PAUSE'],
    [['RUN', 'HALT'], 'PAUSE'],
    [[null], 'PAUSE'],
    [['STOP', '?'], 'STOP'],
  ] as const)('%j means %s, with a warning', (words, action) => {
    const effective = effectiveAction(words);
    expect(effective.action).toBe(action);
    expect(effective.warning).toContain('Write RUN, PAUSE or STOP');
  });
});
