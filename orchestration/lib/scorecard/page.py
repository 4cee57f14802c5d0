"""The page: sections out of what the queries gave, put into one HTML file that needs nothing else.

Belongs here: what each section shows and the sentence it begins with. Does not belong here: SQL,
drawing, the forms of figures. The template escapes everything that comes from data; the page
carries no script and forbids itself any request.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from orchestration.lib.explain import CURRENCIES
from orchestration.lib.scorecard import charts, flow
from orchestration.lib.scorecard.figures import (
    FORM_OF_UNIT,
    Form,
    Sheet,
    Writer,
    joined,
    metric_name,
    stage_name,
)
from orchestration.lib.scorecard.queries import Row, ask
from orchestration.lib.scorecard.verdict import Verdict, judge, tone_of

_TEMPLATES = Path(__file__).parent / "templates"
#: The place in a finished page where the banner of a blocked run goes.
BANNER = "<!-- banner -->"

Cell = Callable[[int], Markup]


@dataclass(frozen=True)
class Table:
    """A table as the template writes it; the first column heads its row."""

    caption: str
    heads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Markup, ...], ...]
    query: str
    foot: tuple[Markup | str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A part of the page: what it says in words, a picture, tables."""

    id: str
    title: str
    sentence: Markup
    picture: Markup = Markup("")
    #: What the picture shows, for those who do not see it, and how to read it, for all.
    describes: str = ""
    tables: tuple[Table, ...] = ()
    more: tuple[tuple[Markup, str, Table], ...] = ()
    missing: tuple[str, ...] = ()


@dataclass
class Tile:
    """One of the four numbers of the first screen."""

    title: str
    number: Markup
    word: str | None
    lines: list[Markup] = field(default_factory=list)
    bar: list[tuple[str, Any, Markup, Markup]] = field(default_factory=list)


def render(database: Path) -> str:
    """The page of one published file; the same file gives the same page."""
    answers = ask(database)
    (about,) = answers["publication"].rows
    sheet = Sheet(answers, Writer(about["currency"], _exponent(about["currency"])))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"tone_of": tone_of, "mark": mark}
    verdict = judge(sheet)
    return environment.get_template("page.html.jinja").render(
        sheet=sheet,
        about=about,
        period=sheet.rows("period")[0] if sheet.rows("period") else None,
        verdict=verdict,
        tiles=_tiles(sheet),
        sections=_sections(sheet, verdict),
        answers=[answer for answer in answers.values() if answer.query.id != "person"],
        style=Markup((_TEMPLATES / "style.css").read_text(encoding="utf-8")),  # noqa: S704 - ours
        banner=Markup(BANNER),  # noqa: S704 - ours
        shapes=charts.SHAPES,
    )


def mark(word: str | None) -> Markup:
    """A status: a shape, a colour and the word."""
    tone = tone_of(word)
    return Markup(
        '<span class="mark {tone}"><svg viewBox="-1.4 -1.4 2.8 2.8" aria-hidden="true"'
        ' focusable="false"><path d="{shape}"/></svg>{word}</span>'
    ).format(tone=tone, shape=charts.SHAPES[tone], word=word or "not known")


def _exponent(currency: str) -> int:
    with CURRENCIES.open(encoding="utf-8", newline="") as file:
        return {row["currency"]: int(row["exponent"]) for row in csv.DictReader(file)}[currency]


# --- The first screen ----------------------------------------------------------------------------


def _tiles(sheet: Sheet) -> list[Tile]:
    return [_spend_tile(sheet), _accepted_tile(sheet), _pipeline_tile(sheet), _end_tile(sheet)]


def _spend_tile(sheet: Sheet) -> Tile:
    place = sheet.place("kpi", metric="budget")
    tile = Tile("Spend to date", Markup("\N{EN DASH}"), None)
    if place is not None:
        tile.number = sheet.figure("kpi", place, "actual_value", "whole")
        tile.word = sheet.value("kpi", place, "status")
        tile.lines.append(
            joined(["of ", sheet.figure("kpi", place, "plan_to_date_value", "whole"),
                    " planned to date. It stands:"])
        )  # fmt: skip
    elif sheet.rows("spend_total"):
        tile.number = sheet.figure("spend_total", 0, "all_minor", "whole")
        tile.lines.append(Markup("since the books begin. It stands:"))
    for row_number, row in enumerate(sheet.rows("standing")):
        tile.bar.append(
            (
                row["part"],
                row["share_pct"],
                sheet.figure("standing", row_number, "share_pct", "percent"),
                sheet.figure("standing", row_number, "amount_minor", "whole"),
            )
        )
    return tile


