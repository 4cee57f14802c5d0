"""Figures as people write them, each tied to the cell of the query that gave it.

Belongs here: the forms of money, counts, rates, days and dates, and `Sheet`, which marks a figure
with its query, row, column and exact value. Does not belong here: any arithmetic; a figure is
rounded for display and its exact value stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal, assert_never

from markupsafe import Markup, escape

from orchestration.lib.scorecard.queries import Answer, Row

#: How a value is written: money in full, money in whole units, a count, a share of one or a number
#: of percent (both as percent), days, hours, or times of something.
Form = Literal["money", "whole", "count", "rate", "percent", "days", "hours", "times"]
#: The form of each unit of dim_kpi.
FORM_OF_UNIT: dict[str, Form] = {"minor": "whole", "count": "count", "rate": "rate", "days": "days"}
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_MINUS = "\N{MINUS SIGN}"
_THIN = "\N{NARROW NO-BREAK SPACE}"


class Writer:
    """Writes values of one company: its currency, and that currency's number of digits."""

    def __init__(self, currency: str, exponent: int) -> None:
        self.currency = currency
        self.exponent = exponent

    def write(self, value: Any, form: Form, *, signed: bool = False) -> str:
        """A value as people write it; a dash where there is none."""
        if value is None:
            return "\N{EN DASH}"
        match form:
            case "money" | "whole":
                return self._money(value, form == "money", signed)
            case "rate":
                return _number(Decimal(value) * 100, 1, signed) + f"{_THIN}%"
            case "percent":
                return _number(Decimal(value), 1, signed) + f"{_THIN}%"
            case "count":
                exact = Decimal(value)
                return _number(exact, 0 if exact == exact.to_integral_value() else 1, signed)
            case "days":
                return _number(Decimal(value), 1, signed) + f"{_THIN}days"
            case "hours":
                return _number(Decimal(value), 0, signed) + f"{_THIN}h"
            case "times":
                return _number(Decimal(value), 1, signed) + "×"
            case _:
                assert_never(form)

    def _money(self, minor: Any, in_full: bool, signed: bool) -> str:
        amount = Decimal(minor) / 10**self.exponent
        text = _number(abs(amount), self.exponent if in_full else 0, False)
        # A figure that is rounded to nothing has no sign.
        is_nothing = not text.strip("0.,")
        sign = "" if is_nothing else _MINUS if amount < 0 else "+" if signed else ""
        symbol = _SYMBOLS.get(self.currency)
        return f"{sign}{symbol}{text}" if symbol else f"{sign}{text}{_THIN}{self.currency}"


def _number(value: Decimal, digits: int, signed: bool) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    sign = _MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{abs(rounded):,f}"


def in_words(value: Any) -> str:
    """Words, a day or an instant as the page says them."""
    if isinstance(value, datetime):
        return f"{value.day} {value:%b %Y, %H:%M} UTC"
    if isinstance(value, date):
        return f"{value.day} {value:%b %Y}"
    return str(value)


def exact(value: Any) -> str:
    """A value as the page carries it for programs: what the query gave, nothing rounded."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


class Sheet:
    """What the queries gave, and figures cut out of it as marked text."""

    def __init__(self, answers: Mapping[str, Answer], writer: Writer) -> None:
        self.answers = answers
        self.writer = writer

    def has(self, query: str) -> bool:
        """The file could be asked this."""
        return query in self.answers

    def rows(self, query: str) -> Sequence[Row]:
        """The rows of an answer; none where the file could not be asked."""
        return self.answers[query].rows if query in self.answers else ()

    def place(self, query: str, **where: Any) -> int | None:
        """The number of the row with these values, or None."""
        for place, row in enumerate(self.rows(query)):
            if all(row[name] == value for name, value in where.items()):
                return place
        return None

    def value(self, query: str, place: int | None, column: str) -> Any:
        """A value; None where there is no such row."""
        return None if place is None else self.rows(query)[place][column]

    def figure(
        self, query: str, place: int, column: str, form: Form, *, signed: bool = False
    ) -> Markup:
        """A number that leads to its query."""
        value = self.rows(query)[place][column]
        text = self.writer.write(value, form, signed=signed)
        if value is None:
            return Markup('<span class="none" aria-label="none">{}</span>').format(text)
        return Markup(
            '<a class="n" href="#q-{query}" data-query="{query}" data-row="{place}"'
            ' data-column="{column}" data-form="{form}" data-value="{value}">{text}</a>'
        ).format(query=query, place=place, column=column, form=form, value=exact(value), text=text)

    def text(self, query: str, place: int, column: str, shown: str | None = None) -> Markup:
        """Words or a date out of the file; `shown` where the page says them otherwise."""
        value = self.rows(query)[place][column]
        if value is None:
            return Markup('<span class="none" aria-label="none">\N{EN DASH}</span>')
        return Markup(
            '<span data-query="{query}" data-row="{place}" data-column="{column}"'
            ' data-form="{form}" data-value="{value}">{text}</span>'
        ).format(
            query=query,
            place=place,
            column=column,
            form="shown" if shown is not None else "text",
            value=exact(value),
            text=in_words(value) if shown is None else shown,
        )


_ACRONYMS = {"mqls": "MQLs", "sals": "SALs", "sqls": "SQLs", "acv": "average deal (ACV)"}
_STAGES = {"mql": "MQL", "sal": "SAL", "sql": "SQL"}


def stage_name(stage: str) -> str:
    """A stage as people say it: MQL, in market."""
    return _STAGES.get(stage, stage.replace("_", " "))


def metric_name(metric: str, from_stage: str | None = None, to_stage: str | None = None) -> str:
    """A KPI as people say it: a rate by its two stages."""
    if metric.startswith("rate_"):
        start, end = metric.removeprefix("rate_").split("_", 1)
        return f"{stage_name(from_stage or start)} → {stage_name(to_stage or end)}"
    return _ACRONYMS.get(metric, metric.replace("_", " "))


def kpi_name(row: Row) -> str:
    """The KPI of a row, with the stages of a rate where the row has them."""
    return metric_name(row["metric"], row.get("from_stage"), row.get("to_stage"))


_CAUSES = {
    "tolerance": "outside its tolerance",
    "drift": "its planned rate is disproved",
    "velocity": "velocity is below plan",
}


def cause_name(row: Row) -> str:
    """What opened the variance item of a row and still stands."""
    return _CAUSES.get(row["kind"], str(row["kind"]))


def side_name(row: Row) -> str:
    """Who answers on the row's side of the handoff."""
    if row["side"] == "both":
        return "everybody"
    owner = "nobody named" if row["owner"] == "(nobody)" else row["owner"]
    return f"{row['side']}: {owner}"


def joined(parts: Sequence[Markup | str]) -> Markup:
    """A sentence out of figures and words."""
    return Markup("").join(escape(part) for part in parts)
