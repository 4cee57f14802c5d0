"""Make a company: its files as a source delivers them, and the truth behind them.

One generator for the bundled sample, the tests (tiny companies in a fraction of a second) and the
benchmarks (millions of leads, streamed to disk under a memory limit). Set-based: the SQL beside
this module does the work, in DuckDB. Chance comes from hashes of (seed, stream, index), so neither
threads nor machines change a byte; DuckDB's `hash` is tied to its pinned version.
Does not belong here: reading those files, which is the pipeline's business.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import duckdb

from orchestration.lib.sample import company
from orchestration.lib.sample import plan as joint_plan
from orchestration.lib.sample.sources_file import sources_yml
from orchestration.lib.sample.spec import (
    MIRAGE_ACCEPTED,
    MIRAGE_MQLS,
    MIRAGE_SPEND_MINOR,
    CompanySpec,
)
from orchestration.lib.sources.canonical import SQL_TYPE, TABLES, Column

Format = Literal["csv", "parquet"]

_SQL = Path(__file__).resolve().parent / "sql"
_TRUTHS = tuple(sorted(path.stem for path in (_SQL / "truth").glob("*.sql")))
#: Above this many leads the latent tables live in a temporary file rather than in memory.
_IN_MEMORY_LEADS = 200_000


@dataclass(frozen=True)
class Truth:
    """What is true of a generated company, and where its files are.

    The tables (see sql/truth/): `spend`, `cohort`, `lead`, `lead_stage`, `opportunity`,
    `opportunity_state`, `person`; read from the generator's own state, never from the delivered
    files.
    """

    spec: CompanySpec
    folder: Path
    files: tuple[Path, ...]
    tables: dict[str, Path]

    @property
    def sources(self) -> Path:
        """The company's sources.yml."""
        return self.folder / "sources.yml"

    @property
    def data(self) -> Path:
        """The folder of the delivered files, `<table>.csv` or `<table>.parquet`."""
        return self.folder / "data"

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query over the tables of truth, each under its own name."""
        if not self.tables:
            raise ValueError("this company was generated without truth; call with_truth=True")
        with duckdb.connect() as connection:
            for name, path in self.tables.items():
                connection.read_parquet(str(path)).create_view(name)
            return connection.execute(sql, list(parameters)).fetchall()


def generate(
    spec: CompanySpec,
    folder: Path,
    format: Format = "csv",
    *,
    with_truth: bool = True,
    plan: Path | None = None,
    with_plan: bool = True,
    tables: Collection[str] = tuple(TABLES),
    memory_limit: str = "2GB",
    threads: int | None = None,
) -> Truth:
    """Write `sources.yml`, `data/<table>.<format>` and `truth/<table>.parquet` into `folder`.

    The joint plan goes into the folder `plan`, new, or `folder`/plan; nowhere without `with_plan`.
    `tables` limits which files are delivered, to save time where a test needs few of them.
    """
    if unknown := set(tables) - set(TABLES):
        raise ValueError(f"no such table: {', '.join(sorted(unknown))}; see TABLES in canonical.py")
    folder = Path(folder)
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    truths: dict[str, Path] = {}
    with tempfile.TemporaryDirectory(prefix="tieout-sample-") as scratch:
        database = str(Path(scratch) / "latent.duckdb") if spec.leads > _IN_MEMORY_LEADS else ""
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "temp_directory": scratch,
            "autoinstall_known_extensions": False,
            "preserve_insertion_order": True,
            # With one thread Parquet's row groups are cut elsewhere than with any other number.
            "threads": max(2, threads or os.cpu_count() or 2),
        }
        with duckdb.connect(database or ":memory:", config=config) as connection:
            _set_up(connection, spec)
            for script in ("latent", "macros", "deal", "spend", "claims_plan", "truth"):
                connection.execute(_read(script))
            _check_mirage(connection, spec)
            for table in (TABLES[name] for name in TABLES if name in tables):
                path = data / f"{table.name}.{format}"
                query = _delivered(_read(f"files/{table.name}"), table.columns, format)
                _copy(connection, query, path)
                files.append(path)
            if with_plan:
                plan = plan or folder / "plan"
                joint_plan.write(spec, connection, plan)
            if with_truth:
                (folder / "truth").mkdir(exist_ok=True)
                for name in _TRUTHS:
                    truths[name] = folder / "truth" / f"{name}.parquet"
                    _copy(connection, _read(f"truth/{name}"), truths[name])
    sources = folder / "sources.yml"
    where = Path(os.path.relpath(plan, folder)).as_posix() if plan and with_plan else None
    sources.write_text(sources_yml(spec, where), encoding="utf-8", newline="\n")
    return Truth(spec, folder, (*files, sources), truths)


def _read(name: str) -> str:
    return (_SQL / f"{name}.sql").read_text(encoding="utf-8")


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Stream a query to a CSV or Parquet file."""
    relation = connection.sql(query)
    if path.suffix == ".csv":
        relation.write_csv(str(path), header=True)
    else:
        relation.write_parquet(str(path), compression="snappy")


