-- The list of campaigns, row by row, with the campaign that each row is about.
-- Grain: landed row of campaigns.
-- The same campaign listed twice: the newest load counts (`recency` 1), then the line furthest
-- down.

with

campaigns as (

    select * from {{ ref("stg_landed__campaign") }}

),

matches as (

    select * from {{ ref("int_campaign__match") }}
    where entity = 'campaign'

),

final as (

    select
        campaigns._feed as feed,
        matches.campaign_key,
        campaigns.channel,
        campaigns.segment,
        row_number() over (
            partition by matches.campaign_key
            order by
                campaigns._loaded_at desc,
                campaigns._load desc,
                campaigns._line desc,
                campaigns._feed asc,
                campaigns._file asc
        ) as recency,
        campaigns.started_on,
        campaigns.ended_on
    from campaigns
    inner join matches
        on
            campaigns.source = matches.source
            and campaigns.campaign = matches.campaign

)

select * from final
