"""What a law says about the books: its meaning, its last result, and figures as people write them.

Belongs here: joining a law's text with `verdict.json`, and writing minor units as money. Does not
belong here: the laws themselves (`expectations`), the terminal (`orchestration.cli.explain`).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from orchestration.settings import SEEDS, Home

CURRENCIES = SEEDS / "reference" / "currencies.csv"


class ExplainError(RuntimeError):
    """The last verdict cannot be read; the message names the file."""


class LawText(Protocol):
    """What people are told of a law (`expectations.laws.Law` is one)."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def meaning(self) -> str: ...  # noqa: D102
    @property
    def severity(self) -> str: ...  # noqa: D102
    @property
    def owner(self) -> str: ...  # noqa: D102
    @property
    def what_to_do(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Explanation:
    """One law and what the last verdict found; `result` is None if it was never judged.

    `result` is the law's entry in `verdict.json`, as it stands there.
    """

    law: str
    title: str
    meaning: str
    severity: str
    owner: str
    what_to_do: str
    as_of: str | None = None
    created_at: str | None = None
    publication: int | None = None
    currency: str | None = None
    notes: tuple[str, ...] = ()
    result: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def explain(home: Home, law: LawText) -> Explanation:
    """The law with its result in the last verdict of this home."""
    verdict = _verdict(home.verdict)
    results = {item["law"]: item for item in verdict.get("results", ())}
    return Explanation(
        law=law.id,
        title=law.title,
        meaning=law.meaning,
        severity=law.severity,
        owner=law.owner,
        what_to_do=law.what_to_do,
        as_of=verdict.get("as_of"),
        created_at=verdict.get("created_at"),
        publication=verdict.get("number"),
        currency=verdict.get("currency"),
        notes=tuple(verdict.get("notes", ())),
        result=results.get(law.id),
    )


def _verdict(path: Path) -> dict[str, Any]:
    """The document, empty if no run has written one yet."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except json.JSONDecodeError as error:
        raise ExplainError(
            f"{path}:{error.lineno}: is no verdict: {error.msg}; run `tieout run` again"
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("results", []), list):
        raise ExplainError(f"{path}: expected a verdict, an object; run `tieout run` again")
    return document


class Money:
    """Writes minor units as people do: 1234567 US cents are 12,345.67."""

    def __init__(self, exponents: Mapping[str, int]) -> None:
        self._exponents = exponents

    @classmethod
    def of_the_world(cls, path: Path = CURRENCIES) -> Money:
        """With the exponents of ISO 4217 that the models use."""
        with path.open(encoding="utf-8", newline="") as file:
            return cls({row["currency"]: int(row["exponent"]) for row in csv.DictReader(file)})

    def amount(self, minor: int, currency: str | None) -> str:
        """The figure alone; in minor units, and said so, where the currency is not known."""
        exponent = self._exponents.get(currency or "")
        if exponent is None:
            return f"{minor:,} minor units"
        if exponent == 0:
            return f"{minor:,}"
        sign = "-" if minor < 0 else ""
        whole, part = divmod(abs(minor), 10**exponent)
        return f"{sign}{whole:,}.{part:0{exponent}}"

    def text(self, minor: int, currency: str | None) -> str:
        """The figure with its currency."""
        amount = self.amount(minor, currency)
        return f"{amount} {currency}" if currency in self._exponents else amount
