-- What a campaign's spend of a fiscal month came to, by two views that are never mixed:
-- cohort: spend of that month, the leads created in it with what they have reached since, and the
-- credit that touches of that month have earned since; period: spend of that month, and what was
-- reached, opened and won in it, whenever it began. Numerator and denominator share the month.
-- Grain: view_kind, model, period_start_date, campaign_key ('(company)': all of them).
-- Only `credited_…_minor` and what is reckoned from it depend on the model; nothing adds up over
-- models or views. Spend of campaigns is media and credits; overhead is in the company's rows only,
-- and there only in `cac_minor`. Campaigns that earned nothing stay. An opportunity counts once,
-- for the campaign of its first lead. Credit without a touch stands under '(unattributed)', in the
-- month of its opening or win. Credited does not mean caused.

with

spend_days as (

    select * from {{ ref("fct_spend__campaign_daily") }}

),

leads as (

    select * from {{ ref("fct_lead") }}

),

credits as (

    select * from {{ ref("fct_credit__opportunity_touch") }}

),

models as (

    select * from {{ ref("dim_credit_model") }}

),

days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

zones as (

    select
        time_zone,
        {{ local_date("as_of", "time_zone") }} as as_of_date
    from run_parameter

),

-- Several leads may become one opportunity: its first lead stands for it.
ranked_leads as (

    select
        leads.*,
        row_number() over (
            partition by
                coalesce('opportunity ' || leads.converted_opportunity_id, 'lead ' || leads.lead_id)
            order by leads.created_at, leads.lead_id
        ) as lead_number
    from leads

),

spend_facts as (

    select
        campaign_key,
        spend_date as event_date,
        {{ exact_sum("case when kind <> 'overhead' then amount_minor end") }} as spend_minor,
        {{ exact_sum("case when kind = 'overhead' then amount_minor end") }} as overhead_minor
    from spend_days
    group by campaign_key, spend_date

),

cohort_facts as (

    select
        campaign_key,
        created_date as event_date,
        count(*) as leads,
        count(first_mql_at) as mqls,
        count(first_sal_at) as sals,
        count(first_sql_at) as sqls,
        count(case when lead_number = 1 then first_opportunity_at end) as opportunities,
        count(case when lead_number = 1 then first_won_at end) as wins
    from ranked_leads
    group by campaign_key, created_date

),

reached as (

    select
        campaign_key,
        'lead' as stage,
        created_at as reached_at
    from ranked_leads

    {%- for stage in ["mql", "sal", "sql", "opportunity", "won"] %}

    union all

    select
        campaign_key,
        '{{ stage }}' as stage,
        first_{{ stage }}_at as reached_at
    from ranked_leads
    where
        first_{{ stage }}_at is not null
        and {{ "lead_number = 1" if stage in ["opportunity", "won"] else "lead_number > 0" }}
    {%- endfor %}

),

period_facts as (

    select
        reached.campaign_key,
        {{ local_date("reached.reached_at", "zones.time_zone") }} as event_date,
        count(case when reached.stage = 'lead' then 1 end) as leads,
        count(case when reached.stage = 'mql' then 1 end) as mqls,
        count(case when reached.stage = 'sal' then 1 end) as sals,
        count(case when reached.stage = 'sql' then 1 end) as sqls,
        count(case when reached.stage = 'opportunity' then 1 end) as opportunities,
        count(case when reached.stage = 'won' then 1 end) as wins
    from reached
    cross join zones
    group by
        reached.campaign_key,
        {{ local_date("reached.reached_at", "zones.time_zone") }}

),

credit_facts as (

    select
        'cohort' as view_kind,
        credits.model,
        credits.campaign_key,
        {{ local_date("coalesce(credits.touched_at, credits.anchor_at)", "zones.time_zone") }}
            as event_date,
        credits.basis,
        credits.credit_minor
    from credits
    cross join zones

    union all

    select
        'period' as view_kind,
        credits.model,
        credits.campaign_key,
        {{ local_date("credits.anchor_at", "zones.time_zone") }} as event_date,
        credits.basis,
        credits.credit_minor
    from credits
    cross join zones

),

-- What depends on no model: spend, leads and the stages they reached.
facts as (

    {%- for view_kind in ["cohort", "period"] %}

    select
        '{{ view_kind }}' as view_kind,
        campaign_key,
        event_date,
        spend_minor,
        overhead_minor,
        cast(0 as bigint) as leads,
        cast(0 as bigint) as mqls,
        cast(0 as bigint) as sals,
        cast(0 as bigint) as sqls,
        cast(0 as bigint) as opportunities,
        cast(0 as bigint) as wins
    from spend_facts

    union all

    select
        '{{ view_kind }}' as view_kind,
        campaign_key,
        event_date,
        cast(0 as bigint) as spend_minor,
        cast(0 as bigint) as overhead_minor,
        leads,
        mqls,
        sals,
        sqls,
        opportunities,
        wins
    from {{ view_kind }}_facts
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

),

-- Days outside the calendar's table take the month of everyday.
facts_of_periods as (

    select
        facts.*,
        coalesce(days.month_start, cast(date_trunc('month', facts.event_date) as date))
            as period_start_date
    from facts
    left join days on facts.event_date = days.day

),