def _accepted_tile(sheet: Sheet) -> Tile:
    tile = Tile("MQLs accepted by Sales", Markup("\N{EN DASH}"), None)
    place = sheet.place("kpi", metric="rate_mql_sal")
    if place is None:
        tile.lines.append(Markup("not in the plan"))
        return tile
    tile.number = sheet.figure("kpi", place, "actual_value", "rate")
    drift = sheet.value("drift", sheet.place("drift", metric="rate_mql_sal"), "verdict")
    tile.word = "alarm" if drift == "alarm" else sheet.value("kpi", place, "status")
    tile.lines.append(
        joined(["planned: ", sheet.figure("kpi", place, "plan_to_date_value", "rate")])
    )
    if sheet.value("kpi", place, "numerator") is not None:
        tile.lines.append(
            joined([
                sheet.figure("kpi", place, "numerator", "count"), " of ",
                sheet.figure("kpi", place, "denominator", "count"), " decided MQLs",
            ])
        )  # fmt: skip
    accepted = sheet.place("kpi", metric="sals")
    if accepted is not None:
        tile.lines.append(
            joined([
                "accepted leads: ", sheet.figure("kpi", accepted, "actual_value", "count"), " of ",
                sheet.figure("kpi", accepted, "plan_to_date_value", "count"), " planned",
            ])
        )  # fmt: skip
    cost = sheet.place("unit_cost", metric="sals")
    if cost is not None and sheet.value("unit_cost", cost, "actual_cost_minor") is not None:
        tile.lines.append(
            joined([
                "one costs ", sheet.figure("unit_cost", cost, "actual_cost_minor", "whole"),
                ", planned ", sheet.figure("unit_cost", cost, "planned_cost_minor", "whole"),
            ])
        )  # fmt: skip
    return tile


def _pipeline_tile(sheet: Sheet) -> Tile:
    tile = Tile("New pipeline", Markup("\N{EN DASH}"), None)
    place = sheet.place("kpi", metric="pipeline")
    if place is None:
        tile.lines.append(Markup("not in the plan"))
        return tile
    tile.number = sheet.figure("kpi", place, "actual_value", "whole")
    tile.word = sheet.value("kpi", place, "status")
    tile.lines.append(
        joined(["of ", sheet.figure("kpi", place, "plan_to_date_value", "whole"), " due by now"])
    )
    if sheet.value("kpi", place, "variance_minor") is not None:
        tile.lines.append(
            joined(["gap ", sheet.figure("kpi", place, "variance_minor", "whole", signed=True),
                    " (", sheet.figure("kpi", place, "variance_pct", "percent", signed=True), ")"])
        )  # fmt: skip
    win = sheet.place("unit_cost", metric="wins")
    if win is not None and sheet.value("unit_cost", win, "actual_cost_minor") is not None:
        tile.lines.append(
            joined([
                "a new customer costs ", sheet.figure("unit_cost", win, "actual_cost_minor", "whole"),
                ", planned ", sheet.figure("unit_cost", win, "planned_cost_minor", "whole"),
            ])
        )  # fmt: skip
    return tile


def _end_tile(sheet: Sheet) -> Tile:
    period = sheet.rows("period")[0] if sheet.rows("period") else None
    is_over = period is not None and period["is_over"]
    tile = Tile(
        "Pipeline at the period's end" if not is_over else "The period has ended",
        Markup("\N{EN DASH}"),
        None,
    )
    place = sheet.place("trajectory", metric="pipeline")
    if place is not None:
        tile.number = sheet.figure("trajectory", place, "projected_value", "whole")
        tile.word = sheet.value("trajectory", place, "verdict")
        tile.lines.append(
            joined(["planned: ", sheet.figure("trajectory", place, "plan_value", "whole")])
        )
        if sheet.value("trajectory", place, "low_value") is not None:
            tile.lines.append(
                joined([
                    "four times in five between ",
                    sheet.figure("trajectory", place, "low_value", "whole"), " and ",
                    sheet.figure("trajectory", place, "high_value", "whole"),
                ])
            )  # fmt: skip
        if sheet.value("trajectory", place, "verdict_reason"):
            tile.lines.append(sheet.text("trajectory", place, "verdict_reason"))
        return tile
    bookings = sheet.place("kpi", metric="bookings")
    if is_over and bookings is not None:
        tile.title = "Won in the period, which is over"
        tile.number = sheet.figure("kpi", bookings, "actual_value", "whole")
        tile.word = sheet.value("kpi", bookings, "status")
        tile.lines.append(
            joined(["planned: ", sheet.figure("kpi", bookings, "plan_to_date_value", "whole")])
        )
        wins = sheet.place("kpi", metric="wins")
        if wins is not None:
            tile.lines.append(
                joined([
                    "deals won: ", sheet.figure("kpi", wins, "actual_value", "count"), " of ",
                    sheet.figure("kpi", wins, "plan_to_date_value", "count"), " planned",
                ])
            )  # fmt: skip
        return tile
    tile.lines.append(Markup("not in this file: it projects nothing"))
    return tile


# --- The sections --------------------------------------------------------------------------------


def _sections(sheet: Sheet, verdict: Verdict) -> list[Section]:
    return [
        _plan(sheet),
        _flow(sheet),
        _bridge(sheet),
        _pipeline(sheet),
        _drift(sheet),
        _items(sheet),
        _laws(sheet),
        _changes(sheet),
    ]


