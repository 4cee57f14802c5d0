"""`python -m benchmarks.trajectory`: is the trajectory right as often as it says?

Companies by the generator, and Olist where its files are there, are cut off at many dates: the
compiled models run on what was known at each, and their projections are held against how the
periods ended. Beside them stand what people use: the run rate, and last period's rate. The meaning
of the figures is in docs/benchmarks.md. Does not belong here: the projection (the models in
dbt_project/models/intermediate/trajectory), what a company is (`orchestration.lib.sample`).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.report import machine
from orchestration.lib.compiled import CompiledModel, build, compile_project, compiled_models
from orchestration.lib.landing import land
from orchestration.lib.sample import CompanySpec, Oddities, generate
from orchestration.lib.sources.config import load_sources
from orchestration.settings import REPO, Home

INPUTS = "/inputs-of-this-company"
CATALOG = "books"
REPORT = "rpt_trajectory__kpi_period"
QUANTILES = (0.1, 0.5, 0.9)

#: What a later export would know of an earlier day cannot be taken out of these.
_KNOW_THE_FUTURE = (
    "leads_without_history", "deleted_opportunities", "merges", "stated_merges", "merged_contacts",
    "merged_opportunities", "test_records", "staff_leads", "left_out_leads", "claimed_unqualified",
)  # fmt: skip

#: What was known at `as_of`, of each staging table that the trajectory reads; others as they are.
_KNOWN = {
    "stg_landed__run_parameter": "select * replace ($as_of as as_of) from {table}",
    "stg_landed__spend": "select * from {table} where day < $as_of::date and loaded_at <= $as_of",
    "stg_landed__lead": (
        "select * replace (if(status_at <= $as_of, status, null) as status,"
        " if(status_at <= $as_of, status_at, null) as status_at)"
        " from {table} where created_at <= $as_of"
    ),
    "stg_landed__lead_event": "select * from {table} where occurred_at <= $as_of",
    "stg_landed__opportunity_event": "select * from {table} where occurred_at <= $as_of",
    "stg_landed__opportunity": (
        "select opportunity.* replace ("
        " if(opportunity.stage_at <= $as_of, opportunity.stage, last_event.stage) as stage,"
        " if(opportunity.stage_at <= $as_of, opportunity.stage_at, last_event.occurred_at)"
        " as stage_at,"
        " coalesce(last_event.amount, opportunity.amount) as amount,"
        " coalesce(last_event.close_date, opportunity.close_date) as close_date)"
        " from {table} as opportunity left join ("
        " select opportunity_id, max(occurred_at) as occurred_at,"
        " max_by(stage, occurred_at) as stage, max_by(amount, occurred_at) as amount,"
        " max_by(close_date, occurred_at) as close_date"
        " from everything.stg_landed__opportunity_event where occurred_at <= $as_of"
        " group by opportunity_id) as last_event using (opportunity_id)"
        " where coalesce(opportunity.created_at, opportunity.stage_at) <= $as_of"
    ),
    "stg_landed__fx_rate": "select * from {table} where day <= $as_of::date",
}


@dataclass(frozen=True)
class Projection:
    """One KPI of one period, as it was projected at one date, and how it ended."""

    company: str
    as_of: date
    metric: str
    unit: str
    period: str
    scope: str
    period_kind: str
    plan: float
    low: float
    middle: float
    high: float
    verdict: str
    run_rate: float | None
    last_rate: float | None
    ended: float

    @property
    def is_covered(self) -> bool:
        """The period ended within the interval; on its edge is within."""
        slack = 1e-6 * max(abs(self.ended), 1e-3)
        return self.low - slack <= self.ended <= self.high + slack

    @property
    def scale(self) -> float:
        """What errors are measured in: the plan or, where that is nothing, how it ended."""
        return abs(self.plan) or abs(self.ended) or 1.0

    def loss(self, forecasts: Sequence[float]) -> float:
        """Mean pinball loss of forecasts of the quantiles, in shares of the plan."""
        return (
            sum(
                max(share * (self.ended - each), (share - 1) * (self.ended - each))
                for share, each in zip(QUANTILES, forecasts, strict=True)
            )
            / len(QUANTILES)
            / self.scale
        )


class Workshop:
    """The compiled models that the report needs."""

    def __init__(self, folder: Path) -> None:
        """Compile the project once."""
        manifest = compile_project(folder, inputs=INPUTS, catalog=CATALOG)
        nodes: dict[str, Any] = json.loads(manifest.read_text())["nodes"]
        needed: set[str] = set()
        waiting = [f"model.tieout.{REPORT}"]
        while waiting:
            key = waiting.pop()
            if key in nodes and key not in needed:
                needed.add(key)
                waiting += nodes[key]["depends_on"].get("nodes", [])
        names = {nodes[key]["name"] for key in needed}
        self.models = [each for each in compiled_models(manifest) if each.name in names]

    @property
    def staging(self) -> list[CompiledModel]:
        """The models that read files."""
        return [each for each in self.models if each.name.startswith("stg_")]

    @property
    def others(self) -> list[CompiledModel]:
        """The models that are made of those."""
        return [each for each in self.models if not each.name.startswith("stg_")]


class History:
    """One company's inputs up to the end, to be cut off at any date before it."""

    def __init__(self, inputs: Path, workshop: Workshop) -> None:
        """Read all inputs once."""
        self._workshop = workshop
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("attach ':memory:' as everything; use everything")
        build(
            self.connection,
            [
                replace(each, materialized="table", query=each.query.replace(INPUTS, str(inputs)))
                for each in workshop.staging
            ],
        )

    def known_at(self, as_of: datetime, instead: Mapping[str, str] | None = None) -> None:
        """The books of that instant, as the catalog in use.

        Args:
            as_of: the instant.
            instead: by staging table a query that takes its place, in which `{known}` is what was
                known of it.
        """
        connection = self.connection
        connection.execute(f"use everything; detach database if exists {CATALOG}")
        connection.execute(f"attach ':memory:' as {CATALOG}; use {CATALOG}; begin")
        instant = as_of.astimezone(UTC).replace(tzinfo=None)
        for each in self._workshop.staging:
            known = _KNOWN.get(each.name, "select * from {table}")
            known = known.format(table=f"everything.{each.name}")
            known = known.replace("$as_of", f"timestamp '{instant:%Y-%m-%d %H:%M:%S}'")
            if instead and each.name in instead:
                known = instead[each.name].format(known=f"({known})")
            connection.execute(f"create table {each.name} as {known}")
        build(connection, self._workshop.others)
        connection.execute("commit")

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query, by column."""
        found = self.connection.execute(query)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


#: What each period came to; a rate when all of its entrants are decided.
_ENDED = """
    select
        metric, period, scope,
        case
            when is_additive then numerator::double
            else numerator / nullif(denominator, 0)
        end as ended
    from int_plan_vs_actual__kpi_period
    where is_counted and not is_open and waiting = 0
