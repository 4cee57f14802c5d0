-- Is the plan's rate still believable? The evidence against each planned transition, lead by lead.
-- Grain: metric, period, scope; only cohorts that somebody has entered.
-- A cohort is whom entered the transition's first stage in a period of the plan (for the win rate:
-- the opportunities opened in it). The rate p0 is, for each of them, what Sales committed to for
-- the campaign's cohort (in the campaign's own scope only: what a channel or the company is held to
-- is the plan), else the plan's for the scope, else its rate for the company, by the version in
-- force on the day of entry; days on which none is in force are not judged. Settled is who reached
-- the next stage within the window, stands in an exit, or is past the window.
--
-- The test. Evidence against p >= p0 is a test martingale: the average over bets l < 0 of product(1
-- + l * (x - p0)), x = 1 for a conversion (Ville 1939; Waudby-Smith and Ramdas 2024). If p >= p0 it
-- ever reaches 1/alpha with probability alpha at most, however often one looks. With l = -s / (1 -
-- p0), 0 < s < 1, both factors are above zero: 1 - s for a conversion and 1 + s * p0 / (1 - p0)
-- else, the likelihood ratio of p0 * (1 - s) against p0. Betting on the true rate would take
-- ln(1/alpha) / KL(p || p0) leads, which no test can beat; the grid of s has a bet near every loss
-- of 15 to 90 percent, and averaging costs ln 6 at most: 1.1 to 1.35 times that limit.
--
-- The order. The bound holds for leads in the order in which they entered. They settle in another:
-- those who leave fast would count before those who convert slowly, and a rate that is met could
-- look broken. So evidence is read in two ways, neither of which can exceed what the order of entry
-- gives once all have settled, so that the bound holds for the larger of the two: with each lead
-- that settles, all who entered before the newest of the settled and have not settled counting as
-- converted (quick where failures are quick); and in the order of entry up to the first who has not
-- settled (quick where conversions are). Both are one pass of running sums over hours: evidence is
-- read at the end of each hour in which somebody settled or entered, as often as a run looks.
--
-- Logarithms are summed in whole hundred-millionths, which floating point adds exactly, so that the
-- order of adding changes nothing. This is evidence, not money; a million to one is shown for
-- anything beyond.

{% set bets = [0.15, 0.3, 0.45, 0.6, 0.75, 0.9] %}
{% set alpha = 0.01 %}

with

leads as (

    select * from {{ ref("fct_lead") }}

),

opportunities as (

    select * from {{ ref("fct_opportunity") }}
    where is_new_business

),

opportunity_intervals as (

    select * from {{ ref("fct_opportunity_stage__interval") }}
    where entry_number = 1

),

campaigns as (

    select * from {{ ref("dim_campaign") }}

),

stages as (

    select * from {{ ref("dim_stage") }}

),

