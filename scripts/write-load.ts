/** A write load on a source: seeded inserts, updates, changes of keys, deletes, several tables in one transaction. */
import type { Dialect } from '../src/core/movement/model.ts';

/** Three tables: a numeric key, a key of two columns, and none. */
export function tablesSql(dialect: Dialect, schema: string, rows: number): readonly string[] {
  const nokey =
    dialect === 'postgres' ? [`ALTER TABLE ${schema}.events REPLICA IDENTITY FULL`] : [];
  const values = (make: (index: number) => string) =>
    Array.from({ length: rows }, (_, index) => make(index)).join(', ');
  return [
    `CREATE TABLE ${schema}.orders (id bigint PRIMARY KEY, customer int NOT NULL, amount numeric(12,2), note varchar(200), at timestamp NULL)`,
    `CREATE TABLE ${schema}.lines (order_id bigint, line int, sku varchar(30) NOT NULL, qty int, PRIMARY KEY (order_id, line))`,
    `CREATE TABLE ${schema}.events (kind varchar(20), n int)`,
    ...nokey,
    `INSERT INTO ${schema}.orders VALUES ${values((index) => `(${index}, ${index % 97}, ${index}.25, 'note ${index} é', '2024-01-01 00:00:00')`)}`,
    `INSERT INTO ${schema}.lines VALUES ${values((index) => `(${Math.floor(index / 3)}, ${index % 3}, 'sku-${index}', ${index % 11})`)}`,
    `INSERT INTO ${schema}.events VALUES ${values((index) => `('kind ${index % 5}', ${index % 50})`)}`,
  ];
}

/** The statements of the next transaction; `next` is the id of the next order. */
export function nextTransaction(
  dialect: Dialect,
  schema: string,
  random: () => number,
  next: number,
): readonly string[] {
  const pick = (below: number) => Math.floor(random() * below);
  const one =
    dialect === 'postgres'
      ? (table: string, where: string) =>
          `DELETE FROM ${table} WHERE ctid = (SELECT min(ctid) FROM ${table} WHERE ${where})`
      : (table: string, where: string) => `DELETE FROM ${table} WHERE ${where} LIMIT 1`;
  const some = pick(next);
  const choices: readonly (readonly string[])[] = [
    [
      `INSERT INTO ${schema}.orders VALUES (${next}, ${pick(97)}, ${pick(1000)}.5, 'new', NULL)`,
      `INSERT INTO ${schema}.lines VALUES (${next}, 0, 'sku', 1), (${next}, 1, 'sku', 2)`,
    ],
    [
      `UPDATE ${schema}.orders SET amount = amount + 1, note = 'changed ${pick(1e6)}' WHERE id BETWEEN ${some} AND ${some + 20}`,
    ],
    [`UPDATE ${schema}.orders SET id = id + 1000000 WHERE id = ${some}`],
    [
      `DELETE FROM ${schema}.orders WHERE id = ${some}`,
      `DELETE FROM ${schema}.lines WHERE order_id = ${some}`,
    ],
    [
      `INSERT INTO ${schema}.events VALUES ('live', ${pick(50)})`,
      `UPDATE ${schema}.lines SET qty = qty + 1 WHERE order_id = ${some}`,
    ],
    [one(`${schema}.events`, `n = ${pick(50)}`)],
    [`UPDATE ${schema}.lines SET line = line + 10 WHERE order_id = ${some} AND line < 10`],
  ];
  return ['BEGIN', ...(choices[pick(choices.length)] ?? []), 'COMMIT'];
}
