"""The scorecard: every number is the published file's, and people can read it on any screen.

One publication; every test looks at its page, or at a page of a copy of its file that was changed.
"""

from __future__ import annotations

import re
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.lib.release.folders import DATABASE, RECEIPT, SCORECARD, file_sha256
from orchestration.lib.release.promote import publication
from orchestration.lib.release.receipt import read_receipt
from orchestration.lib.release.verify import verify
from orchestration.lib.scorecard.page import render
from orchestration.lib.scorecard.queries import ScorecardError, ask
from orchestration.settings import Home
from tests.pipeline.conftest import invoke
from tests.support.browser import Page, browser_page

WIDTHS = (390, 1280, 2560)
#: What the page may say with digits of its own: nothing.
_VOID = {"meta", "link", "br", "img", "input"}


@dataclass
class Cell:
    """A figure or a text of the page and the cell it says it is."""

    query: str
    row: int
    column: str
    form: str
    value: str
    text: str = ""
    is_link: bool = False


@dataclass
class Reading(HTMLParser):
    """A page read back: its cells, its queries, what its charts say, and digits of nobody."""

    cells: list[Cell] = field(default_factory=list)
    sql: dict[str, str] = field(default_factory=dict)
    chart_texts: list[str] = field(default_factory=list)
    stray_digits: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    scripts: int = 0
    _open: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self, convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "script" or any(name.startswith("on") for name in known):
            self.scripts += 1
        if "id" in known:
            self.anchors.add(known["id"])
        if known.get("href", "").startswith("#"):
            self.links.add(known["href"][1:])
        if "data-query" in known:
            self.cells.append(
                Cell(
                    known["data-query"],
                    int(known["data-row"]),
                    known["data-column"],
                    known["data-form"],
                    known["data-value"],
                    is_link=tag == "a" and known["href"] == f"#q-{known['data-query']}",
                )
            )
        if tag not in _VOID:
            self._open.append((tag, known))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _ in self._open]
        if not data.strip() or "head" in tags:
            return
        marked = [known for _, known in self._open if "data-query" in known]
        asked = [known["data-sql"] for _, known in self._open if "data-sql" in known]
        if asked:
            self.sql[asked[-1]] = self.sql.get(asked[-1], "") + data
        elif marked:
            self.cells[-1].text += data
        elif "svg" in tags:
            self.chart_texts.append(data)
        elif re.search(r"\d", data) and "code" not in tags and "footer" not in tags:
            self.stray_digits.append(data)


def read(page: str) -> Reading:
    reading = Reading()
    reading.feed(page)
    return reading


@pytest.fixture(scope="module")
def page(published: tuple[Home, Path]) -> str:
    return (published[0].current / SCORECARD).read_text()


@pytest.fixture(scope="module")
def reading(page: str) -> Reading:
    return read(page)


