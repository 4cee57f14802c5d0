"""The pipeline of companies that nobody chose: whatever a CRM does to its deals, law B4 holds.

The compiled models run on random histories: stages that come back or that nobody mapped, amounts,
currencies, owners and close dates that change with and without an event, events before creation and
after as_of, missing rates, under a plan whose policies differ from version to version.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.laws import load_laws
from orchestration.lib.compiled import CompiledModel, build, compiled_models
from tests.integration.dbt_fixture import write_inputs
from tests.integration.plan_fixture import Rows, Version, plan_rows
from tests.support.parsed import CATALOG, INPUTS, compiled_manifest

WANTED = ("rpt_pipeline_waterfall__period", "rpt_pipeline_slipped__opportunity", "audit_run")
LAW = load_laws()["B4"]
EXAMPLES = int(os.environ.get("TIEOUT_COMPANIES", "12"))


@pytest.fixture(scope="module")
def models() -> list[CompiledModel]:
    """The compiled models that the pipeline is made of; their inputs folder is a placeholder."""
    manifest = compiled_manifest()
    parents = json.loads(manifest.read_text())["parent_map"]
    needed, wanted = set(), [key for key in parents if key.split(".")[-1] in WANTED]
    while wanted:
        key = wanted.pop()
        if key not in needed:
            needed.add(key)
            wanted += parents.get(key, [])
    names = {key.split(".")[-1] for key in needed}
    return [model for model in compiled_models(manifest) if model.name in names]


#: Around New York's change of clocks, and late enough in the evening to be tomorrow in UTC.
INSTANTS = st.integers(0, 40 * 24).map(
    lambda hours: datetime(2026, 2, 20, 4, 30) + timedelta(hours=hours)
)
AMOUNTS = st.sampled_from([None, "0", "100", "99.995", "-20.01", "1234567.891"])
CURRENCIES = st.sampled_from([None, "USD", "EUR", "JPY", "KWD", "XXX"])
OWNERS = st.sampled_from([None, "ann", "bob"])
CLOSE_DATES = st.sampled_from([None, "2026-03-31", "2026-04-01", "2026-02-25", "1985-01-01"])
RATES = (("EUR", "1.1"), ("EUR", "1.25"), ("JPY", "0.0065"), ("KWD", "3.257"), ("KWD", "3.3"))
STAGES = st.sampled_from(
    ["opportunity", "proposal", "negotiation", "won", "lost", "recycled", "what is this"]
)


@st.composite
def companies(draw: st.DrawFn) -> Rows:
    """A few deals, their histories and some rates."""
    deals, events = [], []
    for number in range(draw(st.integers(1, 8))):
        state: dict[str, Any] = {
            "amount": draw(AMOUNTS),
            "currency": draw(CURRENCIES),
            "owner": draw(OWNERS),
            "close_date": draw(CLOSE_DATES),
        }
        deals.append(
            state
            | {
                "opportunity_id": f"O{number}",
                "source": "Ads",
                "campaign": draw(st.sampled_from(["A", "B", None])),
                "product": draw(st.sampled_from(["Core", None])),
                "created_at": draw(st.none() | INSTANTS),
                "stage": draw(STAGES),
                "stage_at": draw(st.none() | INSTANTS),
            }
        )
        events += [
            {
                "opportunity_id": f"O{number}",
                "occurred_at": draw(INSTANTS),
                "stage": draw(STAGES),
                "amount": draw(AMOUNTS),
                "currency": draw(CURRENCIES),
                "owner": draw(OWNERS),
                "close_date": draw(CLOSE_DATES),
            }
            for _ in range(draw(st.integers(0, 6)))
        ]
    return {
        "run_parameter": [{"as_of": draw(INSTANTS)}],
        "opportunities": deals,
        "opportunity_events": events,
        "stage_map": [
            {"feed": "crm", "entity": "opportunity", "raw_status": stage, "stage": stage}
            for stage in ("opportunity", "proposal", "negotiation", "won", "lost", "recycled")
        ],
        "fx_rates": [
            {
                "day": date(2026, 2, 15) + timedelta(days=draw(st.integers(0, 45))),
                "currency": currency,
                "rate": rate,
            }
            for currency, rate in RATES
        ],
    }


@st.composite
def policies(draw: st.DrawFn) -> Rows:
    """No plan, or up to three versions of one that value the pipeline each in its own way."""
    starts = ["2026-02-01", "2026-03-01", "2026-03-15"][: draw(st.integers(0, 3))]
    return plan_rows(
        [
            Version(
                number,
                start,
                {("FY2026-Q1", "company"): {"leads": 1}},
                {"leads": {}},
                rates=draw(st.sampled_from([{}, {"EUR": "1.5"}, {"EUR": "1.4", "KWD": "3"}])),
                policy={
                    "pipeline_rate": draw(st.sampled_from(["plan", "as_of"])),
                    "won_rate": draw(st.sampled_from(["plan", "close_date"])),
                },
                days=90,
            )
            for number, start in enumerate(starts, start=1)
        ]
    )


@pytest.mark.slow
@given(company=companies(), plan=policies())
@settings(
    max_examples=EXAMPLES * 4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_happens_to_deals_the_pipeline_adds_up(
    company: Rows, plan: Rows, models: list[CompiledModel]
) -> None:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as books:
        inputs = Path(folder) / "inputs"
        write_inputs(inputs, company | plan)
        books.execute(f"attach ':memory:' as {CATALOG}; use {CATALOG}")
        build(
            books, [replace(each, query=each.query.replace(INPUTS, str(inputs))) for each in models]
        )
        books.execute("create schema audit; create view audit.run as from main.audit_run")
        measured = books.execute(LAW.measure)
        names = [column[0] for column in measured.description or ()]
        figures = dict(zip(names, measured.fetchall()[0], strict=True))
        assert figures["difference"] == 0
        offenders = books.execute(LAW.offenders)
        names = [column[0] for column in offenders.description or ()]
        assert [
            {name: value for name, value in zip(names, row, strict=True) if value is not None}
            for row in offenders.fetchmany(3)
        ] == []