def _missing(sheet: Sheet, **queries: str) -> tuple[str, ...]:
    return tuple(words for query, words in queries.items() if not sheet.has(query))


def _plan(sheet: Sheet) -> Section:
    rows = sheet.rows("kpi")
    count = {word: sum(row["status"] == word for row in rows) for word in ("behind", "ahead")}
    if not rows:
        sentence = Markup("There is no plan to hold the actuals against.")
    elif count["behind"]:
        names = [_kpi_name(row) for row in rows if row["status"] == "behind"]
        sentence = Markup("Behind plan, further than tolerance and chance allow: {}.").format(
            _listed(names)
        )
    else:
        sentence = Markup("No KPI is behind plan by more than tolerance and chance allow.")
    if count["ahead"]:
        names = [_kpi_name(row) for row in rows if row["status"] == "ahead"]
        sentence += Markup(" Ahead of plan: {}.").format(_listed(names))
    picture = charts.pacing(
        [
            {
                "label": _kpi_name(row),
                "tone": tone_of(row["status"]),
                "text": sheet.writer.write(row["of_plan_pct"], "percent"),
                "value": _float(row["of_plan_pct"]),
                "low": _band(row, -1),
                "high": _band(row, +1),
            }
            for row in rows
            if row["of_plan_pct"] is not None
        ]
    )
    kpi = _table(
        sheet,
        "kpi",
        "KPIs of the company",
        [
            ("KPI", lambda place: escape(_kpi_name(rows[place]))),
            ("Status", lambda place: mark(rows[place]["status"])),
            ("Actual", _by_unit(sheet, "kpi", "actual_value")),
            ("Plan to date", _by_unit(sheet, "kpi", "plan_to_date_value")),
            ("Variance", lambda place: sheet.figure("kpi", place, "variance_pct", "percent",
                                                    signed=True)),
            ("Worth", lambda place: sheet.figure("kpi", place, "variance_minor", "whole",
                                                 signed=True)),
            ("Tolerance", lambda place: sheet.figure("kpi", place, "tolerance_pct", "percent")),
            ("Owner", _owner(sheet, "kpi")),
        ],
        text=("KPI", "Status", "Owner"),
    )  # fmt: skip
    cost = sheet.rows("unit_cost")
    unit_cost = _table(
        sheet,
        "unit_cost",
        "What one of each costs: all spend of the period by those who got that far",
        [
            ("One of", lambda place: escape(metric_name(cost[place]["metric"]))),
            ("Actual", lambda place: sheet.figure("unit_cost", place, "actual_cost_minor", "money")),
            ("Planned", lambda place: sheet.figure("unit_cost", place, "planned_cost_minor",
                                                   "money")),
            ("Times plan", lambda place: sheet.figure("unit_cost", place, "times_plan", "times")),
        ],
        text=("One of",),
    )  # fmt: skip
    return Section(
        "plan",
        "Plan against actuals",
        sentence,
        picture,
        "Each point is the actual in percent of what the plan has due by now; the line is the plan,"
        " the band its tolerance. What lies beyond twice the plan is drawn at the edge.",
        tables=tuple(table for table in (kpi, unit_cost) if table is not None),
        missing=_missing(sheet, kpi="plan against actuals"),
    )


def _band(row: Row, side: int) -> float | None:
    return None if row["tolerance_pct"] is None else 100 + side * float(row["tolerance_pct"])


