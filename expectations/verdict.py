"""What the judge answers: plain data that goes through JSON and back unchanged.

Belongs here: the shape of a verdict. Does not belong here: how it is reached (`judge`), what a
law means (`laws`), how it is shown to people.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["held", "broken", "waived", "error", "not applicable"]
Severity = Literal["block", "warn"]
Unit = Literal["minor", "rows"]

#: At most so many offending rows travel in a verdict; the count is always exact.
MAX_ROWS = 200


@dataclass(frozen=True)
class LawResult:
    """The result of one law on one candidate.

    `offending_count` counts the lines of the law's offenders query, of which `offending_rows`
    holds the first 200; `tolerated` counts the source rows a declared tolerance forgave (a line
    may stand for several source rows). `waived` counts the lines that both departments have
    waived: a law that is waived altogether lists them, a broken one lists only the others.
    `checks` maps each rule that Great Expectations judged to whether it succeeded.
    """

    law: str
    title: str
    severity: Severity
    status: Status
    reason: str | None
    expected: int | None
    actual: int | None
    difference: int | None
    unit: Unit
    currency: str | None
    checked: int | None
    offending_count: int
    offending_rows: list[dict[str, Any]]
    tolerated: int
    waived: int
    checks: dict[str, bool]
    owner: str
    seconds: float

    @property
    def blocks(self) -> bool:
        """Whether this result alone forbids publishing: an error always does."""
        return self.status == "error" or (self.status == "broken" and self.severity == "block")


@dataclass(frozen=True)
class Verdict:
    """All laws on one candidate; `error` says why nothing could be judged at all."""

    passed: bool
    results: list[LawResult]
    as_of: str | None
    currency: str | None
    notes: list[str]
    error: str | None
    seconds: float

    @classmethod
    def of(
        cls,
        results: list[LawResult],
        *,
        as_of: str | None,
        currency: str | None,
        notes: list[str],
        error: str | None,
        seconds: float,
    ) -> Verdict:
        """A verdict that passes only if something was judged and nothing of it blocks."""
        passed = error is None and bool(results) and not any(item.blocks for item in results)
        return cls(passed, results, as_of, currency, notes, error, seconds)

    def result(self, law: str) -> LawResult:
        """The result of that law, or KeyError."""
        for item in self.results:
            if item.law == law:
                return item
        raise KeyError(law)

    @property
    def blocking(self) -> list[LawResult]:
        """The results that forbid publishing."""
        return [item for item in self.results if item.blocks]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Verdict:
        """The inverse of `as_dict`; a missing or unknown field is a TypeError."""
        fields = dict(data)
        fields["results"] = [LawResult(**item) for item in fields["results"]]
        return cls(**fields)

    def document(self, *, number: int | None, created_at: str) -> dict[str, Any]:
        """What goes into `verdict.json`: the verdict, when, and of which publication.

        `number` is null while the candidate has none, that is, when it was blocked.
        """
        return {"number": number, "created_at": created_at, **self.as_dict()}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Verdict:
        """The verdict within a `verdict.json`."""
        return cls.from_dict(
            {key: value for key, value in document.items() if key not in _DOCUMENT_ONLY}
        )


_DOCUMENT_ONLY = frozenset({"number", "created_at"})
