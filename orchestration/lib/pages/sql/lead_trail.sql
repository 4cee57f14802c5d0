-- Every stage the lead was in, how long, and who moved it.
select
    trail.entry_number,
    trail.stage,
    trail.entered_at,
    trail.left_at,
    round(
        epoch(
            coalesce(trail.left_at, case when not stage.is_terminal then publication.as_of end)
            - trail.entered_at
        ) / 3600.0,
        1
    ) as stayed_hours,
    trail.actor,
    trail.reason,
    trail.raw_status,
    trail.origin,
    case when trail.is_time_estimated then 'estimated' end as time_is
from fct_lead_stage__interval as trail
inner join dim_stage as stage on trail.stage = stage.stage
cross join meta.publication as publication
where trail.lead_id = $lead
order by trail.entry_number
