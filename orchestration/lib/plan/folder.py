"""A plan as a folder of CSV files, one file a sheet: how it is stored, reviewed and signed.

Belongs here: the canonical bytes of a sheet, reading them back, which folders of a plan are
versions. Does not belong here: whether those bytes are still the signed ones (`locking`).
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestration.lib.plan.model import Plan, PlanError, Problem, read
from orchestration.lib.plan.sheets import SHEETS, Sheet
from orchestration.lib.sources.config import did_you_mean

LOCK = "lock.json"
SIGNATURES = "signatures.json"
VERSION = re.compile(r"v([1-9]\d{0,5})")


def file_name(sheet: str) -> str:
    """The file of a sheet within a version's folder."""
    return f"{sheet}.csv"


def sheet_bytes(plan: Plan, sheet: str) -> bytes:
    """The canonical bytes of a sheet: UTF-8, comma, LF, quotes only where they are needed.

    A column that came later and that no row fills is not written, so a plan that was locked before
    it existed still has the bytes that were signed.
    """
    text = io.StringIO(newline="")
    rows = plan.texts()[sheet]
    names = [
        column.name
        for column in SHEETS[sheet].columns
        if not column.is_later or any(row[column.name] for row in rows)
    ]
    writer = csv.DictWriter(text, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def write_plan(plan: Plan, folder: Path) -> None:
    """Write every sheet into `folder`, which is new, empty or an unlocked plan: all or nothing.

    Raises PlanError where the folder holds a lock: a locked version never changes.
    """
    if (folder / LOCK).exists():
        raise PlanError(
            [
                Problem(
                    str(folder),
                    "found a locked version, expected a draft; change it by `tieout plan amend`",
                )
            ]
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
        building = Path(scratch) / folder.name
        building.mkdir()
        for sheet in SHEETS:
            (building / file_name(sheet)).write_bytes(sheet_bytes(plan, sheet))
        if folder.exists():
            _demand_own_files_only(folder)
            folder.rename(Path(scratch) / "before")
        building.rename(folder)


def read_plan(folder: Path) -> Plan:
    """The plan in `folder`; raises PlanError naming file, line and column of every problem."""
    if not folder.is_dir():
        raise PlanError([Problem(str(folder), "found no folder, expected one with a plan's CSV")])
    problems = [
        Problem(str(path), f"found a file that no plan has{_hint(path.name)}")
        for path in sorted(folder.iterdir())
        if path.name not in (*map(file_name, SHEETS), LOCK, SIGNATURES)
        and not path.name.startswith(".")
    ]
    contents: dict[str, bytes] = {}
    for name in SHEETS:
        path = folder / file_name(name)
        try:
            contents[name] = path.read_bytes()
        except FileNotFoundError:
            problems.append(
                Problem(str(path), "found no file, expected one with at least a heading")
            )
        except OSError as error:
            problems.append(Problem(str(path), f"cannot be read: {error.strerror}"))
    return plan_of(contents, folder, problems)


def plan_of(contents: Mapping[str, bytes], folder: Path, problems: Sequence[Problem] = ()) -> Plan:
    """The plan that the bytes of these sheets make; `folder` is where they are said to stand.

    Raises PlanError with `problems`, which were found before, and all that are found here.
    """
    problems = list(problems)
    texts = {
        name: _rows(SHEETS[name], folder / file_name(name), content, problems)
        for name, content in contents.items()
    }

    def locate(sheet: str, row: int | None, column: str | None) -> str:
        place = str(folder / file_name(sheet))
        if row is not None:
            place += f":{row}"
        return place if column is None else f"{place}: column {column}"

    if problems:
        raise PlanError(problems)
    return read(texts, locate)


def versions(root: Path) -> dict[int, Path]:
    """The folders `v1`, `v2`, … below a plan's root, by number, locked or not."""
    found = {}
    for path in root.iterdir() if root.is_dir() else ():
        match = VERSION.fullmatch(path.name)
        if match and path.is_dir():
            found[int(match[1])] = path
    return dict(sorted(found.items()))


def _rows(
    sheet: Sheet, path: Path, content: bytes, problems: list[Problem]
) -> list[tuple[int, dict[str, str]]]:
    """The data rows of one file, numbered as its lines; the heading is line 1."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problems.append(
            Problem(f"{path}:{line}", "found bytes that are no UTF-8; save it as UTF-8")
        )
        return []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        heading = next(reader, [])
        if not _heading_is_known(sheet, path, heading, problems):
            return []
        for cells in reader:
            # Empty cells too many are a comma too many: all behind it stand one column off.
            if len(cells) > len(heading):
                problems.append(
                    Problem(
                        f"{path}:{reader.line_num}",
                        f"found {len(cells)} cells, expected {len(heading)}; quote a cell that"
                        " holds a comma",
                    )
                )
            rows.append((reader.line_num, dict(zip(heading, cells, strict=False))))
    except csv.Error as error:
        problems.append(Problem(f"{path}:{reader.line_num}", f"found no CSV: {error}"))
    return rows


def _heading_is_known(
    sheet: Sheet, path: Path, heading: list[str], problems: list[Problem]
) -> bool:
    known = sheet.column_names
    before = len(problems)
    for name in heading:
        if name not in known:
            near = did_you_mean(name, known)
            hint = f"; did you mean {near!r}?" if near else ""
            problems.append(
                Problem(f"{path}:1", f"found the column {name!r}, which {sheet.name} lacks{hint}")
            )
    problems += [
        Problem(f"{path}:1", f"found no column {column.name!r}")
        for column in sheet.columns
        if column.required and column.name not in heading
    ]
    if len(set(heading)) < len(heading):
        problems.append(Problem(f"{path}:1", "found a column twice"))
    return len(problems) == before


def _demand_own_files_only(folder: Path) -> None:
    """A folder is replaced whole, so nothing else may stand in it."""
    strange = [path.name for path in folder.iterdir() if path.name not in map(file_name, SHEETS)]
    if strange:
        raise PlanError(
            [
                Problem(
                    str(folder),
                    f"found {', '.join(sorted(strange)[:5])}, expected a plan's CSV files only;"
                    " choose a folder of its own",
                )
            ]
        )


def _hint(name: str) -> str:
    near = did_you_mean(name, tuple(file_name(sheet) for sheet in SHEETS))
    return f"; did you mean {near!r}?" if near else ""
