"""The layout of the repository, and what may not stand in any file of it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.conventions.tree import REPO, files, relative, text, under

TOP = {
    ".ci", ".editorconfig", ".gitignore", ".sqlfluff", ".sqlfluffignore", "CHANGELOG.md",
    "CONTRIBUTING.md", "LICENSE", "Makefile", "NOTICE", "README.md", "benchmarks", "bi",
    "dbt_project", "docs", "examples", "expectations", "orchestration", "pyproject.toml",
    "requirements-compare.in", "requirements-compare.lock", "requirements-dev.in",
    "requirements-docs.in", "requirements-docs.lock", "requirements-identity.in",
    "requirements-mirror.in", "requirements-reader.in", "requirements-reader.lock",
    "requirements-superset.in", "requirements-superset.lock",
    "requirements.in", "requirements.lock",
    "scripts", "seeds", "tests", "workspace.yaml",
}  # fmt: skip
MODEL_FOLDERS = {"staging", "intermediate", "marts", "reports", "audit"}
#: Bytes of one file; the bundled sample is at most 2 MB altogether.
LARGEST = 2 * 1024 * 1024

#: What names a machine, an index or a secret. The patterns are written so that none matches itself.
FORBIDDEN: dict[str, str] = {
    "a path of one machine": (
        r"(?<![\w.:/-])/(?:work|root|home/\w+|Users/\w+|opt/\w+|private/var)/(?!\.\.\.)[\w.-]"
    ),
    "a package index": (
        r"pypi\.(?:org|python\.org)/simple|files\.python" r"hosted\.org|registry\.npm" r"js\.org"
        r"|--(?:extra-)?index-" r"url|(?<!no-emit)--find-" r"links"
    ),
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE " r"KEY-----",
    "a token": r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|xox[abprs]-[\w-]{10,}|sk-\w{32,})\b",
    "a password in an address": r"\b\w+://[\w.-]+:[^\s@/{}$<]{3,}@[\w.-]+",
}  # fmt: skip


def test_top_level_is_known() -> None:
    top = {path.relative_to(REPO).parts[0] for path in files()}
    assert top - TOP == set(), "a new top-level name needs a line in TOP and in docs"


@pytest.mark.parametrize(
    "required",
    ["LICENSE", "README.md", "CHANGELOG.md", "Makefile", ".ci/run", "requirements.lock"],
)
def test_required_file_is_there(required: str) -> None:
    assert (REPO / required).is_file()


def test_model_folders() -> None:
    folders = {
        path.relative_to(REPO / "dbt_project/models").parts[0]
        for path in under("dbt_project/models", suffix=".sql")
    }
    assert folders <= MODEL_FOLDERS


def test_definitions_is_thin() -> None:
    """It loads defs/ and nothing else; logic there cannot be tested without Dagster."""
    lines = (REPO / "orchestration/definitions.py").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) <= 60


def test_no_file_names_a_machine_an_index_or_a_secret() -> None:
    found = []
    for path in files():
        body = text(path)
        for what, pattern in FORBIDDEN.items() if body is not None else ():
            for match in re.finditer(pattern, body or ""):
                line = (body or "").count("\n", 0, match.start()) + 1
                found.append(f"{relative(path)}:{line}: {what}: {match.group()!r}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("what", "example"),
    [
        ("a path of one machine", 'open("/' + 'work/main/x.csv")'),
        ("a path of one machine", "cd /" + "Users/ada/code"),
        ("a package index", "https://pypi" + ".org/simple"),
        ("a package index", "pip install --extra-index" + "-url x"),
        ("a private key", "-----BEGIN RSA PRIVATE" + " KEY-----"),
        ("a token", "AKIA" + "ABCDEFGHIJKLMNOP"),
        ("a password in an address", "postgres" + "://ada:lovelace" + "@db/x"),
    ],
)
def test_the_patterns_find_what_they_are_for(what: str, example: str) -> None:
    assert re.search(FORBIDDEN[what], example)


def test_no_file_is_large() -> None:
    large = [
        f"{relative(path)}: {path.stat().st_size:,} bytes"
        for path in files()
        if path.stat().st_size > LARGEST
    ]
    assert not large, "\n".join(large)


def test_sample_is_small() -> None:
    assert sum(path.stat().st_size for path in under("seeds/sample")) <= LARGEST


def _canonical(package: str) -> str:
    """A package's name as locks write it (PEP 503)."""
    return re.sub(r"[._-]+", "-", package).lower()


def _requirements(path: Path) -> list[tuple[str, str, str]]:
    """(line above, package, requirement) of each requirement."""
    lines = path.read_text().splitlines()
    return [
        (lines[number - 1] if number else "", _canonical(re.split(r"[\[<>=!~ ;]", line)[0]), line)
        for number, line in enumerate(lines)
        if line.strip() and not line.startswith("#")
    ]


@pytest.mark.parametrize("path", sorted(REPO.glob("requirements*.in")), ids=relative)
def test_a_pin_carries_its_reason(path: Path) -> None:
    bare = [line for above, _, line in _requirements(path) if "==" in line and above[:2] != "# "]
    assert not bare, f"no reason in the line above: {bare}"


@pytest.mark.parametrize(
    ("inputs", "lock"),
    [
        (("requirements.in", "requirements-dev.in"), "requirements.lock"),
        (("requirements-reader.in",), "requirements-reader.lock"),
        (("requirements-compare.in",), "requirements-compare.lock"),
        (("requirements-docs.in",), "requirements-docs.lock"),
        (("requirements-superset.in",), "requirements-superset.lock"),
    ],
)
def test_the_lock_is_that_of_its_inputs(inputs: tuple[str, ...], lock: str) -> None:
    body = (REPO / lock).read_text()
    locked = dict(re.findall(r"(?m)^([a-z0-9.-]+)(?:\[[\w,-]+\])?==(\S+)", body))
    for name in inputs:
        for _, package, line in _requirements(REPO / name):
            assert package in locked, f"{name} asks for {package}: run 'make lock'"
            if (pin := line.partition("==")[2]) and not pin.endswith("*"):
                assert locked[package] == pin, f"{name} pins {line}: run 'make lock'"
    pinned, hashed = body.count("=="), len(re.findall(r"(?m)^[a-z0-9].*\\$", body))
    assert hashed >= len(locked) and pinned >= len(locked)


def test_the_build_backend_is_locked() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text())
    backend = project["build-system"]["requires"][0].partition(">")[0]
    assert re.search(rf"(?m)^{backend}==", (REPO / "requirements.lock").read_text())


def test_no_file_is_executable_without_saying_how() -> None:
    """A script that make or a person calls says by its first line what runs it."""
    scripts = [path for path in under("scripts", ".ci") if path.suffix == ""]
    wrong = [
        relative(path)
        for path in scripts
        if not path.read_text().startswith("#!") or not path.stat().st_mode & 0o111
    ]
    assert not wrong
