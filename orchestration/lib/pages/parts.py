"""The pages: which questions each asks, and how it shows what they gave.

Belongs here: one function a page, each returning a `Page`. Does not belong here: SQL (`sql/`),
addresses and headers (`app`), how a figure or a table is written (`orchestration.lib.scorecard`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from markupsafe import Markup, escape

from orchestration.lib.explain import LawText as ExplainedLaw
from orchestration.lib.explain import explain
from orchestration.lib.pages.asking import PAGE_ROWS, Book, NotThereError, Question, Value
from orchestration.lib.release import history
from orchestration.lib.release.promote import publications
from orchestration.lib.scorecard.figures import (
    Form,
    Sheet,
    Writer,
    cause_name,
    metric_name,
    side_name,
    stage_name,
)
from orchestration.lib.scorecard.page import exponent_of
from orchestration.lib.scorecard.queries import Answer, Row
from orchestration.lib.scorecard.tables import Column, Columns, Table, mark
from orchestration.settings import Home

#: What stands where there is nothing.
_NONE = "\N{EN DASH}"
#: So many publications back a page looks.
_PUBLICATIONS = 50
_LEAD_STAGE = ("main.fct_lead.stage", "main.fct_lead.first_won_at")
_BALANCE = "main.rpt_stage_balance__campaign_cohort"
_JOURNAL = "main.fct_dollar_journal__entry.lead_id"
_COMMITMENT = "main.rpt_commitment__campaign_cohort.judged_metric"
_VELOCITY = ("main.rpt_velocity__segment_week",)
_HANDOFF = ("main.rpt_handoff__owner_month", "main.rpt_handoff_sla__metric_period")
_DEAL = ("main.fct_opportunity", "main.fct_lead.converted_opportunity_id")

QUESTIONS = {
    question.id: question
    for question in (
        Question("about", "The publication", ("meta.publication",)),
        Question("campaigns", "All campaigns", ("main.dim_campaign.channel", *_LEAD_STAGE)),
        Question("velocity_scope", "Velocity", _VELOCITY),
        Question("velocity", "The scope", _VELOCITY),
        Question("velocity_week", "Velocity week by week", _VELOCITY),
        Question("velocity_factor", "Its factors", _VELOCITY),
        Question("handoff_owner", "The handoff", _HANDOFF),
        Question("handoff", "The owner", _HANDOFF),
        Question("handoff_month", "Month by month", _HANDOFF),
        Question(
            "handoff_outcome", "What became of them", ("main.rpt_handoff_outcome__owner_month",)
        ),
        Question("handoff_lead", "Who still waits", ("main.rpt_handoff__lead.outcome",)),
        Question("variance_item", "Variance items", ("main.rpt_variance_item.kind",)),
        Question("laws", "The laws", ("meta.law_result.waived",)),
        Question("found_campaign", "Campaigns", ("main.dim_campaign.channel",)),
        Question("found_lead", "Leads", _LEAD_STAGE),
        Question("found_deal", "Deals", _DEAL),
        Question("found_law", "Laws", ("meta.law_result",)),
        Question("campaign", "The campaign", ("main.dim_campaign.channel",)),
        Question("spend_month", "Spend by month", ("main.fct_spend__campaign_daily",)),
        Question("campaign_stage", "Where its dollars stand", (_BALANCE, "main.dim_stage")),
        Question("campaign_funnel", "How far its leads came", _LEAD_STAGE),
        Question(
            "campaign_kpi",
            "Plan and actuals",
            ("main.rpt_plan_vs_actual__kpi_period", "main.dim_kpi"),
        ),
        Question(
            "campaign_drift",
            "Planned rates and what came",
            ("main.rpt_drift__cohort_transition.verdict",),
        ),
        Question(
            "campaign_trajectory",
            "The way to the period's end",
            ("main.rpt_trajectory__kpi_period",),
        ),
        Question("campaign_cohort", "Cohorts", (_BALANCE, *_LEAD_STAGE)),
        Question("campaign_commitment", "Commitments", (_COMMITMENT,)),
        Question(
            "campaign_credit", "Credit by model", ("main.fct_credit__opportunity_touch.basis",)
        ),
        Question("cohort", "The cohort", (_BALANCE, *_LEAD_STAGE)),
        Question("cohort_stage", "Where its dollars stand", (_BALANCE, "main.dim_stage")),
        Question("cohort_commitment", "Commitment", (_COMMITMENT,)),
        Question("cohort_restated", "Restatements", (_JOURNAL,)),
        Question("cohort_change", "Changed by this publication", ("meta.change",)),
        Question("cohort_lead", "Leads", (_JOURNAL, *_LEAD_STAGE)),
        Question("lead", "The lead", ("main.fct_lead.is_claimed_unqualified",)),
        Question("lead_trail", "Its trail", ("main.fct_lead_stage__interval", "main.dim_stage")),
        Question("lead_dollar", "Its dollars", (_JOURNAL,)),
        Question("lead_deal", "Its deal", _DEAL),
        Question(
            "lead_deal_trail",
            "The deal's trail",
            ("main.fct_opportunity_stage__interval.reporting_amount_minor", *_DEAL),
        ),
        Question(
            "lead_credit", "Credit for the deal", ("main.fct_credit__opportunity_touch.basis",)
        ),
        Question("lead_person", "The same person", ("main.fct_lead.person_key", "main.dim_merge")),
        Question("change_cause", "Changes by cause", ("meta.change",)),
        Question("change", "All changes", ("meta.change",)),
        Question("freshness", "Deliveries", ("meta.freshness.is_late",)),
        Question("plan_version", "Versions of the plan", ("audit.plan_version",)),
        Question("definition_version", "Versions of the definitions", ("audit.definition",)),
        Question("law", "What the gate found", ("meta.law_result.waived",)),
        Question("law_row", "Its rows", ("meta.law_row",)),
    )
}


class LawText(ExplainedLaw, Protocol):
    """What people are told of a law, and its SQL (`expectations.laws.Law` is one)."""

    @property
    def measure(self) -> str: ...  # noqa: D102
    @property
    def offenders(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Links:
    """Addresses of pages; those of a chosen publication keep it."""

    chosen: int | None

    def to(self, *parts: str | int | date, **parameters: str | int) -> str:
        """The address of a page; whatever an id holds stays one part of it."""
        path = "/" + "/".join(quote(str(part), safe="") for part in parts)
        asked = dict(parameters)
        if self.chosen is not None:
            asked.setdefault("publication", self.chosen)
        return f"{path}?{urlencode(asked)}" if asked else path

    def publication(self, number: int) -> str:
        """A publication's own page chooses it, if one was chosen before or not."""
        return f"/publication/{number}"


