"""`work/inputs`: exactly the Parquet files that one run reads, one folder a table.

Belongs here: which loads a run reads, the small tables about them and about the configuration.
They are data, not dbt variables: a changed variable makes dbt parse the whole project again.
Does not belong here: landing itself.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from orchestration.lib.landing import calendar
from orchestration.lib.landing.manifest import DATA, QUARANTINE, Loads, Manifest
from orchestration.lib.plan import tables as plan_tables
from orchestration.lib.release.folders import RECEIPT, current_number, release_folder
from orchestration.lib.release.receipt import read_receipt
from orchestration.lib.sources import canonical
from orchestration.lib.sources.config import (
    Qualified,
    SourcesFile,
    TableSource,
    credit_models,
    digest,
)
from orchestration.lib.sources.values import identifier, quoted
from orchestration.settings import Home

if TYPE_CHECKING:
    import duckdb

    from orchestration.lib.plan.contract import Contract

#: Before anything: a definition or mapping without a first day is in force from here.
ALWAYS = datetime(1900, 1, 1)  # noqa: DTZ001 - stored as naive UTC
PERSON_KEY = "TIEOUT_PERSON_KEY"

#: The tables beside the canonical ones: column and type, in order.
SMALL_TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "load": (
        ("feed", "varchar"), ("table_name", "varchar"), ("load", "bigint"), ("file", "varchar"),
        ("mode", "varchar"), ("loaded_at", "timestamp"), ("is_newest", "boolean"),
        ("raw_rows", "bigint"), ("landed_rows", "bigint"), ("quarantined_rows", "bigint"),
        ("sha256", "varchar"), ("data_from", "timestamp"), ("data_to", "timestamp"),
    ),
    "disposition": (
        ("feed", "varchar"), ("table_name", "varchar"), ("load", "bigint"),
        ("disposition", "varchar"), ("reason", "varchar"), ("rows", "bigint"),
    ),
    "quarantine": (
        ("feed", "varchar"), ("table_name", "varchar"), ("load", "bigint"), ("file", "varchar"),
        ("line", "bigint"), ("column", "varchar"), ("value", "varchar"), ("reason", "varchar"),
    ),
    "source_total": (
        ("feed", "varchar"), ("load", "bigint"), ("source", "varchar"), ("account", "varchar"),
        ("month", "date"), ("currency", "varchar"), ("cost", "decimal(38, 9)"),
        ("rows", "bigint"),
    ),
    "stage_map": (
        ("feed", "varchar"), ("entity", "varchar"), ("raw_status", "varchar"),
        ("stage", "varchar"), ("valid_from", "timestamp"), ("valid_to", "timestamp"),
    ),
    "tolerance": (
        ("feed", "varchar"), ("kind", "varchar"), ("name", "varchar"), ("at_most", "bigint"),
        ("reason", "varchar"),
    ),
    "cadence": (
        ("feed", "varchar"), ("table_name", "varchar"), ("cadence_hours", "bigint"),
        ("is_daily", "boolean"),
    ),
    "run_parameter": (
        ("as_of", "timestamp"), ("reporting_currency", "varchar"), ("time_zone", "varchar"),
        ("cohort_period", "varchar"), ("no_lead_after_days", "bigint"), ("person_key", "varchar"),
        ("company", "varchar"),
    ),
    "qualified_definition": (
        ("version", "varchar"), ("valid_from", "timestamp"), ("valid_to", "timestamp"),
        ("min_score", "bigint"), ("exclude_test", "boolean"), ("sha256", "varchar"),
    ),
    "excluded_domain": (("version", "varchar"), ("domain", "varchar")),
    "exclusion_rule": (
        ("rule", "varchar"), ("entity", "varchar"), ("column_name", "varchar"),
        ("operator", "varchar"), ("text", "varchar"), ("valid_from", "timestamp"),
        ("valid_to", "timestamp"), ("sha256", "varchar"),
    ),
    "credit_setting": (
        ("look_back_days", "bigint"), ("unit", "varchar"), ("half_life_days", "bigint"),
    ),
    "credit_model": (
        ("model", "varchar"), ("ordinal", "bigint"), ("family", "varchar"),
        ("first_weight", "bigint"), ("lead_weight", "bigint"), ("opportunity_weight", "bigint"),
        ("last_weight", "bigint"), ("rest_weight", "bigint"), ("description", "varchar"),
    ),
    "calendar_day": calendar.COLUMNS,
    "volume_before": (
        ("feed", "varchar"), ("table_name", "varchar"), ("month", "date"), ("rows", "bigint"),
        ("is_feed_read", "boolean"),
    ),
    **{
        table.name: tuple((column.name, column.type) for column in table.columns)
        for table in plan_tables.TABLES.values()
    },
}  # fmt: skip

Row = Sequence[Any]


def input_columns(table: str) -> tuple[tuple[str, str], ...]:
    """The columns of one folder of `work/inputs`, with their DuckDB types."""
    if table in SMALL_TABLES:
        return SMALL_TABLES[table]
    own = canonical.TABLES[table].columns
    return (
        *((column.name, canonical.SQL_TYPE[column.type]) for column in own),
        *canonical.LINEAGE,
    )


@dataclass(frozen=True)
class _Chosen:
    """One load that the run reads."""

    source: TableSource
    manifest: Manifest
    folder: Path
    is_newest: bool


def write_inputs(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    sources: SourcesFile,
    as_of: datetime,
    tables: dict[tuple[str, str], tuple[TableSource, Loads]],
) -> None:
    """Build the folder beside its place and swap it in; leftovers of killed runs are swept."""
    home.work.mkdir(parents=True, exist_ok=True)
    for leftover in home.work.glob(f"{home.inputs.name}.*"):
        shutil.rmtree(leftover)
    building = home.work / f"{home.inputs.name}.new"
    chosen = [
        item for source, loads in tables.values() for item in _chosen(source, loads)
    ]  # fmt: skip
    empty = _schema_files(con, home)
    plan = _plan_rows(home, sources, as_of)
    for table in (*canonical.TABLES, *SMALL_TABLES):
        folder = building / table
        folder.mkdir(parents=True)
        _link(folder / "_empty.parquet", empty / f"{table}.parquet")
    for item in chosen:
        name = f"{item.source.feed}-{item.manifest.load:06d}.parquet"
        _link(building / item.source.table.name / name, item.folder / DATA)
        if item.manifest.quarantined_rows:
            name = f"{item.source.feed}-{item.source.table.name}-{item.manifest.load:06d}.parquet"
            _link(building / "quarantine" / name, item.folder / QUARANTINE)
    rows: dict[str, Iterable[Row]] = {
        "load": _load_rows(chosen),
        "disposition": _disposition_rows(chosen),
        "source_total": _source_total_rows(chosen),
        "stage_map": _stage_rows(sources),
        "tolerance": _tolerance_rows(sources),
        "cadence": _cadence_rows(sources),
        "run_parameter": [_run_parameter(home, sources, as_of)],
        "exclusion_rule": _exclusion_rows(sources),
        "credit_setting": [_credit_setting(sources)],
        "credit_model": _credit_model_rows(sources),
        "volume_before": _volume_rows(con, home, sources),
        **_definition_rows(sources, plan.definitions),
        **plan.tables,
    }
    for table, found in rows.items():
        write_parquet(con, building / table / "data.parquet", SMALL_TABLES[table], list(found))
    _link(
        building / "calendar_day" / "data.parquet",
        _calendar_file(home, plan.fiscal, sources.company.time_zone),
    )
    (building / "run_parameter" / "data.parquet").chmod(0o600)
    # Nobody reads the inputs while they are swapped: one writer at a time, and a run that is
    # killed between the two renames builds them again.
    if home.inputs.exists():
        home.inputs.rename(home.work / f"{home.inputs.name}.old")
    building.rename(home.inputs)
    shutil.rmtree(home.work / f"{home.inputs.name}.old", ignore_errors=True)


def _chosen(source: TableSource, loads: Loads) -> list[_Chosen]:
    """The loads of a table that the run reads, and which of them say what is true now."""
    files = {source.relative(path) for path in source.files()}
    current = loads.current(files, source.mode)
    numbers = {manifest.load for manifest in current}
    # Spend is restated: all of its loads are read, so that the ledger can post the difference.
    read = loads.live if source.table.name == "spend" else current
    return [_Chosen(source, m, loads.path(m), m.load in numbers) for m in read]


def _link(link: Path, target: Path) -> None:
    """A relative link, so that the home can be moved; the folder is linked at its final depth."""
    link.symlink_to(os.path.relpath(target, link.parent))


def _schema_files(con: duckdb.DuckDBPyConnection, home: Home) -> Path:
    """One Parquet file without rows for every table, made once for this version of the columns."""
    every = {table: input_columns(table) for table in (*canonical.TABLES, *SMALL_TABLES)}
    folder = home.landing / ".schema" / digest(every)[:16]
    if folder.is_dir():
        return folder
    building = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    for table, columns in every.items():
        write_parquet(con, building / f"{table}.parquet", columns, [])
    building.rename(folder)
    return folder


def _calendar_file(home: Home, fiscal: calendar.Fiscal, zone: str) -> Path:
    """The days of this calendar as a Parquet file, made once."""
    made_of = [calendar.COLUMNS, str(fiscal), zone, str(calendar.LAST_DAY)]
    file = home.landing / ".calendar" / f"{digest(made_of)[:16]}.parquet"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        building = file.with_suffix(f".{os.getpid()}")
        building.write_bytes(calendar_bytes(fiscal, zone))
        building.rename(file)
    return file


@cache
def calendar_bytes(fiscal: calendar.Fiscal, zone: str) -> bytes:
    """The file's bytes: half a second of work, done once for all homes of a process."""
    import duckdb

    with duckdb.connect() as con, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / DATA
        write_parquet(con, path, calendar.COLUMNS, list(calendar.calendar_days(fiscal, zone)))
        return path.read_bytes()