def _flow(sheet: Sheet) -> Section:
    channels, stages = sheet.rows("flow_channel"), sheet.rows("flow_stage")
    if not stages:
        return Section(
            "flow",
            "Where every dollar stands",
            Markup("No dollar has been spent on a cohort of this period."),
            missing=_missing(sheet, flow="the flow of dollars"),
        )
    write = sheet.writer.write
    total = sheet.figure("spend_total", 0, "period_minor", "money")
    total_text = write(sheet.rows("spend_total")[0]["period_minor"], "money")
    reached = {row["stage"]: write(row["amount_minor"], "whole")
               for row in sheet.rows("flow_reached")}  # fmt: skip
    picture = flow.draw(
        sheet.rows("flow"),
        [(row["channel"], write(row["amount_minor"], "money")) for row in channels],
        [(row["stage"], row["kind"], write(row["amount_minor"], "money")) for row in stages],
        reached,
        total_text,
    )
    sales = sheet.place("standing", part="reached Sales")
    sentence = joined(
        [
            "Of ",
            total,
            " spent on this period's cohorts, ",
            sheet.figure("standing", sales, "amount_minor", "money")
            if sales is not None
            else "nothing",
            " ever reached Sales",
            *(
                [" (", sheet.figure("standing", sales, "share_pct", "percent"), ")"]
                if sales is not None
                else []
            ),
            "; every dollar stands in exactly one place below.",
        ]
    )
    tables = [
        _table(
            sheet,
            "flow_channel",
            "Left side: what the channels' cohorts cost",
            [
                ("Channel", lambda place: escape(channels[place]["channel"].replace("_", " "))),
                ("Dollars", lambda place: sheet.figure("flow_channel", place, "amount_minor",
                                                       "money")),
            ],
            text=("Channel",),
            foot=("Total", total),
        ),
        _table(
            sheet,
            "flow_reached",
            "On the way: dollars whose lead ever got at least this far",
            [
                ("Stage", lambda place: escape(stage_name(sheet.rows("flow_reached")[place]["stage"]))),
                ("Dollars", lambda place: sheet.figure("flow_reached", place, "amount_minor",
                                                       "money")),
                ("Leads", lambda place: sheet.figure("flow_reached", place, "leads", "count")),
            ],
            text=("Stage",),
        ),
        _table(
            sheet,
            "flow_stage",
            "Right side: where the dollars stand now",
            [
                ("Stage", lambda place: escape(stage_name(stages[place]["stage"]))),
                ("Whose move", lambda place: sheet.text("flow_stage", place, "owner")),
                ("Dollars", lambda place: sheet.figure("flow_stage", place, "amount_minor", "money")),
                ("Share", lambda place: sheet.figure("flow_stage", place, "share_pct", "percent")),
                ("Leads", lambda place: sheet.figure("flow_stage", place, "leads", "count")),
            ],
            text=("Stage", "Whose move"),
            foot=("Total", "", total, "", ""),
        ),
    ]  # fmt: skip
    everything = sheet.rows("flow_stage_all")
    whole = sheet.rows("spend_total")[0]
    if whole["all_minor"] != whole["period_minor"]:
        all_total = sheet.figure("spend_total", 0, "all_minor", "money")
        tables.append(
            _table(
                sheet,
                "flow_stage_all",
                "All cohorts since the books begin: where their dollars stand now",
                [
                    ("Stage", lambda place: escape(stage_name(everything[place]["stage"]))),
                    ("Dollars", lambda place: sheet.figure("flow_stage_all", place, "amount_minor",
                                                           "money")),
                    ("Share", lambda place: sheet.figure("flow_stage_all", place, "share_pct",
                                                         "percent")),
                    ("Leads", lambda place: sheet.figure("flow_stage_all", place, "leads", "count")),
                ],
                text=("Stage",),
                foot=("Total", all_total, "", ""),
            )
        )  # fmt: skip
    return Section(
        "flow",
        "Where every dollar stands",
        sentence,
        picture,
        "Dollars flow from channels at the left through the furthest stage their lead ever reached to"
        " where they stand today at the right: with Sales (plain), waiting (light), turned away"
        " (striped), with no lead (dotted). Both sides add up to the same total.",
        tables=tuple(table for table in tables if table is not None),
    )


def _bridge(sheet: Sheet) -> Section:
    rows = sheet.rows("bridge")
    if not rows:
        return Section(
            "bridge",
            "From Marketing's count to Sales'",
            Markup("Nobody has claimed MQLs or accepted leads for this period."),
            missing=_missing(sheet, bridge="the bridge between the departments"),
        )
    totals = [place for place, row in enumerate(rows) if row["kind"] == "total"]
    losses = sorted(
        (place for place, row in enumerate(rows) if row["kind"] == "difference"),
        key=lambda place: rows[place]["value"],
    )
    first, last = totals[0], totals[-1]
    parts: list[Markup | str] = [
        sheet.text("bridge", first, "label"), ": ", sheet.figure("bridge", first, "value", "count"),
        ". ", sheet.text("bridge", last, "label"), ": ",
        sheet.figure("bridge", last, "value", "count"), ".",
    ]  # fmt: skip
    if losses:
        parts += [
            " The largest step between them: ", sheet.text("bridge", losses[0], "label"), ", ",
            sheet.figure("bridge", losses[0], "value", "count"), ".",
        ]  # fmt: skip
    picture = charts.waterfall(
        [
            {
                "label": row["label"],
                "tone": "total" if row["kind"] == "total" else "up" if row["value"] > 0 else "down",
                "text": sheet.writer.write(row["value"], "count", signed=row["kind"] != "total"),
                "start": 0 if row["kind"] == "total" else row["end_value"] - row["value"],
                "end": row["end_value"],
            }
            for row in rows
        ],
        "leads",
    )
    table = _table(
        sheet,
        "bridge",
        "Line by line",
        [
            ("Line", lambda place: sheet.text("bridge", place, "label")),
            ("Leads", lambda place: sheet.figure("bridge", place, "value", "count",
                                                 signed=rows[place]["kind"] != "total")),
            ("Then left", lambda place: sheet.figure("bridge", place, "end_value", "count")),
        ],
        text=("Line",),
        strong=lambda place: rows[place]["kind"] == "total",
    )  # fmt: skip
    return Section(
        "bridge",
        "From Marketing's count to Sales'",
        joined(parts),
        picture,
        "Plain bars are totals; striped bars take away from the total above them, light ones add.",
        tables=(table,) if table else (),
    )