def _delivered(query: str, columns: Sequence[Column], format: Format) -> str:
    """The query with exactly the canonical columns, typed (Parquet) or as text (CSV)."""
    shown = []
    for column in columns:
        if format == "csv" and column.type == "instant":
            shown.append(f"strftime({column.name}, '%Y-%m-%dT%H:%M:%SZ') as {column.name}")
        elif column.type == "decimal":
            shown.append(column.name)
        else:
            shown.append(f"{column.name}::{SQL_TYPE[column.type]} as {column.name}")
    return f"from (\n{query}\n) select {', '.join(shown)}"


def _set_up(connection: duckdb.DuckDBPyConnection, spec: CompanySpec) -> None:
    """Everything the SQL takes from the spec: variables, `camp` and `zone_day`."""
    zone = ZoneInfo(spec.time_zone)
    days = (spec.final_day - spec.first_day).days + 1
    cast = company.campaigns(spec)
    rates = spec.rates
    odd = spec.oddities

    def midnight(day_i: int) -> int:
        # The zone's offset at noon: leads come from 06:00 to 22:00, when no clock changes.
        day = spec.first_day + timedelta(days=day_i)
        offset = datetime.combine(day, time(12), zone).utcoffset() or timedelta()
        start = datetime.combine(day, time(), UTC) - offset
        return int(start.timestamp())

    def zone_midnight(day_i: int) -> int:
        day = spec.first_day + timedelta(days=day_i)
        return int(datetime.combine(day, time(), zone).timestamp())

    month_starts = [
        zone_midnight(day_i)
        for day_i in range(days)
        if day_i == 0 or (spec.first_day + timedelta(days=day_i)).day == 1
    ]
    month_ends = [
        zone_midnight(day_i + 1)
        for day_i in range(days)
        if day_i == days - 1 or (spec.first_day + timedelta(days=day_i + 1)).day == 1
    ]
    bands = ("test_records", "staff_leads", "merges", "returning_persons")
    foreign = list(spec.currencies[1:])
    home_digits = company.exponent(spec.currencies[0])
    #: Money is written with the digits of whichever currency has most.
    digits = max(2, *(company.exponent(code) for code in spec.currencies))
    variables: dict[str, object] = {
        "seed": str(spec.seed),
        "scenario": spec.scenario,
        "leads": spec.leads,
        "direct_deals": -(-spec.leads // 200) if odd.direct_deals else 0,
        "direct_c": len(cast) - 1,
        "slots": 256 if len(cast) <= 24 else 16384,
        "touches_per_lead": spec.touches_per_lead,
        "first_day": spec.first_day,
        "as_of": spec.as_of.astimezone(UTC).replace(tzinfo=None),
        "as_of_s": int(spec.as_of.timestamp()),
        # Later than any day where nothing shifts.
        "shift_day_i": (spec.trap_day - spec.first_day).days if spec.trap_day else days,
        "month_start_s": month_starts,
        "month_end_s": month_ends,
        "last_end_s": month_ends[-1],
        "renamed_s": int(datetime.combine(spec.renamed_on, time(), UTC).timestamp()),
        "rates": rates,
        "merge_roll": sum(rates[name] for name in bands[:3]),
        "odd_roll": sum(rates[name] for name in bands),
        "kept_roll": sum(rates[name] for name in bands) + rates["left_out_leads"],
        "kept_share": 1
        - (sum(rates[name] for name in bands[:3]) + rates["left_out_leads"]) / 10_000,
        "plan_divisor": 1.2 if spec.scenario == "quality-trap" else 1.0,
        "mirage_mqls": MIRAGE_MQLS,
        "mirage_accepted": MIRAGE_ACCEPTED,
        "mirage_spend_minor": MIRAGE_SPEND_MINOR,
        "reporting_currency": spec.currencies[0],
        "own_domain": company.OWN_DOMAIN,
        "bot_domain": company.BOT_DOMAIN,
        "bot_utm_source": company.BOT_UTM_SOURCE,
        "competitor": company.COMPETITOR,
        "renamed_day": spec.renamed_on,
        "renamed_c": 0 if odd.campaign_names else -1,
        "renamed_to": company.RENAMED.format(cast[0].campaign),
        "detailed_c": min(1, spec.campaigns - 1) if odd.ad_level_spend else -1,
        "raw_statuses": list(company.RAW_STATUSES),
        "raw_stages": list(company.RAW_STAGES),
        "stage_names": list(company.STAGE_NAMES),
        "camp_source": [each.source for each in cast],
        "camp_campaign": [each.campaign for each in cast],
        "camp_currency": [each.currency for each in cast],
        "camp_plan_micros": [company.plan_micros(spec, each.currency) for each in cast],
        "camp_mql_ppm": [each.mql_ppm for each in cast],
        **{name: list(words) for name, words in company.WORDS.items()},
    }
    for name, value in variables.items():
        connection.execute(f"set variable {name} = ?", [value])
    exponents = {code: company.exponent(code) for code in spec.currencies}
    for name, each in (
        # Units of the last digit that is written, in one minor unit of a currency.
        ("written_units", [10 ** (digits - exponent) for exponent in exponents.values()]),
        # Thousandths of a minor unit of the reporting currency, in one of a currency at rate 1.
        ("home_mills", [10 ** (3 + home_digits - exponent) for exponent in exponents.values()]),
    ):
        connection.execute(
            f"set variable {name} = map(?::varchar[], ?::bigint[])", [list(exponents), each]
        )
    connection.execute(
        "create macro money(minor, currency) as ((minor)::decimal(18, 0)"
        " * getvariable('written_units')[currency]::decimal(4, 0)"
        f" * {10**-digits:.{digits}f}::decimal({digits + 1}, {digits}))::decimal(18, {digits})"
    )
    connection.execute(
        "set variable foreign_currencies = "
        "list_transform(list_zip(?::varchar[], ?::bigint[]), "
        "lambda pair: {'code': pair[1], 'micros': pair[2]})",
        [foreign, [company.plan_micros(spec, code) for code in foreign]],
    )
    connection.execute(
        "create table zone_day as "
        "select unnest(range(len(?::bigint[]))) as day_i, unnest(?::bigint[]) as midnight_s",
        [midnights := [midnight(day_i) for day_i in range(days)], midnights],
    )
    types = {"int": "bigint", "int | None": "bigint", "date": "date", "date | None": "date"}
    described = [
        (each.name, types.get(str(each.type), "varchar")) for each in fields(company.Campaign)
    ] + [("campaign_key", "varchar"), ("plan_micros", "bigint"), ("c", "bigint")]
    columns: dict[str, list[object]] = {
        each.name: [getattr(campaign, each.name) for campaign in cast]
        for each in fields(company.Campaign)
    }
    columns["campaign_key"] = [campaign.campaign_key for campaign in cast]
    columns["plan_micros"] = [company.plan_micros(spec, campaign.currency) for campaign in cast]
    columns["c"] = list(range(len(cast)))
    connection.execute(
        "create table camp as select "
        + ", ".join(f"unnest(?::{kind}[]) as {name}" for name, kind in described),
        [columns[name] for name, _ in described],
    )


def _check_mirage(connection: duckdb.DuckDBPyConnection, spec: CompanySpec) -> None:
    """The mirage has its exact figures or is not made at all."""
    found = connection.execute(
        "select len(getvariable('chosen_mqls')), len(getvariable('chosen_accepted'))"
    ).fetchone()
    if spec.scenario == "mirage" and found != (MIRAGE_MQLS, MIRAGE_ACCEPTED):
        raise ValueError(
            f"the mirage needs {MIRAGE_MQLS} leads old enough to qualify, found "
            f"{found[0] if found else 0}: raise leads (now {spec.leads})"
        )
