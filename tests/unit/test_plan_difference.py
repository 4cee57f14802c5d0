"""What differs between two plans: nothing where they are equal, else what makes one the other."""

from __future__ import annotations

from hypothesis import given, settings

from orchestration.lib.plan.difference import amended, differences, with_settings
from orchestration.lib.plan.model import Plan
from tests.support.contracts import small_plan
from tests.support.plans import plans


@settings(max_examples=30)
@given(before=plans(2), after=plans(2))
def test_plans_differ_exactly_where_a_difference_is_told(before: Plan, after: Plan) -> None:
    assert differences(before, before) == ()
    found = differences(before, after)
    assert bool(found) == (before != after)
    mirrored = {"added": "removed", "removed": "added", "changed": "changed", "moved": "moved"}
    back = differences(after, before)
    assert sorted((mirrored[each.kind], each.sheet, each.key) for each in found) == sorted(
        (each.kind, each.sheet, each.key) for each in back
    )


def test_what_is_set_is_what_differs() -> None:
    plan = small_plan()
    changed = amended(
        plan, ["targets:FY2026-Q1,channel:paid search:mqls=80", "kpis:mqls,:tolerance_pct=5"]
    )
    found = differences(plan, changed)
    assert [(each.sheet, each.key, each.column, each.after) for each in found] == [
        ("kpis", ("mqls", ""), "tolerance_pct", "5"),
        ("targets", ("FY2026-Q1", "channel:paid search"), "mqls", "80"),
    ]
    assert plan == small_plan()


def test_a_setting_is_put_in_its_place_and_taken_out_again() -> None:
    plan = small_plan()
    with_reason = with_settings(plan, {"reason": "a=b: c, d"})
    assert with_reason.settings["reason"] == "a=b: c, d"
    assert with_settings(with_reason, {"reason": ""}) == plan
    (change,) = differences(plan, with_reason)
    assert str(change) == "plan: reason: row added: key=reason; value=a=b: c, d"