def plain(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def number_in(text: str) -> Decimal:
    """What a person reads: digits, point and sign."""
    negative = "\N{MINUS SIGN}" in text
    return Decimal(re.sub(r"[^0-9.]", "", text)) * (-1 if negative else 1)


#: Per form what one of what is written is worth in the query's unit (US dollars have cents).
_WORTH = {"money": 100, "whole": 100, "rate": Decimal("0.01")}


def test_every_number_is_what_its_query_gives_from_the_published_file(
    published: tuple[Home, Path], reading: Reading
) -> None:
    answers = {}
    with duckdb.connect(str(published[0].current_database), read_only=True) as connection:
        for query, sql in reading.sql.items():
            relation = connection.execute(sql)
            names = [column[0] for column in relation.description or ()]
            answers[query] = [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
    numbers = [cell for cell in reading.cells if cell.form not in ("text", "shown")]
    assert len(numbers) > 300
    for cell in reading.cells:
        value = answers[cell.query][cell.row][cell.column]
        assert cell.value == plain(value), cell
        if cell.form == "text" and not hasattr(value, "isoformat"):
            assert cell.text == str(value), cell
    for cell in numbers:
        assert cell.is_link, cell
        worth = _WORTH.get(cell.form, Decimal(1))
        digits = cell.text.partition(".")[2]
        step = Decimal(1).scaleb(-len(re.sub(r"[^0-9]", "", digits)))
        off = abs(number_in(cell.text) * worth - Decimal(cell.value))
        assert off <= step * worth / 2, cell


def test_no_number_stands_there_without_its_query(reading: Reading) -> None:
    assert reading.stray_digits == []


def test_charts_say_what_the_tables_say(reading: Reading) -> None:
    figures = {re.sub(r"\s", " ", cell.text) for cell in reading.cells}
    ticks = {"0", "50", "100", "150", "200", "20", "40", "60", "80"}
    words = {re.sub(r"\s", " ", text) for text in reading.chart_texts}
    signed = {word.removeprefix("+") for word in words}
    assert words, "there are charts"
    unknown = {
        word
        for word in words
        if re.search(r"\d", word)
        and word not in ticks
        and not any(figure and figure in word for figure in figures)
    }
    assert unknown == set(), signed


def test_anchors_lead_both_ways(reading: Reading) -> None:
    assert reading.links <= reading.anchors
    assert {f"q-{cell.query}" for cell in reading.cells} <= reading.anchors
    assert {f"q-{cell.query}" for cell in reading.cells if cell.is_link} <= reading.links
    sections = (
        "plan", "flow", "bridge", "handoff", "pipeline", "velocity", "drift", "items", "laws",
        "changes",
    )  # fmt: skip
    assert set(sections) <= reading.links


def test_every_dollar_is_in_the_flow(published: tuple[Home, Path], reading: Reading) -> None:
    answers = ask(published[0].current_database)
    with duckdb.connect(str(published[0].current_database), read_only=True) as connection:
        (spend,) = connection.execute(
            "select sum(amount_minor)::bigint from fct_spend__campaign_daily"
        ).fetchone() or (None,)
    (total,) = answers["spend_total"].rows
    assert total["all_minor"] == spend
    sums = {
        query: sum(row["amount_minor"] for row in answers[query].rows)
        for query in ("flow_channel", "flow_stage", "standing")
    }
    assert set(sums.values()) == {total["period_minor"]}
    shown = f"${total['period_minor'] / 100:,.2f}"
    totals = [text for text in reading.chart_texts if text.startswith("total")]
    assert totals == [f"total  {shown}"] * 4, "left and right, wide and narrow"


def shown(reading: Reading, query: str, column: str) -> list[str]:
    """What a table of the page, and the sentence before it, show of a column."""
    return [each.value for each in reading.cells if (each.query, each.column) == (query, column)]


def test_the_velocity_is_that_of_the_published_weeks(
    published: tuple[Home, Path], reading: Reading
) -> None:
    with duckdb.connect(str(published[0].current_database), read_only=True) as connection:
        weeks = connection.execute(
            """
            select week_start_date::varchar, velocity_minor, planned_velocity_minor, change_minor
            from rpt_velocity__segment_week where scope = 'company' order by 1 desc limit 13
            """
        ).fetchall()[::-1]
        (latest,) = connection.execute(
            """
            from rpt_velocity__segment_week
            select open_opportunities_part_minor, win_rate_part_minor, acv_part_minor,
                cycle_days_part_minor, velocity_minor
            where scope = 'company' and is_complete order by week_start_date desc limit 1
            """
        ).fetchall()
    rows = ask(published[0].current_database)["velocity"].rows
    assert weeks and latest[-1] is not None, "the sample has a velocity to show"
    for number, column in enumerate(
        ("week_start_date", "velocity_minor", "planned_velocity_minor", "change_minor")
    ):
        values = [week[number] for week in weeks]
        assert [plain(row[column]) for row in rows] == [plain(value) for value in values]
        assert set(shown(reading, "velocity", column)) == {
            str(each) for each in values if each is not None
        }
    assert shown(reading, "velocity_factor", "part_minor") == [
        str(part) for part in latest[:4] if part is not None
    ]


def test_the_handoff_is_that_of_the_newest_month_that_is_a_week_old(
    published: tuple[Home, Path], reading: Reading
) -> None:
    with duckdb.connect(str(published[0].current_database), read_only=True) as connection:
        owners = connection.execute(
            """
            from rpt_handoff__owner_month as handoff
            select side, owner, handed_over, response_hours_p50, handoff_hours_p90, rejected
            where month_start_date = (
                select max(month_start_date) from rpt_handoff__owner_month, audit.run
                where month_start_date <= as_of_date - 7
            )
            """
        ).fetchall()
        ((kept, planned),) = connection.execute(
            """
            from rpt_handoff_sla__metric_period, audit.run
            select max_by(in_time_share_pct, period_start_date),
                max_by(planned_share_pct, period_start_date)
            where period_start_date <= as_of_date - 7 and metric = 'rate_mql_sal'
            """
        ).fetchall()
    rows = ask(published[0].current_database)["handoff"].rows
    columns = (
        "side",
        "owner",
        "handed_over",
        "response_hours_p50",
        "handoff_hours_p90",
        "rejected",
    )
    assert sorted(map(str, owners)) == sorted(
        str(tuple(row[name] for name in columns)) for row in rows
    )
    assert {row[0] for row in owners} == {"both", "marketing", "sales"}
    everybody = shown(reading, "handoff", "in_time_share_pct")[0]
    assert (everybody, shown(reading, "handoff", "planned_share_pct")[0]) == (
        str(kept), str(planned),
    )  # fmt: skip
    names = [
        each.text for each in reading.cells if (each.query, each.column) == ("handoff", "owner")
    ]
    assert names[0] == "everybody"
    assert "sales: " in " ".join(names)
    reasons = shown(reading, "handoff_reason", "leads")
    assert sum(map(int, reasons)) > 0


def test_the_page_belongs_to_its_publication(published: tuple[Home, Path]) -> None:
    home, _ = published
    folder = home.current.resolve()
    assert stat.S_IMODE((folder / SCORECARD).stat().st_mode) == 0o444
    assert read_receipt(folder / RECEIPT).scorecard_sha256 == file_sha256(folder / SCORECARD)
    assert home.scorecard.read_bytes() == (folder / SCORECARD).read_bytes()
    assert render(home.current_database) == (folder / SCORECARD).read_text(), "same file, same page"
    code, out, _ = invoke(home, "report", "--json")
    assert (code, '"publication": 1' in out, str(home.scorecard) in out) == (0, True, True)


def test_report_copies_the_page_of_a_publication(
    published: tuple[Home, Path], page: str, tmp_path: Path
) -> None:
    copy = tmp_path / "of" / "march.html"
    code, out, _ = invoke(published[0], "report", "--publication", "1", "--output", str(copy))
    assert (code, copy.read_text()) == (0, page)
    assert str(copy) in out
    code, _, err = invoke(published[0], "report", "--publication", "9")
    assert (code, "there is no publication 9" in err) == (1, True)
    code, _, err = invoke(Home(tmp_path / "empty"), "report")
    assert (code, "nothing is published yet" in err) == (1, True)


# --- Pages of changed files ----------------------------------------------------------------------


@pytest.fixture
def changed(published: tuple[Home, Path], tmp_path: Path) -> Iterator[Callable[..., str]]:
    """The page of a copy of the published file in which SQL has changed something."""

    def page_after(*statements: str) -> str:
        copy = tmp_path / DATABASE
        shutil.copyfile(published[0].current_database, copy)
        with duckdb.connect(str(copy)) as connection:
            for statement in statements:
                connection.execute(statement)
        return render(copy)

    yield page_after


def test_nothing_from_the_data_becomes_markup(changed: Callable[..., str]) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
    text = hostile.replace("'", "''")
    found = read(
        changed(
            f"update meta.publication set company = '{text}'",
            f"update rpt_commitment__campaign_cohort set campaign_key = '{text}'",
            f"update dim_campaign set channel = '{text}' where kind = 'campaign'",
            f"update rpt_handoff_bridge__period set reason = '{text}' where reason is not null",
            f"update meta.law_result set reason = '{text}'",
            f"update rpt_handoff__owner_month set owner = '{text}' where side = 'marketing'",
            f"update rpt_handoff_outcome__owner_month set reason = '{text}' where side = 'both'",
        )
    )
    assert found.scripts == 0
    assert any(cell.text == hostile for cell in found.cells)
    assert any("<script>" in text for text in found.chart_texts)


def test_an_older_file_says_what_it_lacks(changed: Callable[..., str]) -> None:
    found = changed(
        "drop table rpt_drift__cohort_transition",
        "drop table rpt_pipeline_waterfall__period",
        "drop table rpt_variance_item",
        "drop table rpt_commitment__campaign_cohort",
        "drop table rpt_handoff_bridge__period",
        "drop table rpt_handoff__owner_month",
        "drop table rpt_handoff_sla__metric_period",
        "drop table rpt_velocity__segment_week",
        "alter table fct_dollar_journal__entry drop lead_id",
    )
    assert found.count("not in this file") >= 9
    assert read(found).stray_digits == []


def test_without_a_plan_the_dollars_still_stand_there(changed: Callable[..., str]) -> None:
    found = changed("delete from rpt_plan_vs_actual__kpi_period")
    assert "No plan covers this day" in found
    assert "Where every dollar stands" in found
    assert read(found).stray_digits == []


def section(page: str, name: str) -> str:
    """The words of a section."""
    text = re.sub(r"<[^>]*>", "", page.partition(f'<section id="{name}"')[2].split("</section>")[0])
    return text.replace("\N{NARROW NO-BREAK SPACE}", " ")


_VELOCITY = "update rpt_velocity__segment_week set "
_HOURS = "update rpt_handoff_sla__metric_period set planned_share_pct = 65, "


@pytest.mark.parametrize(
    ("statements", "of_velocity", "of_handoff"),
    [
        (
            ["delete from rpt_velocity__segment_week", "delete from rpt_handoff__owner_month"],
            "No deal has been opened yet",
            "No lead has been handed over to Sales",
        ),
        (
            [_VELOCITY + "is_complete = false", "delete from rpt_handoff_sla__metric_period"],
            "No week is over yet",
            "The plan states no hours for it",
        ),
        (
            [_VELOCITY + "velocity_minor = null, matured = 0, change_minor = null",
             "update rpt_handoff__owner_month set clock = 'elapsed'"],
            "No velocity yet: no deal whose amount is known has had its 60 days to be won",
            "Hours run day and night",
        ),
        (
            [_VELOCITY + "planned_velocity_minor = null",
             _HOURS + "is_complete = true, in_time_share_pct = 64.9"],
            "a day; the plan states none",
            "behind",
        ),
        (
            [_VELOCITY + "matured = 4, planned_velocity_minor = 100, is_alarm = false",
             _HOURS + "is_complete = true, in_time_share_pct = 65"],
            "It rests on 4 deals that have had their time, too few to tell",
            "on plan",
        ),
        (
            [_VELOCITY + "matured = 5, velocity_minor = 9900, planned_velocity_minor = 10000,"
             " is_alarm = false",
             _HOURS + "is_complete = false, in_time_share_pct = 65"],
            "made $99 a day, 99.0 % of the $100 planned",
            "cannot tell yet",
        ),
        (
            [_VELOCITY + "velocity_minor = 1, is_alarm = true, alarmed_at = '2026-03-01 05:00',"
             " change_minor = -300, open_opportunities_part_minor = 100,"
             " win_rate_part_minor = -500, acv_part_minor = 60, cycle_days_part_minor = 40"],
            "\N{MINUS SIGN}$3 against the week before, moved most by win rate (\N{MINUS SIGN}$5)."
            " That is below plan by more than tolerance and chance: alarm since 1 Mar 2026, 05:00",
            "MQLs were handed over",
        ),
    ],
)  # fmt: skip
def test_velocity_and_handoff_are_said_as_they_stand(
    changed: Callable[..., str], statements: list[str], of_velocity: str, of_handoff: str
) -> None:
    found = changed(*statements)
    assert of_velocity in section(found, "velocity")
    assert of_handoff in section(found, "handoff")
    assert read(found).stray_digits == []


def test_what_opened_a_variance_item_is_said_in_words(changed: Callable[..., str]) -> None:
    found = changed(
        "delete from rpt_variance_item",
        *(
            f"""
            insert into rpt_variance_item by name
            select 'V-{kind}' as item_id, 'FY2026-Q1' as period, 'company' as scope,
                'leads' as metric, '{kind}' as kind, '{kind}' as causes, 'count' as unit,
                'open' as status, 10 as plan_to_date_value, 5 as actual_value, 0 as notes,
                true as is_period_open, date '2026-02-01' as opened_date
            """
            for kind in ("tolerance", "drift", "velocity", "of tomorrow")
        ),
    )
    kinds = {each.value: each.text for each in read(found).cells if each.column == "kind"}
    assert kinds == {
        "tolerance": "outside its tolerance",
        "drift": "its planned rate is disproved",
        "velocity": "velocity is below plan",
        "of tomorrow": "of tomorrow",
    }


def test_a_projection_is_shown_where_the_file_has_one(changed: Callable[..., str]) -> None:
    found = changed(
        "drop table if exists rpt_trajectory__kpi_period",
        """
        create table rpt_trajectory__kpi_period as
        select
            metric, period, scope, unit, owner, plan_value, actual_value,
            0.8 * plan_value as projected_value, 0.7 * plan_value as low_value,
            0.9 * plan_value as high_value, -0.2 * plan_value as gap_value,
            -1000 as gap_minor, 'pivot' as verdict, 'the <rate> is gone' as verdict_reason,
            5 as trigger_pct, 'move the budget' as action, false as is_over,
            period_start_date, period_end_date
        from rpt_plan_vs_actual__kpi_period
        """,
    )
    words = re.sub(r"<[^>]*>", "", found)
    assert "pivot" in words.split("Spend to date")[0]
    assert "the &lt;rate&gt; is gone" in found
    assert "Pipeline by the period" in words
    assert "projection to the period" not in words


def test_a_flow_that_does_not_add_up_is_no_page(changed: Callable[..., str]) -> None:
    with pytest.raises(ScorecardError, match="does not add up"):
        changed(
            "update fct_dollar_journal__entry set amount_minor = amount_minor + 1"
            " where entry_id = (select min(entry_id) from fct_dollar_journal__entry"
            " where from_stage = 'funding')"
        )


def test_a_broken_rate_is_in_the_first_sentence(changed: Callable[..., str]) -> None:
    found = changed(
        """
        update rpt_plan_vs_actual__kpi_period
        set actual_value = 0.08, status = 'behind' where metric = 'rate_mql_sal'
        """,
        """
        update rpt_plan_vs_actual__kpi_period
        set status = 'behind', variance_minor = -156667000 where metric = 'pipeline'
        """,
    )
    words = re.sub(r"<[^>]*>", "", found.partition("<h1")[2].partition("</h1>")[0])
    assert "Sales accepts 8.0" in words
    assert "pipeline is $1,566,670 short" in words
    assert "behind plan" in found.partition("<h1")[0]


# --- In a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tab(
    published: tuple[Home, Path], browser_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    with browser_page(browser_path, tmp_path_factory.mktemp("profile")) as tab:
        tab.open(published[0].scorecard)
        tab.run(files("axe_core_python").joinpath("axe.min.js").read_text() + ";0")
        yield tab


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_people_can_read_it(tab: Page, width: int, scheme: str) -> None:
    tab.look(width, scheme)
    found = tab.run(
        "axe.run({resultTypes: ['violations']}).then(r => r.violations.map(v => [v.impact, v.id,"
        " v.nodes.slice(0, 3).map(n => n.html.slice(0, 200))]))"
    )
    assert [each for each in found if each[0] in ("serious", "critical")] == []
    assert tab.run("document.documentElement.scrollWidth") <= width, "nothing runs off the page"


def test_it_asks_nobody_and_complains_of_nothing(tab: Page, published: tuple[Home, Path]) -> None:
    assert tab.requests == [published[0].scorecard.as_uri()]
    assert tab.complaints == []


def test_it_prints(tab: Page) -> None:
    assert len(tab.call("Page.printToPDF", printBackground=True)["data"]) > 20_000


# --- Last: it is spoilt --------------------------------------------------------------------------


def test_a_changed_page_is_found(published: tuple[Home, Path]) -> None:
    kept = publication(published[0], 1)
    assert verify(published[0], kept).is_whole
    (kept.folder / SCORECARD).chmod(0o644)
    (kept.folder / SCORECARD).write_text("all is well")
    found = verify(published[0], kept)
    assert found.damages == ("scorecard.html is missing, or not the one that was published",)
