-- What the laws of governance read beside test_gate_holds.sql, which has the company and its plan.
-- February's cohort of campaign A passed the threshold and Sales committed to a rate; leads are
-- behind and their owner has said why; February's one MQL was worked within its 240 hours.
alter table main.dim_campaign add column kind varchar;
update main.dim_campaign
set kind = case when campaign_key like '%(overhead)' then 'overhead' else 'campaign' end;

alter table main.dim_kpi add column kind varchar;
alter table main.dim_kpi add column from_stage varchar;
update main.dim_kpi set kind = case when unit = 'rate' then 'rate' else 'volume' end;
update main.dim_kpi set from_stage = split_part(metric, '_', 2) where unit = 'rate';

update audit.plan_policy set commitment_threshold_minor = 5000;
update audit.plan_kpi set sla_hours = 240 where metric = 'rate_mql_sal';

create table main.rpt_commitment__campaign_cohort (
    campaign_key varchar, cohort_start_date date, status varchar, spend_minor bigint,
    threshold_minor bigint, committed_minor bigint, uncommitted_minor bigint, overdue_minor bigint,
    crossed_date date, due_date date, commitments bigint
);
insert into main.rpt_commitment__campaign_cohort values
('Google Ads / A', '2026-02-01', 'committed', 10000, 5000, 10000, 0, 0, '2026-02-10', '2026-02-15', 1),
('Google Ads / A', '2026-03-01', 'below threshold', 3000, 5000, 0, 0, 0, null, null, 0),
('Google Ads / C', '2026-02-01', 'below threshold', -200, 5000, 0, 0, 0, null, null, 0);

create table main.rpt_plan_vs_actual__kpi_period (
    period varchar, scope varchar, metric varchar, variance_pct decimal(18, 2),
    variance_minor bigint, owner varchar, is_outside_tolerance boolean
);
insert into main.rpt_plan_vs_actual__kpi_period values
('FY2026-Q1', 'company', 'leads', -99.00, -2970000, 'rene', true),
('FY2026-Q1', 'company', 'mqls', -99.00, -2970000, 'rene', false);

create table main.rpt_variance_item (
    item_id varchar, period varchar, scope varchar, metric varchar, status varchar,
    variance_pct decimal(18, 2), variance_minor bigint, owner varchar, notes bigint,
    is_period_open boolean, opened_date date, due_date date, action_due_date date
);
insert into main.rpt_variance_item values
('V-0000000001', 'FY2026-Q1', 'company', 'leads', 'explained', -99.00, -2970000, 'rene', 1, true, '2026-02-01', '2026-02-08', '2026-04-15');

create table main.rpt_handoff_sla__metric_period (
    plan_version bigint, period varchar, scope varchar, metric varchar, owner varchar,
    clock varchar, sla_hours bigint, planned_share_pct decimal(38, 9), leads bigint, in_time bigint,
    late bigint, waiting bigint, in_time_share_pct decimal(38, 9), is_complete boolean, period_start_date date
);
insert into main.rpt_handoff_sla__metric_period values
(1, 'FY2026-M02', 'company', 'rate_mql_sal', 'rene', 'elapsed', 240, 80, 1, 1, 0, 0, 100, true, '2026-02-01');

create table audit.plan_stage (
    version bigint, stage varchar, counts varchar, definition varchar
);
insert into audit.plan_stage values (1, 'mql', 'first', null);

create table audit.plan_business_day (
    version bigint, day date, opens_at timestamp, closes_at timestamp
);

alter table main.fct_lead add column feed varchar default 'crm';
alter table main.fct_lead_stage__interval add column is_time_estimated boolean default false;

create table main.rpt_drift__cohort_transition (
    metric varchar, period varchar, scope varchar, is_alarm boolean
);
insert into main.rpt_drift__cohort_transition values
('rate_mql_sal', 'FY2026-M02', 'company', false), ('rate_sal_sql', 'FY2026-M02', 'company', true);

create table main.rpt_velocity__segment_week (
    scope varchar, owner varchar, week_start_date date, is_alarm boolean
);
insert into main.rpt_velocity__segment_week values ('company', 'rene', '2026-03-30', false);