"""

#: What the report says, and what there is to guess from without it.
_PROJECTED = """
    with periods as (
        select
            metric, period, scope, period_kind, is_additive, period_start_date, period_end_date,
            numerator::double as numerator,
            numerator / nullif(denominator, 0) as quotient
        from int_plan_vs_actual__kpi_period
    ),
    run as (
        select timezone(time_zone, timezone('UTC', as_of))::date as as_of_date
        from stg_landed__run_parameter
    )
    select
        report.metric, report.unit, report.period, report.scope, report.period_kind,
        report.plan_value::double as plan,
        report.low_value::double as low,
        report.projected_value::double as middle,
        report.high_value::double as high,
        report.verdict,
        case
            when periods.is_additive
                then periods.numerator
                / greatest(as_of_date - periods.period_start_date, 1)
                * (periods.period_end_date - periods.period_start_date)
            else periods.quotient
        end as run_rate,
        case
            when periods.is_additive
                then periods.numerator
                + previous.numerator / (previous.period_end_date - previous.period_start_date)
                * (periods.period_end_date - as_of_date)
            else previous.quotient
        end as last_rate
    from rpt_trajectory__kpi_period as report
    inner join periods using (metric, period, scope)
    cross join run
    left join periods as previous
        on previous.metric = report.metric
        and previous.scope = report.scope
        and previous.period_kind = report.period_kind
        and previous.period_end_date = report.period_start_date
    where not report.is_over
        and report.projected_value is not null
        and report.plan_value > 0
        and report.verdict_reason not like 'the history is too small%'
