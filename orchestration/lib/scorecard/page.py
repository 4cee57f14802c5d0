"""The page: the first screen and the sections, put into one HTML file that needs nothing else.

Belongs here: the four numbers of the first screen, and `render`. Does not belong here: the sections
themselves (`sections`), SQL, drawing. The template escapes everything that comes from data; the
page carries no script and forbids itself any request.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

from orchestration.lib.explain import CURRENCIES
from orchestration.lib.scorecard.figures import Form, Sheet, Writer, joined
from orchestration.lib.scorecard.queries import ask
from orchestration.lib.scorecard.sections import sections
from orchestration.lib.scorecard.shown import BANNER, filled_template, style
from orchestration.lib.scorecard.tables import mark
from orchestration.lib.scorecard.verdict import judge


@dataclass
class Tile:
    """One of the four numbers of the first screen."""

    title: str
    number: Markup
    word: str | None = None
    lines: list[Markup | str] = field(default_factory=list)
    #: Parts of a whole: name, share in percent, and both figures as text.
    bar: list[tuple[str, Any, Markup, Markup]] = field(default_factory=list)


def render(database: Path) -> str:
    """The page of one published file; the same file gives the same page."""
    answers = ask(database)
    (about,) = answers["publication"].rows
    sheet = Sheet(answers, Writer(about["currency"], exponent_of(about["currency"])))
    return filled_template(
        "page.html.jinja",
        mark=mark,
        sheet=sheet,
        about=about,
        period=sheet.rows("period")[0] if sheet.rows("period") else None,
        verdict=judge(sheet),
        tiles=[_spend(sheet), _accepted(sheet), _pipeline(sheet), _end(sheet)],
        sections=sections(sheet),
        answers=list(answers.values()),
        style=style(),
        banner=BANNER,
    )


def exponent_of(currency: str) -> int:
    """How many digits a currency has behind the point."""
    with CURRENCIES.open(encoding="utf-8", newline="") as file:
        return {row["currency"]: int(row["exponent"]) for row in csv.DictReader(file)}[currency]


def _tile(sheet: Sheet, title: str, metric: str, form: Form) -> tuple[Tile, int | None]:
    """A tile with the actual of a KPI, and the KPI's place."""
    place = sheet.place("kpi", metric=metric)
    if place is None:
        return Tile(title, Markup("\N{EN DASH}"), lines=["not in the plan"]), None
    number = sheet.figure("kpi", place, "actual_value", form)
    return Tile(title, number, sheet.value("kpi", place, "shown_status")), place


def _spend(sheet: Sheet) -> Tile:
    tile, place = _tile(sheet, "Spend to date", "budget", "whole")
    if place is not None:
        due = sheet.figure("kpi", place, "plan_to_date_value", "whole")
        tile.lines.append(joined(["of ", due, " planned by now"]))
    elif sheet.rows("spend_total"):
        tile.number = sheet.figure("spend_total", 0, "all_minor", "whole")
        tile.lines = ["since the books begin"]
    for part, row in enumerate(sheet.rows("standing")):
        tile.bar.append(
            (
                row["part"],
                max(row["share_pct"] or 0, 0),
                sheet.figure("standing", part, "amount_minor", "whole"),
                sheet.figure("standing", part, "share_pct", "percent"),
            )
        )
    return tile


def _accepted(sheet: Sheet) -> Tile:
    tile, place = _tile(sheet, "MQLs that Sales accepts", "rate_mql_sal", "rate")
    if place is None:
        return tile
    if sheet.value("drift", sheet.place("drift", metric="rate_mql_sal"), "verdict") == "alarm":
        tile.word = "alarm"
    planned = sheet.figure("kpi", place, "plan_to_date_value", "rate")
    tile.lines.append(joined(["of ", planned, " planned"]))
    tile.lines.append(
        joined(
            [
                sheet.figure("kpi", place, "numerator", "count"),
                " of ",
                sheet.figure("kpi", place, "denominator", "count"),
                " decided",
            ]
        )
    )
    tile.lines += _against_plan(sheet, "sals", "accepted in the period: ")
    tile.lines += _cost(sheet, "sals", "each costs ")
    return tile


def _pipeline(sheet: Sheet) -> Tile:
    tile, place = _tile(sheet, "New pipeline", "pipeline", "whole")
    if place is None:
        return tile
    due = sheet.figure("kpi", place, "plan_to_date_value", "whole")
    tile.lines.append(joined(["of ", due, " planned by now"]))
    gap = sheet.figure("kpi", place, "variance_value", "whole", signed=True)
    share = sheet.figure("kpi", place, "variance_pct", "percent", signed=True)
    tile.lines.append(joined(["gap ", gap, " (", share, ")"]))
    tile.lines += _against_plan(sheet, "opportunities", "deals opened: ")
    return tile


def _end(sheet: Sheet) -> Tile:
    """Where the pipeline ends; where the file projects nothing, what the period has won so far."""
    place = sheet.place("trajectory", metric="pipeline")
    if place is None:
        is_over = sheet.value("period", 0 if sheet.rows("period") else None, "is_over")
        title = "Won in the period" if is_over else "Won so far"
        tile, bookings = _tile(sheet, title, "bookings", "whole")
        if bookings is not None:
            planned = sheet.figure("kpi", bookings, "plan_to_date_value", "whole")
            tile.lines.append(joined(["of ", planned, " planned by now"]))
            tile.lines += _against_plan(sheet, "wins", "deals won: ")
            tile.lines += _cost(sheet, "wins", "each costs ")
        if not sheet.has("trajectory"):
            tile.lines.append("a projection is not in this file")
        return tile
    is_over = sheet.value("trajectory", place, "is_over")
    tile = Tile(
        "Pipeline when the period ended" if is_over else "Pipeline by the period's end",
        sheet.figure("trajectory", place, "projected_value", "whole"),
        sheet.value("trajectory", place, "verdict"),
    )
    planned = sheet.figure("trajectory", place, "plan_value", "whole")
    tile.lines.append(joined(["of ", planned, " planned"]))
    if not is_over and sheet.value("trajectory", place, "low_value") is not None:
        tile.lines.append(
            joined(
                [
                    "four times in five ",
                    sheet.figure("trajectory", place, "low_value", "whole"),
                    " to ",
                    sheet.figure("trajectory", place, "high_value", "whole"),
                ]
            )
        )
    tile.lines += _against_plan(sheet, "wins", "deals won: ")
    tile.lines += _cost(sheet, "wins", "each costs ")
    return tile


def _against_plan(sheet: Sheet, metric: str, words: str) -> list[Markup | str]:
    place = sheet.place("kpi", metric=metric)
    if place is None:
        return []
    actual = sheet.figure("kpi", place, "actual_value", "count")
    return [
        joined([words, actual, " of ", sheet.figure("kpi", place, "plan_to_date_value", "count")])
    ]


def _cost(sheet: Sheet, metric: str, words: str) -> list[Markup | str]:
    place = sheet.place("unit_cost", metric=metric)
    if sheet.value("unit_cost", place, "actual_cost_minor") is None or place is None:
        return []
    actual = sheet.figure("unit_cost", place, "actual_cost_minor", "whole")
    planned = sheet.figure("unit_cost", place, "planned_cost_minor", "whole")
    return [joined([words, actual, ", planned ", planned])]
