-- From what each department reports to the books, line by line.
-- Grain: department, metric, period_start_date, period_end_date, scope, line_number.
-- claim - the lines of reasons - unexplained = books, exactly. A reason is above zero where the
-- claim has more than the books. Reasons are `computed` where the plan's sheet counting says that
-- the department counts so (rpt_claims_bridge__record has the records), or `stated`: signed by
-- people. What neither explains is `unexplained`; law B7 demands zero. `value` is a count, or money
-- in major units of `currency`; `value_minor` is money in minor units, and empty for counts. A
-- claim that cannot be held against the books has empty books, and all of it is unexplained.

{% set notes = {
    "test_record": "tests, staff and bots: left out by the definition of qualified or by a rule",
    "excluded_domain": "people of an e-mail domain that the definition of qualified leaves out",
    "left_out_by_rule": "records that a rule of the company leaves out: bots, competitors, staff",
    "merged": "records that were merged into another",
    "duplicate": "the same record loaded again",
    "below_definition": "leads that were called qualified and do not meet the definition",
    "repeat_entry": "further entries of a lead that the books count once",
    "different_date": "counted by another date: a lead by its creation, a win by its close date",
    "deleted": "opportunities that were deleted in their system",
    "not_new_business": "renewals, expansions and splits, which are no new business",
    "amount_change": "the amount of today instead of the amount when it was opened",
    "currency_rate": "the plan's rate where the books take the day's, or the reverse",
    "credit": "credits, which the claim leaves out",
    "overhead": "overheads, which the claim leaves out",
    "restatement": "figures that their source changed after the claim was made",
} %}

with

claims as (

    select * from {{ ref("int_claim") }}

),

members as (

    select * from {{ ref("int_claim__campaign") }}

),

records as (

    select * from {{ ref("rpt_claims_bridge__record") }}

),

explanations as (

    select * from {{ ref("stg_landed__plan_explanation") }}

),

leads as (

    select * from {{ ref("fct_lead") }}

),

entries as (

    select * from {{ ref("int_claim__lead_entry") }}
    where
        left_out_reason is null
        and counting <> 'claimed'
        and counts <> 'first'
        and is_counted

),

opportunities as (

    select * from {{ ref("int_claim__opportunity") }}
    where left_out_reason is null

),

spend as (

    select * from {{ ref("int_claim__spend") }}

),

versions as (

    select * from {{ ref("int_plan__version") }}

),

