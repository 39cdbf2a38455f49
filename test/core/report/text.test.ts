import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  fit,
  formatNumber,
  formatSeconds,
  oneLine,
  secondsBetween,
  shortList,
  truncate,
  width,
  wrap,
} from '../../../src/core/report/text.ts';

test.each([
  [0, '0s'],
  [0.04, '0s'],
  [4.25, '4.3s'],
  [9.94, '9.9s'],
  [9.96, '10s'],
  [59.4, '59s'],
  [59.6, '1m 00s'],
  [62, '1m 02s'],
  [3600, '1h 00m'],
  [7500, '2h 05m'],
  [86_400, '1d 00h'],
  [-1, '0s'],
])('%d seconds are %s', (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});

test('clocks that disagree give no negative time', () => {
  expect(secondsBetween('2024-01-01T00:00:01.500Z', '2024-01-01T00:00:03.000Z')).toBe(1.5);
  expect(secondsBetween('2024-01-01T00:00:03.000Z', '2024-01-01T00:00:01.500Z')).toBe(0);
});

test('large numbers and long lists are readable', () => {
  expect(formatNumber(1_204_331)).toBe('1,204,331');
  expect(shortList(['a', 'b'], 3)).toBe('a, b');
  expect(shortList(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
});

test('text that would act on a terminal is made visible', () => {
  expect(oneLine('a\u001B[31mred\n\tb\u202Ec\u0007')).toBe('a\uFFFD[31mred b\uFFFDc\uFFFD');
  expect(oneLine('👩‍👩‍👧')).toBe('👩‍👩‍👧');
});

test('text is cut by the columns that it takes', () => {
  expect(truncate('abcdef', 6)).toBe('abcdef');
  expect(truncate('abcdef', 5)).toBe('abcd…');
  expect(truncate('日本語', 5)).toBe('日本…');
  expect(truncate('日本語', 4)).toBe('日…');
  expect(truncate('abc', 0)).toBe('');
  expect(fit('日本', 6)).toBe('日本  ');
  expect(fit('12', 4, 'right')).toBe('  12');
});

test('text is broken between words', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('a extraordinarily b', 6)).toEqual(['a', 'extra…', 'b']);
  expect(wrap('', 5)).toEqual(['']);
});

test('fitted text takes exactly the columns', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }).map(oneLine),
      fc.integer({ min: 1, max: 30 }),
      (text, columns) => {
        expect(width(fit(text, columns))).toBe(columns);
      },
    ),
  );
});
