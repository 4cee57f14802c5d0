-- A small company whose books obey every law: what the judge sees of a frozen candidate.
-- February's cohort of campaign A has two leads, one of which came before the spend; March is
-- still open; B found no lead and its window is over; C's credit is larger than its spend.
create schema audit;

create table audit.run as
select
    'Sample Inc' as company,
    timestamp '2026-03-31 23:00:00' as as_of,
    date '2026-03-31' as as_of_date,
    'USD' as reporting_currency,
    'America/New_York' as time_zone,
    'month' as cohort_period,
    cast(90 as bigint) as no_lead_after_days;

create table audit.plan_waiver (
    number bigint, law varchar, scope varchar, reason varchar, expires_on date
);

create table main.dim_stage (stage varchar, ordinal bigint, kind varchar);
insert into main.dim_stage values
('funding', 0, 'account'), ('in_market', 10, 'holding'), ('no_lead', 20, 'holding'),
('overhead', 30, 'holding'), ('lead', 100, 'funnel'), ('mql', 110, 'funnel'),
('sal', 120, 'funnel'), ('sql', 130, 'funnel'), ('opportunity', 140, 'funnel'),
('won', 170, 'funnel'), ('lost', 250, 'exit');

create table main.dim_campaign (campaign_key varchar, source varchar);
insert into main.dim_campaign values
('Google Ads / A', 'Google Ads'), ('Google Ads / B', 'Google Ads'),
('Google Ads / C', 'Google Ads'), ('Google Ads / (overhead)', 'Google Ads');

create table main.fct_spend__campaign_daily (
    feed varchar, source varchar, account varchar, campaign_key varchar, cohort_start_date date,
    spend_date date, currency varchar, kind varchar, cost_minor bigint, amount_minor bigint
);
insert into main.fct_spend__campaign_daily values
('ads', 'Google Ads', '1', 'Google Ads / A', '2026-02-01', '2026-02-10', 'USD', 'media', 10000, 10000),
('ads', 'Google Ads', '1', 'Google Ads / A', '2026-03-01', '2026-03-05', 'EUR', 'media', 2000, 3000),
('ads', 'Google Ads', '1', 'Google Ads / B', '2025-11-01', '2025-11-07', 'USD', 'media', 500, 500),
('ads', 'Google Ads', '1', 'Google Ads / C', '2026-02-01', '2026-02-11', 'USD', 'media', 100, 100),
('ads', 'Google Ads', '1', 'Google Ads / C', '2026-02-01', '2026-02-12', 'USD', 'credit', -300, -300),
('ads', 'Google Ads', '1', 'Google Ads / (overhead)', '2026-02-01', '2026-02-01', 'USD', 'overhead', 700, 700);

create table main.fct_dollar_journal__entry (
    entry_id varchar, occurred_at timestamp, posted_at timestamp, campaign_key varchar,
    cohort_start_date date, lead_id varchar, from_stage varchar, to_stage varchar,
    amount_minor bigint, kind varchar, is_provisional boolean
);
insert into main.fct_dollar_journal__entry values
('s1', '2026-02-10 05:00', '2026-02-11', 'Google Ads / A', '2026-02-01', null, 'funding', 'in_market', 10000, 'spend', false),
('a1', '2026-02-05 12:00', '2026-02-05', 'Google Ads / A', '2026-02-01', 'L1', 'in_market', 'lead', 5000, 'allocation', false),
('a2', '2026-02-12 12:00', '2026-02-12', 'Google Ads / A', '2026-02-01', 'L2', 'in_market', 'lead', 5000, 'allocation', false),
('m1', '2026-02-20 12:00', '2026-02-20', 'Google Ads / A', '2026-02-01', 'L1', 'lead', 'mql', 5000, 'move', false),
('m2', '2026-03-01 12:00', '2026-03-01', 'Google Ads / A', '2026-02-01', 'L1', 'mql', 'sql', 5000, 'move', false),
('s2', '2026-03-05 05:00', '2026-03-06', 'Google Ads / A', '2026-03-01', null, 'funding', 'in_market', 3000, 'spend', true),
('a3', '2026-03-20 12:00', '2026-03-20', 'Google Ads / A', '2026-03-01', 'L3', 'in_market', 'lead', 3000, 'allocation', true),
('s3', '2025-11-07 05:00', '2025-11-08', 'Google Ads / B', '2025-11-01', null, 'funding', 'in_market', 500, 'spend', false),
('n3', '2026-03-01 05:00', '2026-03-01', 'Google Ads / B', '2025-11-01', null, 'in_market', 'no_lead', 500, 'no_lead', false),
('s4', '2026-02-11 05:00', '2026-02-12', 'Google Ads / C', '2026-02-01', null, 'funding', 'in_market', 100, 'spend', false),
('s5', '2026-02-12 05:00', '2026-02-13', 'Google Ads / C', '2026-02-01', null, 'funding', 'in_market', -300, 'spend', false),
('o1', '2026-02-01 05:00', '2026-02-02', 'Google Ads / (overhead)', '2026-02-01', null, 'funding', 'overhead', 700, 'overhead', false);

