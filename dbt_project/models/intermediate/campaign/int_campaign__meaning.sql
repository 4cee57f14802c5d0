-- What the company says that spellings of sources and campaigns mean, and when.
-- Grain: landed row of campaign_names.
-- `(any)` stands for every campaign of a source. The same spelling and first day in a newer load of
-- the same feed replaces the older row; else, two rows that hold at the same time and mean
-- different campaigns contradict each other: on those days neither counts (int_campaign__name).

with

campaign_names as (

    select * from {{ ref("stg_landed__campaign_name") }}

),

keyed as (

    select
        *,
        coalesce({{ match_key("source") }}, '(unknown)') as source_match,
        coalesce({{ match_key("campaign") }}, '(any)') as campaign_match,
        {{ match_key("means_source") }} as means_source_match,
        {{ match_key("means_campaign") }} as means_campaign_match,
        coalesce(valid_from, cast('0001-01-01' as date)) as holds_from,
        coalesce(valid_to, cast('9999-12-31' as date)) as holds_to
    from campaign_names

),

ranked as (

    select
        *,
        max(_load) over (
            partition by _feed, source_match, campaign_match, holds_from
        ) as newest_load,
        row_number() over (
            partition by
                _feed,
                _load,
                source_match,
                campaign_match,
                holds_from,
                holds_to,
                means_source_match,
                means_campaign_match
            order by _line desc
        ) as repetition
    from keyed

),

final as (

    select
        _feed as feed,
        trim(source) as source,
        trim(campaign) as campaign,
        trim(means_source) as means_source,
        nullif(trim(means_campaign), '') as means_campaign,
        source_match,
        campaign_match,
        means_source_match,
        means_campaign_match,
        case
            when means_source_match is null then 'it means no source'
            when holds_from >= holds_to then 'it holds on no day'
            when _load < newest_load or repetition > 1 then 'stated again'
            else 'counts'
        end as standing,
        holds_from as valid_from,
        holds_to as valid_to,
        _load,
        _file,
        _line
    from ranked

)

select * from final
