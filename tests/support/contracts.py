"""A small plan, the keys of its people, and a contract of two signed versions.

Belongs here: what more than one test of the plan needs. The keys are made from names: they are no
secrets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from orchestration.lib.plan.folder import write_plan
from orchestration.lib.plan.keys import SigningKey
from orchestration.lib.plan.locking import LockedVersion, lock, sign
from orchestration.lib.plan.model import Plan, read
from orchestration.lib.plan.registers import append

SIGNERS = {"marketing": "mia", "sales": "sam", "finance": "fred"}


def key_of(person: str) -> SigningKey:
    """The same key every time."""
    return SigningKey.from_seed(hashlib.sha256(person.encode()).digest())


def small_plan(
    settings: Mapping[str, str] | None = None,
    sheets: Mapping[str, Iterable[Mapping[str, str]]] | None = None,
) -> Plan:
    """A quarter of one company and one channel; `settings` and whole `sheets` replace its own."""
    own = {
        "company": "Larkfield Software",
        "title": "Plan",
        "currency": "USD",
        "effective_from": "2026-01-01",
        "calendar": "months",
        "fiscal_year_first_day": "2026-01-01",
        "fiscal_years": "2026",
    } | dict(settings or {})
    texts: dict[str, list[dict[str, str]]] = {
        "plan": [{"key": key, "value": value} for key, value in own.items()],
        "people": people(),
        "scopes": [
            {"scope": "company", "level": "company"},
            {"scope": "channel:paid search", "level": "channel", "parent": "company"},
        ],
        "kpis": [
            {"metric": "mqls", "owner": "mia", "tolerance_pct": "10", "cadence_days": "7"},
            {"metric": "sals", "owner": "sam", "tolerance_pct": "10", "cadence_days": "7"},
        ],
        "targets": [
            {"period": "FY2026-Q1", "scope": "company", "budget": "200000", "mqls": "500"},
            {"period": "FY2026-Q1", "scope": "channel:paid search", "budget": "200000"},
        ],
    } | {name: [*rows] for name, rows in (sheets or {}).items()}
    numbered = {name: list(enumerate(rows, start=2)) for name, rows in texts.items()}
    return read(numbered, lambda sheet, row, column: f"{sheet}:{row}:{column}")


def people(**keys: str) -> list[dict[str, str]]:
    """Three signers, a deputy without a say and an analyst; `keys` gives a person another key."""
    rows = [
        ("mia", "marketing", "yes"),
        ("sam", "sales", "yes"),
        ("fred", "finance", "yes"),
        ("sally", "sales", "no"),
        ("rene", "revops", "no"),
    ]
    return [
        {
            "person": person,
            "name": person.title(),
            "department": department,
            "signs": signs,
            "public_key": keys.get(person, key_of(person).public_key),
        }
        for person, department, signs in rows
    ]


def locked(root: Path, plan: Plan, at: datetime, signers: Iterable[str] = ()) -> LockedVersion:
    """Lock `plan` as the next version below `root`; `signers` sign it."""
    write_plan(plan, root / "draft")
    version = lock(root, root / "draft", locked_at=at)
    for person in signers:
        sign(root, version.number, person, key_of(person), signed_at=at)
    return version


def two_versions(root: Path) -> None:
    """Two versions, each signed by all: the second raises one target from April on."""
    locked(root, small_plan(), datetime(2025, 12, 20), SIGNERS.values())
    second = small_plan(
        {"effective_from": "2026-04-01", "reason": "Half of the leads came back"},
        {
            "targets": [
                {"period": "FY2026-Q1", "scope": "company", "budget": "200000", "mqls": "450"},
                {"period": "FY2026-Q2", "scope": "company", "budget": "150000", "mqls": "400"},
            ]
        },
    )
    locked(root, second, datetime(2026, 3, 20), SIGNERS.values())


def signers(*persons: str) -> dict[str, tuple[str, SigningKey]]:
    """These of the small plan's people, as who signs a row."""
    departments = {row["person"]: row["department"] for row in people()}
    return {departments[person]: (person, key_of(person)) for person in persons}


def fill_registers(root: Path) -> None:
    """Rows in every register, three of them in one."""
    for number, rate in enumerate(("0.4", "0.35", "0.1"), start=1):
        append(
            root,
            "commitments",
            {
                "campaign_key": f"google/{number}",
                "cohort_start_date": date(2026, number, 1),
                "metric": "rate_mql_sal",
                "rate": Decimal(rate),
                "window_days": 30,
            },
            signers("sally"),
            at=datetime(2026, number, 5, 9, 30),
        )
    for closes in (False, True):
        append(
            root,
            "notes",
            {
                "item": "V-17",
                "why": 'Form broken, "fixed"',
                "action": "Replace the form",
                "due_date": date(2026, 3, 31),
                "closes": closes,
            },
            signers("mia"),
            at=datetime(2026, 3, 10),
        )
    append(
        root,
        "waivers",
        {"law": "P2", "scope": "all", "reason": "First quarter", "expires_on": date(2026, 6, 30)},
        signers("mia", "sam"),
        at=datetime(2026, 1, 2),
    )
    append(
        root,
        "explanations",
        {
            "department": "marketing",
            "metric": "mqls",
            "period_start_date": date(2026, 1, 1),
            "period_end_date": date(2026, 4, 1),
            "scope": "company",
            "reason": "not_synced",
            "value": Decimal(12),
            "note": "Fair",
        },
        signers("rene"),
        at=datetime(2026, 4, 2),
    )
