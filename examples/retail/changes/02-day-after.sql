-- Wednesday, 2025-07-02: what was changed yesterday changes again; people come back.

UPDATE etl.setting SET value = '2025-07-02' WHERE name = 'business_date';
UPDATE etl.setting SET value = '2000' WHERE name = 'vip_revenue';

-- shop
UPDATE shop.product SET price = price - 0.50, updated_at = '2025-07-02 06:00' WHERE product_id % 50 = 7;
UPDATE shop.product SET is_active = true, updated_at = '2025-07-02 06:00' WHERE product_id = 11;
UPDATE shop.product SET attributes = attributes || '{"roast": "dark"}', updated_at = '2025-07-02 06:10' WHERE product_id IN (3, 60, 61);
UPDATE shop.category SET parent_id = 10 WHERE category_id = 102;
INSERT INTO shop.category (category_id, parent_id, name, slug) VALUES (40, NULL, 'Workshops', 'workshops');

UPDATE shop.supplier SET name = upper(name), updated_at = '2025-07-02 08:00' WHERE supplier_id IN (2, 9);
INSERT INTO shop.supplier (supplier_id, name, country, rating, lead_days, updated_at) VALUES
    (30, 'Müller & Söhne 30', 'DE', '4.4', 6, '2025-07-02 08:30');

INSERT INTO shop.channel (code, name, kind) VALUES ('porto', 'Loja do Porto', 'store');
UPDATE shop.channel SET kind = 'test' WHERE code = 'beta';
DELETE FROM shop.channel WHERE code = 'amazon';

UPDATE shop.customer SET city = 'Hamburg', updated_at = '2025-07-02 09:00' WHERE customer_id % 194 = 5;
UPDATE shop.customer SET email = NULL, updated_at = '2025-07-02 09:05' WHERE customer_id IN (18, 600);
INSERT INTO shop.customer (customer_id, email, first_name, last_name, country, newsletter, created_at, updated_at) VALUES
    (4100, 'KUNDE7@example.com', 'Ze', 'Conceição', 'PT', true, '2025-07-02 10:00', '2025-07-02 10:00');

INSERT INTO shop.orders (order_id, customer_id, ordered_at, status, channel_code, currency, voucher_code, shipping_cost, updated_at)
SELECT 143000 + i, CASE WHEN i % 11 = 0 THEN NULL WHEN i = 5 THEN 4100 ELSE 1 + i * 29 % 1500 END,
       timestamp '2025-07-02 00:05' + i * interval '11 minutes', 'paid', CASE WHEN i % 6 = 0 THEN 'porto' ELSE 'app' END,
       CASE WHEN i % 10 = 0 THEN 'GBP' ELSE 'EUR' END, CASE WHEN i % 5 = 0 THEN 'sommer☀️' END, 0, '2025-07-02 23:00'
FROM generate_series(1, 100) i;
INSERT INTO shop.order_item (order_id, line_no, product_id, quantity, unit_price, discount)
SELECT 143000 + i, l, 1 + (i * 19 + l * 7) % 402, 1 + i % 4, 6.66 + i, CASE WHEN i % 3 = 0 THEN 0.0667 END
FROM generate_series(1, 100) i, generate_series(1, 1 + i % 2) l;
UPDATE shop.orders SET status = 'delivered', updated_at = '2025-07-02 12:00' WHERE order_id BETWEEN 142001 AND 142060;
UPDATE shop.orders SET channel_code = NULL, updated_at = '2025-07-02 12:00' WHERE order_id % 1111 = 3;
DELETE FROM shop.orders WHERE order_id = 142010;
DELETE FROM shop.order_return WHERE return_id = 1502;
INSERT INTO shop.order_return (return_id, order_id, line_no, returned_on, quantity, reason) VALUES
    (1505, 142001, 1, '2025-07-02', 1, '  BROKEN '),
    (1506, 141003, 2, '2025-07-02', 1, 'taste');

-- crm
INSERT INTO crm.contact_event (event_id, account_id, occurred_at, kind, payload)
SELECT 20200 + i, 'A900001', timestamp '2025-07-02 08:00' + i * interval '1 minute', 'mail_click', '{"campaign": "spring", "tags": ["coffee"]}'
FROM generate_series(1, 20) i;
DELETE FROM crm.account WHERE account_id LIKE '%333';
INSERT INTO crm.consent (account_id, purpose, granted, changed_at) VALUES
    ('A900001', 'email', true, '2025-07-02 13:00'),
    ('A900002', 'email', NULL, '2025-07-02 13:05'),
    ('A900001', 'sms', false, '2025-07-02 13:10');

-- billing
UPDATE billing.plan SET retired_on = NULL WHERE plan_code = 'M12';
UPDATE billing.subscription SET cancelled_on = NULL, updated_at = '2025-07-02 14:00' WHERE cancelled_on = '2025-07-01' AND subscription_id % 2 = 0;
-- told us late
UPDATE billing.subscription SET cancelled_on = '2025-05-20', updated_at = '2025-07-02 14:30'
 WHERE subscription_id % 75 = 6 AND cancelled_on IS NULL AND started_on < '2025-05-20';
INSERT INTO billing.payment (payment_id, order_id, paid_at, amount, currency, method, provider_ref, received_at)
SELECT 43000 + i, 143000 + i, timestamp '2025-07-02 09:00' + i * interval '3 minutes', 20 + i, 'EUR', 'sepa',
       CASE WHEN i % 7 = 0 THEN 'PR-N-' || i ELSE 'PR-X-' || i END, '2025-07-02 20:00'
FROM generate_series(1, 40) i;
INSERT INTO billing.fx_rate (currency, rate_date, eur_rate) VALUES
    ('USD', '2025-07-02', 0.921), ('GBP', '2025-07-02', 1.1702);