def write_parquet(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    columns: tuple[tuple[str, str], ...],
    rows: list[Row],
) -> None:
    """A small table as Parquet: the rows travel as one JSON text, not one statement each."""
    if rows:
        texts = [[None if cell is None else str(cell) for cell in row] for row in rows]
        body = quoted(json.dumps(texts, ensure_ascii=False))
        origin = f"select unnest(from_json({body}, '[[\"varchar\"]]')) as r"
        casts = ", ".join(
            f"r[{i}]::{kind} as {identifier(name)}" for i, (name, kind) in enumerate(columns, 1)
        )
        query = f"select {casts} from ({origin})"
    else:
        casts = ", ".join(f"null::{kind} as {identifier(name)}" for name, kind in columns)
        query = f"select {casts} where false"
    con.execute(f"copy ({query}) to {quoted(str(path))} (format parquet)")


# -- rows of the small tables -------------------------------------------------------------------


def _load_rows(chosen: list[_Chosen]) -> Iterable[Row]:
    for item in chosen:
        m = item.manifest
        yield (
            m.feed, m.table, m.load, m.file, item.source.mode, m.loaded_at, item.is_newest,
            m.raw_rows, m.landed_rows, m.quarantined_rows, m.sha256, m.data_from, m.data_to,
        )  # fmt: skip


