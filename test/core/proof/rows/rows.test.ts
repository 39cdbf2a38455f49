import { beforeAll, describe, expect, it } from 'vitest';
import { HintBook } from '../../../../src/core/proof/hints/places.ts';
import { readHints } from '../../../../src/core/proof/hints/read.ts';
import { tableChanges } from '../../../../src/core/proof/rows/changes.ts';
import { joinsOf } from '../../../../src/core/proof/rows/joins.ts';
import { Pools } from '../../../../src/core/proof/rows/pools.ts';
import { Random } from '../../../../src/core/proof/rows/random.ts';
import { parentsFirst, RowMaker } from '../../../../src/core/proof/rows/rows.ts';
import type { MadeRow, RowOptions } from '../../../../src/core/proof/rows/rows.ts';
import type { Table } from '../../../../src/core/catalog/types.ts';
import { loadParser } from '../../../../src/core/translate/postgres/parser.ts';
import { catalog, column, procedure, table } from '../catalog.ts';

beforeAll(loadParser);

const clock = new Date('2024-06-15T23:00:00Z');
const OPTIONS: RowOptions = { existing: [], nulls: true, tidy: false, firstFree: new Map() };

function rowsOf(
  made: Table,
  count: number,
  body = '',
  options: Partial<RowOptions> = {},
): MadeRow[] {
  const routines = body === '' ? [] : [procedure('p', `BEGIN ${body} END`)];
  const whole = catalog({ tables: [made], routines });
  const pools = new Pools(
    whole,
    readHints(whole, routines),
    { clock, wildness: 'wild' },
    new Map(),
  );
  const maker = new RowMaker(made, pools, new Random('seed'), new Map(), {
    ...OPTIONS,
    ...options,
  });
  return Array.from({ length: count }, () => maker.next()).filter((row) => row !== null);
}

