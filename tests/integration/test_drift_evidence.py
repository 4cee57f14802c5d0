"""Drift on simulated cohorts, by the SQL that a run executes: it may be believed, and it is quick.

The benchmark in small (`benchmarks.drift`), and the instant of each alarm against a search by brute
force that looks at every instant.
"""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from benchmarks import drift, drift_streams
from benchmarks.drift import Judge
from benchmarks.drift_streams import DAY, SCENARIOS, YEAR, Streams
from tests.integration.drift_fixture import compiled_drift
from tests.integration.test_dbt_drift import AHEAD, BEHIND


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge([compiled_drift()[name] for name in drift.MODELS])


def most_by_chance(trials: int, probability: float) -> int:
    """Alarms that are exceeded with a probability of one in a thousand at most (binomial)."""
    seen, total = 0, 0.0
    while True:
        total += comb(trials, seen) * probability**seen * (1 - probability) ** (trials - seen)
        if total >= 0.999:
            return seen
        seen += 1


def first_alarm(cohorts: Streams, row: int, as_of: float, direction: str) -> tuple[float, int]:
    """By brute force: at every instant at which somebody settles, every prefix of hours."""
    rate, entered = cohorts.rate, cohorts.entered[row]
    settled, converted = cohorts.settled[row], cohorts.converted[row]
    hours = np.floor(entered / 3600)
    ends = [
        int(np.searchsorted(hours, hour, side="right"))
        for hour in np.unique(hours)
        if (hour + 1) * 3600 <= as_of
    ]
    bets = BEHIND if direction == "behind" else AHEAD
    weights = np.array([weight for _, weight in bets])
    for now in np.sort(settled[settled <= as_of]):
        is_against = (settled <= now) & (converted == (direction == "ahead"))
        logarithms = []
        for bet, _ in bets:
            slope = (
                -bet / (1 - rate) if direction == "behind" else (bet - 1) / (1 + rate * (bet - 1))
            )
            outcome = is_against if direction == "ahead" else ~is_against
            logarithms.append(np.cumsum(np.log(1 + slope * (outcome - rate))))
        evidence = (weights[:, None] * np.exp(logarithms)).sum(axis=0) / weights.sum()
        if any(evidence[end - 1] >= 100 for end in ends):
            return float(now), int((settled <= now).sum())
    return np.inf, -1


@pytest.mark.parametrize("direction", ["behind", "ahead"])
def test_the_first_alarm_is_that_of_looking_at_every_instant(judge: Judge, direction: str) -> None:
    rng = np.random.default_rng(drift.SEED)
    true = 0.15 if direction == "behind" else 0.65
    drawn = drift_streams.within(rng, 40, 120, 0.4, true, days=20, decided_within=9)
    shares = []
    for as_of in (12 * DAY + 1800, 40 * DAY):
        alarms = judge.judge(drawn, as_of, direction)
        shares.append(alarms.share)
        known = drawn.entered <= as_of
        for row in range(len(drawn.entered)):
            part = drawn.part(slice(row, row + 1), known[row])
            seconds, leads = first_alarm(part, 0, as_of, direction)
            assert alarms.seconds[row] == pytest.approx(seconds, abs=1e-5), row
            if np.isfinite(seconds):
                assert alarms.leads[row] == leads
    assert shares[1] > 0.5


@pytest.mark.parametrize("name", ["failures told fast", "decisions typed in weekly"])
def test_a_rate_that_is_met_raises_no_more_alarms_than_alpha(judge: Judge, name: str) -> None:
    """Failures are told within two days, conversions take two weeks; hourly looks for a year."""
    drawn = SCENARIOS[name](np.random.default_rng(drift.SEED), 400, 100, 0.4)
    for direction in ("behind", "ahead"):
        found = judge.judge(drawn, YEAR, direction)
        assert found.share * 400 <= most_by_chance(400, drift.ALPHA)


def test_taken_in_the_order_of_settling_fast_failures_would_alarm() -> None:
    """What the prefixes guard against: the same leads, read without those who wait."""
    drawn = SCENARIOS["failures told fast"](np.random.default_rng(drift.SEED), 50, 4000, 0.4)
    order = np.argsort(drawn.settled, axis=1)[:, :40]
    taken = np.take_along_axis(drawn.converted, order, axis=1)
    assert taken.mean() < 0.3 < drawn.converted.mean()


def test_what_was_seen_once_is_seen_ever_after(judge: Judge) -> None:
    """Many looks find the alarms that one look at the end finds, with the same instants."""
    ever, at_the_end = drift.looked_at(judge, 60, 80, 12)
    assert ever == at_the_end
    assert len(ever) > 1


def test_a_broken_rate_is_found_within_the_leads_that_theory_asks_for(judge: Judge) -> None:
    for rate, true in ((0.4, 0.08), (0.4, 0.2), (0.6, 0.42)):
        least = drift.fewest(true, rate)
        drawn = drift_streams.at_once(
            np.random.default_rng(drift.SEED), 300, round(2 * least) + 10, rate, true
        )
        found = judge.judge(drawn, (drawn.entered.shape[1] + 1) * 3600)
        assert float(np.median(found.leads)) <= 1.3 * least


def test_the_mirage_is_found_in_twenty_leads_and_six_days(judge: Judge) -> None:
    mirage, trap = drift.stories(judge, 400)
    assert mirage.leads <= 20
    assert mirage.days <= 6
    assert trap.days <= 31
    assert trap.spent < trap.budget / 3


def test_the_others_are_what_they_are_called(judge: Judge) -> None:
    """On one cell: peeking inflates false alarms, the tuned CUSUM does not."""
    (cell,) = drift.delay(judge, 400, [0.4], [0.5])
    assert cell.others["test peeked at daily"][1] > 0.04
    assert cell.others["tuned CUSUM"][1] <= 0.02
    assert cell.ours < cell.others["quarter-end test"][0]