def _disposition_rows(chosen: list[_Chosen]) -> Iterable[Row]:
    for item in chosen:
        m = item.manifest
        for reason, rows in sorted(m.excluded.items()):
            if rows:
                yield m.feed, m.table, m.load, "excluded", reason, rows


def _source_total_rows(chosen: list[_Chosen]) -> Iterable[Row]:
    for item in chosen:
        if item.is_newest:
            m = item.manifest
            for total in m.control_totals:
                yield (
                    m.feed, m.load, total.source, total.account, total.month, total.currency,
                    total.cost, total.rows,
                )  # fmt: skip


def _midnight(day: date | None, zone: str) -> datetime | None:
    """The instant at which a day of the reporting zone begins."""
    if day is None:
        return None
    local = datetime.combine(day, time(), ZoneInfo(zone))
    return local.astimezone(UTC).replace(tzinfo=None)


def _stage_rows(sources: SourcesFile) -> Iterable[Row]:
    zone = sources.company.time_zone
    for name, feed in sources.sources.items():
        for entity in ("lead", "opportunity"):
            for raw, target in getattr(feed.stages, entity).items():
                if isinstance(target, str):
                    yield name, entity, raw, target, ALWAYS, None
                    continue
                for entry in target:
                    start = _midnight(entry.from_, zone) or ALWAYS
                    yield name, entity, raw, entry.stage, start, _midnight(entry.to, zone)


