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


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        sources = REPO / "seeds" / "sample" / "sources.yml"
        draw("run.svg", "tieout run", told_by(home, "run", "--sources", sources))
        draw("stages.svg", "where every dollar stands", stages_of(home))
        draw("mirage.svg", "tieout demo mirage", told_by(home, "demo", "mirage"))
