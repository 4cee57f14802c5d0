"""The sections of the page, in their order: what each says in words, its picture, its tables.

Belongs here: which figures a section shows and the sentence it begins with. Does not belong here:
the first screen (`page`), the kinds of columns (`tables`), SQL, drawing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

from orchestration.lib.scorecard import charts, flow
from orchestration.lib.scorecard.figures import (
    Form,
    Sheet,
    cause_name,
    in_words,
    joined,
    kpi_name,
    side_name,
    stage_name,
)
from orchestration.lib.scorecard.queries import Row
from orchestration.lib.scorecard.tables import Columns, Table
from orchestration.lib.scorecard.verdict import tone_of


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    id: str
    title: str
    #: Its title in the list of sections.
    short: str
    sentence: Markup
    picture: Markup = field(default_factory=Markup)
    #: What the picture shows and how it is read.
    describes: str = ""
    tables: tuple[Table, ...] = ()
    #: What this file is too old to have, in words.
    missing: tuple[str, ...] = ()


def sections(sheet: Sheet) -> list[Section]:
    """All of them; what the file lacks is said in its place."""
    return [
        _plan(sheet),
        _flow(sheet),
        _bridge(sheet),
        _handoff(sheet),
        _pipeline(sheet),
        _velocity(sheet),
        _drift(sheet),
        _items(sheet),
        _laws(sheet),
        _changes(sheet),
    ]


def _missing(sheet: Sheet, **words_of_query: str) -> tuple[str, ...]:
    return tuple(words for query, words in words_of_query.items() if not sheet.has(query))


# --- Plan against actuals ------------------------------------------------------------------------


def _plan(sheet: Sheet) -> Section:
    rows = sheet.rows("kpi")
    behind = [kpi_name(row) for row in rows if row["status"] == "behind"]
    ahead = [kpi_name(row) for row in rows if row["status"] == "ahead"]
    if not rows:
        sentence = Markup("There is no plan to hold the actuals against.")
    elif behind:
        sentence = Markup("Behind plan, further than tolerance and chance allow: {}.").format(
            ", ".join(behind)
        )
    else:
        sentence = Markup("No KPI is behind plan by more than tolerance and chance allow.")
    if ahead:
        sentence += Markup(" Ahead of plan: {}.").format(", ".join(ahead))
    picture = charts.pacing(
        [
            {
                "label": kpi_name(row),
                "tone": tone_of(row["shown_status"]),
                "text": sheet.writer.write(row["of_plan_pct"], "percent"),
                "value": _float(row["of_plan_pct"]),
                "low": _edge_of_band(row, -1),
                "high": _edge_of_band(row, +1),
            }
            for row in rows
            if row["of_plan_pct"] is not None
        ]
    )
    kpi, cost = Columns(sheet, "kpi"), Columns(sheet, "unit_cost")
    return Section(
        "plan",
        "Plan against actuals",
        "Plan",
        sentence,
        picture,
        "Each point is the actual in percent of what the plan has due by now; the line is the plan,"
        " the band its tolerance. What lies beyond twice the plan is drawn at the edge.",
        (
            *kpi.table(
                "KPIs of the company",
                kpi.kpi("KPI"),
                kpi.status("Status", "shown_status"),
                kpi.number("Actual", "actual_value"),
                kpi.number("Plan to date", "plan_to_date_value"),
                kpi.number("Variance", "variance_pct", "percent", signed=True),
                kpi.number("Worth", "variance_minor", "whole", signed=True),
                kpi.number("Tolerance", "tolerance_pct", "percent"),
                kpi.person("Owner", "owner"),
            ),
            *cost.table(
                "What one of each costs: all spend of the period by those who got that far",
                cost.kpi("One of"),
                cost.number("Actual", "actual_cost_minor", "money"),
                cost.number("Planned", "planned_cost_minor", "money"),
                cost.number("Times plan", "times_plan", "times"),
            ),
        ),
        _missing(sheet, kpi="plan against actuals"),
    )


def _edge_of_band(row: Row, side: int) -> float | None:
    return None if row["tolerance_pct"] is None else 100 + side * float(row["tolerance_pct"])


# --- Where every dollar stands -------------------------------------------------------------------


def _flow(sheet: Sheet) -> Section:
    title = "Where every dollar stands"
    if not sheet.rows("flow_stage"):
        return Section(
            "flow",
            title,
            "Dollars",
            Markup("No dollar has been spent on a cohort of this period."),
            missing=_missing(sheet, flow="the flow of dollars"),
        )
    write = sheet.writer.write
    total = sheet.figure("spend_total", 0, "period_minor", "money")
    picture = flow.draw(
        sheet.rows("flow"),
        [
            (row["channel"], write(row["amount_minor"], "money"))
            for row in sheet.rows("flow_channel")
        ],
        [
            (row["stage"], row["kind"], write(row["amount_minor"], "money"))
            for row in sheet.rows("flow_stage")
        ],
        {row["stage"]: write(row["amount_minor"], "whole") for row in sheet.rows("flow_reached")},
        write(sheet.rows("spend_total")[0]["period_minor"], "money"),
    )
    parts: list[Markup | str] = ["Of ", total, " spent on this period's cohorts, "]
    sales = sheet.place("standing", part="reached Sales")
    if sales is None:
        parts.append("nothing ever reached Sales")
    else:
        parts += [
            sheet.figure("standing", sales, "amount_minor", "money"),
            " ever reached Sales (",
            sheet.figure("standing", sales, "share_pct", "percent"),
            ")",
        ]
    parts.append("; every dollar stands in exactly one place below.")
    left, middle, right = (
        Columns(sheet, query) for query in ("flow_channel", "flow_reached", "flow_stage")
    )
    return Section(
        "flow",
        title,
        "Dollars",
        joined(parts),
        picture,
        "Dollars flow from channels at the left, through the furthest stage that their lead ever"
        " reached, to where they stand today at the right: with Sales (plain), waiting (light),"
        " turned away (striped), with no lead (dotted). Both sides add up to the same total.",
        (
            *left.table(
                "Left side: what the channels' cohorts cost",
                left.made("Channel", lambda row: row["channel"].replace("_", " ")),
                left.number("Dollars", "amount_minor", "money"),
                foot=("Total", total),
            ),
            *middle.table(
                "On the way: dollars whose lead ever got at least this far",
                middle.stage("Stage"),
                middle.number("Dollars", "amount_minor", "money"),
                middle.number("Leads", "leads", "count"),
            ),
            *right.table(
                "Right side: where the dollars stand now",
                right.stage("Stage"),
                right.number("Dollars", "amount_minor", "money"),
                right.number("Share", "share_pct", "percent"),
                right.number("Leads", "leads", "count"),
                right.words("Whose move", "owner"),
                foot=("Total", total, "", "", ""),
            ),
            *_all_cohorts(sheet),
        ),
    )


def _all_cohorts(sheet: Sheet) -> tuple[Table, ...]:
    """Every dollar since the books begin, where that is more than the period's."""
    whole = sheet.rows("spend_total")[0]
    if whole["all_minor"] == whole["period_minor"]:
        return ()
    stages = Columns(sheet, "flow_stage_all")
    return stages.table(
        "All cohorts since the books begin: where their dollars stand now",
        stages.stage("Stage"),
        stages.number("Dollars", "amount_minor", "money"),
        stages.number("Share", "share_pct", "percent"),
        stages.number("Leads", "leads", "count"),
        foot=("Total", sheet.figure("spend_total", 0, "all_minor", "money"), "", ""),
    )


