-- Rows of the sample warehouse: the same on every machine. Whatever looks random is md5 of a name
-- and a number. Source systems hold 2024-01-01 to 2025-06-30; the warehouse is still empty.

-- A number from 0 to n - 1, always the same for the same what and i.
CREATE FUNCTION pg_temp.pick(what text, i bigint, n integer) RETURNS integer
LANGUAGE sql IMMUTABLE AS
$$ SELECT (('x' || substr(md5(what || i::text), 1, 7))::bit(28)::integer) % n $$;

INSERT INTO etl.setting (name, value, note) VALUES
    ('business_date', '2025-06-30', 'the day that the nightly run closes'),
    ('vip_revenue', '1500', 'euros, from which a customer is VIP'),
    ('churn_days', '120', NULL),
    ('payment_keep_months', '12', 'older payments move to the archive'),
    ('reorder_days', '30', 'days of sales to keep in stock');

INSERT INTO shop.channel (code, name, kind, fee_rate) VALUES
    ('web', 'Web shop', 'online', 0.0150),
    ('app', 'App ☕', 'online', 0.0150),
    ('hamburg', 'Laden Hamburg', 'store', 0.0000),
    ('porto', 'Loja do Porto', 'store', 0.0000),
    ('amazon', 'Marketplace', 'partner', 0.1200),
    ('qa', 'Test orders', 'test', 0.0000);

INSERT INTO shop.category (category_id, parent_id, name, slug, sort_order) VALUES
    (1, NULL, 'Coffee', 'coffee', 1),
    (2, NULL, 'Machines', 'machines', 2),
    (3, NULL, 'Accessories', 'accessories', 3),
    (10, 1, 'Filter', 'coffee-filter', 1),
    (11, 1, 'Espresso', 'coffee-espresso', 2),
    (12, 1, 'Decaf', 'coffee-decaf', 3),
    (20, 2, 'Portafilter', 'machines-portafilter', 1),
    (21, 2, 'Grinders', 'machines-grinders', 2),
    (30, 3, 'Cups', 'cups', 1),
    (31, 3, 'Pflege & Reinigung', 'care', 2),
    (101, 10, 'Single origin', 'filter-single-origin', 1),
    (102, 10, 'Blends', 'filter-blends', 2),
    (111, 11, 'Italian style', 'espresso-italian', 1),
    (112, 11, '日本の焙煎', 'espresso-japan', 2),
    (211, 21, 'Hand grinders', 'grinders-hand', 1),
    (301, 30, 'Gift sets 🎁', 'cups-gift', 1);

INSERT INTO shop.supplier (supplier_id, name, country, rating, lead_days, updated_at)
SELECT i,
       (ARRAY['Fazenda Boa Vista', 'Rösterei Nord', 'Torrefação do Rio', 'Kaffa Union', 'Ōsaka Tools', 'Müller & Söhne'])[1 + i % 6]
           || CASE WHEN i > 6 THEN ' ' || i ELSE '' END,
       (ARRAY['BR', 'DE', 'PT', 'ET', 'JP', 'DE'])[1 + i % 6],
       CASE WHEN i % 9 = 4 THEN 'n/a' WHEN i % 7 = 3 THEN NULL ELSE (2 + pick / 10.0)::numeric(3, 1)::text END,
       CASE WHEN i % 8 = 5 THEN NULL ELSE 3 + pick END,
       timestamp '2024-01-01' + i * interval '11 days'
FROM (SELECT i, pg_temp.pick('supplier', i, 30) AS pick FROM generate_series(1, 30) i) s;

INSERT INTO shop.product (product_id, sku, name, category_id, supplier_id, price, cost, tags, attributes, is_active, updated_at)
SELECT i,
       'TC-' || lpad(i::text, 5, '0'),
       (ARRAY['Santos', 'Sidamo', 'Huila', 'Tarrazú', 'Açaí Roast', 'Nebelküste', '京都', 'Casa São João', 'Mokka', 'Harbour'])[1 + a % 10]
           || ' ' || (ARRAY['250 g', '500 g', '1 kg', 'Set', 'No. ' || i])[1 + b % 5],
       (ARRAY[101, 102, 111, 112, 12, 20, 21, 211, 30, 301, 31, 10])[1 + c % 12],
       CASE WHEN i % 17 = 0 THEN NULL ELSE 1 + a % 30 END,
       price,
       CASE WHEN i % 23 = 0 THEN NULL ELSE round(price * (45 + b % 35) / 100, 2) END,
       CASE i % 4 WHEN 0 THEN '{}' WHEN 1 THEN '{bio}' WHEN 2 THEN '{bio,fairtrade}' ELSE '{new,"limited edition"}' END::text[],
       CASE WHEN i % 5 = 0 THEN '{}'
            WHEN i % 5 = 1 THEN jsonb_build_object('roast', NULL)
            ELSE jsonb_build_object('roast', (ARRAY['light', 'medium', 'dark'])[1 + c % 3], 'weight', 250 * (1 + b % 4)) END,
       i % 29 <> 0,
       timestamp '2024-01-01' + (a % 540) * interval '1 day' + b * interval '1 minute'
