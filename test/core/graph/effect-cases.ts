/** Routines with what each of them must be found to do. Names are written `schema.name`, sorted or not. */
export const TABLES = `
  CREATE SCHEMA dw; CREATE SCHEMA stg; CREATE SCHEMA "Odd.Schema";
  CREATE TABLE dw.t (id integer PRIMARY KEY, v text);
  CREATE TABLE dw.child (id integer REFERENCES dw.t);
  CREATE TABLE dw.grandchild (id integer, child integer);
  ALTER TABLE dw.child ADD UNIQUE (id); ALTER TABLE dw.grandchild ADD FOREIGN KEY (child) REFERENCES dw.child (id);
  CREATE TABLE dw.agg (n bigint); CREATE TABLE dw.log (message text);
  CREATE TABLE stg.a (id integer, v text); CREATE TABLE stg.b (id integer, v text);
  CREATE TABLE stg.t (only_in_stg integer);
  CREATE TABLE public.p (id integer);
  CREATE TABLE "Odd.Schema"."a ""b"".c" (id integer);
  CREATE TABLE dw.part (d date) PARTITION BY RANGE (d);
  CREATE TABLE dw.part_1 PARTITION OF dw.part FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
  CREATE VIEW dw.inner_view AS SELECT a.id FROM stg.a JOIN stg.b USING (id);
  CREATE FUNCTION dw.lookup(integer) RETURNS text LANGUAGE sql AS 'SELECT v FROM dw.t WHERE id = $1';
  CREATE VIEW dw.outer_view AS SELECT i.id, dw.lookup(i.id) AS v FROM dw.inner_view i JOIN dw.child USING (id);
  CREATE VIEW dw.simple AS SELECT id, v FROM dw.t;
  CREATE MATERIALIZED VIEW dw.mv AS SELECT count(*) FROM stg.a;
  CREATE TABLE dw.watched (id integer);
  CREATE FUNCTION dw.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO dw.log VALUES (1); RETURN NEW; END';
  CREATE TRIGGER noted AFTER INSERT ON dw.watched FOR EACH ROW EXECUTE FUNCTION dw.note();
  CREATE TABLE dw.parent (id integer PRIMARY KEY);
  CREATE TABLE dw.kept (id integer REFERENCES dw.parent);
  CREATE TABLE dw.goes (id integer PRIMARY KEY REFERENCES dw.parent ON DELETE CASCADE);
  CREATE TABLE dw.goes_too (id integer REFERENCES dw.goes ON DELETE SET NULL, PRIMARY KEY (id));
  CREATE TABLE dw.stays (id integer REFERENCES dw.goes_too ON DELETE CASCADE);
  CREATE PROCEDURE dw.helper(x integer) LANGUAGE sql AS 'SELECT 1';
  CREATE PROCEDURE dw.helper(x text) LANGUAGE sql AS 'SELECT 1';
  CREATE PROCEDURE dw.helper(x integer, y integer DEFAULT 1) LANGUAGE sql AS 'SELECT 1';
  CREATE FUNCTION stg.only_here() RETURNS integer LANGUAGE sql AS 'SELECT 1';
`;

export interface Case {
  readonly body: string;
  /** What follows the parameters; PL/pgSQL where left out. */
  readonly head?: string;
  readonly parameters?: string;
  readonly reads?: string;
  readonly views?: string;
  readonly writes?: string;
  readonly calls?: readonly string[];
  /** `line code` of each problem. */
  readonly problems?: readonly string[];
}

const plpgsql = (body: string): Case['body'] => `BEGIN\n${body}\nEND`;

