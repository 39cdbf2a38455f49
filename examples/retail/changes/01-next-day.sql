-- Tuesday, 2025-07-01: an ordinary day. New orders, corrections, late tills, a customer who wants
-- to be forgotten, a shop that closes.

UPDATE etl.setting SET value = '2025-07-01' WHERE name = 'business_date';

-- shop: master data
UPDATE shop.product SET price = price + 0.50, updated_at = '2025-07-01 06:00' WHERE product_id % 50 = 7;
UPDATE shop.product SET cost = NULL, updated_at = '2025-07-01 06:00' WHERE product_id = 12;
UPDATE shop.product SET is_active = false, updated_at = '2025-07-01 06:05' WHERE product_id IN (11, 211);
UPDATE shop.product SET is_active = true, updated_at = '2025-07-01 06:05' WHERE product_id = 29;
INSERT INTO shop.product (sku, name, category_id, supplier_id, price, cost, tags, attributes, updated_at) VALUES
    ('TC-00401', 'Café do Verão ☀️', 101, 3, 9.90, 4.10, '{bio}', '{"roast": "light", "weight": 250}', '2025-07-01 07:00'),
    ('TC-00402', '𠮷野 Blend', 112, NULL, 14.50, NULL, '{}', '{}', '2025-07-01 07:00');

UPDATE shop.category SET name = 'Cups & Glasses' WHERE category_id = 30;
UPDATE shop.category SET parent_id = 12 WHERE category_id = 102;

UPDATE shop.supplier SET lead_days = 21, rating = '3.9', updated_at = '2025-07-01 08:00' WHERE supplier_id = 5;
UPDATE shop.product SET supplier_id = NULL WHERE supplier_id = 30;
DELETE FROM shop.supplier WHERE supplier_id = 30;
INSERT INTO shop.supplier (supplier_id, name, country, lead_days, updated_at) VALUES
    (31, 'Sítio das Águas', 'BR', NULL, '2025-07-01 08:30');

DELETE FROM shop.channel WHERE code = 'porto';
UPDATE shop.channel SET fee_rate = 0.1300 WHERE code = 'amazon';
INSERT INTO shop.channel (code, name, kind) VALUES ('beta', 'App beta', 'online');

-- shop: customers
UPDATE shop.customer SET city = 'Lübeck', updated_at = '2025-07-01 09:00' WHERE customer_id % 97 = 5;
UPDATE shop.customer SET city = NULL, updated_at = '2025-07-01 09:00' WHERE customer_id = 44;
UPDATE shop.customer SET newsletter = NOT newsletter, updated_at = '2025-07-01 09:10' WHERE customer_id % 211 = 3;
UPDATE shop.customer SET email = 'neu' || customer_id || '@example.org', updated_at = '2025-07-01 09:20' WHERE customer_id IN (33, 47, 1008);
DELETE FROM shop.customer c
 WHERE c.customer_id % 40 = 1
   AND NOT EXISTS (SELECT 1 FROM shop.orders o WHERE o.customer_id = c.customer_id);
INSERT INTO shop.customer (customer_id, email, first_name, last_name, country, city, birth_date, newsletter, created_at, updated_at)
SELECT 4000 + i,
       CASE WHEN i = 3 THEN NULL WHEN i % 5 = 0 THEN 'KUNDE' || i || '@EXAMPLE.COM' ELSE 'kunde' || 4000 + i || '@example.com' END,
       CASE WHEN i % 4 = 0 THEN NULL ELSE '𝒜nna ' || i END, 'Ærø', 'DK', 'København', date '1980-02-29' + i * 100, i % 2 = 0,
       '2025-07-01 10:00', '2025-07-01 10:00'
FROM generate_series(1, 25) i;

-- shop: orders of the day, and late ones from a till that was offline
INSERT INTO shop.orders (order_id, customer_id, ordered_at, status, channel_code, currency, shipping_cost, note, updated_at)
SELECT 142000 + i,
       CASE WHEN i % 9 = 0 THEN NULL WHEN i % 10 = 3 THEN 4000 + i % 25 + 1 ELSE 1 + i * 13 % 900 END,
       CASE WHEN i > 110 THEN timestamp '2025-06-12 10:00' ELSE timestamp '2025-07-01 00:10' END + i * interval '7 minutes',
       (ARRAY['new', 'paid', 'new', 'shipped'])[1 + i % 4]::shop.order_status,
       CASE WHEN i > 110 THEN 'hamburg' WHEN i % 30 = 0 THEN 'beta' ELSE 'web' END,
       CASE WHEN i % 12 = 0 THEN 'USD' WHEN i % 25 = 0 THEN 'CHF' ELSE 'EUR' END,
       4.90,
       CASE WHEN i % 20 = 0 THEN '🎁' END,
       '2025-07-01 23:00'
FROM generate_series(1, 140) i;
INSERT INTO shop.order_item (order_id, line_no, product_id, quantity, unit_price, discount)
SELECT 142000 + i, l, 1 + (i * 17 + l * 31) % 402, 1 + (i + l) % 3, 5 + (i * l) % 40 + 0.95, CASE WHEN i % 7 = 0 THEN 0.15 END
FROM generate_series(1, 140) i, generate_series(1, 1 + i % 3) l;

UPDATE shop.orders SET status = 'delivered', updated_at = '2025-07-01 12:00'
 WHERE status = 'shipped' AND order_id BETWEEN 141500 AND 141900;
