
-- Credit: the open deal O1 was opened after two touches, which share it alike or go by their place;
-- nobody touched O2, which was won, nor O3, whose amount is unknown.
alter table main.fct_opportunity add column if not exists is_new_business boolean default true;
alter table main.fct_opportunity add column if not exists is_won boolean default false;
alter table main.fct_opportunity add column if not exists created_at timestamp;
alter table main.fct_opportunity add column if not exists won_at timestamp;
alter table main.fct_opportunity add column if not exists reporting_amount_minor bigint;
alter table main.fct_opportunity add column if not exists opened_reporting_amount_minor bigint;
update main.fct_opportunity
set
    created_at = coalesce(created_at, timestamp '2026-03-02 12:00'),
    reporting_amount_minor = coalesce(reporting_amount_minor, amount_minor),
    opened_reporting_amount_minor = coalesce(opened_reporting_amount_minor, amount_minor)
where opportunity_id = 'O1';
update main.fct_opportunity set won_at = timestamp '2026-03-31 13:00' where is_won;

create table main.dim_credit_model (
    model varchar, family varchar, first_pct decimal(5, 2), lead_pct decimal(5, 2),
    opportunity_pct decimal(5, 2), last_pct decimal(5, 2), rest_pct decimal(5, 2),
    look_back_days bigint
);
insert into main.dim_credit_model values
('first_touch', 'milestones', 100, 0, 0, 0, 0, 90),
('linear', 'milestones', 0, 0, 0, 0, 100, 90),
('time_decay', 'decay', null, null, null, null, null, 90);

create table main.fct_credit__opportunity_touch (
    opportunity_id varchar, basis varchar, model varchar, touch_number bigint, touch_id varchar,
    campaign_key varchar, amount_minor bigint, credit_minor bigint, share decimal(10, 9),
    touched_at timestamp, anchor_at timestamp
);
insert into main.fct_credit__opportunity_touch
select
    opportunities.opportunity_id, 'pipeline', credits.model, credits.touch_number, credits.touch_id,
    'Google Ads / A', opportunities.opened_reporting_amount_minor,
    case
        when credits.touch_number < credits.touches
            then cast(floor(opportunities.opened_reporting_amount_minor * credits.share) as bigint)
        else opportunities.opened_reporting_amount_minor - cast(
            floor(opportunities.opened_reporting_amount_minor * (1 - credits.share)) as bigint
        )
    end,
    credits.share, credits.touched_at, opportunities.created_at
from main.fct_opportunity as opportunities
cross join (
    values
    ('first_touch', 1, 'T1', 1, 1.0, timestamp '2026-02-05 12:00'),
    ('linear', 1, 'T1', 2, 0.5, timestamp '2026-02-05 12:00'),
    ('linear', 2, 'T2', 2, 0.5, timestamp '2026-02-20 12:00'),
    ('time_decay', 1, 'T1', 2, 0.25, timestamp '2026-02-05 12:00'),
    ('time_decay', 2, 'T2', 2, 0.75, timestamp '2026-02-20 12:00')
) as credits (model, touch_number, touch_id, touches, share, touched_at)
where opportunities.opportunity_id = 'O1';
insert into main.fct_credit__opportunity_touch
select
    due.opportunity_id, due.basis, models.model, 1, null, '(unattributed)', due.amount_minor,
    due.amount_minor, 1.0, null, due.anchor_at
from (
    select
        opportunity_id, 'pipeline' as basis, opened_reporting_amount_minor as amount_minor,
        created_at as anchor_at
    from main.fct_opportunity
    where opportunity_id <> 'O1'
    union all
    select opportunity_id, 'won' as basis, reporting_amount_minor as amount_minor, won_at as anchor_at
    from main.fct_opportunity
    where is_won
) as due
cross join main.dim_credit_model as models;