kpis as (

    select * from {{ ref("dim_kpi") }}
    where kind = 'rate'

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

periods as (

    select * from {{ ref("stg_landed__plan_period") }}

),

plan_scopes as (

    select * from {{ ref("stg_landed__plan_scope") }}
    where not is_stretch

),

plan_members as (

    select * from {{ ref("int_plan__scope_member") }}

),

targets as (

    select * from {{ ref("int_plan__target") }}
    where kind = 'rate'

),

settings as (

    select * from {{ ref("stg_landed__plan_kpi") }}

),

commitments as (

    select * from {{ ref("stg_landed__plan_commitment") }}

),

calendar_days as (

    select * from {{ ref("stg_landed__calendar_day") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

-- Who owes a rate may commit again: the last word counts.
ranked_commitments as (

    select
        *,
        row_number() over (
            partition by campaign_key, cohort_start_date, metric
            order by number desc
        ) as recency
    from commitments

),

committed as (

    select
        'campaign:' || campaign_key as scope,
        campaign_key,
        cohort_start_date,
        metric,
        rate,
        window_days
    from ranked_commitments
    where recency = 1

),

members as (

    select
        version,
        scope,
        campaign_key
    from plan_members

    union

    select
        versions.version,
        committed.scope,
        committed.campaign_key
    from versions
    cross join committed

),

scopes as (

    select
        version,
        scope
    from plan_scopes

    union

    select
        versions.version,
        committed.scope
    from versions
    cross join committed

),

-- A scope is held to its own rate or to the company's.
planned as (

    select
        scopes.version,
        scopes.scope,
        company.period,
        company.metric,
        coalesce(own.plan_value, company.plan_value) as rate
    from scopes
    inner join targets as company
        on
            scopes.version = company.version
            and company.scope = 'company'
    left join targets as own
        on
            scopes.version = own.version
            and scopes.scope = own.scope
            and company.period = own.period
            and company.metric = own.metric

    union

    select
        version,
        scope,
        period,
        metric,
        plan_value as rate
    from targets

),

-- Where only a commitment has a rate, the months are the periods.
committed_only as (

    select distinct
        periods.version,
        committed.scope,
        periods.period,
        committed.metric,
        cast(null as decimal(38, 9)) as rate
    from committed
    cross join periods
    left join planned
        on
            periods.version = planned.version
            and committed.scope = planned.scope
            and committed.metric = planned.metric
    where periods.period_kind = 'month' and planned.version is null

),

streams as (

    select * from planned

    union all

    select * from committed_only

),

ranked_settings as (

    select
        streams.version,
        streams.scope,
        streams.period,
        streams.metric,
        streams.rate,
        settings.window_days,
        row_number() over (
            partition by streams.version, streams.scope, streams.period, streams.metric
            order by
                case when settings.scope is null then 1 else 0 end,
                settings.sheet_row
        ) as preference
    from streams
    left join settings
        on
            streams.version = settings.version
            and streams.metric = settings.metric
            and coalesce(settings.scope, streams.scope) = streams.scope

),

-- Strings would be sorted with every lead.
dated_streams as (

    select
        dense_rank() over (
            order by ranked_settings.metric, ranked_settings.period, ranked_settings.scope
        ) as cohort_number,
        ranked_settings.version,
        ranked_settings.scope,
        ranked_settings.period,
        ranked_settings.metric,
        ranked_settings.rate,
        ranked_settings.window_days,
        periods.period_start_date,
        periods.period_end_date,
        greatest(periods.period_start_date, versions.in_force_from) as judged_from,
        least(periods.period_end_date, versions.in_force_to) as judged_to
    from ranked_settings
    inner join versions on ranked_settings.version = versions.version
    inner join periods
        on
            ranked_settings.version = periods.version
            and ranked_settings.period = periods.period
    where ranked_settings.preference = 1

),

opened as (

    select
        opportunities.opportunity_id,
        opportunities.campaign_key,
        opportunities.stage,
        opportunities.stage_entered_at,
        opportunities.won_at,
        coalesce(opportunities.created_at, opportunity_intervals.entered_at) as opened_at,
        {{ local_date(
            "coalesce(opportunities.created_at, opportunity_intervals.entered_at)",
            "run_parameter.time_zone",
        ) }} as opened_date
    from opportunities
    cross join run_parameter
    left join opportunity_intervals
        on opportunities.opportunity_id = opportunity_intervals.opportunity_id

),

entries as (

    {%- for metric, from_column, to_column in [
        ("rate_lead_mql", "created_at", "first_mql_at"),
        ("rate_mql_sal", "first_mql_at", "first_sal_at"),
        ("rate_sal_sql", "first_sal_at", "first_sql_at"),
        ("rate_sql_opportunity", "first_sql_at", "first_opportunity_at"),
    ] %}

    select
        '{{ metric }}' as metric,
        leads.lead_id as unit_id,
        leads.campaign_key,
        leads.cohort_start_date,
        leads.{{ from_column }} as entered_at,
        leads.{{ to_column }} as converted_at,
        case when stages.kind = 'exit' then leads.stage_entered_at end as left_at
    from leads
    inner join stages on leads.stage = stages.stage
    where leads.{{ from_column }} is not null

    union all
    {%- endfor %}

    select
        'rate_opportunity_won' as metric,
        opportunities.opportunity_id as unit_id,
        opportunities.campaign_key,
        {{ cohort_start(
            "opportunities.opened_date", "run_parameter.cohort_period", "campaigns.started_on"
        ) }} as cohort_start_date,
        opportunities.opened_at as entered_at,
        opportunities.won_at as converted_at,
        case when stages.kind = 'exit' then opportunities.stage_entered_at end as left_at
    from opened as opportunities
    cross join run_parameter
    inner join campaigns on opportunities.campaign_key = campaigns.campaign_key
    left join calendar_days on opportunities.opened_date = calendar_days.day
    left join stages on opportunities.stage = stages.stage
    where opportunities.opened_at is not null

),

dated_entries as (

    select
        entries.*,
        run_parameter.as_of,
        run_parameter.time_zone,
        {{ local_date("entries.entered_at", "run_parameter.time_zone") }} as entered_date
    from entries
    cross join run_parameter

),

cohort_entries as (

    select
        dated_streams.cohort_number,
        dated_streams.version,
        dated_entries.unit_id,
        dated_entries.entered_at,
        dated_entries.converted_at,
        dated_entries.left_at,
        dated_entries.as_of,
        committed.rate is not null as is_committed,
        coalesce(committed.rate, dated_streams.rate) as rate,
        {{ local_to_utc(
            "cast(" ~ add_days(
                "dated_entries.entered_date",
                "coalesce(committed.window_days, dated_streams.window_days) + 1",
            ) ~ " as timestamp)",
            "dated_entries.time_zone",
        ) }} as window_ends_at
    from dated_entries
    inner join members on dated_entries.campaign_key = members.campaign_key
    inner join dated_streams
        on
            members.version = dated_streams.version
            and members.scope = dated_streams.scope
            and dated_entries.metric = dated_streams.metric
            and dated_entries.entered_date >= dated_streams.judged_from
            and dated_entries.entered_date < dated_streams.judged_to
    left join committed
        on
            members.scope = committed.scope
            and dated_entries.metric = committed.metric
            and dated_entries.cohort_start_date = committed.cohort_start_date
    where coalesce(committed.rate, dated_streams.rate) is not null

),

-- A window of days ends with the last of them. Who came back from an exit and converted within it
-- has converted. A rate of one has no odds: it is tested as 99 percent, which is less.
with_outcome as (

    select
        *,
        converted_at is not null
        and (window_ends_at is null or converted_at < window_ends_at) as is_converted,
        cast(least(rate, 0.99) as double) as tested_rate,
        row_number() over (
            partition by cohort_number
            order by entered_at, unit_id
        ) as entry_number
    from cohort_entries

),

-- `least` leaves out what is unknown.
outcomes as (

    select
        *,
        case
            when is_converted then converted_at
            when least(left_at, window_ends_at) <= as_of then least(left_at, window_ends_at)
        end as settled_at,
        tested_rate / (1 - tested_rate) as odds
    from with_outcome

),

-- In the order in which leads settle; whoever entered before the last of them counts as converted.
settled_hours as (

    select
        cohort_number,
        cast(date_trunc('hour', settled_at) as timestamp) as hour_at,
        count(*) as leads,
        {{ failure_sums(bets) }}
        max(entry_number) as entered,
        max(settled_at) as settled_at
    from outcomes
    where settled_at is not null
    group by cohort_number, cast(date_trunc('hour', settled_at) as timestamp)

),

by_settlement as (

    select
        cohort_number,
        settled_at,
        sum(leads) over so_far as settled,
        {{ running_failures(bets) }}
        max(entered) over so_far as entered
    from settled_hours
    window
        so_far as (
            partition by cohort_number
            order by hour_at
            rows between unbounded preceding and current row
        )

),

-- In the order in which leads entered, up to the first that has not settled.
entered_hours as (

    select
        cohort_number,
        cast(date_trunc('hour', entered_at) as timestamp) as hour_at,
        count(*) as leads,
        {{ failure_sums(bets) }}
        count(*) - count(settled_at) as unsettled,
        max(settled_at) as settled_at
    from outcomes
    group by cohort_number, cast(date_trunc('hour', entered_at) as timestamp)

),

by_entry as (

    select
        cohort_number,
        max(settled_at) over so_far as settled_at,
        sum(leads) over so_far as settled,
        {{ running_failures(bets) }}
        sum(leads) over so_far as entered,
        sum(unsettled) over so_far as unsettled
    from entered_hours
    window
        so_far as (
            partition by cohort_number
            order by hour_at
            rows between unbounded preceding and current row
        )

),

evidence as (

    select
        cohort_number,
        settled_at,
        settled,
        'settlement' as reading_order,
        {{ martingale(bets, "entered") }} as evidence
    from by_settlement

    union all

    select
        cohort_number,
        settled_at,
        settled,
        'entry' as reading_order,
        {{ martingale(bets, "entered") }} as evidence
    from by_entry
    where unsettled = 0

),

readings as (

    select
        cohort_number,
        reading_order,
        max_by(evidence, settled) as evidence,
        max(evidence) as max_evidence,
        min(case when evidence >= 1 / {{ alpha }} then settled_at end) as alarmed_at,
        cast(min(case when evidence >= 1 / {{ alpha }} then settled end) as bigint)
            as matured_at_alarm
    from evidence
    group by cohort_number, reading_order

),

verdicts as (

    select
        cohort_number,
        max(evidence) as evidence,
        max(max_evidence) as max_evidence,
        min(alarmed_at) as alarmed_at,
        min_by(matured_at_alarm, alarmed_at) as matured_at_alarm
    from readings
    group by cohort_number

),

cohorts as (

    select
        cohort_number,
        max(version) as plan_version,
        count(*) as entered,
        count(settled_at) as matured,
        {{ exact_sum("case when is_converted then 1 else 0 end") }} as converted,
        cast(sum(rate) as double) / count(*) as expected_rate,
        max(case when is_committed then 1 else 0 end) = 1 as is_committed
    from outcomes
    group by cohort_number

),

names as (

    select
        cohort_number,
        metric,
        period,
        scope,
        min(period_start_date) as period_start_date,
        max(period_end_date) as period_end_date
    from dated_streams
    group by cohort_number, metric, period, scope

),

final as (

    select
        -- text
        names.metric,
        names.period,
        names.scope,
        kpis.from_stage,
        kpis.to_stage,
        -- numbers
        cohorts.plan_version,
        cohorts.entered,
        cohorts.matured,
        cohorts.converted,
        cast(cohorts.expected_rate as decimal(10, 9)) as expected_rate,
        cast(
            cast(cohorts.converted as double) / nullif(cohorts.matured, 0) as decimal(10, 9)
        ) as actual_rate,
        cast(least(coalesce(verdicts.evidence, 1), 1000000) as decimal(18, 6)) as evidence,
        cast(least(coalesce(verdicts.max_evidence, 1), 1000000) as decimal(18, 6)) as max_evidence,
        cast(1 / {{ alpha }} as decimal(18, 6)) as alarm_evidence,
        verdicts.matured_at_alarm,
        -- booleans
        cohorts.is_committed,
        verdicts.alarmed_at is not null as is_alarm,
        -- times
        names.period_start_date,
        names.period_end_date,
        verdicts.alarmed_at
    from cohorts
    inner join names on cohorts.cohort_number = names.cohort_number
    inner join kpis on names.metric = kpis.metric
    left join verdicts on cohorts.cohort_number = verdicts.cohort_number

)

select * from final
