"""Law B5 through Great Expectations: credit that adds up holds, and every way not to breaks it.

The books are the sound ones with a won deal on top, and a deal that no touch led to; what computes
credit is tested in test_dbt_credit.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from expectations.client import Judge
from expectations.laws import LAWS_FOLDER
from expectations.verdict import LawResult
from tests.support.books import SOUND_BOOKS

CREDIT = "main.fct_credit__opportunity_touch"
WON = f"""
insert into main.fct_opportunity by name
select
    opportunity_id, true as is_new_business, is_won, amount_minor,
    amount_minor as reporting_amount_minor, opened_minor as opened_reporting_amount_minor,
    timestamp '2026-03-02 12:00' as created_at, won_at
from (
    values
    ('W2', true, cast(100 as bigint), cast(90 as bigint), timestamp '2026-03-20 12:00'),
    ('W3', false, null, null, null)
) as deals (opportunity_id, is_won, amount_minor, opened_minor, won_at);
insert into {CREDIT}
select
    deals.opportunity_id, deals.basis, models.model, touches.touch_number, touches.touch_id,
    touches.campaign_key, deals.amount_minor, deals.amount_minor * touches.share, touches.share,
    touches.touched_at, deals.anchor_at
from (
    values
    ('W2', 'pipeline', cast(90 as bigint), timestamp '2026-03-02 12:00'),
    ('W2', 'won', cast(100 as bigint), timestamp '2026-03-20 12:00')
) as deals (opportunity_id, basis, amount_minor, anchor_at)
cross join main.dim_credit_model as models
cross join (
    values
    (1, 'T8', 'Google Ads / A', cast(0.5 as decimal(10, 9)), timestamp '2026-02-05 12:00'),
    (2, 'T9', 'Google Ads / A', cast(0.5 as decimal(10, 9)), timestamp '2026-02-20 12:00')
) as touches (touch_number, touch_id, campaign_key, share, touched_at);
insert into {CREDIT}
select
    'W3', 'pipeline', model, 0, null, '(unattributed)', null, null, 1, null,
    timestamp '2026-03-02 12:00'
