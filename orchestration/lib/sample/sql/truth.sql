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
),

-- All steps by as_of: of the second lead of a deal, those of the opportunity that it shares too.
joined as (
    select
        *,
        coalesce(shares.visible > shares.lead_count, false) and not is_deleted as is_joined,
        steps[1:told]
        || if(is_joined, shares.steps[shares.lead_count + 1:shares.visible], []) as taken,
    from told
)

select
    *,
    coalesce(list_max(list_filter(taken, lambda x: x <= 8)), 1) as reached,
    if(len(taken) = 0 or taken[-1] = 9, 1, taken[-1]) as last_step,
    coalesce(
        list_max(list_filter(coalesce(shares.steps, steps), lambda x: x <= 8)), 1
    ) as eventually,
    case
        when has_deal then opportunity_name(i)
        when shares.visible > shares.lead_count then opportunity_name(shares.i)
    end as opportunity_id,
from joined;