create table main.rpt_stage_balance__campaign_cohort (
    campaign_key varchar, cohort_start_date date, cohort_end_date date, stage varchar,
    amount_minor bigint, leads bigint, is_provisional boolean
);
insert into main.rpt_stage_balance__campaign_cohort values
('Google Ads / A', '2026-02-01', '2026-03-01', 'sql', 5000, 1, false),
('Google Ads / A', '2026-02-01', '2026-03-01', 'lead', 5000, 1, false),
('Google Ads / A', '2026-03-01', '2026-04-01', 'lead', 3000, 1, true),
('Google Ads / B', '2025-11-01', '2025-12-01', 'no_lead', 500, 0, false),
('Google Ads / C', '2026-02-01', '2026-03-01', 'in_market', -200, 0, false),
('Google Ads / (overhead)', '2026-02-01', '2026-03-01', 'overhead', 700, 0, false);

create table main.fct_lead (
    lead_id varchar, campaign_key varchar, cohort_start_date date, created_at timestamp,
    stage varchar, first_mql_at timestamp, first_sal_at timestamp, first_sql_at timestamp,
    first_opportunity_at timestamp, first_won_at timestamp
);
insert into main.fct_lead values
('L1', 'Google Ads / A', '2026-02-01', '2026-02-05 12:00', 'sql', '2026-02-20 12:00', '2026-03-01 12:00', '2026-03-01 12:00', null, null),
('L2', 'Google Ads / A', '2026-02-01', '2026-02-12 12:00', 'lead', null, null, null, null, null),
('L3', 'Google Ads / A', '2026-03-01', '2026-03-20 12:00', 'lead', null, null, null, null, null);

create table main.fct_lead_stage__interval (
    lead_id varchar, entry_number bigint, from_stage varchar, stage varchar,
    entered_at timestamp, left_at timestamp
);
insert into main.fct_lead_stage__interval values
('L1', 1, null, 'lead', '2026-02-05 12:00', '2026-02-20 12:00'),
('L1', 2, 'lead', 'mql', '2026-02-20 12:00', '2026-03-01 12:00'),
('L1', 3, 'mql', 'sql', '2026-03-01 12:00', null),
('L2', 1, null, 'lead', '2026-02-12 12:00', null),
('L3', 1, null, 'lead', '2026-03-20 12:00', null);

create table main.fct_opportunity (
    feed varchar, opportunity_id varchar, raw_stage varchar, stage varchar, amount_minor bigint
);
insert into main.fct_opportunity values ('crm', 'O1', 'Open', 'opportunity', 120000);

alter table main.dim_campaign add column is_declared boolean default false;

create table main.fct_identity__record (
    entity varchar, record_id varchar, person_key varchar, is_merged boolean
);
insert into main.fct_identity__record values
('lead', 'L1', repeat('1', 64), false), ('lead', 'L2', repeat('2', 64), false),
('lead', 'L3', repeat('1', 64), false), ('lead', 'L0', repeat('2', 64), true);

create table main.rpt_identity__match (
    entity varchar, party varchar, match_method varchar, records bigint
);
create table main.dim_merge (
    entity varchar, record_id varchar, survivor_id varchar, stated_by varchar, reason varchar
);
insert into main.dim_merge values ('lead', 'L0', 'L2', 'leads', 'merged');
create table main.fct_revenue__item (feed varchar, revenue_id varchar);

create table main.fct_opportunity_stage__interval (
    opportunity_id varchar, entry_number bigint, stage varchar, entered_at timestamp,
    left_at timestamp
);
insert into main.fct_opportunity_stage__interval values
('O1', 1, 'opportunity', '2026-03-02 12:00', null);

