"""The project as dbt reads it, read once for all tests, workers and sessions.

dbt takes eight processor seconds to read the project, in every home anew, because the folder of
inputs stands in what it reads. Nothing else of a home does: so what was read for one home is
another's once that folder is replaced. `prepare` keeps it as it does for any home, in `build/`, and
reads again whenever a file of the project or a version has changed.

Belongs here: what dbt made of the project, parsed and compiled. Does not belong here: running it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
from filelock import FileLock

from orchestration.lib.compiled import compile_project
from orchestration.lib.transform import Project
from orchestration.settings import DBT_PROJECT, REPO, Home

_HOME = Home(REPO / "build" / "tests")
_PREPARE: Callable[[Project], bool] = Project.prepare

#: What stands in compiled SQL as the folder of inputs.
INPUTS = "/inputs-of-this-company"
#: dbt's semantic manifest; no folder stands in it.
_METRICS = "semantic_manifest.json"
#: dbt writes the name of the warehouse into every reference.
CATALOG = "books"


def prepare(project: Project) -> bool:
    """In the place of `Project.prepare`: the same files and the same answer, without dbt."""
    home = project._home
    if project._folder != DBT_PROJECT or home == _HOME:
        return _PREPARE(project)
    stamp = home.dbt_target / "fingerprint.txt"
    fingerprint = project._fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return _PREPARE(project)
    manifest, parsed = _read()
    home.dbt_target.mkdir(parents=True, exist_ok=True)
    project.manifest_path.write_text(
        manifest.replace(_written(_HOME.inputs), _written(home.inputs)), encoding="utf-8"
    )
    project._partial_parse.write_bytes(_moved(parsed, home.inputs))
    shutil.copyfile(_HOME.dbt_target / _METRICS, home.dbt_target / _METRICS)
    stamp.write_text(fingerprint)
    project.__dict__.pop("manifest", None)
    return True


def parsed_for(inputs: Path) -> bytes:
    """What dbt's partial parse would be if the inputs were there."""
    return _moved(_read()[1], inputs)


def compiled_manifest() -> Path:
    """The manifest of the compiled project, with `INPUTS` and `CATALOG` in its SQL."""
    target = _HOME.root / "compiled"
    target.mkdir(parents=True, exist_ok=True)
    stamp, manifest = target / "fingerprint.txt", target / "manifest.json"
    fingerprint = Project(_HOME)._fingerprint()
    with FileLock(target / "compile.lock"):
        if not (manifest.exists() and stamp.exists() and stamp.read_text() == fingerprint):
            stamp.unlink(missing_ok=True)
            compile_project(target, inputs=INPUTS, catalog=CATALOG)
            stamp.write_text(fingerprint)
    return manifest


def _read() -> tuple[str, bytes]:
    project = Project(_HOME)
    _PREPARE(project)
    return project.manifest_path.read_text(encoding="utf-8"), project._partial_parse.read_bytes()


def _written(path: Path) -> str:
    return json.dumps(str(path), ensure_ascii=False)[1:-1]


def _moved(parsed: bytes, inputs: Path) -> bytes:
    """The parse with its folder of inputs replaced, wherever it stands."""
    return bytes(msgpack.packb(_replaced(msgpack.unpackb(parsed, strict_map_key=False), inputs)))


def _replaced(value: Any, inputs: Path) -> Any:
    if isinstance(value, str):
        return value.replace(str(_HOME.inputs), str(inputs))
    if isinstance(value, dict):
        return {key: _replaced(each, inputs) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, inputs) for each in value]
    return value
