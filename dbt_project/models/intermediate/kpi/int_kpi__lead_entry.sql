-- The entries of leads into stages that count as KPIs, and what came of each.
-- Grain: lead_id, stage, entry_number.
-- An entry is every time a lead enters the stage itself, and the first time it reaches it by
-- skipping it. Which of them counts (first, latest or every) is what the version of the plan says
-- that is in force on the day of the entry; where it says nothing, or none is in force, the first.
-- Entries refuted by the definition of qualified are none. Empty without a plan.
-- The next stage is reached when the lead first stands there or beyond, no earlier than the entry;
-- where every entry counts, the next entry has what follows it.

with

versions as (

    select * from {{ ref("int_plan__version") }}

),

counting as (

    select * from {{ ref("stg_landed__plan_stage") }}

),

leads as (

    select * from {{ ref("int_lead") }}

),

intervals as (

    select * from {{ ref("int_lead__stage_interval") }}

),

stages as (

    select * from {{ ref("stages") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

steps as (

    select
        stage,
        ordinal
    from stages
    where stage in ('lead', 'mql', 'sal', 'sql')

),

milestones as (

    select
        max(case when stage = 'mql' then ordinal end) as mql_ordinal,
        max(case when stage = 'sal' then ordinal end) as sal_ordinal,
        max(case when stage = 'sql' then ordinal end) as sql_ordinal,
        max(case when stage = 'opportunity' then ordinal end) as opportunity_ordinal
    from stages

),

-- By itself: after another join DuckDB looks up the zone row by row, at four times the cost.
dated as (

    select
        intervals.lead_id,
        intervals.entry_number,
        intervals.stage,
        intervals.entered_at,
        intervals.left_at,
        {{ local_date("intervals.entered_at", "run_parameter.time_zone") }} as entered_date
    from intervals
    cross join run_parameter

),

-- The later in the funnel, the higher; an exit reaches nothing.
reached as (

    select
        dated.lead_id,
        dated.entry_number,
        dated.stage,
        dated.entered_at,
        dated.left_at,
        dated.entered_date,
        stages.kind = 'exit' as is_exit,
        case when stages.kind = 'funnel' then stages.ordinal else 0 end as ordinal
    from dated
    inner join stages on dated.stage = stages.stage
    where exists (select 1 from versions)

),

-- What comes from each entry on: the number of the first such entry, and its day (days follow
-- numbers, so that the least of both are of one entry).
trails as (

    select
        reached.lead_id,
        reached.entry_number,
        reached.stage,
        reached.entered_at,
        reached.left_at,
        reached.entered_date,
        reached.ordinal,
        coalesce(max(reached.ordinal) over (
            partition by reached.lead_id
            order by reached.entry_number
            rows between unbounded preceding and 1 preceding
        ), 0) as ordinal_before,
        min(case when reached.is_exit then reached.entry_number end) over onwards as exit_number,
        min(case when reached.is_exit then reached.entered_date end) over onwards as exit_date,
        min(
            case when reached.ordinal >= milestones.mql_ordinal then reached.entry_number end
        ) over onwards as mql_number,
        min(
            case when reached.ordinal >= milestones.mql_ordinal then reached.entered_date end
        ) over onwards as mql_date,
        min(
            case when reached.ordinal >= milestones.sal_ordinal then reached.entry_number end
        ) over onwards as sal_number,
        min(
            case when reached.ordinal >= milestones.sal_ordinal then reached.entered_date end
        ) over onwards as sal_date,
        min(
            case when reached.ordinal >= milestones.sql_ordinal then reached.entry_number end
        ) over onwards as sql_number,
        min(
            case when reached.ordinal >= milestones.sql_ordinal then reached.entered_date end
        ) over onwards as sql_date,
        min(
            case
                when reached.ordinal >= milestones.opportunity_ordinal then reached.entry_number
            end
        ) over onwards as opportunity_number,
        min(
            case
                when reached.ordinal >= milestones.opportunity_ordinal then reached.entered_date
            end
        ) over onwards as opportunity_date
    from reached
    cross join milestones
    window
        onwards as (
            partition by reached.lead_id
            order by reached.entry_number
            rows between current row and unbounded following
        )

),

entries as (

    select
        trails.lead_id,
        steps.stage,
        trails.entry_number,
        trails.stage <> steps.stage as is_skipped,
        trails.entered_at,
        trails.left_at,
        trails.entered_date,
        trails.exit_number,
        trails.exit_date,
        case steps.stage
            when 'lead' then trails.mql_number
            when 'mql' then trails.sal_number
            when 'sal' then trails.sql_number
            when 'sql' then trails.opportunity_number
        end as reached_number,
        case steps.stage
            when 'lead' then trails.mql_date
            when 'mql' then trails.sal_date
            when 'sal' then trails.sql_date
            when 'sql' then trails.opportunity_date
        end as reached_date
    from trails
    cross join steps
    where
        trails.stage = steps.stage
        or (trails.ordinal > steps.ordinal and trails.ordinal_before < steps.ordinal)

),

numbered as (

    select
        *,
        row_number() over entries_of_lead as stage_entry_number,
        lead(entry_number) over entries_of_lead as next_number,
        lead(entered_date) over entries_of_lead as next_date
    from entries
    window
        entries_of_lead as (
            partition by lead_id, stage
            order by entry_number
        )

),

counted as (

    select
        numbered.*,
        versions.version,
        case when counting.counts = 'every' then numbered.next_number end as bound_number
    from numbered
    left join versions
        on
            numbered.entered_date >= versions.in_force_from
            and numbered.entered_date < versions.in_force_to
    left join counting
        on
            versions.version = counting.version
            and numbered.stage = counting.stage
    where
        counting.counts = 'every'
        or (coalesce(counting.counts, 'first') = 'first' and numbered.stage_entry_number = 1)
        or (counting.counts = 'latest' and numbered.next_number is null)

),

-- Where every entry counts, the next one ends it as an exit does.
final as (

    select
        -- ids
        counted.lead_id,
        counted.entry_number,
        counted.version,
        -- text
        counted.stage,
        leads.campaign_key,
        -- booleans
        counted.is_skipped,
        -- times
        leads.cohort_start_date,
        counted.entered_at,
        counted.left_at,
        counted.entered_date,
        case
            when counted.bound_number is null or counted.reached_number < counted.bound_number
                then counted.reached_date
        end as reached_next_date,
        case
            when counted.bound_number is null or counted.exit_number < counted.bound_number
                then counted.exit_date
            else counted.next_date
        end as ended_date
    from counted
    inner join leads on counted.lead_id = leads.lead_id

)

select * from final