def _pipeline(sheet: Sheet) -> Section:
    steps, rows = sheet.rows("waterfall_step"), sheet.rows("waterfall")
    if not steps:
        return Section(
            "pipeline",
            "The pipeline, period by period",
            Markup("No deal was open in this period."),
            missing=_missing(sheet, waterfall="the pipeline's waterfall"),
        )
    places = {row["label"]: place for place, row in enumerate(steps)}
    whole = sheet.place("waterfall", period_kind=sheet.rows("period")[0]["period_kind"])
    assert whole is not None
    sentence = joined(
        [
            "The open pipeline went from ",
            sheet.figure("waterfall_step", places["opening"], "value_minor", "money"),
            " to ",
            sheet.figure("waterfall_step", places["closing"], "value_minor", "money"),
            ": ",
            sheet.figure("waterfall", whole, "created_minor", "money"),
            " was created, ",
            sheet.figure("waterfall", whole, "won_minor", "money"),
            " left it as won and ",
            sheet.figure("waterfall", whole, "lost_minor", "money"),
            " as lost.",
        ]
    )
    picture = charts.waterfall(
        [
            {
                "label": row["label"],
                "tone": "total"
                if row["kind"] == "total"
                else "up"
                if row["value_minor"] > 0
                else "down",
                "text": sheet.writer.write(
                    row["value_minor"], "whole", signed=row["kind"] != "total"
                ),
                "start": 0
                if row["kind"] == "total"
                else _major(sheet, row["end_minor"] - row["value_minor"]),
                "end": _major(sheet, row["end_minor"]),
            }
            for row in steps
        ],
        sheet.writer.currency,
    )
    heads: list[tuple[str, str]] = [
        ("Opening", "opening_minor"), ("Created", "created_minor"),
        ("Increased", "increased_minor"), ("Decreased", "decreased_minor"),
        ("Revalued", "revalued_minor"), ("Reopened", "reopened_minor"), ("Won", "won_minor"),
        ("Lost", "lost_minor"), ("Closing", "closing_minor"),
    ]  # fmt: skip

    def money(column: str) -> Cell:
        return lambda place: sheet.figure("waterfall", place, column, "whole")

    table = _table(
        sheet,
        "waterfall",
        "Opening and movements are the closing, in every row",
        [
            ("From", lambda place: sheet.text("waterfall", place, "period_start_date")),
            ("Before", lambda place: sheet.text("waterfall", place, "period_end_date")),
            *((head, money(column)) for head, column in heads),
            ("Open deals", lambda place: sheet.figure("waterfall", place, "closing_deals", "count")),
        ],
        text=("From", "Before"),
        strong=lambda place: place == whole,
    )
    return Section(
        "pipeline",
        "The pipeline, period by period",
        sentence,
        picture,
        "Plain bars are the opening and the closing; light bars add to the pipeline, striped ones"
        " take away.",
        tables=(table,) if table else (),
        missing=_missing(sheet, waterfall="the pipeline's waterfall"),
    )