export const CASES: Readonly<Record<string, Case>> = {
  'INSERT … SELECT': {
    body: plpgsql('INSERT INTO dw.agg SELECT count(*) FROM stg.a JOIN stg.b USING (id);'),
    reads: 'stg.a stg.b',
    writes: 'dw.agg',
  },
  'UPDATE … FROM, with a subquery': {
    body: plpgsql('UPDATE dw.t SET v = (SELECT max(v) FROM stg.b) FROM stg.a WHERE a.id = t.id;'),
    reads: 'stg.a stg.b',
    writes: 'dw.t',
  },
  'DELETE … USING': {
    body: plpgsql('DELETE FROM dw.t USING stg.a WHERE t.id = a.id;'),
    reads: 'stg.a',
    writes: 'dw.t',
  },
  'a table that reads itself': {
    body: plpgsql(
      'INSERT INTO dw.t SELECT a.id FROM stg.a WHERE NOT EXISTS (SELECT FROM dw.t x WHERE x.id = a.id);',
    ),
    reads: 'stg.a dw.t',
    writes: 'dw.t',
  },
  MERGE: {
    body: plpgsql(`MERGE INTO dw.t USING (SELECT * FROM stg.a) s ON s.id = t.id
      WHEN MATCHED AND EXISTS (SELECT FROM stg.b) THEN DELETE
      WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v);`),
    reads: 'stg.a stg.b',
    writes: 'dw.t',
  },
  'data-modifying WITH': {
    body: plpgsql(`WITH gone AS (DELETE FROM stg.a WHERE id IN (SELECT id FROM stg.b) RETURNING *),
      t AS (SELECT * FROM gone)
      INSERT INTO dw.t SELECT * FROM t;`),
    reads: 'stg.b',
    writes: 'dw.t stg.a',
  },
  'WITH names hide tables only where they are seen': {
    body: plpgsql(`WITH a AS (SELECT * FROM stg.a) INSERT INTO dw.agg SELECT count(*) FROM a;
      INSERT INTO dw.agg SELECT id FROM p WHERE EXISTS (WITH p AS (SELECT 1) SELECT FROM p);`),
    reads: 'stg.a public.p',
    writes: 'dw.agg',
  },
  'a WITH name does not hide the target': {
    body: plpgsql('WITH p AS (SELECT 1 AS id) INSERT INTO p SELECT id FROM p;'),
    writes: 'public.p',
  },
  'recursive WITH': {
    body: plpgsql(
      'PERFORM 1 FROM (WITH RECURSIVE p AS (SELECT id FROM stg.a UNION ALL SELECT id FROM p) SELECT * FROM p) x;',
    ),
    reads: 'stg.a',
  },
  'FOR UPDATE OF an alias is no table': {
    body: plpgsql('PERFORM 1 FROM stg.a AS p FOR UPDATE OF p;'),
    reads: 'stg.a',
  },
  'TRUNCATE … CASCADE takes the referring tables along': {
    body: plpgsql('TRUNCATE dw.t CASCADE;'),
    writes: 'dw.t dw.child dw.grandchild',
  },
  'foreign keys that act on DELETE': {
    body: plpgsql('DELETE FROM dw.parent;'),
    writes: 'dw.parent dw.goes dw.goes_too',
  },
  'a trigger that acts on other changes': {
    body: plpgsql('UPDATE dw.watched SET id = 2;'),
    writes: 'dw.watched',
  },
  'partitions stand for the whole': {
    body: plpgsql("INSERT INTO dw.part_1 VALUES ('2024-05-05');\nPERFORM count(*) FROM dw.part_1;"),
    reads: 'dw.part_1 dw.part',
    writes: 'dw.part_1 dw.part',
  },
  'views, through views and the functions in them': {
    body: plpgsql('INSERT INTO dw.agg SELECT count(*) FROM dw.outer_view;'),
    reads: 'dw.child stg.a stg.b',
    views: 'dw.outer_view dw.inner_view',
    writes: 'dw.agg',
    calls: ['dw.lookup(integer)'],
  },
  'materialized views hold rows of their own': {
    body: plpgsql('REFRESH MATERIALIZED VIEW dw.mv; INSERT INTO dw.agg SELECT * FROM dw.mv;'),
    reads: 'dw.mv stg.a',
    views: 'dw.mv',
    writes: 'dw.mv dw.agg',
  },
  'a write through a view': {
    body: plpgsql("\nUPDATE dw.simple SET v = 'x';"),
    writes: 'dw.t',
    problems: ['3 hidden-writer'],
  },
  'a table with triggers': {
    body: plpgsql('INSERT INTO dw.watched VALUES (1);'),
    writes: 'dw.watched',
    problems: ['2 hidden-writer'],
  },
  'temporary tables, however they are made': {
    body: plpgsql(`CREATE TEMP TABLE one AS SELECT * FROM stg.a;
      CREATE TEMPORARY TABLE two (id integer);
      CREATE TABLE pg_temp.three AS SELECT 1;
      INSERT INTO two SELECT id FROM one;
      INSERT INTO dw.agg SELECT count(*) FROM one, two, three, pg_temp.three;`),
    reads: 'stg.a',
    writes: 'dw.agg',
  },
  'a temporary table hides a table from where it is made to where it is dropped': {
    body: plpgsql(`INSERT INTO dw.agg SELECT id FROM p;
      CREATE TEMP TABLE p AS SELECT * FROM stg.a;
      UPDATE p SET id = 1;
      DROP TABLE p;
      DELETE FROM p;`),
    reads: 'public.p stg.a',
    writes: 'dw.agg public.p',
  },
  'a qualified name means the table, whatever is temporary': {
    body: plpgsql('CREATE TEMP TABLE p AS SELECT 1; DELETE FROM public.p;'),
    writes: 'public.p',
  },
  'a table that is made and dropped again': {
    body: plpgsql(`DROP TABLE IF EXISTS stg.work; CREATE TABLE stg.work AS SELECT * FROM stg.a;
      INSERT INTO dw.agg SELECT count(*) FROM stg.work; DROP TABLE stg.work;`),
    reads: 'stg.a',
    writes: 'dw.agg',
  },
  'a table that is made and stays': {
    body: plpgsql('DROP TABLE IF EXISTS stg.kept; CREATE TABLE stg.kept AS SELECT * FROM stg.a;'),
    reads: 'stg.a',
    writes: 'stg.kept',
  },
  'a table that another routine makes': {
    body: plpgsql('INSERT INTO dw.agg SELECT count(*) FROM stg.kept;'),
    reads: 'stg.kept',
    writes: 'dw.agg',
  },
  'CREATE IF NOT EXISTS of what is there': {
    body: plpgsql('CREATE TABLE IF NOT EXISTS dw.t (id integer); INSERT INTO dw.agg VALUES (1);'),
    writes: 'dw.agg',
  },
  'swap by rename': {
    body: plpgsql(
      'CREATE TABLE dw.t_new AS SELECT * FROM stg.a; DROP TABLE dw.t CASCADE; ALTER TABLE dw.t_new RENAME TO t;',
    ),
    reads: 'stg.a',
    writes: 'dw.t',
  },
  'expressions and conditions': {
    body: `DECLARE n integer := (SELECT count(*) FROM stg.a); m integer;
      BEGIN
      m := (SELECT max(id) FROM stg.b);
      m := id FROM dw.child;
      IF m > (SELECT count(*) FROM dw.t) THEN NULL;
      ELSIF EXISTS (SELECT FROM dw.grandchild) THEN NULL; END IF;
      WHILE n < (SELECT count(*) FROM public.p) LOOP n := n + 1; END LOOP;
      RETURN;
      END`,
    reads: 'stg.a stg.b dw.child dw.t dw.grandchild public.p',
  },
  'loops, cursors, returned queries': {
    head: 'RETURNS SETOF integer LANGUAGE plpgsql',
    body: `DECLARE c CURSOR FOR SELECT id FROM stg.b; r record; d refcursor;
      BEGIN
      FOR r IN SELECT * FROM stg.a LOOP UPDATE dw.t SET v = r.v WHERE id = r.id; END LOOP;
      FOR r IN c LOOP NULL; END LOOP;
      OPEN d FOR SELECT * FROM dw.child;
      RETURN QUERY SELECT id FROM public.p;
      END`,
    reads: 'stg.a stg.b dw.child public.p',
    writes: 'dw.t',
  },
  'exception handlers': {
    body: `BEGIN INSERT INTO dw.t SELECT * FROM stg.a;
      EXCEPTION WHEN OTHERS THEN INSERT INTO dw.log VALUES (SQLERRM); RAISE; END`,
    reads: 'stg.a',
    writes: 'dw.t dw.log',
  },
  'calls: CALL, PERFORM, in expressions, in FROM': {
    body: `DECLARE x text; BEGIN
      CALL dw.helper(1, 2);
      PERFORM dw.lookup(1);
      x := upper(dw.lookup(2));
      SELECT stg.only_here() INTO x FROM stg.a;
      END`,
    reads: 'stg.a',
    calls: ['dw.helper(integer, integer)', 'dw.lookup(integer)', 'stg.only_here()'],
  },
  'overloads by number, name and type of the arguments': {
    parameters: 'p text',
    body: plpgsql(
      "CALL dw.helper(1, 2); CALL dw.helper(p); CALL dw.helper('x'::text); CALL dw.helper(y => 1, x => 2);",
    ),
    calls: ['dw.helper(integer, integer)', 'dw.helper(text)'],
  },
  'a routine that is not there': {
    body: plpgsql(
      'PERFORM now();\nCALL nowhere();\nPERFORM dw.missing(1);\nPERFORM missing_but_unqualified(1);',
    ),
    problems: ['3 unknown-routine', '4 unknown-routine'],
  },
  'its own search_path comes first': {
    head: 'LANGUAGE plpgsql SET search_path = stg, "Odd.Schema", dw',
    body: plpgsql(
      'INSERT INTO t SELECT 1; INSERT INTO child SELECT id FROM a; PERFORM only_here(); DELETE FROM "a ""b"".c";',
    ),
    reads: 'stg.a',
    writes: 'stg.t dw.child Odd.Schema.a "b".c',
    calls: ['stg.only_here()'],
  },
  'a search_path that the body sets': {
    body: plpgsql(`SET LOCAL search_path = dw; DELETE FROM t;
      PERFORM set_config('search_path', 'stg, dw', true); DELETE FROM t;`),
    writes: 'dw.t stg.t',
  },
  'names that are nowhere': {
    body: plpgsql(
      'DELETE FROM missing;\nINSERT INTO dw.agg SELECT * FROM dw.missing;\nPERFORM 1 FROM pg_class, information_schema.tables, pg_catalog.pg_proc;',
    ),
    reads: 'dw.missing',
    writes: 'dw.agg',
    problems: ['2 unknown-relation', '3 unknown-relation'],
  },
  'the temporary table of a caller': {
    body: plpgsql('INSERT INTO dw.agg SELECT count(*) FROM two;'),
    writes: 'dw.agg',
    problems: ['2 callers-table'],
  },
  'EXECUTE of constants': {
    body: `DECLARE
        target constant text := 'dw.t'; statement text; part text := 'stg'; n integer;
      BEGIN
      EXECUTE 'DELETE FROM dw.child';
      statement := 'INSERT INTO ' || target || ' SELECT * FROM stg.a';
      EXECUTE statement;
      statement := format('UPDATE %I.%I SET v = %L', 'dw', 't', 'it''s');
      EXECUTE statement || ' WHERE EXISTS (SELECT FROM stg.b)';
      EXECUTE format('TRUNCATE %1$I.agg, %1$s.log', 'dw');
      EXECUTE 'SELECT count(*) FROM public.p WHERE id = $1' INTO n USING (SELECT 1 FROM dw.grandchild);
      END`,
    reads: 'stg.a stg.b dw.grandchild public.p',
    writes: 'dw.child dw.t dw.agg dw.log',
  },
  'EXECUTE of what is known only at run time': {
    parameters: 'p text, d date',
    body: plpgsql(`EXECUTE 'DELETE FROM ' || p;
EXECUTE format('INSERT INTO dw.t SELECT * FROM stg.a WHERE v = %L', d);
EXECUTE p;`),
    reads: 'stg.a',
    writes: 'dw.t',
    problems: ['2 dynamic-sql', '3 dynamic-sql', '4 dynamic-sql'],
  },
  'EXECUTE of a variable that a branch or a loop changes': {
    parameters: 'p boolean',
    body: `DECLARE same text := 'DELETE FROM dw.t'; other text := 'DELETE FROM dw.agg'; turned text := 'DELETE FROM stg.a';
      BEGIN
      IF p THEN same := 'DELETE FROM dw.t'; other := 'DELETE FROM dw.log'; END IF;
      EXECUTE same;
EXECUTE other;
      FOR i IN 1..2 LOOP
EXECUTE turned;
        turned := 'DELETE FROM stg.b';
      END LOOP;
      END`,
    writes: 'dw.t',
    problems: ['5 dynamic-sql', '7 dynamic-sql'],
  },
  'SQL bodies': {
    head: 'LANGUAGE sql',
    body: `
      DELETE FROM dw.t;

      INSERT INTO dw.t SELECT * FROM stg.a; -- done
    `,
    reads: 'stg.a',
    writes: 'dw.t',
  },
  'SELECT INTO makes a table in SQL': {
    head: 'LANGUAGE sql SET search_path = stg',
    body: 'SELECT * INTO made FROM a; INSERT INTO dw.agg SELECT count(*) FROM made;',
    reads: 'stg.a stg.made',
    writes: 'stg.made dw.agg',
  },
  'PL/pgSQL that does not parse': {
    body: 'BEGIN\n  PERFORM 1;\n  IF true THEN\n    INSERT INTO dw.t VALUES (1, 2 ;\n  END IF;\nEND',
    problems: ['4 parse-error'],
  },
  'an expression that does not parse': {
    body: 'BEGIN\n  PERFORM 1;\n\n  PERFORM 1 + ;\n  PERFORM 2;\nEND',
    problems: ['4 parse-error'],
  },
  'a block without an end': {
    body: 'BEGIN\n  PERFORM 1;\n  IF true THEN\n  PERFORM 2;\n',
    problems: ['4 parse-error'],
  },
  'SQL that does not parse': {
    head: 'LANGUAGE sql',
    body: 'SELECT 1;\n\nSELEC 2;\n',
    problems: ['3 parse-error'],
  },
  'other languages': {
    head: 'RETURNS integer LANGUAGE internal',
    body: 'pg_backend_pid',
    problems: ['1 language'],
  },
  'a quoted name with a dot and quotes': {
    body: plpgsql('DELETE FROM "Odd.Schema"."a ""b"".c";'),
    writes: 'Odd.Schema.a "b".c',
  },
};
