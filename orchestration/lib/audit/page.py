"""The page of a pack: what a head of Sales or Marketing opens, in any browser, without a network.

Belongs here: HTML, one file with its styles and its picture. Does not belong here: the figures
(`cohort`). There is no script in it, and whatever came from a CRM is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.lib.audit.alarms import Alarm
from orchestration.lib.audit.cohort import Cohort, Table
from orchestration.lib.explain import Money

#: Rows of a table that the page shows; the file beside it has all.
_ROWS_SHOWN = 200
_ONLY_AS_FILE = {"lead_stages", "timeline", "handoff_trail"}
_STYLE = """
:root { color-scheme: light; --ink: #1c2430; --soft: #5c6878; --line: #dde3ea; --bad: #b3261e; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); margin: 0 auto; max-width: 76rem;
  padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .2rem; }
p { margin: .2rem 0 .6rem; } .soft { color: var(--soft); } .bad { color: var(--bad); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .8rem;
  margin: 1.2rem 0; }
dl div { border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; }
dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; font-size: 1.15rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .88rem; }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } .figure { text-align: right; }
svg { max-width: 100%; height: auto; }
"""


def render(cohort: Cohort, publication: int, content_sha256: str, money: Money) -> str:
    """The page as one text."""
    alarm = cohort.alarm
    title = f"Handoff audit {alarm.key}: {what(alarm)}"
    sections = "\n".join(
        _section(table, cohort, money) for table in cohort.tables if table.name not in _ONLY_AS_FILE
    )
    files = ", ".join(f'<a href="{table.name}.csv">{table.name}.csv</a>' for table in cohort.tables)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<p class="soft">{escape(cohort.company)} · handoff audit {alarm.key}</p>
<h1>{escape(what(alarm))}</h1>
<p>{_first_words(cohort, money)}</p>
<dl>
{_facts(cohort, money)}
</dl>
<h2>How it went</h2>
<p class="soft">Leads that entered {_word(alarm.from_stage)}, those accepted, and those that the
plan had promised by then. All days are in timeline.csv.</p>
{_picture(cohort)}
{sections}
<h2>Where this comes from</h2>
<p>Publication {publication}, as of {_instant(cohort.as_of, cohort.time_zone)}, content
<code>{content_sha256[:12]}</code>. Every figure is from the published tables; manifest.json names
each file's SHA-256. As files: {files}.</p>
</body>
</html>
"""


def what(alarm: Alarm) -> str:
    """The alarm in a few words."""
    if alarm.kind == "velocity":
        return f"pipeline velocity of {alarm.scope} below plan, week of {alarm.period}"
    return f"{alarm.from_stage} → {alarm.to_stage} of {alarm.scope} below plan, {alarm.period}"


def shown_rate(alarm: Alarm, value: Decimal | None, money: Money) -> str:
    """Expected or actual as people read it."""
    if value is None:
        return "unknown"
    if alarm.kind == "velocity":
        return f"{money.text(int(value), alarm.currency)} a day"
    return f"{100 * value:.1f} %"


def _first_words(cohort: Cohort, money: Money) -> str:
    alarm = cohort.alarm
    settled = (
        "" if alarm.settled_at_alarm is None else f" after {alarm.settled_at_alarm} decided leads"
    )
    item = (
        f"Variance item {alarm.item_id} is {alarm.item_status}"
        + (f", due {alarm.item_due_date}" if alarm.item_due_date else "")
        + f". <code>tieout note {alarm.item_id}</code> answers it."
        if alarm.item_id
        else "No variance item stands for it."
    )
    return (
        f"Planned <b>{shown_rate(alarm, alarm.expected, money)}</b>, is"
        f' <b class="bad">{shown_rate(alarm, alarm.actual, money)}</b>. The alarm rose{settled}, at'
        f" {_instant(alarm.alarmed_at, cohort.time_zone)}. {escape(_who(alarm))} {item}"
    )


def _who(alarm: Alarm) -> str:
    if alarm.owner is None:
        return "The plan names nobody who owns it."
    department = f" ({alarm.owner_department})" if alarm.owner_department else ""
    return f"{alarm.owner}{department} owns it and owes the answer."


def _facts(cohort: Cohort, money: Money) -> str:
    alarm = cohort.alarm
    clock = "business " if cohort.sla_clock == "business" else ""
    sla = (
        "no hours agreed" if cohort.sla_hours is None else f"{cohort.sla_hours} {clock}hours agreed"
    )
    budget = (
        "no budget of its own"
        if alarm.budget_minor is None
        else f"of {money.text(alarm.budget_minor, alarm.currency)} planned"
    )
    evidence = "–" if alarm.max_evidence is None else f"{alarm.max_evidence:,.0f} to 1"
    facts = [
        ("not yet burnt at the alarm", money.text(alarm.not_yet_burnt_minor, alarm.currency)),
        ("spent by then", f"{money.text(alarm.spent_at_alarm_minor, alarm.currency)} {budget}"),
        ("spent so far", money.text(alarm.spent_minor, alarm.currency)),
        ("leads in the cohort", f"{cohort.leads:,}"),
        ("accepted", f"{cohort.accepted:,}"),
        ("still waiting", f"{cohort.waiting:,}"),
        ("waited longer than agreed", f"{cohort.breaches:,} ({sla})"),
        ("their share of the spend", money.text(cohort.amount_minor, alarm.currency)),
        ("evidence against the plan", evidence),
    ]
    return "\n".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in facts
    )


