"""What people use to see that a rate has dropped, on the same simulated leads.

Belongs here: each rival's first alarm, in leads. A quarter of 90 days, the leads evenly over it,
all decided at once, which is the best case for each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Leads = NDArray[np.float64]

DAYS = 90
WEEKS = 13
#: One-sided 1 percent of the normal distribution.
_Z = 2.3263478740408408


def _first(is_alarm: Flags, leads: NDArray[np.int64]) -> Leads:
    """How many leads it took in each row; infinity: no alarm."""
    taken = leads[is_alarm.argmax(axis=1)].astype(np.float64)
    return np.where(is_alarm.any(axis=1), taken, np.inf)


def _below(converted: Flags, rate: float, at: NDArray[np.int64]) -> Flags:
    """One-sided test of the rate so far, after so many leads each."""
    so_far = np.cumsum(converted, axis=1)[:, at - 1]
    below: Flags = so_far < at * rate - _Z * np.sqrt(at * rate * (1 - rate))
    return below


def quarter_end(converted: Flags, rate: float) -> Leads:
    """One test when the quarter is over."""
    at = np.array([converted.shape[1]])
    return _first(_below(converted, rate, at), at)


def peeked(converted: Flags, rate: float) -> Leads:
    """The same test, looked at every day."""
    at = np.unique(np.maximum(np.arange(1, DAYS + 1) * converted.shape[1] // DAYS, 1))
    return _first(_below(converted, rate, at), at)


def chart(converted: Flags, rate: float) -> Leads:
    """A weekly control chart: a week below three standard errors."""
    at = np.arange(1, WEEKS + 1) * converted.shape[1] // WEEKS
    weeks = np.diff(np.cumsum(converted, axis=1)[:, at - 1], axis=1, prepend=0)
    size = np.diff(at, prepend=0)
    return _first(weeks < size * rate - 3 * np.sqrt(size * rate * (1 - rate)), at)


def cusum_path(converted: Flags, rate: float) -> Leads:
    """A Bernoulli CUSUM for a loss of 30 percent, lead by lead."""
    lower = 0.7 * rate
    step: Leads = np.where(converted, log(lower / rate), log((1 - lower) / (1 - rate)))
    # max(0, previous + step) is the sum so far less its least value.
    total: Leads = np.cumsum(step, axis=1)
    path: Leads = total - np.minimum(np.minimum.accumulate(total, axis=1), 0.0)
    return path


def cusum(false_alarms: float, under_plan: Flags) -> Callable[[Flags, float], Leads]:
    """Tuned on cohorts that meet the plan: so many of them raise an alarm in the quarter."""

    def first(converted: Flags, rate: float) -> Leads:
        threshold = np.quantile(cusum_path(under_plan, rate).max(axis=1), 1 - false_alarms)
        at = np.arange(1, converted.shape[1] + 1)
        return _first(cusum_path(converted, rate) > threshold, at)

    return first
