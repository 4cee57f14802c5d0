-- What became of every landed row, with the reason: law B6 adds these up against the raw files.
-- Grain: feed, table_name, disposition, reason.
-- Dispositions: kept, merged, excluded, superseded (by a newer version of the same figure),
-- quarantined (could not be read; never landed).

with

loads as (

    select * from {{ ref("stg_landed__load") }}

),

mapping_exclusions as (

    select * from {{ ref("stg_landed__disposition") }}

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

landed_versions as (

    select * from {{ ref("int_spend__landed_version") }}

),

versions as (

    select * from {{ ref("int_spend__version") }}

),

lead_dispositions as (

    select * from {{ ref("int_lead__disposition") }}

),

lead_events as (

    select * from {{ ref("stg_landed__lead_event") }}

),

opportunity_dispositions as (

    select * from {{ ref("int_opportunity__disposition") }}

),

opportunity_events as (

    select * from {{ ref("stg_landed__opportunity_event") }}

),

not_landed as (

    select
        feed,
        table_name,
        'quarantined' as disposition,
        'could not be read' as reason,
        {{ exact_sum("quarantined_rows") }} as rows
    from loads
    group by feed, table_name

    union all

    select
        feed,
        table_name,
        'excluded' as disposition,
        reason,
        {{ exact_sum("rows") }} as rows
    from mapping_exclusions
    group by feed, table_name, reason

),

spend_standing as (

    select
        landed_versions.feed,
        landed_versions.landed_rows,
        case
            when versions.is_current then 'kept'
            when versions.feed is not null or landed_versions.is_superseded then 'superseded'
            else 'excluded'
        end as disposition,
        case
            when versions.is_current then 'in the books'
            when versions.feed is not null or landed_versions.is_superseded
                then 'restated by a later version'
            when
                landed_versions.spend_date
                > {{ local_date("run_parameter.as_of", "run_parameter.time_zone") }}
                then 'dated after as_of'
            else 'known only after as_of'
        end as reason
    from landed_versions
    cross join run_parameter
    left join versions
        on
            landed_versions.feed = versions.feed
            and landed_versions.stream = versions.stream
            and landed_versions.source = versions.source
            and landed_versions.account = versions.account
            and landed_versions.campaign_key = versions.campaign_key
            and landed_versions.spend_date = versions.spend_date
            and landed_versions.currency = versions.currency
            and landed_versions.kind = versions.kind
            and landed_versions.version_at = versions.known_at
            and landed_versions.load_number = versions.load_number
            and not landed_versions.is_superseded
            and not versions.is_withdrawal
    where landed_versions.landed_rows > 0

),

spend_rows as (

    select
        feed,
        'spend' as table_name,
        disposition,
        reason,
        {{ exact_sum("landed_rows") }} as rows
    from spend_standing
    group by feed, disposition, reason

),

lead_rows as (

    select
        feed,
        'leads' as table_name,
        disposition,
        coalesce(reason, 'in the books') as reason,
        count(*) as rows
    from lead_dispositions
    group by feed, disposition, coalesce(reason, 'in the books')

),

-- An id loaded twice has one standing: that of the row which was kept, if there is one.
lead_standing as (

    select
        lead_id,
        min(
            case disposition when 'kept' then 1 when 'excluded' then 2 else 3 end
        ) as standing
    from lead_dispositions
    group by lead_id

),

lead_event_standing as (

    select
        lead_events._feed as feed,
        'lead_events' as table_name,
        case
            when lead_standing.lead_id is null then 'excluded'
            when lead_events.occurred_at > run_parameter.as_of then 'excluded'
            when lead_standing.standing = 1 then 'kept'
            when lead_standing.standing = 2 then 'excluded'
            else 'merged'
        end as disposition,
        case
            when lead_standing.lead_id is null then 'no such lead'
            when lead_events.occurred_at > run_parameter.as_of then 'after as_of'
            when lead_standing.standing = 1 then 'in the books'
            when lead_standing.standing = 2 then 'its lead is excluded'
            else 'its lead was merged into another'
        end as reason
    from lead_events
    cross join run_parameter
    left join lead_standing on lead_events.lead_id = lead_standing.lead_id

),

lead_event_rows as (

    select
        feed,
        table_name,
        disposition,
        reason,
        count(*) as rows
    from lead_event_standing
    group by feed, table_name, disposition, reason

),

opportunity_rows as (

    select
        feed,
        'opportunities' as table_name,
        disposition,
        coalesce(reason, 'in the books') as reason,
        count(*) as rows
    from opportunity_dispositions
    group by feed, disposition, coalesce(reason, 'in the books')

),

opportunity_standing as (

    select
        opportunity_id,
        min(case disposition when 'kept' then 1 else 2 end) as standing
    from opportunity_dispositions
    group by opportunity_id

),

opportunity_event_standing as (

    select
        opportunity_events._feed as feed,
        'opportunity_events' as table_name,
        case
            when opportunity_standing.opportunity_id is null then 'excluded'
            when opportunity_events.occurred_at > run_parameter.as_of then 'excluded'
            when opportunity_standing.standing = 1 then 'kept'
            else 'excluded'
        end as disposition,
        case
            when opportunity_standing.opportunity_id is null then 'no such opportunity'
            when opportunity_events.occurred_at > run_parameter.as_of then 'after as_of'
            when opportunity_standing.standing = 1 then 'in the books'
            else 'its opportunity is not in the books'
        end as reason
    from opportunity_events
    cross join run_parameter
    left join opportunity_standing
        on opportunity_events.opportunity_id = opportunity_standing.opportunity_id

),

opportunity_event_rows as (

    select
        feed,
        table_name,
        disposition,
        reason,
        count(*) as rows
    from opportunity_event_standing
    group by feed, table_name, disposition, reason

),

{%- set plain_tables = {
    "campaigns": "stg_landed__campaign",
    "control_totals": "stg_landed__control_total",
    "touches": "stg_landed__touch",
    "contacts": "stg_landed__contact",
    "revenue": "stg_landed__revenue",
    "claims": "stg_landed__claim",
    "fx_rates": "stg_landed__fx_rate",
} %}

-- Tables in which every row that landed counts as it stands.
plain_rows as (

    {%- for table_name, model in plain_tables.items() %}
    select
        _feed as feed,
        '{{ table_name }}' as table_name,
        'kept' as disposition,
        'landed' as reason,
        count(*) as rows
    from {{ ref(model) }}
    group by _feed
    {%- if not loop.last %}

    union all
    {% endif -%}
    {%- endfor %}

),

every_row as (

    select * from not_landed

    union all

    select * from spend_rows

    union all

    select * from lead_rows

    union all

    select * from lead_event_rows

    union all

    select * from opportunity_rows

    union all

    select * from opportunity_event_rows

    union all

    select * from plain_rows

),

final as (

    select
        feed,
        table_name,
        disposition,
        reason,
        {{ exact_sum("rows") }} as rows
    from every_row
    group by feed, table_name, disposition, reason
    having sum(rows) > 0

)

select * from final