# --- The bridge, the handoff, the pipeline, its velocity -----------------------------------------


def _bridge(sheet: Sheet) -> Section:
    title = "From Marketing's count to Sales'"
    rows = sheet.rows("bridge")
    totals = [place for place, row in enumerate(rows) if row["kind"] == "total"]
    if not totals:
        return Section(
            "bridge",
            title,
            "Bridge",
            Markup("There are no MQLs and no claims in this period to lead from one to the other."),
            missing=_missing(sheet, bridge="the bridge between the departments"),
        )
    parts: list[Markup | str] = []
    for place in (totals[0], totals[-1]):
        parts += [
            sheet.text("bridge", place, "label"),
            ": ",
            sheet.figure("bridge", place, "value", "count"),
            ". ",
        ]
    losses = [place for place, row in enumerate(rows) if _is_difference(row) and row["value"] < 0]
    if losses:
        largest = min(losses, key=lambda place: rows[place]["value"])
        parts += [
            "The largest step between them: ",
            sheet.text("bridge", largest, "label"),
            ", ",
            sheet.figure("bridge", largest, "value", "count"),
            ".",
        ]
    picture = charts.waterfall(
        [
            {
                "label": row["label"],
                "tone": _tone_of_step(row, row["value"]),
                "text": sheet.writer.write(row["value"], "count", signed=_is_difference(row)),
                "start": row["start_value"],
                "end": row["end_value"],
            }
            for row in rows
        ],
        "leads",
    )
    lines = Columns(sheet, "bridge")
    return Section(
        "bridge",
        title,
        "Bridge",
        joined(parts),
        picture,
        "Dark bars are totals; striped bars take away from the total above them, light ones add.",
        lines.table(
            "Line by line",
            lines.words("Line", "label"),
            lines.number("Leads", "value", "count", signed=_is_difference),
            lines.number("Then left", "end_value", "count"),
            strong=lambda row: not _is_difference(row),
        ),
    )


