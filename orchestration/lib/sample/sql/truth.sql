-- How far each lead got by as_of (`reached`, `told`) and will get in the end (`eventually`).
-- A lead whose opportunity was deleted stands where it stood before.
create view lead_truth as
with
told as (
    select
        lead.*,
        camp.campaign_key,
        month.month,
        if(lead.is_deleted, least(lead.visible, lead.lead_count), lead.visible) as told,
    from lead
    inner join camp on lead.c = camp.c
    inner join month on lead.month_i = month.month_i
    where lead.kind <> 'direct'
)

select
    *,
    coalesce(list_max(list_filter(steps[1:told], lambda x: x <= 8)), 1) as reached,
    if(told = 0 or steps[told] = 9, 1, steps[told]) as last_step,
    coalesce(list_max(list_filter(steps, lambda x: x <= 8)), 1) as eventually,
from told;
