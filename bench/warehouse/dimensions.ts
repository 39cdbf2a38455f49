/** Procedures that keep dimensions. */
import { columns, corrections, extras, header, parameter, plpgsql, sometimes } from './text.ts';
import type { Writer } from './text.ts';

export const history: Writer = (subject, random) => {
  const { name } = subject;
  const tracked = ['title', 'country', ...extras(subject)];
  return plpgsql('dw', `load_dim_${name}`, {
    parameters: [parameter('p_day', 'date', 'CURRENT_DATE')],
    body: `
${header(`dw.load_dim_${name}`, random)}-- slowly changing dimension, type 2
DECLARE
    l_closed bigint;
    l_new    bigint;
BEGIN
    DROP TABLE IF EXISTS tmp_${name};
    CREATE TEMP TABLE tmp_${name} ON COMMIT DROP AS
    SELECT s.code,
           ${tracked.map((column) => `max(s.${column}::text) AS ${column}`).join(',\n           ')},
           md5(concat_ws('|', ${tracked.map((column) => `max(s.${column}::text)`).join(', ')})) AS row_hash
      FROM stg.${name} s
     GROUP BY s.code;

    UPDATE dw.dim_${name} d
       SET valid_to = p_day - 1,
           is_current = false
      FROM tmp_${name} t
     WHERE t.code = d.code
       AND d.is_current
       AND d.row_hash IS DISTINCT FROM t.row_hash;
    GET DIAGNOSTICS l_closed = ROW_COUNT;

    INSERT INTO dw.dim_${name} (code, title, country, row_hash, valid_from)
    SELECT t.code, t.title, t.country::character(2), t.row_hash, p_day
      FROM tmp_${name} t
     WHERE NOT EXISTS (SELECT 1 FROM dw.dim_${name} d WHERE d.code = t.code AND d.is_current);
    GET DIAGNOSTICS l_new = ROW_COUNT;
${sometimes(
  random,
  `
    -- gone from the source
    UPDATE dw.dim_${name}
       SET is_current = false, valid_to = p_day
     WHERE is_current
       AND code NOT IN (SELECT code FROM tmp_${name});
`,
)}
    RAISE INFO 'closed %, new %', l_closed, l_new;
END;
`,
  });
};

export const upsert: Writer = (subject, random) => {
  const { name } = subject;
  const set = ['title', 'status', 'country', ...extras(subject)];
  return plpgsql('dw', `upsert_${name}_now`, {
    body: `
${header(`dw.upsert_${name}_now`, random)}BEGIN
    INSERT INTO dw.${name}_now AS t
          (code, ${columns(set)}, updated_at)
    SELECT DISTINCT ON (s.code)
           s.code,
           ${columns(set, 's')},
           s.updated_at
      FROM stg.${name} s
     ORDER BY s.code, s.updated_at DESC, s.id
    ON CONFLICT (code) DO UPDATE
       SET ${set.map((column) => `${column} = EXCLUDED.${column}`).join(',\n           ')},
           changes = t.changes + 1,
           updated_at = EXCLUDED.updated_at
     WHERE t.updated_at < EXCLUDED.updated_at;
${corrections(`dw.${name}_now`, subject, random)}END;
`,
  });
};

export const merge: Writer = (subject, random) => {
  const { name } = subject;
  const set = ['title', 'status', 'country', ...extras(subject).slice(0, 6)];
  return plpgsql('dw', `merge_${name}_now`, {
    body: `
${header(`dw.merge_${name}_now`, random)}BEGIN
    MERGE INTO dw.${name}_now AS t
    USING (SELECT DISTINCT ON (code) * FROM src.${name} ORDER BY code, updated_at DESC, id) AS s
       ON s.code = t.code
    WHEN MATCHED AND s.status = 'deleted' THEN
        DELETE
    WHEN MATCHED AND t.updated_at < s.updated_at THEN
        UPDATE SET ${set.map((column) => `${column} = s.${column}`).join(',\n                   ')}, updated_at = s.updated_at
    WHEN NOT MATCHED AND s.status <> 'deleted' THEN
        INSERT (code, ${set.join(', ')}, updated_at)
        VALUES (s.code, ${set.map((column) => `s.${column}`).join(', ')}, s.updated_at);
END;
`,
  });
};