@dataclass(frozen=True)
class Pager:
    """Which rows of a long table are shown, and the way to the others."""

    first: int
    last: int
    rows: int
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Part:
    """A section of a page."""

    id: str
    title: str
    sentence: str
    tables: tuple[Table, ...]
    #: Why there is no table.
    instead: str = ""
    pager: Pager | None = None


@dataclass
class Page:
    """A page as the template writes it."""

    kind: str
    title: str
    number: int
    about: Row
    #: The word under which it stands, if it is judged.
    word: str | None = None
    sentence: str = ""
    facts: list[tuple[str, Markup]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    #: Other SQL that it shows: title and text.
    sql: list[tuple[str, str]] = field(default_factory=list)
    words: str = ""


Cell = Callable[["Live"], Column]


class Live(Columns):
    """The columns of a live page: those of the scorecard, links and shares."""

    def __init__(self, sheet: Sheet, query: str, links: Links) -> None:
        super().__init__(sheet, query)
        self.links = links

    def link(
        self,
        head: str,
        column: str,
        path: Callable[[Row], Sequence[str | int | date] | None],
        say: Callable[[Row], str] | None = None,
    ) -> Column:
        """Words that lead to a page, as the file has them or said otherwise."""

        def cell(place: int) -> Markup:
            row = self._rows[place]
            shown = None if say is None else say(row)
            text = self._sheet.text(self._query, place, column, shown)
            to = path(row) if row[column] is not None else None
            if to is None or None in to:
                return text
            return Markup('<a href="{}">{}</a>').format(self.links.to(*to), text)

        return Column(head, True, cell)

    def campaign(self, head: str = "Campaign") -> Column:
        """The campaign of the row."""
        return self.link(head, "campaign_key", lambda row: ("campaign", row["campaign_key"]))

    def lead(self, head: str = "Lead") -> Column:
        """The lead of the row."""
        return self.link(head, "lead_id", lambda row: ("lead", row["lead_id"]))

    def law(self, head: str = "Law") -> Column:
        """The law of the row."""
        return self.link(head, "law", lambda row: ("law", row["law"]))

    def by_measure(self, head: str, column: str) -> Column:
        """A figure of a change: money or a count, as its measure says; always signed or never."""
        return self.number(head, column, _form_of_measure, signed=column == "difference")

    def bar(self, head: str, column: str) -> Column:
        """The row's share of the largest, as a bar; the figure stands in a column of its own."""
        largest = max((abs(row[column] or 0) for row in self._rows), default=0)

        def cell(place: int) -> Markup:
            value = self._rows[place][column] or 0
            width = round(100 * abs(value) / largest, 1) if largest else 0
            return Markup(
                '<svg class="share {}" viewBox="0 0 100 10" preserveAspectRatio="none"'
                ' aria-hidden="true" focusable="false"><rect width="{}" height="10"/></svg>'
            ).format("less" if value < 0 else "more", width)

        return Column(head, True, cell)


def _form_of_measure(row: Row) -> Form:
    return "money" if row["measure"].endswith("_minor") else "count"


class Maker:
    """Makes one page: asks, and turns answers into sections."""

    def __init__(
        self, book: Book, values: Mapping[str, Value], skips: Mapping[str, int], links: Links
    ) -> None:
        self.book = book
        self.links = links
        self.answers: dict[str, Answer] = {}
        self._values = values
        self._skips = skips
        about = self.one("about")
        if about is None:
            raise NotThereError(f"publication {book.number}")
        self.about = about
        self.writer = Writer(about["currency"], exponent_of(about["currency"]))
        self.sheet = Sheet(self.answers, self.writer)

    def one(self, question: str) -> Row | None:
        """The one row of an answer, or None."""
        answer = self._ask(question, "")
        return answer.rows[0] if answer is not None and answer.rows else None

    def page(self, kind: str, title: str, **more: Any) -> Page:
        """A page that has no parts yet."""
        return Page(kind, title, self.book.number, self.about, **more)

    def part(
        self,
        question: str,
        sentence: str,
        *cells: Cell,
        none: str = "None.",
        foot: Callable[[Sequence[Row]], Sequence[Markup | str]] | None = None,
    ) -> Part:
        """A section with the table of one question."""
        title = QUESTIONS[question].title
        answer = self._ask(question, question)
        if answer is None:
            return Part(question, title, "", (), "Not in this file.")
        columns = Live(self.sheet, question, self.links)
        ends = foot(answer.rows) if foot is not None and answer.rows else ()
        tables = columns.table(title, *(cell(columns) for cell in cells), foot=ends)
        skip = self._skips.get(question, 0)
        instead = "" if tables else "No rows this far." if skip else none
        return Part(question, title, sentence, tables, instead, self._pager(question, answer, skip))

    def texts(self, question: str, *names: tuple[str, str]) -> list[tuple[str, Markup]]:
        """Facts out of the one row of an answer: name, column; what is not known is left out."""
        row = self.sheet.rows(question)[0]
        return [
            (name, self.sheet.text(question, 0, column))
            for name, column in names
            if row[column] is not None
        ]

    def _ask(self, question: str, section: str) -> Answer | None:
        asked = QUESTIONS[question]
        if not self.book.can(asked):
            return None
        paging = {"page_rows": PAGE_ROWS, "page_skip": self._skips.get(question, 0)}
        self.answers[question] = self.book.ask(asked, section, {**self._values, **paging})
        return self.answers[question]

    def _pager(self, question: str, answer: Answer, skip: int) -> Pager | None:
        rows = answer.rows[0].get("all_rows") if answer.rows else None
        if skip == 0 and (rows is None or rows <= PAGE_ROWS):
            return None
        last = skip + len(answer.rows)

        def at(place: int) -> str:
            # Relative: the same page, with this table elsewhere.
            asked: dict[str, str | int] = {question: place}
            if self.links.chosen is not None:
                asked["publication"] = self.links.chosen
            words = self._values.get("words")
            if words is not None:
                asked["q"] = str(words)
            return f"?{urlencode(asked)}#{question}"

        return Pager(
            first=skip + 1 if answer.rows else skip,
            last=last,
            rows=rows or 0,
            before=at(max(0, skip - PAGE_ROWS)) if skip else None,
            after=at(last) if rows is not None and last < rows else None,
        )


# --- Columns that several tables have ------------------------------------------------------------


def _number(head: str, column: str, form: Form | None = None, *, signed: bool = False) -> Cell:
    return lambda columns: columns.number(head, column, form, signed=signed)


def _words(head: str, *names: str) -> Cell:
    return lambda columns: columns.words(head, *names)


def _status(head: str, column: str) -> Cell:
    return lambda columns: columns.status(head, column)


def _stage(head: str, column: str = "stage") -> Cell:
    return lambda columns: columns.made(
        head, lambda row: stage_name(row[column]) if row[column] is not None else _NONE
    )


def _bar(head: str, column: str) -> Cell:
    return lambda columns: columns.bar(head, column)


_KPI: Cell = lambda columns: columns.kpi("KPI")  # noqa: E731 - one of a row of such columns

_JUDGED: Cell = lambda columns: columns.made(  # noqa: E731 - as above
    "Judged by", lambda row: metric_name(row["judged_metric"]) if row["judged_metric"] else _NONE
)


def _cohort_of(campaign: str) -> Cell:
    return lambda columns: columns.link(
        "Cohort",
        "cohort_start_date",
        lambda row: ("cohort", campaign, row["cohort_start_date"]),
    )


_FUNNEL = (
    _number("Leads", "leads", "count"),
    _number("MQLs", "mqls", "count"),
    _number("SALs", "sals", "count"),
    _number("Wins", "wins", "count"),
)
_STAGES = (
    _stage("Stage"),
    _words("Kind", "kind"),
    _number("Amount", "amount_minor", "money"),
    _number("Share", "share_pct", "percent"),
    _bar("", "amount_minor"),
    _number("Leads", "leads", "count"),
)
_CHANGE: tuple[Cell, ...] = (
    _words("Measure", "measure"),
    _stage("Stage"),
    lambda columns: columns.by_measure("Before", "before_value"),
    lambda columns: columns.by_measure("After", "after_value"),
    lambda columns: columns.by_measure("Difference", "difference"),
    _words("Cause", "cause"),
)
_PROMISE = (
    _words("By", "committed_by"),
    _JUDGED,
    _number("Promised", "judged_rate", "rate"),
    _number("Came", "actual_rate", "rate"),
    _words("Due", "due_date"),
)


_HOURS = (
    _number("Response: half", "response_hours_p50", "hours"),
    _number("nine in ten", "response_hours_p90", "hours"),
    _number("Decision: half", "handoff_hours_p50", "hours"),
    _number("nine in ten", "handoff_hours_p90", "hours"),
)


# --- The pages -----------------------------------------------------------------------------------


def start(home: Home, maker: Maker) -> Page:
    """Where to begin: campaigns, laws, publications."""
    page = maker.page("Start", f"{maker.about['company']}: looking closer")
    page.sentence = (
        "Every campaign, cohort, lead, law and publication has a page. Search, or begin below."
    )
    page.parts = [
        maker.part(
            "campaigns",
            "The largest spend first.",
            lambda columns: columns.campaign(),
            _number("Spend", "spend_minor", "money"),
            _bar("", "spend_minor"),
            *_FUNNEL,
            _words("Channel", "channel"),
            _words("Segment", "segment"),
            _words("Match", "match_status"),
        ),
        maker.part(
            "velocity_scope",
            "Revenue a day that the pipeline makes, in the last week that is over.",
            lambda columns: columns.link("Scope", "scope", lambda row: ("velocity", row["scope"])),
            _status("Verdict", "verdict"),
            _number("A day", "velocity_minor", "whole"),
            _number("Planned", "planned_velocity_minor", "whole"),
            lambda columns: columns.number("Change", "change_minor", "whole", signed=True),
            _words("Moved most by", "moved_by"),
            _number("Deals judged", "matured", "count"),
            _words("Week from", "week_start_date"),
            none="No week is over in which a deal was open.",
        ),
        maker.part(
            "handoff_owner",
            "Who answers for MQLs on either side, in the newest month that is a week old; who left"
            " the most lying first.",
            lambda columns: columns.link(
                "Who",
                "owner",
                lambda row: ("handoff", row["side"], row["owner"]),
                say=side_name,
            ),
            _number("MQLs", "handed_over", "count"),
            _number("Accepted", "accepted_share_pct", "percent"),
            _number("In time", "in_time_share_pct", "percent"),
            _number("Late", "late", "count"),
            _number("Waiting", "waiting", "count"),
            _number("Response: half", "response_hours_p50", "hours"),
            _number("Decision: half", "handoff_hours_p50", "hours"),
            _number("nine in ten", "handoff_hours_p90", "hours"),
            _words("Month from", "month_start_date"),
            none="No lead has been handed over.",
        ),
        maker.part("laws", "What must hold before anything is published.", *_LAWS),
        _publications(home, maker),
    ]
    return page


_LAWS: tuple[Cell, ...] = (
    lambda columns: columns.law(),
    _status("Status", "status"),
    _words("Title", "title"),
    _words("Weight", "severity"),
    _number("Rows", "offending_count", "count"),
    _number("Waived", "waived", "count"),
    _words("Whose move", "owner"),
)


def _publications(home: Home, maker: Maker) -> Part:
    rows = []
    for kept in reversed(publications(home, _PUBLICATIONS)):
        standing = {line.status for line in kept.receipt.laws}
        worst = next((word for word in ("error", "broken", "waived") if word in standing), "held")
        rows.append(
            (
                Markup('<a href="{}">{}</a>').format(
                    maker.links.publication(kept.number), kept.number
                ),
                escape(_moment(kept.receipt.as_of)),
                escape(_moment(kept.published_at)),
                mark(worst),
                Markup("yes") if kept.is_current else Markup(""),
            )
        )
    heads = (("Number", ""), ("As of", "text"), ("Published", "text"), ("Laws", "text"))
    table = Table("Publications", "", (*heads, ("Readers see it", "text")), tuple(rows))
    return Part("publications", "Publications", "The newest first.", (table,))


def _moment(instant: str | None) -> str:
    return "\N{EN DASH}" if instant is None else instant[:16].replace("T", " ") + " UTC"


def search(maker: Maker, words: str) -> Page:
    """What is called so."""
    page = maker.page("Search", f"Search: {words}" if words else "Search", words=words)
    if not words:
        page.sentence = "Part of a campaign's name, or the number of a lead, a deal or a law."
        return page
    page.parts = [
        maker.part(
            "found_campaign",
            "",
            lambda columns: columns.campaign(),
            _words("Channel", "channel"),
            _words("Segment", "segment"),
        ),
        maker.part(
            "found_lead",
            "",
            lambda columns: columns.lead(),
            _stage("Stage"),
            lambda columns: columns.campaign(),
            _words("Created", "created_at"),
        ),
        maker.part(
            "found_deal",
            "",
            lambda columns: columns.link(
                "Deal", "opportunity_id", lambda row: ("lead", row["lead_id"])
            ),
            _stage("Stage"),
            _number("Amount", "amount_minor", "money"),
            lambda columns: columns.campaign(),
        ),
        maker.part(
            "found_law",
            "",
            lambda columns: columns.law(),
            _words("Title", "title"),
            _status("Status", "status"),
        ),
    ]
    return page


def campaign(maker: Maker, key: str) -> Page:
    """A campaign: what it cost, where its dollars stand, against the plan."""
    if maker.one("campaign") is None:
        raise NotThereError(f"campaign {key}")
    page = maker.page("Campaign", key)
    page.facts = maker.texts(
        "campaign",
        ("Channel", "channel"),
        ("Segment", "segment"),
        ("Match", "match_status"),
        ("From", "started_on"),
        ("To", "ended_on"),
    )
    page.parts = [
        maker.part(
            "campaign_stage",
            "All its cohorts together; every dollar is at one stage.",
            *_STAGES,
            none="No dollar was spent on it.",
        ),
        maker.part(
            "spend_month",
            "What it cost, in the reporting currency. Restated is what platforms corrected later;"
            " it is in the spend.",
            _words("Month", "month_start_date"),
            _number("Spend", "spend_minor", "money"),
            _bar("", "spend_minor"),
            _number("Restated", "restated_minor", "money", signed=True),
            _number("Impressions", "impressions", "count"),
            _number("Clicks", "clicks", "count"),
            none="No dollar was spent on it.",
        ),
        maker.part(
            "campaign_funnel",
            "Leads that ever reached a stage, whenever they came.",
            _number("Leads", "leads", "count"),
            _number("MQLs", "mqls", "count"),
            _number("SALs", "sals", "count"),
            _number("SQLs", "sqls", "count"),
            _number("Opportunities", "opportunities", "count"),
            _number("Wins", "wins", "count"),
        ),
        maker.part(
            "campaign_kpi",
            "The plan's targets for this campaign, to date.",
            _words("Period", "period"),
            _KPI,
            _status("Status", "status"),
            _number("Plan to date", "plan_to_date_value"),
            _number("Actual", "actual_value"),
            lambda columns: columns.number("Variance", "variance_value", signed=True),
            _words("Owner", "owner"),
            none="The plan has no target for this campaign alone.",
        ),
        maker.part(
            "campaign_drift",
            "Alarms first. Rates are judged once enough leads have had their time.",
            _words("Period", "period"),
            _KPI,
            _status("Verdict", "verdict"),
            _number("Planned", "expected_rate", "rate"),
            _number("Came", "actual_rate", "rate"),
            _number("Converted", "converted", "count"),
            _number("Decided", "matured", "count"),
            _number("Entered", "entered", "count"),
            _words("Alarm at", "alarmed_at"),
            none="No rate is planned for this campaign's cohorts.",
        ),
        _items(maker),
        maker.part(
            "campaign_trajectory",
            "If things go on as they do.",
            _words("Period", "period"),
            _KPI,
            _status("Verdict", "verdict"),
            _number("Plan", "plan_value"),
            _number("Actual", "actual_value"),
            _number("Projected", "projected_value"),
            _number("Low", "low_value"),
            _number("High", "high_value"),
            none="Nothing is projected for this campaign alone.",
        ),
        maker.part(
            "campaign_cohort",
            "Dollars and leads by the period they belong to. Provisional: figures may still move.",
            _cohort_of(key),
            _number("Amount", "amount_minor", "money"),
            _bar("", "amount_minor"),
            _words("Standing", "standing"),
            *_FUNNEL,
        ),
        maker.part(
            "campaign_commitment",
            "What Sales said a cohort would yield, and what came.",
            _cohort_of(key),
            _status("Status", "status"),
            _number("Spend", "spend_minor", "money"),
            _number("Committed", "committed_minor", "money"),
            *_PROMISE,
        ),
        maker.part(
            "campaign_credit",
            "Each model shares out the same deals otherwise; no model is the true one.",
            _words("Of", "basis"),
            _words("Model", "model"),
            _number("Deals", "deals", "count"),
            _number("Credit", "credit_minor", "money"),
            _bar("", "credit_minor"),
        ),
    ]
    return page


def velocity(maker: Maker, scope: str) -> Page:
    """A scope's pipeline: how much revenue a day it makes, and why."""
    row = maker.one("velocity")
    if row is None:
        raise NotThereError(f"velocity of {scope}")
    page = maker.page("Velocity", f"Pipeline velocity: {scope}", word=row["verdict"])
    page.sentence = (
        "Velocity = open deals × win rate × average deal ÷ days open: the revenue a day that this"
        " pipeline makes if nothing changes. Without a planned one, or with fewer than five deals"
        " that have had their days to be won, nothing can be told."
    )
    page.facts = [
        *maker.texts("velocity", ("Week from", "week_start_date")),
        ("A day", maker.sheet.figure("velocity", 0, "velocity_minor", "whole")),
        ("Planned", maker.sheet.figure("velocity", 0, "planned_velocity_minor", "whole")),
        ("Days to be won", maker.sheet.figure("velocity", 0, "window_days", "count")),
        *maker.texts("velocity", ("Alarm since", "alarmed_at"), ("Owner", "owner")),
    ]
    page.parts = [
        maker.part(
            "velocity_week",
            "What each factor did to it; the four are the change against the week before.",
            _words("Week from", "week_start_date"),
            _status("Verdict", "verdict"),
            _number("A day", "velocity_minor", "whole"),
            _bar("", "velocity_minor"),
            _number("Planned", "planned_velocity_minor", "whole"),
            _number("Change", "change_minor", "whole", signed=True),
            _number("Open deals", "open_opportunities_part_minor", "whole", signed=True),
            _number("Win rate", "win_rate_part_minor", "whole", signed=True),
            _number("Average deal", "acv_part_minor", "whole", signed=True),
            _number("Days open", "cycle_days_part_minor", "whole", signed=True),
        ),
        maker.part(
            "velocity_factor",
            "Open deals older than the days to be won are stale and in no factor.",
            _words("Week from", "week_start_date"),
            _number("Open deals", "open_opportunities", "count"),
            _number("Stale", "stale_opportunities", "count"),
            _number("Worth", "open_pipeline_minor", "whole"),
            _number("Win rate", "win_rate", "rate"),
            _number("Planned", "planned_win_rate", "rate"),
            _number("Won", "wins", "count"),
            _number("Of", "matured", "count"),
            _number("Average deal", "acv_minor", "whole"),
            _number("Planned", "planned_acv_minor", "whole"),
            _number("Days open", "cycle_days", "days"),
        ),
        _items(maker),
    ]
    return page


def handoff(maker: Maker, side: str, owner: str) -> Page:
    """Somebody on one side of the handoff: how fast, how well, who waits."""
    row = maker.one("handoff")
    if row is None:
        raise NotThereError(f"handoff of {side} {owner}")
    page = maker.page("Handoff", f"The handoff, {side_name(row)}")
    page.sentence = (
        "Hours are those in which half, and nine in ten, had a first response or a decision; a dash"
        " means that not so many have."
    )
    page.facts = maker.texts("handoff", ("Hours", "clock"), ("Newest month", "month_start_date"))
    page.parts = [
        maker.part(
            "handoff_month",
            "By the month in which MQLs were handed over. What the plan asks, it asks of all"
            " together.",
            _words("Month from", "month_start_date"),
            _number("MQLs", "handed_over", "count"),
            _number("Accepted", "accepted_share_pct", "percent"),
            _number("Within", "sla_hours", "hours"),
            _number("Planned", "planned_share_pct", "percent"),
            _number("In time", "in_time_share_pct", "percent"),
            _number("Late", "late", "count"),
            _number("Waiting", "waiting", "count"),
            *_HOURS,
        ),
        maker.part(
            "handoff_lead",
            "The longest waiting first.",
            lambda columns: columns.lead(),
            lambda columns: columns.campaign(),
            _words("Hours of the plan", "sla_status"),
            _number("Waits", "waiting_hours", "hours"),
            _words("Handed over", "handed_over_at"),
            _words("First response", "first_response_at"),
            _words("Other side", "other_owner"),
            _number("Dollars", "amount_minor", "money"),
            none="Nobody.",
        ),
        maker.part(
            "handoff_outcome",
            "By the reason that the source gives.",
            _words("Month from", "month_start_date"),
            _words("What followed", "outcome"),
            _words("Reason", "reason"),
            _number("MQLs", "leads", "count"),
            _bar("", "leads"),
            _number("Spend on them", "amount_minor", "money"),
        ),
    ]
    return page


def _items(maker: Maker) -> Part:
    """The variance items of the page's scope."""
    return maker.part(
        "variance_item",
        "What is outside its tolerance or raised an alarm, and what its owner says.",
        _words("Period", "period"),
        _KPI,
        _status("Status", "status"),
        lambda columns: columns.said("Opened, because", "kind", cause_name),
        _words("Owner", "owner"),
        _number("Plan to date", "plan_to_date_value"),
        _number("Actual", "actual_value"),
        _words("Since", "opened_date"),
        _words("Answer due", "due_date"),
        _words("Why", "why"),
        _words("Action", "action"),
        _words("Item", "item_id"),
    )


def cohort(maker: Maker, key: str, start_date: date) -> Page:
    """A cohort: every dollar by stage, its leads, what was restated."""
    row = maker.one("cohort")
    if row is None:
        raise NotThereError(f"cohort {key}, {start_date}")
    page = maker.page("Cohort", f"{key}, cohort of {start_date}")
    page.facts = [
        (
            "Campaign",
            Markup('<a href="{}">{}</a>').format(maker.links.to("campaign", key), key),
        ),
        ("Amount", maker.sheet.figure("cohort", 0, "amount_minor", "money")),
        ("Leads", maker.sheet.figure("cohort", 0, "leads", "count")),
        *maker.texts("cohort", ("Standing", "standing"), ("Ends before", "cohort_end_date")),
    ]
    if row["standing"] == "provisional":
        page.sentence = (
            "Provisional: spend may still be restated and leads may still move, so these figures"
            " are not the last word."
        )
    page.parts = [
        maker.part(
            "cohort_stage",
            "Every dollar is at one stage, or waits for a lead, or has none.",
            *_STAGES,
            none="No dollar belongs to it.",
        ),
        maker.part(
            "cohort_commitment",
            "What Sales said it would yield, and what came.",
            _status("Status", "status"),
            _number("Spend", "spend_minor", "money"),
            _number("Threshold", "threshold_minor", "money"),
            _number("Committed", "committed_minor", "money"),
            *_PROMISE,
        ),
        maker.part(
            "cohort_change",
            "The largest changes against the publication before.",
            *_CHANGE,
        ),
        maker.part(
            "cohort_restated",
            "What platforms corrected later, by the day the books learnt of it.",
            _words("Learnt", "posted_date"),
            _words("Kind", "kind"),
            _stage("From", "from_stage"),
            _stage("To", "to_stage"),
            _number("Entries", "entries", "count"),
            _number("Amount", "amount_minor", "money", signed=True),
        ),
        maker.part(
            "cohort_lead",
            "With the dollars that stand on each.",
            lambda columns: columns.lead(),
            _stage("Stage"),
            _words("Created", "created_at"),
            _words("There since", "stage_entered_at"),
            _number("Score", "score", "count"),
            _number("Dollars", "amount_minor", "money"),
            _words("Deal", "converted_opportunity_id"),
        ),
    ]
    return page


def lead(maker: Maker, lead_id: str) -> Page:
    """A lead: its trail, its dollars, its deal, who is credited."""
    row = maker.one("lead")
    if row is None:
        raise NotThereError(f"lead {lead_id}")
    page = maker.page("Lead", f"Lead {lead_id}: {stage_name(row['stage'])}")
    campaign_link = maker.sheet.text("lead", 0, "campaign_key")
    if row["campaign_key"] is not None:
        to = maker.links.to("campaign", row["campaign_key"])
        campaign_link = Markup('<a href="{}">{}</a>').format(to, campaign_link)
    cohort_link = maker.sheet.text("lead", 0, "cohort_start_date")
    if row["campaign_key"] is not None and row["cohort_start_date"] is not None:
        to = maker.links.to("cohort", row["campaign_key"], row["cohort_start_date"])
        cohort_link = Markup('<a href="{}">{}</a>').format(to, cohort_link)
    page.facts = [
        ("Campaign", campaign_link),
        ("Cohort", cohort_link),
        *maker.texts(
            "lead",
            ("Created", "created_at"),
            ("Owner", "owner"),
            ("Score", "score"),
            ("Rejected because", "rejection_reason"),
        ),
    ]
    if row["is_claimed_unqualified"]:
        page.sentence = "Claimed as an MQL, though it does not meet the definition."
    page.parts = [
        maker.part(
            "lead_trail",
            "Every stage it was in, and how long; an open stay is counted to the publication's"
            " as-of time.",
            _number("Step", "entry_number", "count"),
            _stage("Stage"),
            _words("Entered", "entered_at"),
            _words("Left", "left_at"),
            _number("Stayed", "stayed_hours", "hours"),
            _words("Moved by", "actor"),
            _words("Reason", "reason"),
            _words("Status in the source", "raw_status"),
            _words("From", "origin"),
            _words("Time", "time_is"),
        ),
        maker.part(
            "lead_dollar",
            "Its share of the cohort's spend, and how that moved with it.",
            _words("Posted", "posted_at"),
            _words("Happened", "occurred_at"),
            _words("Kind", "kind"),
            _stage("From", "from_stage"),
            _stage("To", "to_stage"),
            _number("Amount", "amount_minor", "money"),
            _words("Standing", "standing"),
            none="No dollar stands on it.",
        ),
        maker.part(
            "lead_deal",
            "What it became.",
            _words("Deal", "opportunity_id"),
            _stage("Stage"),
            _number("Amount", "amount_minor", "money"),
            _number("When opened", "opened_minor", "money"),
            _words("Opened", "opened_date"),
            _words("Closes", "close_date"),
            _words("Won", "won_at"),
            _words("Owner", "owner"),
            _words("Reason", "reason"),
            none="It has not become a deal.",
        ),
        maker.part(
            "lead_deal_trail",
            "",
            _number("Step", "entry_number", "count"),
            _stage("Stage"),
            _words("Status in the source", "raw_status"),
            _words("Entered", "entered_at"),
            _words("Left", "left_at"),
            _number("Stayed", "stayed_hours", "hours"),
            _number("Amount", "amount_minor", "money"),
            none="It has not become a deal.",
        ),
        maker.part(
            "lead_credit",
            "Each model shares out the same deal otherwise; no model is the true one.",
            _words("Of", "basis"),
            _words("Model", "model"),
            lambda columns: columns.campaign(),
            _number("Touches", "touches", "count"),
            _number("Credit", "credit_minor", "money"),
        ),
        maker.part(
            "lead_person",
            "Found by the identity rules; nobody's name is in the file.",
            lambda columns: columns.link(
                "Record",
                "record_id",
                lambda row: ("lead", row["record_id"]) if row["stage"] is not None else None,
            ),
            _words("What it is", "relation"),
            _stage("Stage"),
            _words("Campaign", "campaign_key"),
            _words("At", "created_at"),
        ),
    ]
    return page


def publication(home: Home, maker: Maker) -> Page:
    """A publication: its laws, what it changed and why, what it was made of."""
    number = maker.book.number
    page = maker.page("Publication", f"Publication {number}")
    page.facts = [
        *maker.texts(
            "about",
            ("As of", "as_of"),
            ("Sealed", "sealed_at"),
            ("Plan", "plan_version"),
            ("Made by Tieout", "code_version"),
            ("Content", "content_sha256"),
        ),
        (
            "Scorecard",
            Markup('<a href="/scorecard?publication={}">as a page</a>').format(number),
        ),
    ]
    before = maker.about["previous_number"]
    if before is not None:
        to = Markup('<a href="{}">{}</a>').format(maker.links.publication(before), before)
        page.facts.append(("The one before", to))
    page.parts = [
        maker.part("laws", "As the gate judged this file.", *_LAWS),
        maker.part(
            "change_cause",
            "Against the publication before; amounts and counts are not added up together.",
            _words("Cause", "cause"),
            _words("Measure", "measure"),
            _number("Changes", "changes", "count"),
            lambda columns: columns.by_measure("Difference", "difference"),
            none="Nothing changed, or there is no publication before.",
        ),
        maker.part(
            "change",
            "",
            lambda columns: columns.campaign(),
            lambda columns: columns.link(
                "Cohort",
                "cohort_start_date",
                lambda row: ("cohort", row["campaign_key"], row["cohort_start_date"]),
            ),
            *_CHANGE,
            none="Nothing changed, or there is no publication before.",
        ),
        maker.part(
            "freshness",
            "What it was made of.",
            _words("Feed", "feed"),
            _words("Table", "table_name"),
            _words("Source", "source"),
            _status("Standing", "standing"),
            _words("Newest", "newest_at"),
            _number("Age", "age_hours", "hours"),
            _number("Due every", "cadence_hours", "hours"),
            _number("Days missing", "missing_days", "count"),
        ),
        maker.part(
            "plan_version",
            "",
            _words("Version", "version"),
            _words("Title", "title"),
            _words("Standing", "standing"),
            _words("Signed by", "signed_by"),
            _words("From", "effective_from"),
            _words("To", "effective_to"),
            _words("Reason", "reason"),
            none="There is no plan.",
        ),
        maker.part(
            "definition_version",
            "What counts as an MQL.",
            _words("Version", "version"),
            _number("Least score", "min_score", "count"),
            _words("From", "valid_from"),
            _words("To", "valid_to"),
        ),
        _history(home, number),
        _publications(home, maker),
    ]
    return page


def _history(home: Home, number: int) -> Part:
    rows = tuple(
        (escape(_moment(event.at)), escape(event.action), escape(event.reason))
        for event in history.read_history(home)
        if event.number == number
    )
    heads = (("When", "text"), ("What", "text"), ("Why", "text"))
    table = (Table("What happened to it", "", heads, rows),) if rows else ()
    instead = "" if rows else "The history does not know it."
    return Part("history", "What happened to it", "Out of the history file.", table, instead)


def law(home: Home, maker: Maker, text: LawText | None, law_id: str) -> Page:
    """A law: what it means, what was found, its rows, and how it stood before."""
    row = maker.one("law")
    if row is None and text is None:
        raise NotThereError(f"law {law_id}")
    title = text.title if text is not None else row["title"] if row is not None else ""
    page = maker.page("Law", f"{law_id}: {title}")
    if text is not None:
        page.sentence = text.meaning
        page.facts.append(("What to do", escape(text.what_to_do)))
        page.facts.append(("Weight", escape(text.severity)))
        page.sql = [("What the gate compares", text.measure), ("Which rows", text.offenders)]
    if row is not None:
        page.word = row["status"]
        form: Form = "money" if row["unit"] == "minor" else "count"
        writer = maker.writer
        if row["currency"] not in (None, writer.currency):
            # Not the reporting currency: in its own digits.
            maker.sheet.writer = Writer(row["currency"], exponent_of(row["currency"]))
        page.facts += [
            ("Expected", maker.sheet.figure("law", 0, "expected", form)),
            ("Found", maker.sheet.figure("law", 0, "actual", form)),
            ("Difference", maker.sheet.figure("law", 0, "difference", form, signed=True)),
            ("Looked at", maker.sheet.figure("law", 0, "checked", "count")),
            ("Rows that break it", maker.sheet.figure("law", 0, "offending_count", "count")),
            ("Tolerated", maker.sheet.figure("law", 0, "tolerated", "count")),
            ("Waived", maker.sheet.figure("law", 0, "waived", "count")),
            *maker.texts("law", ("Whose move", "owner"), ("Reason", "reason")),
        ]
        maker.sheet.writer = writer
    page.parts = [_law_rows(maker), _blocked_rows(home, maker, text), _law_history(home, law_id)]
    page.parts = [part for part in page.parts if part.tables or part.instead]
    return page


def _law_rows(maker: Maker) -> Part:
    part = maker.part("law_row", "", _words("Row", "row_number"), none="No row breaks it.")
    if not part.tables:
        return part
    rows = [json.loads(row["row_json"]) for row in maker.answers["law_row"].rows]
    table = _of_objects(maker, part.title, "law_row", rows)
    return Part(part.id, part.title, "As the gate kept them.", (table,), "", part.pager)


def _blocked_rows(home: Home, maker: Maker, text: LawText | None) -> Part:
    """The rows of the last run, where that was blocked: readers do not get its file."""
    title = "In the run that was blocked"
    if text is None or not history.blocked_row(history.read_history(home)):
        return Part("blocked", title, "", ())
    result = explain(home, text).result or {}
    rows = result.get("offending_rows") or []
    if not rows or result.get("status") not in ("broken", "error"):
        return Part("blocked", title, "", (), "It did not stop the last run.")
    sentence = "Not published: these rows are in reports/verdict.json, and stopped the last run."
    shown = rows[:PAGE_ROWS]
    return Part("blocked", title, sentence, (_of_objects(maker, title, "", shown),))


def _of_objects(maker: Maker, caption: str, query: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """A table of objects whose keys are columns; ids lead to their pages."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    kept = [name for name in names if any(row.get(name) is not None for row in rows)] or names[:1]
    heads = tuple(
        (name.removesuffix("_minor").replace("_", " "), "" if name.endswith("_minor") else "text")
        for name in kept
    )
    cells = tuple(tuple(_object_cell(maker, row, name) for name in kept) for row in rows)
    return Table(caption, query, heads, cells)


def _object_cell(maker: Maker, row: Mapping[str, Any], name: str) -> Markup:
    value = row.get(name)
    if value is None:
        return Markup('<span class="none" aria-label="none">\N{EN DASH}</span>')
    if name.endswith("_minor") and isinstance(value, int):
        currency = row.get("currency") or maker.writer.currency
        return escape(Writer(currency, exponent_of(currency)).write(value, "money"))
    to: tuple[str, ...] | None = None
    if name == "lead_id":
        to = ("lead", str(value))
    elif name == "campaign_key":
        to = ("campaign", str(value))
    elif name == "cohort_start_date" and row.get("campaign_key"):
        to = ("cohort", str(row["campaign_key"]), str(value)[:10])
    if to is None:
        return escape(value)
    return Markup('<a href="{}">{}</a>').format(maker.links.to(*to), value)


def _law_history(home: Home, law_id: str) -> Part:
    rows = []
    for kept in reversed(publications(home, _PUBLICATIONS)):
        for line in kept.receipt.laws:
            if line.law == law_id:
                to = Links(kept.number).to("law", law_id)
                rows.append(
                    (
                        Markup('<a href="{}">{}</a>').format(to, kept.number),
                        escape(_moment(kept.receipt.as_of)),
                        mark(line.status),
                        escape(f"{line.offending_count:,}"),
                        escape(f"{line.waived:,}"),
                    )
                )
    heads = (("Publication", ""), ("As of", "text"), ("Status", "text"), ("Rows", ""))
    table = Table("Over the publications", "", (*heads, ("Waived", "")), tuple(rows))
    return Part(
        "over_publications",
        "Over the publications",
        "Out of their receipts, the newest first.",
        (table,) if rows else (),
        "" if rows else "No receipt names it.",
    )
