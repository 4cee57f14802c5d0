-- How many rows each feed delivers now, table by table and month by month: what the next run is
-- held against (law B12).
-- Grain: feed, table_name, month.
-- Landed rows of the loads that say what their source says now, whatever becomes of them in the
-- books: from the inputs alone, so the same inputs give the same counts. A month is one of the
-- reporting time zone, after the column that dates the table's rows; null where none does.

{%- set tables = {
    "campaigns": ("stg_landed__campaign", none, none),
    "campaign_names": ("stg_landed__campaign_name", none, none),
    "spend": ("stg_landed__spend", "day", "date"),
    "control_totals": ("stg_landed__control_total", none, none),
    "invoices": ("stg_landed__invoice", none, none),
    "touches": ("stg_landed__touch", "occurred_at", "instant"),
    "leads": ("stg_landed__lead", "created_at", "instant"),
    "lead_events": ("stg_landed__lead_event", "occurred_at", "instant"),
    "contacts": ("stg_landed__contact", "created_at", "instant"),
    "contact_roles": ("stg_landed__contact_role", none, none),
    "merges": ("stg_landed__merge", none, none),
    "opportunities": ("stg_landed__opportunity", "created_at", "instant"),
    "opportunity_events": ("stg_landed__opportunity_event", "occurred_at", "instant"),
    "revenue": ("stg_landed__revenue", "occurred_at", "instant"),
    "claims": ("stg_landed__claim", "as_of", "instant"),
    "fx_rates": ("stg_landed__fx_rate", "day", "date"),
} %}

with

loads as (

    select * from {{ ref("stg_landed__load") }}
    where is_newest

),

run_parameter as (

    select * from {{ ref("stg_landed__run_parameter") }}

),

{%- for table_name, (model, time_column, type) in tables.items() %}

{{ table_name }}_counted as (

    select
        landed._feed as feed,
        '{{ table_name }}' as table_name,
        {%- if time_column is none %}
        cast(null as date) as month,
        {%- elif type == "date" %}
        cast(date_trunc('month', landed.{{ time_column }}) as date) as month,
        {%- else %}
        {% set day = local_date("landed." ~ time_column, "run_parameter.time_zone") -%}
        cast(date_trunc('month', {{ day }}) as date) as month,
        {%- endif %}
        count(*) as rows
    from {{ ref(model) }} as landed
    inner join loads
        on
            landed._feed = loads.feed
            and landed._load = loads.load_number
            and loads.table_name = '{{ table_name }}'
    {%- if type == "instant" %}
    cross join run_parameter
    {%- endif %}
    group by 1, 2, 3

),
{%- endfor %}

final as (

    {%- for table_name in tables %}

    select
        feed,
        table_name,
        rows,
        month
    from {{ table_name }}_counted
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

)

select * from final
