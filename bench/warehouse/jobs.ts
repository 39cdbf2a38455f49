/** Routines beside the loads: checks, reports, callers, and what all of them call. */
import { parameter, plpgsql } from './text.ts';
import type { RoutineText, Writer } from './text.ts';

/** Routines that all subjects call. */
export const SHARED_ROUTINES: readonly RoutineText[] = [
  plpgsql('etl', 'log_start', {
    kind: 'function',
    returns: 'bigint',
    parameters: [parameter('p_job', 'text')],
    body: `
DECLARE
    l_run bigint;
BEGIN
    INSERT INTO etl.run_log (job) VALUES (p_job) RETURNING run_id INTO l_run;
    RETURN l_run;
END;
`,
  }),
  plpgsql('etl', 'log_end', {
    parameters: [parameter('p_run', 'bigint'), parameter('p_rows', 'bigint')],
    body: `
BEGIN
    UPDATE etl.run_log SET finished_at = clock_timestamp(), rows_affected = p_rows WHERE run_id = p_run;
END;
`,
  }),
  {
    ...plpgsql('etl', 'clean_text', {
      kind: 'function',
      returns: 'text',
      parameters: [parameter('p_text', 'text')],
      body: ` select nullif(regexp_replace(btrim(p_text), '\\s+', ' ', 'g'), '') `,
    }),
    language: 'sql',
  },
];

export const check: Writer = ({ name }) =>
  plpgsql('etl', `check_${name}`, {
    body: `
DECLARE
    l_missing bigint;
BEGIN
    SELECT count(*) INTO l_missing
      FROM stg.${name} s
      LEFT JOIN dw.fact_${name} f ON f.id = s.id
     WHERE f.id IS NULL;
    IF l_missing > 0 THEN
        RAISE EXCEPTION '% rows of stg.${name} have no fact', l_missing;
    END IF;
END;
`,
  });

export const report: Writer = ({ name }) => ({
  ...plpgsql('mart', `report_${name}`, {
    kind: 'function',
    returns: 'TABLE(month date, country character, amount_eur numeric)',
    body: `
  select date_trunc('month', f.day)::date, f.country, sum(f.amount_eur)
    from dw.fact_${name} f
   where f.quantity > 0
   group by 1, 2
`,
  }),
  language: 'sql',
});

/** The name of a table as a parameter: nobody can say what this reads. */
export const anyTable: Writer = ({ name }) =>
  plpgsql('etl', `copy_${name}`, {
    parameters: [parameter('p_table', 'text')],
    body: `
BEGIN
    EXECUTE format('INSERT INTO dw.${name}_archive SELECT * FROM %I', p_table);
END;
`,
  });

export const nightly: Writer = ({ name }) =>
  plpgsql('etl', `nightly_${name}`, {
    body: `
BEGIN
    CALL stg.load_${name}();
    CALL dw.load_dim_${name}();
    CALL dw.upsert_${name}_now();
    CALL dw.load_fact_${name}();
    CALL mart.build_${name}_daily(false);
    CALL etl.check_${name}();
END;
`,
  });
