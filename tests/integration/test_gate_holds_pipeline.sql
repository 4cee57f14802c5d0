-- What law B4 reads beside test_gate_holds.sql: two days of a pipeline. O1 and O2 are created on
-- the 30th; on the 31st ann hands O2 to bob, who raises it and wins it, O1 advances, and O3 comes
-- without an amount.
alter table main.fct_opportunity add column campaign_key varchar;
alter table main.fct_opportunity add column product varchar;
alter table main.fct_opportunity add column owner varchar;
alter table main.fct_opportunity add column currency varchar;
alter table main.fct_opportunity add column reporting_amount_minor bigint;
alter table main.fct_opportunity add column is_open boolean;
alter table main.fct_opportunity add column is_won boolean;
alter table main.fct_opportunity add column created_at timestamp;
update main.fct_opportunity set
    campaign_key = 'Google Ads / A', owner = 'ann', currency = 'USD',
    reporting_amount_minor = 120000, is_open = true, is_won = false,
    created_at = '2026-03-01 12:00'
where opportunity_id = 'O1';
insert into main.fct_opportunity values
('crm', 'O2', 'Won', 'won', 45000, 'Google Ads / A', null, 'bob', 'EUR', 50000, false, true, '2026-03-30 12:00'),
('crm', 'O3', 'Open', 'opportunity', null, 'Google Ads / B', 'Core', 'bob', null, null, true, false, null);
update audit.row set raw_rows = 3, kept_rows = 3 where table_name = 'opportunities';

create table main.fct_pipeline_journal__entry (
    entry_id varchar, opportunity_id varchar, kind varchar, campaign_key varchar, segment varchar,
    owner varchar, from_owner varchar, currency varchar, amount_minor bigint,
    reporting_amount_minor bigint, moved_minor bigint, deals bigint, deals_without_amount bigint,
    occurred_at timestamp, posted_date date
);
insert into main.fct_pipeline_journal__entry values
('j1', 'O1', 'created', 'Google Ads / A', null, 'ann', null, 'USD', 120000, 120000, null, 1, 0, '2026-03-30 12:00', '2026-03-30'),
('j2', 'O2', 'created', 'Google Ads / A', null, 'ann', null, 'EUR', 36000, 40000, null, 1, 0, '2026-03-31 03:59', '2026-03-30'),
('j3', 'O1', 'advanced', 'Google Ads / A', null, 'ann', null, 'USD', 0, 0, 120000, 0, 0, '2026-03-31 12:00', '2026-03-31'),
('j4', 'O2', 'reassigned', 'Google Ads / A', null, 'bob', 'ann', 'EUR', 0, 0, 40000, 0, 0, '2026-03-31 04:00', '2026-03-31'),
('j5', 'O2', 'increased', 'Google Ads / A', null, 'bob', null, 'EUR', 9000, 9500, null, 0, 0, '2026-03-31 12:00', '2026-03-31'),
('j6', 'O2', 'revalued', 'Google Ads / A', null, 'bob', null, 'EUR', 0, 500, null, 0, 0, '2026-03-31 13:00', '2026-03-31'),
('j7', 'O2', 'won', 'Google Ads / A', null, 'bob', null, 'EUR', -45000, -50000, null, -1, 0, '2026-03-31 13:00', '2026-03-31'),
('j8', 'O3', 'created', 'Google Ads / B', 'Core', 'bob', null, null, null, null, null, 1, 1, '2026-03-31 14:00', '2026-03-31');