def _handoff(sheet: Sheet) -> Section:
    sides, kept, reasons = (
        Columns(sheet, query) for query in ("handoff", "handoff_sla", "handoff_reason")
    )
    return Section(
        "handoff",
        "How leads are handed over, and by whom",
        "Handoff",
        _handoff_sentence(sheet),
        tables=(
            *sides.table(
                "By who answers on either side; half and nine in ten: the hours until so many had"
                " it, a dash where not so many have",
                sides.said("Who", "owner", side_name),
                sides.number("MQLs", "handed_over", "count"),
                sides.number("Accepted", "accepted_share_pct", "percent"),
                sides.number("In time", "in_time_share_pct", "percent"),
                sides.number("Late", "late", "count"),
                sides.number("Waiting", "waiting", "count"),
                sides.number("Response: half", "response_hours_p50", "hours"),
                sides.number("nine in ten", "response_hours_p90", "hours"),
                sides.number("Decision: half", "handoff_hours_p50", "hours"),
                sides.number("nine in ten", "handoff_hours_p90", "hours"),
                sides.number("Rejected", "rejected", "count"),
                sides.words("Most often", "rejected_reason"),
                strong=lambda row: row["side"] == "both",
            ),
            *kept.table(
                "The plan's hours, month by month",
                kept.words("Month from", "period_start_date"),
                kept.kpi("Step"),
                kept.status("Kept", "status"),
                kept.number("Within", "sla_hours", "hours"),
                kept.number("Planned", "planned_share_pct", "percent"),
                kept.number("In time", "in_time_share_pct", "percent"),
                kept.number("Late", "late", "count"),
                kept.number("Not late yet", "waiting", "count"),
                kept.person("Owner", "owner"),
            ),
            *reasons.table(
                "Why MQLs of the month were not accepted",
                reasons.words("Reason", "reason"),
                reasons.words("What followed", "outcome"),
                reasons.number("MQLs", "leads", "count"),
                reasons.number("Spend on them", "amount_minor", "whole"),
            ),
        ),
        missing=_missing(
            sheet, handoff="the handoff by owner", handoff_sla="the hours of the handoff"
        ),
    )


def _handoff_sentence(sheet: Sheet) -> Markup:
    place = sheet.place("handoff", side="both")
    if place is None:
        return escape("No lead has been handed over to Sales." if sheet.has("handoff") else "")
    row = sheet.rows("handoff")[place]
    parts: list[Markup | str] = [
        "In the month from ",
        sheet.text("handoff", place, "month_start_date"),
        ", ",
        sheet.figure("handoff", place, "handed_over", "count"),
        " MQLs were handed over. ",
    ]
    if row["accepted_share_pct"] is not None:
        parts += [
            "Of those decided Sales accepted ",
            sheet.figure("handoff", place, "accepted_share_pct", "percent"),
            ". ",
        ]
    if row["in_time_share_pct"] is not None:
        parts += [
            "Of those decided or late ",
            sheet.figure("handoff", place, "in_time_share_pct", "percent"),
            " were decided within the ",
            sheet.figure("handoff", place, "sla_hours", "hours"),
            " of the plan, which asks for ",
            sheet.figure("handoff", place, "planned_share_pct", "percent"),
            ". ",
        ]
    if row["sla_hours"] is None:
        parts.append("The plan states no hours for it. ")
    if row["waiting"]:
        parts += [
            "Still waiting: ",
            sheet.figure("handoff", place, "waiting", "count"),
            ". ",
        ]
    parts.append(_CLOCKS.get(row["clock"], ""))
    return joined(parts)


