-- The pipeline's waterfall: what was open, what moved, what is open, for every period and scope.
-- Grain: period_kind, period_start_date, scope_kind, scope. Only where something stands or moves.
-- Money is in the reporting currency and signed: opening + created + increased + decreased +
-- reassigned + revalued + won + lost + reopened = closing; deals likewise. What only moved
-- (`…_moved_minor`) is no part of that sum. Periods of one kind may be added up but for opening and
-- closing; owners, segments and campaigns each add up to the company, all together they do not.
-- What happened before the calendar's first day is dated on that day.
-- Reckoned from what each scope moved each day: nothing is made for a deal and a day.

{%- set money = [
    "created", "increased", "decreased", "reassigned", "revalued", "won", "lost", "reopened"
] %}
{%- set deal_kinds = ["created", "reassigned", "won", "lost", "reopened"] %}
{%- set move_kinds = ["advanced", "regressed", "pulled_in", "pushed_out"] %}

with

entries as (

    select * from {{ ref("fct_pipeline_journal__entry") }}

),

days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

today as (

    select {{ local_date("as_of", "time_zone") }} as today
    from run_parameter

),

first_day as (

    select min(day) as first_day
    from days

),

scoped as (

    select
        'company' as scope_kind,
        'company' as scope,
        kind,
        posted_date,
        reporting_amount_minor as amount_minor,
        moved_minor,
        deals,
        deals_without_amount
    from entries

    union all

    select
        'segment' as scope_kind,
        coalesce(segment, '(no segment)') as scope,
        kind,
        posted_date,
        reporting_amount_minor as amount_minor,
        moved_minor,
        deals,
        deals_without_amount
    from entries

    union all

    select
        'campaign' as scope_kind,
        campaign_key as scope,
        kind,
        posted_date,
        reporting_amount_minor as amount_minor,
        moved_minor,
        deals,
        deals_without_amount
    from entries

    union all

    select
        'owner' as scope_kind,
        coalesce(owner, '(no owner)') as scope,
        kind,
        posted_date,
        case when kind = 'reassigned' then moved_minor else reporting_amount_minor end
            as amount_minor,
        moved_minor,
        case when kind = 'reassigned' then 1 else deals end as deals,
        case when kind = 'reassigned' and moved_minor is null then 1 else deals_without_amount end
            as deals_without_amount
    from entries

    union all

    -- The one who gives a deal away.
    select
        'owner' as scope_kind,
        coalesce(from_owner, '(no owner)') as scope,
        kind,
        posted_date,
        -moved_minor as amount_minor,
        cast(null as bigint) as moved_minor,
        -1 as deals,
        case when moved_minor is null then -1 else 0 end as deals_without_amount
    from entries
    where kind = 'reassigned'

),

daily as (

    select
        scoped.scope_kind,
        scoped.scope,
        greatest(scoped.posted_date, first_day.first_day) as day,
        {%- for kind in money %}
        {{ exact_sum("case when scoped.kind = '" ~ kind ~ "' then scoped.amount_minor end") }}
            as {{ kind }}_minor,
        {%- endfor %}
        {%- for kind in move_kinds %}
        {{ exact_sum("case when scoped.kind = '" ~ kind ~ "' then scoped.moved_minor end") }}
            as {{ kind }}_moved_minor,
        {%- endfor %}
        {%- for kind in deal_kinds %}
        {{ exact_sum("case when scoped.kind = '" ~ kind ~ "' then scoped.deals end") }}
            as {{ kind }}_deals,
        {%- endfor %}
        {%- for kind in move_kinds %}
        count(case when scoped.kind = '{{ kind }}' then 1 end) as {{ kind }}_deals,
        {%- endfor %}
        {{ exact_sum("case when scoped.kind = 'won' then scoped.deals_without_amount end") }}
            as won_deals_without_amount,
        {{ exact_sum("scoped.amount_minor") }} as net_minor,
        {{ exact_sum("scoped.deals") }} as net_deals,
        {{ exact_sum("scoped.deals_without_amount") }} as net_deals_without_amount
    from scoped
    cross join first_day
    group by
        scoped.scope_kind,
        scoped.scope,
        greatest(scoped.posted_date, first_day.first_day)

),

day_periods as (

    {%- for period in ["day", "week", "month", "quarter"] %}

    select
        day,
        '{{ period }}' as period_kind,
        {%- if period == "day" %}
        day as period_start_date,
        {{ add_days("day", 1) }} as period_end_date
        {%- else %}
        {{ period }}_start as period_start_date,
        {{ period }}_end as period_end_date
        {%- endif %}
    from days
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

),

