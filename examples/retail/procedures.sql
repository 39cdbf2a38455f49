-- Procedures and functions of the nightly run, in the order in which etl.run_nightly calls them.
-- Many hands wrote them over the years, and it shows.

-- ---------------------------------------------------------------------------
-- helpers
-- ---------------------------------------------------------------------------

create or replace function etl.log_start(p_job text) returns bigint
language plpgsql
as $$
declare
  v_run bigint;
begin
  insert into etl.run_log (job) values (p_job) returning run_id into v_run;
  return v_run;
end;
$$;

create or replace procedure etl.log_end(p_run bigint, p_rows bigint, p_message text default null)
language plpgsql
as $$
begin
  update etl.run_log
     set finished_at   = clock_timestamp(),
         status        = 'ok',
         rows_affected = p_rows,
         message       = p_message
   where run_id = p_run;
end;
$$;

create or replace function etl.log_error(p_job text, p_state text, p_message text) returns void
language sql
as $$
  insert into etl.error_log (job, sql_state, message) values (p_job, p_state, left(p_message, 500));
$$;

create or replace function etl.business_date() returns date
language sql stable
as $$ select value::date from etl.setting where name = 'business_date' $$;

comment on function etl.business_date() is 'The day that the nightly run closes; moved on by operations';

create or replace function etl.clean_text(p_text text) returns text
language sql immutable
as $$ select nullif(regexp_replace(btrim(p_text), '\s+', ' ', 'g'), '') $$;

-- Euros at the rate of the day; NULL where there is no rate.
create or replace function dw.to_eur(p_amount numeric, p_currency char(3), p_day date) returns numeric
language sql stable
as $$
  select case
           when p_currency = 'EUR' then p_amount
           else round(p_amount * (select r.eur_rate
                                    from stg.fx_rate_daily r
                                   where r.currency = p_currency
                                     and r.rate_date = p_day), 2)
         end
$$;

-- ---------------------------------------------------------------------------
-- staging
-- ---------------------------------------------------------------------------

create or replace procedure stg.load_customers()
language plpgsql
as $$
declare
  v_run   bigint;
  v_rows  bigint;
  v_state text;
  v_text  text;
begin
  v_run := etl.log_start('stg.load_customers');

  truncate table stg.customer;

  insert into stg.customer
         (customer_id, email, full_name, country, city, birth_year, newsletter, segment, phone, source_updated_at)
  select c.customer_id,
         lower(etl.clean_text(c.email)),
         concat_ws(' ', c.first_name, c.last_name),
         c.country,
         etl.clean_text(c.city),
         extract(year from c.birth_date)::integer,
         c.newsletter,
         a.segment,
         a.phone,
         c.updated_at
    from shop.customer c
    -- several accounts may point to one customer: the one that was touched last counts
    left join lateral (
           select x.segment, x.phone
             from crm.account x
            where x.shop_customer_id = c.customer_id
            order by x.modified_at desc, x.account_id
            limit 1
         ) a on true;

  get diagnostics v_rows = row_count;

  -- same address, same person: the oldest login is the master
  update stg.customer c
     set master_customer_id = m.master_id
    from (select email, min(customer_id) as master_id
            from stg.customer
           where email is not null
           group by email) m
   where m.email = c.email;

  update stg.customer
     set master_customer_id = customer_id
   where master_customer_id is null;

  -- accounts are kept by hand, many without a segment
  update stg.customer
     set segment = case when newsletter then 'reader' else 'private' end
   where segment is null
     and country in ('DE', 'AT');

  call etl.log_end(v_run, v_rows);
exception
  when others then
    get stacked diagnostics v_state = returned_sqlstate, v_text = message_text;
    perform etl.log_error('stg.load_customers', v_state, v_text);
    raise;
end;
$$;

comment on procedure stg.load_customers() is 'Full load of the shop logins with the segment from CRM';

CREATE OR REPLACE PROCEDURE stg.load_consents(IN p_page INTEGER DEFAULT 1000)
LANGUAGE plpgsql
AS $procedure$
/* Consents per customer, page by page.
   (The old server ran out of memory on the full list. Nobody dares to change it back.) */
DECLARE
    l_offset INTEGER := 0;
    l_count  INTEGER;
    l_total  INTEGER := 0;
BEGIN
    TRUNCATE TABLE stg.consent;

    LOOP
        INSERT INTO stg.consent (customer_id, email_ok, sms_ok, profiling_ok, changed_at)
        SELECT t.customer_id, t.email_ok, t.sms_ok, t.profiling_ok, t.changed_at
        FROM (
            SELECT latest.customer_id,
                   COALESCE(BOOL_OR(latest.granted) FILTER (WHERE latest.purpose = 'email'), FALSE)     AS email_ok,
                   COALESCE(BOOL_OR(latest.granted) FILTER (WHERE latest.purpose = 'sms'), FALSE)       AS sms_ok,
                   COALESCE(BOOL_OR(latest.granted) FILTER (WHERE latest.purpose = 'profiling'), FALSE) AS profiling_ok,
                   MAX(latest.changed_at) AS changed_at
            FROM (
                SELECT DISTINCT ON (a.shop_customer_id, k.purpose)
                       a.shop_customer_id AS customer_id, k.purpose, k.granted, k.changed_at
                FROM crm.consent k
                JOIN crm.account a ON a.account_id = k.account_id
                WHERE a.shop_customer_id IS NOT NULL
                ORDER BY a.shop_customer_id, k.purpose, k.changed_at DESC, a.account_id
            ) latest
            GROUP BY latest.customer_id
        ) t
        ORDER BY t.customer_id
        LIMIT p_page OFFSET l_offset;

        GET DIAGNOSTICS l_count = ROW_COUNT;
        EXIT WHEN l_count = 0;
        l_total := l_total + l_count;
        l_offset := l_offset + p_page;
    END LOOP;

    RAISE NOTICE 'stg.load_consents: % rows', l_total;
END;
$procedure$;

CREATE OR REPLACE PROCEDURE stg.load_orders(p_full BOOLEAN DEFAULT FALSE)
LANGUAGE plpgsql
AS $procedure$
/*****************************************************************
 * Job      : stg.load_orders
 * Author   : J. Becker
 * History  : 2021-03-04 JB  created
 *            2022-11-17 JB  watermark instead of full load
 *            2024-02-02 MR  tills upload late: look at updated_at, not at ordered_at
 *****************************************************************/
DECLARE
    l_since   TIMESTAMP;
    l_deleted BIGINT;
    l_rows    BIGINT;
    l_run     BIGINT;
BEGIN
    l_run := etl.log_start('stg.load_orders');

    IF p_full THEN
        TRUNCATE TABLE stg.orders;
    END IF;

    SELECT MAX(updated_at) INTO l_since FROM stg.orders;
    l_since := COALESCE(l_since, TIMESTAMP '1900-01-01');

    -- changed since the last run: out with the old version ...
    DELETE FROM stg.orders t
    USING shop.orders s
    WHERE s.order_id = t.order_id
      AND s.updated_at > l_since;

    GET DIAGNOSTICS l_deleted = ROW_COUNT;

    -- ... and in with the new one
    INSERT INTO stg.orders (order_id, customer_id, ordered_at, status, channel_code, currency,
                            voucher_code, shipping_cost, is_gift, updated_at)
    SELECT s.order_id,
           s.customer_id,
           s.ordered_at,
           s.status,
           COALESCE(s.channel_code, 'unknown'),
           s.currency,
           UPPER(s.voucher_code),
           s.shipping_cost,
           COALESCE(s.note, '') ~* '(🎁|presente|gift)',
           s.updated_at
    FROM shop.orders s
    WHERE s.updated_at > l_since
      AND s.channel_code IS DISTINCT FROM 'qa'
      AND NOT EXISTS (SELECT 1 FROM stg.orders t WHERE t.order_id = s.order_id);

    GET DIAGNOSTICS l_rows = ROW_COUNT;

    -- orders that the shop has wiped (GDPR)
    DELETE FROM stg.orders t
    WHERE NOT EXISTS (SELECT 1 FROM shop.orders s WHERE s.order_id = t.order_id);

    CALL etl.log_end(l_run, l_rows, FORMAT('%s replaced', l_deleted));
EXCEPTION
    WHEN OTHERS THEN
        PERFORM etl.log_error('stg.load_orders', SQLSTATE, SQLERRM);
        RAISE;
END;
$procedure$;

CREATE OR REPLACE PROCEDURE stg.load_order_lines(p_schritt integer DEFAULT 10000)
LANGUAGE plpgsql
AS $$
-- Positionen der Bestellungen, in Schritten nach Bestellnummer (kurze Transaktionen!)
DECLARE
    v_von  bigint;
    v_bis  bigint;
    v_zeit timestamptz := clock_timestamp();
