"""A verdict passes only on evidence, and survives JSON."""

from __future__ import annotations

import dataclasses
import json

import pytest

from expectations.verdict import LawResult, Verdict

HELD = LawResult(
    law="B2",
    title="Every dollar stands in exactly one stage",
    severity="block",
    status="held",
    reason=None,
    expected=14000,
    actual=14000,
    difference=0,
    unit="minor",
    currency="USD",
    checked=6,
    offending_count=0,
    offending_rows=[],
    tolerated=0,
    waived=0,
    checks={"applies": True, "measure": True, "offenders": True},
    owner="Analytics engineering",
    seconds=0.1,
)


def verdict(*results: LawResult, error: str | None = None) -> Verdict:
    return Verdict.of(
        list(results), as_of="2026-03-31T23:00:00", currency="USD", notes=[], error=error,
        seconds=0.5,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "severity", "passed"),
    [
        ("held", "block", True),
        ("not applicable", "block", True),
        ("broken", "block", False),
        ("broken", "warn", True),
        ("error", "block", False),
        ("error", "warn", False),
    ],
)
def test_what_passes(status: str, severity: str, passed: bool) -> None:
    result = dataclasses.replace(HELD, status=status, severity=severity)  # type: ignore[arg-type]
    assert verdict(HELD, result).passed is passed
    assert [item.status for item in verdict(HELD, result).blocking] == ([] if passed else [status])


def test_nothing_judged_is_not_a_pass() -> None:
    assert not verdict().passed


def test_an_error_is_not_a_pass_whatever_the_results_say() -> None:
    assert not verdict(HELD, error="the canary did not sing").passed


def test_a_verdict_survives_json() -> None:
    original = verdict(HELD)
    document = original.document(number=7, created_at="2026-04-01T00:00:00+00:00")
    read = json.loads(json.dumps(document))
    assert (read["number"], read["created_at"], read["passed"]) == (
        7, "2026-04-01T00:00:00+00:00", True,
    )  # fmt: skip
    assert Verdict.from_document(read) == original


def test_a_verdict_that_lacks_a_field_is_refused() -> None:
    data = verdict(HELD).as_dict()
    del data["passed"]
    with pytest.raises(TypeError):
        Verdict.from_dict(data)


def test_a_result_is_found_by_its_law() -> None:
    assert verdict(HELD).result("B2") == HELD
    with pytest.raises(KeyError):
        verdict(HELD).result("B9")