FROM (SELECT i,
             pg_temp.pick('pa', i, 5400) AS a,
             pg_temp.pick('pb', i, 700) AS b,
             pg_temp.pick('pc', i, 1200) AS c,
             4 + round(pg_temp.pick('price', i, 9000) / 100.0, 2) AS price
      FROM generate_series(1, 400) i) p;
SELECT setval('shop.product_product_id_seq', 400);

INSERT INTO shop.customer (customer_id, email, first_name, last_name, country, city, birth_date, newsletter, created_at, updated_at)
SELECT i,
       -- every 12th login repeats an older one's address, written otherwise; some have none
       CASE WHEN i % 33 = 0 THEN NULL
            WHEN i % 47 = 0 THEN '  '
            WHEN i % 12 = 0 AND i > 1000 THEN ' ' || upper('kunde' || (i - 900) || '@example.com') || ' '
            ELSE 'kunde' || i || '@example.com' END,
       CASE WHEN i % 41 = 0 THEN NULL
            ELSE (ARRAY['Anna', 'João', 'Jürgen', 'Emily', '花子', 'Zoë', 'Luís', 'Björn', 'Mary-Ann', 'Thảo'])[1 + a % 10] END,
       (ARRAY['Müller', 'da Silva', 'O''Brien', 'Smith', '𠮷田', 'Groß', 'Conceição', 'van der Meer', 'Tanaka', 'Łukasz'])[1 + b % 10],
       (ARRAY['DE', 'DE', 'DE', 'PT', 'PT', 'BR', 'US', 'GB', 'JP', 'AT'])[1 + c % 10],
       CASE WHEN i % 19 = 0 THEN NULL
            ELSE (ARRAY['Hamburg', 'München', 'Köln', 'Porto', 'Évora', 'São Paulo', 'Boston', 'London', '東京', 'Wien'])[1 + c % 10] END,
       CASE WHEN i % 5 = 0 THEN NULL ELSE date '1950-01-01' + a * 20 END,
       b % 3 = 0,
       created_at,
       created_at + (c % 200) * interval '1 day'
FROM (SELECT i,
             pg_temp.pick('ca', i, 1000) AS a,
             pg_temp.pick('cb', i, 1000) AS b,
             pg_temp.pick('cc', i, 1000) AS c,
             timestamp '2023-06-01' + i * interval '3 hours' AS created_at
      FROM generate_series(1, 4000) i) c;

INSERT INTO shop.orders (order_id, customer_id, ordered_at, status, channel_code, currency, voucher_code, shipping_cost, note, updated_at)
SELECT 100000 + i,
       CASE WHEN a % 14 = 0 THEN NULL ELSE customer_id END,
       ordered_at,
       (CASE WHEN b % 25 = 0 THEN 'cancelled'
             WHEN i > 41500 THEN (ARRAY['new', 'paid', 'shipped'])[1 + b % 3]
             ELSE 'delivered' END)::shop.order_status,
       CASE WHEN a % 60 = 1 THEN NULL WHEN a % 97 = 2 THEN 'qa' WHEN a % 113 = 3 THEN 'fax'
            ELSE (ARRAY['web', 'web', 'web', 'app', 'app', 'hamburg', 'porto', 'amazon'])[1 + b % 8] END,
       CASE WHEN customer_id % 10 = 6 THEN 'USD' WHEN customer_id % 10 = 7 THEN 'GBP' WHEN customer_id % 10 = 5 THEN 'BRL' ELSE 'EUR' END,
       CASE WHEN b % 11 = 0 THEN 'WELCOME10' WHEN b % 13 = 0 THEN 'treue ☕' END,
       CASE WHEN a % 3 = 0 THEN 0 ELSE 4.90 END,
       CASE WHEN a % 40 = 0 THEN 'Bitte als 🎁 verpacken' WHEN a % 55 = 0 THEN '' WHEN b % 70 = 0 THEN 'é um presente' END,
       -- tills upload late
       least(ordered_at + CASE WHEN a % 50 = 7 THEN interval '9 days' ELSE (b % 48) * interval '1 hour' END,
             timestamp '2025-06-30 18:00')