def _drift(sheet: Sheet) -> Section:
    rows, ways = sheet.rows("drift"), sheet.rows("trajectory")
    alarms = [place for place, row in enumerate(rows) if row["verdict"] == "alarm"]
    parts: list[Markup | str] = []
    for place in alarms:
        row = rows[place]
        parts += [
            f"{metric_name(row['metric'], row['from_stage'], row['to_stage'])} is disproved since ",
            sheet.text("drift", place, "alarmed_at"), ", after ",
            sheet.figure("drift", place, "matured_at_alarm", "count"), " settled cases: ",
            sheet.figure("drift", place, "actual_rate", "rate"), " came, ",
            sheet.figure("drift", place, "expected_rate", "rate"), " were planned. ",
        ]  # fmt: skip
    if not alarms:
        parts.append(
            "No planned rate of the company is disproved."
            if rows
            else "No rate is planned for this period."
        )
    pictures = charts.intervals(
        [
            {
                "label": metric_name(row["metric"], row["from_stage"], row["to_stage"]),
                "tone": tone_of(row["verdict"]),
                "text": sheet.writer.write(row["actual_rate"], "rate"),
                "value": _float(row["actual_rate"], 100),
                "low": _float(row["low_rate"], 100),
                "high": _float(row["high_rate"], 100),
                "plan": _float(row["expected_rate"], 100),
            }
            for row in rows
            if row["actual_rate"] is not None
        ],
        "percent of settled cases that went on",
        domain=(0, 100),
        has_plan=True,
    )
    pictures += charts.intervals(
        [
            {
                "label": metric_name(row["metric"]),
                "tone": tone_of(row["verdict"]),
                "text": sheet.writer.write(row["projected_pct"], "percent"),
                "value": _float(row["projected_pct"]),
                "low": _float(row["low_pct"]),
                "high": _float(row["high_pct"]),
                "plan": 100.0,
            }
            for row in ways
            if row["projected_pct"] is not None
        ],
        "projected end in percent of plan",
        domain=(0, 200),
        has_plan=True,
    )
    drift = _table(
        sheet,
        "drift",
        "Planned rates and what came; the interval is Wilson's for ninety-five in a hundred",
        [
            ("Step", lambda place: escape(metric_name(rows[place]["metric"],
                                                      rows[place]["from_stage"],
                                                      rows[place]["to_stage"]))),
            ("Verdict", lambda place: mark(rows[place]["verdict"])),
            ("Planned", lambda place: sheet.figure("drift", place, "expected_rate", "rate")),
            ("Actual", lambda place: sheet.figure("drift", place, "actual_rate", "rate")),
            ("From", lambda place: sheet.figure("drift", place, "low_rate", "rate")),
            ("To", lambda place: sheet.figure("drift", place, "high_rate", "rate")),
            ("Went on", lambda place: sheet.figure("drift", place, "converted", "count")),
            ("Settled", lambda place: sheet.figure("drift", place, "matured", "count")),
            ("Entered", lambda place: sheet.figure("drift", place, "entered", "count")),
            ("Disproved", lambda place: sheet.text("drift", place, "alarmed_at")),
        ],
        text=("Step", "Verdict", "Disproved"),
    )  # fmt: skip
    below = sheet.rows("drift_scope")
    scopes = _table(
        sheet,
        "drift_scope",
        "Alarms below the company, the earliest first",
        [
            ("Where", lambda place: sheet.text("drift_scope", place, "scope")),
            ("Step", lambda place: escape(metric_name(below[place]["metric"]))),
            ("Cohort", lambda place: sheet.text("drift_scope", place, "period")),
            ("Planned", lambda place: sheet.figure("drift_scope", place, "expected_rate", "rate")),
            ("Actual", lambda place: sheet.figure("drift_scope", place, "actual_rate", "rate")),
            ("Settled", lambda place: sheet.figure("drift_scope", place, "matured", "count")),
            ("Disproved", lambda place: sheet.text("drift_scope", place, "alarmed_at")),
        ],
        text=("Where", "Step", "Cohort", "Disproved"),
    )
    trajectory = _table(
        sheet,
        "trajectory",
        "Where each KPI ends, four times in five",
        [
            ("KPI", lambda place: escape(metric_name(ways[place]["metric"]))),
            ("Verdict", lambda place: mark(ways[place]["verdict"])),
            ("Actual", _by_unit(sheet, "trajectory", "actual_value")),
            ("Projected", _by_unit(sheet, "trajectory", "projected_value")),
            ("From", _by_unit(sheet, "trajectory", "low_value")),
            ("To", _by_unit(sheet, "trajectory", "high_value")),
            ("Plan", _by_unit(sheet, "trajectory", "plan_value")),
            ("Gap", lambda place: sheet.figure("trajectory", place, "gap_minor", "whole",
                                               signed=True)),
            ("Owner", _owner(sheet, "trajectory")),
            ("Why, and what to do", lambda place: _reasons(sheet, place)),
        ],
        text=("KPI", "Verdict", "Owner", "Why, and what to do"),
    )  # fmt: skip
    return Section(
        "drift",
        "Does the plan still hold, and where does it end?",
        joined(parts),
        pictures,
        "The line is the plan, the point what came (below, where it ends), the band its interval.",
        tables=tuple(table for table in (drift, scopes, trajectory) if table is not None),
        missing=_missing(
            sheet, drift="the evidence on planned rates", trajectory="the projection to the end"
        ),
    )


def _reasons(sheet: Sheet, place: int) -> Markup:
    row = sheet.rows("trajectory")[place]
    found = [
        sheet.text("trajectory", place, column)
        for column in ("verdict_reason", "action")
        if row[column]
    ]
    return Markup(" ").join(found)