credits_of_periods as (

    select
        credit_facts.*,
        coalesce(days.month_start, cast(date_trunc('month', credit_facts.event_date) as date))
            as period_start_date
    from credit_facts
    left join days on credit_facts.event_date = days.day
    where credit_facts.event_date is not null

),

fact_sums as (

    {%- for campaign_key in ["campaign_key", "'(company)'"] %}

    select
        view_kind,
        {{ campaign_key }} as campaign_key,
        {%- for column in ["spend_minor", "overhead_minor", "leads", "mqls", "sals", "sqls",
            "opportunities", "wins"] %}
        {{ exact_sum("coalesce(" ~ column ~ ", 0)") }} as {{ column }},
        {%- endfor %}
        period_start_date
    from facts_of_periods
    group by view_kind, {% if loop.first %}campaign_key, {% endif %}period_start_date
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

),

credit_sums as (

    {%- for campaign_key in ["campaign_key", "'(company)'"] %}

    select
        view_kind,
        model,
        {{ campaign_key }} as campaign_key,
        period_start_date,
        {{ exact_sum("case when basis = 'pipeline' then coalesce(credit_minor, 0) else 0 end") }}
            as pipeline_minor,
        {{ exact_sum("case when basis = 'won' then coalesce(credit_minor, 0) else 0 end") }}
            as won_minor,
        count(case when credit_minor is null then 1 end) as unknown_credits
    from credits_of_periods
    group by view_kind, model, {% if loop.first %}campaign_key, {% endif %}period_start_date
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

),

overhead_keys as (

    select distinct campaign_key
    from spend_days
    where kind = 'overhead'

),

keys as (

    select
        view_kind,
        campaign_key,
        period_start_date
    from fact_sums
    where
        campaign_key not in (select overhead_keys.campaign_key from overhead_keys)
        or spend_minor <> 0
        or leads <> 0

    union

    select
        view_kind,
        campaign_key,
        period_start_date
    from credit_sums

),

joined as (

    select
        keys.view_kind,
        keys.campaign_key,
        keys.period_start_date,
        keys.campaign_key = '(company)' as is_company,
        models.model,
        models.look_back_days,
        coalesce(fact_sums.spend_minor, 0) as spend_minor,
        case
            when keys.campaign_key = '(company)' then coalesce(fact_sums.overhead_minor, 0)
        end as overhead_minor,
        coalesce(fact_sums.leads, 0) as leads,
        coalesce(fact_sums.mqls, 0) as mqls,
        coalesce(fact_sums.sals, 0) as sals,
        coalesce(fact_sums.sqls, 0) as sqls,
        coalesce(fact_sums.opportunities, 0) as opportunities,
        coalesce(fact_sums.wins, 0) as wins,
        coalesce(credit_sums.pipeline_minor, 0) as credited_pipeline_minor,
        coalesce(credit_sums.won_minor, 0) as credited_won_minor,
        coalesce(credit_sums.unknown_credits, 0) as unknown_credits,
        coalesce(days.month_end, cast(keys.period_start_date + interval '1' month as date))
            as period_end_date
    from keys
    cross join models
    left join fact_sums
        on
            keys.view_kind = fact_sums.view_kind
            and keys.campaign_key = fact_sums.campaign_key
            and keys.period_start_date = fact_sums.period_start_date
    left join credit_sums
        on
            keys.view_kind = credit_sums.view_kind
            and keys.campaign_key = credit_sums.campaign_key
            and keys.period_start_date = credit_sums.period_start_date
            and models.model = credit_sums.model
    left join days on keys.period_start_date = days.day

),

final as (

    select
        -- ids
        joined.view_kind,
        joined.model,
        joined.period_start_date,
        joined.campaign_key,
        -- numbers
        joined.spend_minor,
        joined.overhead_minor,
        joined.leads,
        joined.mqls,
        joined.sals,
        joined.sqls,
        joined.opportunities,
        joined.wins,
        {%- for one, many in [("lead", "leads"), ("mql", "mqls"), ("sal", "sals"), ("sql", "sqls"),
            ("opportunity", "opportunities"), ("win", "wins")] %}
        cast({{ whole_share("joined.spend_minor", 1, "nullif(joined." ~ many ~ ", 0)") }} as bigint)
            as cost_per_{{ one }}_minor,
        {%- endfor %}
        cast(
            {{ whole_share(
                "(joined.spend_minor + joined.overhead_minor)", 1, "nullif(joined.wins, 0)"
            ) }} as bigint
        ) as cac_minor,
        joined.credited_pipeline_minor,
        joined.credited_won_minor,
        {{ quotient(
            "100 * (joined.credited_won_minor - joined.spend_minor)",
            "greatest(joined.spend_minor, 0)"
        ) }} as return_pct,
        joined.unknown_credits,
        -- booleans
        case
            when joined.view_kind = 'cohort'
                then
                    {{ add_days("joined.period_end_date", "joined.look_back_days") }}
                    <= zones.as_of_date
            else joined.period_end_date <= zones.as_of_date
        end as is_complete,
        -- times
        joined.period_end_date
    from joined
    cross join zones

)

select * from final