describe('made-up rows', () => {
  it('are the same every time', () => {
    const made = table('t', ['a', 'b text', 'c date', 'd numeric(5,2)']);
    expect(rowsOf(made, 20)).toEqual(rowsOf(made, 20));
  });

  it('never repeat a key, and fit the lengths of their columns', () => {
    const made = table('t', ['k', 'b character varying(3)', 'n numeric(4,1)', 's smallint'], {
      key: ['k'],
    });
    const rows = rowsOf(made, 25);
    expect(new Set(rows.map((row) => row.k)).size).toBe(25);
    for (const row of rows) {
      expect([...(row.b ?? '')].length).toBeLessThanOrEqual(3);
      expect(Math.abs(Number(row.n ?? 0))).toBeLessThan(1000);
    }
  });

  it('hold the values that conditions tell apart, on both sides of a bound, and NULLs', () => {
    const made = table('t', ['status text', 'amount']);
    const rows = rowsOf(made, 60, "DELETE FROM t WHERE status = 'paid' AND amount > 500;");
    const amounts = new Set(rows.map((row) => row.amount));
    expect(rows.some((row) => row.status === 'paid')).toBe(true);
    expect(rows.some((row) => row.status !== 'paid' && row.status != null)).toBe(true);
    expect([...amounts]).toEqual(expect.arrayContaining(['499', '500', '501']));
    expect(amounts.has(null)).toBe(true);
  });

  it('write texts that are read as dates or numbers as such', () => {
    const made = table('t', ['day text', 'stamp text', 'number text']);
    const rows = rowsOf(
      made,
      20,
      "DELETE FROM t WHERE to_date(stamp, 'YYYYMMDD') > '2024-01-01' AND day::date > '2024-01-01' AND number::int > 0;",
    );
    for (const row of rows) {
      if (row.day != null) expect(row.day).toMatch(/^\d{4}-\d\d-\d\d$/);
      if (row.stamp != null) expect(row.stamp).toMatch(/^\d{8}$/);
      if (row.number != null) expect(row.number).toMatch(/^-?\d+$/);
    }
  });

  it('give what happens twice to one thing two moments, so that ties stand between things', () => {
    const made = table('event', ['id', 'at timestamp without time zone', 'kind text']);
    const rows = rowsOf(made, 40);
    const seen = new Set<string>();
    for (const { id, at } of rows) {
      if (id == null || at == null) continue;
      expect(seen.has(`${id} ${at}`)).toBe(false);
      seen.add(`${id} ${at}`);
    }
    expect(new Set(rows.map((row) => row.id)).size).toBeLessThan(rows.length);
  });

  it('do not tie by accident where a procedure picks one of several', () => {
    const made = table('event', ['id', 'shop text', 'amount', 'open boolean']);
    const pick = (order: string) =>
      `PERFORM row_number() OVER (PARTITION BY shop ORDER BY ${order}) FROM event;`;
    const places = (rows: readonly MadeRow[], column: string) =>
      new Set(rows.map((row) => `${row.shop} ${row[column]}`)).size;
    expect(places(rowsOf(made, 30), 'amount')).toBeLessThan(30);
    expect(places(rowsOf(made, 30, pick('amount')), 'amount')).toBe(30);
    // Where the type has no more values, ties are the procedure's.
    expect(places(rowsOf(made, 60, pick('open')), 'open')).toBeLessThan(60);
  });

  it('have several rows where a procedure picks one by more than one column', () => {
    const made = table('moved', ['order_no', 'item text', 'n', 'place text'], {
      key: ['order_no', 'n'],
    });
    const groups = (rows: readonly MadeRow[]) =>
      new Set(rows.map((row) => `${row.order_no} ${row.item}`)).size;
    const pick = 'PERFORM 1 FROM (SELECT DISTINCT ON (order_no, item) * FROM moved) AS m;';
    expect(groups(rowsOf(made, 30, pick))).toBeLessThan(groups(rowsOf(made, 30)) - 3);
    expect(rowsOf(made, 30, pick)).toHaveLength(30);
  });

  it('find rows of another table also where several columns join them', () => {
    const sale = table('sale', ['no', 'item text', 'day date', 'id'], { key: ['id'] });
    const back = table('back', ['no', 'item text', 'day date']);
    const routine = procedure(
      'p',
      'BEGIN PERFORM 1 FROM sale s JOIN back b ON b.no = s.no AND b.item = s.item AND b.day = s.day; END',
    );
    const whole = catalog({ tables: [sale, back], routines: [routine] });
    const values = { clock, wildness: 'wild' as const };
    const hints = readHints(whole, [routine]);
    const pools = new Pools(whole, hints, values, new Map());
    const rowsWith = (made: Table, options: Partial<RowOptions>) => {
      const maker = new RowMaker(made, pools, new Random('x'), new Map(), {
        ...OPTIONS,
        ...options,
      });
      return Array.from({ length: 30 }, () => maker.next()).filter((row) => row !== null);
    };
    const sales = rowsWith(sale, {});
    const joined = [{ columns: joinsOf(hints, back, sale), rows: sales }];
    const found = (rows: readonly MadeRow[]) =>
      rows.filter(({ no, item, day }) =>
        sales.some((other) => other.no === no && other.item === item && other.day === day),
      ).length;
    expect(joined[0]?.columns.map(([own]) => own)).toEqual(['no', 'item', 'day']);
    const bound = {
      name: 'fk',
      columns: ['day'],
      references: { schema: 's', name: 'days' },
      referencedColumns: ['d'],
    };
    const names = (own: Table, other: Table) => joinsOf(hints, own, other).map(([name]) => name);
    expect(names({ ...back, foreignKeys: [bound] }, sale)).toEqual(['no', 'item']);
    expect(names({ ...back, foreignKeys: [bound] }, { ...sale, foreignKeys: [bound] })).toEqual([
      'no',
      'item',
      'day',
    ]);
    expect(found(rowsWith(back, { joined }))).toBeGreaterThan(found(rowsWith(back, {})) + 3);
  });

  it('are about one thing each where they must be tidy', () => {
    const made = table('stage', ['id', 'name text']);
    const rows = rowsOf(made, 10, '', { tidy: true, nulls: false });
    expect(new Set(rows.map((row) => row.id)).size).toBe(10);
    expect(rows.every((row) => row.name != null)).toBe(true);
  });

  it('hold only what conditions name where they must, if they name several values', () => {
    const made = table('stage', ['id', 'kind text', 'note text']);
    const body = "DELETE FROM stage WHERE kind IN ('a', 'b') AND note = 'x';";
    const rows = rowsOf(made, 20, body, { tidy: true, nulls: false, named: true });
    expect(new Set(rows.map((row) => row.kind))).toEqual(new Set(['a', 'b']));
    expect(new Set(rows.map((row) => row.note)).size).toBeGreaterThan(1);
  });

  it('hold no value of a column twice where they must, while there are others', () => {
    const made = table('lookup', ['name text', 'open boolean', 'rank']);
    const body = "DELETE FROM lookup WHERE name = 'x';";
    const rows = rowsOf(made, 30, body, { tidy: false, nulls: false, distinct: true });
    const first = rows.slice(0, 9);
    expect(new Set(first.map((row) => row.name)).size).toBe(9);
    expect(new Set(first.map((row) => row.rank)).size).toBe(9);
    expect(new Set(first.map((row) => row.open)).size).toBe(2);
    expect(rows.filter((row) => row.name === 'x')).toHaveLength(1);
  });

  it('refer only to rows that are there, and to none where there are none', () => {
    const parent = { schema: 's', name: 'parent' };
    const child = table('child', [column('parent_id', 'integer', { nullable: false })], {
      foreignKeys: [
        { name: 'fk', columns: ['parent_id'], references: parent, referencedColumns: ['id'] },
      ],
    });
    const pools = new Pools(
      catalog({ tables: [child] }),
      new HintBook(),
      { clock, wildness: 'plain' },
      new Map(),
    );
    const orphan = new RowMaker(child, pools, new Random('x'), new Map(), OPTIONS);
    expect(orphan.next()).toBeNull();
    const parents = new Map([['s.parent', [{ id: '77' }]]]);
    expect(new RowMaker(child, pools, new Random('x'), parents, OPTIONS).next()).toEqual({
      parent_id: '77',
    });
    const ordered = parentsFirst([child, table('parent', ['id'], { key: ['id'] })]);
    expect(ordered.map(({ name }) => name.name)).toEqual(['parent', 'child']);
  });

  it('know enums, arrays, JSON keys and domains', () => {
    const made = table('t', ['mood s.mood', 'tags text[]', 'doc jsonb', 'money s.amount']);
    const routine = procedure('p', "BEGIN DELETE FROM t WHERE doc ->> 'kind' = 'web'; END");
    const whole = catalog({
      tables: [made],
      routines: [routine],
      types: [
        {
          name: { schema: 's', name: 'mood' },
          kind: 'enum',
          labels: ['sad', 'ok'],
          baseType: null,
          fields: [],
        },
        {
          name: { schema: 's', name: 'amount' },
          kind: 'domain',
          labels: [],
          baseType: 'numeric(6,2)',
          fields: [],
        },
      ],
    });
    const pools = new Pools(
      whole,
      readHints(whole, [routine]),
      { clock, wildness: 'plain' },
      new Map(),
    );
    const [mood, tags, doc, money] = made.columns.map((item) => pools.of(made, item));
    expect(mood?.told).toEqual(['sad', 'ok']);
    expect(tags?.others).toContain('{}');
    expect(doc?.told.some((text) => text.includes('"kind":"web"'))).toBe(true);
    expect(money?.others).toContain('12.34');
  });
});

