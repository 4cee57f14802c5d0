-- How fast and how well leads were handed over, month by month, by who answers on either side.
-- Grain: side, owner, month_start_date (the company's fiscal month in which they were handed over).
-- Both sides count the same leads: of side marketing by the plan's owner or whoever made them MQLs,
-- of side sales by the lead's owner or whoever decided, of side both all of them. Leads add up
-- within a side; shares and hours do not. Percentiles are of the hours until a lead left mql, or
-- until the first response, with those still waiting as waiting (Kaplan and Meier); imported and
-- backdated leads count as leads and in no hours.

with

leads as (

    select * from {{ ref("rpt_handoff__lead") }}
    where is_handed_over

),

intervals as (

    select * from {{ ref("int_handoff__interval") }}

),

calendar_days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

business_days as (

    select * from {{ ref("int_plan__business_day") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

-- By itself: after another join DuckDB looks up the zone row by row.
dated as (

    select
        leads.*,
        coalesce(leads.first_response_at, leads.decided_at, run_parameter.as_of)
            as responded_until_at,
        {{ local_date(
            "coalesce(leads.first_response_at, leads.decided_at, run_parameter.as_of)",
            "run_parameter.time_zone"
        ) }} as responded_until_date
    from leads
    cross join run_parameter

),

timed as (

    select
        dated.*,
        {{ period_start("month", "dated.handed_over_date") }} as month_start_date,
        coalesce(intervals.business_seconds, intervals.elapsed_seconds) as handoff_seconds,
        coalesce(
            cast(
                {{ business_seconds("dated.responded_until_at", "last_days") }}
                - {{ business_seconds("dated.handed_over_at", "first_days") }}
                as bigint
            ),
            {{ seconds_between("dated.handed_over_at", "dated.responded_until_at") }}
        ) as response_seconds
    from dated
    inner join intervals
        on
            dated.lead_id = intervals.lead_id
            and dated.handoff_entry_number = intervals.entry_number
    left join calendar_days on dated.handed_over_date = calendar_days.day
    left join business_days as first_days
        on
            dated.plan_version = first_days.version
            and dated.handed_over_date = first_days.day
    left join business_days as last_days
        on
            dated.plan_version = last_days.version
            and dated.responded_until_date = last_days.day

),

sided as (

    select
        *,
        'both' as side,
        '(all)' as side_owner
    from timed

    union all

    select
        *,
        'marketing' as side,
        coalesce(marketing_owner, handed_over_by, '(nobody)') as side_owner
    from timed

    union all

    select
        *,
        'sales' as side,
        coalesce(sales_owner, decided_by, '(nobody)') as side_owner
    from timed

),

handoff_observations as (

    select
        side,
        side_owner,
        month_start_date,
        handoff_seconds as seconds,
        decided_at is not null as is_event
    from sided
    where is_timed

),

response_observations as (

    select
        side,
        side_owner,
        month_start_date,
        response_seconds as seconds,
        first_response_at is not null as is_event
    from sided
    where is_timed

),

{%- set keys = ["side", "side_owner", "month_start_date"] %}

{{ survival_percentiles("handoff_percentiles", "handoff_observations", keys, [50, 90]) }},

{{ survival_percentiles("response_percentiles", "response_observations", keys, [50, 90]) }},

counted as (

    select
        side,
        side_owner,
        month_start_date,
        max(clock) as clock,
        count(distinct clock) as clocks,
        count(*) as handed_over,
        count(case when is_timed then 1 end) as timed,
        {%- for outcome in [
            "accepted", "rejected", "disqualified", "recycled", "expired", "returned", "waiting"
        ] %}
        count(case when outcome = '{{ outcome }}' then 1 end) as {{ outcome }},
        {%- endfor %}
        count(case when sla_status = 'in time' then 1 end) as in_time,
        count(case when sla_status = 'late' then 1 end) as late,
        {{ exact_sum("amount_minor") }} as amount_minor,
        {{ exact_sum("case when outcome = 'rejected' then amount_minor else 0 end") }}
            as rejected_minor
    from sided
    group by side, side_owner, month_start_date

),

final as (

    select
        -- ids
        counted.side,
        counted.side_owner as owner,
        -- text
        case when counted.clocks = 1 then counted.clock else 'mixed' end as clock,
        -- numbers
        counted.handed_over,
        counted.timed,
        counted.accepted,
        counted.rejected,
        counted.disqualified,
        counted.recycled,
        counted.expired,
        counted.returned,
        counted.waiting,
        {{ quotient("counted.accepted * 100", "counted.handed_over - counted.waiting") }}
            as accepted_share_pct,
        counted.in_time,
        counted.late,
        {{ quotient("counted.in_time * 100", "counted.in_time + counted.late") }}
            as in_time_share_pct,
        {{ hours_of("response_percentiles.p50") }} as response_hours_p50,
        {{ hours_of("response_percentiles.p90") }} as response_hours_p90,
        {{ hours_of("handoff_percentiles.p50") }} as handoff_hours_p50,
        {{ hours_of("handoff_percentiles.p90") }} as handoff_hours_p90,
        counted.amount_minor,
        counted.rejected_minor,
        -- times
        counted.month_start_date
    from counted
    left join handoff_percentiles
        on
            counted.side = handoff_percentiles.side
            and counted.side_owner = handoff_percentiles.side_owner
            and counted.month_start_date = handoff_percentiles.month_start_date
    left join response_percentiles
        on
            counted.side = response_percentiles.side
            and counted.side_owner = response_percentiles.side_owner
            and counted.month_start_date = response_percentiles.month_start_date

)

select * from final
