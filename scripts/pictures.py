"""Draw docs/images from a real run of the bundled sample: what people see, as SVG.

`.venv/bin/python scripts/pictures.py`, after a change of what `tieout run` prints or of the sample.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table
from rich.text import Text

REPO = Path(__file__).resolve().parent.parent
IMAGES = REPO / "docs" / "images"
WIDTH = 112


def draw(name: str, title: str, *shown: Text | Table) -> None:
    """Write one picture."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for each in shown:
        console.print(each)
    console.save_svg(str(IMAGES / name), title=title)


def told_by(home: Path, *arguments: str | Path) -> Text:
    """What a command prints in the end, in colour."""
    done = subprocess.run(
        [Path(sys.executable).parent / "tieout", *arguments],
        env=os.environ
        | {"TIEOUT_HOME": str(home), "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TERM": "xterm"},
        capture_output=True,
        text=True,
        check=True,
    )
    return Text.from_ansi(done.stdout.replace(f"{home}", ".tieout"))


def stages_of(home: Path) -> Table:
    """Where every dollar stands, from the published file."""
    with duckdb.connect(str(home / "published/current/tieout.duckdb"), read_only=True) as books:
        rows = books.execute(
            """
            select stage, sum(amount_minor)::bigint, sum(leads)::bigint
            from rpt_stage_balance__campaign_cohort
            group by stage, stage_ordinal order by stage_ordinal
            """
        ).fetchall()
        spend = books.execute("select sum(amount_minor)::bigint from fct_spend__campaign_daily")
        (total,) = spend.fetchone() or (0,)
    table = Table("stage", title="rpt_stage_balance__campaign_cohort", show_footer=True)
    table.add_column("dollars", justify="right", footer=f"{total / 100:,.2f}")
    table.add_column("leads", justify="right", footer=f"{sum(row[2] for row in rows):,}")
    table.columns[0].footer = "all stages = spend"
    for stage, amount, leads in rows:
        table.add_row(stage, f"{amount / 100:,.2f}", f"{leads:,}")
    return table


def waterfall_of(home: Path) -> Table:
    """What became of the pipeline, month by month, and by which touches deals were won."""
    columns = ("opening", "created", "changed", "won", "lost", "closing")
    table = Table("month", title="rpt_pipeline_waterfall__period, dollars")
    for column in columns:
        table.add_column(column, justify="right")
    with duckdb.connect(str(home / "published/current/tieout.duckdb"), read_only=True) as books:
        rows = books.execute(
            """
            select
                period_start_date, opening_minor, created_minor,
                increased_minor + decreased_minor + reopened_minor + revalued_minor,
                won_minor, lost_minor, closing_minor
            from rpt_pipeline_waterfall__period
            where period_kind = 'month' and scope_kind = 'company'
            order by period_start_date
            """
        ).fetchall()
    for month, *amounts in rows:
        table.add_row(str(month), *(f"{amount / 100:,.2f}" for amount in amounts))
    return table


def credit_of(home: Path) -> Table:
    """Which campaigns are credited with what was won, by three models."""
    models = ("first_touch", "linear", "w_shaped")
    table = Table("campaign", title="fct_credit__opportunity_touch, dollars won")
    for model in models:
        table.add_column(model, justify="right")
    with duckdb.connect(str(home / "published/current/tieout.duckdb"), read_only=True) as books:
        rows = books.execute(
            """
            select campaign_key, map_from_entries(list((model, credit_minor)))
            from (
                select campaign_key, model, sum(credit_minor)::bigint as credit_minor
                from fct_credit__opportunity_touch
                where basis = 'won'
                group by campaign_key, model
            )
            group by campaign_key
            order by max(credit_minor) filter (where model = 'linear') desc nulls last
            """
        ).fetchall()
    for campaign, credits in rows:
        table.add_row(campaign, *(f"{credits.get(model, 0) / 100:,.2f}" for model in models))
    sums = [sum(credits.get(model, 0) for _, credits in rows) for model in models]
    table.add_section()
    table.add_row("each model = what was won", *(f"{total / 100:,.2f}" for total in sums))
    return table


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        sources = REPO / "seeds" / "sample" / "sources.yml"
        draw("run.svg", "tieout run", told_by(home, "run", "--sources", sources))
        draw("stages.svg", "where every dollar stands", stages_of(home))
        draw("pipeline.svg", "what became of the pipeline", waterfall_of(home), credit_of(home))
        draw("mirage.svg", "tieout demo mirage", told_by(home, "demo", "mirage"))
