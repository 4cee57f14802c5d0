-- What law B9 reads beside test_gate_holds.sql and test_gate_holds_pipeline.sql: at which rates
-- everything was converted, the detail of one day of spend, and two items of revenue.
alter table main.fct_spend__campaign_daily add column constant_amount_minor bigint;
alter table main.fct_spend__campaign_daily add column rate_basis varchar;
update main.fct_spend__campaign_daily set
    rate_basis = 'market',
    constant_amount_minor = case currency when 'EUR' then 2500 else cost_minor end;

alter table main.fct_opportunity add column rate_date date;
alter table main.fct_opportunity add column constant_amount_minor bigint;
alter table main.fct_opportunity add column opened_date date;
alter table main.fct_opportunity add column opened_currency varchar;
alter table main.fct_opportunity add column opened_amount_minor bigint;
alter table main.fct_opportunity add column opened_reporting_amount_minor bigint;
update main.fct_opportunity set
    rate_date = '2026-03-30', opened_date = '2026-03-30', opened_currency = 'USD',
    constant_amount_minor = 120000, opened_amount_minor = 120000,
    opened_reporting_amount_minor = 120000
where opportunity_id = 'O1';
update main.fct_opportunity set
    rate_date = '2026-03-31', opened_date = '2026-03-30', opened_currency = 'EUR',
    constant_amount_minor = 56250, opened_amount_minor = 36000,
    opened_reporting_amount_minor = 40000
where opportunity_id = 'O2';
update main.fct_opportunity set rate_date = '2026-03-31', opened_date = '2026-03-31'
where opportunity_id = 'O3';

create table main.dim_fx_rate (
    plan_version bigint, basis varchar, currency varchar, exponent bigint, rate decimal(18, 9),
    valid_from_date date, valid_to_date date
);
insert into main.dim_fx_rate values
(null, 'market', 'USD', 2, 1, '0001-01-01', '9999-12-31'),
(null, 'market', 'EUR', 2, 1.5, '2026-03-05', '2026-03-13'),
(null, 'market', 'EUR', 2, 1.111111111, '2026-03-31', '2026-04-08'),
(1, 'plan', 'EUR', 2, 1.111111111, '2026-01-01', '9999-12-31'),
(1, 'plan', 'USD', 2, 1, '2026-01-01', '9999-12-31'),
(null, 'constant', 'EUR', 2, 1.25, '0001-01-01', '9999-12-31'),
(null, 'constant', 'USD', 2, 1, '0001-01-01', '9999-12-31');

alter table main.fct_revenue__item add column currency varchar;
alter table main.fct_revenue__item add column amount_minor bigint;
alter table main.fct_revenue__item add column reporting_amount_minor bigint;
alter table main.fct_revenue__item add column constant_amount_minor bigint;
alter table main.fct_revenue__item add column revenue_date date;
insert into main.fct_revenue__item values
('shop', 'R1', 'EUR', 1001, 1502, 1251, '2026-03-12'),
('shop', 'R2', 'USD', -500, -500, -500, '2026-03-20');
insert into audit.row values ('shop', 'revenue', 2, 2, 0, 0, 0, 0);

create table main.fct_spend__ad_daily (
    feed varchar, source varchar, account varchar, campaign_key varchar, spend_date date,
    currency varchar, kind varchar, ad_group varchar, ad varchar, is_residual boolean,
    cost_minor bigint, amount_minor bigint
);
insert into main.fct_spend__ad_daily values
('ads', 'Google Ads', '1', 'Google Ads / A', '2026-03-05', 'EUR', 'media', 'g', 'x', false, 1501, 2252),
('ads', 'Google Ads', '1', 'Google Ads / A', '2026-03-05', 'EUR', '(residual)', '(residual)', '(residual)', true, 499, 748);

create table main.rpt_currency_effect__period (
    metric varchar, currency varchar, records bigint, native_minor bigint, reporting_minor bigint,
    constant_minor bigint, effect_minor bigint, period_start_date date, period_end_date date
);
insert into main.rpt_currency_effect__period values
('spend', 'USD', 4, 10500, 10500, 10500, 0, '2026-02-01', '2026-03-01'),
('spend', 'USD', 1, 500, 500, 500, 0, '2025-11-01', '2025-12-01'),
('spend', 'EUR', 1, 2000, 3000, 2500, 500, '2026-03-01', '2026-04-01'),
('pipeline_opened', 'USD', 1, 120000, 120000, 120000, 0, '2026-03-01', '2026-04-01'),
('pipeline_opened', 'EUR', 1, 36000, 40000, 45000, -5000, '2026-03-01', '2026-04-01'),
('won', 'EUR', 1, 45000, 50000, 56250, -6250, '2026-03-01', '2026-04-01'),
('revenue', 'EUR', 1, 1001, 1502, 1251, 251, '2026-03-01', '2026-04-01'),
('revenue', 'USD', 1, -500, -500, -500, 0, '2026-03-01', '2026-04-01');

-- What laws B1 and B12 read beside: invoices, and how many rows there are.
create table main.rpt_spend_reconciliation__account_month (
    feed varchar, source varchar, account varchar, currency varchar, status varchar,
    media_minor bigint, credit_minor bigint, overhead_minor bigint, books_minor bigint,
    control_total_minor bigint, control_residual_minor bigint, invoices bigint,
    invoice_lines bigint, invoiced_media_minor bigint, credit_note_minor bigint,
    invoice_residual_minor bigint, rounding_minor bigint, invoiced_fee_minor bigint,
    fee_residual_minor bigint, invoiced_tax_minor bigint, month_start_date date,
    month_end_date date
);
insert into main.rpt_spend_reconciliation__account_month values
('ads', 'Google Ads', '1', 'USD', 'ties out', 500, 0, 0, 500, 500, 0, 1, 1, 501, 0, -1, 1, 0, 0, 95, '2025-11-01', '2025-12-01'),
('ads', 'Google Ads', '1', 'USD', 'ties out', 10100, -300, 700, 10500, 10500, 0, 2, 2, 10100, -300, 0, 1, 700, 0, 0, '2026-02-01', '2026-03-01'),
('ads', 'Google Ads', '1', 'EUR', 'month not over', 2000, 0, 0, 2000, 2000, 0, 1, 1, 100, 0, 1900, 1, 0, 0, 0, '2026-03-01', '2026-04-01');

create table audit.volume (feed varchar, table_name varchar, rows bigint, month date);
insert into audit.volume values
('ads', 'spend', 8, '2026-02-01'),
('crm', 'leads', 5, '2026-02-01'),
('crm', 'lead_events', 2, '2026-02-01'),
('crm', 'opportunities', 1, '2026-03-01'),
('crm', 'claims', 3, null),
('shop', 'revenue', 2, '2026-03-01');

create table audit.volume_shrunk (
    feed varchar, table_name varchar, is_feed_gone boolean, rows_before bigint, rows_after bigint,
    shrunk_pct decimal(18, 2), at_most_pct bigint, month date
);
