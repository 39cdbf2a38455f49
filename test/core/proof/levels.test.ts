import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Catalog, Table } from '../../../src/core/catalog/types.ts';
import { levelsOf } from '../../../src/core/proof/levels.ts';
import type { Footprint } from '../../../src/core/proof/levels.ts';

const name = (table: string) => ({ schema: 's', name: table });

function catalogOf(references: readonly (readonly [string, string])[] = []): Catalog {
  const table = (from: string): Table => ({
    name: name(from),
    kind: 'table',
    columns: [],
    keys: [],
    foreignKeys: references
      .filter(([child]) => child === from)
      .map(([, parent]) => ({
        name: 'fk',
        columns: ['a'],
        references: name(parent),
        referencedColumns: ['a'],
      })),
    checks: [],
    triggers: [],
    comment: null,
    estimatedRows: null,
  });
  return {
    dialect: 'postgres',
    version: '18',
    database: 'd',
    searchPath: ['public'],
    tables: [...new Set(references.flat())].map(table),
    views: [],
    routines: [],
    sequences: [],
    types: [],
    schemaComments: {},
  };
}

function footprint(routine: string, reads: string, writes: string, unknown = false): Footprint {
  const tables = (list: string) => list.split(' ').filter(Boolean).map(name);
  return { routine, reads: tables(reads), writes: tables(writes), unknown };
}

describe('levels', () => {
  it('hold procedures that do not touch what another of them writes', () => {
    const levels = levelsOf(
      [
        footprint('stage a', 'src', 'a'),
        footprint('stage b', 'src', 'b'),
        footprint('fact', 'a b', 'f'),
        footprint('other', 'src', 'o'),
        footprint('mart', 'f', 'm'),
        footprint('again a', 'src', 'a'),
      ],
      catalogOf(),
    );
    expect(levels).toEqual([['stage a', 'stage b', 'other'], ['fact'], ['mart', 'again a']]);
  });

  it('keep a procedure alone where not all that it touches is known', () => {
    const levels = levelsOf(
      [footprint('a', '', 'x'), footprint('?', '', '', true), footprint('b', '', 'y')],
      catalogOf(),
    );
    expect(levels).toEqual([['a'], ['?'], ['b']]);
  });

  it('count the tables that a foreign key ties together', () => {
    const both = [footprint('parent', '', 'p'), footprint('child', '', 'c')];
    expect(levelsOf(both, catalogOf())).toEqual([['parent', 'child']]);
    expect(levelsOf(both, catalogOf([['c', 'p']]))).toEqual([['parent'], ['child']]);
  });

  it('never put two that are in each other’s way together, nor change their order', () => {
    const table = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const some = fc.uniqueArray(table, { maxLength: 2 }).map((list) => list.join(' '));
    fc.assert(
      fc.property(fc.array(fc.tuple(some, some), { maxLength: 12 }), (tables) => {
        const all = tables.map(([reads, writes], index) => footprint(String(index), reads, writes));
        const levels = levelsOf(all, catalogOf());
        const levelOf = new Map(
          levels.flatMap((level, at) => level.map((routine) => [routine, at])),
        );
        expect(levels.flat()).toHaveLength(all.length);
        for (const [at, first] of all.entries()) {
          for (const second of all.slice(at + 1)) {
            const touches = (one: Footprint, other: Footprint) =>
              one.writes.some((t) =>
                [...other.reads, ...other.writes].some((u) => u.name === t.name),
              );
            if (!touches(first, second) && !touches(second, first)) continue;
            expect(levelOf.get(first.routine)).toBeLessThan(Number(levelOf.get(second.routine)));
          }
        }
      }),
    );
  });
});
