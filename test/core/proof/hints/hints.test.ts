import { beforeAll, describe, expect, it } from 'vitest';
import { columnPlace, variablePlace } from '../../../../src/core/proof/hints/places.ts';
import { readHints } from '../../../../src/core/proof/hints/read.ts';
import { loadParser } from '../../../../src/core/translate/postgres/parser.ts';
import { catalog, column, parameter, procedure, table } from '../catalog.ts';

beforeAll(loadParser);

const place = (name: string, column: string) => columnPlace({ schema: 's', name }, column);

const tables = [
  table('customer', ['id', 'name text', 'segment text'], { key: ['id'] }),
  table('orders', [
    'id',
    'customer_id',
    'status text',
    'amount numeric',
    'day date',
    'raw text',
    'doc jsonb',
  ]),
  table('fact', ['order_id', 'customer', 'total numeric', 'note text']),
];

function hintsOf(body: string, parameters: Parameters<typeof procedure>[2] = []) {
  const routine = procedure('p', `DECLARE v_last date; BEGIN ${body} END`, parameters);
  return readHints(catalog({ tables, routines: [routine] }), [routine]);
}

describe('hints from procedures', () => {
  it('tell which columns hold the same values: joined, copied, compared, through CTEs and subqueries', () => {
    const book = hintsOf(`
      WITH recent AS (SELECT o.id AS oid, o.customer_id AS cid FROM orders o)
      INSERT INTO fact (order_id, customer)
      SELECT r.oid, c.id FROM recent r JOIN (SELECT id FROM customer) c ON c.id = r.cid
       WHERE NOT EXISTS (SELECT 1 FROM fact f WHERE f.order_id = r.oid);`);
    const same = (a: string, b: string) => book.rootOf(a) === book.rootOf(b);
    expect(same(place('orders', 'id'), place('fact', 'order_id'))).toBe(true);
    expect(same(place('orders', 'customer_id'), place('customer', 'id'))).toBe(true);
    expect(same(place('customer', 'id'), place('fact', 'customer'))).toBe(true);
    expect(same(place('orders', 'id'), place('customer', 'id'))).toBe(false);
  });

  it('take from a helper what it tells apart in its parameters, without making one of its callers', () => {
    const helper = {
      ...procedure('rate', '', [parameter('p_day', 'date'), parameter('p_kind', 'text')]),
      kind: 'function' as const,
      language: 'sql',
      body: "SELECT CASE WHEN p_kind = 'gold' THEN 1 ELSE 0 END",
      definition:
        "CREATE FUNCTION s.rate(p_day date, p_kind text) RETURNS int LANGUAGE sql AS $$SELECT CASE WHEN p_kind = 'gold' THEN 1 ELSE 0 END$$",
    };
    const caller = procedure(
      'p',
      'BEGIN UPDATE orders SET amount = s.rate(day, status); PERFORM rate(day, raw) FROM orders; END',
    );
    const book = readHints(catalog({ tables, routines: [helper, caller] }), [caller, helper]);
    const told = { kind: 'literal', value: 'gold' };
    expect(book.classOf(place('orders', 'status')).hints).toEqual([told]);
    expect(book.classOf(place('orders', 'raw')).hints).toEqual([told]);
    expect(book.classOf(place('orders', 'day')).hints).toEqual([]);
    expect(book.rootOf(place('orders', 'status'))).not.toBe(book.rootOf(place('orders', 'raw')));
  });

  it('tell by what rows are picked: windows, named ones too, and DISTINCT ON', () => {
    const book = hintsOf(`
      INSERT INTO fact (order_id) SELECT id FROM (
        SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY day DESC, status) AS n FROM orders) x
       WHERE n = 1;
      INSERT INTO fact (order_id) SELECT first_value(id) OVER w FROM orders WINDOW w AS (PARTITION BY upper(raw) ORDER BY amount);
      INSERT INTO fact (order_id) SELECT DISTINCT ON (o.status) o.id FROM orders o ORDER BY o.status, o.day;
      INSERT INTO fact (order_id) SELECT DISTINCT ON (id, day) id FROM orders;
      INSERT INTO fact (order_id) SELECT DISTINCT id FROM orders;
      INSERT INTO fact (order_id) SELECT row_number() OVER (ORDER BY day) FROM orders;
      INSERT INTO fact (order_id) SELECT row_number() OVER (PARTITION BY id + 1 ORDER BY day) FROM orders;`);
    const of = (columns: readonly string[]) => columns.map((column) => place('orders', column));
    expect(book.rankings).toEqual([
      { partition: of(['customer_id']), order: of(['day', 'status']) },
      { partition: of(['raw']), order: of(['amount']) },
      { partition: of(['status']), order: of(['day']) },
      { partition: of(['id', 'day']), order: [] },
    ]);
  });

  it('keep columns of a query apart that have one name', () => {
    const book = hintsOf(`INSERT INTO fact (order_id, customer, note)
      SELECT o.id, c.id, c.name FROM orders o JOIN customer c ON c.id = o.customer_id;`);
    const same = (a: string, b: string) => book.rootOf(a) === book.rootOf(b);
    expect(same(place('orders', 'id'), place('fact', 'order_id'))).toBe(true);
    expect(same(place('customer', 'id'), place('fact', 'customer'))).toBe(true);
    expect(same(place('customer', 'name'), place('fact', 'note'))).toBe(true);
    expect(same(place('orders', 'id'), place('customer', 'id'))).toBe(false);
  });

  it('tell the constants that conditions tell apart', () => {
    const book = hintsOf(`
      UPDATE orders SET amount = 0
       WHERE status IN ('paid', 'open') AND upper(raw) LIKE 'AB%' AND amount >= 100
         AND day BETWEEN '2024-01-01' AND '2024-12-31' AND CASE status WHEN 'late' THEN true END;
      DELETE FROM orders WHERE day < CURRENT_DATE - 7 AND to_date(raw, 'YYYYMMDD') = day AND raw::int > -5;`);
    const hints = (column: string) => book.classOf(place('orders', column)).hints;
    expect(hints('status')).toEqual([
      { kind: 'literal', value: 'paid' },
      { kind: 'literal', value: 'open' },
      { kind: 'literal', value: 'late' },
    ]);
    expect(hints('amount')).toContainEqual({ kind: 'bound', value: '100' });
    expect(hints('day')).toContainEqual({ kind: 'bound', value: '2024-12-31' });
    expect(hints('day')).toContainEqual({ kind: 'clock' });
    expect(hints('raw')).toEqual(
      expect.arrayContaining([
        { kind: 'pattern', value: 'AB%' },
        { kind: 'format', value: 'YYYYMMDD' },
        { kind: 'cast', type: 'integer' },
        { kind: 'bound', value: '-5' },
      ]),
    );
  });

  it('follow parameters and variables to the columns that they meet', () => {
    const book = hintsOf(
      `SELECT max(day) INTO v_last FROM orders;
       IF p_mode = 'full' THEN DELETE FROM fact; END IF;
       DELETE FROM orders WHERE day > p_from AND status = p_status;`,
      [parameter('p_mode', 'text'), parameter('p_from', 'date'), parameter('p_status', 'text')],
    );
    const id = 's.p(text, date, text)';
    expect(book.classOf(variablePlace(id, 'p_mode')).hints).toEqual([
      { kind: 'literal', value: 'full' },
    ]);
    expect(book.rootOf(variablePlace(id, 'p_from'))).toBe(book.rootOf(place('orders', 'day')));
    expect(book.rootOf(variablePlace(id, 'v_last'))).toBe(book.rootOf(place('orders', 'day')));
    expect(book.rootOf(variablePlace(id, 'p_status'))).toBe(book.rootOf(place('orders', 'status')));
  });

  it('read keys of JSON values, views, MERGE, foreign keys and checks', () => {
    const routine = procedure(
      'p',
      `BEGIN
         INSERT INTO fact (note) SELECT doc ->> 'kind' FROM orders WHERE doc ->> 'kind' = 'web';
         MERGE INTO fact f USING v ON f.order_id = v.oid WHEN MATCHED AND f.note = 'x' THEN UPDATE SET total = v.amt;
       END`,
    );
    const view = {
      name: { schema: 's', name: 'v' },
      materialized: false,
      columns: [column('oid'), column('amt', 'numeric')],
      sql: 'SELECT id AS oid, amount AS amt FROM orders',
      comment: null,
    };
    const child = table('child', ['parent_id', 'grade text'], {
      foreignKeys: [
        {
          name: 'fk',
          columns: ['parent_id'],
          references: { schema: 's', name: 'customer' },
          referencedColumns: ['id'],
        },
      ],
      checks: [{ name: 'ck', sql: "grade = ANY (ARRAY['A'::text, 'B'::text]) OR grade = 'C'" }],
    });
    const whole = catalog({
      tables: [...tables, child],
      views: [view],
      routines: [routine],
    });
    const book = readHints(whole, [routine]);
    const json = book.classOf(place('orders', 'doc')).hints[0];
    expect(json).toMatchObject({ kind: 'json', key: 'kind' });
    if (json?.kind === 'json') {
      expect(book.classOf(json.place).hints).toContainEqual({ kind: 'literal', value: 'web' });
      expect(book.rootOf(json.place)).toBe(book.rootOf(place('fact', 'note')));
    }
    expect(book.rootOf(place('fact', 'order_id'))).toBe(book.rootOf(place('orders', 'id')));
    expect(book.rootOf(place('fact', 'total'))).toBe(book.rootOf(place('orders', 'amount')));
    expect(book.rootOf(place('child', 'parent_id'))).toBe(book.rootOf(place('customer', 'id')));
    expect(book.classOf(place('child', 'grade')).hints).toContainEqual({
      kind: 'literal',
      value: 'C',
    });
  });

  it('pass over what does not parse', () => {
    const broken = { ...procedure('p', 'BEGIN nonsense'), definition: 'nonsense' };
    expect(() => readHints(catalog({ tables, routines: [broken] }), [broken])).not.toThrow();
  });
});
