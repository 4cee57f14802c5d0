-- Who has a part in a deal that a lead became; of some deals nobody has said.
with
named as (
    select
        *,
        unnest([0, 1, 2, 3]) as n,
    from deal
    where
        origin = 'own'
        and not is_direct
        and rate_of('contact_roles') > 0
        and draw('roles', i, 10) >= 2
)

select
    opportunity_name(o) as opportunity_id,
    contact_name(related(i, n)) as contact_id,
    if(n = 0, 'Champion', pick(getvariable('roles'), 'role', i * 4 + n)) as role,
    n = 0 as is_primary,
from named
where n = 0 or (n = 1 and is_shared_deal(i)) or (n >= 2 and n - 2 < colleagues_of(i))
