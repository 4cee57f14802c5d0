"""The sample company: the same bytes for the same spec, exact scenarios, a truth that agrees."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.lib.sample import CompanySpec, Oddities, Truth, generate
from orchestration.lib.sample.__main__ import main
from orchestration.lib.sources.canonical import SQL_TYPE, TABLES
from orchestration.settings import REPO

SMALL = CompanySpec(seed=7, leads=150, months=2, campaigns=6)
BUNDLED = REPO / "seeds" / "sample"
PLAN = REPO / "seeds" / "plan"


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@lru_cache(maxsize=4)
def opened(folder: Path) -> duckdb.DuckDBPyConnection:
    """The delivered files (every canonical type), and truth as `true_<table>`."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("set TimeZone = 'UTC'")
    for table in TABLES.values():
        path = next((folder / "data").glob(f"{table.name}.*"))
        if path.suffix == ".parquet":
            connection.read_parquet(str(path)).create(table.name)
        else:
            types = ", ".join(
                f"'{column.name}': '{SQL_TYPE[column.type]}'" for column in table.columns
            )
            connection.execute(
                f"create table {table.name} as from read_csv(?, header=true, delim=',', "
                f"quote='\"', escape='\"', auto_detect=false, columns={{{types}}})",
                [str(path)],
            )
    targets = folder / "plan" / "v1" / "targets.csv"
    if targets.exists():
        connection.read_csv(str(targets), header=True).create("target")
    for path in (folder / "truth").glob("*.parquet"):
        connection.read_parquet(str(path)).create(f"true_{path.stem}")
    return connection