FROM (SELECT i,
             pg_temp.pick('oa', i, 10000) AS a,
             pg_temp.pick('ob', i, 10000) AS b,
             -- few customers order often
             1 + (pg_temp.pick('oc', i, 2000)::bigint * pg_temp.pick('od', i, 2000) / 1000)::integer AS customer_id,
             timestamp '2024-01-01' + i * interval '18 minutes 43 seconds' AS ordered_at
      FROM generate_series(1, 42000) i) o;

INSERT INTO shop.order_item (order_id, line_no, product_id, quantity, unit_price, discount)
SELECT 100000 + i,
       line_no,
       product_id,
       1 + q % 4,
       p.price,
       CASE q % 9 WHEN 0 THEN 0.1 WHEN 1 THEN 0.0333 WHEN 2 THEN 0 END
FROM (SELECT i, line_no,
             1 + pg_temp.pick('item', i * 10 + line_no, 400) AS product_id,
             pg_temp.pick('quantity', i * 10 + line_no, 500) AS q
      FROM generate_series(1, 42000) i,
           generate_series(1, 1 + pg_temp.pick('lines', i, 4)) line_no) x
JOIN shop.product p USING (product_id);

INSERT INTO shop.order_return (return_id, order_id, line_no, returned_on, quantity, reason)
SELECT i,
       100000 + order_no,
       CASE WHEN i % 200 = 0 THEN 99 ELSE 1 END,
       (timestamp '2024-01-01' + order_no * interval '18 minutes 43 seconds')::date + 5 + i % 20,
       1,
       CASE i % 6 WHEN 0 THEN NULL WHEN 1 THEN 'broken' WHEN 2 THEN 'zu spät' WHEN 3 THEN 'não gostei' WHEN 4 THEN ' Broken ' ELSE 'taste' END
FROM (SELECT i, 1 + pg_temp.pick('return', i, 39000) AS order_no FROM generate_series(1, 1500) i) r;

INSERT INTO shop.stock_movement (movement_id, product_id, moved_at, quantity, kind)
SELECT i,
       1 + i % 397,                    -- three products never had stock
       timestamp '2024-01-01' + i * interval '65 minutes',
       CASE WHEN i % 10 = 0 THEN 60 + a WHEN i % 53 = 0 THEN -2 ELSE -(1 + a % 12) END,
       CASE WHEN i % 10 = 0 THEN 'receipt' WHEN i % 53 = 0 THEN 'loss' ELSE 'sale' END
FROM (SELECT i, pg_temp.pick('stock', i, 40) AS a FROM generate_series(1, 12000) i) m;

INSERT INTO crm.account (account_id, shop_customer_id, display_name, phone, segment, modified_at)
SELECT 'A' || lpad(i::text, 6, '0'),
       CASE WHEN i % 13 = 0 THEN NULL
            WHEN i % 20 = 0 THEN i / 2          -- a second account of the same customer
            WHEN i > 3400 THEN 9000 + i         -- points nowhere
            ELSE i END,
       'Account ' || i,
       CASE WHEN a % 3 = 0 THEN '+49 (40) ' || 100000 + a WHEN a % 3 = 1 THEN '+351 ' || 900000 + a END,
       (ARRAY['private', 'private', 'gastro', 'office', NULL])[1 + a % 5],
       timestamp '2024-01-01' + (a % 500) * interval '1 day'
FROM (SELECT i, pg_temp.pick('account', i, 1000) AS a FROM generate_series(1, 3500) i) x;

INSERT INTO crm.contact_event (event_id, account_id, occurred_at, kind, payload)
SELECT i,
       'A' || lpad((1 + a % 3500)::text, 6, '0'),
       timestamp '2024-01-01' + i * interval '39 minutes' - CASE WHEN a % 80 = 0 THEN interval '20 days' ELSE interval '0' END,
       (ARRAY['mail_open', 'mail_click', 'cart', 'call', 'visit'])[1 + b % 5],
       CASE WHEN b % 30 = 0 THEN NULL
            WHEN b % 5 = 2 THEN jsonb_build_object(
                'cart', jsonb_build_object('value', round(a / 37.0, 2), 'items', 1 + a % 5),
                'device', (ARRAY['phone', 'desktop', NULL])[1 + a % 3])
            WHEN b % 5 < 2 THEN jsonb_build_object(
                'campaign', (ARRAY['spring', 'Weihnachten', 'volta às aulas', '新年'])[1 + a % 4],
                'tags', (ARRAY['["new"]', '["vip","coffee"]', '[]', '["☕","coffee","coffee"]'])[1 + a % 4]::jsonb)
            ELSE '{}'::jsonb END
