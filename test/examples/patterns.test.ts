/** The sample warehouse holds every pattern that the translator promises, each in a named procedure. */
import { beforeAll, expect, it } from 'vitest';
import { exampleFile } from './warehouse.ts';

/** Body by name, without comments. */
const bodies = new Map<string, string>();
beforeAll(async () => {
  const text = (await exampleFile('procedures.sql')).replaceAll(/--.*$/gmu, '');
  const routines = text.matchAll(
    /CREATE (?:OR REPLACE )?(?:PROCEDURE|FUNCTION) ([\w.]+)[\s\S]*?AS \$(\w*)\$([\s\S]*?)\$\2\$/giu,
  );
  for (const [whole, name, ,] of routines) bodies.set(name ?? '', whole);
});

it.each<readonly [pattern: string, procedure: string, found: RegExp]>([
  ['TRUNCATE + INSERT … SELECT', 'stg.load_customers', /TRUNCATE[\s\S]*INSERT INTO[\s\S]*SELECT/iu],
  ['DELETE all + INSERT', 'dw.apply_returns', /DELETE FROM [\w.]+;[\s\S]*INSERT INTO/iu],
  [
    'DELETE by condition + INSERT',
    'stg.load_payments',
    /DELETE FROM [\w.]+\s+WHERE[\s\S]*INSERT/iu,
  ],
  ['DELETE USING', 'stg.load_orders', /DELETE FROM[\s\S]*?USING/iu],
  [
    'a later INSERT reads the earlier',
    'mart.build_cohorts',
    /INSERT INTO (mart\.\w+)[\s\S]*INSERT INTO \1[\s\S]*FROM \1/iu,
  ],
  ['append with NOT EXISTS', 'stg.load_orders', /INSERT INTO[\s\S]*NOT EXISTS/iu],
  ['watermark', 'stg.load_orders', /SELECT[^;]*max\([^;]*INTO/iu],
  ['INSERT … VALUES', 'dw.load_dim_channel', /INSERT INTO[^;]*VALUES/iu],
  ['ON CONFLICT DO NOTHING', 'dw.load_dim_date', /ON CONFLICT[^;]*DO NOTHING/iu],
  ['ON CONFLICT DO UPDATE … WHERE', 'dw.load_dim_plan', /DO UPDATE[^;]*WHERE/iu],
  ['MERGE with conditions', 'dw.load_dim_channel', /MERGE INTO[\s\S]*WHEN MATCHED AND/iu],
  ['MERGE … DELETE', 'dw.load_dim_channel', /MERGE INTO[\s\S]*THEN\s+DELETE/iu],
  ['MERGE … NOT MATCHED BY SOURCE', 'dw.load_dim_channel', /NOT MATCHED BY SOURCE/iu],
  ['UPDATE … FROM', 'mart.build_category_rollup', /UPDATE[^;]*FROM/iu],
  ['a chain of UPDATEs', 'mart.build_customer_360', /(?:UPDATE[\s\S]*){5}/iu],
  ['data-modifying CTE with RETURNING', 'dw.load_fact_payment', /WITH[\s\S]*RETURNING/iu],
  [
    'CREATE TABLE AS, DROP + CREATE',
    'mart.build_daily_revenue',
    /DROP TABLE[\s\S]*CREATE TABLE[^;]*AS/iu,
  ],
  ['SELECT INTO a table', 'mart.build_product_pairs', /SELECT[\s\S]*INTO\s+(?:TABLE\s+)?mart\./iu],
  ['temporary table', 'dw.load_dim_product', /CREATE TEMP/iu],
  ['SCD type 1', 'dw.load_dim_supplier', /UPDATE dim_supplier[\s\S]*INSERT INTO dim_supplier/iu],
  [
    'SCD type 2 by update and insert',
    'dw.load_dim_customer',
    /UPDATE dw\.dim_customer[\s\S]*INSERT INTO dw\.dim_customer/iu,
  ],
  ['SCD type 2 by MERGE', 'dw.load_dim_product', /MERGE INTO dw\.dim_product/iu],
  ['several INTO targets', 'dw.load_fact_payment', /INTO\s+(?:STRICT\s+)?\w+\s*,\s*\w+/iu],
  ['parameter with DEFAULT', 'dw.load_fact_sales', /p_days \w+ DEFAULT/iu],
  ['IF / ELSIF on a parameter', 'dw.load_fact_sales', /IF p_days[\s\S]*ELSIF/iu],
  ['CASE on a parameter', 'mart.score_customers', /CASE p_model|CASE\s+WHEN p_model/iu],
  ['IF on data', 'stg.load_payments', /IF l_last IS NULL/iu],
  ['FOR over a query', 'mart.build_reorder', /FOR \w+ IN\s+SELECT/iu],
  ['cursor', 'mart.build_reorder', /CURSOR[\s\S]*FETCH/iu],
  ['pages by LIMIT / OFFSET', 'stg.load_consents', /LIMIT[\s\S]*OFFSET[\s\S]*END LOOP/iu],
  ['ranges of keys', 'stg.load_order_lines', /WHILE|LOOP/iu],
  ['ranges of dates', 'dw.snapshot_subscriptions', /WHILE[\s\S]*interval/iu],
  ['FOR i IN constants', 'mart.build_kpis', /FOR \w+ IN 1\.\.3/iu],
  ['CALL of others', 'etl.run_nightly', /(?:CALL[\s\S]*){20}/iu],
  ['PERFORM', 'stg.load_orders', /PERFORM etl\.log_error/iu],
  ['EXECUTE of constant text', 'mart.build_daily_revenue', /EXECUTE '/iu],
  ['EXECUTE format()', 'mart.build_kpis', /EXECUTE format\(/iu],
  ['handler that logs and raises again', 'stg.load_customers', /EXCEPTION[\s\S]*RAISE;/iu],
  ['RAISE EXCEPTION', 'dw.load_fact_sales', /RAISE EXCEPTION/iu],
  ['GET DIAGNOSTICS', 'stg.load_orders', /GET DIAGNOSTICS/iu],
  ['audit log', 'stg.load_orders', /etl\.log_|INSERT INTO etl\./iu],
  ['COMMIT inside', 'stg.load_order_lines', /COMMIT;/iu],
  ['RETURN QUERY', 'mart.top_products', /RETURN QUERY/iu],
  ['SQL function that returns rows', 'mart.active_subscribers', /LANGUAGE sql|RETURNS TABLE/iu],
  ['keys of a dimension looked up', 'dw.load_fact_sales', /JOIN dw\.dim_/iu],
  ['sequence key', 'dw.load_dim_channel', /nextval|MERGE INTO/iu],
  ['recursive CTE', 'dw.load_dim_category', /WITH RECURSIVE/iu],
  ['LATERAL', 'stg.load_customers', /LATERAL/iu],
  ['GROUPING SETS', 'mart.build_category_rollup', /GROUPING SETS/iu],
  ['window', 'mart.build_customer_360', /OVER \(/iu],
  ['DISTINCT ON', 'stg.load_consents', /DISTINCT ON/iu],
  ['array', 'dw.load_dim_category', /ORDINALITY|ARRAY/iu],
  ['JSON', 'stg.load_events', /->>/u],
  ['only checks', 'etl.check_warehouse', /RAISE EXCEPTION/iu],
  ['refused with good reason', 'etl.sample_orders_for_audit', /random\(\)/iu],
  ['broken by itself', 'mart.build_supplier_scorecard', /::\s*numeric|::\s*int|CAST/iu],
  ['two writers of one table', 'mart.alert_churn', /INSERT INTO mart\.alert/iu],
  ['the other writer', 'mart.alert_low_stock', /INSERT INTO mart\.alert/iu],
])('%s: %s', (_, procedure, found) => {
  expect(bodies.get(procedure)).toMatch(found);
});
