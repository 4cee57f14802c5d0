"""Simulated cohorts for the benchmark of drift, as int_drift__outcome has them.

Belongs here: drawing leads, when they enter and settle, and loading them. Does not belong here:
what they are judged by (`drift`, `drift_rivals`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

HOUR = 3600.0
DAY = 24 * HOUR
YEAR = 364 * DAY
#: A Thursday, as 2026 begins.
START = "2026-01-01"


@dataclass(frozen=True)
class Streams:
    """Cohorts in rows, leads in columns, in the order of entry; times in seconds since START."""

    rate: float
    entered: Floats
    settled: Floats
    converted: Flags

    def part(self, rows: slice, leads: slice | Flags) -> Streams:
        """Some of the cohorts, and some of their leads."""
        return Streams(
            self.rate,
            self.entered[rows, leads],
            self.settled[rows, leads],
            self.converted[rows, leads],
        )

    def load(self, connection: duckdb.DuckDBPyConnection, as_of: float) -> None:
        """Replace int_drift__outcome and as_of: as the books stood then."""
        cohorts, leads = self.entered.shape
        frame = pd.DataFrame(
            {
                "cohort_number": np.repeat(np.arange(1, cohorts + 1), leads),
                "entered": self.entered.ravel(),
                "settled": self.settled.ravel(),
                "converted": self.converted.ravel(),
            }
        )
        connection.register("frame", frame)
        connection.execute(
            f"""
            create or replace table stg_landed__run_parameter as
            select timestamp '{START}' + to_microseconds({round(as_of * 1e6)}) as as_of;
            create or replace table int_drift__outcome as
            select
                cohort_number::bigint as cohort_number,
                1::bigint as version,
                {self.rate}::decimal(10, 9) as rate,
                false as is_committed,
                converted and settled <= {as_of} as is_converted,
                false as is_awaited_late,
                timestamp '{START}' + to_microseconds((entered * 1e6)::bigint) as entered_at,
                case
                    when settled <= {as_of}
                        then timestamp '{START}' + to_microseconds((settled * 1e6)::bigint)
                end as settled_at
            from frame
            where entered <= {as_of}
            """
        )
        connection.unregister("frame")


def at_once(
    rng: np.random.Generator, cohorts: int, leads: int, rate: float, true: float
) -> Streams:
    """A lead an hour, decided at once: what theory is about."""
    entered = np.tile(np.arange(leads) * HOUR, (cohorts, 1))
    return Streams(rate, entered, entered + 1, rng.random((cohorts, leads)) < true)


def within(
    rng: np.random.Generator,
    cohorts: int,
    leads: int,
    rate: float,
    true: float,
    *,
    days: float,
    decided_within: float,
) -> Streams:
    """Leads at random over some days, each decided within some days, evenly."""
    entered = np.sort(rng.uniform(0, days * DAY, (cohorts, leads)), axis=1)
    settled = entered + rng.uniform(0, decided_within * DAY, entered.shape)
    return Streams(rate, entered, settled, rng.random(entered.shape) < true)


Scenario = Callable[[np.random.Generator, int, int, float], Streams]


def plain(rng: np.random.Generator, cohorts: int, leads: int, rate: float) -> Streams:
    """A year; failures are told within two days, conversions take up to two weeks."""
    entered = np.sort(rng.uniform(0, YEAR, (cohorts, leads)), axis=1)
    return _fast_failures(rng, rate, entered, np.full(entered.shape, rate))


def seasonal(rng: np.random.Generator, cohorts: int, leads: int, rate: float) -> Streams:
    """The true rate swings by a fifth over the year and meets the plan on average only."""
    entered = np.sort(rng.uniform(0, YEAR, (cohorts, leads)), axis=1)
    phase = rng.uniform(0, 2 * np.pi, (cohorts, 1))
    return _fast_failures(
        rng, rate, entered, rate * (1 + 0.2 * np.sin(2 * np.pi * entered / YEAR + phase))
    )


def weekends(rng: np.random.Generator, cohorts: int, leads: int, rate: float) -> Streams:
    """Nobody enters or is decided from Saturday to Monday: that waits until Monday morning."""
    streams = plain(rng, cohorts, leads, rate)
    entered = np.sort(_on_weekdays(streams.entered), axis=1)
    settled = _on_weekdays(entered + (streams.settled - streams.entered))
    return Streams(rate, entered, settled, streams.converted)


def late_updates(rng: np.random.Generator, cohorts: int, leads: int, rate: float) -> Streams:
    """The CRM is told days later: a tenth of conversions up to 30 days after the others."""
    streams = plain(rng, cohorts, leads, rate)
    late = streams.converted & (rng.random(streams.settled.shape) < 0.1)
    settled = streams.settled + late * rng.uniform(0, 30 * DAY, streams.settled.shape)
    return Streams(rate, streams.entered, settled, streams.converted)


def clumped(rng: np.random.Generator, cohorts: int, leads: int, rate: float) -> Streams:
    """Decisions are typed in once a week, all of them in one evening."""
    streams = plain(rng, cohorts, leads, rate)
    week = 7 * DAY
    return Streams(rate, streams.entered, np.ceil(streams.settled / week) * week, streams.converted)


def alike(rng: np.random.Generator, cohorts: int, leads: int, rate: float) -> Streams:
    """Leads come in lots of five that convert together half of the time: not independent."""
    streams = plain(rng, cohorts, leads, rate)
    lots = np.repeat(rng.random((cohorts, -(-leads // 5))) < rate, 5, axis=1)[:, :leads]
    together = np.repeat(rng.random((cohorts, -(-leads // 5))) < 0.5, 5, axis=1)[:, :leads]
    converted = np.where(together, lots, streams.converted)
    return Streams(rate, streams.entered, streams.settled, converted)


def _fast_failures(rng: np.random.Generator, rate: float, entered: Floats, true: Floats) -> Streams:
    converted = rng.random(entered.shape) < true
    delay = np.where(
        converted,
        rng.uniform(0, 14 * DAY, entered.shape),
        rng.uniform(0, 2 * DAY, entered.shape),
    )
    return Streams(rate, entered, entered + delay, converted)


def _on_weekdays(times: Floats) -> Floats:
    """Saturday and Sunday become Monday, nine o'clock; START is a Thursday."""
    of_week = (times + 3 * DAY) % (7 * DAY)
    return np.where(of_week >= 5 * DAY, times - of_week + 7 * DAY + 9 * HOUR, times)


SCENARIOS: dict[str, Scenario] = {
    "failures told fast": plain,
    "weekend gaps": weekends,
    "late CRM updates": late_updates,
    "decisions typed in weekly": clumped,
    "season of 20 %": seasonal,
    "lots of five convert together": alike,
}