"""


def projections(company: str, history: History, dates: Iterable[datetime]) -> list[Projection]:
    """What was projected at those dates and has ended since.

    But for rows whose history the report itself calls too small.
    """
    made: list[tuple[date, dict[str, Any]]] = []
    *cuts, end = sorted(dates)
    for as_of in cuts:
        history.known_at(as_of)
        made += [(as_of.date(), row) for row in history.rows(_PROJECTED)]
    history.known_at(end)
    ended = {
        (row["metric"], row["period"], row["scope"]): row["ended"]
        for row in history.rows(_ENDED)
        if row["ended"] is not None
    }
    return [
        Projection(company=company, as_of=as_of, ended=ended[key], **row)
        for as_of, row in made
        if (key := (row["metric"], row["period"], row["scope"])) in ended
    ]


# --- Companies -----------------------------------------------------------------------------------


def generated(spec: CompanySpec, folder: Path, workshop: Workshop) -> History:
    """A company by the generator, without oddities that would tell an earlier day the future."""
    odd = replace(Oddities(), **dict.fromkeys(_KNOW_THE_FUTURE, False))
    tables = ("spend", "leads", "lead_events", "opportunities", "opportunity_events", "campaigns",
              "fx_rates")  # fmt: skip
    truth = generate(replace(spec, oddities=odd), folder / "company", with_truth=False,
                     tables=tables)  # fmt: skip
    return landed(truth.sources, folder, spec.as_of, workshop)


def landed(sources: Path, folder: Path, as_of: datetime, workshop: Workshop) -> History:
    """What a run would read of a company."""
    home = Home(folder / "home")
    home.landing.mkdir(parents=True)
    land(home, load_sources(sources), as_of)
    return History(home.inputs, workshop)


#: The model's beliefs were settled on companies of smaller seeds; these it has never seen.
FIRST_SEED = 101


def specs(seeds: int) -> Iterator[tuple[str, CompanySpec]]:
    """Companies of several sizes, healthy and not: nine months, three quarters."""
    as_of = datetime(2026, 10, 1, 12, tzinfo=UTC)
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        for leads in (1_500, 6_000, 20_000):
            yield f"healthy {leads:,}", CompanySpec(seed=seed, leads=leads, months=9, as_of=as_of)
        yield (
            "quality trap 6,000",
            CompanySpec.for_scenario("quality-trap", seed=seed, months=9, as_of=as_of),
        )


def weekly(spec: CompanySpec, every: int = 9) -> list[datetime]:
    """Dates from the fifth week on, and the end."""
    first = datetime.combine(spec.first_day, spec.as_of.timetz())
    days = (spec.as_of - first).days
    return [first + timedelta(days=day) for day in range(35, days, every)] + [spec.as_of]


# --- Olist ---------------------------------------------------------------------------------------

#: Olist has no plan: flat round targets by month and origin, as somebody would have set them.
_OLIST_PLAN = """
    insert into everything.stg_landed__plan_version by name
        select 1 as version, 'Olist' as title, 'BRL' as currency, repeat('0', 64) as sha256,
            true as is_signed, date '2017-06-01' as effective_from;
    insert into everything.stg_landed__plan_policy by name
        select 1 as version, 25 as variance_after_pct, 2.5 as variance_sigma;
    insert into everything.stg_landed__plan_period by name
        with months as (
            select unnest(range(timestamp '2017-06-01', timestamp '2018-07-01', interval 1 month))
                ::date as start
        )
        select 1 as version, strftime(start, 'M%Y-%m') as period, 'month' as period_kind,
            year(start) as fiscal_year, start as period_start_date,
            (start + interval 1 month)::date as period_end_date
        from months
        union all
        select 1, strftime(start, 'Q%Y-%m'), 'quarter', year(start), start,
            (start + interval 3 month)::date
        from months where month(start) in (7, 10, 1, 4);
    insert into everything.stg_landed__plan_day by name
        select 1 as version, 'standard' as curve, day::date as day, 1 as weight
        from range(timestamp '2017-06-01', timestamp '2018-07-01', interval 1 day) as days(day);
    insert into everything.stg_landed__plan_scope by name
        select 1 as version, 'company' as scope, 'company' as level, null as member,
            false as is_stretch, 2 as sheet_row
        union all
        select 1, 'channel:' || source, 'channel', source, false, 3
        from (select distinct source from everything.stg_landed__lead where source is not null);
    insert into everything.stg_landed__plan_scope_source by name
        select 1 as version, scope, member as source
        from everything.stg_landed__plan_scope where member is not null;
    insert into everything.stg_landed__plan_kpi by name
        select 1 as version, unnest(['leads', 'mqls', 'rate_mql_sal', 'wins']) as metric,
            20 as tolerance_pct, 30 as cadence_days, 2 as sheet_row,
            case metric when 'rate_mql_sal' then 60 end as window_days;
    insert into everything.stg_landed__plan_target by name
        select 1 as version, period, scope, metric, 2 as sheet_row,
            value * case when period_kind = 'quarter' and metric <> 'rate_mql_sal' then 3 else 1 end
                as value
        from everything.stg_landed__plan_period
        cross join (
            values ('leads', 700.0), ('mqls', 700.0), ('rate_mql_sal', 0.1), ('wins', 70.0)
        ) as company(metric, value)
        cross join (select 'company' as scope)
        union all
        select 1, period, scope, metric, 2,
            value * case when period_kind = 'quarter' then 3 else 1 end
        from everything.stg_landed__plan_period
        cross join (values ('leads', 70.0), ('wins', 7.0)) as origins(metric, value)
        cross join everything.stg_landed__plan_scope
        where level = 'channel'
