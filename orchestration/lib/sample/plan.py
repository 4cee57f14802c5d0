"""The generated company's joint plan: targets that multiply out, promises, people and their keys.

Belongs here: what the two departments planned, as the sheets of a plan. Does not belong here: the
contract itself (`orchestration.lib.plan`), what really happened (`sql/latent.sql`).

The people and their keys are invented: a key follows from the seed, so that the same company has
the same signatures. Never use them for a real plan.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb

from orchestration.lib.plan.folder import write_plan
from orchestration.lib.plan.keys import SigningKey
from orchestration.lib.plan.locking import lock, sign
from orchestration.lib.plan.model import Plan, canonical, read
from orchestration.lib.plan.registers import append
from orchestration.lib.plan.sheets import SHEETS
from orchestration.lib.sample import company
from orchestration.lib.sample.spec import (
    MIRAGE_MQLS,
    MIRAGE_PIPELINE_MINOR,
    MIRAGE_SPEND_MINOR,
    CompanySpec,
)

#: Who signs, by department.
SIGNERS = {"marketing": "mara", "sales": "sven", "finance": "fiona"}
_PEOPLE = (
    ("mara", "Mara Lindqvist", "VP Marketing", "marketing", "yes"),
    ("sven", "Sven Okoro", "VP Sales", "sales", "yes"),
    ("fiona", "Fiona Brandt", "VP Finance", "finance", "yes"),
    ("dina", "Dina Moreau", "Demand Generation Lead", "marketing", ""),
    ("sasha", "Sasha Petrov", "Sales Development Lead", "sales", ""),
    ("rita", "Rita Alvarez", "RevOps Lead", "revops", ""),
)
#: metric, owner, tolerance in percent, window in days, curve, hours to work a handoff in.
_KPIS = (
    ("budget", "fiona", 10, "", "leads", ""),
    ("cost_per_lead", "mara", 15, "", "leads", ""),
    ("leads", "mara", 15, "", "leads", ""),
    ("rate_lead_mql", "dina", 15, 14, "leads", ""),
    ("mqls", "mara", 15, "", "leads", ""),
    ("rate_mql_sal", "rita", 15, 14, "leads", 120),
    ("sals", "sasha", 20, "", "leads", ""),
    ("rate_sal_sql", "sasha", 20, 21, "leads", ""),
    ("sqls", "sasha", 20, "", "leads", ""),
    ("rate_sql_opportunity", "sven", 20, 21, "leads", ""),
    ("opportunities", "sven", 25, "", "leads", ""),
    ("acv", "sven", 35, "", "leads", ""),
    ("pipeline", "sven", 25, "", "leads", ""),
    ("rate_opportunity_won", "sven", 25, 60, "leads", ""),
    ("wins", "sven", 30, "", "leads", ""),
    ("bookings", "sven", 30, "", "leads", ""),
    ("cycle_days", "sven", 50, "", "leads", ""),
)
#: Percent of plan at which both sides pivot, and how.
_AGREED: dict[str, tuple[int, str]] = {
    "budget": (25, "Fiona stops all campaigns until Mara has shown where the money goes"),
    "leads": (30, "Move a third of the month's budget to the channel with the cheapest MQLs"),
    "mqls": (30, "Mara and Sven look at the score's threshold and at every form within a week"),
    "rate_mql_sal": (
        30,
        "Stop the campaign with the fewest accepted leads; both sides read 20 rejected leads",
    ),
    "sals": (35, "Two representatives move from renewals to new leads for a month"),
    "opportunities": (40, "Sven and Mara cut the plan for pipeline and the budget by an amendment"),
    "pipeline": (40, "Sven and Mara cut the plan for pipeline and the budget by an amendment"),
    "bookings": (45, "Hiring for next quarter waits until Fiona has a new forecast"),
}
_CADENCE_DAYS = 30
_DEFINITIONS = {
    "lead": "A person asked for something, or was found; nobody has judged the lead yet",
    "mql": "Score of 50 or more, no test record, nobody of our own company",
    "sal": "Sales has looked at the lead and takes it on",
    "sql": "A first call confirmed need, budget and a date",
}
#: What each department counts otherwise than the books do; see sql/files/claims.sql.
_COUNTING: tuple[tuple[str, str, str], ...] = (
    ("marketing", "leads", "test_record"),
    ("marketing", "leads", "excluded_domain"),
    ("marketing", "leads", "merged"),
    ("marketing", "mqls", "test_record"),
    ("marketing", "mqls", "excluded_domain"),
    ("marketing", "mqls", "merged"),
    ("marketing", "mqls", "below_definition"),
    ("sales", "bookings", "currency_rate"),
)

#: Of more cohorts than this, as in a benchmark, Sales committed to none, and the plan only warns.
MOST_COMMITMENTS = 100

Cells = dict[str, object]


@dataclass(frozen=True)
class Funnel:
    """What is planned for one period at company level; money in major units."""

    leads: Fraction
    budget: Fraction
    mqls: Fraction
    mql_sal: Fraction
    sal_sql: Fraction
    sql_opportunity: Fraction
    won: Fraction
    acv: Fraction

    def cells(self) -> Cells:
        """The row of the sheet `targets`: every step multiplied out."""
        sals = self.mqls * self.mql_sal
        sqls = sals * self.sal_sql
        opportunities = sqls * self.sql_opportunity
        wins = opportunities * self.won
        return {
            "budget": self.budget,
            "cost_per_lead": self.budget / self.leads if self.leads else None,
            "leads": self.leads,
            "rate_lead_mql": self.mqls / self.leads if self.leads else None,
            "mqls": self.mqls,
            "rate_mql_sal": self.mql_sal,
            "sals": sals,
            "rate_sal_sql": self.sal_sql,
            "sqls": sqls,
            "rate_sql_opportunity": self.sql_opportunity,
            "opportunities": opportunities,
            "acv": self.acv,
            "pipeline": opportunities * self.acv,
            "rate_opportunity_won": self.won,
            "wins": wins,
            "bookings": wins * self.acv,
        }

    def together(self, others: Iterable[Funnel]) -> Funnel:
        """Several months as one quarter: their rates are the same."""
        every = [self, *others]
        return Funnel(
            sum((each.leads for each in every), Fraction(0)),
            sum((each.budget for each in every), Fraction(0)),
            sum((each.mqls for each in every), Fraction(0)),
            self.mql_sal,
            self.sal_sql,
            self.sql_opportunity,
            self.won,
            self.acv,
        )


@dataclass
class _Targets:
    """Rows of the sheets `targets`, `promises` and `capacity`, as they are gathered."""

    targets: list[Cells] = field(default_factory=list)
    promises: list[Cells] = field(default_factory=list)
    capacity: list[Cells] = field(default_factory=list)

    def company(self, period: str, funnel: Funnel, promised: Mapping[str, object]) -> None:
        """One period of the whole company, with what each department promises for it."""
        cells = funnel.cells()
        # Of the few deals that a month wins no average is worth a target.
        cycle = {"cycle_days": 12} if "-Q" in period else {}
        self.targets.append({"period": period, "scope": "company", **cells, **cycle})
        for metric, department in (
            ("budget", "finance"),
            ("mqls", "marketing"),
            ("pipeline", "sales"),
            ("bookings", "sales"),
        ):
            self.promises.append(
                {
                    "department": department,
                    "period": period,
                    "scope": "company",
                    "metric": metric,
                    "value": promised.get(metric, cells[metric]),
                    "by": SIGNERS[department],
                }
            )


def signing_key(spec: CompanySpec, person: str) -> SigningKey:
    """The invented key of an invented person."""
    seed = hashlib.sha256(f"tieout sample key/{spec.seed}/{person}".encode()).digest()
    return SigningKey.from_seed(seed)


def plan(spec: CompanySpec, connection: duckdb.DuckDBPyConnection) -> Plan:
    """The first version of the company's plan, read from the generator's expectations."""
    gathered = _mirage(spec) if spec.scenario == "mirage" else _months(spec, connection)
    channels = connection.execute(
        "select distinct channel, source from camp where source is not null order by all"
    ).fetchall()
    return read(
        {name: _numbered(name, rows) for name, rows in _sheets(spec, gathered, channels).items()},
        lambda sheet, row, column: f"{sheet}:{row}: {column}",
    )


def _sheets(
    spec: CompanySpec, gathered: _Targets, channels: list[tuple[str, str]]
) -> dict[str, list[Cells]]:
    sources: dict[str, list[str]] = {}
    for channel, source in channels:
        sources.setdefault(channel, []).append(source)
    scopes: list[Cells] = [{"scope": "company", "level": "company"}]
    if spec.scenario != "mirage":
        # The leads of a source that nobody named are the direct ones.
        sources.setdefault("direct", []).append("(unknown)")
        scopes += [
            {
                "scope": f"channel:{channel}",
                "level": "channel",
                "parent": "company",
                "sources": "; ".join(names),
            }
            for channel, names in sorted(sources.items())
        ]
        scopes.append(
            {
                "scope": "stretch:overhead",
                "level": "channel",
                "parent": "company",
                "note": "Fees and tools: in the budget, in no channel",
            }
        )
    return {
        "plan": [{"key": key, "value": value} for key, value in _settings(spec).items()],
        "people": [
            {
                "person": person,
                "name": name,
                "title": title,
                "department": department,
                "signs": signs,
                "public_key": signing_key(spec, person).public_key,
            }
            for person, name, title, department, signs in _PEOPLE
        ],
        "scopes": scopes,
        "stages": [
            {"stage": stage, "definition": text, "counts": "first"}
            for stage, text in _DEFINITIONS.items()
        ],
        "kpis": [
            {
                "metric": metric,
                "owner": owner,
                "tolerance_pct": tolerance,
                "cadence_days": _CADENCE_DAYS,
                "window_days": window,
                "curve": curve,
                "sla_hours": hours,
                "trigger_pct": _AGREED[metric][0] if metric in _AGREED else "",
                "action": _AGREED[metric][1] if metric in _AGREED else "",
            }
            for metric, owner, tolerance, window, curve, hours in _KPIS
        ],
        "targets": gathered.targets,
        "promises": gathered.promises,
        "capacity": gathered.capacity,
        "curves": [
            {"curve": "standard", **dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), 1), "sat": 1,
             "sun": 1},
            # Seven leads come on a day of the weekend for twenty on a weekday.
            {"curve": "leads", **dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), 20), "sat": 7,
             "sun": 7},
            {"curve": "working_days", **dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), 1),
             "sat": 0, "sun": 0},
        ],
        "special_days": [
            {"curve": "working_days", "first_day": day, "weight_pct": 0, "name": name}
            for day, name in _holidays(spec)
        ],
        "rates": [
            {"currency": code, "rate": Fraction(company.plan_micros(spec, code), 1_000_000)}
            for code in spec.currencies[1:]
        ],
        "counting": [
            {"department": department, "metric": metric, "reason": reason}
            for department, metric, reason in _COUNTING
        ],
    }  # fmt: skip


def _settings(spec: CompanySpec) -> dict[str, object]:
    is_mirage = spec.scenario == "mirage"
    years = range(spec.first_day.year, spec.final_day.year + 1)
    return {
        "company": company.NAME,
        "title": f"Joint plan {years[0]}" + (f"-{years[-1]}" if len(years) > 1 else ""),
        "currency": spec.currencies[0],
        "effective_from": spec.first_day,
        "calendar": "months",
        "fiscal_year_first_day": date(spec.first_day.year, 1, 1),
        "fiscal_years": "; ".join(str(year) for year in years),
        "spend_rate": "spend_date",
        "pipeline_rate": "plan",
        "won_rate": "close_date",
        "funnel_tolerance_pct": 1,
        "promise_tolerance_pct": 5,
        "rollup_tolerance_pct": Decimal("0.5"),
        "max_cac": 20000 if is_mirage else 9000,
        "max_payback_months": 12,
        "gross_margin_pct": 80,
        "commitment_threshold": 1000,
        "commitment_grace_days": 10,
        "commitment_policy": "block"
        if spec.campaigns * spec.months <= MOST_COMMITMENTS
        else "warn",
        "variance_after_pct": 25,
        "variance_sigma": Decimal("2.5"),
        "variance_policy": "warn",
        "handoff_share_pct": 65,
        "handoff_policy": "warn",
        "business_hours": "09:00-17:00",
        "business_days": "working_days",
        "qualified_min_score": 50,
        "qualified_exclude_test": "yes",
        "qualified_exclude_email_domains": company.OWN_DOMAIN,
    }


def _holidays(spec: CompanySpec) -> Iterator[tuple[date, str]]:
    """Days on which nobody works leads, of every year of the plan."""
    for year in range(spec.first_day.year, spec.final_day.year + 1):
        yield date(year, 1, 1), "New Year"
        yield date(year, 7, 4), "Independence Day"
        yield date(year, 12, 25), "Christmas"


def _months(spec: CompanySpec, connection: duckdb.DuckDBPyConnection) -> _Targets:
    """Every month, by channel and in total, and every quarter all of whose months are planned."""
    gathered = _Targets()
    leads = connection.execute(
        "select period_start, channel, sum(leads)::bigint from expected group by all order by all"
    ).fetchall()
    costs = connection.execute(
        "select month.month, cost.channel, sum(cost.cost_minor)::bigint from expected_cost as cost"
        " join month on cost.month_i = month.month_i group by all order by all"
    ).fetchall()
    minor_units = 10 ** company.exponent(spec.currencies[0])
    quarters: dict[str, list[Funnel]] = {}
    for month in sorted({row[0] for row in leads}):
        period = f"FY{month.year}-M{month.month:02d}"
        by_channel: dict[str, Cells] = {}
        for start, channel, count in leads:
            if start == month:
                by_channel.setdefault(channel, {})["leads"] = count
        for start, channel, minor in costs:
            if start == month:
                by_channel.setdefault(channel, {})["budget"] = Fraction(minor, minor_units)
        overhead = by_channel.pop("overhead", None)
        parts = [*by_channel.values(), *([overhead] if overhead else [])]
        total = sum((Fraction(str(part.get("leads", 0))) for part in parts), Fraction(0))
        budget = sum((Fraction(str(part.get("budget", 0))) for part in parts), Fraction(0))
        funnel = Funnel(
            leads=total,
            budget=budget,
            mqls=total * Fraction(3, 10),
            mql_sal=Fraction(55, 100),
            sal_sql=Fraction(6, 10),
            sql_opportunity=Fraction(6, 10),
            won=Fraction(3, 10),
            acv=Fraction(24000),
        )
        gathered.company(period, funnel, {})
        quarters.setdefault(f"FY{month.year}-Q{(month.month + 2) // 3}", []).append(funnel)
        gathered.targets += [
            {"period": period, "scope": f"channel:{channel}", **cells}
            for channel, cells in sorted(by_channel.items())
        ]
        if overhead:
            gathered.targets.append({"period": period, "scope": "stretch:overhead", **overhead})
    for quarter, funnels in quarters.items():
        if len(funnels) == 3:
            whole = funnels[0].together(funnels[1:])
            gathered.company(quarter, whole, {})
            gathered.capacity.append(_capacity(quarter, whole.mqls * whole.mql_sal))
    return gathered


def _mirage(spec: CompanySpec) -> _Targets:
    """One quarter in which 500 MQLs multiply out to $2M, and Sales promises $5M all the same."""
    gathered = _Targets()
    quarter = f"FY{spec.first_day.year}-Q{(spec.first_day.month + 2) // 3}"
    funnel = Funnel(
        leads=Fraction(spec.leads),
        budget=Fraction(MIRAGE_SPEND_MINOR, 100),
        mqls=Fraction(MIRAGE_MQLS),
        mql_sal=Fraction(4, 10),
        sal_sql=Fraction(5, 10),
        sql_opportunity=Fraction(5, 10),
        won=Fraction(25, 100),
        acv=Fraction(40000),
    )
    promised = Fraction(MIRAGE_PIPELINE_MINOR, 100)
    gathered.company(quarter, funnel, {"pipeline": promised, "bookings": promised * funnel.won})
    gathered.capacity.append(_capacity(quarter, funnel.mqls * funnel.mql_sal))
    return gathered


def _capacity(period: str, sals: Fraction) -> Cells:
    """Six representatives with a third to spare."""
    return {
        "period": period,
        "scope": "company",
        "reps": 6,
        "leads_per_rep": -(-sals * 4 // 18),
    }


def _numbered(sheet: str, rows: Iterable[Cells]) -> list[tuple[int, dict[str, str]]]:
    columns = SHEETS[sheet].column_names
    return [
        (number, {name: _text(cells[name]) for name in columns if cells.get(name) is not None})
        for number, cells in enumerate(rows, start=2)
    ]


def _text(value: object) -> str:
    """A cell as text; a fraction to nine digits, rounded down."""
    if isinstance(value, Fraction):
        value = Decimal(value.numerator * 10**9 // value.denominator).scaleb(-9)
    return canonical(SHEETS["plan"].columns[1], value)  # type: ignore[arg-type]


def cohorts(
    spec: CompanySpec, connection: duckdb.DuckDBPyConnection
) -> Iterator[tuple[str, date, date]]:
    """Campaigns' monthly cohorts that spend: key, first day, and the day Sales commits its rate."""
    rows = connection.execute(
        "select camp.campaign_key, month.month, min(spend.day) from spend"
        " join camp on spend.c = camp.c join month on spend.month_i = month.month_i"
        " where camp.campaign is not null group by all order by 2, 1"
    ).fetchall()
    for campaign_key, month, first_spend in rows:
        committed_on = first_spend + timedelta(days=2)
        if committed_on <= spec.final_day:
            yield campaign_key, month, committed_on


