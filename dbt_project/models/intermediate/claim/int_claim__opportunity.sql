-- The opportunities as departments may count them, in the books and left out of them.
-- Grain: record_id, kpi.
-- `books_quantity` is what the books count: 1, or minor units of the reporting currency;
-- `today_quantity` the same with the amount of today instead of the amount when it was opened;
-- `other_…` the same at the other rate: the plan's where the books take the day's, else the day's.
-- `books_date` is the day the books go by, `other_date` the one that departments may go by instead:
-- the close date of what was won. Figures are null where an amount or a rate is unknown. Rules are
-- those of int_kpi__opportunity; days before the first version of the plan take its rates. Empty
-- where nobody claims any of them.

with

opportunities as (

    select * from {{ ref("stg_landed__opportunity") }}

),

left_out as (

    select * from {{ ref("int_opportunity__left_out") }}

),

matches as (

    select * from {{ ref("int_campaign__match") }}
    where entity = 'opportunity'

),

kept as (

    select * from {{ ref("int_opportunity") }}

),

openings as (

    select * from {{ ref("int_opportunity__opening") }}

),

intervals as (

    select * from {{ ref("int_opportunity__stage_interval") }}

),

opportunity_events as (

    select * from {{ ref("stg_landed__opportunity_event") }}

),

stage_map as (

    select * from {{ ref("int_stage_map") }}
    where entity = 'opportunity'

),

