"""docs/contract.md says what the models and the canonical inputs say."""

from __future__ import annotations

import json
from pathlib import Path

from orchestration.lib.contract import contract
from orchestration.lib.transform import Project
from orchestration.settings import REPO, Home


def test_the_contract_is_up_to_date(tmp_path: Path) -> None:
    project = Project(Home(tmp_path))
    project.prepare()
    page = contract(json.loads(project.manifest_path.read_text()))
    assert (REPO / "docs" / "contract.md").read_text() == page, (
        "run `python -m orchestration.lib.contract .tieout/work/dbt/manifest.json "
        "> docs/contract.md` after `make run`"
    )