"""


def olist(data: Path, folder: Path, workshop: Workshop) -> History:
    """The real company, by the shipped configuration, with a plan."""
    folder.mkdir(parents=True)
    sources = folder / "sources.yml"
    sources.write_text((REPO / "examples" / "olist" / "sources.yml").read_text(encoding="utf-8"))
    (folder / "data").symlink_to(data / "olist", target_is_directory=True)
    history = landed(sources, folder, datetime(2018, 11, 15, 2, tzinfo=UTC), workshop)
    history.connection.execute(_OLIST_PLAN)
    return history


def olist_dates(every: int) -> list[datetime]:
    """From the fourth month with leads to the last, and long after."""
    first = datetime(2017, 9, 10, 12, tzinfo=UTC)
    last = datetime(2018, 5, 31, 12, tzinfo=UTC)
    dates = [first + timedelta(days=day) for day in range(0, (last - first).days, every)]
    return [*dates, datetime(2018, 11, 15, 2, tzinfo=UTC)]


# --- Figures -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Score:
    """How good the projections of a group were."""

    group: str
    projections: int
    coverage: float
    ours: float
    run_rate: float
    last_rate: float | None
    verdicts: dict[str, float]


def score(group: str, found: Sequence[Projection]) -> Score:
    """Coverage of the interval and mean pinball losses; on rows where every rival has a figure."""
    alike = [each for each in found if each.run_rate is not None]
    both = [each for each in alike if each.last_rate is not None]

    def mean(values: Iterable[float]) -> float:
        listed = list(values)
        return sum(listed) / len(listed) if listed else float("nan")

    return Score(
        group,
        len(found),
        mean(float(each.is_covered) for each in found),
        mean(each.loss((each.low, each.middle, each.high)) for each in alike),
        mean(each.loss((each.run_rate or 0.0,) * 3) for each in alike),
        mean(each.loss((each.last_rate or 0.0,) * 3) for each in both) if both else None,
        {
            verdict: mean(float(each.verdict == verdict) for each in found)
            for verdict in ("on track", "cannot tell yet", "watch", "pivot")
        },
    )


def grouped(found: Sequence[Projection], of: str) -> list[Score]:
    """One score for each value of a field, and one for all."""
    groups: dict[str, list[Projection]] = defaultdict(list)
    for each in found:
        groups[str(getattr(each, of))].append(each)
    return [score(name, each) for name, each in groups.items()]


def table(scores: Iterable[Score]) -> Iterator[str]:
    """The scores as a Markdown table."""
    yield "| | projections | coverage | pinball loss | run rate | last period's rate |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for each in scores:
        last = "" if each.last_rate is None else f"{each.last_rate:.4f}"
        yield (
            f"| {each.group} | {each.projections:,} | {each.coverage:.1%} | {each.ours:.4f}"
            f" | {each.run_rate:.4f} | {last} |"
        )


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    chosen = _parser().parse_args(arguments)
    found: list[Projection] = []
    with tempfile.TemporaryDirectory(prefix="tieout-trajectory-") as scratch:
        workshop = Workshop(Path(scratch) / "compiled")
        for number, (name, spec) in enumerate(specs(chosen.seeds)):
            print(f"{name}, seed {spec.seed} …", file=sys.stderr, flush=True)
            history = generated(spec, Path(scratch) / str(number), workshop)
            found += projections(name, history, weekly(spec, chosen.every))
        real = os.environ.get("TIEOUT_REAL_DATA")
        if real and (Path(real) / "olist").is_dir():
            print("olist …", file=sys.stderr, flush=True)
            history = olist(Path(real), Path(scratch) / "olist", workshop)
            found += projections("olist", history, olist_dates(chosen.every))
        else:
            print("olist is skipped: TIEOUT_REAL_DATA names no folder with it", file=sys.stderr)
    if chosen.json:
        print(json.dumps({"format": 1, "projections": [asdict(each) for each in found],
                          "machine": machine()}, default=str))  # fmt: skip
        return 0
    for field in ("company", "metric", "scope", "period_kind"):
        print(f"\nBy {field.replace('_', ' ')}\n")
        print("\n".join(table([*grouped(found, field), score("all", found)])))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trajectory", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="companies of each kind")
    parser.add_argument("--every", type=int, default=9, help="days between the dates")
    parser.add_argument("--json", action="store_true", help="every projection, for programs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