def _tolerance_rows(sources: SourcesFile) -> Iterable[Row]:
    for name, feed in sources.sources.items():
        for kind, given in (
            ("quarantine", feed.tolerances.quarantine),
            ("shrink", feed.tolerances.shrink),
            ("law", feed.tolerances.laws),
        ):
            for key, tolerance in given.items():
                yield name, kind, key, tolerance.at_most, tolerance.reason


def _cadence_rows(sources: SourcesFile) -> Iterable[Row]:
    for name, feed in sources.sources.items():
        for table in dict.fromkeys([*feed.cadence_hours, *feed.daily]):
            yield name, table, feed.cadence_hours.get(table), table in feed.daily


def _exclusion_rows(sources: SourcesFile) -> Iterable[Row]:
    """One row a text of a rule; a record that fits one of them is left out."""
    zone = sources.company.time_zone
    for rule in sources.company.leave_out:
        hashed = digest(rule.model_dump(mode="json"))
        start, end = _midnight(rule.from_, zone) or ALWAYS, _midnight(rule.to, zone)
        for operator, texts in rule.conditions:
            for text in dict.fromkeys(each.strip().lower() for each in texts):
                yield rule.name, rule.entity, rule.column, operator, text, start, end, hashed


def _credit_setting(sources: SourcesFile) -> Row:
    credit = sources.company.credit
    return credit.look_back_days, credit.unit, credit.half_life_days


def _credit_model_rows(sources: SourcesFile) -> Iterable[Row]:
    """The reference table's models, with the company's own weights; in hundredths of a per cent."""
    own = sources.company.credit.weights
    for row in credit_models():
        model = row["model"]
        given = own[model].model_dump() if model in own else {}
        weights = [
            None
            if not row["first_pct"]
            else int(100 * given.get(name, Decimal(row[f"{name}_pct"])))
            for name in ("first", "lead", "opportunity", "last", "rest")
        ]
        yield model, row["ordinal"], row["family"], *weights, row["description"]


def _volume_rows(con: duckdb.DuckDBPyConnection, home: Home, sources: SourcesFile) -> Iterable[Row]:
    """How many rows each table and month had in the current publication.

    None before the first, and none from one that was made before volumes were published.
    """
    database = home.current_database
    if not database.exists():
        return []
    con.execute(f"attach {quoted(str(database.resolve()))} as volume_before (read_only)")
    try:
        is_there = con.execute(
            "select 1 from duckdb_tables() where database_name = 'volume_before'"
            " and schema_name = 'audit' and table_name = 'volume'"
        ).fetchall()
        found = (
            con.execute(
                "select feed, table_name, month, rows from volume_before.audit.volume order by all"
            ).fetchall()
            if is_there
            else []
        )
    finally:
        con.execute("detach volume_before")
    return [(*row, row[0] in sources.sources) for row in found]


@dataclass(frozen=True)
class _PlanRows:
    """What a run reads of the joint plan; without one, the definitions are those of sources.yml."""

    tables: Mapping[str, Iterable[Row]]
    definitions: list[Qualified]
    fiscal: calendar.Fiscal


