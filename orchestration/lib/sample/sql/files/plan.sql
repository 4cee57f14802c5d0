with
company as (
    select
        expected.period_start,
        expected.period_end,
        sum(expected.leads)::bigint as leads,
        any_value(cost.cost_minor) as cost_minor,
    from expected
    inner join (
        select
            month_i,
            sum(cost_minor)::bigint as cost_minor,
        from expected_cost
        group by month_i
    ) as cost on expected.month_i = cost.month_i
    group by expected.period_start, expected.period_end
),

promised as (
    select
        period_start,
        period_end,
        leads::decimal(18, 6) as leads,
        money(cost_minor)::decimal(18, 6) as budget,
        0.3::decimal(18, 6) as lead_mql,
        0.55::decimal(18, 6) as mql_sal,
        0.6::decimal(18, 6) as sal_sql,
        0.6::decimal(18, 6) as sql_opportunity,
        0.3::decimal(18, 6) as won,
        24000::decimal(18, 6) as acv,
        (leads * 0.3::decimal(3, 2))::decimal(18, 6) as mqls,
    from company
    where getvariable('scenario') <> 'mirage'
    union all
    select
        min(month) as period_start,
        max(month_end) as period_end,
        getvariable('leads')::decimal(18, 6) as leads,
        money(getvariable('mirage_spend_minor'))::decimal(18, 6) as budget,
        (getvariable('mirage_mqls') / getvariable('leads'))::decimal(18, 6) as lead_mql,
        0.4::decimal(18, 6) as mql_sal,
        0.5::decimal(18, 6) as sal_sql,
        0.5::decimal(18, 6) as sql_opportunity,
        0.25::decimal(18, 6) as won,
        100000::decimal(18, 6) as acv,
        getvariable('mirage_mqls')::decimal(18, 6) as mqls,
    from month
    having getvariable('scenario') = 'mirage'
),

multiplied as (
    select
        *,
        (mqls::decimal(12, 2) * mql_sal::decimal(3, 2))::decimal(18, 6) as sals,
        (mqls::decimal(12, 2) * mql_sal::decimal(3, 2) * sal_sql::decimal(3, 2))::decimal(18, 6)
            as sqls,
        (
            mqls::decimal(12, 2) * mql_sal::decimal(3, 2) * sal_sql::decimal(3, 2)
            * sql_opportunity::decimal(3, 2)
        )::decimal(18, 6) as opportunities,
    from promised
),

metrics as (
    select
        period_start,
        period_end,
        'company' as scope,
        unnest([
            {'n': 1, 'metric': 'budget', 'value': budget, 'is_money': true, 'days': null,
                'owner': 'VP Finance', 'tolerance': 5},
            {'n': 2, 'metric': 'leads', 'value': leads, 'is_money': false, 'days': null,
                'owner': 'VP Marketing', 'tolerance': 10},
            {'n': 3, 'metric': 'cost_per_lead',
                'value': round(budget / nullif(leads, 0), 6)::decimal(18, 6), 'is_money': true,
                'days': null, 'owner': 'VP Marketing', 'tolerance': 10},
            {'n': 4, 'metric': 'rate_lead_mql', 'value': lead_mql, 'is_money': false, 'days': 14,
                'owner': 'Demand Generation Lead', 'tolerance': 10},
            {'n': 5, 'metric': 'mqls', 'value': mqls, 'is_money': false, 'days': null,
                'owner': 'VP Marketing', 'tolerance': 10},
            {'n': 6, 'metric': 'rate_mql_sal', 'value': mql_sal, 'is_money': false, 'days': 14,
                'owner': 'RevOps Lead', 'tolerance': 10},
            {'n': 7, 'metric': 'sals', 'value': sals, 'is_money': false, 'days': null,
                'owner': 'RevOps Lead', 'tolerance': 10},
            {'n': 8, 'metric': 'rate_sal_sql', 'value': sal_sql, 'is_money': false, 'days': 21,
                'owner': 'Sales Development Lead', 'tolerance': 10},
            {'n': 9, 'metric': 'sqls', 'value': sqls, 'is_money': false, 'days': null,
                'owner': 'Sales Development Lead', 'tolerance': 10},
            {'n': 10, 'metric': 'rate_sql_opportunity', 'value': sql_opportunity,
                'is_money': false, 'days': 21, 'owner': 'VP Sales', 'tolerance': 10},
            {'n': 11, 'metric': 'opportunities', 'value': opportunities, 'is_money': false,
                'days': null, 'owner': 'VP Sales', 'tolerance': 10},
            {'n': 12, 'metric': 'acv', 'value': acv, 'is_money': true, 'days': null,
                'owner': 'VP Sales', 'tolerance': 10},
            {'n': 13, 'metric': 'pipeline',
                'value': (opportunities::decimal(12, 6) * acv::decimal(6, 0))::decimal(18, 6),
                'is_money': true, 'days': null, 'owner': 'VP Sales', 'tolerance': 10},
            {'n': 14, 'metric': 'rate_opportunity_won', 'value': won, 'is_money': false,
                'days': 60, 'owner': 'VP Sales', 'tolerance': 10},
            {'n': 15, 'metric': 'bookings',
                'value': (
                    opportunities::decimal(12, 6) * acv::decimal(6, 0) * won::decimal(3, 2)
                )::decimal(18, 6),
                'is_money': true, 'days': null, 'owner': 'VP Sales', 'tolerance': 10},
            {'n': 16, 'metric': 'cycle_days', 'value': 30, 'is_money': false, 'days': null,
                'owner': 'VP Sales', 'tolerance': 20}
        ], recursive := true),
    from multiplied
    union all
    select
        period_start,
        period_end,
        'channel:' || channel as scope,
        17 as n,
        'leads' as metric,
        leads::decimal(18, 6) as value,
        false as is_money,
        null as days,
        'VP Marketing' as owner,
        10 as tolerance,
    from expected
    where getvariable('scenario') <> 'mirage'
    union all
    select
        month.month as period_start,
        month.month_end as period_end,
        'channel:' || expected_cost.channel as scope,
        18 as n,
        'budget' as metric,
        money(expected_cost.cost_minor)::decimal(18, 6) as value,
        true as is_money,
        null as days,
        'VP Finance' as owner,
        5 as tolerance,
    from expected_cost
    inner join month on expected_cost.month_i = month.month_i
    where getvariable('scenario') <> 'mirage'
)

select
    period_start,
    period_end,
    scope,
    metric,
    value,
    if(is_money, getvariable('reporting_currency'), null) as currency,
    days as window_days,
    owner,
    tolerance::decimal(18, 2) as tolerance_pct,
    30 as cadence_days,
from metrics
where value is not null
order by period_start, scope = 'company' desc, scope, n