_CLOCKS = {
    "business": "Hours are business hours.",
    "elapsed": "Hours run day and night.",
    "mixed": "Hours are business hours where the plan of the day states them, else they run day and"
    " night.",
}


def _pipeline(sheet: Sheet) -> Section:
    title = "The pipeline, period by period"
    steps = sheet.rows("waterfall_step")
    if not steps:
        return Section(
            "pipeline",
            title,
            "Pipeline",
            Markup("No deal was open in this period."),
            missing=_missing(sheet, waterfall="the pipeline's waterfall"),
        )
    parts: list[Markup | str] = ["The open pipeline went from "]
    for label, before in (
        ("opening", ""),
        ("closing", " to "),
        ("created", "; created: "),
        ("won", "; won: "),
        ("lost", "; lost: "),
    ):
        place = sheet.place("waterfall_step", label=label)
        if place is not None:
            parts += [before, sheet.figure("waterfall_step", place, "value_minor", "money")]
    parts.append(".")
    picture = charts.waterfall(
        [
            {
                "label": row["label"],
                "tone": _tone_of_step(row, row["value_minor"]),
                "text": sheet.writer.write(row["value_minor"], "whole", signed=_is_difference(row)),
                "start": row["start_minor"],
                "end": row["end_minor"],
            }
            for row in steps
        ],
        sheet.writer.currency,
    )
    months = Columns(sheet, "waterfall")
    movements = (
        "opening", "created", "increased", "decreased", "revalued", "reopened", "won", "lost",
        "closing",
    )  # fmt: skip
    return Section(
        "pipeline",
        title,
        "Pipeline",
        joined(parts),
        picture,
        "Dark bars are the opening and the closing; light bars add to the pipeline, striped ones"
        " take away.",
        months.table(
            "Opening and movements are the closing, in every row",
            months.words(
                "Period", "period_start_date", "period_last_date", between=" \N{EN DASH} "
            ),
            *(months.number(name.capitalize(), f"{name}_minor", "whole") for name in movements),
            months.number("Deals", "closing_deals", "count"),
            strong=lambda row: row["is_whole"],
        ),
    )


def _is_difference(row: Row) -> bool:
    return bool(row["kind"] != "total")


def _tone_of_step(row: Row, value: int) -> str:
    if not _is_difference(row):
        return "total"
    return "up" if value > 0 else "down"


def _velocity(sheet: Sheet) -> Section:
    picture = charts.intervals(
        [
            {
                "label": in_words(row["week_start_date"]),
                "tone": tone_of(row["verdict"]),
                "text": sheet.writer.write(row["velocity_minor"], "whole"),
                "value": _float(row["of_plan_pct"]),
                "low": 0.0,
                "high": _float(row["of_plan_pct"]),
                "plan": 100.0,
            }
            for row in sheet.rows("velocity")
            if row["of_plan_pct"] is not None
        ],
        "velocity in percent of plan",
        highest=200,
    )
    weeks, factors = Columns(sheet, "velocity"), Columns(sheet, "velocity_factor")
    return Section(
        "velocity",
        "How fast the pipeline makes revenue",
        "Velocity",
        _velocity_sentence(sheet),
        picture,
        "A bar is a week, the line the plan, the figure what the pipeline made a day. What lies"
        " beyond twice the plan is drawn at the edge.",
        (
            *factors.table(
                "What moved it in the last week that is over",
                factors.words("Factor", "factor"),
                factors.number("Is", "value"),
                factors.number("The week before", "before_value"),
                factors.number("Planned", "planned_value"),
                factors.number("Its part", "part_minor", "whole", signed=True),
            ),
            *weeks.table(
                "Week by week: open deals × win rate × average deal ÷ days open, a day",
                weeks.words("Week from", "week_start_date"),
                weeks.status("Verdict", "verdict"),
                weeks.number("A day", "velocity_minor", "whole"),
                weeks.number("Planned", "planned_velocity_minor", "whole"),
                weeks.number("Of plan", "of_plan_pct", "percent"),
                weeks.number("Change", "change_minor", "whole", signed=True),
                weeks.words("Moved most by", "moved_by"),
                weeks.number("Its part", "moved_by_minor", "whole", signed=True),
                weeks.number("Deals judged", "matured", "count"),
                strong=lambda row: row["is_latest"],
            ),
        ),
        _missing(sheet, velocity="the velocity of the pipeline"),
    )


