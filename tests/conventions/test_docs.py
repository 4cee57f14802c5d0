"""What the documents say about the repository is so: links, targets, versions, laws."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.conventions.tree import REPO, relative, under

DOCUMENTS = [path for path in under(".", suffix=".md") if "tests" not in path.parts]
_FENCE = re.compile(r"(?ms)^(```|~~~).*?^\1")
_LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|<img[^>]+src=\"([^\"]+)\"")


def links(path: Path) -> list[tuple[int, str]]:
    """Every link to something of this repository, with its line."""
    body = _FENCE.sub(lambda match: "\n" * match.group().count("\n"), path.read_text("utf-8"))
    return [
        (body.count("\n", 0, match.start()) + 1, match.group(1) or match.group(2))
        for match in _LINK.finditer(body)
        if not re.match(r"[a-z]+:", match.group(1) or match.group(2))
    ]


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub and GitLab make them."""
    body = _FENCE.sub("", path.read_text("utf-8"))
    found: set[str] = set()
    for heading in re.findall(r"(?m)^#{1,6}\s+(.*?)\s*#*$", body):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = 0
        while (unique := f"{anchor}-{number}" if number else anchor) in found:
            number += 1
        found.add(unique)
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_relative_links_resolve(path: Path) -> None:
    broken = []
    for line, link in links(path):
        target, _, anchor = link.partition("#")
        to = (path.parent / target).resolve() if target else path
        if not to.exists() or not to.is_relative_to(REPO):
            broken.append(f"{relative(path)}:{line}: {link}: no such file")
        elif anchor and to.suffix == ".md" and anchor not in anchors(to):
            broken.append(f"{relative(path)}:{line}: {link}: no such heading")
    assert not broken, "\n".join(broken)


def test_every_document_is_linked_from_the_readme() -> None:
    """A page nobody finds is a page nobody keeps true; pictures may hang on a linked page."""
    readme = REPO / "README.md"

    def linked(path: Path) -> set[Path]:
        return {(path.parent / link.partition("#")[0]).resolve() for _, link in links(path)}

    direct = linked(readme)
    pictured = direct.union(*(linked(path) for path in direct if path.suffix == ".md"))
    missing = [
        relative(path)
        for path in under("docs")
        if path not in (direct if path.suffix == ".md" else pictured)
    ]
    assert not missing, f"not linked: {missing}"


def test_changelog_begins_with_this_version() -> None:
    version = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["version"]
    top = re.search(r"(?m)^## (\S+)", (REPO / "CHANGELOG.md").read_text())
    assert top is not None and top.group(1) == version


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_every_make_target_it_names_exists(path: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z][a-z-]*):", (REPO / "Makefile").read_text()))
    code = re.findall(r"(?ms)^```.*?^```|`[^`\n]+`", path.read_text("utf-8"))
    named = {
        name for piece in code for name in re.findall(r"(?:^|[`$\s;&])make ([a-z][a-z-]*)", piece)
    }
    assert named <= targets


def test_every_target_is_explained() -> None:
    makefile = (REPO / "Makefile").read_text()
    phony = set(" ".join(re.findall(r"(?m)^\.PHONY: (.*)$", makefile)).split()) - {"$(CHECKS)"}
    explained = set(re.findall(r"(?m)^([a-z-]+):[^#\n]*## ", makefile))
    assert phony == explained


def test_every_law_is_broken_on_purpose_by_a_test() -> None:
    tests = "\n".join(
        f"{relative(path)}\n{path.read_text('utf-8')}"
        for path in under("tests/unit", "tests/integration", "tests/pipeline", suffix=".py")
    )
    laws = [path.stem for path in under("expectations/laws", suffix=".sql")]
    assert laws, "no law in expectations/laws"
    untested = [law for law in laws if not re.search(rf"(?<![A-Za-z0-9]){law}(?![0-9])", tests)]
    assert not untested, f"no test names {untested}"
