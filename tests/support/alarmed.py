"""A publication with alarms, made by hand: what the tests of audits and notifications read.

Belongs here: the published tables that an audit reads, with a handful of rows that a reader can add
up in the head. Does not belong here: how alarms come to be (the models have tests of their own).

Two campaigns, brand (40 USD a lead) and social (organic, no spend). Plan: 50 % of MQLs accepted.
In April five leads became MQLs: L1 accepted, L2 and L3 rejected, L4 waits beyond the 24 hours, L5
is of the other campaign and was expired; L6 became one in May.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb

from orchestration.lib.release import history
from orchestration.lib.release.folders import file_sha256, point_current_at
from orchestration.lib.release.receipt import LawLine, Receipt
from orchestration.settings import Home

COMPANY = "Sample Inc"
ALARM = ("rate_mql_sal", "FY26-M04", "company")
_BOOKS = """
create schema audit;
create table audit.run as select 'Sample Inc' as company, timestamp '2026-05-10 12:00:00' as as_of,
    date '2026-05-10' as as_of_date, 'USD' as reporting_currency, 'America/New_York' as time_zone;
create table audit.plan_period as select 1 as version, 'FY26-M04' as period,
    date '2026-04-01' as period_start_date, date '2026-05-01' as period_end_date;
create table audit.plan_kpi as select * from (values
    (1, 'rate_mql_sal', null, 'rita', 'revops', 24),
    (1, 'rate_mql_sal', 'channel:search', 'sam', 'sales', null)
) as kpi (version, metric, scope, owner, owner_department, sla_hours);
create table audit.plan_scope_member as select * from (values
    (1, 'company', 'brand'), (1, 'company', 'social'),
    (1, 'channel:search', 'brand'), (1, 'channel:search', 'social'), (2, 'channel:search', 'brand')
) as member (version, scope, campaign_key);
create table dim_kpi as select * from (values
    ('rate_mql_sal', 'mql', 'sal'), ('rate_opportunity_won', 'opportunity', 'won')
) as kpi (metric, from_stage, to_stage);
create table dim_stage as select * from (values
    ('in_market', 10, 'holding'), ('lead', 100, 'funnel'), ('mql', 110, 'funnel'),
    ('sal', 120, 'funnel'), ('rejected', 200, 'exit'), ('expired', 230, 'exit')
) as stage (stage, ordinal, kind);
create table dim_campaign as select * from (values
    ('brand', null, 'smb'), ('social', null, null)
) as campaign (campaign_key, channel, segment);
create table fct_lead as select * from (values
    ('L1', 'brand', 'ann', 'sal', '2026-04-01 10:00', '2026-04-02 10:00', '2026-04-02 20:00'),
    ('L2', 'brand', 'ann', 'rejected', '2026-04-01 10:00', '2026-04-03 10:00', null),
    ('L3', 'brand', 'bob', 'rejected', '2026-04-05 10:00', '2026-04-06 10:00', null),
    ('L4', 'brand', 'bob', 'mql', '2026-04-29 10:00', '2026-05-01 02:00', null),
    ('L5', 'social', null, 'expired', '2026-04-07 10:00', '2026-04-08 10:00', null),
    ('L6', 'brand', 'ann', 'mql', '2026-05-01 10:00', '2026-05-02 10:00', null)
) as lead (lead_id, campaign_key, owner, stage, created_at, first_mql_at, first_sal_at);
create or replace table fct_lead as select * replace (created_at::timestamp as created_at,
    first_mql_at::timestamp as first_mql_at, first_sal_at::timestamp as first_sal_at),
    null::timestamp as first_sql_at, null::timestamp as first_opportunity_at,
    case stage when 'rejected' then first_mql_at::timestamp + interval 30 hour
        when 'expired' then first_mql_at::timestamp + interval 10 hour
        else coalesce(first_sal_at, first_mql_at)::timestamp end as stage_entered_at
    from fct_lead;
