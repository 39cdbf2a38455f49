import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectProcedures } from '../../../src/core/lifecycle/select.ts';

const ids = [
  'dw.load_orders(date)',
  'dw.load_orders(integer)',
  'dw.load_customers()',
  'mart.load_customers()',
  'dw.Refresh()',
];

describe('selectProcedures', () => {
  it.each([
    ['dw.load_orders(date)', 'dw.load_orders(date)'],
    ['dw.load_customers', 'dw.load_customers()'],
    ['Refresh', 'dw.Refresh()'],
    ['DW.LOAD_CUSTOMERS', 'dw.load_customers()'],
    ['refresh', 'dw.Refresh()'],
  ])('%s is %s', (name, id) => {
    expect(selectProcedures([name], ids)).toEqual({ ids: [id], problems: [] });
  });

  it('asks for the full name where several fit', () => {
    const { problems } = selectProcedures(['dw.load_orders', 'load_customers'], ids);
    expect(problems.map(({ code }) => code)).toEqual(['ambiguous', 'ambiguous']);
    expect(problems[0]?.message).toContain('dw.load_orders(date) or dw.load_orders(integer)');
  });

  it('suggests the nearest name', () => {
    expect(selectProcedures(['dw.load_custmers'], ids).problems[0]?.message).toContain(
      'Did you mean dw.load_customers()?',
    );
    expect(selectProcedures(['nothing_like_it'], ids).problems[0]?.message).toContain(
      'sprocket status',
    );
  });

  it('finds every procedure by its own name, whatever that is', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1 }), (names) => {
        const all = names.map((name) => `s.${name}()`);
        expect(selectProcedures(all, all)).toEqual({ ids: all, problems: [] });
      }),
    );
  });
});
