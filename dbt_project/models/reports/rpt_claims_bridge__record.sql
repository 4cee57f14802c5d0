-- The records behind each computed line of the bridge: what the claim counts and the books do not.
-- Grain: department, metric, period_start_date, period_end_date, scope, reason, record_id.
-- `value` is how much more the claim has for this record than the books (less: below zero); it adds
-- up over records to the line. Reasons are taken off one after the other (macro computed_reasons):
-- each is what is left to explain after those before it, so that no record is explained twice. A
-- record that the books leave out is in the claim only if the department declares its reason, and
-- stands in that line alone.

{% set left_out_reasons = [
    "test_record",
    "excluded_domain",
    "left_out_by_rule",
    "merged",
    "duplicate",
    "deleted",
    "not_new_business",
] %}

with

claims as (

    select * from {{ ref("int_claim") }}
    where problem is null

),

members as (

    select * from {{ ref("int_claim__campaign") }}

),

entries as (

    select * from {{ ref("int_claim__lead_entry") }}

),

opportunities as (

    select * from {{ ref("int_claim__opportunity") }}

),

spend as (

    select * from {{ ref("int_claim__spend") }}

),

lead_candidates as (

    select
        claims.claim_key,
        claims.counts_below_definition,
        claims.counts_repeat_entry,
        claims.counts_different_date,
        entries.record_id,
        entries.left_out_reason,
        entries.counting,
        entries.is_counted,
        -- The history that the claim counts by.
        entries.counting = 'any'
        or (entries.counting = 'claimed') = claims.counts_below_definition as is_history_of_claim,
        case
            when
                entries.entered_date >= claims.period_start_date
                and entries.entered_date < claims.period_end_date
                then 1
            else 0
        end as in_period,
        case
            when
                entries.created_date >= claims.period_start_date
                and entries.created_date < claims.period_end_date
                then 1
            else 0
        end as created_in_period,
        case entries.left_out_reason
            {%- for reason in left_out_reasons %}
            when '{{ reason }}' then claims.counts_{{ reason }}
            {%- endfor %}
            else false
        end
        and case entries.second_reason
            {%- for reason in left_out_reasons %}
            when '{{ reason }}' then claims.counts_{{ reason }}
            {%- endfor %}
            else entries.second_reason is null
        end as is_declared
    from entries
    inner join members on entries.campaign_key = members.campaign_key
    inner join claims
        on
            members.claim_key = claims.claim_key
            and entries.kpi = claims.kpi
            and least(entries.created_date, entries.entered_date) < claims.period_end_date
            and greatest(entries.created_date, entries.entered_date) >= claims.period_start_date

),

lead_differences as (

    select
        claim_key,
        left_out_reason as reason,
        'lead' as entity,
        record_id,
        case when counts_different_date then created_in_period else in_period end as quantity
    from lead_candidates
    where
        left_out_reason is not null
        and is_declared
        and is_history_of_claim
        and (is_counted or counts_repeat_entry)

    union all

    select
        claim_key,
        'below_definition' as reason,
        'lead' as entity,
        record_id,
        case when counting = 'claimed' then in_period else -in_period end as quantity
    from lead_candidates
    where
        left_out_reason is null
        and counts_below_definition
        and counting <> 'any'
        and is_counted

    union all

    select
        claim_key,
        'repeat_entry' as reason,
        'lead' as entity,
        record_id,
        in_period as quantity
    from lead_candidates
    where
        left_out_reason is null
        and counts_repeat_entry
        and is_history_of_claim
        and not is_counted

    union all

    select
        claim_key,
        'different_date' as reason,
        'lead' as entity,
        record_id,
        created_in_period - in_period as quantity
    from lead_candidates
    where
        left_out_reason is null
        and counts_different_date
        and is_history_of_claim
        and (is_counted or counts_repeat_entry)

),

