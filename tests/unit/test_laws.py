"""The law files: complete, readable, and described in docs/laws.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from expectations import docs
from expectations.laws import LAWS_FOLDER, QUERIES, Law, LawFileError, load_laws, read_law

LAWS = load_laws()


def test_the_laws_come_in_their_order() -> None:
    books = ["B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "B10", "B11", "B12", "B13"]
    assert list(LAWS) == [*books, "G1", "G2", "G3", "P1", "P2", "P3", "P4", "P5", "P6", "P7"]


def test_the_page_is_up_to_date() -> None:
    """Write it anew with `python -m expectations.docs`."""
    assert docs.PAGE.read_text(encoding="utf-8") == docs.page(LAWS)


@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.id)
def test_a_law_speaks_to_people(law: Law) -> None:
    """Two to four sentences, no SQL words, an owner and a way out."""
    assert 2 <= len(re.findall(r"[.?!](?:\s|$)", law.meaning)) <= 4
    assert not re.search(r"\b(?:null|query|join|select|_minor)\b", law.meaning)
    assert law.owner and len(law.what_to_do) > 80


@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.id)
@pytest.mark.parametrize("name", QUERIES)
def test_a_query_has_the_form_of_the_house(law: Law, name: str) -> None:
    query = getattr(law, name)
    assert query.splitlines()[-1] == "select * from final" or name == "applies"
    assert max(len(line) for line in query.splitlines()) <= 100


@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.id)
def test_no_law_reads_personal_data(law: Law) -> None:
    for name in QUERIES:
        columns = re.sub(r"'[^']*'", "", getattr(law, name))
        assert not re.search(r"\b(?:email|company|account_name)\b", columns)


def spoiled(tmp_path: Path, old: str, new: str, name: str = "B6.sql") -> Path:
    """A copy of B6 with a piece of its text replaced."""
    text = (LAWS_FOLDER / "B6.sql").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / name
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("/*\n", "", "YAML header"),
        ("severity: block", "severity: fatal", "severity is 'fatal'"),
        ("unit: rows", "unit: dollars", "unit is 'dollars'"),
        ("forgivable: false", "forgivable: maybe", "forgivable is 'maybe'"),
        ("title: ", "heading: ", "missing: ['title'], unknown: ['heading']"),
        ("id: B6", "id: B7", "expected the file's name"),
        ("-- query: measure", "-- query: count", "found ('applies', 'count', 'offenders')"),
        ("waivable: false", "waivable: perhaps", "waivable is 'perhaps'"),
        ("title: No row", "title: [No row", "not YAML"),
    ],
)
def test_a_spoiled_file_names_itself_and_what_is_wrong(
    old: str, new: str, says: str, tmp_path: Path
) -> None:
    path = spoiled(tmp_path, old, new)
    with pytest.raises(LawFileError) as caught:
        read_law(path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)


def test_a_folder_without_laws_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LawFileError, match="no law files"):
        load_laws(tmp_path)
