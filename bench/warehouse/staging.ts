/** Procedures that fill staging tables from sources. */
import {
  BASE,
  columns,
  corrections,
  extras,
  header,
  parameter,
  plpgsql,
  sometimes,
} from './text.ts';
import type { Writer } from './text.ts';

export const fullLoad: Writer = (subject, random) => {
  const { name } = subject;
  const cleaned = [...BASE, ...extras(subject)].map((column) =>
    ['title', 'city', 'category', 'campaign'].includes(column)
      ? `etl.clean_text(s.${column})`
      : column === 'code'
        ? 'upper(s.code)'
        : `s.${column}`,
  );
  return plpgsql('stg', `load_${name}`, {
    body: `
${header(`stg.load_${name}`, random)}/* Full load of ${name}: the source keeps no history. */
DECLARE
    l_run   bigint;
    l_rows  bigint;
    l_state text;
    l_text  text;
BEGIN
    l_run := etl.log_start('stg.load_${name}');

    TRUNCATE TABLE stg.${name};

    INSERT INTO stg.${name}
          (${columns([...BASE, ...extras(subject)])})
    SELECT ${columns(cleaned)}
      FROM src.${name} s
     WHERE s.status <> 'draft'${sometimes(random, `\n       AND s.created_at >= DATE '2019-01-01'`)};

    GET DIAGNOSTICS l_rows = ROW_COUNT;

    -- the oldest record of a code is the master
    UPDATE stg.${name} t
       SET master_id = m.master_id
      FROM (SELECT code, min(id) AS master_id FROM stg.${name} GROUP BY code) m
     WHERE m.code = t.code;
${sometimes(
  random,
  `
    UPDATE stg.${name}
       SET country = 'XX'
     WHERE country IS NULL OR country NOT IN ('DE', 'AT', 'FR', 'PT', 'NL');
`,
)}
${corrections(`stg.${name}`, subject, random)}
    CALL etl.log_end(l_run, l_rows);
EXCEPTION
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS l_state = RETURNED_SQLSTATE, l_text = MESSAGE_TEXT;
        INSERT INTO etl.error_log (job, sql_state, message) VALUES ('stg.load_${name}', l_state, l_text);
        RAISE;
END;
`,
  });
};

export const watermark: Writer = (subject, random) => {
  const { name } = subject;
  const list = [...BASE, ...extras(subject)];
  return plpgsql('stg', `update_${name}`, {
    body: `
${header(`stg.update_${name}`, random)}DECLARE
    l_since timestamp;
    l_count bigint;
BEGIN
    SELECT max(updated_at) INTO l_since FROM stg.${name};
    l_since := coalesce(l_since, TIMESTAMP '1900-01-01');

    -- out with the old version
    DELETE FROM stg.${name} t
     USING src.${name} s
     WHERE s.id = t.id
       AND s.updated_at > l_since;

    INSERT INTO stg.${name} (${columns(list, '', 12)})
    SELECT ${columns(list, 's')}
      FROM src.${name} s
     WHERE s.updated_at > l_since
       AND NOT EXISTS (SELECT 1 FROM stg.${name} t WHERE t.id = s.id);

    GET DIAGNOSTICS l_count = ROW_COUNT;
    RAISE NOTICE '% rows', l_count;
END;
`,
  });
};

export const archive: Writer = (subject) => {
  const list = [...BASE, ...extras(subject)];
  return plpgsql('dw', `archive_${subject.name}`, {
    parameters: [parameter('p_years', 'integer', '2')],
    body: `
BEGIN
    WITH gone AS (
        DELETE FROM stg.${subject.name}
         WHERE created_at < CURRENT_DATE - p_years * INTERVAL '1 year'
        RETURNING ${columns(list, '', 18)}
    )
    INSERT INTO dw.${subject.name}_archive (${columns(list, '', 11)}, archived_on)
    SELECT ${columns(list, 'g')},
           CURRENT_DATE
      FROM gone g
    ON CONFLICT (id) DO NOTHING;
END;
`,
  });
};
