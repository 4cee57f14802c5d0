-- The lead's dollars: what came to it, and each move.
select
    posted_at,
    occurred_at,
    kind,
    from_stage,
    to_stage,
    amount_minor,
    case when is_provisional then 'provisional' else 'final' end as standing,
    count(*) over () as all_rows
from fct_dollar_journal__entry
where lead_id = $lead
order by posted_at, entry_id
limit $page_rows offset $page_skip
