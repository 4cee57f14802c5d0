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

contacts as (

    select * from {{ ref("int_contact") }}

),

left_out_contacts as (

    select * from {{ ref("int_contact__left_out") }}

),

touches as (

    select * from {{ ref("int_touch") }}

),

left_out_touches as (

    select * from {{ ref("int_touch__left_out") }}

),

contact_roles as (

    select * from {{ ref("int_contact_role__standing") }}

),

statements as (

    select * from {{ ref("int_merge__stated") }}

),

merge_map as (

    select * from {{ ref("int_merge") }}

),

meanings as (

    select * from {{ ref("int_campaign__meaning") }}

),

declarations as (

    select * from {{ ref("int_campaign__declaration") }}

),

revenue as (

    select * from {{ ref("stg_landed__revenue") }}

),

revenue_items as (

    select * from {{ ref("fct_revenue__item") }}

),

claims as (

    select * from {{ ref("int_claim") }}

),

landed_claims as (

    select * from {{ ref("stg_landed__claim") }}

),

fx_rates as (

    select * from {{ ref("stg_landed__fx_rate") }}

),

control_totals as (

    select * from {{ ref("stg_landed__control_total") }}

),

-- Counted here once more, by the keys of the contract: what int_claim, int_fx_rate__interval and
-- audit_source_total pass over must be just these rows.
ranked_claims as (

    select
        landed_claims._feed as feed,
        landed_claims.as_of <= run_parameter.as_of as is_known,
        row_number() over (
            partition by
                lower(trim(landed_claims.department)),
                lower(trim(landed_claims.metric)),
                landed_claims.period_start,
                landed_claims.period_end,
                trim(landed_claims.scope),
                landed_claims.as_of <= run_parameter.as_of
            order by
                landed_claims.as_of desc,
                landed_claims._loaded_at desc,
                landed_claims._load desc,
                landed_claims._line desc,
                landed_claims._feed asc
        ) as recency
    from landed_claims
    cross join run_parameter

),

ranked_fx_rates as (

    select
        fx_rates._feed,
        fx_rates.currency = run_parameter.reporting_currency as is_reporting_currency,
        row_number() over (
            partition by fx_rates.currency, fx_rates.day
            order by
                fx_rates._loaded_at desc,
                fx_rates._load desc,
                fx_rates._line desc,
                fx_rates._feed asc,
                fx_rates._file asc
        ) as recency
    from fx_rates
    cross join run_parameter

),

