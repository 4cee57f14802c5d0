"""Imports go one way: tests → orchestration.defs → orchestration.lib, and defs → expectations."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conventions.tree import REPO, relative, under

#: Per layer (longest prefix counts): what it may never import, and why.
BARRED: dict[str, dict[str, str]] = {
    "orchestration": {
        "great_expectations": "only expectations/ talks to Great Expectations",
        "tests": "nothing depends on tests",
        "benchmarks": "nothing depends on benchmarks",
    },
    "orchestration.settings": {
        "orchestration": "settings are the ground everything stands on",
        "expectations": "settings are the ground everything stands on",
        "dagster": "settings are the ground everything stands on",
    },
    "orchestration.lib": {
        "dagster": "lib is pure and tested without Dagster",
        "dagster_dbt": "lib is pure and tested without Dagster",
        "orchestration.defs": "defs stands on lib, not lib on defs",
        "orchestration.cli": "the command line stands on lib, not lib on it",
        "orchestration.definitions": "defs stands on lib, not lib on defs",
        "great_expectations": "only expectations/ talks to Great Expectations",
        "tests": "nothing depends on tests",
        "benchmarks": "nothing depends on benchmarks",
    },
    "orchestration.defs": {
        "orchestration.cli": "the command line starts defs, not defs the command line",
        "orchestration.definitions": "definitions loads defs, not defs definitions",
        "great_expectations": "only expectations/ talks to Great Expectations",
        "tests": "nothing depends on tests",
        "benchmarks": "nothing depends on benchmarks",
    },
    "expectations": {
        "dagster": "the gate judges a file, whoever made it",
        "dagster_dbt": "the gate judges a file, whoever made it",
        "orchestration": "the gate judges a file, whoever made it",
        "tests": "nothing depends on tests",
        "benchmarks": "nothing depends on benchmarks",
    },
    "benchmarks": {
        "great_expectations": "only expectations/ talks to Great Expectations",
        "tests": "nothing depends on tests",
    },
    "seeds": {
        "dagster": "the generator makes files",
        "great_expectations": "only expectations/ talks to Great Expectations",
        "tests": "nothing depends on tests",
        "benchmarks": "nothing depends on benchmarks",
    },
    "scripts": {"orchestration": "scripts run before anything is installed"},
    "tests": {},
}
#: One sentence of a module's name covers its submodules: `dbt` bars `dbt.cli`, not `dbt_common`.
MODULES = under("orchestration", "expectations", "benchmarks", "seeds", suffix=".py")


def module_name(path: Path) -> str:
    """The dotted name a file is imported by."""
    parts = path.relative_to(REPO).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> list[tuple[int, str]]:
    """Every module a file names in an import, wherever it stands in it, with the line."""
    name = module_name(path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            found.append((node.lineno, base))
            found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
    return found


def covers(prefix: str, name: str) -> bool:
    """Whether `name` is the module `prefix` or stands below it."""
    return name == prefix or name.startswith(f"{prefix}.")


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_imports_go_one_way(path: Path) -> None:
    name = module_name(path)
    layer = max((prefix for prefix in BARRED if covers(prefix, name)), key=len)
    wrong = {
        f"{relative(path)}:{line} imports {imported}: {why}"
        for line, imported in imports(path)
        for barred, why in BARRED[layer].items()
        if covers(barred, imported) and not covers(layer, imported)
    }
    assert not wrong, "\n".join(sorted(wrong))


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_command_line_starts_light() -> None:
    """`tieout --help` answers under half a second only if nothing heavy is imported for it."""
    heavy = ["dagster", "dbt", "great_expectations", "pandas", "pyarrow", "sqlalchemy", "duckdb"]
    loaded = run(f"import sys, orchestration.cli; print([m for m in {heavy} if m in sys.modules])")
    assert loaded == "[]"


def test_collecting_unit_tests_imports_neither_dagster_nor_dbt() -> None:
    """The guard in conftest sees imports inside tests; this one sees those at their top."""
    if not under("tests/unit", suffix=".py"):
        pytest.skip("no unit tests yet")
    code = (
        "import sys, pytest\n"
        "code = pytest.main(['--collect-only', '-qq', '-p', 'no:cacheprovider', 'tests/unit'])\n"
        "print(int(code), [m for m in ('dagster', 'dagster_dbt', 'dbt') if m in sys.modules])"
    )
    assert run(code).splitlines()[-1] == "0 []"
