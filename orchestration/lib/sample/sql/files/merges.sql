select
    'lead' as entity,
    lead_name(i) as record_id,
    lead_name(person_i) as merged_into,
    at_second(least(created_s + 90000, getvariable('as_of_s'))) as merged_at,
from lead
where is_merge_stated(i, kind)
union all
select
    'contact' as entity,
    contact_name(related(i, 4)) as record_id,
    contact_name(i) as merged_into,
    at_second(least(
        created_s + step_after(i, list_position(steps, 4), gap) + 86400,
        getvariable('as_of_s')
    )) as merged_at,
from lead
where
    kind <> 'direct'
    and visible >= lead_count
    and list_contains(steps, 4)
    and has_second_contact(i)
union all
select
    'opportunity' as entity,
    opportunity_name(o) as record_id,
    opportunity_name(i) as merged_into,
    at_second(merged_s) as merged_at,
from deal
where origin = 'duplicate'
order by entity, record_id