create table fct_lead_stage__interval as
select lead_id, 1 as entry_number, null::varchar as from_stage, 'lead' as stage,
    'New' as raw_status, null::varchar as actor, null::varchar as reason,
    false as is_time_estimated, created_at as entered_at, first_mql_at as left_at from fct_lead
union all select lead_id, 2, 'lead', 'mql', 'Qualified', 'mia', null, false, first_mql_at,
    case when stage <> 'mql' then stage_entered_at end from fct_lead
union all select lead_id, 3, 'mql', stage, stage, coalesce(owner, 'robot'),
    case lead_id when 'L2' then '=cmd|no budget' when 'L3' then '<script>student' end,
    false, stage_entered_at, null from fct_lead where stage <> 'mql';
create table fct_dollar_journal__entry as
select lead_id, 'in_market' as from_stage, 'lead' as to_stage, 4000 as amount_minor
from fct_lead where campaign_key = 'brand';
create table rpt_handoff__lead as
select lead_id, 'p' || lead_id as person_key, 'mara' as marketing_owner, 'mia' as handed_over_by,
    'elapsed' as clock, 24 as sla_hours,
    case when lead_id in ('L2', 'L3', 'L4') then 'late' else 'in time' end as sla_status,
    10.0::decimal(18, 2) as handoff_hours, null::decimal(18, 2) as handoff_business_hours,
    case when stage <> 'mql' then 10.0::decimal(18, 2) end as response_hours,
    created_at + interval 1 hour as assigned_at,
    case when stage <> 'mql' then stage_entered_at end as first_response_at
from fct_lead;
create table fct_spend__campaign_daily as select * from (values
    ('brand', date '2026-04-02', 10000), ('brand', date '2026-04-20', 6000),
    ('brand', date '2026-05-02', 4000)
) as spend (campaign_key, spend_date, amount_minor);
create table rpt_stage_balance__campaign_cohort as select * from (values
    ('brand', date '2026-04-01', 'mql', 110, 4000, 1),
    ('brand', date '2026-04-01', 'sal', 120, 4000, 1),
    ('brand', date '2026-04-01', 'rejected', 200, 8000, 2),
    ('brand', date '2026-05-01', 'mql', 110, 4000, 1)
) as balance (campaign_key, cohort_start_date, stage, stage_ordinal, amount_minor, leads);
create table rpt_variance_item as select * from (values
    ('V-1', 'rate_mql_sal', 'FY26-M04', 'company', 'open', 'rita', 'revops', -5000,
        -40.0, date '2026-05-20', null::date, date '2026-04-09'),
    ('V-2', 'velocity', 'FY26-Q2', 'segment:smb', 'open', 'rita', 'revops', null,
        -55.6, date '2026-06-03', null::date, date '2026-05-04'),
    ('V-3', 'velocity', 'FY26-Q1', 'segment:smb', 'closed', 'rita', 'revops', null,
        -80.0, date '2026-04-03', null::date, date '2026-03-16')
) as item (item_id, metric, period, scope, status, owner, owner_department, variance_minor,
    variance_pct, due_date, action_due_date, opened_date);
create table rpt_commitment__campaign_cohort as select * from (values
    ('brand', date '2026-04-01', 'committed', 0, null::date)
) as cohort (campaign_key, cohort_start_date, status, overdue_minor, due_date);
create table rpt_drift__cohort_transition as select * from (values
    ('rate_mql_sal', 'FY26-M04', 'company', 0.5, 0.25, 4, 120.5, 150.0, 10000, 20000, true,
        timestamp '2026-04-09 14:00:00'),
    ('rate_mql_sal', 'FY26-M04', 'channel:search', 0.5, 0.3333, 3, 101.0, 101.0, null, null, true,
        timestamp '2026-04-10 15:00:00'),
    ('rate_opportunity_won', 'FY26-M04', 'company', 0.3, 0.1, 9, 101.0, 101.0, 10000, 20000, true,
        timestamp '2026-04-10 15:00:00'),
    ('rate_mql_sal', 'FY26-M04', 'campaign:social', 0.5, 0.5, null, 1.0, 2.0, null, null, false,
        null)
) as drift (metric, period, scope, expected_rate, actual_rate, matured_at_alarm, evidence,
    max_evidence, spent_at_alarm_minor, budget_minor, is_alarm, alarmed_at);
