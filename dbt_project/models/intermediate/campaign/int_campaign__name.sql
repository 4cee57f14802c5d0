-- Every way in which a source and a campaign are spelt, and what they have in common with others.
-- Grain: entity, source, campaign, kind (as delivered), valid_from.
-- A lead or touch without a source or campaign takes the one of its UTM parameters. A row without
-- any source takes the source of its campaign if exactly one source is known to run a campaign of
-- that name. Then the company's own names (int_campaign__meaning) say what it means, day by day:
-- the meaning of exactly this spelling, else that of its source and then of this campaign there.
-- Where two meanings contradict each other, it means what it says and is flagged. The list of
-- campaigns has no days: it means what it means at as_of.

with

campaigns as (

    select * from {{ ref("stg_landed__campaign") }}

),

spend as (

    select * from {{ ref("stg_landed__spend") }}

),

leads as (

    select * from {{ ref("stg_landed__lead") }}

),

touches as (

    select * from {{ ref("stg_landed__touch") }}

),

opportunities as (

    select * from {{ ref("stg_landed__opportunity") }}

),

meanings as (

    select * from {{ ref("int_campaign__meaning") }}
    where standing = 'counts'

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

spellings as (

    select distinct
        'campaign' as entity,
        1 as precedence,
        source,
        campaign,
        'media' as kind
    from campaigns

    union all

    -- A meaning names a campaign too, but nothing belongs to it by that.
    select distinct
        'campaign_name' as entity,
        2 as precedence,
        means_source as source,
        means_campaign as campaign,
        'media' as kind
    from meanings

    union all

    select distinct
        'spend' as entity,
        3 as precedence,
        source,
        campaign,
        case when kind = 'overhead' then 'overhead' else 'media' end as kind
    from spend

    union all

    select distinct
        'lead' as entity,
        4 as precedence,
        coalesce(source, utm_source) as source,
        coalesce(campaign, utm_campaign) as campaign,
        'media' as kind
    from leads

    union all

    select distinct
        'touch' as entity,
        5 as precedence,
        coalesce(source, utm_source) as source,
        coalesce(campaign, utm_campaign) as campaign,
        'media' as kind
    from touches

    union all

    select distinct
        'opportunity' as entity,
        6 as precedence,
        source,
        campaign,
        'media' as kind
    from opportunities

),

with_keys as (

    select
        entity,
        precedence,
        source,
        campaign,
        kind,
        {{ match_key("source") }} as own_source_match,
        -- Overhead belongs to no campaign, whatever its row says; nor is a bucket's name one.
        case
            when kind = 'media' then nullif({{ match_key("campaign") }}, '(no_campaign)')
        end as campaign_match
    from spellings

),

known as (

    select
        own_source_match as source_match,
        campaign_match
    from with_keys
    where entity in ('campaign', 'spend') and campaign_match is not null

    union distinct

    select
        source_match,
        campaign_match
    from meanings
    where campaign_match not in ('(any)', '(no_campaign)')

),

run_by_one_source as (

    select
        campaign_match,
        min(source_match) as source_match
    from known
    group by campaign_match
    having count(*) = 1

),

spelt as (

    select
        with_keys.*,
        coalesce(with_keys.own_source_match, run_by_one_source.source_match, '(unknown)')
            as spelt_source_match,
        case
            when with_keys.kind = 'overhead' then '(overhead)'
            else coalesce(with_keys.campaign_match, '(no_campaign)')
        end as spelt_campaign_match
    from with_keys
    left join run_by_one_source
        on
            with_keys.campaign_match = run_by_one_source.campaign_match
            and with_keys.own_source_match is null

),

-- From here on only the spellings whose source has a meaning: none, where nothing is declared.
with_meaning as (

    select distinct
        spelt.spelt_source_match,
        spelt.spelt_campaign_match
    from spelt
    inner join meanings on spelt.spelt_source_match = meanings.source_match
    where spelt.entity <> 'campaign_name'

),

of_source as (

    select * from meanings
    where campaign_match = '(any)'

),

applicable as (

    select
        with_meaning.*,
        meanings.valid_from,
        meanings.valid_to
    from with_meaning
    inner join meanings
        on
            with_meaning.spelt_source_match = meanings.source_match
            and meanings.campaign_match in (with_meaning.spelt_campaign_match, '(any)')

    union all

    select
        with_meaning.*,
        meanings.valid_from,
        meanings.valid_to
    from with_meaning
    inner join of_source on with_meaning.spelt_source_match = of_source.source_match
    inner join meanings
        on
            of_source.means_source_match = meanings.source_match
            and with_meaning.spelt_campaign_match = meanings.campaign_match

),

changes as (

    select
        spelt_source_match,
        spelt_campaign_match,
        cast('0001-01-01' as date) as change_date
    from applicable

    union distinct

    select
        spelt_source_match,
        spelt_campaign_match,
        valid_from as change_date
    from applicable

    union distinct

    select
        spelt_source_match,
        spelt_campaign_match,
        valid_to as change_date
    from applicable
    where valid_to < cast('9999-12-31' as date)

),

periods as (

    select
        spelt_source_match,
        spelt_campaign_match,
        change_date as valid_from,
        lead(change_date, 1, cast('9999-12-31' as date)) over (
            partition by spelt_source_match, spelt_campaign_match
            order by change_date
        ) as valid_to
    from changes

),

weighed as (

    select
        periods.spelt_source_match,
        periods.spelt_campaign_match,
        {%- for meaning in ["exact", "there", "of_source"] %}
        {%- set said = meaning ~ ".means_source_match || '/' || coalesce("
            ~ meaning ~ ".means_campaign_match, '')" %}
        min({{ meaning }}.means_source_match) as {{ meaning }}_source_match,
        min(coalesce({{ meaning }}.means_campaign_match, '')) as {{ meaning }}_campaign_match,
        coalesce(min({{ said }}) <> max({{ said }}), false) as is_{{ meaning }}_ambiguous,
        {%- endfor %}
        periods.valid_from,
        periods.valid_to
    from periods
    left join meanings as exact
        on
            periods.spelt_source_match = exact.source_match
            and periods.spelt_campaign_match = exact.campaign_match
            and periods.valid_from >= exact.valid_from
            and periods.valid_from < exact.valid_to
    left join of_source
        on
            periods.spelt_source_match = of_source.source_match
            and periods.valid_from >= of_source.valid_from
            and periods.valid_from < of_source.valid_to
    left join meanings as there
        on
            of_source.means_source_match = there.source_match
            and periods.spelt_campaign_match = there.campaign_match
            and periods.valid_from >= there.valid_from
            and periods.valid_from < there.valid_to
    group by
        periods.spelt_source_match,
        periods.spelt_campaign_match,
        periods.valid_from,
        periods.valid_to

),

judged as (

    select
        *,
        case
            when exact_source_match is not null then is_exact_ambiguous
            else is_of_source_ambiguous or is_there_ambiguous
        end as is_ambiguous,
        case
            when exact_source_match is not null then exact_source_match
            when there_source_match is not null then there_source_match
            else of_source_source_match
        end as means_source_match,
        case
            when exact_source_match is not null then exact_campaign_match
            when there_source_match is not null then there_campaign_match
            else of_source_campaign_match
        end as means_campaign_match
    from weighed

),

decided as (

    select
        spelt_source_match,
        spelt_campaign_match,
        case
            when is_ambiguous then spelt_source_match
            else coalesce(means_source_match, spelt_source_match)
        end as source_match,
        case
            when is_ambiguous or means_source_match is null or means_campaign_match = ''
                then spelt_campaign_match
            else means_campaign_match
        end as campaign_match,
        is_ambiguous,
        valid_from,
        valid_to
    from judged

),

dated as (

    select
        spelt.entity,
        spelt.precedence,
        spelt.source,
        spelt.campaign,
        spelt.kind,
        spelt.own_source_match,
        spelt.campaign_match as own_campaign_match,
        coalesce(decided.source_match, spelt.spelt_source_match) as source_match,
        case
            when spelt.kind = 'overhead' then null
            when decided.source_match is null then spelt.campaign_match
            else nullif(decided.campaign_match, '(no_campaign)')
        end as campaign_match,
        coalesce(decided.is_ambiguous, false) as is_ambiguous,
        coalesce(decided.valid_from, cast('0001-01-01' as date)) as valid_from,
        coalesce(decided.valid_to, cast('9999-12-31' as date)) as valid_to
    from spelt
    left join decided
        on
            spelt.spelt_source_match = decided.spelt_source_match
            and spelt.spelt_campaign_match = decided.spelt_campaign_match
            and spelt.entity <> 'campaign_name'

),

final as (

    select
        dated.entity,
        dated.precedence,
        dated.source,
        dated.campaign,
        dated.kind,
        dated.source_match,
        dated.campaign_match,
        dated.own_source_match is not null as has_source,
        -- Spellings of what it means; those of something else do not name it.
        coalesce(dated.own_source_match = dated.source_match, false) as is_spelling_of_source,
        coalesce(dated.own_campaign_match = dated.campaign_match, false)
            as is_spelling_of_campaign,
        dated.is_ambiguous,
        case
            when dated.entity = 'campaign' then cast('0001-01-01' as date)
            else dated.valid_from
        end as valid_from,
        case
            when dated.entity = 'campaign' then cast('9999-12-31' as date)
            else dated.valid_to
        end as valid_to
    from dated
    cross join run_parameter
    where
        dated.entity <> 'campaign'
        or (
            {{ local_date("run_parameter.as_of", "run_parameter.time_zone") }} >= dated.valid_from
            and {{ local_date("run_parameter.as_of", "run_parameter.time_zone") }} < dated.valid_to
        )

)

select * from final