def _items(sheet: Sheet) -> Section:
    rows, owed = sheet.rows("variance"), sheet.rows("commitment_owed")
    counts = sheet.rows("variance_count")
    parts: list[Markup | str] = []
    standing = [place for place, row in enumerate(counts) if row["status"] != "closed"]
    if standing:
        parts.append("Variance items: ")
        for number, place in enumerate(standing):
            parts += [", " if number else "", sheet.figure("variance_count", place, "items", "count"),
                      f" {counts[place]['status']}"]  # fmt: skip
        parts.append(".")
    else:
        parts.append("No variance item stands.")
    pledges = sheet.rows("commitment")
    for place, row in enumerate(pledges):
        if row["status"] in ("overdue", "uncommitted"):
            parts += [" ", sheet.figure("commitment", place, "spend_minor", "money"),
                      f" of spend is {row['status']}: Sales owes an expected rate."]  # fmt: skip
    if pledges and not any(row["status"] in ("overdue", "uncommitted") for row in pledges):
        parts.append(" Sales has committed to a rate for every cohort that owes one.")
    variance = _table(
        sheet,
        "variance",
        "Variance items that stand: overdue ones first, then by due date",
        [
            ("KPI", lambda place: escape(metric_name(rows[place]["metric"]))),
            ("Status", lambda place: mark(rows[place]["status"])),
            ("Owner", _owner(sheet, "variance")),
            ("Answer due", lambda place: sheet.text("variance", place, "due_date")),
            ("Worth", lambda place: sheet.figure("variance", place, "variance_minor", "whole",
                                                 signed=True)),
            ("Actual", _by_unit(sheet, "variance", "actual_value")),
            ("Plan to date", _by_unit(sheet, "variance", "plan_to_date_value")),
            ("Period", lambda place: sheet.text("variance", place, "period")),
            ("Scope", lambda place: sheet.text("variance", place, "scope")),
            ("Since", lambda place: sheet.text("variance", place, "opened_date")),
            ("Why", lambda place: sheet.text("variance", place, "why")),
            ("Action", lambda place: sheet.text("variance", place, "action")),
            ("Item", lambda place: sheet.text("variance", place, "item_id")),
        ],
        text=("KPI", "Status", "Owner", "Answer due", "Period", "Scope", "Since", "Why", "Action",
              "Item"),
    )  # fmt: skip
    commitment = _table(
        sheet,
        "commitment",
        "Spend on this period's cohorts, by what Sales has committed to",
        [
            ("Status", lambda place: mark(pledges[place]["status"])),
            ("Cohorts", lambda place: sheet.figure("commitment", place, "cohorts", "count")),
            ("Spend", lambda place: sheet.figure("commitment", place, "spend_minor", "money")),
            ("Next due", lambda place: sheet.text("commitment", place, "next_due_date")),
        ],
        text=("Status", "Next due"),
    )
    owing = _table(
        sheet,
        "commitment_owed",
        "Cohorts to answer for: without a commitment first, then those that miss theirs the most",
        [
            ("Campaign", lambda place: sheet.text("commitment_owed", place, "campaign_key")),
            ("Cohort", lambda place: sheet.text("commitment_owed", place, "cohort_start_date")),
            ("Status", lambda place: mark(owed[place]["status"])),
            ("By", lambda place: _person(sheet, "commitment_owed", place, "committed_by")),
            ("Due", lambda place: sheet.text("commitment_owed", place, "due_date")),
            ("Spend", lambda place: sheet.figure("commitment_owed", place, "spend_minor", "whole")),
            ("Expected", lambda place: sheet.figure("commitment_owed", place, "judged_rate", "rate")),
            ("Actual", lambda place: sheet.figure("commitment_owed", place, "actual_rate", "rate")),
            ("Settled", lambda place: sheet.figure("commitment_owed", place, "matured", "count")),
        ],
        text=("Campaign", "Cohort", "Status", "By", "Due"),
    )
    return Section(
        "items",
        "Who answers for what, and until when",
        joined(parts),
        tables=tuple(table for table in (variance, commitment, owing) if table is not None),
        missing=_missing(sheet, variance="variance items", commitment="commitments"),
    )


def _laws(sheet: Sheet) -> Section:
    rows, deliveries = sheet.rows("law"), sheet.rows("freshness")
    parts: list[Markup | str] = [
        "Laws that hold: ", sheet.figure("publication", 0, "laws_held", "count"), "; broken: ",
        sheet.figure("publication", 0, "laws_broken", "count"), "; waived: ",
        sheet.figure("publication", 0, "laws_waived", "count"), ". Late deliveries: ",
        sheet.figure("publication", 0, "deliveries_late", "count"), " of ",
        sheet.figure("publication", 0, "deliveries", "count"), ".",
    ]  # fmt: skip
    laws = _table(
        sheet,
        "law",
        "Every law: what it expected and what it found",
        [
            ("Law", lambda place: joined([sheet.text("law", place, "law"), " ",
                                          sheet.text("law", place, "title")])),
            ("Result", lambda place: mark(rows[place]["status"])),
            ("If broken", lambda place: escape(_severity(rows[place]["severity"]))),
            ("Expected", _law_figure(sheet, "expected")),
            ("Found", _law_figure(sheet, "actual")),
            ("Rows", lambda place: sheet.figure("law", place, "offending_count", "count")),
            ("Owner", lambda place: sheet.text("law", place, "owner")),
            ("Remark", lambda place: sheet.text("law", place, "reason")),
        ],
        text=("Law", "Result", "If broken", "Owner", "Remark"),
    )  # fmt: skip
    fresh = _table(
        sheet,
        "freshness",
        "Every delivery: how new it is",
        [
            ("Delivery", lambda place: joined([sheet.text("freshness", place, "feed"), " ",
                                               sheet.text("freshness", place, "table_name")])),
            ("Source", lambda place: sheet.text("freshness", place, "source")),
            ("Result", lambda place: mark("late" if deliveries[place]["is_late"] else "fresh")),
            ("Newest", lambda place: sheet.text("freshness", place, "newest_at")),
            ("Age", lambda place: sheet.figure("freshness", place, "age_hours", "hours")),
            ("Cadence", lambda place: sheet.figure("freshness", place, "cadence_hours", "hours")),
            ("Missing days", lambda place: sheet.figure("freshness", place, "missing_days",
                                                        "count")),
        ],
        text=("Delivery", "Source", "Result", "Newest"),
    )  # fmt: skip
    return Section(
        "laws",
        "May these figures be trusted?",
        joined(parts),
        tables=tuple(table for table in (laws, fresh) if table is not None),
    )


