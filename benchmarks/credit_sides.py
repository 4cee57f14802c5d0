"""Both sides of the benchmark of credit, each a process of its own that prints what it found.

`python -m benchmarks.credit_sides ours FOLDER SCRIPTS` runs the compiled models of the rule-based
models of credit, as a run of the books does: every touch of every opportunity is credited to the
cent. `… package FOLDER` builds the paths that the package `channelattribution` asks for and calls
its `heuristic_models`, which knows three of those models and gives totals per channel.
Does not belong here: what is measured and shown (`credit`).
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb

#: The same for both: whoever needs more spills to disk.
MEMORY = "2GiB"
CATALOG = "by_hand"

#: Channel, in the order of the package's columns: what three models give it, in minor units.
Totals = dict[str, dict[str, float]]

#: The models that the package knows, and what it calls them.
PACKAGE_MODELS = {
    "first_touch": "first_touch",
    "last_touch": "last_touch",
    "linear": "linear_touch",
}


@contextmanager
def step(name: str) -> Iterator[None]:
    """Says on standard output when a step began and ended."""
    began = time.monotonic()
    yield
    _tell({"step": name, "began": began, "ended": time.monotonic()})


def _tell(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")


def ours(folder: Path, scripts: Path) -> None:
    """The compiled models on the touches, then totals to compare."""
    with duckdb.connect() as connection:
        connection.execute(
            f"set memory_limit = '{MEMORY}'; set temp_directory = '{scripts / 'spill'}';"
            "set preserve_insertion_order = false; set TimeZone = 'UTC';"
            f"attach '{scripts / f'{CATALOG}.duckdb'}' as {CATALOG}; use {CATALOG};"
        )
        connection.execute(_inputs(folder))
        with step("paths"):
            connection.execute(_PATHS.format(folder=folder))
            connection.execute((scripts / "paths.sql").read_text("utf-8"))
        with step("credit"):
            found = connection.execute((scripts / "credit.sql").read_text("utf-8")).fetchall()
    totals: Totals = {}
    for model, channel, credits, credit_minor in found:
        totals.setdefault(model, {})[channel] = credit_minor
        _tell({"model": model, "channel": channel, "credits": credits})
    _tell({"totals": totals})


#: What is said of an opportunity comes from five tables in the books, here from one file.
_PATHS = """
    create table int_credit__path as
    select
        row_number() over (order by opportunity_id) as path_number, opportunity_id, 'won' as basis,
        null::varchar as account_id, true as is_converted, amount_minor, lead_created_at, opened_at,
        anchor_at, '00' as block, anchor_at - interval 3650 days as earliest_at
    from '{folder}/opportunities.parquet';
"""


def _inputs(folder: Path) -> str:
    """The tables that the models read, in the shape in which a run has them."""
    return f"""
        create view int_touch as
        select *, null::varchar as account_id from '{folder}/touches.parquet';
        create view int_campaign as select * from '{folder}/campaigns.parquet';
        create view int_opportunity__person as
        select opportunity_id, person_id from '{folder}/opportunities.parquet';
        create table stg_landed__credit_setting as
        select 'person' as unit, 3650::bigint as look_back_days, 7::bigint as half_life_days;
        create table stg_landed__credit_model as select * from '{folder}/models.parquet';
    """


def load_package() -> Any:
    """channelattribution, which imports matplotlib for a chart that nobody asks for here."""
    for name in ("matplotlib", "matplotlib.pyplot"):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            sys.modules[name] = ModuleType(name)
    return importlib.import_module("ChannelAttribution")


def package(folder: Path) -> None:
    """Paths as text, the way the package reads them, then its three models."""
    with step("import"):
        library = load_package()
    with step("paths"), duckdb.connect() as connection:
        connection.execute("set preserve_insertion_order = false; set TimeZone = 'UTC'")
        paths = connection.execute(
            f"""
            select
                string_agg(channel, ' > ' order by occurred_at, touch_id) as path,
                1 as conversions,
                any_value(amount_minor)::double as value
            from '{folder}/touches.parquet'
            join '{folder}/opportunities.parquet' using (person_id)
            join '{folder}/campaigns.parquet' using (campaign_key)
            group by opportunity_id
            """
        ).df()
    with step("credit"):
        found = library.heuristic_models(
            paths, "path", "conversions", var_value="value", flg_pro=False
        )
    totals = {
        ours: dict(zip(found["channel_name"], found[f"{theirs}_value"], strict=True))
        for ours, theirs in PACKAGE_MODELS.items()
    }
    _tell({"totals": totals})


if __name__ == "__main__":
    side, *paths_given = sys.argv[1:]
    if side == "ours":
        ours(*map(Path, paths_given))
    else:
        package(*map(Path, paths_given))
