-- What platforms restated of the cohort's spend, by the day the books learnt of it.
select
    cast(posted_at as date) as posted_date,
    kind,
    from_stage,
    to_stage,
    count(*) as entries,
    cast(sum(amount_minor) as bigint) as amount_minor,
    count(*) over () as all_rows
from fct_dollar_journal__entry
where
    campaign_key = $campaign
    and cohort_start_date = $cohort
    and kind in ('restatement', 'restated_share')
group by all
order by posted_date, kind, from_stage, to_stage
limit $page_rows offset $page_skip