UPDATE shop.orders SET status = 'cancelled', updated_at = '2025-07-01 12:30' WHERE order_id % 500 = 77 AND order_id > 139000;
UPDATE shop.order_item SET quantity = quantity + 1 WHERE order_id % 900 = 5 AND line_no = 1;
DELETE FROM shop.order_item WHERE order_id % 1000 = 8 AND line_no = 2;
DELETE FROM shop.orders WHERE order_id IN (100050, 120000, 141990);

INSERT INTO shop.order_return (return_id, order_id, line_no, returned_on, quantity, reason) VALUES
    (1501, 141000, 1, '2025-07-01', 1, 'defekt'),
    (1502, 141000, 1, '2025-07-01', 50, NULL),
    (1503, 141001, 1, '2025-07-01', 1, 'zu spät 😡'),
    (1504, 999999, 1, '2025-07-01', 1, 'broken');
DELETE FROM shop.order_return WHERE return_id % 300 = 11;

INSERT INTO shop.stock_movement (movement_id, product_id, moved_at, quantity, kind)
SELECT 12000 + i, 1 + i * 7 % 402, timestamp '2025-07-01 05:00' + i * interval '1 minute',
       CASE WHEN i % 6 = 0 THEN 30 ELSE -(i % 5) - 1 END, CASE WHEN i % 6 = 0 THEN 'receipt' ELSE 'sale' END
FROM generate_series(1, 120) i;

-- crm
UPDATE crm.account SET segment = 'gastro', modified_at = '2025-07-01 11:00' WHERE account_id LIKE '%25';
UPDATE crm.account SET segment = NULL, modified_at = '2025-07-01 11:01' WHERE account_id LIKE '%777';
INSERT INTO crm.account (account_id, shop_customer_id, display_name, phone, segment, modified_at) VALUES
    ('A900001', 4002, 'Café Ærø', '+45 33 12 34 56', 'gastro', '2025-07-01 11:05'),
    ('A900002', 4002, 'Ærø privat', NULL, 'private', '2025-07-01 11:05');
INSERT INTO crm.contact_event (event_id, account_id, occurred_at, kind, payload)
SELECT 20000 + i, 'A' || lpad((1 + i * 11 % 3500)::text, 6, '0'),
       CASE WHEN i % 15 = 0 THEN timestamp '2025-06-01' ELSE timestamp '2025-07-01' END + i * interval '5 minutes',
       (ARRAY['mail_open', 'cart', 'call'])[1 + i % 3],
       (ARRAY['{"campaign": "verão", "tags": ["vip", "☀️"]}', '{"cart": {"value": 33.333}, "device": "phone"}', NULL, '{"tags": "none"}'])[1 + i % 4]::jsonb
FROM generate_series(1, 150) i;
INSERT INTO crm.consent (account_id, purpose, granted, changed_at)
SELECT 'A' || lpad(i::text, 6, '0'), 'email', i % 3 > 0, timestamp '2025-07-01 13:00' + i * interval '1 second'
FROM generate_series(10, 60) i;

-- billing
UPDATE billing.plan SET monthly_fee = 10.90 WHERE plan_code = 'S';
UPDATE billing.plan SET retired_on = '2025-06-30', features = NULL WHERE plan_code = 'M12';
INSERT INTO billing.plan (plan_code, name, monthly_fee) VALUES ('XS', 'Probe', 4.90);
UPDATE billing.subscription SET cancelled_on = '2025-07-01', updated_at = '2025-07-01 14:00'
 WHERE subscription_id % 75 = 4 AND cancelled_on IS NULL AND started_on <= '2025-07-01';
UPDATE billing.subscription SET seats = seats + 2, updated_at = '2025-07-01 14:00' WHERE subscription_id % 75 = 5;
INSERT INTO billing.subscription (subscription_id, customer_id, plan_code, started_on, updated_at)
SELECT 1500 + i, 4000 + i, 'XS', '2025-06-15', '2025-07-01 14:10' FROM generate_series(1, 12) i;

UPDATE billing.payment SET amount = amount + 1, method = 'chargeback' WHERE payment_id % 700 = 9 AND received_at > '2025-06-25';
DELETE FROM billing.payment WHERE payment_id % 900 = 10 AND received_at > '2025-06-25';
INSERT INTO billing.payment (payment_id, order_id, paid_at, amount, currency, method, provider_ref, received_at)
SELECT 42000 + i,
       CASE WHEN i % 10 = 0 THEN NULL ELSE 142000 + i END,
       CASE WHEN i % 8 = 0 THEN timestamp '2025-06-10 09:00' ELSE timestamp '2025-07-01 09:00' END + i * interval '3 minutes',
       12.345 + i,
       CASE WHEN i % 12 = 0 THEN 'USD' ELSE 'EUR' END,
       CASE WHEN i % 11 = 0 THEN NULL ELSE 'Card' END,
       CASE WHEN i % 13 = 0 THEN 'PR-40' || 900 + i WHEN i % 17 = 0 THEN 'PR-N-' || i - 1 ELSE 'PR-N-' || i END,
       '2025-07-01 20:00'
FROM generate_series(1, 90) i;

INSERT INTO billing.fx_rate (currency, rate_date, eur_rate) VALUES
    ('USD', '2025-07-01', 0.919191), ('GBP', '2025-07-01', 1.171717), ('BRL', '2025-07-01', 0.165432);
UPDATE billing.fx_rate SET eur_rate = eur_rate * 1.01 WHERE rate_date = '2025-06-27';