"""
#: An alarm on velocity that was lifted in March, and one that stands in its second week.
VELOCITY = """
create table rpt_velocity__segment_week as select * from (values
    ('segment:smb', date '2026-03-02', 90000, 10000, true, timestamp '2026-03-16 04:00'),
    ('segment:smb', date '2026-03-09', 90000, 90000, false, null),
    ('segment:smb', date '2026-04-27', 90000, 40000, true, timestamp '2026-05-04 04:00'),
    ('segment:smb', date '2026-05-04', 90000, 30000, true, timestamp '2026-05-04 04:00')
) as velocity (scope, week_start_date, planned_velocity_minor, velocity_minor, is_alarm, alarmed_at)
"""


def law(law_id: str, **changed: Any) -> LawLine:
    """A law that holds, or as `changed` says."""
    facts: dict[str, Any] = {
        "law": law_id, "title": f"law {law_id}", "severity": "block", "status": "held",
        "reason": None, "expected": 1, "actual": 1, "difference": 0, "unit": "rows",
        "currency": None, "offending_count": 0, "tolerated": 0,
        "owner": "Marketing operations, who own the spend exports",
    }  # fmt: skip
    return LawLine(**facts | changed)


def receipt(number: int, *laws: LawLine, **changed: Any) -> Receipt:
    """A receipt that says what is asked, and passes if no law blocks."""
    judged = laws or (law("B1"),)
    facts: dict[str, Any] = {
        "format": 1, "number": number, "previous": number - 1 or None,
        "passed": not any(line.blocks for line in judged), "as_of": "2026-05-10T12:00:00Z",
        "sealed_at": "2026-05-10T12:01:00Z", "plan_version": None, "code_version": "c",
        "company": COMPANY, "reporting_currency": "USD", "engine": "duckdb",
        "content_algorithm": "x", "content_sha256": f"c{number}" * 8, "file_sha256": f"f{number}",
        "file_bytes": 1, "laws": judged, "tables": (), "freshness": (), "changes": {},
        "not_compared": (),
    }  # fmt: skip
    return Receipt(**facts | changed)


def publish(home: Home, number: int, *laws: LawLine, changes: str = "") -> Path:
    """The next publication, with the books above as `changes` leaves them; its file."""
    folder = home.releases / str(number)
    folder.mkdir(parents=True)
    database = folder / "tieout.duckdb"
    template = home.root / "books.duckdb"
    if not template.exists():
        with duckdb.connect(str(template), config={"threads": 1}) as connection:
            connection.execute(_BOOKS)
    shutil.copyfile(template, database)
    if changes:
        with duckdb.connect(str(database), config={"threads": 1}) as connection:
            connection.execute(changes)
    (folder / "receipt.json").write_text(receipt(number, *laws).to_json())
    point_current_at(home, number)
    _record(home, "published", number, folder)
    return database


def block(home: Home, number: int, *laws: LawLine) -> None:
    """A run that these laws blocked."""
    home.published.mkdir(parents=True, exist_ok=True)
    folder = home.work / "blocked"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "receipt.json").write_text(receipt(number, *laws).to_json())
    _record(home, "blocked", number, folder, *(line.law for line in laws if line.blocks))


def _record(home: Home, action: Any, number: int, folder: Path, *laws: str) -> None:
    at = f"2026-05-10T{12 + len(history.read_history(home)):02}:00:00Z"
    event = history.Event(
        action, number, at, "f", file_sha256(folder / "receipt.json"), "why", tuple(laws)
    )
    history.append(home, event)


def everything(folder: Path) -> str:
    """All bytes below a folder as text: where a secret must not be."""
    return "\n".join(
        path.read_text(errors="replace") for path in sorted(folder.rglob("*")) if path.is_file()
    ) + json.dumps([str(path) for path in folder.rglob("*")])