def _velocity_sentence(sheet: Sheet) -> Markup:
    if not sheet.has("velocity"):
        return Markup("")
    place = sheet.place("velocity", is_latest=True)
    if place is None:
        rows = sheet.rows("velocity")
        return escape("No week is over yet." if rows else "No deal has been opened yet.")
    row = sheet.rows("velocity")[place]
    if row["velocity_minor"] is None:
        return joined(
            [
                "No velocity yet: no deal whose amount is known has had its ",
                sheet.figure("velocity", place, "window_days", "count"),
                " days to be won.",
            ]
        )
    parts: list[Markup | str] = [
        "In the week from ",
        sheet.text("velocity", place, "week_start_date"),
        " the pipeline made ",
        sheet.figure("velocity", place, "velocity_minor", "whole"),
        " a day",
    ]
    if row["of_plan_pct"] is None:
        parts.append("; the plan states none")
    else:
        parts += [
            ", ",
            sheet.figure("velocity", place, "of_plan_pct", "percent"),
            " of the ",
            sheet.figure("velocity", place, "planned_velocity_minor", "whole"),
            " planned",
        ]
    if row["change_minor"] is not None:
        parts += [
            "; ",
            sheet.figure("velocity", place, "change_minor", "whole", signed=True),
            " against the week before",
        ]
    if row["moved_by"] is not None:
        parts += [
            ", moved most by ",
            sheet.text("velocity", place, "moved_by"),
            " (",
            sheet.figure("velocity", place, "moved_by_minor", "whole", signed=True),
            ")",
        ]
    parts.append(". ")
    if row["verdict"] == "alarm":
        parts += [
            "That is below plan by more than tolerance and chance: alarm since ",
            sheet.text("velocity", place, "alarmed_at"),
            ".",
        ]
    elif row["verdict"] == "cannot tell yet" and row["of_plan_pct"] is not None:
        parts += [
            "It rests on ",
            sheet.figure("velocity", place, "matured", "count"),
            " deals that have had their time, too few to tell.",
        ]
    elif row["verdict"] == "no alarm" and row["of_plan_pct"] < 100:
        parts.append(
            "No alarm: that takes two weeks in a row which tolerance and chance do not explain."
        )
    return joined(parts)


# --- Drift and trajectory ------------------------------------------------------------------------