amounts as (

    select * from {{ ref("int_opportunity__amount") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

plan_rates as (

    select * from {{ ref("int_plan__reporting_rate") }}

),

rates as (

    select * from {{ ref("int_fx_rate__interval") }}

),

currencies as (

    select * from {{ ref("currencies") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

claims as (

    select * from {{ ref("int_claim") }}
    where kpi in ('opportunities', 'pipeline', 'wins', 'bookings')

),

in_books as (

    select
        kept.opportunity_id as record_id,
        kept.campaign_key,
        case when not kept.is_new_business then 'not_new_business' end as left_out_reason,
        kept.currency,
        kept.amount as today_amount,
        openings.opened_amount,
        openings.opened_at,
        case when standing.stage = 'won' then standing.entered_at end as won_at,
        kept.close_date,
        amounts.rate_date as close_rate_date
    from kept
    inner join amounts on kept.opportunity_id = amounts.opportunity_id
    inner join openings on kept.opportunity_id = openings.opportunity_id
    left join intervals as standing
        on
            kept.opportunity_id = standing.opportunity_id
            and standing.left_at is null

),

first_amounts as (

    select
        opportunity_events.opportunity_id,
        min_by(opportunity_events.amount, opportunity_events.occurred_at) as amount
    from opportunity_events
    cross join run_parameter
    where
        opportunity_events.occurred_at <= run_parameter.as_of
        and opportunity_events.amount is not null
    group by opportunity_events.opportunity_id

),

-- Of what is not in the books no history of stages is kept: won is what stands in won today.
not_in_books as (

    select
        case
            when left_out.reason in ('same id loaded again', 'same id in another feed')
                then {{ row_of_record("opportunities", "opportunity_id") }}
            else opportunities.opportunity_id
        end as record_id,
        matches.campaign_key,
        case
            when left_out.reason in ('same id loaded again', 'same id in another feed')
                then 'duplicate'
            when left_out.reason in ('merged into another opportunity', 'merged in a circle')
                then 'merged'
            when left_out.reason like 'rule: %' then 'left_out_by_rule'
            else 'deleted'
        end as left_out_reason,
        opportunities.currency,
        opportunities.amount as today_amount,
        coalesce(first_amounts.amount, opportunities.amount) as opened_amount,
        opportunities.created_at as opened_at,
        case
            when stage_map.stage = 'won'
                then coalesce(
                    opportunities.stage_at,
                    {{ local_to_utc(
                        "cast(opportunities.close_date as timestamp)", "run_parameter.time_zone"
                    ) }}
                )
        end as won_at,
        opportunities.close_date,
        opportunities.close_date as close_rate_date
    from opportunities
    cross join run_parameter
    inner join left_out
        on
            opportunities._feed = left_out._feed
            and opportunities._load = left_out._load
            and opportunities._line = left_out._line
    inner join matches
        on
            opportunities.source is not distinct from matches.source
            and opportunities.campaign is not distinct from matches.campaign
            and coalesce(opportunities.created_at, run_parameter.as_of) >= matches.valid_from_at
            and coalesce(opportunities.created_at, run_parameter.as_of) < matches.valid_to_at
    left join first_amounts on opportunities.opportunity_id = first_amounts.opportunity_id
    left join stage_map
        on
            opportunities._feed = stage_map.feed
            and opportunities.stage = stage_map.raw_status
            and coalesce(opportunities.stage_at, run_parameter.as_of) >= stage_map.valid_from
            and coalesce(opportunities.stage_at, run_parameter.as_of) < stage_map.valid_to
    where left_out.reason <> 'created after as_of'

),

every_record as (

    select * from in_books

    union all

    select * from not_in_books

),

dated as (

    select
        every_record.*,
        currencies.exponent,
        reporting.exponent as reporting_exponent,
        {{ local_date("every_record.opened_at", "run_parameter.time_zone") }} as opened_date,
        {{ local_date("every_record.won_at", "run_parameter.time_zone") }} as won_date,
        cast(
            round(
                every_record.opened_amount
                * cast({{ power_of_ten("currencies.exponent") }} as decimal(5, 0)), 0
            ) as bigint
        ) as opened_minor,
        cast(
            round(
                every_record.today_amount
                * cast({{ power_of_ten("currencies.exponent") }} as decimal(5, 0)), 0
            ) as bigint
        ) as today_minor
    from every_record
    cross join run_parameter
    left join currencies on every_record.currency = currencies.currency
    left join currencies as reporting on run_parameter.reporting_currency = reporting.currency
    where exists (select 1 from claims)

),

rated as (

    select
        dated.*,
        coalesce(opened_policies.pipeline_rate, 'as_of') = 'plan'
        and opened_plan_rates.rate is not null as is_opened_at_plan_rate,
        coalesce(won_policies.won_rate, 'close_date') = 'plan'
        and won_plan_rates.rate is not null as is_won_at_plan_rate,
        coalesce(opened_plan_rates.rate, opened_rates.rate) as opened_plan_rate,
        opened_rates.rate as opened_day_rate,
        coalesce(won_plan_rates.rate, won_rates.rate) as won_plan_rate,
        won_rates.rate as won_day_rate
    from dated
    left join versions as opened_policies
        on
            dated.opened_date >= opened_policies.counts_from
            and dated.opened_date < opened_policies.in_force_to
    left join plan_rates as opened_plan_rates
        on
            opened_policies.version = opened_plan_rates.version
            and dated.currency = opened_plan_rates.currency
    left join rates as opened_rates
        on
            dated.currency = opened_rates.currency
            and dated.opened_date >= opened_rates.valid_from
            and dated.opened_date < opened_rates.valid_to
    left join versions as won_policies
        on
            dated.won_date >= won_policies.counts_from
            and dated.won_date < won_policies.in_force_to
    left join plan_rates as won_plan_rates
        on
            won_policies.version = won_plan_rates.version
            and dated.currency = won_plan_rates.currency
    left join rates as won_rates
        on
            dated.currency = won_rates.currency
            and coalesce(dated.close_rate_date, dated.won_date) >= won_rates.valid_from
            and coalesce(dated.close_rate_date, dated.won_date) < won_rates.valid_to

),

valued as (

    select
        record_id,
        campaign_key,
        left_out_reason,
        opened_date,
        won_date,
        close_date,
        is_opened_at_plan_rate,
        {%- for amount, rate in [
            ("opened", "opened_plan"),
            ("opened", "opened_day"),
            ("today", "opened_plan"),
            ("today", "opened_day"),
            ("today", "won_plan"),
            ("today", "won_day"),
        ] %}
        {{ converted_minor(amount ~ "_minor", rate ~ "_rate", "exponent", "reporting_exponent") }}
            as {{ amount }}_at_{{ rate }},
        {%- endfor %}
        is_won_at_plan_rate
    from rated

),

final as (

    {%- for kpi in ["opportunities", "wins"] %}

    select
        record_id,
        '{{ kpi }}' as kpi,
        campaign_key,
        left_out_reason,
        cast(1 as bigint) as books_quantity,
        cast(1 as bigint) as today_quantity,
        cast(1 as bigint) as other_books_quantity,
        cast(1 as bigint) as other_today_quantity,
        {{ "opened_date" if kpi == "opportunities" else "won_date" }} as books_date,
        {{ "opened_date" if kpi == "opportunities" else "close_date" }} as other_date
    from valued
    where {{ "opened_date" if kpi == "opportunities" else "won_date" }} is not null

    union all
    {%- endfor %}

    select
        record_id,
        'pipeline' as kpi,
        campaign_key,
        left_out_reason,
        case when is_opened_at_plan_rate then opened_at_opened_plan else opened_at_opened_day end
            as books_quantity,
        case when is_opened_at_plan_rate then today_at_opened_plan else today_at_opened_day end
            as today_quantity,
        case when is_opened_at_plan_rate then opened_at_opened_day else opened_at_opened_plan end
            as other_books_quantity,
        case when is_opened_at_plan_rate then today_at_opened_day else today_at_opened_plan end
            as other_today_quantity,
        opened_date as books_date,
        opened_date as other_date
    from valued
    where opened_date is not null

    union all

    select
        record_id,
        'bookings' as kpi,
        campaign_key,
        left_out_reason,
        case when is_won_at_plan_rate then today_at_won_plan else today_at_won_day end
            as books_quantity,
        case when is_won_at_plan_rate then today_at_won_plan else today_at_won_day end
            as today_quantity,
        case when is_won_at_plan_rate then today_at_won_day else today_at_won_plan end
            as other_books_quantity,
        case when is_won_at_plan_rate then today_at_won_day else today_at_won_plan end
            as other_today_quantity,
        won_date as books_date,
        close_date as other_date
    from valued
    where won_date is not null

)

select * from final
