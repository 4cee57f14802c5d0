"""The plan's arithmetic, step by step: what a row of targets and a promise multiply out to.

Belongs here: the funnel from budget to bookings as exact fractions, and what would have to change
for a promise to be kept. Does not belong here: the verdict, which the laws reach in SQL
(`expectations/laws/P1.sql`, `P2.sql`), and how it is shown (`orchestration.cli.plan.check`).

The laws count in decimals of nine digits, so each step is rounded there, half up, before the next
one begins: 1/3 of a lead is 0.333333333. Both come to the same verdict on every plan; a property
test holds them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

#: Each volume, the one it comes from and the factor in between, in order (law P1 has the same).
LADDER: tuple[tuple[str, str, str], ...] = (
    ("mqls", "leads", "rate_lead_mql"),
    ("sals", "mqls", "rate_mql_sal"),
    ("sqls", "sals", "rate_sal_sql"),
    ("opportunities", "sqls", "rate_sql_opportunity"),
    ("pipeline", "opportunities", "acv"),
    ("wins", "opportunities", "rate_opportunity_won"),
    ("bookings", "wins", "acv"),
)
#: From MQLs to pipeline: what P2 multiplies.
PROMISE = LADDER[1:5]
#: What rounding may always cost: half a lead, half a unit of the currency.
HALF = Fraction(1, 2)

#: The figures of a row of targets, or of the promises of a period and scope, by metric.
Figures = Mapping[str, Fraction]


@dataclass(frozen=True)
class Step:
    """One step: `origin` (÷ or ×) `factor` = `metric`.

    `start` is what is known of the origin: stated, or carried from the steps above it. `lacking`
    are the factors that are missing since the last volume that is stated; while there are any,
    `expected` is None and `implied` is what they would have to be, multiplied.
    """

    metric: str
    origin: str
    factor: str
    start: Fraction | None
    rate: Fraction | None
    expected: Fraction | None
    stated: Fraction | None
    lacking: tuple[str, ...] = ()
    implied: Fraction | None = None
    is_division: bool = False

    @property
    def known(self) -> Fraction | None:
        """What the next step begins with."""
        return self.expected if self.stated is None else self.stated

    @property
    def is_checked(self) -> bool:
        """The volume is stated and can be held against what leads to it."""
        return self.stated is not None and self.expected is not None

    def problem(self, tolerance_pct: Fraction, *, needs_rates: bool) -> str | None:
        """What law P1 finds wrong with it, in its words; None where it holds or cannot be held."""
        if self.stated is None:
            return None
        if self.lacking:
            return "no rate is stated" if needs_rates else None
        if self.expected is None:
            return None if self.start is None else "the figures divide by 0"
        if is_near(self.stated, self.expected, tolerance_pct):
            return None
        more_or_less = "more" if self.stated > self.expected else "less"
        return f"the plan states {more_or_less} than its rates give"


@dataclass(frozen=True)
class Remedy:
    """One figure that alone would close the gap; impossible where a rate exceeds 1."""

    metric: str
    now: Fraction
    needed: Fraction

    @property
    def is_possible(self) -> bool:
        """No rate is above 100 %."""
        return not self.metric.startswith("rate_") or self.needed <= 1


def fraction(value: Decimal | int) -> Fraction:
    """The same number, exactly."""
    return Fraction(value)


def rounded(value: Fraction) -> Fraction:
    """To nine digits after the point, half up: as a product is kept in the laws."""
    return Fraction((value * 10**9 + HALF).__floor__(), 10**9)


def is_near(actual: Fraction, expected: Fraction, tolerance_pct: Fraction) -> bool:
    """Within `tolerance_pct` percent of `expected`, or half a unit of it."""
    return abs(actual - expected) <= max(expected * tolerance_pct / 100, HALF)


def funnel(figures: Figures) -> tuple[Step, ...]:
    """Every step from leads down to bookings, whether it can be checked or not.

    Leads come from the budget where a price is stated (a channel that costs nothing has none); a
    volume that is not stated is carried from the one above it.
    """
    steps = {"leads": _bought(figures)}
    # What is missing between a volume and the last stated one above it; None: nothing is above.
    lacking: dict[str, tuple[str, ...] | None] = {
        "leads": () if steps["leads"].known is not None else None
    }
    products = {"leads": steps["leads"].known}
    for metric, origin, factor in LADDER:
        start, rate, stated = steps[origin].known, figures.get(factor), figures.get(metric)
        above = lacking[origin]
        missing = None if above is None else (*above, *(() if rate is not None else (factor,)))
        expected = rounded(start * rate) if start is not None and rate is not None else None
        product = products[origin]
        if product is not None and rate is not None:
            product *= rate
        steps[metric] = Step(
            metric=metric,
            origin=origin,
            factor=factor,
            start=start,
            rate=rate,
            expected=expected,
            stated=stated,
            lacking=missing or (),
            implied=stated / product if missing and product and stated is not None else None,
        )
        lacking[metric] = () if stated is not None else missing
        products[metric] = product if stated is None else stated
    return tuple(steps.values())


def _bought(figures: Figures) -> Step:
    """Leads: the budget divided by what one costs."""
    budget, price, leads = (figures.get(name) for name in ("budget", "cost_per_lead", "leads"))
    if budget == 0 and not price:
        budget = price = None
    return Step(
        metric="leads",
        origin="budget",
        factor="cost_per_lead",
        start=budget,
        rate=price,
        expected=rounded(budget / price) if budget is not None and price else None,
        stated=leads,
        lacking=("cost_per_lead",) if budget is not None and price is None else (),
        implied=budget / leads if budget is not None and price is None and leads else None,
        is_division=True,
    )


def needs_rates(figures: Figures, *, is_top: bool) -> bool:
    """Whether two volumes of this row need the rate between them.

    They do for the whole company, and in a row that states any rate; a channel with budget and
    leads alone is fine.
    """
    return is_top or any(metric.startswith("rate_") for metric in figures)


def multiply_out(mqls: Fraction, figures: Figures) -> tuple[Step, ...]:
    """From promised MQLs to pipeline by the rates and the deal size of a row of targets.

    Volumes that the row states are not used: the promise is multiplied, not the target.
    """
    steps: list[Step] = []
    known: Fraction | None = mqls
    for metric, origin, factor in PROMISE:
        rate = figures.get(factor)
        expected = None if known is None or rate is None else rounded(known * rate)
        lacking = () if rate is not None else (factor,)
        steps.append(Step(metric, origin, factor, known, rate, expected, None, lacking))
        known = expected
    return tuple(steps)


def remedies(mqls: Fraction, figures: Figures, pipeline: Fraction) -> tuple[Remedy, ...]:
    """For each figure of the promise what it would have to be, all others as they are.

    Empty where the promise cannot be multiplied out, or where it comes to nothing.
    """
    factors = {"mqls": mqls} | {
        factor: figures[factor] for _, _, factor in PROMISE if factor in figures
    }
    product = Fraction(1)
    for value in factors.values():
        product *= value
    if len(factors) <= len(PROMISE) or product == 0:
        return ()
    return tuple(Remedy(metric, now, now * pipeline / product) for metric, now in factors.items())