BEGIN
    TRUNCATE TABLE stg.order_line;
    COMMIT;

    SELECT min(order_id), max(order_id)
      INTO v_von, v_bis
      FROM shop.order_item;

    WHILE v_von <= v_bis LOOP
        INSERT INTO stg.order_line (order_id, line_no, product_id, quantity, unit_price, discount, line_amount)
        SELECT i.order_id,
               i.line_no,
               i.product_id,
               i.quantity,
               i.unit_price,
               COALESCE(i.discount, 0),
               i.quantity * i.unit_price * (1 - COALESCE(i.discount, 0))   -- numeric(12,2) rundet
          FROM shop.order_item i
         WHERE i.order_id >= v_von
           AND i.order_id < v_von + p_schritt
           -- nur Bestellungen, die wir übernommen haben (keine Testbestellungen)
           AND i.order_id IN (SELECT o.order_id FROM stg.orders o);
        COMMIT;

        v_von := v_von + p_schritt;
    END LOOP;

    RAISE NOTICE 'fertig nach %', clock_timestamp() - v_zeit;
END;
$$;

CREATE OR REPLACE PROCEDURE stg.load_payments(p_lookback INTEGER DEFAULT 10)
LANGUAGE plpgsql
AS $procedure$
/*****************************************************************
 * Job      : stg.load_payments
 * Author   : J. Becker
 * History  : 2021-05-20 JB  created
 *            2023-01-09 JB  the provider sends some payments twice
 *****************************************************************/
DECLARE
    l_last  TIMESTAMP;
    l_from  TIMESTAMP;
    l_rows  BIGINT;
    l_run   BIGINT;
BEGIN
    l_run := etl.log_start('stg.load_payments');

    SELECT MAX(received_at) INTO l_last FROM stg.payment;

    IF l_last IS NULL THEN
        -- first load: everything
        l_from := TIMESTAMP '1900-01-01';
    ELSE
        l_from := l_last - p_lookback * INTERVAL '1 day';
    END IF;

    -- files are corrected for some days after they came in
    DELETE FROM stg.payment WHERE received_at >= l_from;

    INSERT INTO stg.payment (payment_id, order_id, paid_on, amount, currency, method, provider_ref, received_at)
    SELECT p.payment_id,
           p.order_id,
           p.paid_at::DATE,
           p.amount,
           p.currency,
           LOWER(p.method),
           p.provider_ref,
           p.received_at
    FROM billing.payment p
    WHERE p.received_at >= l_from
      AND p.method IS NOT NULL
    ORDER BY p.payment_id
    ON CONFLICT (provider_ref) DO NOTHING;

    GET DIAGNOSTICS l_rows = ROW_COUNT;

    -- without a method: the column's default says 'unknown'
    INSERT INTO stg.payment (payment_id, order_id, paid_on, amount, currency, provider_ref, received_at)
    SELECT p.payment_id, p.order_id, p.paid_at::DATE, p.amount, p.currency, p.provider_ref, p.received_at
    FROM billing.payment p
    WHERE p.received_at >= l_from
      AND p.method IS NULL
    ORDER BY p.payment_id
    ON CONFLICT (provider_ref) DO NOTHING;

    CALL etl.log_end(l_run, l_rows);
END;
$procedure$;