create table audit.source_total (
    feed varchar, source varchar, account varchar, month date, currency varchar,
    expected_minor bigint, actual_minor bigint, basis varchar
);
insert into audit.source_total values
('ads', 'Google Ads', '1', '2026-02-01', 'USD', 10500, 10500, 'file total'),
('ads', 'Google Ads', '1', '2026-03-01', 'EUR', 2000, 2000, 'file total'),
('ads', 'Google Ads', '1', '2025-11-01', 'USD', 500, 500, 'file total');

create table audit.row (
    feed varchar, table_name varchar, raw_rows bigint, kept_rows bigint, merged_rows bigint,
    excluded_rows bigint, quarantined_rows bigint, superseded_rows bigint
);
insert into audit.row values
('ads', 'spend', 8, 6, 0, 0, 0, 2),
('crm', 'leads', 7, 3, 1, 1, 2, 0),
('crm', 'lead_events', 2, 2, 0, 0, 0, 0),
('crm', 'opportunities', 1, 1, 0, 0, 0, 0);

create table audit.row_reason (
    feed varchar, table_name varchar, disposition varchar, reason varchar, rows bigint
);
insert into audit.row_reason values
('crm', 'leads', 'kept', 'in the books', 3), ('crm', 'leads', 'excluded', 'a test record', 1),
('crm', 'leads', 'merged', 'same id loaded again', 1);

create table audit.quarantine (
    feed varchar, table_name varchar, load_number bigint, file varchar, line bigint,
    column_name varchar, reason varchar
);
insert into audit.quarantine values
('crm', 'leads', 1, 'leads.csv', 7, 'created_at', 'no time'),
('crm', 'leads', 1, 'leads.csv', 9, 'lead_id', 'empty');

create table audit.unmapped (
    feed varchar, entity varchar, kind varchar, value varchar, rows bigint, first_seen_at timestamp
);

create table audit.stage_time (
    feed varchar, entity varchar, entity_id varchar, problem varchar, occurred_at timestamp,
    created_at timestamp, raw_status varchar, _file varchar, _line bigint
);

create table audit.reference (
    feed varchar, table_name varchar, key varchar, problem varchar, reference varchar, rows bigint
);

create table audit.freshness (
    feed varchar, table_name varchar, source varchar, cadence_hours bigint, is_daily boolean,
    newest_at timestamp, age_hours bigint, missing_days bigint, first_missing_day date
);
insert into audit.freshness values
('ads', 'spend', 'Google Ads', 24, true, '2026-03-31 04:00', 19, 0, null),
('crm', 'leads', null, 48, false, '2026-03-30 12:00', 35, 0, null),
('crm', 'opportunities', null, null, false, '2026-03-02 12:00', 707, 0, null);

create table audit.tolerance (
    feed varchar, kind varchar, name varchar, at_most bigint, reason varchar
);
insert into audit.tolerance values
('crm', 'quarantine', 'leads', 2, 'two rows of the old form');

-- The joint plan: 12,000 of budget are 300 leads are 150 MQLs are 15 opportunities are 30,000 of
-- pipeline, and both departments promise just that.
create table main.dim_kpi (metric varchar, ordinal bigint, unit varchar, is_additive boolean);
insert into main.dim_kpi values
('budget', 10, 'minor', true), ('cost_per_lead', 20, 'minor', false), ('leads', 30, 'count', true),
('rate_lead_mql', 40, 'rate', false), ('mqls', 50, 'count', true),
('rate_mql_sal', 60, 'rate', false), ('sals', 70, 'count', true),
('rate_sal_sql', 80, 'rate', false), ('sqls', 90, 'count', true),
('rate_sql_opportunity', 100, 'rate', false), ('opportunities', 110, 'count', true),
('acv', 120, 'minor', false), ('pipeline', 130, 'minor', true),
('rate_opportunity_won', 140, 'rate', false), ('wins', 150, 'count', true),
('bookings', 160, 'minor', true), ('cycle_days', 170, 'days', false);

create table audit.plan_version (
    version bigint, title varchar, currency varchar, reason varchar, sha256 varchar,
    signed_by varchar, is_signed boolean, effective_from date, effective_to date
);
insert into audit.plan_version values
(1, 'Plan of 2026', 'USD', null, repeat('a', 64), 'finance: fred; marketing: mia; sales: sam', true, '2026-01-01', null);