def _severity(severity: str) -> str:
    return {"block": "nothing is published", "warn": "published with a warning"}.get(
        severity, severity
    )


def _law_figure(sheet: Sheet, column: str) -> Cell:
    def cell(place: int) -> Markup:
        row = sheet.rows("law")[place]
        is_money = row["unit"] == "minor" and row["currency"] == sheet.writer.currency
        return sheet.figure("law", place, column, "money" if is_money else "count")

    return cell


def _changes(sheet: Sheet) -> Section:
    causes, rows = sheet.rows("change_cause"), sheet.rows("change")
    previous = sheet.value("publication", 0, "previous_number")
    if previous is None:
        sentence = Markup("This is the first publication: there is nothing to compare it with.")
    elif not causes:
        sentence = joined(
            ["Nothing of what publication ",
             sheet.figure("publication", 0, "previous_number", "count"), " reported has changed."]
        )  # fmt: skip
    else:
        sentence = joined(
            ["Figures of periods that publication ",
             sheet.figure("publication", 0, "previous_number", "count"),
             " had reported are not what they were, for these causes."]
        )  # fmt: skip

    def form(row: Row) -> Form:
        return "count" if row["measure"] == "leads" else "money"

    by_cause = _table(
        sheet,
        "change_cause",
        "By cause",
        [
            ("Cause", lambda place: sheet.text("change_cause", place, "cause")),
            ("Measure", lambda place: sheet.text("change_cause", place, "measure")),
            ("Figures", lambda place: sheet.figure("change_cause", place, "figures", "count")),
            ("Moved", lambda place: sheet.figure("change_cause", place, "moved",
                                                 form(causes[place]))),
        ],
        text=("Cause", "Measure"),
    )  # fmt: skip
    largest = _table(
        sheet,
        "change",
        "The largest",
        [
            ("Campaign", lambda place: sheet.text("change", place, "campaign_key")),
            ("Cohort", lambda place: sheet.text("change", place, "cohort_start_date")),
            ("Figure", lambda place: joined([rows[place]["measure"].replace("_", " "), " ",
                                             stage_name(rows[place]["stage"] or "")])),
            ("Was", lambda place: sheet.figure("change", place, "before_value", form(rows[place]))),
            ("Is", lambda place: sheet.figure("change", place, "after_value", form(rows[place]))),
            ("Difference", lambda place: sheet.figure("change", place, "difference",
                                                      form(rows[place]), signed=True)),
            ("Cause", lambda place: sheet.text("change", place, "cause")),
        ],
        text=("Campaign", "Cohort", "Figure", "Cause"),
    )  # fmt: skip
    return Section(
        "changes",
        "What changed since the last publication",
        sentence,
        tables=tuple(table for table in (by_cause, largest) if table is not None),
        missing=_missing(sheet, change="changes since the last publication"),
    )


# --- Cells ---------------------------------------------------------------------------------------


def _table(
    sheet: Sheet,
    query: str,
    caption: str,
    columns: Sequence[tuple[str, Cell]],
    *,
    text: Sequence[str],
    foot: Sequence[Markup | str] = (),
    strong: Callable[[int], bool] = lambda place: False,
) -> Table | None:
    """A table of a query's rows; None where it has none. Columns that are empty are left out."""
    count = len(sheet.rows(query))
    if not count:
        return None
    cells = [[cell(place) for place in range(count)] for _, cell in columns]
    kept = [
        number
        for number, column in enumerate(cells)
        if number == 0 or any('class="none"' not in str(cell) for cell in column)
    ]
    rows = []
    for place in range(count):
        row = [cells[number][place] for number in kept]
        rows.append(
            tuple(Markup("<strong>{}</strong>").format(cell) for cell in row)
            if strong(place)
            else tuple(row)
        )
    return Table(
        caption,
        tuple((columns[number][0], "text" if columns[number][0] in text else "") for number in kept),
        tuple(rows),
        query,
        tuple(foot[number] for number in kept) if foot else (),
    )


def _by_unit(sheet: Sheet, query: str, column: str) -> Cell:
    def cell(place: int) -> Markup:
        return sheet.figure(query, place, column, FORM_OF_UNIT[sheet.rows(query)[place]["unit"]])

    return cell


def _owner(sheet: Sheet, query: str) -> Cell:
    return lambda place: _person(sheet, query, place, "owner")


def _person(sheet: Sheet, query: str, place: int, column: str) -> Markup:
    """A person of the plan with their title."""
    person = sheet.rows(query)[place][column]
    found = sheet.place("person", person=person)
    if person is None or found is None:
        return sheet.text(query, place, column)
    title = sheet.rows("person")[found]["title"]
    return sheet.text(query, place, column, f"{person}, {title}" if title else person)


def _kpi_name(row: Row) -> str:
    return metric_name(row["metric"], row["from_stage"], row["to_stage"])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _float(value: Any, times: int = 1) -> float | None:
    return None if value is None else float(value * times)


def _major(sheet: Sheet, minor: int) -> float:
    return float(minor / 10**sheet.writer.exponent)
