"""The funnel's length stands in SQL that cannot know its stages: it is that of the seed."""

from __future__ import annotations

import csv
import re

import pytest

from tests.conventions.tree import REPO

STAGES = (REPO / "seeds/reference/stages.csv").read_text(encoding="utf-8")
MACROS = (REPO / "dbt_project/macros/plan/trajectory.sql").read_text(encoding="utf-8")
REACH = REPO / "dbt_project/models/intermediate/trajectory/int_trajectory__reach.sql"


def check_length(stages: str, macros: str) -> None:
    """Fail unless the macro counts the steps between the funnel's stages in the seed."""
    (said,) = re.findall(r"macro funnel_steps\(\) -%}\s*{{ return\((\d+)\) }}", macros)
    rows = csv.DictReader(stages.splitlines())
    funnel = [row["stage"] for row in rows if row["kind"] == "funnel"]
    assert int(said) == len(funnel) - 1, f"funnel_steps() is not the steps of {', '.join(funnel)}"


def test_every_step_of_the_funnel_is_unrolled() -> None:
    check_length(STAGES, MACROS)
    loops = re.findall(r"in range\(.*\) %}", REACH.read_text(encoding="utf-8"))
    assert loops
    assert all("funnel_steps()" in loop for loop in loops)


def test_a_stage_more_is_noticed() -> None:
    stages = STAGES.replace("\nwon,", "\nprocurement,165,funnel,false,buyer,Papers are out\nwon,")
    with pytest.raises(AssertionError, match="negotiation, procurement, won"):
        check_length(stages, MACROS)
