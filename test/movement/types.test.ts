/** Every row of the type tables at its extremes: loaded and followed, each must arrive as the same text. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/movement/model.ts';
import { travelsBinary } from '../../src/core/movement/types/binary.ts';
import { TYPE_TABLES } from '../../src/core/movement/types/map.ts';
import { ruleFor } from '../../src/core/movement/types/rule.ts';
import { meta } from './arena-tools.ts';
import { inArena, moveTo, openArena, startServers, stopServers } from './support.ts';
import type { Servers } from './support.ts';

/** Type, value as SQL of the source, and the text that the target must give. */
type Case = readonly [type: string, value: string, expected: string | null, read?: string];

const POSTGRES_TO_MYSQL: readonly Case[] = [
  ['boolean', 'true', '1'],
  ['boolean', 'false', '0'],
  ['boolean', 'NULL', null],
  ['smallint', '-32768', '-32768'],
  ['integer', '2147483647', '2147483647'],
  ['bigint', '-9223372036854775808', '-9223372036854775808'],
  ['oid', '4294967295', '4294967295'],
  ['numeric(10,2)', '-99999999.99', '-99999999.99'],
  [
    'numeric(65,30)',
    '99999999999999999999999999999999999.999999999999999999999999999999',
    '99999999999999999999999999999999999.999999999999999999999999999999',
  ],
  ['numeric', '-0.000000000000000000000000000001', '-0.000000000000000000000000000001'],
  ['real', '3.4028235e38', '3.4028234663852886e38', 'CAST(c AS DOUBLE)'],
  ['real', '0.1', '0.10000000149011612', 'CAST(c AS DOUBLE)'],
  ['double precision', '1.7976931348623157e308', '1.7976931348623157e308'],
  ['double precision', '2.2250738585072014e-308', '2.2250738585072014e-308'],
  ['double precision', '0.1', '0.1'],
  ['double precision', '1e15', '1e15'],
  ['money', `'-1234567.89'::numeric::money`, '-1234567.89'],
  ['character(5)', `'ab'`, 'ab'],
  ['character varying(10)', `'é€😀'`, 'é€😀'],
  [
    'text',
    String.raw`E'tab\t nl\n cr\r bs\\ ff\f vt\v bell\b quote'' nul-like \\N'`,
    "tab\t nl\n cr\r bs\\ ff\f vt\v bell\b quote' nul-like \\N",
  ],
  ['text', `''`, ''],
  ['text', String.raw`E'\\N'`, String.raw`\N`],
  ['text', `'trailing  '`, 'trailing  '],
  ['uuid', `'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'`, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ['bytea', String.raw`'\x00ff5c0a0d09'`, '00FF5C0A0D09', 'HEX(c)'],
  ['date', `'0001-01-01'`, '0001-01-01'],
  ['date', `'9999-12-31'`, '9999-12-31'],
  ['timestamp', `'9999-12-31 23:59:59.999999'`, '9999-12-31 23:59:59.999999'],
  ['timestamptz', `'2024-03-31 02:30:00.000001+02'`, '2024-03-31 00:30:00.000001'],
  ['time', `'23:59:59.999999'`, '23:59:59.999999'],
  ['json', `'{"b": 1,  "a": [1.0, "é"]}'`, '{"b": 1,  "a": [1.0, "é"]}'],
  ['jsonb', `'{"b": 1, "a": null}'`, '{"a": null, "b": 1}'],
  ['integer[]', `'{1,NULL,-3}'`, '[1,null,-3]'],
  ['integer[]', `'{{1,2},{3,4}}'`, '[[1,2],[3,4]]'],
  ['boolean[]', `'{t,f}'`, '[true,false]'],
  [
    'text[]',
    String.raw`ARRAY['a,b', 'q"uo\te', NULL, '', 'NULL', 'é{}']`,
    String.raw`["a,b","q\"uo\\te",null,"","NULL","é{}"]`,
  ],
  ['timestamp[]', `'{2024-01-01 10:00:00.5}'`, '["2024-01-01 10:00:00.5"]'],
  ['int4range', `'[1,5)'`, '"[1,5)"'],
  ['mood', `'happy'`, 'happy'],
  ['bit(9)', `B'101010101'`, '341', 'c + 0'],
  [
    'bit(64)',
    `B'1111111111111111111111111111111111111111111111111111111111111111'`,
    '18446744073709551615',
    'c + 0',
  ],
  ['bit varying', `B'0101'`, '0101'],
  ['interval', `'1 year -2 days 03:04:05.000006'`, '1 year -2 days +03:04:05.000006'],
  ['inet', `'10.0.0.1/8'`, '10.0.0.1/8'],
  ['inet', `'10.0.0.1'`, '10.0.0.1'],
  ['cidr', `'10.0.0.1'`, '10.0.0.1/32'],
  ['inet[]', `'{10.0.0.1,NULL,::1/64}'`, '["10.0.0.1",null,"::1/64"]'],
  ['cidr[]', `'{10.0.0.1}'`, '["10.0.0.1/32"]'],
  ['character(5)[]', `'{ab}'`, '["ab   "]'],
  ['time with time zone', `'10:00:00.5+02'`, '10:00:00.5+02'],
];

const MYSQL_TO_POSTGRES: readonly Case[] = [
  ['tinyint(1)', '1', 'true'],
  ['tinyint', '-128', '-128'],
  ['tinyint unsigned', '255', '255'],
  ['smallint unsigned', '65535', '65535'],
  ['mediumint', '-8388608', '-8388608'],
  ['mediumint unsigned', '16777215', '16777215'],
  ['int', '-2147483648', '-2147483648'],
  ['int unsigned', '4294967295', '4294967295'],
  ['int(8) zerofill', '42', '42'],
  ['bigint', '-9223372036854775808', '-9223372036854775808'],
  ['bigint unsigned', '18446744073709551615', '18446744073709551615'],
  [
    'decimal(65,30)',
    '-99999999999999999999999999999999999.999999999999999999999999999999',
    '-99999999999999999999999999999999999.999999999999999999999999999999',
  ],
  ['decimal(10,2)', '0.05', '0.05'],
  ['decimal(10,2) zerofill', '1.50', '1.50'],
  ['float', '0.1', '0.1'],
  ['float', '3.40282e38', '3.40282e+38'],
  ['double', '1.7976931348623157e308', '1.7976931348623157e+308'],
  ['double', '5e-324', '5e-324'],
  ['double', '-1e15', '-1e+15'],
  ['bit(1)', `b'1'`, 'true'],
  ['bit(9)', `b'101010101'`, '101010101'],
  ['bit(64)', `x'FFFFFFFFFFFFFFFE'`, `${'1'.repeat(63)}0`],
  ['char(5)', `'ab'`, 'ab   ', `format('%s', c)`],
  ['varchar(10)', `'é€😀 '`, 'é€😀 '],
  ['varchar(10) character set latin1', `'éÿ€'`, 'éÿ€'],
  [
    'text character set latin1',
    `UNHEX('818d8f909dc38180')`,
    '\u0081\u008d\u008f\u0090\u009dÃ\u0081€',
  ],
  ['longtext', String.raw`'tab\t nl\n cr\r bs\\ quote'' \\N'`, "tab\t nl\n cr\r bs\\ quote' \\N"],
  ['text', `''`, ''],
  ['binary(4)', `x'0102'`, String.raw`\x01020000`],
  ['varbinary(10)', `x'00ff5c0a'`, String.raw`\x00ff5c0a`],
  ['longblob', `x'00ff5c0a0d09'`, String.raw`\x00ff5c0a0d09`],
  ['date', `'9999-12-31'`, '9999-12-31'],
  ['datetime(6)', `'1000-01-01 00:00:00.000001'`, '1000-01-01 00:00:00.000001'],
  ['datetime', `'2024-02-29 23:59:59'`, '2024-02-29 23:59:59'],
  ['timestamp(6)', `'2038-01-19 03:14:07.999999'`, '2038-01-19 03:14:07.999999+00'],
  ['time', `'-838:59:59'`, '-838:59:59'],
  ['time', `'-10:00:00'`, '-10:00:00'],
  ['time(6)', `'-100:30:00'`, '-100:30:00'],
  ['time(2)', `'-10:00:00.5'`, '-10:00:00.5'],
  ['time(6)', `'838:59:58.999999'`, '838:59:58.999999'],
  ['time(3)', `'-00:00:00.001'`, '-00:00:00.001'],
  ['year', `'2155'`, '2155'],
  ['year', `'0000'`, '0'],
  ['year(2)', `'99'`, '1999'],
  ['year(2)', `'05'`, '2005'],
  [`enum('a,b','it''s','é')`, `'it''s'`, "it's"],
  [`enum('x','')`, `''`, ''],
  [String.raw`enum('a\\b','c\nd','e\rf','\\')`, String.raw`'a\\b'`, String.raw`a\b`],
  [String.raw`enum('a\\b','c\nd','e\rf','\\')`, String.raw`'c\nd'`, 'c\nd'],
  [`set('x','y"z','w\\\\v')`, String.raw`'x,y"z,w\\v'`, String.raw`{x,"y\"z","w\\v"}`],
  [`set('x','y')`, `''`, '{}'],
  ['json', `'{"b": 1, "a": [1.0, "é"]}'`, '{"b": 1, "a": [1.0, "é"]}'],
  ['uuid', `'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a00'`, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a00'],
  ['inet6', `'::ffff:10.0.0.1'`, '::ffff:10.0.0.1', 'host(c)'],
  ['inet6', `'2001:db8::'`, '2001:db8::', 'host(c)'],
];

const POSTGRES_SAME: readonly Case[] = [
  ['boolean', 'true', 'true'],
  ['numeric', `'NaN'`, 'NaN'],
  ['numeric', '1.500', '1.500'],
  ['double precision', `'-Infinity'`, '-Infinity'],
  ['date', `'infinity'`, 'infinity'],
  ['timestamptz', `'4713-01-01 00:00:00+00 BC'`, '4713-01-01 00:00:00+00 BC'],
  ['timestamp', `'294276-12-31 23:59:59.999999'`, '294276-12-31 23:59:59.999999'],
  ['text', String.raw`E'\t\n\r\\ \f\v\b 😀 \\.'`, '\t\n\r\\ \f\v\b 😀 \\.'],
  ['character(5)', `'ab'`, 'ab   ', `format('%s', c)`],
  ['bytea', String.raw`'\x00ff'`, String.raw`\x00ff`],
  ['text[]', `ARRAY['a', NULL, '{"']`, String.raw`{a,NULL,"{\""}`],
  ['jsonb', `'{"a": 1}'`, '{"a": 1}'],
  ['int4range', `'[1,5)'`, '[1,5)'],
  ['mood', `'sad'`, 'sad'],
  ['duo', `'(1,"a,""b")'`, '(1,"a,""b")'],
  ['money', `'-1.50'::numeric::money`, '-$1.50'],
  ['interval', `'-1 mon 2 days -03:00'`, '-1 mons +2 days -03:00:00'],
  ['point', `'(1,2)'`, '(1,2)'],
  ['bit(3)', `B'101'`, '101'],
  ['xml', `'<a>é</a>'`, '<a>é</a>'],
];

/** Types that let their table travel in PostgreSQL's binary form. */
const POSTGRES_BINARY: readonly Case[] = [
  ['boolean', 'true', 'true'],
  ['smallint', '-32768', '-32768'],
  ['integer', '2147483647', '2147483647'],
  ['bigint', '-9223372036854775808', '-9223372036854775808'],
  ['real', '3.4028235e38', '3.4028235e+38'],
  ['double precision', `'NaN'`, 'NaN'],
  ['numeric', `'-Infinity'`, '-Infinity'],
  ['numeric', `repeat('9', 1000)::numeric`, '9'.repeat(1000)],
  ['numeric(12,2)', '-9999999999.99', '-9999999999.99'],
  ['text', String.raw`E'\t\n\r\\ \f 😀 \\. \\N'`, '\t\n\r\\ \f 😀 \\. \\N'],
  ['character varying(10)', `''`, ''],
  ['character(5)', `'ab'`, 'ab   ', `format('%s', c)`],
  ['bytea', String.raw`'\x00ff'`, String.raw`\x00ff`],
  ['uuid', `'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'`, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ['date', `'-infinity'`, '-infinity'],
  ['time with time zone', `'10:00:00.000001+02'`, '10:00:00.000001+02'],
  ['timestamp', `'294276-12-31 23:59:59.999999'`, '294276-12-31 23:59:59.999999'],
  ['timestamp(3) with time zone', `'4713-01-01 BC'`, '4713-01-01 00:00:00+00 BC'],
  ['interval', `'-1 mon 2 days -03:00'`, '-1 mons +2 days -03:00:00'],
  ['json', `'{"b": 1,  "a": 2}'`, '{"b": 1,  "a": 2}'],
  ['jsonb', `'{"b": 1, "a": null}'`, '{"a": null, "b": 1}'],
  ['inet', `'2001:db8::1/64'`, '2001:db8::1/64'],
  ['macaddr', `'08:00:2b:01:02:03'`, '08:00:2b:01:02:03'],
  ['bit(9)', `B'101010101'`, '101010101'],
  ['bit varying(9)', `B'01'`, '01'],
];

const MYSQL_SAME: readonly Case[] = [
  ['bigint unsigned', '18446744073709551615', '18446744073709551615'],
  ['float', '0.1', '0.10000000149011612', 'CAST(c AS DOUBLE)'],
  ['double', '5e-324', '5e-324'],
  ['bit(9)', `b'101010101'`, '341', 'c + 0'],
  ['binary(4)', `x'0102'`, '01020000', 'HEX(c)'],
  ['varbinary(4)', `x'0020'`, '0020', 'HEX(c)'],
  ['longblob', `x'00ff5c0a'`, '00FF5C0A', 'HEX(c)'],
  ['date', `'0000-00-00'`, '0000-00-00'],
  ['date', `'2024-00-15'`, '2024-00-15'],
  ['datetime(6)', `'2024-02-30 00:00:00.000001'`, '2024-02-30 00:00:00.000001'],
  ['timestamp', `'0000-00-00 00:00:00'`, '0000-00-00 00:00:00'],
  ['time(6)', `'-838:59:59.000000'`, '-838:59:59.000000'],
  ['time', `'-10:00:00'`, '-10:00:00'],
  ['decimal(10,2) zerofill', '1.50', '00000001.50'],
  ['year', `'0000'`, '0000'],
  ['varchar(10) character set latin1', `'éÿ€'`, 'éÿ€'],
  [
    'text character set latin1',
    `UNHEX('818d8f909dc38180')`,
    '\u0081\u008d\u008f\u0090\u009dÃ\u0081€',
  ],
  [`enum('a','b')`, `'b'`, 'b'],
  [`enum('a','')`, `''`, ''],
  [`set('x','y')`, `'x,y'`, 'x,y'],
  ['json', `'{"b": 1}'`, '{"b": 1}'],
  ['uuid', `'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a00'`, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a00'],
  ['inet6', `'::1'`, '::1'],
];

const TABLES: readonly (readonly [Dialect, Dialect, readonly Case[]])[] = [
  ['postgres', 'mysql', POSTGRES_TO_MYSQL],
  ['mysql', 'postgres', MYSQL_TO_POSTGRES],
  ['postgres', 'postgres', POSTGRES_SAME],
  ['postgres', 'postgres', POSTGRES_BINARY],
  ['mysql', 'mysql', MYSQL_SAME],
];

let servers: Servers | undefined;
beforeAll(async () => {
  servers = await startServers();
});
afterAll(() => stopServers(servers));

describe.each(TABLES)('%s → %s', (from, to, cases) => {
  test('every type at its extremes, loaded, inserted, updated, and proven equal', async () => {
    if (servers === undefined) throw new Error('no servers');
    const arena = await openArena(servers, [from, to], { tables: ['extremes'] });
    const table = `${arena.src}.extremes`;
    const duo = `CREATE TYPE ${arena.src}.duo AS (n int, t text)`;
    if (to === 'postgres') await arena.onTarget(`CREATE SCHEMA ${arena.src}`, duo);
    const columns = cases.map(
      ([type], index) => `c${index} ${type.replace(/^(?:mood|duo)$/, `${arena.src}.$&`)} NULL`,
    );
    const values = cases.map(([, value]) => value).join(', ');
    await arena.onSource(
      ...(from === 'postgres'
        ? [`CREATE TYPE ${arena.src}.mood AS ENUM ('sad', 'happy')`, duo]
        : []),
      `CREATE TABLE ${table} (id int PRIMARY KEY, note varchar(20), ${columns.join(', ')})`,
      `INSERT INTO ${table} VALUES (1, 'loaded', ${values})`,
    );
    await moveTo(arena, 'drained');
    const mapping = await arena.onTarget(`SELECT mapping FROM ${meta(arena)}.sprocket_move_table`);
    expect(travelsBinary(JSON.parse(mapping[0]?.[0] ?? ''))).toBe(cases === POSTGRES_BINARY);
    await arena.onSource(
      `INSERT INTO ${table} VALUES (2, 'inserted', ${values})`,
      `INSERT INTO ${table} (id, note) VALUES (3, 'empty')`,
      `UPDATE ${table} SET note = 'updated', ${cases.map(([, value], index) => `c${index} = ${value}`).join(', ')} WHERE id = 3`,
    );
    const described = await inArena(arena, ({ source }) =>
      source.describe({ schema: arena.src, name: 'extremes' }, true),
    );
    const rules = TYPE_TABLES[from][to].filter((rule) => rule.to !== 'refused at planning');
    const met = new Set(described?.columns.map((column) => ruleFor(rules, column)?.from));
    if (cases !== POSTGRES_BINARY) {
      expect(rules.map((rule) => rule.from).filter((row) => !met.has(row))).toEqual([]);
    }
    const result = await moveTo(arena, 'cutover');
    expect(result.verdicts).toMatchObject([{ equal: true, sourceRows: 3, targetRows: 3 }]);

    const read = cases.map(([, , , expression], index) => {
      const text = (expression ?? 'c').replace(/\bc\b/g, `c${index}`);
      return to === 'postgres' ? `(${text})::text` : `CAST(${text} AS CHAR)`;
    });
    const rows = await arena.onTarget(
      `SELECT note, ${read.join(', ')} FROM ${arena.raw}.extremes ORDER BY id`,
    );
    const expected = cases.map(([type, value, text]) => `${type} ${value} → ${text}`);
    for (const note of ['loaded', 'inserted', 'updated']) {
      const row = rows.find((candidate) => candidate[0] === note)?.slice(1) ?? [];
      expect(
        cases.map(([type, value], index) => `${type} ${value} → ${row[index]}`),
        note,
      ).toEqual(expected);
    }
    await arena.close();
  });
});
