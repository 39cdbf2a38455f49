/** Procedures that fill facts and marts. */
import { header, parameter, plpgsql } from './text.ts';
import type { Writer } from './text.ts';

export const fact: Writer = ({ name }, random) =>
  plpgsql('dw', `load_fact_${name}`, {
    parameters: [
      parameter('p_from', 'date', "'2024-01-01'::date"),
      parameter('p_to', 'date', "'2024-12-31'::date"),
    ],
    body: `
${header(`dw.load_fact_${name}`, random)}DECLARE
    l_rows bigint;
BEGIN
    DELETE FROM dw.fact_${name} WHERE day BETWEEN p_from AND p_to;

    INSERT INTO dw.fact_${name} (id, ${name}_key, day, country, quantity, amount, amount_eur)
    SELECT s.id,
           coalesce(d.${name}_key, -1),
           s.created_at::date,
           s.country,
           s.quantity,
           s.amount,
           round(s.amount * coalesce(x.eur_rate, 1), 2)
      FROM stg.${name} s
      LEFT JOIN dw.dim_${name} d
        ON d.code = s.code
       AND s.created_at::date >= d.valid_from
       AND (d.valid_to IS NULL OR s.created_at::date < d.valid_to)
      LEFT JOIN stg.fx_rate x
        ON x.currency = s.currency
       AND x.rate_date = s.created_at::date
     WHERE s.created_at::date BETWEEN p_from AND p_to
       AND s.master_id = s.id;
    GET DIAGNOSTICS l_rows = ROW_COUNT;

    UPDATE dw.fact_${name}
       SET band = CASE WHEN amount_eur < 10 THEN 'S' WHEN amount_eur < ${100 + Math.floor(900 * random())} THEN 'M' ELSE 'L' END
     WHERE band IS NULL;
END;
`,
  });

export const mart: Writer = ({ name }, random) =>
  plpgsql('mart', `build_${name}_daily`, {
    parameters: [parameter('p_full', 'boolean', 'false')],
    body: `
${header(`mart.build_${name}_daily`, random)}BEGIN
    IF p_full THEN
        DELETE FROM mart.${name}_daily;
    ELSE
        DELETE FROM mart.${name}_daily WHERE day >= (SELECT max(day) - 7 FROM dw.fact_${name});
    END IF;

    INSERT INTO mart.${name}_daily (day, country, entries, amount_eur, running_eur, rank_in_day)
    WITH per_day AS (
        SELECT f.day,
               coalesce(f.country, '--') AS country,
               count(*) AS entries,
               sum(f.amount_eur) AS amount_eur
          FROM dw.fact_${name} f
         GROUP BY f.day, coalesce(f.country, '--')
        HAVING count(*) > ${Math.floor(3 * random())}
    )
    SELECT p.day,
           p.country,
           p.entries,
           p.amount_eur,
           sum(p.amount_eur) OVER (PARTITION BY p.country ORDER BY p.day),
           rank() OVER (PARTITION BY p.day ORDER BY p.amount_eur DESC)
      FROM per_day p
     WHERE NOT EXISTS (SELECT 1 FROM mart.${name}_daily m WHERE m.day = p.day AND m.country = p.country);

    -- share of the day
    UPDATE mart.${name}_daily m
       SET share = m.amount_eur / nullif(t.total, 0)
      FROM (SELECT day, sum(amount_eur) AS total FROM mart.${name}_daily GROUP BY day) t
     WHERE t.day = m.day;
END;
`,
  });

export const perCountry: Writer = ({ name }) =>
  plpgsql('mart', `fill_${name}_daily`, {
    body: `
DECLARE
    r      record;
    l_days integer := 0;
BEGIN
    FOR r IN SELECT country, min(day) AS first_day, max(day) AS last_day
               FROM dw.fact_${name}
              WHERE country IS NOT NULL
              GROUP BY country
    LOOP
        INSERT INTO mart.${name}_daily (day, country, entries, amount_eur)
        SELECT d::date, r.country, 0, 0
          FROM generate_series(r.first_day::timestamp, r.last_day::timestamp, INTERVAL '1 day') d
         WHERE NOT EXISTS (SELECT 1 FROM mart.${name}_daily m
                            WHERE m.day = d::date AND m.country = r.country);
        l_days := l_days + 1;
    END LOOP;
    RAISE NOTICE '% countries', l_days;
END;
`,
  });