movements as (

    select
        day_periods.period_kind,
        day_periods.period_start_date,
        daily.scope_kind,
        daily.scope,
        {%- for kind in money %}
        coalesce({{ exact_sum("daily." ~ kind ~ "_minor") }}, 0) as {{ kind }}_minor,
        {%- endfor %}
        {%- for kind in move_kinds %}
        coalesce({{ exact_sum("daily." ~ kind ~ "_moved_minor") }}, 0) as {{ kind }}_moved_minor,
        {%- endfor %}
        {%- for kind in deal_kinds + move_kinds %}
        coalesce({{ exact_sum("daily." ~ kind ~ "_deals") }}, 0) as {{ kind }}_deals,
        {%- endfor %}
        coalesce({{ exact_sum("daily.won_deals_without_amount") }}, 0) as won_deals_without_amount,
        coalesce({{ exact_sum("daily.net_minor") }}, 0) as net_minor,
        {{ exact_sum("daily.net_deals") }} as net_deals,
        {{ exact_sum("daily.net_deals_without_amount") }} as net_deals_without_amount
    from daily
    inner join day_periods on daily.day = day_periods.day
    group by
        day_periods.period_kind,
        day_periods.period_start_date,
        daily.scope_kind,
        daily.scope

),

-- From a scope's first movement until nothing of it stands any more.
scopes as (

    select
        daily.scope_kind,
        daily.scope,
        min(daily.day) as first_day,
        case
            when
                sum(daily.net_minor) <> 0
                or sum(daily.net_deals) <> 0
                or sum(daily.net_deals_without_amount) <> 0
                then max(today.today)
            else max(daily.day)
        end as last_day
    from daily
    cross join today
    group by daily.scope_kind, daily.scope

),

bounds as (

    select
        min(first_day) as first_day,
        max(last_day) as last_day
    from scopes

),

periods as (

    select distinct
        day_periods.period_kind,
        day_periods.period_start_date,
        day_periods.period_end_date
    from day_periods
    inner join bounds
        on
            day_periods.day >= bounds.first_day
            and day_periods.day <= bounds.last_day

),

rows_to_show as (

    select
        periods.period_kind,
        periods.period_start_date,
        periods.period_end_date,
        scopes.scope_kind,
        scopes.scope
    from scopes
    inner join periods
        on
            scopes.first_day < periods.period_end_date
            and scopes.last_day >= periods.period_start_date

),

filled as (

    select
        rows_to_show.period_kind,
        rows_to_show.period_start_date,
        rows_to_show.period_end_date,
        rows_to_show.scope_kind,
        rows_to_show.scope,
        {%- for kind in money %}
        coalesce(movements.{{ kind }}_minor, 0) as {{ kind }}_minor,
        {%- endfor %}
        {%- for kind in move_kinds %}
        coalesce(movements.{{ kind }}_moved_minor, 0) as {{ kind }}_moved_minor,
        {%- endfor %}
        {%- for kind in deal_kinds + move_kinds %}
        coalesce(movements.{{ kind }}_deals, 0) as {{ kind }}_deals,
        {%- endfor %}
        coalesce(movements.won_deals_without_amount, 0) as won_deals_without_amount,
        movements.scope is not null as has_moved,
        coalesce(movements.net_minor, 0) as net_minor,
        coalesce(movements.net_deals, 0) as net_deals,
        coalesce(movements.net_deals_without_amount, 0) as net_deals_without_amount
    from rows_to_show
    left join movements
        on
            rows_to_show.period_kind = movements.period_kind
            and rows_to_show.period_start_date = movements.period_start_date
            and rows_to_show.scope_kind = movements.scope_kind
            and rows_to_show.scope = movements.scope

),

balanced as (

    select
        *,
        cast(
            sum(net_minor) over (
                partition by period_kind, scope_kind, scope
                order by period_start_date
            ) as bigint
        ) as closing_minor,
        cast(
            sum(net_deals) over (
                partition by period_kind, scope_kind, scope
                order by period_start_date
            ) as bigint
        ) as closing_deals,
        cast(
            sum(net_deals_without_amount) over (
                partition by period_kind, scope_kind, scope
                order by period_start_date
            ) as bigint
        ) as closing_deals_without_amount
    from filled

),

final as (

    select
        balanced.period_kind,
        balanced.period_start_date,
        balanced.period_end_date,
        balanced.scope_kind,
        balanced.scope,
        balanced.closing_minor - balanced.net_minor as opening_minor,
        {%- for kind in money %}
        balanced.{{ kind }}_minor,
        {%- endfor %}
        balanced.closing_minor,
        {%- for kind in move_kinds %}
        balanced.{{ kind }}_moved_minor,
        {%- endfor %}
        balanced.closing_deals - balanced.net_deals as opening_deals,
        {%- for kind in deal_kinds %}
        balanced.{{ kind }}_deals,
        {%- endfor %}
        balanced.closing_deals,
        {%- for kind in move_kinds %}
        balanced.{{ kind }}_deals,
        {%- endfor %}
        balanced.closing_deals_without_amount - balanced.net_deals_without_amount
            as opening_deals_without_amount,
        balanced.won_deals_without_amount,
        balanced.closing_deals_without_amount,
        balanced.period_end_date > today.today as is_provisional
    from balanced
    cross join today
    where
        balanced.has_moved
        or balanced.closing_minor <> 0
        or balanced.closing_deals <> 0
        or balanced.closing_deals_without_amount <> 0

)

select * from final
