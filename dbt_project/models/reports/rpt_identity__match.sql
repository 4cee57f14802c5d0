-- How many records found their person and their account, how, and how many did not.
-- Grain: entity, party, match_method.
-- Merged records are counted with their survivors, once. Buckets that are empty are shown: what was
-- not matched must be seen to be nothing.

with

records as (

    select * from {{ ref("int_person__record") }}
    where record_id = survivor_id

),

touches as (

    select * from {{ ref("int_touch") }}

),

opportunities as (

    select * from {{ ref("int_opportunity") }}

),

opportunity_persons as (

    select * from {{ ref("int_opportunity__person") }}

),

with_person as (

    select
        opportunity_id,
        min(person_id) as person_id
    from opportunity_persons
    group by opportunity_id

),

matched as (

    select
        entity,
        'person' as party,
        case when is_ambiguous then 'ambiguous' else match_method end as match_method,
        person_id as party_id
    from records

    union all

    select
        entity,
        'account' as party,
        case when is_account_ambiguous then 'ambiguous' else account_match_method end
            as match_method,
        account_id as party_id
    from records

    union all

    select
        'touch' as entity,
        'person' as party,
        case when is_ambiguous then 'ambiguous' else match_method end as match_method,
        person_id as party_id
    from touches

    union all

    select
        'touch' as entity,
        'account' as party,
        account_match_method as match_method,
        account_id as party_id
    from touches

    union all

    select
        'opportunity' as entity,
        'person' as party,
        case when with_person.person_id is null then 'none' else 'id' end as match_method,
        with_person.person_id as party_id
    from opportunities
    left join with_person on opportunities.opportunity_id = with_person.opportunity_id

    union all

    select
        'opportunity' as entity,
        'account' as party,
        case
            when account_id is null then 'none'
            when {{ account_key("account") }} is null then 'person'
            else 'id'
        end as match_method,
        account_id as party_id
    from opportunities

),

counted as (

    select
        entity,
        party,
        match_method,
        count(*) as records,
        count(distinct party_id) as parties
    from matched
    group by entity, party, match_method

),

{%- set ambiguous = {
    ("lead", "person"): true, ("lead", "account"): true, ("contact", "person"): true,
    ("contact", "account"): true, ("touch", "person"): true, ("touch", "account"): false,
    ("opportunity", "person"): false, ("opportunity", "account"): false,
} %}

buckets as (

    {%- for (entity, party), may_be_ambiguous in ambiguous.items() %}
    {%- for bucket in ["none", "ambiguous"] if bucket == "none" or may_be_ambiguous %}

    select
        '{{ entity }}' as entity,
        '{{ party }}' as party,
        '{{ bucket }}' as match_method
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

),

final as (

    select
        coalesce(counted.entity, buckets.entity) as entity,
        coalesce(counted.party, buckets.party) as party,
        coalesce(counted.match_method, buckets.match_method) as match_method,
        coalesce(counted.match_method, buckets.match_method) not in ('none', 'ambiguous')
            as is_matched,
        coalesce(counted.records, 0) as records,
        coalesce(counted.parties, 0) as parties
    from counted
    full outer join buckets
        on
            counted.entity = buckets.entity
            and counted.party = buckets.party
            and counted.match_method = buckets.match_method

)

select * from final
