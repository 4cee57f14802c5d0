"""The receipt: what the gate found about exactly one file. Format 1, described in docs.

Belongs here: its fields, reading and writing it, whether it proves a pass. No DuckDB, no pydantic:
`tieout status` reads receipts and has half a second.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from orchestration.lib.release.errors import ReleaseError

FORMAT = 1
_PLAN_VERSION = re.compile(r"v([1-9]\d*):([0-9a-f]{64})")


class LawResultLike(Protocol):
    """One law's result as the gate reports it (`expectations.verdict.LawResult` is one)."""

    @property
    def law(self) -> str: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def severity(self) -> str: ...  # noqa: D102
    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str | None: ...  # noqa: D102
    @property
    def expected(self) -> int | None: ...  # noqa: D102
    @property
    def actual(self) -> int | None: ...  # noqa: D102
    @property
    def difference(self) -> int | None: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102
    @property
    def currency(self) -> str | None: ...  # noqa: D102
    @property
    def checked(self) -> int | None: ...  # noqa: D102
    @property
    def offending_count(self) -> int: ...  # noqa: D102
    @property
    def offending_rows(self) -> Sequence[dict[str, Any]]: ...  # noqa: D102
    @property
    def tolerated(self) -> int: ...  # noqa: D102
    @property
    def waived(self) -> int: ...  # noqa: D102
    @property
    def owner(self) -> str: ...  # noqa: D102
    @property
    def seconds(self) -> float: ...  # noqa: D102


class VerdictLike(Protocol):
    """The gate's verdict on a candidate (`expectations.verdict.Verdict` is one)."""

    @property
    def passed(self) -> bool: ...  # noqa: D102
    @property
    def results(self) -> Sequence[LawResultLike]: ...  # noqa: D102


@dataclass(frozen=True)
class LawLine:
    """One law in a receipt; its offending rows are in the file, in `meta.law_row`."""

    law: str
    title: str
    severity: str
    status: str
    reason: str | None
    expected: int | None
    actual: int | None
    difference: int | None
    unit: str
    currency: str | None
    offending_count: int
    tolerated: int
    owner: str
    #: Receipts before 0.2.0 know no waivers.
    waived: int = 0

    @property
    def blocks(self) -> bool:
        """A check that could not be made blocks, whatever its severity; a broken law by its own."""
        return self.status == "error" or (self.severity == "block" and self.status == "broken")


@dataclass(frozen=True)
class TableLine:
    """One published table: its size and the digest of its schema and rows."""

    schema: str
    name: str
    rows: int
    columns: int
    sha256: str


@dataclass(frozen=True)
class FreshnessLine:
    """How new a delivery was; `newest_at` ISO 8601 in UTC, None where it has none."""

    feed: str
    table_name: str
    source: str | None
    newest_at: str | None
    cadence_hours: int | None


@dataclass(frozen=True)
class Receipt:
    """Everything a promotion demands and a reader may ask about one release."""

    format: int
    number: int
    previous: int | None
    passed: bool
    as_of: str
    sealed_at: str
    #: `v2:<sha256 of its lock>`, the one in force on the day of as_of.
    plan_version: str | None
    code_version: str
    company: str
    reporting_currency: str
    engine: str
    content_algorithm: str
    content_sha256: str
    file_sha256: str
    file_bytes: int
    laws: tuple[LawLine, ...]
    tables: tuple[TableLine, ...]
    freshness: tuple[FreshnessLine, ...]
    #: Rows of meta.change by cause; what could not be compared, because one release lacks it.
    changes: dict[str, int]
    not_compared: tuple[str, ...]
    #: Rows and last hash of each register of the plan; receipts before 0.2.0 know none.
    plan_registers: dict[str, tuple[int, str]] = field(default_factory=dict)
    #: Of the page made from the file; None of a blocked candidate, and before there were pages.
    scorecard_sha256: str | None = None

    def to_json(self) -> str:
        """The receipt as it is written."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @property
    def register_heads(self) -> dict[str, tuple[int, str]]:
        """How far each register of the plan reached then."""
        return {name: (rows, sha256) for name, (rows, sha256) in self.plan_registers.items()}

    @property
    def plan_head(self) -> tuple[int, str] | None:
        """Number and hash of the plan's version in force then; None where there was no plan."""
        match = _PLAN_VERSION.fullmatch(self.plan_version or "")
        return None if match is None else (int(match[1]), match[2])

    @property
    def waived(self) -> list[LawLine]:
        """The laws of which rows are waived: every report says so."""
        return [line for line in self.laws if line.waived]

    @property
    def blocking(self) -> list[LawLine]:
        """The laws that stand in the way."""
        return [line for line in self.laws if line.blocks]


def read_receipt(path: Path) -> Receipt:
    """Read a receipt, or say which file is wrong and why."""
    try:
        fields = json.loads(path.read_text())
        if fields["format"] != FORMAT:
            raise ReleaseError(
                f"{path} has receipt format {fields['format']}",
                why=f"this version of Tieout reads format {FORMAT}",
                next_step="use the version that wrote it, or publish again",
            )
        return Receipt(
            **fields
            | {
                "laws": tuple(LawLine(**line) for line in fields["laws"]),
                "tables": tuple(TableLine(**line) for line in fields["tables"]),
                "freshness": tuple(FreshnessLine(**line) for line in fields["freshness"]),
                "not_compared": tuple(fields["not_compared"]),
            }
        )
    except FileNotFoundError as error:
        raise ReleaseError(
            f"there is no receipt at {path}",
            why="the release was never sealed, or its receipt was removed",
            next_step="run again: `tieout run`",
        ) from error
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ReleaseError(
            f"{path} is not a receipt: {error!r}",
            why="it was changed after it was written, or written by something else",
            next_step="run again: `tieout run`",
        ) from error


def law_lines(verdict: VerdictLike) -> tuple[LawLine, ...]:
    """The verdict's results as receipt lines, in the verdict's order."""
    return tuple(
        LawLine(
            law=result.law,
            title=result.title,
            severity=result.severity,
            status=result.status,
            reason=result.reason,
            expected=result.expected,
            actual=result.actual,
            difference=result.difference,
            unit=result.unit,
            currency=result.currency,
            offending_count=result.offending_count,
            tolerated=result.tolerated,
            owner=result.owner,
            waived=result.waived,
        )
        for result in verdict.results
    )


def missing_laws(receipt: Receipt, declared: Collection[str]) -> list[str]:
    """Declared laws on which the receipt is silent."""
    judged = {line.law for line in receipt.laws}
    return sorted(law for law in declared if law not in judged)


def instant(moment: datetime) -> str:
    """An instant as receipts write it: ISO 8601, UTC, ending in Z; a naive one is UTC already."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat().replace("+00:00", "Z")


def naive_utc(text: str) -> datetime:
    """A receipt's instant as DuckDB's TIMESTAMP holds it: UTC without a zone."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
