import { describe, expect, it } from 'vitest';
import { isContinuable } from '../../../src/core/proof/upstream.ts';
import type { Touched } from '../../../src/core/proof/upstream.ts';

function touches(reads: string, writes: string, unknown = false): Touched {
  const names = (list: string) => new Set(list.split(' ').filter((name) => name !== ''));
  return { reads: names(reads), writes: names(writes), unknown };
}

const touched = new Map([
  ['orders', touches('shop.o', 'stg.o')],
  ['customers', touches('shop.c', 'stg.c')],
  ['sales', touches('stg.o stg.c', 'dw.sales')],
  ['returns', touches('stg.o', 'dw.sales')],
  ['kpis', touches('dw.sales', 'mart.kpis')],
  ['audit', touches('stg.o', 'stg.c')],
  ['dynamic', touches('', '', true)],
]);

function continuable(called: string, wanted: string, batch: string): boolean {
  const list = (names: string) => names.split(' ').filter((name) => name !== '');
  return isContinuable({
    called: list(called),
    wanted: list(wanted),
    batch: list(batch),
    touched,
  });
}

describe('a state that was made for another batch', () => {
  it.each([
    ['goes on where more is wanted', 'orders', 'orders customers', 'sales', true],
    ['goes on where what is missing came first', 'customers', 'orders customers', 'sales', true],
    ['is done with what the batch does not see', 'orders customers', 'orders', 'returns', true],
    [
      'shows work that came too early',
      'orders customers sales returns',
      'orders customers sales',
      'kpis',
      false,
    ],
    ['shows the work of the batch itself', 'orders customers', 'orders', 'customers', false],
    [
      'can not have what is missing come in between',
      'orders sales',
      'orders audit sales',
      'kpis',
      false,
    ],
    ['is not trusted where something unknown ran', 'dynamic', 'dynamic', 'kpis', false],
    ['is not trusted by something unknown', 'orders', 'orders', 'dynamic', false],
  ])('%s', (_title, called, wanted, batch, expected) => {
    expect(continuable(called, wanted, batch)).toBe(expected);
  });
});
