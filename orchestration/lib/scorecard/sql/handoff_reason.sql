-- What became of the month's MQLs that Sales did not accept, by the reason its system gives; the most
-- leads first, at most twelve.
with months as (
    select
        coalesce(
            max(handoff.month_start_date) filter (
                where handoff.month_start_date <= run.as_of_date - 7
            ),
            min(handoff.month_start_date)
        ) as month_start_date
    from rpt_handoff__owner_month as handoff
    cross join audit.run
)

select
    outcome.outcome,
    outcome.reason,
    outcome.leads,
    outcome.amount_minor
from rpt_handoff_outcome__owner_month as outcome
inner join months on outcome.month_start_date = months.month_start_date
where outcome.side = 'both' and outcome.outcome not in ('accepted', 'waiting')
order by outcome.leads desc, outcome.outcome, outcome.reason
limit 12