create table main.rpt_pipeline_waterfall__period (
    period_kind varchar, period_start_date date, period_end_date date, scope_kind varchar,
    scope varchar, opening_minor bigint default 0, created_minor bigint default 0,
    increased_minor bigint default 0, decreased_minor bigint default 0,
    reassigned_minor bigint default 0, revalued_minor bigint default 0, won_minor bigint default 0,
    lost_minor bigint default 0, reopened_minor bigint default 0, closing_minor bigint default 0,
    advanced_moved_minor bigint default 0, regressed_moved_minor bigint default 0,
    pulled_in_moved_minor bigint default 0, pushed_out_moved_minor bigint default 0,
    opening_deals bigint default 0, created_deals bigint default 0,
    reassigned_deals bigint default 0, won_deals bigint default 0, lost_deals bigint default 0,
    reopened_deals bigint default 0, closing_deals bigint default 0,
    advanced_deals bigint default 0, regressed_deals bigint default 0,
    pulled_in_deals bigint default 0, pushed_out_deals bigint default 0,
    opening_deals_without_amount bigint default 0, won_deals_without_amount bigint default 0,
    closing_deals_without_amount bigint default 0
);
insert into main.rpt_pipeline_waterfall__period (
    period_kind, period_start_date, period_end_date, scope_kind, scope,
    opening_minor, created_minor, increased_minor, reassigned_minor, revalued_minor, won_minor,
    closing_minor, advanced_moved_minor,
    opening_deals, created_deals, reassigned_deals, won_deals, closing_deals, advanced_deals,
    closing_deals_without_amount
) values
('day', '2026-03-30', '2026-03-31', 'company', 'company', 0, 160000, 0, 0, 0, 0, 160000, 0, 0, 2, 0, 0, 2, 0, 0),
('day', '2026-03-31', '2026-04-01', 'company', 'company', 160000, 0, 9500, 0, 500, -50000, 120000, 120000, 2, 1, 0, -1, 2, 1, 1),
('day', '2026-03-30', '2026-03-31', 'owner', 'ann', 0, 160000, 0, 0, 0, 0, 160000, 0, 0, 2, 0, 0, 2, 0, 0),
('day', '2026-03-31', '2026-04-01', 'owner', 'ann', 160000, 0, 0, -40000, 0, 0, 120000, 120000, 2, 0, -1, 0, 1, 1, 0),
('day', '2026-03-31', '2026-04-01', 'owner', 'bob', 0, 0, 9500, 40000, 500, -50000, 0, 0, 0, 1, 1, -1, 1, 0, 1),
('day', '2026-03-30', '2026-03-31', 'segment', '(no segment)', 0, 160000, 0, 0, 0, 0, 160000, 0, 0, 2, 0, 0, 2, 0, 0),
('day', '2026-03-31', '2026-04-01', 'segment', '(no segment)', 160000, 0, 9500, 0, 500, -50000, 120000, 120000, 2, 0, 0, -1, 1, 1, 0),
('day', '2026-03-31', '2026-04-01', 'segment', 'Core', 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1),
('day', '2026-03-30', '2026-03-31', 'campaign', 'Google Ads / A', 0, 160000, 0, 0, 0, 0, 160000, 0, 0, 2, 0, 0, 2, 0, 0),
('day', '2026-03-31', '2026-04-01', 'campaign', 'Google Ads / A', 160000, 0, 9500, 0, 500, -50000, 120000, 120000, 2, 0, 0, -1, 1, 1, 0),
('day', '2026-03-31', '2026-04-01', 'campaign', 'Google Ads / B', 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1);

-- Both days are in the same week, month and quarter, which opened with nothing.
insert into main.rpt_pipeline_waterfall__period (
    period_kind, period_start_date, period_end_date, scope_kind, scope,
    created_minor, increased_minor, reassigned_minor, revalued_minor, won_minor, closing_minor,
    advanced_moved_minor, created_deals, reassigned_deals, won_deals, closing_deals,
    advanced_deals, closing_deals_without_amount
)
select
    longer.*, days.scope_kind, days.scope,
    sum(created_minor), sum(increased_minor), sum(reassigned_minor), sum(revalued_minor),
    sum(won_minor), max_by(closing_minor, period_start_date), sum(advanced_moved_minor),
    sum(created_deals), sum(reassigned_deals), sum(won_deals),
    max_by(closing_deals, period_start_date), sum(advanced_deals),
    max_by(closing_deals_without_amount, period_start_date)
from main.rpt_pipeline_waterfall__period as days
cross join (
    values ('week', date '2026-03-30', date '2026-04-06'),
    ('month', date '2026-03-01', date '2026-04-01'),
    ('quarter', date '2026-01-01', date '2026-04-01')
) as longer
group by all;