FROM (SELECT i, pg_temp.pick('ea', i, 7000) AS a, pg_temp.pick('eb', i, 6000) AS b
      FROM generate_series(1, 20000) i) e;

INSERT INTO crm.consent (account_id, purpose, granted, changed_at)
SELECT 'A' || lpad((1 + i % 3100)::text, 6, '0'),
       (ARRAY['email', 'sms', 'profiling'])[1 + a % 3],
       CASE WHEN a % 10 = 0 THEN NULL ELSE a % 10 < 7 END,
       timestamp '2024-01-01' + i * interval '2 hours'
FROM (SELECT i, pg_temp.pick('consent', i, 900) AS a FROM generate_series(1, 6000) i) c;

INSERT INTO billing.plan (plan_code, name, monthly_fee, interval_months, features, retired_on) VALUES
    ('S', 'Tasse', 9.90, 1, '{"grinder": false}', NULL),
    ('M', 'Kanne', 19.90, 1, '{"grinder": false, "tasting": true}', NULL),
    ('L', 'Büro', 49.00, 1, '{"grinder": true}', NULL),
    ('S12', 'Tasse, Jahr', 8.25, 12, NULL, NULL),
    ('M12', 'Kanne, Jahr', 16.50, 12, '{"grinder": true, "tasting": true}', NULL),
    ('XL', 'Gastro', 99.00, 3, '{}', date '2025-03-31'),
    ('OLD', 'Abo 2019', 7.50, 1, NULL, date '2023-12-31');

INSERT INTO billing.subscription (subscription_id, customer_id, plan_code, started_on, cancelled_on, seats, updated_at)
SELECT i,
       1 + (i * 7) % 4000,
       (ARRAY['S', 'S', 'M', 'M', 'L', 'S12', 'M12', 'XL', 'OLD'])[1 + a % 9],
       started_on,
       CASE WHEN a % 3 = 0 THEN started_on + 30 + a % 300 END,
       CASE WHEN a % 9 IN (4, 7) THEN 1 + a % 12 ELSE 1 END,
       started_on + interval '1 day'
FROM (SELECT i, pg_temp.pick('subscription', i, 1000) AS a,
             date '2023-09-01' + pg_temp.pick('started', i, 640) AS started_on
      FROM generate_series(1, 1500) i) s;

INSERT INTO billing.payment (payment_id, order_id, paid_at, amount, currency, method, provider_ref, received_at)
SELECT i,
       CASE WHEN i % 101 = 0 THEN NULL ELSE 100000 + i END,
       paid_at,
       CASE WHEN a % 120 = 0 THEN -1 ELSE 1 END * round(5 + a / 45.0, 2),
       o.currency,
       CASE WHEN a % 37 = 0 THEN NULL ELSE (ARRAY['card', 'paypal', 'invoice', 'sepa', 'CARD'])[1 + a % 5] END,
       CASE WHEN i % 150 = 0 THEN NULL
            WHEN i % 91 = 0 THEN 'PR-' || i - 1          -- sent twice
            ELSE 'PR-' || i END,
       least(paid_at + CASE WHEN a % 66 = 0 THEN interval '12 days' ELSE interval '6 hours' END,
             timestamp '2025-06-30 20:00')
FROM (SELECT i, pg_temp.pick('payment', i, 9000) AS a,
             timestamp '2024-01-01' + i * interval '18 minutes 43 seconds'
                 + pg_temp.pick('paid', i, 14) * interval '1 day' AS paid_at
      FROM generate_series(1, 41000) i WHERE i % 16 <> 0) p
LEFT JOIN shop.orders o ON o.order_id = 100000 + i;

INSERT INTO billing.fx_rate (currency, rate_date, eur_rate)
SELECT currency, d::date,
       round(base * (1 + (pg_temp.pick(currency, d::date - date '2024-01-01', 1000) - 500) / 10000.0), 6)
FROM (VALUES ('USD', 0.92), ('GBP', 1.17), ('BRL', 0.17)) AS c (currency, base),
     generate_series(timestamp '2023-12-29', timestamp '2025-06-30', interval '1 day') d
WHERE extract(isodow FROM d) < 6;

-- Only what has rows: an analysed empty table makes the planner think that it stays empty.
ANALYZE shop.product, shop.customer, shop.orders, shop.order_item, shop.order_return, shop.stock_movement,
    crm.account, crm.contact_event, crm.consent, billing.subscription, billing.payment, billing.fx_rate;
