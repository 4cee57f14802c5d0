"""Tables of the page: a query's rows, each figure leading to the query.

Belongs here: the kinds of columns and how a table is put together. Does not belong here: which
tables there are (`sections`), figures themselves (`figures`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from orchestration.lib.scorecard.charts import SHAPES
from orchestration.lib.scorecard.figures import FORM_OF_UNIT, Form, Sheet, kpi_name, stage_name
from orchestration.lib.scorecard.queries import Row
from orchestration.lib.scorecard.verdict import tone_of


@dataclass(frozen=True)
class Column:
    """A column: its head, whether it holds words (set left) or figures (set right), its cells."""

    head: str
    is_text: bool
    cell: Callable[[int], Markup]


@dataclass(frozen=True)
class Table:
    """A table as the template writes it; the first column heads its row."""

    caption: str
    query: str
    #: Head, and the class of its cells.
    heads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Markup, ...], ...]
    foot: tuple[Markup | str, ...] = ()


class Columns:
    """Makes the columns of one query's table, and the table."""

    def __init__(self, sheet: Sheet, query: str) -> None:
        self._sheet = sheet
        self._query = query
        self._rows = sheet.rows(query)

    def number(
        self,
        head: str,
        column: str,
        form: Form | Callable[[Row], Form] | None = None,
        *,
        signed: bool | Callable[[Row], bool] = False,
    ) -> Column:
        """A figure; without a form, in that of the row's unit."""

        def cell(place: int) -> Markup:
            row = self._rows[place]
            written = FORM_OF_UNIT[row["unit"]] if form is None else form
            return self._sheet.figure(
                self._query,
                place,
                column,
                written(row) if callable(written) else written,
                signed=signed(row) if callable(signed) else signed,
            )

        return Column(head, False, cell)

    def words(self, head: str, *columns: str, between: str = " ") -> Column:
        """Words or a date; those of several columns in a row."""

        def cell(place: int) -> Markup:
            row = self._rows[place]
            filled = [name for name in columns if row[name] is not None] or list(columns[:1])
            return escape(between).join(
                self._sheet.text(self._query, place, name) for name in filled
            )

        return Column(head, True, cell)

    def said(self, head: str, column: str, say: Callable[[Row], str]) -> Column:
        """A word of the file, said as people say it."""

        def cell(place: int) -> Markup:
            row = self._rows[place]
            return self._sheet.text(self._query, place, column, say(row))

        return Column(head, True, cell)

    def status(self, head: str, column: str) -> Column:
        """A judgement: shape, colour and word."""
        return Column(head, True, lambda place: mark(self._rows[place][column]))

    def kpi(self, head: str) -> Column:
        """The KPI of the row, as people say it."""
        return Column(head, True, lambda place: escape(kpi_name(self._rows[place])))

    def stage(self, head: str) -> Column:
        """The stage of the row, as people say it."""
        return Column(head, True, lambda place: escape(stage_name(self._rows[place]["stage"])))

    def person(self, head: str, column: str) -> Column:
        """Somebody of the plan, with their title."""
        return Column(head, True, lambda place: self._person(place, column))

    def made(self, head: str, write: Callable[[Row], str]) -> Column:
        """Words made of the row."""
        return Column(head, True, lambda place: escape(write(self._rows[place])))

    def table(
        self,
        caption: str,
        *columns: Column,
        foot: Sequence[Markup | str] = (),
        strong: Callable[[Row], bool] = lambda row: False,
    ) -> tuple[Table, ...]:
        """The table, or nothing where the query gave no rows. Empty columns are left out."""
        if not self._rows:
            return ()
        places = range(len(self._rows))
        cells = [[column.cell(place) for place in places] for column in columns]
        kept = [
            number
            for number, column in enumerate(cells)
            if number == 0 or any('class="none"' not in cell for cell in column)
        ]
        rows = []
        for place in places:
            row = [cells[number][place] for number in kept]
            if strong(self._rows[place]):
                row = [Markup("<strong>{}</strong>").format(cell) for cell in row]
            rows.append(tuple(row))
        heads = tuple(
            (columns[number].head, "text" if columns[number].is_text else "") for number in kept
        )
        ends = tuple(foot[number] for number in kept) if foot else ()
        return (Table(caption, self._query, heads, tuple(rows), ends),)

    def _person(self, place: int, column: str) -> Markup:
        person = self._rows[place][column]
        found = self._sheet.place("person", person=person)
        title = self._sheet.value("person", found, "title")
        if person is None or title is None:
            return self._sheet.text(self._query, place, column)
        return self._sheet.text(self._query, place, column, f"{person}, {title}")


def mark(word: str | None) -> Markup:
    """A status: a shape, a colour and the word."""
    tone = tone_of(word)
    return Markup(
        '<span class="mark {tone}"><svg viewBox="-1.4 -1.4 2.8 2.8" aria-hidden="true"'
        ' focusable="false"><path d="{shape}"/></svg>{word}</span>'
    ).format(tone=tone, shape=SHAPES[tone], word=word or "not known")
