-- A small company whose books obey every law: what the judge sees of a frozen candidate.
-- February's cohort of campaign A has two leads, one of which came before the spend; March is
-- still open; B found no lead and its window is over; C's credit is larger than its spend.
create schema audit;

create table audit.run as
select
    'Sample Inc' as company,
    timestamp '2026-03-31 23:00:00' as as_of,
    'USD' as reporting_currency,
    'America/New_York' as time_zone,
    'month' as cohort_period,
    cast(90 as bigint) as no_lead_after_days;

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