ranked_control_totals as (

    select
        _feed,
        row_number() over (
            partition by
                source,
                coalesce(account, '(default)'),
                cast(date_trunc('month', month) as date),
                currency
            order by _loaded_at desc, _load desc, _line desc, _feed asc, _file asc
        ) as recency
    from control_totals

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

detail_versions as (

    select distinct
        feed,
        stream,
        source,
        account,
        campaign_key,
        spend_date,
        currency,
        kind,
        known_at,
        load_number
    from {{ ref("int_spend__detail") }}

),

-- The newest detail of a total is kept beside it, in fct_spend__ad_daily; of detail in between (ad
-- groups whose ads are there too) the ads are.
spend_standing as (

    select
        landed_versions.feed,
        landed_versions.landed_rows,
        case
            when versions.is_current or detail_versions.feed is not null then 'kept'
            when
                versions.feed is not null
                or landed_versions.is_superseded
                or (
                    landed_versions.is_detail
                    and not landed_versions.is_subtotal
                    and landed_versions.version_at <= run_parameter.as_of
                    and landed_versions.spend_date
                    <= {{ local_date("run_parameter.as_of", "run_parameter.time_zone") }}
                )
                then 'superseded'
            else 'excluded'
        end as disposition,
        case
            when versions.is_current then 'in the books'
            when detail_versions.feed is not null then 'detail of a total in the books'
            when versions.feed is not null or landed_versions.is_superseded
                then 'restated by a later version'
            when landed_versions.is_subtotal then 'a subtotal: finer detail of the day is kept'
            when
                landed_versions.spend_date
                > {{ local_date("run_parameter.as_of", "run_parameter.time_zone") }}
                then 'dated after as_of'
            when landed_versions.is_detail and landed_versions.version_at <= run_parameter.as_of
                then 'restated by a later version'
            else 'known only after as_of'
        end as reason
    from landed_versions
    cross join run_parameter
    left join detail_versions
        on
            landed_versions.is_detail
            and not landed_versions.is_superseded
            and landed_versions.feed = detail_versions.feed
            and landed_versions.stream = detail_versions.stream
            and landed_versions.source = detail_versions.source
            and landed_versions.account = detail_versions.account
            and landed_versions.campaign_key = detail_versions.campaign_key
            and landed_versions.spend_date = detail_versions.spend_date
            and landed_versions.currency = detail_versions.currency
            and landed_versions.kind = detail_versions.kind
            and landed_versions.version_at = detail_versions.known_at
            and landed_versions.load_number = detail_versions.load_number
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

-- Records that only a merge still names.
merged_away as (

    select
        merge_map.entity,
        merge_map.record_id
    from merge_map
    left join lead_dispositions
        on
            case when merge_map.entity = 'lead' then merge_map.record_id end
            = lead_dispositions.lead_id
    left join opportunity_dispositions
        on
            case when merge_map.entity = 'opportunity' then merge_map.record_id end
            = opportunity_dispositions.opportunity_id
    where
        lead_dispositions.lead_id is null
        and opportunity_dispositions.opportunity_id is null
        and merge_map.survivor_id is not null

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

    union all

    select
        record_id as lead_id,
        3 as standing
    from merged_away
    where entity = 'lead'

),

lead_changes as (

    select
        _feed,
        lead_id,
        occurred_at,
        status,
        count(*) as rows
    from lead_events
    group by _feed, lead_id, occurred_at, status

),

lead_event_standing as (

    select
        lead_changes._feed as feed,
        'lead_events' as table_name,
        case
            when lead_standing.lead_id is null then 'excluded'
            when lead_changes.occurred_at > run_parameter.as_of then 'excluded'
            when lead_standing.standing = 1 then 'kept'
            when lead_standing.standing = 2 then 'excluded'
            else 'merged'
        end as disposition,
        case
            when lead_standing.lead_id is null then 'no such lead'
            when lead_changes.occurred_at > run_parameter.as_of then 'after as_of'
            when lead_standing.standing = 1 then 'in the books'
            when lead_standing.standing = 2 then 'its lead is excluded'
            else 'its lead was merged into another'
        end as reason,
        lead_changes.rows
    from lead_changes
    cross join run_parameter
    left join lead_standing on lead_changes.lead_id = lead_standing.lead_id

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

    union all

    select
        feed,
        table_name,
        'merged' as disposition,
        'same change stated again' as reason,
        {{ exact_sum("rows - 1") }} as rows
    from lead_event_standing
    where rows > 1
    group by feed, table_name

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
        min(
            case
                when disposition = 'kept' then 1
                when disposition = 'excluded' then 2
                when reason = 'merged into another opportunity' then 3
                else 4
            end
        ) as standing
    from opportunity_dispositions
    group by opportunity_id

    union all

    select
        record_id as opportunity_id,
        3 as standing
    from merged_away
    where entity = 'opportunity'

),

opportunity_changes as (

    select
        _feed,
        opportunity_id,
        occurred_at,
        stage,
        amount,
        close_date,
        count(*) as rows
    from opportunity_events
    group by _feed, opportunity_id, occurred_at, stage, amount, close_date

),

opportunity_event_standing as (

    select
        opportunity_changes._feed as feed,
        'opportunity_events' as table_name,
        case
            when opportunity_standing.opportunity_id is null then 'excluded'
            when opportunity_changes.occurred_at > run_parameter.as_of then 'excluded'
            when opportunity_standing.standing = 1 then 'kept'
            when opportunity_standing.standing = 2 then 'excluded'
            else 'merged'
        end as disposition,
        case
            when opportunity_standing.opportunity_id is null then 'no such opportunity'
            when opportunity_changes.occurred_at > run_parameter.as_of then 'after as_of'
            when opportunity_standing.standing = 1 then 'in the books'
            when opportunity_standing.standing = 2 then 'its opportunity is not in the books'
            else 'its opportunity was merged into another'
        end as reason,
        opportunity_changes.rows
    from opportunity_changes
    cross join run_parameter
    left join opportunity_standing
        on opportunity_changes.opportunity_id = opportunity_standing.opportunity_id

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

    union all

    select
        feed,
        table_name,
        'merged' as disposition,
        'same change stated again' as reason,
        {{ exact_sum("rows - 1") }} as rows
    from opportunity_event_standing
    where rows > 1
    group by feed, table_name

),

-- Contacts and touches: what the models of the books hold, and what they leave out.
record_standing as (

    select
        feed,
        'contacts' as table_name,
        'kept' as disposition,
        'in the books' as reason
    from contacts

    union all

    select
        _feed as feed,
        'contacts' as table_name,
        disposition,
        reason
    from left_out_contacts

    union all

    select
        feed,
        'touches' as table_name,
        'kept' as disposition,
        'in the books' as reason
    from touches

    union all

    select
        _feed as feed,
        'touches' as table_name,
        disposition,
        reason
    from left_out_touches

    union all

    select
        _feed as feed,
        'contact_roles' as table_name,
        disposition,
        reason
    from contact_roles

),

merge_standing as (

    select
        statements._feed as feed,
        'merges' as table_name,
        case
            when statements.standing = 'counts' and merge_map.reason = 'merged' then 'kept'
            when statements.standing = 'stated again' then 'merged'
            when statements.standing = 'another statement is newer' then 'superseded'
            else 'excluded'
        end as disposition,
        case
            when statements.standing <> 'counts' then statements.standing
            when merge_map.record_id is null then 'no such record to be merged into'
            when merge_map.reason = 'merged' then 'in force'
            else merge_map.reason
        end as reason
    from statements
    left join merge_map
        on
            statements.entity = merge_map.entity
            and statements.record_id = merge_map.record_id
    where statements.stated_by = 'merges'

),

campaign_name_standing as (

    select
        feed,
        'campaign_names' as table_name,
        case standing
            when 'counts' then 'kept'
            when 'stated again' then 'merged'
            else 'excluded'
        end as disposition,
        case standing when 'counts' then 'in force' else standing end as reason
    from meanings

),

campaign_standing as (

    select
        feed,
        'campaigns' as table_name,
        case when recency = 1 then 'kept' else 'merged' end as disposition,
        case when recency = 1 then 'in the books' else 'same campaign listed again' end as reason
    from declarations

),

revenue_standing as (

    select
        feed,
        'revenue' as table_name,
        'kept' as disposition,
        'in the books' as reason
    from revenue_items

    union all

    select
        revenue._feed as feed,
        'revenue' as table_name,
        'excluded' as disposition,
        'after as_of' as reason
    from revenue
    cross join run_parameter
    where revenue.occurred_at > run_parameter.as_of

),

claim_standing as (

    select
        feed,
        'claims' as table_name,
        'kept' as disposition,
        'the latest of its figure' as reason
    from claims

    union all

    select
        ranked_claims.feed,
        'claims' as table_name,
        case when ranked_claims.is_known then 'superseded' else 'excluded' end as disposition,
        case when ranked_claims.is_known then 'claimed again later' else 'claimed after as_of' end
            as reason
    from ranked_claims
    where ranked_claims.recency > 1 or not ranked_claims.is_known

),

fx_rate_standing as (

    select
        _feed as feed,
        'fx_rates' as table_name,
        case
            when is_reporting_currency then 'excluded'
            when recency > 1 then 'superseded'
            else 'kept'
        end as disposition,
        case
            when is_reporting_currency then 'the reporting currency itself is always 1'
            when recency > 1 then 'same rate loaded again'
            else 'in the books'
        end as reason
    from ranked_fx_rates

),

control_total_standing as (

    select
        _feed as feed,
        'control_totals' as table_name,
        case when recency > 1 then 'superseded' else 'kept' end as disposition,
        case when recency > 1 then 'same total loaded again' else 'in the books' end as reason
    from ranked_control_totals

),

counted as (

    {%- for standing in [
        "record_standing", "merge_standing", "campaign_name_standing", "campaign_standing",
        "revenue_standing", "claim_standing", "fx_rate_standing", "control_total_standing",
    ] %}

    select
        feed,
        table_name,
        disposition,
        reason,
        count(*) as rows
    from {{ standing }}
    group by feed, table_name, disposition, reason
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

),

{%- set plain_tables = {
    "invoices": "stg_landed__invoice",
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

    select * from counted

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
