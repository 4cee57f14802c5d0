-- The landed rows of contact roles: which opportunity and contact they are about after merges, and
-- what became of them.
-- Grain: landed row (_feed, _load, _line).
-- The first that holds: the same opportunity and contact loaded again (the newest load counts, then
-- the line furthest down); no such opportunity; its opportunity or its contact is not in the books.
-- A contact that no source delivers has its role all the same.

with

contact_roles as (

    select * from {{ ref("stg_landed__contact_role") }}

),

delivered as (

    select distinct opportunity_id
    from {{ ref("stg_landed__opportunity") }}

),

kept_opportunities as (

    select * from {{ ref("int_opportunity") }}

),

left_out_contacts as (

    select contact_id
    from {{ ref("int_contact__left_out") }}
    where disposition = 'excluded'

),

merge_map as (

    select * from {{ ref("int_merge") }}
    where survivor_id is not null

),

ranked as (

    select
        *,
        row_number() over (
            partition by opportunity_id, contact_id
            order by _loaded_at desc, _load desc, _line desc, _feed asc, _file asc
        ) as recency
    from contact_roles

),

resolved as (

    select
        ranked._feed,
        ranked._load,
        ranked._file,
        ranked._line,
        ranked.recency,
        coalesce(opportunity_merges.survivor_id, ranked.opportunity_id) as opportunity_id,
        coalesce(contact_merges.survivor_id, ranked.contact_id) as contact_id,
        ranked.role,
        coalesce(ranked.is_primary, false) as is_primary
    from ranked
    left join merge_map as opportunity_merges
        on
            opportunity_merges.entity = 'opportunity'
            and ranked.opportunity_id = opportunity_merges.record_id
    left join merge_map as contact_merges
        on
            contact_merges.entity = 'contact'
            and ranked.contact_id = contact_merges.record_id

),

judged as (

    select
        resolved.*,
        case
            when resolved.recency > 1 then 'same role loaded again'
            when delivered.opportunity_id is null then 'no such opportunity'
            when kept_opportunities.opportunity_id is null
                then 'its opportunity is not in the books'
            when left_out_contacts.contact_id is not null then 'its contact is not in the books'
        end as problem
    from resolved
    left join kept_opportunities
        on resolved.opportunity_id = kept_opportunities.opportunity_id
    left join delivered on resolved.opportunity_id = delivered.opportunity_id
    left join left_out_contacts on resolved.contact_id = left_out_contacts.contact_id

),

final as (

    select
        _feed,
        _load,
        _file,
        _line,
        opportunity_id,
        contact_id,
        role,
        case
            when problem is null then 'kept'
            when recency > 1 then 'merged'
            else 'excluded'
        end as disposition,
        coalesce(problem, 'in the books') as reason,
        is_primary
    from judged

)

select * from final
