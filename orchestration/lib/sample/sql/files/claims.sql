with
first_entries as (
    select
        i,
        kind,
        amount,
        getvariable('camp_plan_micros')[c + 1] as plan_micros,
        gap,
        created_s,
        -- A stage that was skipped counts as reached. Of a lead without a history the CRM knows
        -- only where it stands, so that is all that anybody can count.
        case
            when not lost_history
                then list_position(
                    list_transform(steps[1:visible], lambda x: x between 2 and 9), true
                )
            when steps[visible] between 2 and 4 then visible
        end as mql_k,
        case
            when not lost_history
                then list_position(
                    list_transform(steps[1:visible], lambda x: x between 3 and 8), true
                )
            when steps[visible] between 3 and 4 then visible
        end as accepted_k,
        if(has_deal and not is_deleted, lead_count + 1, null) as deal_k,
        if(has_deal and not is_deleted and steps[visible] = 8, visible, null) as won_k,
    from lead
    where len(steps) > 0
),

happenings as (
    select
        'marketing' as department,
        'leads' as metric,
        created_s as at_s,
        1::bigint as minor,
    from lead
    where kind <> 'direct'
    union all
    select
        'marketing' as department,
        'mqls' as metric,
        created_s + step_after(i, mql_k, gap) as at_s,
        1 as minor,
    from first_entries
    where mql_k > 0 and kind <> 'direct'
    union all
    select
        'sales' as department,
        'accepted_leads' as metric,
        created_s + step_after(i, accepted_k, gap) as at_s,
        1 as minor,
    from first_entries
    where accepted_k > 0 and kind = 'kept'
    union all
    select
        'sales' as department,
        'pipeline' as metric,
        created_s + step_after(i, deal_k, gap) as at_s,
        (2 * amount_minor(i, deal_k, amount) * plan_micros + 1000000) // 2000000 as minor,
    from first_entries
    where deal_k is not null
    union all
    select
        'sales' as department,
        'bookings' as metric,
        created_s + step_after(i, won_k, gap) as at_s,
        (2 * amount_minor(i, won_k, amount) * plan_micros + 1000000) // 2000000 as minor,
    from first_entries
    where won_k is not null
    union all
    select
        'finance' as department,
        'spend' as metric,
        month.start_s as at_s,
        sum(round(spend.cost_minor * coalesce(fx.rate, 1)))::bigint as minor,
    from spend
    inner join month on spend.month_i = month.month_i
    left join fx on spend.day = fx.day and spend.currency = fx.currency
    where spend.is_current
    group by month.month_i, month.start_s
)

select
    happenings.department,
    happenings.metric,
    period.period_start,
    period.period_end,
    'company' as scope,
    if(
        happenings.metric in ('pipeline', 'bookings', 'spend'),
        money(sum(happenings.minor)::bigint),
        sum(happenings.minor)::bigint::decimal(18, 2)
    ) as value,
    if(
        happenings.metric in ('pipeline', 'bookings', 'spend'),
        getvariable('reporting_currency'),
        null
    ) as currency,
    at_second(getvariable('as_of_s')) as as_of,
from period
inner join happenings on happenings.at_s >= period.start_s and happenings.at_s < period.end_s
group by happenings.department, happenings.metric, period.period_start, period.period_end
order by period.period_start, period.period_end, happenings.department, happenings.metric