def read(truth: Truth, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query over `opened`."""
    return opened(truth.folder).execute(sql).fetchall()


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return generate(CompanySpec(), tmp_path_factory.mktemp("healthy"))


@pytest.fixture(scope="module")
def mirage(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return generate(CompanySpec.for_scenario("mirage"), tmp_path_factory.mktemp("mirage"))


def test_the_bundled_sample_is_what_the_generator_makes(healthy: Truth) -> None:
    made = {name: value for name, value in digests(healthy.folder).items() if "truth" not in name}
    bundled = digests(BUNDLED) | {f"plan/{name}": value for name, value in digests(PLAN).items()}
    # The bundled company's plan stands beside it.
    differ = {name for name in made | bundled if made.get(name) != bundled.get(name)}
    assert differ == {"sources.yml"}
    assert (BUNDLED / "sources.yml").read_text() == (
        healthy.folder / "sources.yml"
    ).read_text().replace("plan: plan", "plan: ../plan")


def test_the_bundled_sample_is_small() -> None:
    assert sum(path.stat().st_size for path in BUNDLED.rglob("*") if path.is_file()) <= 2_000_000


def test_another_seed_makes_another_company(tmp_path: Path) -> None:
    one = generate(SMALL, tmp_path / "one")
    two = generate(CompanySpec(seed=8, leads=150, months=2, campaigns=6), tmp_path / "two")
    assert digests(one.data)["leads.csv"] != digests(two.data)["leads.csv"]


def test_parquet_and_csv_hold_the_same_rows(tmp_path: Path) -> None:
    csv = generate(SMALL, tmp_path / "csv", "csv")
    parquet = generate(SMALL, tmp_path / "parquet", "parquet")
    for name in TABLES:
        rows = f"from {name}"
        assert read(csv, rows) == read(parquet, rows), name
        columns = [row[0] for row in read(parquet, f"describe {name}")]
        assert columns == list(TABLES[name].column_names)


def test_files_have_exactly_the_canonical_columns(tmp_path: Path) -> None:
    truth = generate(SMALL, tmp_path)
    assert {path.stem for path in truth.data.iterdir()} == set(TABLES)
    for table in TABLES.values():
        header = (truth.data / f"{table.name}.csv").read_text(encoding="utf-8").split("\n")[0]
        assert header == ",".join(table.column_names)


@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.key])
def test_keys_are_unique_and_required_columns_filled(healthy: Truth, name: str) -> None:
    table = TABLES[name]
    key = ", ".join(table.key)
    # A row delivered twice is an oddity of `leads` alone.
    rows = f"(select distinct * from {name})"
    assert read(healthy, f"select {key} from {rows} group by all having count(*) > 1") == []
    for column in table.columns:
        if column.required:
            nulls = f"select count(*) from {name} where {column.name} is null"
            assert read(healthy, nulls) == [(0,)], column.name


@pytest.mark.parametrize(
    ("table", "column", "target", "key"),
    [
        ("leads", "merged_into", "leads", "lead_id"),
        ("leads", "converted_opportunity_id", "opportunities", "opportunity_id"),
        ("leads", "contact_id", "contacts", "contact_id"),
        ("lead_events", "lead_id", "leads", "lead_id"),
        ("touches", "lead_id", "leads", "lead_id"),
        ("opportunities", "contact_id", "contacts", "contact_id"),
        ("opportunity_events", "opportunity_id", "opportunities", "opportunity_id"),
        ("revenue", "opportunity_id", "opportunities", "opportunity_id"),
    ],
)
def test_references_resolve(healthy: Truth, table: str, column: str, target: str, key: str) -> None:
    found = read(
        healthy,
        f"select count({column}), count({column}) filter "
        f"({column} not in (select {key} from {target})) from {table}",
    )
    assert found[0][0] > 0
    assert found[0][1] == 0


def test_campaign_names_meet_after_normalising(healthy: Truth) -> None:
    """B13: whatever the noise, lower case, trim and one separator bring the names together."""
    rule = r"regexp_replace(lower(trim({0})), '[\s_\-+.]+', '_', 'g')"
    noisy = read(
        healthy,
        "select count(*) filter (coalesce(campaign, utm_campaign) not in "
        "(select campaign from campaigns)), count(*) filter ("
        + rule.format("coalesce(campaign, utm_campaign)")
        + " not in (select "
        + rule.format("campaign")
        + " from campaigns)) from leads",
    )
    assert noisy[0][0] > 100
    assert noisy[0][1] == 0


def test_stages_follow_time(healthy: Truth) -> None:
    """B8: nothing before creation, nothing after as_of."""
    assert read(
        healthy,
        "select count(*) from lead_events join (select distinct lead_id, created_at from leads) "
        "using (lead_id) where occurred_at < created_at or occurred_at > '2026-07-01 12:00:00'",
    ) == [(0,)]
    assert read(
        healthy,
        "select count(*) from opportunity_events join opportunities using (opportunity_id) "
        "where occurred_at < created_at or occurred_at > '2026-07-01 12:00:00'",
    ) == [(0,)]


def test_no_source_misses_a_day(healthy: Truth) -> None:
    """B11: each source spends from the first day to the last."""
    assert read(
        healthy,
        "select source, min(day), max(day), count(distinct day) from spend group by all order by 1",
    ) == [
        (source, date(2026, 1, 1), date(2026, 6, 30), 181)
        for source in ("Google Ads", "LinkedIn Ads", "Meta Ads")
    ]


def test_spend_ties_out_to_control_totals_and_truth(healthy: Truth) -> None:
    """B1: the newest reading of each key, finer rows summed, is what the platforms total."""
    newest = (
        "with newest as (from spend where level is null qualify loaded_at = max(loaded_at) over "
        "(partition by source, account, campaign, day, kind)) "
    )
    assert (
        read(
            healthy,
            newest + "select source, account, date_trunc('month', day)::date, currency, sum(cost) "
            "from newest group by all except from control_totals",
        )
        == []
    )
    assert read(healthy, newest + "select sum(cost * 100)::bigint from newest") == read(
        healthy, "select sum(cost_minor)::bigint from true_spend"
    )
    assert read(healthy, "select sum(cost_minor)::bigint from true_cohort") == read(
        healthy, "select sum(cost_minor)::bigint from true_spend"
    )


def test_spend_is_restated_credited_and_has_overheads(healthy: Truth) -> None:
    kinds = dict(read(healthy, "select kind, count(*) from spend group by all"))
    assert set(kinds) == {"media", "credit", "overhead"}
    delays = dict(
        read(
            healthy,
            "select loaded_at::date - day, count(*) from spend where kind = 'media' group by all",
        )
    )
    assert delays[1] > 20 * max(count for delay, count in delays.items() if delay > 3)
    assert delays[2] > 0 and delays[3] > 0
    assert any(delay > 4 for delay in delays)
    assert (
        read(
            healthy,
            "select count(*) from (select day, campaign from spend where kind = 'media' "
            "group by all having count(distinct loaded_at) > 1)",
        )[0][0]
        > 100
    )
    assert read(healthy, "select count(*) from true_cohort where cost_minor < 0") == [(1,)]
    assert read(healthy, "select count(distinct currency) from spend") == [(2,)]


def test_every_raw_lead_row_is_accounted_for(healthy: Truth) -> None:
    """B6: raw = kept + merged + excluded + the second copies."""
    raw = read(healthy, "select count(*), count(distinct lead_id) from leads")[0]
    # The second leads of shared deals come on top.
    assert 1500 < raw[1] < 1530
    dispositions = dict(read(healthy, "select disposition, count(*) from true_lead group by all"))
    assert set(dispositions) == {"kept", "merged", "excluded"}
    assert sum(dispositions.values()) == raw[1]
    assert read(healthy, "select sum(raw_rows)::bigint from true_lead") == [(raw[0],)]
    assert read(healthy, "select sum(raw_rows)::bigint from true_cohort") == [(raw[0],)]
    assert read(
        healthy,
        "select count(*) from true_lead as merged join true_lead as survivor "
        "on merged.survivor_lead_id = survivor.lead_id where survivor.disposition <> 'kept'",
    ) == [(0,)]


def test_truth_agrees_with_itself(healthy: Truth) -> None:
    assert (
        read(
            healthy,
            "select lead_id from true_lead_stage join true_lead using (lead_id) "
            "qualify row_number() over (partition by lead_id order by entry_number desc) = 1 "
            "and stage <> final_stage",
        )
        == []
    )
    trail = "select count(distinct lead_id) from true_lead_stage where stage = '{0}'"
    kept = "select count(*) from true_lead where disposition = 'kept' and {0}"
    assert read(healthy, trail.format("won")) == read(healthy, kept.format("is_won"))
    assert read(healthy, trail.format("opportunity")) == read(
        healthy, kept.format("is_opportunity")
    )
    assert read(healthy, "select sum(mqls)::bigint from true_cohort") == read(
        healthy, kept.format("is_mql")
    )


def test_cohort_months_are_those_of_the_reporting_zone(healthy: Truth) -> None:
    assert read(
        healthy,
        "select count(*) from true_lead where month <> date_trunc('month', "
        "timezone('America/New_York', created_at at time zone 'UTC'))",
    ) == [(0,)]


def test_definition_of_qualified_needs_the_score(healthy: Truth) -> None:
    assert read(
        healthy,
        "select count(*) from true_lead join (select distinct lead_id, score from leads) "
        "using (lead_id) where is_mql and score < 50",
    ) == [(0,)]
    assert read(
        healthy,
        "select count(*) > 0 from lead_events join leads using (lead_id) "
        "where lead_events.status = 'Marketing Qualified' and score < 50",
    ) == [(True,)]


MONTHS = "from target where scope = 'company' and period like '%-M%'"


def test_healthy_runs_near_its_plan(healthy: Truth) -> None:
    for metric, actual in (
        ("leads", "select sum(kept)::double from true_cohort"),
        ("mqls", "select sum(mqls)::double from true_cohort"),
        ("budget", "select sum(reporting_minor_exact)::double / 100 from true_cohort"),
    ):
        wanted = read(healthy, f"select sum({metric}) {MONTHS}")[0][0]
        assert read(healthy, actual)[0][0] == pytest.approx(wanted, rel=0.12), metric


def test_the_plan_multiplies_out(healthy: Truth) -> None:
    """P1, P2: each volume is the one before it times its rate; channels add up to the company."""
    assert read(
        healthy,
        f"select count(*) {MONTHS} and (abs(budget / cost_per_lead - leads) > 0.01 "
        "or abs(leads * rate_lead_mql - mqls) > 0.001 or abs(mqls * rate_mql_sal - sals) > 0.001 "
        "or abs(sals * rate_sal_sql - sqls) > 0.001 "
        "or abs(sqls * rate_sql_opportunity - opportunities) > 0.001 "
        "or abs(opportunities * acv - pipeline) > 0.01)",
    ) == [(0,)]
    assert (
        read(
            healthy,
            "select period, sum(leads), round(sum(budget), 2) from target "
            "where scope <> 'company' group by all except "
            f"select period, leads, round(budget, 2) {MONTHS}",
        )
        == []
    )


def test_the_mirage_has_its_exact_figures(mirage: Truth) -> None:
    kept = "select count(*) from true_lead where disposition = 'kept' and "
    assert read(mirage, kept + "is_mql") == [(500,)]
    assert read(mirage, kept + "is_accepted") == [(40,)]
    assert read(
        mirage, "select sum(reporting_minor_exact)::bigint, sum(cost_minor)::bigint from true_spend"
    ) == [(20_000_000, 20_000_000)]
    assert read(mirage, "select sum(cost)::double from control_totals") == [(200_000.0,)]
    assert read(mirage, "select mqls, pipeline, budget from target") == [(500, 2_000_000, 200_000)]
    promises = (mirage.folder / "plan" / "v1" / "promises.csv").read_text()
    assert "sales,FY2026-Q2,company,pipeline,5000000,sven\n" in promises
    claimed = read(
        mirage,
        "select metric, value::double from claims where period_end = '2026-06-30' "
        "and period_start = '2026-04-01'",
    )
    assert {("mqls", 500.0), ("accepted_leads", 40.0), ("spend", 200_000.0)} <= set(claimed)


def test_the_mirages_leads_qualify_within_the_quarter(mirage: Truth) -> None:
    assert read(
        mirage,
        "select count(distinct lead_id) filter (stage = 'mql'), "
        "count(distinct lead_id) filter (stage = 'sal') from true_lead_stage "
        "where entered_at >= '2026-04-01 04:00' and entered_at < '2026-07-01 04:00'",
    ) == [(500, 40)]


def test_the_quality_trap_springs_on_its_day(tmp_path: Path) -> None:
    spec = CompanySpec.for_scenario("quality-trap", leads=30_000, shift_day=date(2026, 4, 1))
    truth = generate(spec, tmp_path, "parquet")
    planned = read(truth, f"select sum(leads) {MONTHS}")
    kept = read(truth, "select count(*)::double from true_lead where disposition = 'kept'")
    assert kept[0][0] / planned[0][0] == pytest.approx(1.2, rel=0.02)
    rates = read(
        truth,
        "select month >= '2026-04-01' as is_after, "
        "count(*) filter (will_be_sql) / count(*) filter (will_be_mql), "
        "count(*) filter (will_be_won) from true_lead where disposition = 'kept' "
        "group by all order by 1",
    )
    assert rates[1][1] / rates[0][1] == pytest.approx(0.7, rel=0.06)
    costs = read(
        truth,
        "select month >= '2026-04-01' as is_after, sum(reporting_minor_exact)::double "
        "from true_spend where kind <> 'overhead' group by all order by 1",
    )
    before, after = (costs[n][1] / rates[n][2] for n in (0, 1))
    assert 1.7 < after / before < 2.4


@pytest.mark.parametrize(
    "spec",
    [
        CompanySpec(leads=0, months=1, campaigns=1),
        CompanySpec(leads=1, months=1, campaigns=1, currencies=("EUR",), time_zone="Asia/Kolkata"),
        CompanySpec(leads=25, months=2, campaigns=3, currencies=("EUR", "GBP")),
        CompanySpec(
            leads=60,
            months=14,
            campaigns=5,
            as_of=datetime(2026, 3, 10, 3, 30, tzinfo=UTC),
            last_day=date(2026, 3, 8),
        ),
    ],
    ids=["empty", "one lead", "no dollars", "over a new year, open month"],
)
def test_tiny_companies(tmp_path: Path, spec: CompanySpec) -> None:
    truth = generate(spec, tmp_path)
    assert read(truth, "select count(distinct lead_id) from leads") == [(spec.leads,)]
    found = read(truth, "select min(day), max(day), max(loaded_at) from spend")[0]
    assert found[:2] == (spec.first_day, spec.final_day)
    assert found[2].replace(tzinfo=UTC) <= spec.as_of


def test_without_oddities_nothing_is_odd(tmp_path: Path) -> None:
    truth = generate(CompanySpec(seed=2, oddities=Oddities.none()), tmp_path)
    assert read(truth, "select distinct disposition from true_lead") == [("kept",)]
    assert read(
        truth, "select count(*) from leads where campaign is null and utm_campaign is null"
    ) == [(0,)]
    assert read(truth, "select distinct kind from spend") == [("media",)]
    assert read(truth, "select count(*) = count(distinct (source, campaign, day)) from spend") == [
        (True,)
    ]
    assert read(truth, "select count(*) from opportunities where is_deleted") == [(0,)]
    assert "Qualified:\n" not in truth.sources.read_text(encoding="utf-8").replace(
        "Marketing Qualified", ""
    ).replace("Sales Qualified", "")


@pytest.mark.parametrize(
    ("oddity", "query"),
    [
        (
            "future_events",
            "select count(*) from lead_events where occurred_at > '2026-07-01 12:00'",
        ),
        (
            "events_before_creation",
            "select count(*) from lead_events join leads using (lead_id) "
            "where occurred_at < created_at",
        ),
        ("unmapped_statuses", "select count(*) from lead_events where status = 'Nurture Hold'"),
    ],
)
def test_errors_are_there_when_asked_for(tmp_path: Path, oddity: str, query: str) -> None:
    truth = generate(CompanySpec(oddities=Oddities(**{oddity: True})), tmp_path)
    assert read(truth, query)[0][0] > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"leads": -1}, "leads is -1"),
        ({"currencies": ("USD", "XXX")}, "XXX"),
        ({"scenario": "mirage"}, "months=3"),
        ({"scenario": "boom"}, "choose one of"),
        ({"as_of": datetime(2026, 7, 1)}, "time zone"),
        ({"last_day": date(2026, 7, 1)}, "before as_of"),
        ({"shift_day": date(2026, 4, 1)}, "quality-trap only"),
    ],
)
def test_impossible_companies_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CompanySpec(**changes)


def test_truth_not_written_is_said_so(tmp_path: Path) -> None:
    truth = generate(SMALL, tmp_path, with_truth=False)
    assert not (tmp_path / "truth").exists()
    with pytest.raises(ValueError, match="with_truth=True"):
        truth.query("from lead")


def test_only_the_tables_asked_for_are_delivered(tmp_path: Path) -> None:
    truth = generate(SMALL, tmp_path, with_truth=False, tables=("spend", "leads"))
    assert sorted(path.name for path in truth.data.iterdir()) == ["leads.csv", "spend.csv"]
    with pytest.raises(ValueError, match="no such table: cats"):
        generate(SMALL, tmp_path, tables=("cats",))


def test_truth_answers_queries(healthy: Truth) -> None:
    assert healthy.query("select count(*) from lead where is_won and month >= ?", ["2026-01-01"])


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--out", str(tmp_path), "--leads", "20", "--months", "1", "--format", "parquet"]
    assert main(arguments) == 0
    assert "17 files" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["--out", str(tmp_path), "--scenario", "mirage", "--leads", "5"])