describe('changes', () => {
  it('delete, update, copy and add rows, the same every time', () => {
    const made = table('t', ['k', 'a text', 'b'], { key: ['k'] });
    const pools = new Pools(
      catalog({ tables: [made] }),
      new HintBook(),
      { clock, wildness: 'wild' },
      new Map(),
    );
    const rows = Array.from({ length: 30 }, (_, k) => ({ k: String(k + 1), a: 'x', b: '1' }));
    const input = {
      table: made,
      rows,
      firstFree: new Map([['k', 31n]]),
      parents: new Map(),
      seed: 's',
    };
    const statements = tableChanges(input, pools);
    expect(statements).toEqual(tableChanges(input, pools));
    const count = (verb: string) => statements.filter((sql) => sql.startsWith(verb)).length;
    expect(count('DELETE')).toBe(6);
    expect(count('UPDATE')).toBe(12);
    expect(count('INSERT')).toBe(14);
    expect(
      statements.filter((sql) => sql.startsWith('UPDATE')).every((sql) => !/SET "k"/u.test(sql)),
    ).toBe(true);
  });

  it('leave no two rows about one thing at one time that differ otherwise', () => {
    const made = table('event', ['id', 'name text', 'day date']);
    const pools = new Pools(
      catalog({ tables: [made] }),
      new HintBook(),
      { clock, wildness: 'wild' },
      new Map(),
    );
    // Each of them twice, as a source without a key has them.
    const rows = Array.from({ length: 40 }, (_, at) => ({
      id: String(at % 20),
      name: 'x',
      day: '2024-06-15',
    }));
    const input = { table: made, rows, firstFree: new Map(), parents: new Map(), seed: 's' };
    const updates = tableChanges(input, pools).filter((sql) => sql.startsWith('UPDATE'));
    expect(updates.length).toBeGreaterThan(8);
    expect(updates.filter((sql) => !/SET.*"(id|day)" = .* WHERE \(tableoid/u.test(sql))).toEqual(
      [],
    );
  });
});