stage_rules as (

    select * from {{ ref("stg_landed__plan_stage") }}
    where counts <> 'first'

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

first_entries as (

    select
        'leads' as kpi,
        'lead' as stage,
        campaign_key,
        created_date as day,
        count(*) as quantity
    from leads
    group by campaign_key, created_date
    {%- for kpi, stage in [("mqls", "mql"), ("sals", "sal"), ("sqls", "sql")] %}

    union all

    select
        '{{ kpi }}' as kpi,
        '{{ stage }}' as stage,
        leads.campaign_key,
        {{ local_date("leads.first_" ~ stage ~ "_at", "run_parameter.time_zone") }} as day,
        count(*) as quantity
    from leads
    cross join run_parameter
    where leads.first_{{ stage }}_at is not null
    group by
        leads.campaign_key,
        {{ local_date("leads.first_" ~ stage ~ "_at", "run_parameter.time_zone") }}
    {%- endfor %}

),

-- Days on which the plan in force counts another entry than the first; leads are created once.
other_days as (

    select
        stage_rules.stage,
        versions.in_force_from,
        versions.in_force_to
    from stage_rules
    inner join versions on stage_rules.version = versions.version
    where stage_rules.stage <> 'lead'

),

figures as (

    select
        first_entries.kpi,
        first_entries.campaign_key,
        first_entries.day,
        first_entries.quantity
    from first_entries
    left join other_days
        on
            first_entries.stage = other_days.stage
            and first_entries.day >= other_days.in_force_from
            and first_entries.day < other_days.in_force_to
    where other_days.stage is null

    union all

    select
        kpi,
        campaign_key,
        entered_date as day,
        count(*) as quantity
    from entries
    group by kpi, campaign_key, entered_date

    union all

    select
        kpi,
        campaign_key,
        books_date as day,
        {{ exact_sum("books_quantity") }} as quantity
    from opportunities
    group by kpi, campaign_key, books_date

    union all

    select
        'budget' as kpi,
        campaign_key,
        spend_date as day,
        {{ exact_sum("delta_quantity") }} as quantity
    from spend
    group by campaign_key, spend_date

),

counted as (

    select
        claims.claim_key,
        {{ exact_sum("figures.quantity") }} as quantity
    from claims
    inner join members on claims.claim_key = members.claim_key
    inner join figures
        on
            claims.kpi = figures.kpi
            and members.campaign_key = figures.campaign_key
            and claims.period_start_date <= figures.day
            and claims.period_end_date > figures.day
    group by claims.claim_key

),

-- From here on money is in minor units, counts are counts.
claimed as (

    select
        claims.*,
        cast(
            case when claims.is_money then claims.value_minor else claims.value end
            as decimal(38, 9)
        ) as claimed_quantity,
        case when claims.problem is null then cast(coalesce(counted.quantity, 0) as decimal(38, 9))
        end as books_quantity
    from claims
    left join counted on claims.claim_key = counted.claim_key

),

computed as (

    select
        claimed.claim_key,
        records.reason,
        cast(
            sum(case when claimed.is_money then records.value_minor else records.value end)
            as decimal(38, 9)
        ) as quantity,
        count(*) as records
    from claimed
    inner join records
        on
            claimed.department = records.department
            and claimed.metric = records.metric
            and claimed.period_start_date = records.period_start_date
            and claimed.period_end_date = records.period_end_date
            and claimed.scope = records.scope
    group by claimed.claim_key, records.reason

),

stated as (

    select
        claimed.claim_key,
        explanations.number,
        explanations.reason,
        explanations.note || ' (' || explanations.explained_by || ')' as note,
        cast(
            case
                when claimed.is_money
                    then round(
                        explanations.value
                        * cast({{ power_of_ten("claimed.exponent") }} as decimal(5, 0)),
                        0
                    )
                else explanations.value
            end as decimal(38, 9)
        ) as quantity
    from claimed
    inner join explanations
        on
            claimed.department = lower(trim(explanations.department))
            and claimed.kpi = {{ kpi_of_claim("lower(trim(explanations.metric))") }}
            and claimed.period_start_date = explanations.period_start_date
            and claimed.period_end_date = explanations.period_end_date
            and claimed.scope = explanations.scope
    where claimed.problem is null

),

every_reason as (

    select
        claim_key,
        quantity
    from computed

    union all

    select
        claim_key,
        quantity
    from stated

),

explained as (

    select
        claim_key,
        sum(quantity) as quantity
    from every_reason
    group by claim_key

),

lines as (

    select
        claim_key,
        0 as line_group,
        0 as line_rank,
        'claim' as line,
        cast(null as varchar) as reason,
        claimed_quantity as quantity,
        cast(null as bigint) as records,
        'claimed' as origin,
        cast(null as varchar) as note
    from claimed

    union all

    select
        claim_key,
        1 as line_group,
        case reason
            {%- for reason in computed_reasons() %}
            when '{{ reason }}' then {{ loop.index }}
            {%- endfor %}
        end as line_rank,
        reason as line,
        reason,
        quantity,
        records,
        'computed' as origin,
        case reason
            {%- for reason in computed_reasons() %}
            when '{{ reason }}' then '{{ notes[reason] | replace("'", "''") }}'
            {%- endfor %}
        end as note
    from computed
    where quantity <> 0

    union all

    select
        claim_key,
        2 as line_group,
        number as line_rank,
        reason as line,
        reason,
        quantity,
        cast(null as bigint) as records,
        'stated' as origin,
        note
    from stated

    union all

    select
        claimed.claim_key,
        3 as line_group,
        0 as line_rank,
        'unexplained' as line,
        cast(null as varchar) as reason,
        claimed.claimed_quantity - coalesce(explained.quantity, 0)
        - coalesce(claimed.books_quantity, 0) as quantity,
        cast(null as bigint) as records,
        'computed' as origin,
        claimed.problem as note
    from claimed
    left join explained on claimed.claim_key = explained.claim_key

    union all

    select
        claim_key,
        4 as line_group,
        0 as line_rank,
        'books' as line,
        cast(null as varchar) as reason,
        books_quantity as quantity,
        cast(null as bigint) as records,
        'computed' as origin,
        cast(null as varchar) as note
    from claimed

),

final as (

    select
        -- text
        claimed.department,
        claimed.metric,
        claimed.scope,
        lines.line,
        lines.reason,
        lines.origin,
        lines.note,
        claimed.currency,
        -- numbers
        row_number() over (
            partition by lines.claim_key
            order by lines.line_group, lines.line_rank
        ) as line_number,
        cast(
            case
                when not claimed.is_money then lines.quantity
                when claimed.problem is null
                    then lines.quantity * {{ power_of_ten("-claimed.exponent") }}
                when lines.line in ('claim', 'unexplained') then claimed.value
            end as decimal(38, 9)
        ) as value,
        case
            when claimed.is_money and claimed.problem is null
                then cast(lines.quantity as bigint)
        end as value_minor,
        lines.records,
        claimed.plan_version,
        -- times
        claimed.period_start_date,
        claimed.period_end_date,
        claimed.claimed_at
    from lines
    inner join claimed on lines.claim_key = claimed.claim_key

)

select * from final