-- Eventos do CRM: só os novos (marca d'água por event_id)
CREATE OR REPLACE PROCEDURE stg.load_events()
LANGUAGE plpgsql
AS $$
DECLARE
  v_ultimo_id bigint;
  v_ultima    timestamp;
  v_max_id    bigint;
BEGIN
  SELECT w.last_id, w.last_at
    INTO v_ultimo_id, v_ultima
    FROM etl.watermark w
   WHERE w.source = 'crm.contact_event';

  IF NOT FOUND THEN
    v_ultimo_id := 0;
  END IF;

  SELECT max(event_id) INTO v_max_id FROM crm.contact_event;

  -- nada de novo
  IF v_max_id IS NULL OR v_max_id <= v_ultimo_id THEN
    RAISE NOTICE 'sem eventos novos desde %', v_ultima;
    RETURN;
  END IF;

  INSERT INTO stg.contact_event (event_id, account_id, occurred_on, kind, campaign, cart_value, device)
  SELECT e.event_id,
         e.account_id,
         e.occurred_at::date,
         e.kind,
         e.payload ->> 'campaign',
         (e.payload #>> '{cart,value}')::numeric,
         COALESCE(e.payload ->> 'device', 'desconhecido')
    FROM crm.contact_event e
   WHERE e.event_id > v_ultimo_id
     AND e.payload IS NOT NULL;

  -- uma linha por etiqueta, com a posição
  INSERT INTO stg.event_tag (event_id, position, tag)
  SELECT e.event_id, t.ord, t.tag
    FROM crm.contact_event e
   CROSS JOIN LATERAL jsonb_array_elements_text(e.payload -> 'tags') WITH ORDINALITY AS t (tag, ord)
   WHERE e.event_id > v_ultimo_id
     AND jsonb_typeof(e.payload -> 'tags') = 'array';

  INSERT INTO etl.watermark AS w (source, last_id, last_at)
  SELECT 'crm.contact_event', v_max_id, max(e.occurred_at)
    FROM crm.contact_event e
      ON CONFLICT (source) DO UPDATE
     SET last_id = EXCLUDED.last_id,
         last_at = GREATEST(w.last_at, EXCLUDED.last_at);
END;
$$;

create or replace procedure stg.load_fx_rates(p_from date default '2024-01-01', p_to date default null)
language plpgsql
as $$
declare
  v_to date := coalesce(p_to, etl.business_date());
  r    record;
begin
  delete from stg.fx_rate_daily where rate_date between p_from and v_to;

  -- no rates on weekends and holidays: carry the last one on
  for r in
    select d::date as day
      from generate_series(p_from::timestamp, v_to::timestamp, interval '1 day') d
  loop
    insert into stg.fx_rate_daily (currency, rate_date, eur_rate, carried)
    select distinct on (x.currency)
           x.currency,
           r.day,
           x.eur_rate,
           x.rate_date < r.day
      from billing.fx_rate x
     where x.rate_date <= r.day
     order by x.currency, x.rate_date desc;
  end loop;
end;
$$;

-- ---------------------------------------------------------------------------
-- dimensions
-- ---------------------------------------------------------------------------

CREATE OR REPLACE PROCEDURE dw.load_dim_date(
    p_first_year integer DEFAULT 2023,
    p_last_year  integer DEFAULT 2026
)
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO dw.dim_date (date_key, full_date, year, quarter, month, iso_week, weekday, is_weekend)
    SELECT to_char(d, 'YYYYMMDD')::integer,
           d::date,
           extract(year FROM d),
           extract(quarter FROM d),
           extract(month FROM d),
           extract(week FROM d),
           extract(isodow FROM d),
           extract(isodow FROM d) IN (6, 7)
    FROM generate_series(make_timestamp(p_first_year, 1, 1, 0, 0, 0),
                         make_timestamp(p_last_year, 12, 31, 0, 0, 0),
                         interval '1 day') AS d
    ON CONFLICT (full_date) DO NOTHING;

    -- feste Feiertage
    UPDATE dw.dim_date d
    SET is_holiday = true,
        holiday_name = h.name
    FROM (VALUES (1, 1, 'Neujahr'), (5, 1, 'Tag der Arbeit'), (10, 3, 'Tag der Deutschen Einheit'),
                 (12, 25, '1. Weihnachtstag'), (12, 26, '2. Weihnachtstag')) AS h (month, day, name)
    WHERE d.month = h.month
      AND extract(day FROM d.full_date) = h.day;

    -- Karfreitag und Ostermontag: bitte jedes Jahr nachtragen!
    FOR i IN 2024..2025 LOOP
        UPDATE dw.dim_date
        SET is_holiday = true,
            holiday_name = 'Ostern ' || i
        WHERE full_date IN (CASE WHEN i = 2024 THEN date '2024-03-29' ELSE date '2025-04-18' END,
                            CASE WHEN i = 2024 THEN date '2024-04-01' ELSE date '2025-04-21' END);
    END LOOP;
END;
$$;

create or replace procedure dw.load_dim_channel()
language plpgsql
as $$
begin
  -- the unknown member: facts without a channel point to it
  insert into dw.dim_channel (channel_key, channel_code, name, kind)
  values (-1, 'unknown', 'Unknown', 'unknown')
  on conflict (channel_code) do nothing;

  merge into dw.dim_channel as t
  using shop.channel as s
     on s.code = t.channel_code
  when matched and s.kind = 'test' then
    delete
  when matched and (s.name, s.kind, s.fee_rate, true) is distinct from (t.name, t.kind, t.fee_rate, t.is_active) then
    update set name       = s.name,
               kind       = s.kind,
               fee_rate   = s.fee_rate,
               is_active  = true,
               updated_at = now()
  when matched then
    do nothing
  when not matched by target and s.kind <> 'test' then
    insert (channel_code, name, kind, fee_rate)
    values (s.code, s.name, s.kind, s.fee_rate)
  when not matched by source and t.channel_key > 0 and t.kind = 'partner' then
    delete
  when not matched by source and t.channel_key > 0 and t.is_active then
    update set is_active = false, updated_at = now();
end;
$$;

CREATE OR REPLACE PROCEDURE dw.load_dim_plan()
LANGUAGE plpgsql
AS $procedure$
DECLARE
    l_day  DATE;
    l_rows INTEGER;
BEGIN
    SELECT value::DATE INTO STRICT l_day FROM etl.setting WHERE name = 'business_date';

    INSERT INTO dw.dim_plan AS p
        (plan_code, name, monthly_fee, billing, free_grinder, is_sold, updated_at)
    SELECT b.plan_code,
           b.name,
           b.monthly_fee,
           CASE b.interval_months WHEN 1 THEN 'monthly' WHEN 3 THEN 'quarterly' ELSE 'yearly' END,
           COALESCE((b.features ->> 'grinder')::BOOLEAN, FALSE),
           b.retired_on IS NULL OR b.retired_on >= l_day,
           CURRENT_TIMESTAMP
    FROM billing.plan b
    ON CONFLICT (plan_code) DO UPDATE
    SET name         = EXCLUDED.name,
        monthly_fee  = EXCLUDED.monthly_fee,
        billing      = EXCLUDED.billing,
        free_grinder = EXCLUDED.free_grinder,
        is_sold      = EXCLUDED.is_sold,
        changes      = p.changes + 1,
        updated_at   = EXCLUDED.updated_at
    WHERE (p.name, p.monthly_fee, p.billing, p.free_grinder, p.is_sold)
          IS DISTINCT FROM
          (EXCLUDED.name, EXCLUDED.monthly_fee, EXCLUDED.billing, EXCLUDED.free_grinder, EXCLUDED.is_sold);

    GET DIAGNOSTICS l_rows = ROW_COUNT;
    RAISE INFO 'plans touched: %', l_rows;
END;
$procedure$;

CREATE OR REPLACE PROCEDURE dw.load_dim_supplier()
LANGUAGE plpgsql
SET search_path = dw, shop, pg_temp
AS $$
-- type 1: overwrite, then insert what is missing
BEGIN
    UPDATE dim_supplier d
    SET name       = s.name,
        country    = s.country,
        lead_days  = s.lead_days,
        is_deleted = false,
        updated_at = s.updated_at
    FROM supplier s
    WHERE s.supplier_id = d.supplier_id
      AND (d.updated_at < s.updated_at OR d.is_deleted);

    INSERT INTO dim_supplier (supplier_id, name, country, lead_days, updated_at)
    SELECT s.supplier_id, s.name, s.country, s.lead_days, s.updated_at
    FROM supplier s
    LEFT JOIN dim_supplier d ON d.supplier_id = s.supplier_id
    WHERE d.supplier_id IS NULL;

    UPDATE dim_supplier
    SET is_deleted = true
    WHERE NOT is_deleted
      AND supplier_id NOT IN (SELECT supplier_id FROM supplier);
END;
$$;

-- Category tree: one row per category with its path, and all pairs of ancestor and descendant.
create or replace procedure dw.load_dim_category()
language plpgsql
as $$
begin
  truncate dw.dim_category, dw.category_closure;

  insert into dw.dim_category (category_id, name, level, path, path_ids, root_id, is_leaf)
  with recursive tree as (
    select c.category_id, c.name, 1 as level, c.name as path, array[c.category_id] as path_ids, c.category_id as root_id
      from shop.category c
     where c.parent_id is null
    union all
    select c.category_id, c.name, t.level + 1, t.path || ' > ' || c.name, t.path_ids || c.category_id, t.root_id
      from tree t
      join shop.category c on c.parent_id = t.category_id
     where t.level < 10                     -- somebody once made a circle
  )
  select t.category_id, t.name, t.level, t.path, t.path_ids, t.root_id,
         not exists (select from shop.category k where k.parent_id = t.category_id)
    from tree t;

  insert into dw.category_closure (ancestor_id, descendant_id, distance)
  select a.id, d.category_id, d.level - a.ord
    from dw.dim_category d
   cross join lateral unnest(d.path_ids) with ordinality as a (id, ord);

  -- products below each category, whatever the depth
  update dw.dim_category d
     set product_count = n.products
    from (select cl.ancestor_id, count(*) as products
            from dw.category_closure cl
            join shop.product p on p.category_id = cl.descendant_id
           where p.is_active
           group by cl.ancestor_id) n
   where n.ancestor_id = d.category_id;
end;
$$;

CREATE OR REPLACE PROCEDURE dw.load_dim_product()
LANGUAGE plpgsql
AS $$
-- Produkte mit Historie (SCD 2): MERGE schließt alte Versionen, INSERT legt neue an
DECLARE
    v_tag date := etl.business_date();
BEGIN
    IF NOT EXISTS (SELECT 1 FROM dw.dim_product WHERE product_key = -1) THEN
        INSERT INTO dw.dim_product (product_key, product_id, sku, name, category_id, list_price, row_hash, valid_from)
        VALUES (-1, -1, 'n/a', 'Unbekannt', -1, 0, repeat('0', 32), date '1900-01-01');
    END IF;

    DROP TABLE IF EXISTS tmp_product;
    CREATE TEMPORARY TABLE tmp_product ON COMMIT DROP AS
    SELECT p.product_id,
           p.sku,
           p.name,
           p.category_id,
           p.supplier_id,
           p.price,
           p.cost,
           p.attributes ->> 'roast' AS roast,
           md5(concat_ws('|', p.sku, p.name, p.category_id, p.supplier_id, p.price, p.cost,
                         coalesce(p.attributes ->> 'roast', '-'))) AS row_hash
      FROM shop.product p
     WHERE p.is_active;

    MERGE INTO dw.dim_product d
    USING tmp_product s
       ON d.product_id = s.product_id AND d.is_current
    WHEN MATCHED AND d.row_hash <> s.row_hash THEN
        UPDATE SET is_current = false, valid_to = v_tag
    WHEN NOT MATCHED BY SOURCE AND d.is_current AND d.product_key > 0 THEN
        UPDATE SET is_current = false, valid_to = v_tag;

    INSERT INTO dw.dim_product (product_id, sku, name, category_id, supplier_id, list_price, unit_cost,
                                roast, row_hash, valid_from)
    SELECT s.product_id, s.sku, s.name, s.category_id, s.supplier_id, s.price, s.cost, s.roast, s.row_hash,
           -- die erste Version gilt seit jeher, damit alte Bestellungen sie finden
           CASE WHEN EXISTS (SELECT 1 FROM dw.dim_product o WHERE o.product_id = s.product_id)
                THEN v_tag ELSE date '1900-01-01' END
      FROM tmp_product s
     WHERE NOT EXISTS (SELECT 1
                         FROM dw.dim_product d
                        WHERE d.product_id = s.product_id
                          AND d.is_current)
     ORDER BY s.product_id;
END;
$$;

CREATE OR REPLACE PROCEDURE dw.load_dim_customer(p_batch_date DATE DEFAULT NULL)
LANGUAGE plpgsql
AS $procedure$
/*****************************************************************
 * Job      : dw.load_dim_customer
 * Author   : J. Becker, M. Reis
 * Target   : dw.dim_customer (type 2; e-mail is type 1)
 * History  : 2021-03-08 JB  created
 *            2021-09-30 JB  customers that the shop deleted are closed
 *            2022-06-14 MR  two changes on one day: overwrite, no second version
 *            2023-11-02 MR  age bands instead of the year of birth
 *            2024-08-19 JB  unknown member -1
 *****************************************************************/
DECLARE
    l_day      DATE;
    l_run      BIGINT;
    l_type1    BIGINT := 0;
    l_same_day BIGINT := 0;
    l_closed   BIGINT := 0;
    l_gone     BIGINT := 0;
    l_new      BIGINT := 0;
    l_state    TEXT;
    l_message  TEXT;
    c_first    CONSTANT DATE := DATE '1900-01-01';
    c_open     CONSTANT DATE := DATE '9999-12-31';
BEGIN
    l_run := etl.log_start('dw.load_dim_customer');
    l_day := COALESCE(p_batch_date, etl.business_date());

    ------------------------------------------------------------------
    -- 0. unknown member
    ------------------------------------------------------------------
    INSERT INTO dw.dim_customer (customer_key, customer_id, full_name, country, newsletter, valid_from)
    OVERRIDING SYSTEM VALUE
    SELECT -1, -1, 'Unknown', '--', FALSE, c_first
    WHERE NOT EXISTS (SELECT 1 FROM dw.dim_customer WHERE customer_key = -1);

    ------------------------------------------------------------------
    -- 1. what the customers look like today
    ------------------------------------------------------------------
    DROP TABLE IF EXISTS tmp_customer;

    CREATE TEMP TABLE tmp_customer ON COMMIT DROP AS
    SELECT s.customer_id,
           s.email,
           s.full_name,
           s.country,
           s.city,
           COALESCE(s.segment, 'none') AS segment,
           s.newsletter,
           CASE
               WHEN s.birth_year IS NULL THEN NULL
               WHEN EXTRACT(YEAR FROM l_day) - s.birth_year < 30 THEN 'under 30'
               WHEN EXTRACT(YEAR FROM l_day) - s.birth_year < 50 THEN '30-49'
               WHEN EXTRACT(YEAR FROM l_day) - s.birth_year < 65 THEN '50-64'
               ELSE '65+'
           END::VARCHAR(8) AS age_band
    FROM stg.customer s;

    CREATE INDEX ON tmp_customer (customer_id);
    ANALYZE tmp_customer;

    ------------------------------------------------------------------
    -- 2. type 1: the address is corrected in all versions
    ------------------------------------------------------------------
    UPDATE dw.dim_customer d
    SET email = t.email
    FROM tmp_customer t
    WHERE t.customer_id = d.customer_id
      AND d.email IS DISTINCT FROM t.email;

    GET DIAGNOSTICS l_type1 = ROW_COUNT;

    ------------------------------------------------------------------
    -- 3. second change on the same day: overwrite
    ------------------------------------------------------------------
    UPDATE dw.dim_customer d
    SET full_name  = t.full_name,
        country    = t.country,
        city       = t.city,
        segment    = t.segment,
        newsletter = t.newsletter,
        age_band   = t.age_band
    FROM tmp_customer t
    WHERE t.customer_id = d.customer_id
      AND d.is_current
      AND d.valid_from = l_day
      AND (d.full_name, d.country, d.city, d.segment, d.newsletter, d.age_band)
          IS DISTINCT FROM
          (t.full_name, t.country, t.city, t.segment, t.newsletter, t.age_band);

    GET DIAGNOSTICS l_same_day = ROW_COUNT;

    ------------------------------------------------------------------
    -- 4. close versions that no longer hold
    ------------------------------------------------------------------
    UPDATE dw.dim_customer d
    SET valid_to   = l_day - 1,
        is_current = FALSE
    FROM tmp_customer t
    WHERE t.customer_id = d.customer_id
      AND d.is_current
      AND d.valid_from < l_day
      AND (   d.full_name  <> t.full_name
           OR d.country    <> t.country
           OR d.city       IS DISTINCT FROM t.city
           OR d.segment    <> t.segment
           OR d.newsletter <> t.newsletter
           OR d.age_band   IS DISTINCT FROM t.age_band);

    GET DIAGNOSTICS l_closed = ROW_COUNT;

    ------------------------------------------------------------------
    -- 5. close customers that are gone
    ------------------------------------------------------------------
    UPDATE dw.dim_customer d
    SET valid_to   = GREATEST(d.valid_from, l_day - 1),
        is_current = FALSE
    WHERE d.is_current
      AND d.customer_key > 0
      AND NOT EXISTS (SELECT 1 FROM tmp_customer t WHERE t.customer_id = d.customer_id);

    GET DIAGNOSTICS l_gone = ROW_COUNT;

    ------------------------------------------------------------------
    -- 6. new versions: first ones, changed ones, and customers that came back
    ------------------------------------------------------------------
    INSERT INTO dw.dim_customer
        (customer_id, email, full_name, country, city, segment, newsletter, age_band,
         valid_from, valid_to, version_no)
    SELECT t.customer_id,
           t.email,
           t.full_name,
           t.country,
           t.city,
           t.segment,
           t.newsletter,
           t.age_band,
           CASE WHEN v.last_version IS NULL THEN c_first ELSE l_day END,
           c_open,
           COALESCE(v.last_version, 0) + 1
    FROM tmp_customer t
    LEFT JOIN (
        SELECT customer_id, MAX(version_no) AS last_version
        FROM dw.dim_customer
        GROUP BY customer_id
    ) v ON v.customer_id = t.customer_id
    WHERE NOT EXISTS (
        SELECT 1
        FROM dw.dim_customer c
        WHERE c.customer_id = t.customer_id
          AND c.is_current
    );

    GET DIAGNOSTICS l_new = ROW_COUNT;

    RAISE NOTICE 'dim_customer %: % e-mails, % same day, % closed, % gone, % new',
        l_day, l_type1, l_same_day, l_closed, l_gone, l_new;

    CALL etl.log_end(l_run, l_new + l_closed + l_gone,
                     FORMAT('type 1: %s, same day: %s', l_type1, l_same_day));
EXCEPTION
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS l_state = RETURNED_SQLSTATE, l_message = MESSAGE_TEXT;
        PERFORM etl.log_error('dw.load_dim_customer', l_state, l_message);
        RAISE EXCEPTION 'dw.load_dim_customer failed: % (%)', l_message, l_state;
END;
$procedure$;

-- ---------------------------------------------------------------------------
-- facts
-- ---------------------------------------------------------------------------

CREATE OR REPLACE PROCEDURE dw.load_fact_sales(p_days INTEGER DEFAULT NULL)
LANGUAGE plpgsql
AS $procedure$
/*****************************************************************
 * Job      : dw.load_fact_sales
 * Author   : J. Becker
 * Target   : dw.fact_sales
 * Params   : p_days  load only the last n days again; NULL = everything
 * History  : 2021-03-15 JB  created
 *            2021-10-01 JB  VAT taken out
 *            2022-02-11 JB  euros
 *            2023-05-05 MR  margin
 *            2024-08-19 JB  unknown members instead of inner joins (we lost 4 % of the sales)
 *****************************************************************/
DECLARE
    l_day      DATE := etl.business_date();
    l_first    INTEGER;
    l_rows     BIGINT;
    l_unknown  BIGINT;
    l_run      BIGINT;
    c_vat      CONSTANT NUMERIC := 1.19;
BEGIN
    l_run := etl.log_start('dw.load_fact_sales');

    ------------------------------------------------------------------
    -- 1. make room
    ------------------------------------------------------------------
    IF p_days IS NULL THEN
        TRUNCATE TABLE dw.fact_sales;
        l_first := 0;
    ELSIF p_days <= 0 THEN
        RAISE EXCEPTION 'p_days must be positive, not %', p_days
            USING HINT = 'NULL loads everything';
    ELSE
        l_first := TO_CHAR(l_day - p_days, 'YYYYMMDD')::INTEGER;
        DELETE FROM dw.fact_sales WHERE date_key >= l_first;
    END IF;

    ------------------------------------------------------------------
    -- 2. order lines with the keys that held on the day of the order
    ------------------------------------------------------------------
    INSERT INTO dw.fact_sales
        (order_id, line_no, date_key, customer_key, product_key, channel_key,
         quantity, unit_price, net_amount, currency)
    SELECT l.order_id,
           l.line_no,
           d.date_key,
           COALESCE(c.customer_key, -1),
           COALESCE(p.product_key, -1),
           COALESCE(ch.channel_key, -1),
           l.quantity,
           l.unit_price,
           l.line_amount / c_vat,                        -- rounded to cents by the column
           o.currency
    FROM stg.order_line l
    JOIN stg.orders o
      ON o.order_id = l.order_id
    JOIN dw.dim_date d
      ON d.full_date = o.ordered_at::DATE
    LEFT JOIN dw.dim_customer c
      ON c.customer_id = o.customer_id
     AND d.full_date BETWEEN c.valid_from AND c.valid_to
    LEFT JOIN dw.dim_product p
      ON p.product_id = l.product_id
     AND d.full_date >= p.valid_from
     AND (d.full_date < p.valid_to OR p.valid_to IS NULL)
    LEFT JOIN dw.dim_channel ch
      ON ch.channel_code = o.channel_code
    WHERE o.status <> 'cancelled'
      AND d.date_key >= l_first;

    GET DIAGNOSTICS l_rows = ROW_COUNT;

    ------------------------------------------------------------------
    -- 3. euros: from the rounded amount, as accounting does it
    ------------------------------------------------------------------
    UPDATE dw.fact_sales
    SET net_amount_eur = net_amount
    WHERE currency = 'EUR'
      AND net_amount_eur IS NULL;

    UPDATE dw.fact_sales f
    SET net_amount_eur = f.net_amount * r.eur_rate
    FROM stg.fx_rate_daily r,
         dw.dim_date d
    WHERE d.date_key = f.date_key
      AND r.currency = f.currency
      AND r.rate_date = d.full_date
      AND f.currency <> 'EUR'
      AND f.net_amount_eur IS NULL;

    ------------------------------------------------------------------
    -- 4. margin, where the cost is known
    ------------------------------------------------------------------
    UPDATE dw.fact_sales f
    SET margin_eur = f.net_amount_eur - f.quantity * p.unit_cost
    FROM dw.dim_product p
    WHERE p.product_key = f.product_key
      AND p.product_key > 0
      AND f.margin_eur IS NULL;

    -- marketplaces take their share
    UPDATE dw.fact_sales f
    SET margin_eur = f.margin_eur - f.net_amount_eur * ch.fee_rate
    FROM dw.dim_channel ch
    WHERE ch.channel_key = f.channel_key
      AND ch.kind = 'partner'
      AND f.date_key >= l_first
      AND f.margin_eur IS NOT NULL;

    ------------------------------------------------------------------
    -- 5. first order of each customer
    ------------------------------------------------------------------
    UPDATE dw.fact_sales f
    SET is_first_order = (x.rn = 1)
    FROM (
        SELECT o.order_id,
               ROW_NUMBER() OVER (PARTITION BY cu.customer_id ORDER BY o.date_key, o.order_id) AS rn
        FROM (
            SELECT order_id, MIN(date_key) AS date_key, MIN(customer_key) AS customer_key
            FROM dw.fact_sales
            WHERE customer_key > 0
            GROUP BY order_id
        ) o
        JOIN dw.dim_customer cu ON cu.customer_key = o.customer_key
    ) x
    WHERE x.order_id = f.order_id
      AND f.is_first_order <> (x.rn = 1);

    ------------------------------------------------------------------
    -- 6. tell operations
    ------------------------------------------------------------------
    SELECT COUNT(*) INTO l_unknown
    FROM dw.fact_sales
    WHERE product_key = -1 AND date_key >= l_first;

    IF l_unknown > 0 THEN
        RAISE WARNING '% order lines without a product', l_unknown;
    END IF;

    CALL etl.log_end(l_run, l_rows, FORMAT('unknown products: %s', l_unknown));
END;
$procedure$;

create or replace procedure dw.apply_returns()
language plpgsql
as $$
declare
  v_run  bigint := etl.log_start('dw.apply_returns');
  v_rows bigint;
begin
  delete from dw.fact_return;

  -- only lines that were sold; the portal knows orders that we don't
  insert into dw.fact_return (return_id, order_id, line_no, returned_on, quantity, refund_eur, reason_group)
  select r.return_id,
         r.order_id,
         r.line_no,
         r.returned_on,
         least(r.quantity, f.quantity),
         coalesce(round(f.net_amount_eur / f.quantity * least(r.quantity, f.quantity), 2), 0),
         case
           when lower(btrim(r.reason)) in ('broken', 'defekt') then 'defect'
           when r.reason like 'zu sp%' then 'late'
           when r.reason is null then 'unknown'
           else 'other'
         end
    from shop.order_return r
    join dw.fact_sales f
      on f.order_id = r.order_id
     and f.line_no  = r.line_no;

  get diagnostics v_rows = row_count;

  update dw.fact_sales set returned_qty = 0 where returned_qty <> 0;

  update dw.fact_sales f
     set returned_qty = least(f.quantity, x.quantity)
    from (select order_id, line_no, sum(quantity)::integer as quantity
            from dw.fact_return
           group by order_id, line_no) x
   where x.order_id = f.order_id
     and x.line_no  = f.line_no;

  call etl.log_end(v_run, v_rows);
end;
$$;

CREATE OR REPLACE PROCEDURE dw.load_fact_payment()
LANGUAGE plpgsql
AS $$
-- Zahlungen: geänderte aktualisieren, neue anfügen, alte ins Archiv verschieben
DECLARE
    v_stichtag date;
    v_monate   integer;
    v_grenze   date;
    v_neu      bigint;
BEGIN
    SELECT max(value) FILTER (WHERE name = 'business_date')::date,
           max(value) FILTER (WHERE name = 'payment_keep_months')::integer
      INTO v_stichtag, v_monate
      FROM etl.setting;

    v_grenze := v_stichtag - make_interval(months => v_monate);

    WITH quelle AS (
        SELECT p.payment_id,
               p.order_id,
               p.paid_on,
               p.amount,
               p.currency,
               dw.to_eur(p.amount, p.currency, p.paid_on) AS amount_eur,
               p.method,
               p.paid_on - o.ordered_at::date AS days_to_pay
          FROM stg.payment p
          LEFT JOIN stg.orders o ON o.order_id = p.order_id
         WHERE p.paid_on >= v_grenze
    ), geaendert AS (
        UPDATE dw.fact_payment f
           SET paid_on     = q.paid_on,
               amount      = q.amount,
               amount_eur  = q.amount_eur,
               method      = q.method,
               days_to_pay = q.days_to_pay,
               version     = f.version + 1
          FROM quelle q
         WHERE q.payment_id = f.payment_id
           AND (f.paid_on, f.amount, f.amount_eur, f.method, f.days_to_pay)
               IS DISTINCT FROM
               (q.paid_on, q.amount, q.amount_eur, q.method, q.days_to_pay)
        RETURNING f.payment_id
    )
    INSERT INTO dw.fact_payment (payment_id, order_id, paid_on, amount, currency, amount_eur, method, days_to_pay)
    SELECT q.payment_id, q.order_id, q.paid_on, q.amount, q.currency, q.amount_eur, q.method, q.days_to_pay
      FROM quelle q
     WHERE q.payment_id NOT IN (SELECT g.payment_id FROM geaendert g)
       AND NOT EXISTS (SELECT 1 FROM dw.fact_payment f WHERE f.payment_id = q.payment_id);

    GET DIAGNOSTICS v_neu = ROW_COUNT;

    -- alte Zahlungen: löschen und im selben Befehl archivieren
    WITH alt AS (
        DELETE FROM dw.fact_payment
         WHERE paid_on < v_grenze
        RETURNING payment_id, paid_on, amount_eur, method
    )
    INSERT INTO dw.fact_payment_archive (payment_id, paid_on, amount_eur, method, archived_on)
    SELECT payment_id, paid_on, amount_eur, method, v_stichtag
      FROM alt
        ON CONFLICT (payment_id) DO NOTHING;

    RAISE NOTICE '% neue Zahlungen', v_neu;
END;
$$;

-- Retrato mensal das assinaturas: um mês de cada vez
CREATE OR REPLACE PROCEDURE dw.snapshot_subscriptions(
  p_de  date DEFAULT '2024-01-01',
  p_ate date DEFAULT '2025-06-01'
)
LANGUAGE plpgsql
AS $$
DECLARE
  v_mes date := p_de;
BEGIN
  WHILE v_mes <= p_ate LOOP
    -- apaga e recarrega o mês
    DELETE FROM dw.fact_subscription_month WHERE month = v_mes;

    INSERT INTO dw.fact_subscription_month (month, subscription_id, customer_id, plan_code, seats, mrr, movement)
    SELECT v_mes,
           s.subscription_id,
           s.customer_id,
           s.plan_code,
           s.seats,
           CASE WHEN s.cancelled_on < v_mes + interval '1 month' THEN 0 ELSE p.monthly_fee * s.seats END,
           CASE
             WHEN s.cancelled_on < v_mes + interval '1 month' THEN 'lost'
             WHEN s.started_on >= v_mes THEN 'new'
             ELSE 'kept'
           END
      FROM billing.subscription s
      JOIN dw.dim_plan p ON p.plan_code = s.plan_code
     WHERE s.started_on < v_mes + interval '1 month'
       AND (s.cancelled_on IS NULL OR s.cancelled_on >= v_mes);

    v_mes := (v_mes + interval '1 month')::date;
  END LOOP;
END;
$$;

-- ---------------------------------------------------------------------------
-- marts
-- ---------------------------------------------------------------------------

CREATE OR REPLACE PROCEDURE mart.build_daily_revenue()
LANGUAGE plpgsql
AS $procedure$
DECLARE
    l_days INTEGER;
BEGIN
    DROP TABLE IF EXISTS mart.daily_revenue;

    CREATE TABLE mart.daily_revenue AS
    SELECT x.full_date,
           x.country,
           x.orders,
           x.revenue_eur,
           x.margin_eur,
           SUM(x.revenue_eur) OVER (PARTITION BY x.country ORDER BY x.full_date
                                    RANGE BETWEEN INTERVAL '6 days' PRECEDING AND CURRENT ROW) AS revenue_7d
    FROM (
        SELECT s.full_date,
               s.country,
               COUNT(DISTINCT s.order_id) AS orders,
               SUM(s.net_amount_eur)      AS revenue_eur,
               SUM(s.margin_eur)          AS margin_eur
        FROM dw.v_sales s
        GROUP BY s.full_date, s.country
    ) x;

    EXECUTE 'CREATE INDEX ON mart.daily_revenue (full_date)';
    EXECUTE 'COMMENT ON TABLE mart.daily_revenue IS ''Revenue per day and country''';

    SELECT COUNT(DISTINCT full_date) INTO l_days FROM mart.daily_revenue;
    RAISE NOTICE '% days', l_days;
END;
$procedure$;

create or replace procedure mart.build_category_rollup(p_year integer default 2025)
language plpgsql
as $$
begin
  delete from mart.category_rollup where year = p_year;

  insert into mart.category_rollup (year, root_name, category, level, quantity, revenue_eur)
  select p_year,
         r.name,
         c.name,
         case grouping(r.name, c.name) when 0 then 'category' when 1 then 'root' else 'all' end,
         sum(s.quantity - s.returned_qty),
         coalesce(sum(s.net_amount_eur), 0)
    from dw.v_sales s
    join dw.dim_category c on c.category_id = s.category_id
    join dw.dim_category r on r.category_id = c.root_id
   where s.year = p_year
   group by grouping sets ((r.name, c.name), (r.name), ());

  -- share of the whole
  update mart.category_rollup t
     set share = t.revenue_eur / a.revenue_eur
    from mart.category_rollup a
   where a.year = p_year
     and a.level = 'all'
     and t.year = a.year
     and a.revenue_eur <> 0;
end;
$$;

-- Kohorten: Monat der ersten Bestellung, und wie viele in den Monaten danach wiederkommen
CREATE OR REPLACE PROCEDURE mart.build_cohorts()
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM mart.cohort;

    -- 1. die Kohorten selbst (Monat 0)
    INSERT INTO mart.cohort (cohort_month, month_no, customers)
    SELECT date_trunc('month', erste.tag)::date, 0, count(*)
      FROM (SELECT customer_id, min(full_date) AS tag
              FROM dw.v_sales
             WHERE customer_id > 0
             GROUP BY customer_id) erste
     GROUP BY 1;

    -- 2. die Monate danach; liest, was eben eingefügt wurde
    INSERT INTO mart.cohort (cohort_month, month_no, customers, cohort_size)
    SELECT k.cohort_month, m.month_no, m.customers, k.customers
      FROM mart.cohort k
      JOIN (SELECT e.cohort_month,
                   (date_part('year', s.full_date) - date_part('year', e.cohort_month))::integer * 12
                     + (date_part('month', s.full_date) - date_part('month', e.cohort_month))::integer AS month_no,
                   count(DISTINCT s.customer_id) AS customers
              FROM dw.v_sales s
              JOIN (SELECT customer_id, date_trunc('month', min(full_date))::date AS cohort_month
                      FROM dw.v_sales
                     WHERE customer_id > 0
                     GROUP BY customer_id) e ON e.customer_id = s.customer_id
             GROUP BY 1, 2) m ON m.cohort_month = k.cohort_month
     WHERE k.month_no = 0
       AND m.month_no BETWEEN 1 AND 12;

    UPDATE mart.cohort SET cohort_size = customers WHERE month_no = 0;
    UPDATE mart.cohort SET retention = customers::numeric / cohort_size;
END;
$$;

CREATE OR REPLACE PROCEDURE mart.build_customer_360()
LANGUAGE plpgsql
AS $procedure$
/*****************************************************************
 * Job      : mart.build_customer_360
 * Author   : M. Reis
 * Target   : mart.customer_360
 * History  : 2022-04-01 MR  created
 *            2022-12-20 MR  RFM classes
 *            2023-07-07 MR  contacts, consents
 *            2024-01-15 JB  one row per person (master), not per login
 *****************************************************************/
DECLARE
    l_vip     NUMERIC;
    l_churn   INTEGER;
    l_day     DATE := etl.business_date();
    l_run     BIGINT;
    l_rows    BIGINT;
BEGIN
    l_run := etl.log_start('mart.build_customer_360');

    SELECT MAX(CASE WHEN name = 'vip_revenue' THEN value END)::NUMERIC,
           MAX(CASE WHEN name = 'churn_days'  THEN value END)::INTEGER
    INTO l_vip, l_churn
    FROM etl.setting;

    -- who is who: login -> person
    CREATE TEMP TABLE tmp_person ON COMMIT DROP AS
    SELECT c.customer_id, COALESCE(c.master_customer_id, c.customer_id) AS person_id
    FROM stg.customer c;

    -- sales per person
    CREATE TEMP TABLE tmp_sales ON COMMIT DROP AS
    SELECT p.person_id,
           MIN(s.full_date)           AS first_order_on,
           MAX(s.full_date)           AS last_order_on,
           COUNT(DISTINCT s.order_id) AS orders,
           SUM(s.net_amount_eur)      AS revenue_eur
    FROM dw.v_sales s
    JOIN tmp_person p ON p.customer_id = s.customer_id
    GROUP BY p.person_id;

    TRUNCATE TABLE mart.customer_360;

    -- everybody
    INSERT INTO mart.customer_360 (customer_id, full_name, country, segment)
    SELECT c.customer_id, c.full_name, c.country, c.segment
    FROM dw.v_customer_current c
    JOIN tmp_person p ON p.customer_id = c.customer_id
    WHERE p.person_id = p.customer_id;

    GET DIAGNOSTICS l_rows = ROW_COUNT;

    -- sales
    UPDATE mart.customer_360 t
    SET first_order_on = s.first_order_on,
        last_order_on  = s.last_order_on,
        orders         = s.orders,
        revenue_eur    = COALESCE(s.revenue_eur, 0)
    FROM tmp_sales s
    WHERE s.person_id = t.customer_id;

    -- recency, frequency, monetary value: fifths of those who have bought
    UPDATE mart.customer_360 t
    SET recency   = r.recency,
        frequency = r.frequency,
        monetary  = r.monetary
    FROM (
        SELECT customer_id,
               NTILE(5) OVER (ORDER BY last_order_on, customer_id) AS recency,
               NTILE(5) OVER (ORDER BY orders, customer_id)        AS frequency,
               NTILE(5) OVER (ORDER BY revenue_eur, customer_id)   AS monetary
        FROM mart.customer_360
        WHERE orders > 0
    ) r
    WHERE r.customer_id = t.customer_id;

    UPDATE mart.customer_360
    SET rfm_class = CASE
                        WHEN revenue_eur >= l_vip AND recency >= 4    THEN 'vip'
                        WHEN last_order_on < l_day - l_churn          THEN 'lost'
                        WHEN recency + frequency + monetary >= 10     THEN 'loyal'
                        ELSE 'occasional'
                    END
    WHERE orders > 0;

    -- favourite category: most revenue, then the smaller number
    UPDATE mart.customer_360 t
    SET top_category = f.name
    FROM (
        SELECT x.person_id, c.name,
               ROW_NUMBER() OVER (PARTITION BY x.person_id ORDER BY x.revenue DESC NULLS LAST, x.category_id) AS rn
        FROM (
            SELECT p.person_id, s.category_id, SUM(s.net_amount_eur) AS revenue
            FROM dw.v_sales s
            JOIN tmp_person p ON p.customer_id = s.customer_id
            GROUP BY p.person_id, s.category_id
        ) x
        JOIN dw.dim_category c ON c.category_id = x.category_id
    ) f
    WHERE f.person_id = t.customer_id
      AND f.rn = 1;

    -- subscribers
    UPDATE mart.customer_360 t
    SET subscriber = TRUE
    WHERE EXISTS (
        SELECT 1
        FROM billing.v_active_subscription a
        JOIN tmp_person p ON p.customer_id = a.customer_id
        WHERE p.person_id = t.customer_id
    );

    -- contacts, and the tags that were on them
    UPDATE mart.customer_360 t
    SET contact_count = k.contacts,
        tags          = k.tags
    FROM (
        SELECT p.person_id,
               COUNT(DISTINCT e.event_id) AS contacts,
               ARRAY_AGG(DISTINCT g.tag ORDER BY g.tag) FILTER (WHERE g.tag IS NOT NULL) AS tags
        FROM stg.contact_event e
        JOIN crm.account a ON a.account_id = e.account_id
        JOIN tmp_person p ON p.customer_id = a.shop_customer_id
        LEFT JOIN stg.event_tag g ON g.event_id = e.event_id
        GROUP BY p.person_id
    ) k
    WHERE k.person_id = t.customer_id;

    -- consent of any of the person's logins counts ...
    UPDATE mart.customer_360 t
    SET email_ok = TRUE
    FROM (
        SELECT p.person_id
        FROM stg.consent c
        JOIN tmp_person p ON p.customer_id = c.customer_id
        GROUP BY p.person_id
        HAVING BOOL_OR(c.email_ok)
    ) c
    WHERE c.person_id = t.customer_id;

    -- ... but not if nobody was ever reached
    UPDATE mart.customer_360
    SET email_ok = FALSE
    WHERE contact_count = 0 AND email_ok;

    CALL etl.log_end(l_run, l_rows);
EXCEPTION
    WHEN OTHERS THEN
        PERFORM etl.log_error('mart.build_customer_360', SQLSTATE, SQLERRM);
        RAISE;
END;
$procedure$;

CREATE OR REPLACE PROCEDURE mart.score_customers(p_model text DEFAULT 'rfm')
LANGUAGE plpgsql
AS $$
DECLARE
    v_avg   numeric;
    v_count integer;
    v_limit numeric;
BEGIN
    SELECT avg(revenue_eur), count(*)
      INTO v_avg, v_count
      FROM mart.customer_360
     WHERE orders > 0;

    -- too few customers: an average says nothing, take the setting
    IF v_count < 100 THEN
        SELECT value::numeric INTO v_limit FROM etl.setting WHERE name = 'vip_revenue';
    ELSE
        v_limit := 2 * v_avg;
    END IF;

    DELETE FROM mart.customer_score WHERE model = p_model;

    IF p_model = 'rfm' THEN
        INSERT INTO mart.customer_score (customer_id, model, score, band, scored_on)
        SELECT customer_id, p_model, recency * 2 + frequency + monetary, 'C', etl.business_date()
          FROM mart.customer_360
         WHERE recency IS NOT NULL;
    ELSIF p_model = 'revenue' THEN
        INSERT INTO mart.customer_score (customer_id, model, score, band, scored_on)
        SELECT customer_id, p_model, revenue_eur / 100, 'C', etl.business_date()
          FROM mart.customer_360
         WHERE revenue_eur > 0;
    ELSE
        RAISE EXCEPTION 'unknown model: %', p_model;
    END IF;

    CASE p_model
        WHEN 'rfm' THEN
            UPDATE mart.customer_score s
               SET band = CASE WHEN c.revenue_eur >= v_limit THEN 'A' WHEN s.score >= 12 THEN 'B' ELSE s.band END
              FROM mart.customer_360 c
             WHERE c.customer_id = s.customer_id
               AND s.model = p_model;
        ELSE
            UPDATE mart.customer_score SET band = 'A' WHERE model = p_model AND score >= v_limit / 100;
    END CASE;
END;
$$;

-- KPIs für die Tabelle des Vorstands. Spaltennamen NICHT ändern!!
Create Or Replace Procedure mart.build_kpis()
Language plpgsql
As $BODY$
Declare
	TheTable  Constant text := 'KPI_Monthly';
	stmt      text;
	lastMonth date;
Begin
	Execute 'DELETE FROM mart."KPI_Monthly"';

	stmt := format('INSERT INTO mart.%I ("Month", "KPI", "Value") SELECT date_trunc(''month'', full_date)::date, %L, sum(net_amount_eur) FROM dw.v_sales GROUP BY 1',
	               TheTable, 'Revenue');
	Execute stmt;

	Execute format('INSERT INTO mart.%I ("Month", "KPI", "Value", "Unit") SELECT date_trunc(''month'', full_date)::date, %L, count(DISTINCT order_id), ''#'' FROM dw.v_sales GROUP BY 1',
	               TheTable, 'Orders');

	-- Insert Into mart."KPI_Monthly" Select ... From dw.fact_sales   (alt, falsch: doppelte Retouren)

	Insert Into mart."KPI_Monthly" ("Month", "KPI", "Value")
	Select m."Month", 'Average order', m."Value" / nullif(o."Value", 0)
	From mart."KPI_Monthly" m
	  Join mart."KPI_Monthly" o On o."Month" = m."Month" And o."KPI" = 'Orders'
	Where m."KPI" = 'Revenue';

	Select max("Month") Into lastMonth From mart."KPI_Monthly";

	-- Kunden der letzten 1, 2, 3 Monate
	For i In 1..3 Loop
		Insert Into mart."KPI_Monthly" ("Month", "KPI", "Value", "Unit")
		Select lastMonth, 'Active customers ' || i || 'M', count(Distinct customer_id), '#'
		From dw.v_sales
		Where customer_id > 0
		  And full_date >= lastMonth - make_interval(months => i - 1);
	End Loop;
End;
$BODY$;

create or replace procedure mart.alert_low_stock(p_min integer default 20)
language plpgsql
as $$
begin
  delete from mart.alert where alert_type = 'low_stock';

  insert into mart.alert (alert_type, object_id, severity, message, raised_on)
  select 'low_stock',
         s.product_id,
         case when s.stock < 0 then 1 when s.stock = 0 then 2 else 3 end,
         format('%s: only %s left', s.sku, s.stock),
         etl.business_date()
    from shop.v_stock s
    join dw.dim_product p on p.product_id = s.product_id and p.is_current
   where s.stock < p_min;
end;
$$;

-- Clientes que deixaram de comprar
CREATE OR REPLACE PROCEDURE mart.alert_churn()
LANGUAGE plpgsql
AS $$
DECLARE
  v_hoje date;
  v_dias integer;
BEGIN
  SELECT value::date INTO v_hoje FROM etl.setting WHERE name = 'business_date';
  SELECT value::integer INTO v_dias FROM etl.setting WHERE name = 'churn_days';

  -- alertas resolvidos: o cliente voltou
  DELETE FROM mart.alert a
   USING mart.customer_360 c
   WHERE a.alert_type = 'churn'
     AND c.customer_id = a.object_id
     AND c.last_order_on >= v_hoje - v_dias;

  -- alertas novos; os antigos ficam com a data deles, só a gravidade muda
  INSERT INTO mart.alert AS a (alert_type, object_id, severity, message, raised_on)
  SELECT 'churn', c.customer_id,
         CASE WHEN c.revenue_eur > 1000 THEN 1 WHEN c.subscriber THEN 2 ELSE 3 END,
         c.full_name || ' não compra desde ' || to_char(c.last_order_on, 'DD.MM.YYYY'),
         v_hoje
    FROM mart.customer_360 c
   WHERE c.orders > 2
     AND c.last_order_on < v_hoje - v_dias
      ON CONFLICT (alert_type, object_id) DO UPDATE
     SET severity = EXCLUDED.severity
   WHERE a.severity > EXCLUDED.severity;
END;
$$;

CREATE OR REPLACE PROCEDURE mart.build_reorder()
LANGUAGE plpgsql
AS $procedure$
DECLARE
    rec        RECORD;
    c_supplier CURSOR FOR
        SELECT p.product_id, s.lead_days
        FROM shop.product p
        JOIN dw.dim_supplier s ON s.supplier_id = p.supplier_id
        WHERE s.lead_days IS NOT NULL AND NOT s.is_deleted;
    l_product  INTEGER;
    l_lead     INTEGER;
    l_day      DATE;
    l_keep     INTEGER;
BEGIN
    SELECT value::DATE INTO l_day FROM etl.setting WHERE name = 'business_date';
    SELECT value::INTEGER INTO l_keep FROM etl.setting WHERE name = 'reorder_days';

    TRUNCATE mart.reorder;

    FOR rec IN
        SELECT v.product_id, v.stock, v.last_receipt, COALESCE(f.sold, 0) AS sold
        FROM shop.v_stock v
        LEFT JOIN (
            SELECT product_id, SUM(quantity) AS sold
            FROM dw.v_sales
            WHERE full_date > l_day - 30
            GROUP BY product_id
        ) f ON f.product_id = v.product_id
    LOOP
        IF rec.sold > 0 OR rec.stock <> 0 THEN
            INSERT INTO mart.reorder (product_id, stock, sold_30d, last_receipt)
            VALUES (rec.product_id, rec.stock, rec.sold, rec.last_receipt);
        END IF;
    END LOOP;

    -- lead times, where the supplier has told us
    OPEN c_supplier;
    LOOP
        FETCH c_supplier INTO l_product, l_lead;
        EXIT WHEN NOT FOUND;
        UPDATE mart.reorder SET lead_days = l_lead WHERE product_id = l_product;
    END LOOP;
    CLOSE c_supplier;

    UPDATE mart.reorder
    SET order_qty = CEIL(sold_30d / 30.0 * (lead_days + l_keep)) - stock
    WHERE stock < sold_30d / 30.0 * (lead_days + l_keep);
END;
$procedure$;

-- Bought together: pairs of products in one order, at least 3 times.
CREATE OR REPLACE PROCEDURE mart.build_product_pairs()
LANGUAGE sql
AS $$
    DROP TABLE IF EXISTS mart.product_pair;

    SELECT a.product_id AS product_a,
           b.product_id AS product_b,
           count(*)     AS orders,
           sum(a.line_amount + b.line_amount) AS amount
      INTO mart.product_pair
      FROM stg.order_line a
      JOIN stg.order_line b
        ON b.order_id = a.order_id
       AND b.product_id > a.product_id
     GROUP BY a.product_id, b.product_id
    HAVING count(*) >= 3;
$$;

create or replace procedure mart.build_exec_summary()
language plpgsql
as $$
declare
  v_day       date := etl.business_date();
  v_revenue   numeric;
  v_customers integer;
  v_average   numeric;
  v_country   char(2);
  v_mrr       numeric;
  v_remark    text;
begin
  select sum(revenue_eur) into v_revenue
    from mart.daily_revenue
   where full_date > v_day - 30;

  select count(*), avg(revenue_eur)
    into v_customers, v_average
    from mart.customer_360
   where last_order_on > v_day - 30;

  select country into v_country
    from mart.daily_revenue
   where full_date > v_day - 30
   group by country
   order by sum(revenue_eur) desc nulls last, country
   limit 1;

  select sum(mrr) into v_mrr
    from dw.fact_subscription_month
   where month = date_trunc('month', v_day);

  if v_customers = 0 then
    v_remark := 'no sales: is the load complete?';
  elsif v_mrr is null then
    v_remark := 'no subscriptions for this month yet';
  else
    v_remark := null;
  end if;

  insert into mart.exec_summary (summary_date, revenue_eur, customers, avg_value, best_country, mrr, remark)
  values (v_day, v_revenue, v_customers, v_average, v_country, v_mrr, v_remark)
  on conflict (summary_date) do update
     set revenue_eur  = excluded.revenue_eur,
         customers    = excluded.customers,
         avg_value    = excluded.avg_value,
         best_country = excluded.best_country,
         mrr          = excluded.mrr,
         remark       = excluded.remark;
end;
$$;

-- ---------------------------------------------------------------------------
-- functions that reports call
-- ---------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION mart.top_products(p_year integer DEFAULT 2025, p_limit integer DEFAULT 20)
RETURNS TABLE (place bigint, sku varchar, product_name text, revenue_eur numeric)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN QUERY
    SELECT row_number() OVER (ORDER BY sum(s.net_amount_eur) DESC NULLS LAST, s.sku),
           s.sku,
           max(p.name),
           sum(s.net_amount_eur)
      FROM dw.v_sales s
      JOIN dw.dim_product p ON p.product_id = s.product_id AND p.is_current
     WHERE s.year = p_year
     GROUP BY s.sku
     ORDER BY 1
     LIMIT p_limit;
END;
$$;

create or replace function mart.active_subscribers(p_day date default '2025-06-30')
returns table (plan_code varchar, subscribers bigint, seats bigint, mrr numeric)
language sql stable
as $$
  select s.plan_code, count(distinct s.customer_id), sum(s.seats), sum(p.monthly_fee * s.seats)
    from billing.subscription s
    join dw.dim_plan p on p.plan_code = s.plan_code
   where s.started_on <= p_day
     and (s.cancelled_on is null or s.cancelled_on > p_day)
   group by s.plan_code
$$;

-- ---------------------------------------------------------------------------
-- checks, and the night as a whole
-- ---------------------------------------------------------------------------

CREATE OR REPLACE PROCEDURE etl.check_warehouse()
LANGUAGE plpgsql
AS $procedure$
DECLARE
    l_count BIGINT;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM dw.fact_sales) THEN
        RAISE EXCEPTION 'dw.fact_sales is empty';
    END IF;

    SELECT COUNT(*) INTO l_count
    FROM (SELECT customer_id FROM dw.dim_customer WHERE is_current GROUP BY customer_id HAVING COUNT(*) > 1) d;
    IF l_count > 0 THEN
        RAISE EXCEPTION '% customers with more than one current version', l_count;
    END IF;

    SELECT COUNT(*) INTO l_count
    FROM dw.fact_sales f
    LEFT JOIN dw.dim_channel c ON c.channel_key = f.channel_key
    WHERE c.channel_key IS NULL;
    IF l_count <> 0 THEN
        RAISE EXCEPTION 'orphans: % rows of dw.fact_sales without a channel', l_count;
    END IF;

    PERFORM 1 FROM mart.exec_summary WHERE summary_date = etl.business_date();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no summary for %', etl.business_date()
            USING ERRCODE = 'data_exception';
    END IF;
END;
$procedure$;

CREATE OR REPLACE PROCEDURE etl.run_nightly()
LANGUAGE plpgsql
AS $procedure$
BEGIN
    -- staging
    CALL stg.load_customers();
    CALL stg.load_consents();
    CALL stg.load_orders();
    CALL stg.load_order_lines();
    CALL stg.load_payments();
    CALL stg.load_events();
    CALL stg.load_fx_rates();
    -- dimensions
    CALL dw.load_dim_date();
    CALL dw.load_dim_channel();
    CALL dw.load_dim_plan();
    CALL dw.load_dim_supplier();
    CALL dw.load_dim_category();
    CALL dw.load_dim_product();
    CALL dw.load_dim_customer();
    -- facts
    CALL dw.load_fact_sales();
    CALL dw.apply_returns();
    CALL dw.load_fact_payment();
    CALL dw.snapshot_subscriptions();
    -- marts
    CALL mart.build_daily_revenue();
    CALL mart.build_category_rollup();
    CALL mart.build_cohorts();
    CALL mart.build_customer_360();
    CALL mart.score_customers();
    CALL mart.build_kpis();
    CALL mart.alert_low_stock();
    CALL mart.alert_churn();
    CALL mart.build_reorder();
    CALL mart.build_product_pairs();
    CALL mart.build_exec_summary();
    -- and
    CALL etl.check_warehouse();
END;
$procedure$;

-- ---------------------------------------------------------------------------
-- by hand, not part of the night
-- ---------------------------------------------------------------------------

-- Orders that the auditors look at. Random on purpose: nobody should be able to foresee them.
create or replace procedure etl.sample_orders_for_audit(p_size integer default 50)
language plpgsql
as $$
begin
  insert into mart.order_audit (order_id, reason, sampled_on)
  select o.order_id,
         case when o.shipping_cost = 0 then 'free shipping' else 'random' end,
         current_date
    from stg.orders o
   where o.status = 'delivered'
     and not exists (select 1 from mart.order_audit a where a.order_id = o.order_id)
   order by random()
   limit p_size;
end;
$$;

-- Notas dos fornecedores (parou de funcionar quando compras começou a escrever 'n/a')
CREATE OR REPLACE PROCEDURE mart.build_supplier_scorecard()
LANGUAGE plpgsql
AS $$
BEGIN
  TRUNCATE mart.supplier_scorecard;

  INSERT INTO mart.supplier_scorecard (supplier_id, name, rating, sold_eur)
  SELECT s.supplier_id,
         s.name,
         s.rating::numeric,
         (SELECT sum(f.net_amount_eur)
            FROM dw.fact_sales f
            JOIN dw.dim_product p ON p.product_key = f.product_key
           WHERE p.supplier_id = s.supplier_id)
    FROM shop.supplier s;

  UPDATE mart.supplier_scorecard
     SET grade = CASE WHEN rating >= 4 THEN 'A' WHEN rating >= 3 THEN 'B' ELSE 'C' END
   WHERE rating IS NOT NULL;
END;
$$;