def _plan_rows(home: Home, sources: SourcesFile, as_of: datetime) -> _PlanRows:
    """The plan as it stands below its root; what is wrong with it becomes rows, not an error.

    A plan whose versions are not those that the current publication was made with is found out by
    the receipt of that publication.
    """
    root, company = sources.plan_root, sources.company
    if root is None:
        return _PlanRows({}, company.definitions, calendar.fiscal(company))
    # Signatures need a library that a run without a plan does not.
    from orchestration.lib.plan.inspection import inspect
    from orchestration.lib.plan.registers import read_registers

    number = current_number(home)
    known = None if number is None else read_receipt(release_folder(home, number) / RECEIPT)
    day = as_of.replace(tzinfo=UTC).astimezone(ZoneInfo(company.time_zone)).date()
    contract = inspect(root, known_head=known.plan_head if known else None, as_of=day)
    tables = plan_tables.rows(
        contract,
        read_registers(root, contract, known.register_heads if known else None),
        as_of=as_of,
        reporting_currency=company.reporting_currency,
        time_zone=company.time_zone,
    )
    in_force = contract.in_force(day)
    return _PlanRows(
        tables,
        plan_definitions(contract) or company.definitions,
        calendar.fiscal(company, in_force.plan if in_force else None),
    )


def plan_definitions(contract: Contract) -> list[Qualified]:
    """The definition of qualified by the signed versions of a plan, each from its first day.

    A version that leaves the definition as it was makes no new one: an amended target must not look
    like a changed definition.
    """
    found: list[Qualified] = []
    for version in sorted(contract.versions, key=lambda each: each.effective_from):
        if version.plan is None or not version.is_signed:
            continue
        settings: dict[str, Any] = dict(version.plan.settings)
        is_excluding = settings["qualified_exclude_test"]
        definition = Qualified.model_validate(
            {
                "version": f"plan v{version.number}",
                "from": version.effective_from,
                "min_score": settings["qualified_min_score"],
                "exclude_test": True if is_excluding is None else is_excluding,
                "exclude_email_domains": list(settings["qualified_exclude_email_domains"] or ()),
            }
        )
        own = {"version", "from_"}
        if not found or definition.model_dump(exclude=own) != found[-1].model_dump(exclude=own):
            found.append(definition)
    return found


def _definition_rows(
    sources: SourcesFile, definitions: Sequence[Qualified]
) -> dict[str, Iterable[Row]]:
    """The versions of the definition of qualified, and the domains each leaves out."""
    zone = sources.company.time_zone
    starts = [_midnight(entry.from_, zone) or ALWAYS for entry in definitions]
    ends = [*starts[1:], None]
    return {
        "qualified_definition": [
            (entry.version, start, end, entry.min_score, entry.exclude_test, entry.sha256)
            for entry, start, end in zip(definitions, starts, ends, strict=True)
        ],
        "excluded_domain": [
            (entry.version, domain)
            for entry in definitions
            for domain in dict.fromkeys(each.lower() for each in entry.exclude_email_domains)
        ],
    }


def _run_parameter(home: Home, sources: SourcesFile, as_of: datetime) -> Row:
    company = sources.company
    return (
        as_of, company.reporting_currency, company.time_zone, company.cohort_period,
        company.no_lead_after_days, person_key(home), company.name,
    )  # fmt: skip


def person_key(home: Home) -> str:
    """The secret that keys person hashes: the environment's, or one made once for this home.

    It must stay the same: another key makes every person another one.
    """
    given = os.environ.get(PERSON_KEY)
    if given:
        return given
    if not home.person_key.exists():
        home.person_key.parent.mkdir(parents=True, exist_ok=True)
        building = home.person_key.with_suffix(f".{os.getpid()}")
        descriptor = os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        building.rename(home.person_key)
    return home.person_key.read_text(encoding="utf-8").strip()
