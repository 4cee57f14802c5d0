"""The guide's configurations are accepted as they stand, and it leaves no option out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestration.lib.sources.canonical import TABLES
from orchestration.lib.sources.config import (
    EVENTS,
    Channel,
    ColumnSpec,
    Company,
    Exclusion,
    Feed,
    MappedTable,
    Qualified,
    load_sources,
)

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "bring-your-own-data.md").read_text("utf-8")
EXAMPLES = re.findall(r"(?ms)^```yaml\n(.*?)^```", GUIDE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_accepted(tmp_path: Path, example: str) -> None:
    path = tmp_path / "sources.yml"
    path.write_text(example, encoding="utf-8")
    load_sources(path)


@pytest.mark.parametrize("model", [Company, Qualified, Feed, MappedTable, Exclusion, ColumnSpec])
def test_every_option_is_shown(model: type[ColumnSpec]) -> None:
    keys = [info.alias or name for name, info in model.model_fields.items()]
    assert [key for key in keys if not re.search(rf"\b{key}\b", GUIDE)] == []


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_canonical_column_is_listed(table: object) -> None:
    name = table.name  # type: ignore[attr-defined]
    [row] = re.findall(rf"(?m)^\| `{name}` \| (.*) \|$", GUIDE)
    listed = [part.split(" (")[0] for part in re.sub(r"\([^)]*\)", "", row).split(", ")]
    expected = [
        f"**{column.name}**" if column.required else column.name
        for column in table.columns  # type: ignore[attr-defined]
    ]
    assert [part.strip() for part in listed] == expected


def test_channels_of_the_page_on_notifications_are_accepted_and_complete(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "early-warning.md").read_text("utf-8")
    (example,) = re.findall(r"(?ms)^```yaml\n(.*?)^```", page)
    path = tmp_path / "sources.yml"
    path.write_text(
        "version: 1\ncompany: {name: Example GmbH, reporting_currency: EUR}\n"
        f"sources: {{crm: {{adapter: canonical, path: .}}}}\n{example}",
        encoding="utf-8",
    )
    assert len(load_sources(path).notify.channels) == 2
    assert [key for key in Channel.model_fields if f"{key}:" not in example] == []
    assert [event for event in EVENTS if f"| `{event}` |" not in page] == []
