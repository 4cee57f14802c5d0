-- What each opportunity was after each change that somebody recorded: a pipeline waterfall of any
-- period, in native currency, is a difference of sums over this. Owners are null where a change
-- did not say.
with
stepped as (
    select
        *,
        unnest(seen) as event,
    from deal
    where origin <> 'duplicate' and not is_deleted
)

select
    opportunity_name(stepped.o) as opportunity_id,
    row_number() over (partition by stepped.o order by stepped.event.at_s) as version_number,
    at_second(stepped.event.at_s) as valid_from,
    getvariable('stage_names')[stepped.event.step] as stage,
    stepped.event.minor as amount_minor,
    camp.currency,
    stepped.event.close_date as close_date,
    stepped.event.owner as owner,
from stepped
inner join camp on stepped.c = camp.c
order by opportunity_id, version_number
