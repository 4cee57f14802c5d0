-- The landed rows of leads whose e-mail domain a version of the definition of qualified excludes.
-- Grain: landed row (_feed, _load, _line), version.

with

leads as (

    select * from {{ ref("stg_landed__lead") }}

),

excluded_domains as (

    select * from {{ ref("stg_landed__excluded_domain") }}

),

domains as (

    select distinct
        version,
        lower(trim(domain)) as domain
    from excluded_domains

),

final as (

    select
        leads._feed,
        leads._load,
        leads._line,
        leads.lead_id,
        domains.version
    from leads
    inner join domains on {{ email_domain("leads.email") }} = domains.domain

)

select * from final
