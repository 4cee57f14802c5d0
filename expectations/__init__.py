"""The gate: the laws the books must obey, and the judge that holds a candidate against them.

Belongs here: the laws as data (`laws/*.sql`), the judge on Great Expectations, the verdict.
Does not belong here: orchestration (Dagster, dbt, paths, publishing). `verdict`, `laws` and
`client` are light; only `judge`, which the subprocess loads, imports Great Expectations.
"""
