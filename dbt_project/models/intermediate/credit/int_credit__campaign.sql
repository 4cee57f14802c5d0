-- The campaigns by number, with the channel that the models of credit go by: paths are long, and
-- numbers are shorter than names.
-- Grain: campaign_number (and campaign_key).

with

campaigns as (

    select * from {{ ref("int_campaign") }}

),

final as (

    select
        row_number() over (
            order by campaign_key
        ) as campaign_number,
        campaign_key,
        coalesce(channel, source) as channel
    from campaigns

)

select * from final
