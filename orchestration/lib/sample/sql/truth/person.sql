-- Who is behind each lead and contact. `has_shared_mailbox`: the address is not theirs alone, so it
-- does not tell.
select
    'lead' as entity,
    lead_name(i) as record_id,
    lead_name(person_i) as person,
    has_shared_mailbox(person_i, kind) as has_shared_mailbox,
from lead
where kind <> 'direct'
union all
select
    'contact' as entity,
    contact_name(related(i, second * 4)) as record_id,
    lead_name(person_i) as person,
    has_shared_mailbox(person_i, kind) as has_shared_mailbox,
from (
    select
        *,
        unnest(range(if(has_second_contact(i), 2, 1))) as second,
    from lead
    where kind <> 'direct' and visible >= lead_count and list_contains(steps, 4)
)
union all
select
    'contact' as entity,
    contact_name(related(i, n + 2)) as record_id,
    contact_name(related(i, n + 2)) as person,
    has_shared_mailbox(related(i, n + 2), 'kept') as has_shared_mailbox,
from (
    select
        *,
        unnest(range(colleagues_of(i))) as n,
    from deal
    where origin = 'own' and not is_direct
)
order by entity, record_id
