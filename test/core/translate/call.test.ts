import { describe, expect, it } from 'vitest';
import { parameter, procedure, shown, translated, withParser } from './catalog.ts';

withParser();

describe('calls', () => {
  it('evaluates a routine in place, with its arguments', () => {
    expect(
      shown(
        translated(
          procedure('dw.load', `BEGIN CALL dw.fill(5, 'x'); END`),
          {
            routines: [
              procedure('dw.fill', `BEGIN UPDATE dw.t SET code = p_code WHERE id = p_id; END`, {
                parameters: [parameter('p_id', 'integer'), parameter('p_code', 'text')],
              }),
            ],
          },
          { routines: ['dw.load()'] },
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, merge id):
      select
          t.id,
          case when id = 5 then 'x' else t.code end as code,
          t.amount
      from {former dw.t} as t"
    `);
  });

  it('leaves a routine of the plan to its own models', () => {
    expect(
      shown(
        translated(procedure('dw.load', `BEGIN CALL dw.fill(); END`), {
          routines: [procedure('dw.fill', `BEGIN DELETE FROM dw.t; END`)],
        }),
      ),
    ).toMatchInlineSnapshot(`"calls"`);
  });

  it.each([
    [
      'of the caller',
      'UPDATE dw.t SET id = 1; CALL dw.fill(1);',
      'IF FOUND THEN DELETE FROM dw.u; END IF;',
    ],
    [
      'of the called',
      'PERFORM dw.fill(1); IF FOUND THEN DELETE FROM dw.t; END IF;',
      'DELETE FROM dw.u;',
    ],
  ])('does not take FOUND for that %s', (_whose, body, called) => {
    const translation = translated(
      procedure('dw.load', `BEGIN ${body} END`),
      {
        routines: [
          procedure('dw.fill', `BEGIN ${called} END`, { parameters: [parameter('p', 'integer')] }),
        ],
      },
      { routines: ['dw.load()'] },
    );
    expect(shown(translation)).toBe('unprovable-count 1: FOUND');
  });

  it.each([
    [
      'what RETURN gives, as the function and the variable hold it',
      {},
      'RETURN p / 2.0;',
      'cast(cast((3 / 2.0) as integer) as numeric)',
    ],
    ['its only output', { q: 'out' }, 'q := p + 1;', 'cast(4 as numeric)'],
    ['nothing that is not known', {}, '', null],
    ['none of several outputs', { q: 'out', r: 'out' }, 'q := 1; r := 2;', null],
  ] as const)('gives the variable %s', (_what, outputs, last, value) => {
    const fill = procedure('dw.fill', `BEGIN DELETE FROM dw.u; ${last} END`, {
      kind: 'function',
      returns: 'r' in outputs ? 'record' : 'integer',
      parameters: [
        parameter('p', 'integer'),
        ...Object.entries(outputs).map(([key, mode]) => {
          return { name: key, type: 'integer', mode, defaultSql: null };
        }),
      ],
    });
    const load = `DECLARE v numeric; BEGIN v := dw.fill(3); UPDATE dw.t SET code = v; END`;
    const translation = translated(
      procedure('dw.load', load),
      { routines: [fill] },
      { routines: ['dw.load()'] },
    );
    expect(shown(translation)).toContain(
      value === null ? 'return-value 1: dw.fill(3)' : `cast(${value} as text) as code`,
    );
  });

  const fill = procedure('dw.fill', `BEGIN DELETE FROM dw.t; END`);

  it.each([
    ['under a condition', `IF EXISTS (SELECT 1 FROM stg.s) THEN CALL dw.fill(); END IF;`],
    ['after a return', `IF EXISTS (SELECT 1 FROM stg.s) THEN RETURN; END IF;\nCALL dw.fill();`],
    ['more than once', `CALL dw.fill();\nCALL dw.fill();`],
  ])('refuses one that is called %s: its models are built once, always', (_when, body) => {
    const { refusals: found } = translated(procedure('dw.load', `BEGIN ${body} END`), {
      routines: [fill],
    });
    expect(found.map(({ code }) => code)).toEqual(['call-in-plan']);
  });

  it('evaluates it under its condition where it is not in the plan', () => {
    expect(
      shown(
        translated(
          procedure('dw.load', `BEGIN IF p_all THEN CALL dw.fill(); END IF; END`, {
            parameters: [parameter('p_all', 'boolean')],
          }),
          { routines: [fill] },
          { routines: ['dw.load(boolean)'] },
        ),
      ),
    ).toContain('{former dw.t}\nwhere ({p_all}) is not true');
  });

  it('means the one of several of a name that takes the types of the arguments', () => {
    const over = (type: string, column: string) =>
      procedure('dw.fill', `BEGIN DELETE FROM dw.u WHERE ${column} = p; END`, {
        parameters: [parameter('p', type)],
      });
    const called = (argument: string) =>
      shown(
        translated(
          procedure('dw.load', `DECLARE v text; BEGIN CALL dw.fill(${argument}); END`),
          { routines: [over('integer', 'id'), over('text', 'code')] },
          { routines: ['dw.load()'] },
        ),
      );
    expect(called('5')).toContain('(id = 5)');
    expect(called('v')).toContain('(code = cast(null as text))');
    expect(called("'x'")).toBe("call 1: CALL dw.fill('x')");
  });

  it('refuses a function in a query where one of its name changes tables', () => {
    const over = (type: string, body: string) =>
      procedure('dw.g', body, {
        kind: 'function',
        language: 'sql',
        returns: 'integer',
        parameters: [parameter('p', type)],
      });
    const routines = [
      over('integer', 'SELECT p'),
      over('text', 'INSERT INTO dw.u (code) VALUES (p); SELECT 1'),
    ];
    const load = procedure('dw.load', 'BEGIN UPDATE dw.t SET id = dw.g(code); END');
    expect(shown(translated(load, { routines }, { routines: ['dw.load()'] }))).toMatch(
      /^function-side-effect 1/u,
    );
  });

  it('leaves out a log that is written under a condition', () => {
    const translation = translated(
      procedure(
        'dw.load',
        `BEGIN
  DELETE FROM dw.t;
  IF EXISTS (SELECT 1 FROM stg.s) THEN CALL dw.note(); END IF;
END`,
      ),
      {
        routines: [
          procedure('dw.note', `BEGIN INSERT INTO dw.log (at, note) VALUES (now(), 'x'); END`),
        ],
      },
    );
    expect(translation).toMatchObject({ outcome: 'models', refusals: [] });
    expect(translation.logTables).toEqual([{ schema: 'dw', name: 'log' }]);
  });

  it('takes a named argument and a default', () => {
    expect(
      shown(
        translated(
          procedure('dw.load', `BEGIN CALL dw.fill(p_code => 'x'); END`),
          {
            routines: [
              procedure('dw.fill', `BEGIN UPDATE dw.t SET code = p_code WHERE id = p_id; END`, {
                parameters: [parameter('p_code', 'text'), parameter('p_id', 'integer', '7')],
              }),
            ],
          },
          { routines: ['dw.load()'] },
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.t (rebuild, merge id):
      select
          t.id,
          case when id = cast(7 as integer) then 'x' else t.code end as code,
          t.amount
      from {former dw.t} as t"
    `);
  });

  it('gives an INOUT parameter back', () => {
    expect(
      shown(
        translated(
          procedure(
            'dw.load',
            `DECLARE v integer := 1; BEGIN CALL dw.next(v); UPDATE dw.t SET id = v; END`,
          ),
          {
            routines: [
              procedure('dw.next', `BEGIN p := p + 1; DELETE FROM dw.u; END`, {
                parameters: [{ name: 'p', type: 'integer', mode: 'inout', defaultSql: null }],
              }),
            ],
          },
          { routines: ['dw.load()'] },
        ),
      ),
    ).toMatchInlineSnapshot(`
      "dw.u (table):
      select
          cast(null as integer) as id,
          cast(null as text) as code,
          cast(null as numeric(12,2)) as amount
      where false

      dw.t (rebuild):
      select
          2 as id,
          t.code,
          t.amount
      from {former dw.t} as t"
    `);
  });
});
