-- What this publication is.
select
    publication.number,
    publication.previous_number,
    publication.as_of,
    publication.sealed_at,
    publication.company,
    publication.reporting_currency as currency,
    publication.plan_version,
    publication.code_version,
    publication.content_sha256
from meta.publication as publication