create table audit.plan_policy (
    version bigint, spend_rate varchar, pipeline_rate varchar, won_rate varchar,
    commitment_policy varchar, variance_policy varchar, handoff_policy varchar,
    commitment_threshold_minor bigint, commitment_grace_days bigint, variance_after_pct bigint,
    variance_sigma decimal(38, 9), handoff_share_pct decimal(38, 9),
    funnel_tolerance_pct decimal(38, 9), promise_tolerance_pct decimal(38, 9),
    rollup_tolerance_pct decimal(38, 9), max_cac decimal(38, 9),
    max_payback_months decimal(38, 9), gross_margin_pct decimal(38, 9)
);
insert into audit.plan_policy values
(1, 'spend_date', 'plan', 'close_date', 'block', 'block', 'block', 100000, 5, 25, 2, 80, 1, 5, 0.5, 4500, 30, 90);

create table audit.plan_period (
    version bigint, period varchar, period_kind varchar, parent_period varchar, fiscal_year bigint,
    period_start_date date, period_end_date date
);
insert into audit.plan_period values
(1, 'FY2026', 'year', null, 2026, '2026-01-01', '2027-01-01'),
(1, 'FY2026-Q1', 'quarter', 'FY2026', 2026, '2026-01-01', '2026-04-01'),
(1, 'FY2026-M01', 'month', 'FY2026-Q1', 2026, '2026-01-01', '2026-02-01'),
(1, 'FY2026-M02', 'month', 'FY2026-Q1', 2026, '2026-02-01', '2026-03-01'),
(1, 'FY2026-M03', 'month', 'FY2026-Q1', 2026, '2026-03-01', '2026-04-01');

create table audit.plan_scope (
    version bigint, scope varchar, level varchar, parent_scope varchar, member varchar,
    is_stretch boolean, sheet_row bigint
);
insert into audit.plan_scope values
(1, 'company', 'company', null, null, false, 2),
(1, 'channel:search', 'channel', 'company', 'search', false, 3),
(1, 'channel:events', 'channel', 'company', 'events', false, 4);

create table audit.plan_person (version bigint, person varchar, title varchar, department varchar);
insert into audit.plan_person values
(1, 'mia', null, 'marketing'), (1, 'sam', null, 'sales'), (1, 'fred', null, 'finance'),
(1, 'rene', null, 'revops');

create table audit.plan_kpi (
    version bigint, sheet_row bigint, metric varchar, scope varchar, owner varchar,
    owner_department varchar, tolerance_pct decimal(38, 9), cadence_days bigint, window_days bigint,
    curve varchar, sla_hours bigint, trigger_pct decimal(38, 9), action varchar
);
insert into audit.plan_kpi
select 1, ordinal / 10 + 1, metric, null, 'rene', 'revops', 10, 7, case when unit = 'rate' then 30 end, 'standard', null, 20, 'Pause'
from main.dim_kpi;

create table audit.plan_target (
    version bigint, period varchar, scope varchar, metric varchar, value decimal(38, 9),
    sheet_row bigint
);
insert into audit.plan_target values
(1, 'FY2026-Q1', 'company', 'budget', 12000, 2), (1, 'FY2026-Q1', 'company', 'cost_per_lead', 40, 2),
(1, 'FY2026-Q1', 'company', 'leads', 300, 2), (1, 'FY2026-Q1', 'company', 'rate_lead_mql', 0.5, 2),
(1, 'FY2026-Q1', 'company', 'mqls', 150, 2), (1, 'FY2026-Q1', 'company', 'rate_mql_sal', 0.4, 2),
(1, 'FY2026-Q1', 'company', 'sals', 60, 2), (1, 'FY2026-Q1', 'company', 'rate_sal_sql', 0.5, 2),
(1, 'FY2026-Q1', 'company', 'sqls', 30, 2), (1, 'FY2026-Q1', 'company', 'rate_sql_opportunity', 0.5, 2),
(1, 'FY2026-Q1', 'company', 'opportunities', 15, 2), (1, 'FY2026-Q1', 'company', 'acv', 2000, 2),
(1, 'FY2026-Q1', 'company', 'pipeline', 30000, 2), (1, 'FY2026-Q1', 'company', 'rate_opportunity_won', 0.2, 2),
(1, 'FY2026-Q1', 'company', 'wins', 3, 2), (1, 'FY2026-Q1', 'company', 'bookings', 6000, 2),
(1, 'FY2026-Q1', 'channel:search', 'budget', 8000, 3), (1, 'FY2026-Q1', 'channel:events', 'budget', 4000, 4),
(1, 'FY2026-M01', 'company', 'budget', 4000, 5), (1, 'FY2026-M02', 'company', 'budget', 4000, 6),
(1, 'FY2026-M03', 'company', 'budget', 4000, 7);

