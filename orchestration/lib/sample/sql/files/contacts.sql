-- Converted leads (0), colleagues whom only Sales knows (2, 3), a second record of somebody (4). One
-- scan and no union: several threads would deliver its parts in any order.
with
numbered as (
    select
        *,
        created_s + step_after(i, list_position(steps, 4), gap) as converted_s,
        created_s + step_after(i, lead_count + 1, gap) as opened_s,
        unnest([0, 2, 3, 4]) as n,
    from lead
    where
        kind <> 'direct'
        and visible >= lead_count
        and list_contains(steps, 4)
)

select
    contact_name(related(i, n)) as contact_id,
    at_second(case n
        when 0 then converted_s
        when 4 then created_s
        else opened_s - n * 3600
    end) as created_at,
    case n
        when 0 then email_of(person_i, kind)
        when 4 then upper(email_of(person_i, kind))
        else email_of(related(i, n), 'kept')
    end as email,
    company_of(person_i) as account,
    pick(getvariable('owners'), 'owner', i) as owner,
from numbered
where
    n = 0
    or (n = 4 and has_second_contact(i))
    or (n in (2, 3) and has_deal and n - 2 < colleagues_of(i))