def _section(table: Table, cohort: Cohort, money: Money) -> str:
    head = f'<h2>{escape(table.title)}</h2>\n<p class="soft">{escape(table.text)}</p>'
    shown = table.rows(_ROWS_SHOWN)
    if not shown:
        return f"{head}\n<p>None.</p>"
    names = list(shown[0])
    figures = {name for name in names if _is_figure(row[name] for row in shown)}
    heads = "".join(f"<th{_class(name in figures)}>{escape(_head(name))}</th>" for name in names)
    body = "\n".join(
        "<tr>"
        + "".join(
            f"<td{_class(name in figures)}>{escape(_cell(name, row[name], cohort, money))}</td>"
            for name in names
        )
        + "</tr>"
        for row in shown
    )
    hidden = table.count() - len(shown)
    more = f"<p>… and {hidden:,} more in {table.name}.csv.</p>" if hidden > 0 else ""
    return (
        f'{head}\n<div class="scroll"><table>\n<thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>{more}"
    )


def _class(is_figure: bool) -> str:
    return ' class="figure"' if is_figure else ""


def _is_figure(values: Iterable[Any]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(
        isinstance(value, int | Decimal) and not isinstance(value, bool) for value in known
    )


def _head(name: str) -> str:
    return name.removesuffix("_minor").replace("_", " ")


def _cell(name: str, value: Any, cohort: Cohort, money: Money) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_minor"):
        return money.text(value, cohort.alarm.currency)
    if isinstance(value, datetime):
        return _instant(value, cohort.time_zone)
    if isinstance(value, int | Decimal):
        return f"{value:,}"
    return str(value)


def _word(stage: str | None) -> str:
    return escape(stage or "the pipeline")


def _instant(moment: datetime, zone: str) -> str:
    """In the company's own time, which is named."""
    local = moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(zone))
    return local.strftime("%Y-%m-%d %H:%M ") + (local.tzname() or zone)


_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 900, 260, 46, 24


def _picture(cohort: Cohort) -> str:
    """Running sums as lines, the alarm as a line across them."""
    days = cohort.table("timeline").rows()
    if len(days) < 2:
        return "<p>Not two days yet.</p>"
    top: int = max(1, *(row["entered_so_far"] for row in days))

    def x(position: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - 90) * position / (len(days) - 1)

    def y(value: float) -> float:
        share = value / top
        return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - 10) * share

    lines = [("entered", "#5c6878", "", [row["entered_so_far"] for row in days])]
    rate = cohort.alarm.expected
    if cohort.alarm.kind == "drift" and rate is not None:
        # Of those who are decided: whoever still waits was not promised for today.
        promised = [float(rate) * (row["accepted_so_far"] + row["lost_so_far"]) for row in days]
        lines.append(("promised", "#2f6f4f", ' stroke-dasharray="5 4"', promised))
    lines.append(("accepted", "#b3261e", "", [row["accepted_so_far"] for row in days]))
    drawn = []
    for name, colour, dashes, values in lines:
        points = " ".join(f"{x(place):.1f},{y(value):.1f}" for place, value in enumerate(values))
        drawn.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="2"{dashes} points="{points}"/>'
            f'<text x="{x(len(days) - 1) + 6:.1f}" y="{y(values[-1]) + 4:.1f}" fill="{colour}"'
            f' font-size="12">{name} {values[-1]:,.0f}</text>'
        )
    for place, row in enumerate(days):
        if row["is_alarm_day"]:
            drawn.append(
                f'<line x1="{x(place):.1f}" x2="{x(place):.1f}" y1="6" y2="{_HEIGHT - _BOTTOM}"'
                ' stroke="#b3261e" stroke-width="1"/>'
                f'<text x="{x(place) + 4:.1f}" y="16" font-size="12" fill="#b3261e">alarm'
                f" {row['day']}</text>"
            )
    first, last = days[0]["day"], days[-1]["day"]
    middle = first + timedelta(days=(last - first).days // 2)
    marks = zip((first, middle, last), (0, (last - first).days // 2, len(days) - 1), strict=True)
    drawn += [
        f'<text x="{x(place):.1f}" y="{_HEIGHT - 6}" font-size="12" fill="#5c6878"'
        f' text-anchor="middle">{day}</text>'
        for day, place in marks
    ]
    drawn += [
        f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" font-size="12" fill="#5c6878"'
        f' text-anchor="end">{value:,}</text>'
        for value in sorted({0, top})
    ]
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' aria-label="Leads entered, promised and accepted, day by day">{"".join(drawn)}</svg>'
    )