from main.dim_credit_model;
"""

JudgeAfter = Callable[[str], LawResult]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    """One warm judge for all cases."""
    with Judge.start(memory="1GB", threads=1) as started:
        yield started


@pytest.fixture
def after(judge: Judge, tmp_path: Path) -> JudgeAfter:
    """What B5 says of these books after some SQL."""
    laws = tmp_path / "laws"
    laws.mkdir()
    shutil.copy(LAWS_FOLDER / "B5.sql", laws)

    def judged(sql: str) -> LawResult:
        path = tmp_path / "tieout.duckdb"
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as connection:
            connection.execute(SOUND_BOOKS)
            connection.execute(WON)
            connection.execute(sql)
        verdict = judge.verdict(path, laws=laws)
        assert verdict.error is None
        return verdict.result("B5")

    return judged


def test_credit_that_adds_up_holds(after: JudgeAfter) -> None:
    """By three models: two deals more when they were opened, and one that was won."""
    result = after("select 1")
    assert (result.status, result.offending_rows) == ("held", [])
    assert (result.unit, result.severity) == ("minor", "block")
    assert result.expected == result.actual
    sound = after(
        f"delete from main.fct_opportunity where opportunity_id in ('W2', 'W3');"
        f" delete from {CREDIT} where opportunity_id in ('W2', 'W3')"
    )
    assert result.checked == sound.checked + 9
    assert result.expected == sound.expected + 3 * (90 + 100)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        (
            f"update {CREDIT} set credit_minor = credit_minor - 1"
            " where touch_id = 'T8' and basis = 'won' and model = 'linear'",
            "the credits do not add up to the amount",
        ),
        (
            "update main.fct_opportunity set reporting_amount_minor = 101"
            " where opportunity_id = 'W2'",
            "the credits do not add up to the amount",
        ),
        (
            f"update {CREDIT} set credit_minor = null"
            " where touch_id = 'T8' and basis = 'won' and model = 'linear'",
            "the credits do not add up to the amount",
        ),
        # What is not known must not become zero, nor anything else.
        (
            f"update {CREDIT} set credit_minor = 0 where opportunity_id = 'W3'",
            "the credits do not add up to the amount",
        ),
        (
            f"delete from {CREDIT} where opportunity_id = 'W2' and model = 'time_decay'",
            "no credit by this model",
        ),
        (f"delete from {CREDIT} where opportunity_id = 'W3'", "no credit by this model"),
        (
            f"update {CREDIT} set model = 'homemade' where model = 'linear'",
            "credit for what is no new business, was not won or by no known model",
        ),
        (
            "update main.fct_opportunity set is_new_business = false where opportunity_id = 'W2'",
            "credit for what is no new business, was not won or by no known model",
        ),
        (
            "update main.fct_opportunity set is_won = false where opportunity_id = 'W2'",
            "credit for what is no new business, was not won or by no known model",
        ),
        (
            f"update {CREDIT} set share = share - 0.000000001 where touch_id = 'T9'",
            "the shares do not add up to 1",
        ),
        (
            f"update {CREDIT} set share = case touch_number when 1 then 1.5 else -0.5 end"
            " where opportunity_id = 'W2'",
            "the shares do not add up to 1",
        ),
        (
            f"update {CREDIT} set touch_id = 'T8' where touch_id = 'T9'",
            "a touch has two credits",
        ),
        (
            f"update {CREDIT} set touch_id = null, touched_at = null,"
            " campaign_key = '(unattributed)' where touch_id = 'T9'",
            "it is unattributed although there is a touch",
        ),
        (
            f"update {CREDIT} set touch_id = null where touch_id = 'T9'",
            "a credit says neither which touch nor that there is none",
        ),
        (
            f"update {CREDIT} set campaign_key = '(unattributed)' where touch_id = 'T9'",
            "a credit says neither which touch nor that there is none",
        ),
        (
            f"update {CREDIT} set anchor_at = anchor_at + interval 1 second where basis = 'won'",
            "the credit counts up to another instant than the opening or the win",
        ),
        (
            f"update {CREDIT} set touched_at = '2026-03-02 12:00:01'"
            " where touch_id = 'T9' and basis = 'pipeline'",
            "a touch after the opening or the win",
        ),
        (
            f"update {CREDIT} set touched_at = anchor_at - interval 90 days - interval 1 second"
            " where touch_id = 'T8'",
            "a touch before the look-back",
        ),
        (
            "update main.dim_credit_model set rest_pct = 99.99 where model = 'linear'",
            "the weights do not add up to 100 %",
        ),
        (
            "update main.dim_credit_model set rest_pct = null where model = 'linear'",
            "the weights do not add up to 100 %",
        ),
        ("delete from main.dim_credit_model", "there is no model of credit"),
    ],
)
def test_every_other_way_breaks_it(sql: str, problem: str, after: JudgeAfter) -> None:
    result = after(sql)
    assert result.status == "broken"
    assert problem in {row["problem"] for row in result.offending_rows}


@pytest.mark.parametrize("edge", ["interval 90 days", "interval 0 days"])
def test_the_edges_of_the_look_back_count(edge: str, after: JudgeAfter) -> None:
    assert (
        after(
            f"update {CREDIT} set touched_at = anchor_at - {edge} where touch_id is not null"
        ).status
        == "held"
    )


def test_without_any_credit_it_does_not_pass(after: JudgeAfter) -> None:
    assert after(f"delete from {CREDIT}").status == "broken"


def test_only_other_business_is_nothing_to_judge(after: JudgeAfter) -> None:
    result = after(f"update main.fct_opportunity set is_new_business = false; delete from {CREDIT}")
    assert (result.status, result.reason) == ("not applicable", "no new business")