def write(spec: CompanySpec, connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    """The company's contract, new below `root`: version 1, locked and signed by all three.

    And the rates that Sales committed to; in the mirage also the waiver that let the plan through.
    """
    shutil.rmtree(root, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="tieout-plan-") as scratch:
        draft = Path(scratch) / "draft"
        write_plan(plan(spec, connection), draft)
        locked_at = datetime.combine(spec.first_day - timedelta(days=7), time(12), UTC)
        version = lock(root, draft, locked_at=locked_at).number
    signers = {
        department: (person, signing_key(spec, person)) for department, person in SIGNERS.items()
    }
    for hours, (person, key) in enumerate(signers.values(), start=1):
        sign(root, version, person, key, signed_at=locked_at + timedelta(hours=hours))
    if spec.scenario == "mirage":
        append(
            root,
            "waivers",
            {
                "law": "P2",
                "scope": "all",
                "reason": "Sales is confident that larger deals close the gap",
                "expires_on": spec.final_day + timedelta(days=92),
            },
            {name: signers[name] for name in ("marketing", "sales")},
            at=locked_at,
        )
    if spec.campaigns * spec.months <= MOST_COMMITMENTS:
        for campaign_key, cohort_start, committed_on in cohorts(spec, connection):
            append(
                root,
                "commitments",
                {
                    "campaign_key": campaign_key,
                    "cohort_start_date": cohort_start,
                    "metric": "rate_mql_sal",
                    "rate": Decimal("0.4") if spec.scenario == "mirage" else Decimal("0.55"),
                    "window_days": 14,
                },
                {"sales": signers["sales"]},
                at=datetime.combine(committed_on, time(15), UTC),
            )
    for item, month_end in _credited(spec):
        append(
            root,
            "notes",
            {
                "item": item,
                "why": "A platform paid back more than the campaign cost that month",
                "action": "Budget moved to June; the platform's billing is asked to explain",
                "due_date": month_end + timedelta(days=30),
                "closes": True,
            },
            {"finance": signers["finance"]},
            at=datetime.combine(month_end + timedelta(days=6), time(9), UTC),
        )


def _credited(spec: CompanySpec) -> Iterator[tuple[str, date]]:
    """The variance items that a month of large credits opens, with the month's last day."""
    if spec.scenario == "mirage":
        return
    for campaign in company.campaigns(spec):
        if campaign.credit_heavy_month_i is None:
            continue
        months = spec.first_day.year * 12 + spec.first_day.month + campaign.credit_heavy_month_i
        month_end = date(months // 12, months % 12 + 1, 1) - timedelta(days=1)
        if month_end + timedelta(days=6) > spec.final_day:
            continue
        period = f"FY{month_end.year}-M{month_end.month:02d}"
        for place in (
            "company|budget",
            "company|cost_per_lead",
            f"channel:{campaign.channel}|budget",
        ):
            digest = hashlib.md5(f"{period}|{place}".encode(), usedforsecurity=False)
            yield f"V-{digest.hexdigest()[:10]}", month_end
