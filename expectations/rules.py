"""The rules that Great Expectations applies: what makes the rows of a query a pass or a failure.

Both rules read the rows of one query, at most 200 of them, once. (The rule they derive from runs
its query a second time to count; the judge counts only where 200 rows came back.) A query that
raises never reaches `_validate`: Great Expectations reports it as an exception.
"""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.expectations.core.unexpected_rows_expectation import (
    UnexpectedRowsExpectation,
)

_ROWS = "unexpected_rows_query.table"


class NoRows(UnexpectedRowsExpectation):
    """Holds if the query gives no row at all."""

    metric_dependencies: ClassVar[tuple[str, ...]] = (_ROWS,)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any | None = None,
    ) -> dict[str, Any]:
        rows = metrics[_ROWS]
        return _outcome(success=not rows, rows=rows)


class SomethingMeasured(UnexpectedRowsExpectation):
    """Holds if the query gives exactly one row, and that row says that something was checked."""

    metric_dependencies: ClassVar[tuple[str, ...]] = (_ROWS,)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any | None = None,
    ) -> dict[str, Any]:
        rows = metrics[_ROWS]
        return _outcome(success=len(rows) == 1 and bool(rows[0]["checked"]), rows=rows)


def _outcome(*, success: bool, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "success": success,
        "result": {"observed_value": len(rows), "details": {"unexpected_rows": rows}},
    }
