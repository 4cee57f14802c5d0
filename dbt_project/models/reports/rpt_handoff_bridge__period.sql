-- From Marketing's MQLs of a period to Sales' accepted leads, line by line, as the books have both.
-- Grain: period_start_date, period_end_date, scope, line_number.
-- mqls - what became of those that were not accepted = accepted; accepted - the lines of timing =
-- sals, exactly. Every MQL of the period stands in one line: accepted, or where it stands today,
-- rejected ones by their reason. `accepted_of_earlier_mqls` is below zero: Sales has them and these
-- MQLs do not. rpt_claims_bridge__period leads from Marketing's own number to `mqls` and from
-- `sals` to Sales' own. Periods: those for which either department claims something, and those in
-- which the plan sets a target for the handoff and that have begun.

with

claims as (

    select * from {{ ref("int_claim") }}
    where kpi in ('mqls', 'sals') and problem is null

),

claim_members as (

    select * from {{ ref("int_claim__campaign") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

targets as (

    select * from {{ ref("int_plan__target") }}
    where metric in ('mqls', 'rate_mql_sal', 'sals')

),

periods as (

    select * from {{ ref("stg_landed__plan_period") }}

),

plan_members as (

    select * from {{ ref("int_plan__scope_member") }}

),

leads as (

    select * from {{ ref("fct_lead") }}
    where first_mql_at is not null

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

claimed as (

    select
        claims.period_start_date,
        claims.period_end_date,
        claims.scope,
        claim_members.campaign_key
    from claims
    inner join claim_members on claims.claim_key = claim_members.claim_key

),

-- Of several versions that plan the period, the one in force on its first day; before all of them,
-- none.
planned as (

    select
        periods.period_start_date,
        periods.period_end_date,
        targets.scope,
        plan_members.campaign_key
    from targets
    cross join run_parameter
    inner join versions on targets.version = versions.version
    inner join periods
        on
            targets.version = periods.version
            and targets.period = periods.period
            and versions.in_force_from <= periods.period_start_date
            and versions.in_force_to > periods.period_start_date
    inner join plan_members
        on
            targets.version = plan_members.version
            and targets.scope = plan_members.scope
    where
        periods.period_start_date
        <= {{ local_date("run_parameter.as_of", "run_parameter.time_zone") }}

),

members as (

    select distinct * from claimed

    union

    select distinct * from planned

),

mqls as (

    select
        leads.campaign_key,
        {{ local_date("leads.first_mql_at", "run_parameter.time_zone") }} as mql_date,
        {{ local_date("leads.first_sal_at", "run_parameter.time_zone") }} as sal_date,
        case
            when leads.first_sal_at is not null then 'accepted'
            when leads.stage = 'mql' then 'not_yet_worked'
            when leads.stage = 'lead' then 'sent_back'
            else leads.stage
        end as outcome,
        case
            when leads.first_sal_at is null and leads.stage = 'rejected'
                then coalesce(leads.rejection_reason, 'no reason given')
        end as reason
    from leads
    cross join run_parameter

),

daily as (

    select
        campaign_key,
        mql_date,
        sal_date,
        outcome,
        reason,
        count(*) as leads
    from mqls
    group by campaign_key, mql_date, sal_date, outcome, reason

),

placed as (

    select
        members.period_start_date,
        members.period_end_date,
        members.scope,
        daily.outcome,
        daily.reason,
        daily.leads,
        daily.mql_date >= members.period_start_date as is_mql_of_period,
        daily.sal_date is not null and daily.sal_date < members.period_end_date
            as is_accepted_in_time
    from members
    inner join daily
        on
            members.campaign_key = daily.campaign_key
            and members.period_end_date > daily.mql_date
            and members.period_start_date <= coalesce(daily.sal_date, daily.mql_date)

),

totals as (

    select
        period_start_date,
        period_end_date,
        scope,
        {{ exact_sum("case when is_mql_of_period then leads else 0 end") }} as mqls,
        {{ exact_sum(
            "case when is_mql_of_period and outcome = 'accepted' then leads else 0 end"
        ) }} as accepted,
        {{ exact_sum(
            "case when is_mql_of_period and outcome = 'accepted' and not is_accepted_in_time"
            " then leads else 0 end"
        ) }} as accepted_after_the_period,
        {{ exact_sum(
            "case when not is_mql_of_period and is_accepted_in_time then leads else 0 end"
        ) }} as accepted_of_earlier_mqls,
        {{ exact_sum("case when is_accepted_in_time then leads else 0 end") }} as sals
    from placed
    group by period_start_date, period_end_date, scope

),

scopes as (

    select distinct
        period_start_date,
        period_end_date,
        scope
    from members

),

lines as (

    {%- for line, sign, kind in [
        ("mqls", "", "total"),
        ("accepted", "", "total"),
        ("accepted_after_the_period", "", "difference"),
        ("accepted_of_earlier_mqls", "-", "difference"),
        ("sals", "", "total"),
    ] %}

    select
        scopes.period_start_date,
        scopes.period_end_date,
        scopes.scope,
        {{ loop.index * 100 }} as line_rank,
        '{{ line }}' as line,
        cast(null as varchar) as reason,
        '{{ kind }}' as line_kind,
        {{ sign }}coalesce(totals.{{ line }}, 0) as leads
    from scopes
    left join totals
        on
            scopes.period_start_date = totals.period_start_date
            and scopes.period_end_date = totals.period_end_date
            and scopes.scope = totals.scope
    {%- if line not in ("mqls", "accepted", "sals") %}
    where totals.{{ line }} <> 0
    {%- endif %}

    union all
    {%- endfor %}

    select
        period_start_date,
        period_end_date,
        scope,
        case outcome
            when 'rejected' then 110
            when 'recycled' then 120
            when 'disqualified' then 130
            when 'expired' then 140
            when 'lost' then 150
            when 'sent_back' then 160
            when 'not_yet_worked' then 180
            else 170
        end as line_rank,
        outcome as line,
        reason,
        'difference' as line_kind,
        {{ exact_sum("leads") }} as leads
    from placed
    where is_mql_of_period and outcome <> 'accepted'
    group by period_start_date, period_end_date, scope, outcome, reason

),

final as (

    select
        -- text
        scope,
        line,
        reason,
        line_kind,
        -- numbers
        row_number() over (
            partition by period_start_date, period_end_date, scope
            order by line_rank asc, leads desc, line asc, reason asc
        ) as line_number,
        leads,
        -- times
        period_start_date,
        period_end_date
    from lines

)

select * from final