-- In the order of the reasons: what the books count, with today's amount if the claim does, at the
-- other rate if it does.
opportunity_candidates as (

    select
        claims.claim_key,
        claims.counts_different_date,
        opportunities.record_id,
        opportunities.left_out_reason,
        coalesce(opportunities.books_quantity, 0) as books_quantity,
        coalesce(
            case
                when claims.counts_amount_change then opportunities.today_quantity
                else opportunities.books_quantity
            end,
            0
        ) as quantity_of_day,
        coalesce(
            case
                when claims.counts_amount_change and claims.counts_currency_rate
                    then opportunities.other_today_quantity
                when claims.counts_currency_rate then opportunities.other_books_quantity
                when claims.counts_amount_change then opportunities.today_quantity
                else opportunities.books_quantity
            end,
            0
        ) as claimed_quantity,
        case
            when
                opportunities.books_date >= claims.period_start_date
                and opportunities.books_date < claims.period_end_date
                then 1
            else 0
        end as in_period,
        case
            when
                opportunities.other_date >= claims.period_start_date
                and opportunities.other_date < claims.period_end_date
                then 1
            else 0
        end as other_in_period,
        case opportunities.left_out_reason
            when 'duplicate' then claims.counts_duplicate
            when 'deleted' then claims.counts_deleted
            when 'not_new_business' then claims.counts_not_new_business
            when 'merged' then claims.counts_merged
            when 'left_out_by_rule' then claims.counts_left_out_by_rule
            else false
        end as is_declared
    from opportunities
    inner join members on opportunities.campaign_key = members.campaign_key
    inner join claims
        on
            members.claim_key = claims.claim_key
            and opportunities.kpi = claims.kpi
            and least(opportunities.books_date, opportunities.other_date) < claims.period_end_date
            and greatest(opportunities.books_date, opportunities.other_date)
            >= claims.period_start_date

),

opportunity_differences as (

    select
        claim_key,
        left_out_reason as reason,
        'opportunity' as entity,
        record_id,
        claimed_quantity * case when counts_different_date then other_in_period else in_period end
            as quantity
    from opportunity_candidates
    where left_out_reason is not null and is_declared

    union all

    select
        claim_key,
        'amount_change' as reason,
        'opportunity' as entity,
        record_id,
        (quantity_of_day - books_quantity) * in_period as quantity
    from opportunity_candidates
    where left_out_reason is null

    union all

    select
        claim_key,
        'currency_rate' as reason,
        'opportunity' as entity,
        record_id,
        (claimed_quantity - quantity_of_day) * in_period as quantity
    from opportunity_candidates
    where left_out_reason is null

    union all

    select
        claim_key,
        'different_date' as reason,
        'opportunity' as entity,
        record_id,
        claimed_quantity * (other_in_period - in_period) as quantity
    from opportunity_candidates
    where left_out_reason is null and counts_different_date

),

-- What the claim leaves out altogether has no rate to differ in.
spend_candidates as (

    select
        claims.claim_key,
        spend.record_id,
        spend.delta_quantity,
        case
            when claims.counts_credit and spend.is_credit and not spend.is_overhead then 'credit'
            when claims.counts_overhead and spend.is_overhead then 'overhead'
            when
                claims.counts_restatement
                and spend.version_number > 1
                and spend.known_at > claims.claimed_at
                then 'restatement'
            when claims.counts_currency_rate then 'currency_rate'
        end as reason,
        spend.other_delta_quantity
    from spend
    inner join members on spend.campaign_key = members.campaign_key
    inner join claims
        on
            members.claim_key = claims.claim_key
            and claims.kpi = 'budget'
            and spend.spend_date >= claims.period_start_date
            and spend.spend_date < claims.period_end_date

),

spend_differences as (

    select
        claim_key,
        reason,
        'spend' as entity,
        record_id,
        case when reason = 'currency_rate' then coalesce(other_delta_quantity, 0) else 0 end
        - coalesce(delta_quantity, 0) as quantity
    from spend_candidates
    where reason is not null

),

differences as (

    select * from lead_differences

    union all

    select * from opportunity_differences

    union all

    select * from spend_differences

),

summed as (

    select
        claim_key,
        reason,
        entity,
        record_id,
        {{ exact_sum("quantity") }} as quantity
    from differences
    group by claim_key, reason, entity, record_id
    having sum(quantity) <> 0

),

final as (

    select
        -- text
        claims.department,
        claims.metric,
        claims.scope,
        summed.reason,
        summed.entity,
        summed.record_id,
        -- numbers
        cast(
            summed.quantity * case
                when claims.is_money then {{ power_of_ten("-claims.exponent") }}
                else 1
            end as decimal(38, 9)
        ) as value,
        case when claims.is_money then summed.quantity end as value_minor,
        -- times
        claims.period_start_date,
        claims.period_end_date
    from summed
    inner join claims on summed.claim_key = claims.claim_key

)

select * from final
