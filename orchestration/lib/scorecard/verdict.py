"""The verdict: how things stand in one plain sentence, said from what the file judges.

Belongs here: which judgement comes first and how it is said. Does not belong here: judging; every
status, alarm and projection is the file's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from orchestration.lib.scorecard.figures import Sheet, joined, metric_name, stage_name

#: The tone of each word that a file judges with; the page has a shape and a colour for each tone.
TONE_OF = {
    "on plan": "good",
    "on track": "good",
    "held": "good",
    "committed": "good",
    "believable": "good",
    "no alarm": "good",
    "closed": "good",
    "explained": "good",
    "fresh": "good",
    "ahead": "ahead",
    "watch": "watch",
    "waived": "watch",
    "uncommitted": "watch",
    "open": "watch",
    "late data": "watch",
    "behind": "bad",
    "behind plan": "bad",
    "pivot": "bad",
    "alarm": "bad",
    "broken": "bad",
    "error": "bad",
    "overdue": "bad",
    "late": "bad",
}
#: The count of those who stand before a rate's first step.
_COUNT_OF_STAGE = {
    "lead": "leads",
    "mql": "mqls",
    "sal": "sals",
    "sql": "sqls",
    "opportunity": "opportunities",
}
_PEOPLE_OF_STAGE = {
    "lead": "leads",
    "mql": "MQLs",
    "sal": "accepted leads",
    "sql": "SQLs",
    "opportunity": "opportunities",
}
#: From how many times its planned cost on a win is worth a word.
_DEAR = 1.25


@dataclass(frozen=True)
class Verdict:
    """A word, its tone, and the sentence."""

    word: str
    tone: str
    sentence: Markup


def tone_of(word: str | None) -> str:
    """The tone of a status; one that nobody knows yet is no judgement."""
    return TONE_OF.get(word or "", "unknown")


def judge(sheet: Sheet) -> Verdict:
    """What the first screen says."""
    if not sheet.rows("kpi"):
        return Verdict(
            "no plan",
            "unknown",
            Markup(
                "No plan covers this day: the books say where every dollar stands, and there is"
                " nothing to hold it against."
            ),
        )
    broken = _broken_rate(sheet)
    if broken is not None:
        word = "behind plan" if _is_behind(sheet) else "watch"
        sentence = _sentence_of_rate(sheet, broken)
    elif behind := _behind(sheet):
        word, sentence = "behind plan", _sentence_of_volume(sheet, behind)
    elif _is_unknown(sheet):
        word = "cannot tell yet"
        sentence = Markup("Too little has happened in this period to judge it.")
    else:
        word, sentence = "on plan", _sentence_of_plan(sheet)
    projected = sheet.value("trajectory", sheet.place("trajectory", metric="pipeline"), "verdict")
    if projected is not None and _weight(projected) >= _weight(word):
        word = projected
    return Verdict(word, tone_of(word), sentence)


def _weight(word: str) -> int:
    """How grave a word is; the gravest is shown."""
    return {"good": 0, "ahead": 0, "unknown": 1, "watch": 2, "bad": 3}[tone_of(word)]


def _broken_rate(sheet: Sheet) -> int | None:
    """The rate that no longer holds and costs the most: proved ones before those that only miss."""
    found: list[tuple[bool, int, int]] = []
    for place, row in enumerate(sheet.rows("kpi")):
        if row["kind"] != "rate":
            continue
        verdict = sheet.value("drift", sheet.place("drift", metric=row["metric"]), "verdict")
        if verdict == "alarm" or row["status"] == "behind":
            found.append((verdict != "alarm", row["variance_minor"] or 0, place))
    return min(found)[2] if found else None


def _is_behind(sheet: Sheet) -> bool:
    return any(
        row["status"] == "behind" and row["metric"] in ("pipeline", "bookings", "sals")
        for row in sheet.rows("kpi")
    )


def _behind(sheet: Sheet) -> list[int]:
    """The KPIs behind plan, the dearest first."""
    places = [place for place, row in enumerate(sheet.rows("kpi")) if row["status"] == "behind"]
    return sorted(places, key=lambda place: sheet.rows("kpi")[place]["variance_minor"] or 0)


def _is_unknown(sheet: Sheet) -> bool:
    judged = [row["status"] for row in sheet.rows("kpi") if row["status"] != "not planned"]
    return all(status in ("not yet", "no data") for status in judged)


def _sentence_of_rate(sheet: Sheet, place: int) -> Markup:
    row = sheet.rows("kpi")[place]
    volume, is_fine = _volume(sheet, row["from_stage"])
    link = "but" if is_fine else "and"
    who = _PEOPLE_OF_STAGE.get(row["from_stage"], "leads")
    actual = sheet.figure("kpi", place, "actual_value", "rate")
    plan = sheet.figure("kpi", place, "plan_to_date_value", "rate")
    if row["to_stage"] == "sal":
        rate = joined(["Sales accepts ", actual, " of MQLs where the plan has ", plan])
    else:
        rate = joined(
            ["only ", actual, f" of {who} become {_one(row['to_stage'])} where the plan has ", plan]
        )
    start = [volume, f", {link} ", rate] if volume else [_capital(rate)]
    return joined([*start, *_money(sheet), "."])


def _one(stage: str) -> str:
    return {"won": "wins", "opportunity": "opportunities"}.get(stage, stage_name(stage) + "s")


def _volume(sheet: Sheet, stage: str | None) -> tuple[Markup | None, bool]:
    """What Marketing delivers, in words, and whether that is what was planned."""
    chosen = None
    for metric in ("leads", "mqls", _COUNT_OF_STAGE.get(stage or "", "leads")):
        found = sheet.place("kpi", metric=metric)
        if found is not None and sheet.value("kpi", found, "actual_value") is not None:
            chosen = found
            if sheet.value("kpi", found, "status") == "ahead":
                break
            if metric == "mqls" and stage != "lead":
                break
    if chosen is None:
        return None, False
    row = sheet.rows("kpi")[chosen]
    name = {"leads": "leads", "mqls": "MQLs"}.get(row["metric"], row["metric"])
    if row["status"] == "ahead":
        share = sheet.figure("kpi", chosen, "of_plan_pct", "percent")
        return joined(
            [f"{name.capitalize() if name == 'leads' else name} run at ", share, " of plan"]
        ), True
    actual = sheet.figure("kpi", chosen, "actual_value", "count")
    plan = sheet.figure("kpi", chosen, "plan_to_date_value", "count")
    is_fine = row["status"] != "behind"
    verb = "delivers its" if is_fine else "delivers only"
    return joined([f"Marketing {verb} ", actual, f" {name} (plan ", plan, ")"]), is_fine


def _money(sheet: Sheet) -> list[Markup | str]:
    """What it does to pipeline and to the cost of a win."""
    parts: list[Markup | str] = []
    place = sheet.place("kpi", metric="pipeline")
    status = sheet.value("kpi", place, "status")
    if place is not None and status == "behind":
        parts += [
            "; pipeline is ",
            sheet.figure("kpi", place, "variance_size_minor", "whole"),
            " short of the ",
            sheet.figure("kpi", place, "plan_to_date_value", "whole"),
            " due",
        ]
    elif place is not None and sheet.value("kpi", place, "of_plan_pct") is not None:
        parts += [
            "; pipeline, at ",
            sheet.figure("kpi", place, "of_plan_pct", "percent"),
            " of plan, does not show it yet",
        ]
    win = sheet.place("unit_cost", metric="wins")
    times = sheet.value("unit_cost", win, "times_plan")
    if win is not None and times is not None and times >= _DEAR:
        parts += [
            ", and a new customer costs ",
            sheet.figure("unit_cost", win, "times_plan", "times"),
            " what was planned",
        ]
    return parts


def _sentence_of_volume(sheet: Sheet, behind: list[int]) -> Markup:
    row = sheet.rows("kpi")[behind[0]]
    name = metric_name(row["metric"])
    return joined(
        [
            f"The planned rates hold, but {name} stand at ",
            sheet.figure("kpi", behind[0], "of_plan_pct", "percent"),
            " of what is due",
            *(_money(sheet) if row["metric"] != "pipeline" else []),
            ".",
        ]
    )


def _sentence_of_plan(sheet: Sheet) -> Markup:
    parts: list[Markup | str] = []
    accepted = sheet.place("kpi", metric="sals")
    if accepted is not None and sheet.value("kpi", accepted, "actual_value") is not None:
        parts += [
            "Sales has accepted ",
            sheet.figure("kpi", accepted, "actual_value", "count"),
            " leads of ",
            sheet.figure("kpi", accepted, "plan_to_date_value", "count"),
            " planned",
        ]
    pipeline = sheet.place("kpi", metric="pipeline")
    if pipeline is not None and sheet.value("kpi", pipeline, "of_plan_pct") is not None:
        parts += [
            ", pipeline stands at " if parts else "Pipeline stands at ",
            sheet.figure("kpi", pipeline, "of_plan_pct", "percent"),
            " of plan",
        ]
    parts.append(", and every planned rate holds." if parts else "Every planned rate holds.")
    return joined(parts)


def _capital(text: Markup) -> Markup:
    return text[:1].upper() + text[1:]