create table audit.plan_promise (
    version bigint, department varchar, period varchar, scope varchar, metric varchar,
    value decimal(38, 9), promised_by varchar, sheet_row bigint
);
insert into audit.plan_promise values
(1, 'marketing', 'FY2026-Q1', 'company', 'mqls', 150, 'mia', 2),
(1, 'sales', 'FY2026-Q1', 'company', 'pipeline', 30000, 'sam', 3);

create table audit.plan_capacity (
    version bigint, period varchar, scope varchar, reps decimal(38, 9),
    leads_per_rep decimal(38, 9), sheet_row bigint
);
insert into audit.plan_capacity values (1, 'FY2026-Q1', 'company', 3, 20, 2);

create table audit.plan_problem (
    problem_number bigint, version bigint, file varchar, line bigint, problem varchar,
    expected varchar, found varchar
);

-- February: Marketing also counts a test record; Sales took over what one person has explained.
create table audit.claim (
    feed varchar, department varchar, metric varchar, scope varchar, currency varchar,
    problem varchar, value decimal(38, 9), value_minor bigint, is_known boolean,
    is_as_published boolean, period_start_date date, period_end_date date
);
insert into audit.claim values
('crm', 'marketing', 'leads', 'company', null, null, 3, null, true, true, '2026-02-01', '2026-03-01'),
('crm', 'sales', 'accepted_leads', 'company', null, null, 3, null, true, true, '2026-03-01', '2026-04-01'),
('crm', 'finance', 'spend', 'company', 'USD', null, 105, 10500, true, true, '2026-02-01', '2026-03-01');
insert into audit.row_reason values ('crm', 'claims', 'kept', 'landed', 3);

create table main.rpt_claims_bridge__period (
    department varchar, metric varchar, scope varchar, period_start_date date,
    period_end_date date, line_number bigint, line varchar, reason varchar, origin varchar,
    value decimal(38, 9), value_minor bigint
);
insert into main.rpt_claims_bridge__period values
('marketing', 'leads', 'company', '2026-02-01', '2026-03-01', 1, 'claim', null, 'claimed', 3, null),
('marketing', 'leads', 'company', '2026-02-01', '2026-03-01', 2, 'test_record', 'test_record', 'computed', 1, null),
('marketing', 'leads', 'company', '2026-02-01', '2026-03-01', 3, 'unexplained', null, 'computed', 0, null),
('marketing', 'leads', 'company', '2026-02-01', '2026-03-01', 4, 'books', null, 'computed', 2, null),
('sales', 'accepted_leads', 'company', '2026-03-01', '2026-04-01', 1, 'claim', null, 'claimed', 3, null),
('sales', 'accepted_leads', 'company', '2026-03-01', '2026-04-01', 2, 'not_synced', 'not_synced', 'stated', 2, null),
('sales', 'accepted_leads', 'company', '2026-03-01', '2026-04-01', 3, 'unexplained', null, 'computed', 0, null),
('sales', 'accepted_leads', 'company', '2026-03-01', '2026-04-01', 4, 'books', null, 'computed', 1, null),
('finance', 'spend', 'company', '2026-02-01', '2026-03-01', 1, 'claim', null, 'claimed', 105, 10500),
('finance', 'spend', 'company', '2026-02-01', '2026-03-01', 2, 'unexplained', null, 'computed', 0, 0),
('finance', 'spend', 'company', '2026-02-01', '2026-03-01', 3, 'books', null, 'computed', 105, 10500);

create table main.rpt_claims_bridge__record (
    department varchar, metric varchar, scope varchar, period_start_date date,
    period_end_date date, reason varchar, record_id varchar, value decimal(38, 9),
    value_minor bigint
);
insert into main.rpt_claims_bridge__record values
('marketing', 'leads', 'company', '2026-02-01', '2026-03-01', 'test_record', 'T1', 1, null);