def _drift(sheet: Sheet) -> Section:
    rows, ways = sheet.rows("drift"), sheet.rows("trajectory")
    picture = charts.intervals(
        [
            {
                "label": kpi_name(row),
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
        highest=100,
    ) + charts.intervals(
        [
            {
                "label": kpi_name(row),
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
        highest=200,
    )
    drift, below, way = (Columns(sheet, query) for query in ("drift", "drift_scope", "trajectory"))
    return Section(
        "drift",
        "Does the plan still hold, and where does it end?",
        "Drift and projection",
        _drift_sentence(sheet),
        picture,
        "The line is the plan, the point what came or where it will end, the band its interval.",
        (
            *drift.table(
                "Planned rates and what came; Wilson's interval, for ninety-five in a hundred",
                drift.kpi("Step"),
                drift.status("Verdict", "verdict"),
                drift.number("Planned", "expected_rate", "rate"),
                drift.number("Actual", "actual_rate", "rate"),
                drift.number("From", "low_rate", "rate"),
                drift.number("To", "high_rate", "rate"),
                drift.number("Went on", "converted", "count"),
                drift.number("Settled", "matured", "count"),
                drift.number("Entered", "entered", "count"),
                drift.words("Disproved", "alarmed_at"),
            ),
            *below.table(
                "Alarms below the company, the earliest first",
                below.words("Where", "scope"),
                below.kpi("Step"),
                below.words("Cohort", "period"),
                below.number("Planned", "expected_rate", "rate"),
                below.number("Actual", "actual_rate", "rate"),
                below.number("Settled", "matured", "count"),
                below.words("Disproved", "alarmed_at"),
            ),
            *way.table(
                "Where each KPI ends, four times in five",
                way.kpi("KPI"),
                way.status("Verdict", "verdict"),
                way.number("Actual", "actual_value"),
                way.number("Projected", "projected_value"),
                way.number("From", "low_value"),
                way.number("To", "high_value"),
                way.number("Plan", "plan_value"),
                way.number("Gap", "gap_minor", "whole", signed=True),
                way.person("Owner", "owner"),
                way.words("Why, and what to do", "verdict_reason", "action"),
            ),
        ),
        _missing(
            sheet,
            drift="the evidence on planned rates",
            trajectory="the projection to the period's end",
        ),
    )


def _drift_sentence(sheet: Sheet) -> Markup:
    parts: list[Markup | str] = []
    rows = sheet.rows("drift")
    for place, row in enumerate(rows):
        if row["verdict"] == "alarm":
            parts += [
                f"{kpi_name(row)} is disproved since ",
                sheet.text("drift", place, "alarmed_at"),
                ", after ",
                sheet.figure("drift", place, "matured_at_alarm", "count"),
                " settled cases: planned were ",
                sheet.figure("drift", place, "expected_rate", "rate"),
                ", today it is ",
                sheet.figure("drift", place, "actual_rate", "rate"),
                ". ",
            ]
    if not parts:
        parts.append(
            "No planned rate of the company is disproved."
            if rows
            else "No rate is planned for this period."
        )
    return joined(parts)


# --- Owners, laws, changes -----------------------------------------------------------------------


def _items(sheet: Sheet) -> Section:
    items, pledges, owed = (
        Columns(sheet, query) for query in ("variance", "commitment", "commitment_owed")
    )
    return Section(
        "items",
        "Who answers for what, and until when",
        "Owners",
        _items_sentence(sheet),
        tables=(
            *items.table(
                "Variance items that stand: overdue ones first, the company before its parts, the"
                " dearest first; at most twenty-five",
                items.kpi("KPI"),
                items.status("Status", "status"),
                items.said("Opened, because", "kind", cause_name),
                items.person("Owner", "owner"),
                items.words("Answer due", "due_date"),
                items.number("Worth", "variance_minor", "whole", signed=True),
                items.number("Actual", "actual_value"),
                items.number("Plan to date", "plan_to_date_value"),
                items.words("Where", "period", "scope"),
                items.words("Since", "opened_date"),
                items.words("Why", "why"),
                items.words("Action", "action"),
                items.words("Until", "action_due_date"),
                items.words("Item", "item_id"),
            ),
            *pledges.table(
                "Spend on this period's cohorts, by what Sales has committed to",
                pledges.status("Status", "status"),
                pledges.number("Cohorts", "cohorts", "count"),
                pledges.number("Spend", "spend_minor", "money"),
                pledges.words("Next due", "next_due_date"),
            ),
            *owed.table(
                "Cohorts to answer for: without a commitment first, then those that miss theirs"
                " the most",
                owed.words("Campaign", "campaign_key"),
                owed.words("Cohort", "cohort_start_date"),
                owed.status("Status", "status"),
                owed.person("By", "committed_by"),
                owed.words("Due", "due_date"),
                owed.number("Spend", "spend_minor", "whole"),
                owed.number("Expected", "judged_rate", "rate"),
                owed.number("Actual", "actual_rate", "rate"),
                owed.number("Settled", "matured", "count"),
            ),
        ),
        missing=_missing(sheet, variance="variance items", commitment="commitments"),
    )


def _items_sentence(sheet: Sheet) -> Markup:
    parts: list[Markup | str] = []
    for place, row in enumerate(sheet.rows("variance_count")):
        if row["status"] != "closed":
            parts += [
                ", " if parts else "Variance items: ",
                sheet.figure("variance_count", place, "items", "count"),
                f" {row['status']}",
            ]
    parts.append("." if parts else "No variance item stands.")
    pledges = sheet.rows("commitment")
    late = [
        place for place, row in enumerate(pledges) if row["status"] in ("overdue", "uncommitted")
    ]
    for place in late:
        parts += [
            " ",
            sheet.figure("commitment", place, "spend_minor", "money"),
            f" of spend is {pledges[place]['status']}: Sales owes the rate that it expects.",
        ]
    if pledges and not late:
        parts.append(" Sales has committed to a rate for every cohort that owes one.")
    return joined(parts)


def _laws(sheet: Sheet) -> Section:
    parts: list[Markup | str] = []
    for words, column in (
        ("Laws that hold: ", "laws_held"),
        ("; broken: ", "laws_broken"),
        ("; waived: ", "laws_waived"),
        (". Late deliveries: ", "deliveries_late"),
        (" of ", "deliveries"),
    ):
        parts += [words, sheet.figure("publication", 0, column, "count")]
    parts.append(".")
    laws, fresh = Columns(sheet, "law"), Columns(sheet, "freshness")

    def form(row: Row) -> Form:
        is_ours = row["unit"] == "minor" and row["currency"] == sheet.writer.currency
        return "money" if is_ours else "count"

    return Section(
        "laws",
        "May these figures be trusted?",
        "Laws and freshness",
        joined(parts),
        tables=(
            *laws.table(
                "Every law: what it expected and what it found",
                laws.words("Law", "law", "title"),
                laws.status("Result", "status"),
                laws.made("If broken", lambda row: _SEVERITIES.get(row["severity"], "")),
                laws.number("Expected", "expected", form),
                laws.number("Found", "actual", form),
                laws.number("Rows", "offending_count", "count"),
                laws.words("Owner", "owner"),
                laws.words("Remark", "reason"),
            ),
            *fresh.table(
                "Every delivery: how new it is",
                fresh.words("Delivery", "feed", "table_name"),
                fresh.words("Source", "source"),
                fresh.status("Result", "state"),
                fresh.words("Newest", "newest_at"),
                fresh.number("Age", "age_hours", "hours"),
                fresh.number("Cadence", "cadence_hours", "hours"),
                fresh.number("Missing days", "missing_days", "count"),
            ),
        ),
    )


_SEVERITIES = {"block": "blocks", "warn": "warns"}


def _changes(sheet: Sheet) -> Section:
    if sheet.value("publication", 0, "previous_number") is None:
        sentence = Markup("This is the first publication: there is nothing to compare it with.")
    else:
        before = sheet.figure("publication", 0, "previous_number", "count")
        sentence = joined(
            ["Figures that publication ", before, " had reported are not what they were:"]
            if sheet.rows("change_cause")
            else ["Nothing that publication ", before, " had reported has changed."]
        )
    causes, largest = Columns(sheet, "change_cause"), Columns(sheet, "change")

    def form(row: Row) -> Form:
        return "count" if row["measure"] == "leads" else "money"

    return Section(
        "changes",
        "What changed since the last publication",
        "Changes",
        sentence,
        tables=(
            *causes.table(
                "By cause",
                causes.words("Cause", "cause"),
                causes.words("Measure", "measure"),
                causes.number("Figures", "figures", "count"),
                causes.number("Moved", "moved", form),
            ),
            *largest.table(
                "The largest",
                largest.words("Campaign", "campaign_key"),
                largest.words("Cohort", "cohort_start_date"),
                largest.made("Figure", lambda row: stage_name(row["stage"] or row["measure"])),
                largest.number("Was", "before_value", form),
                largest.number("Is", "after_value", form),
                largest.number("Difference", "difference", form, signed=True),
                largest.words("Cause", "cause"),
            ),
        ),
        missing=_missing(sheet, change="changes since the last publication"),
    )


def _float(value: Any, times: int = 1) -> float | None:
    return None if value is None else float(value * times)
