-- What this page was made from: one publication, and how its laws and deliveries stand.
select
    publication.number,
    publication.previous_number,
    publication.as_of,
    publication.sealed_at,
    publication.company,
    publication.reporting_currency as currency,
    publication.time_zone,
    publication.plan_version,
    publication.code_version,
    publication.content_sha256,
    (select count(*) from meta.law_result where status = 'held') as laws_held,
    (
        select count(*) from meta.law_result where status not in ('held', 'waived', 'not applicable')
    ) as laws_broken,
    (select count(*) from meta.law_result where waived > 0 or status = 'waived') as laws_waived,
    (select count(*) from meta.law_result where status = 'not applicable') as laws_without_object,
    (select count(*) from meta.freshness) as deliveries,
    (select count(*) from meta.freshness where is_late) as deliveries_late,
    (
        select string_agg(distinct feed || '.' || table_name, ', ' order by feed || '.' || table_name)
        from meta.freshness
        where is_late
    ) as late,
    (
        select string_agg(law || ' ' || title, '; ' order by law)
        from meta.law_result
        where waived > 0 or status = 'waived'
    ) as waived_laws,
    (
        select string_agg(law || ' ' || title, '; ' order by law)
        from meta.law_result
        where status not in ('held', 'waived', 'not applicable')
    ) as broken_laws
from meta.publication
