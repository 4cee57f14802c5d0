"""The handoff audit: what alarms a published file holds, and the pack of each.

`alarms` reads them, `cohort` gathers what the pack of one says, `page` writes it for people, `pack`
puts the folder in place. All of it comes from a published file alone, which is opened read-only:
the same alarm of the same publication gives the same bytes. Does not belong here: raising alarms
(dbt), telling people (`orchestration.lib.notify`), starting by itself (`orchestration.defs`).
"""
