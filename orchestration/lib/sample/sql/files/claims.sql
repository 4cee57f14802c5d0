with
first_entries as (
    select
        i,
        kind,
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
    from lead
    where len(steps) > 0 and kind not in ('bot', 'competitor')
),

-- Nobody counts what is a second record of another deal, or no new business.
counted_deals as (
    select
        *,
        getvariable('camp_plan_micros')[c + 1]::hugeint
        * getvariable('home_mills')[currency_of(c)] as plan_nanos,
    from deal
    where not is_deleted and origin <> 'duplicate' and deal_kind is null
),

happenings as (
    select
        'marketing' as department,
        'leads' as metric,
        created_s as at_s,
        1::bigint as minor,
    from lead
    where kind not in ('direct', 'bot', 'competitor')
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
        opened_s as at_s,
        -- An amount that nobody knew at first is today's, if anybody knows it by now.
        (
            (2 * coalesce(opened_minor, now.minor) * plan_nanos + 1000000000) // 2000000000
        )::bigint as minor,
    from counted_deals
    union all
    select
        'sales' as department,
        'bookings' as metric,
        stage_s as at_s,
        ((2 * now.minor * plan_nanos + 1000000000) // 2000000000)::bigint as minor,
    from counted_deals
    where now.step = 8
    union all
    select
        'finance' as department,
        'spend' as metric,
        month.start_s as at_s,
        sum(round(at_home(spend.cost_minor, spend.currency, fx.rate)))::bigint as minor,
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
        money(sum(happenings.minor)::bigint, getvariable('reporting_currency')),
        sum(happenings.minor)::bigint
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
