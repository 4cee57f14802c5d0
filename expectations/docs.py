"""Writes docs/laws.md from the law files: `python -m expectations.docs`.

The page says what each law means and how it is judged; a test keeps it up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from expectations.laws import Law, load_laws

PAGE = Path(__file__).resolve().parent.parent / "docs" / "laws.md"

_INTRODUCTION = """\
# The laws

The books are published only if every law below holds on the very file that would be published.
One law is one file in `expectations/laws/`; this page is written from them by
`python -m expectations.docs`.

How a law is judged:

- **held**: no row offends, or a tolerance that you declared forgives every row that does. Those
  rows are listed all the same.
- **broken**: a row offends, or the totals differ, or there was nothing to look at although the law
  applies.
- **waived**: every row that offends is waived by both departments, for a named scope, with a reason
  and until a day (`tieout waive`). The publication says so; once the day has come, the law blocks
  again.
- **error**: its query failed. This blocks, whatever the law's severity.
- **not applicable**: the company has no such data. The reason is shown; nothing is invented.

A tolerance is declared for a feed in sources.yml, with a number of source rows and a reason:

```yaml
sources:
  crm:
    tolerances:
      laws: {B8: {at_most: 10, reason: "rows imported in 2023 carry the import's date"}}
```

`tieout explain B8` prints a law with its figures, its offending rows and whose move it is;
[the runbook](runbook.md#by-law) has the first step for each.
"""


def page(laws: dict[str, Law]) -> str:
    """The whole page."""
    table = ["| law | in a few words | severity | owner |", "| --- | --- | --- | --- |"]
    table += [
        f"| [{law.id}](#{_anchor(law)}) | {law.title} | {law.severity} | {law.owner} |"
        for law in laws.values()
    ]
    sections = [_section(law) for law in laws.values()]
    return "\n".join([_INTRODUCTION, *table, "", *sections])


def _section(law: Law) -> str:
    unit = "money, in minor units" if law.unit == "minor" else "rows"
    forgives = (
        "A tolerance may forgive rows of a feed." if law.forgivable else "Nothing is forgiven."
    )
    waives = "Both departments may waive it for a time." if law.waivable else "It cannot be waived."
    weighs = " The plan's policy says whether it blocks or warns." if law.severity_query else ""
    return f"""\
## {_heading(law)}

{law.meaning}

- Compares: {unit}. {forgives} {waives}{weighs}
- Whose move: {law.owner}.
- What to do: {law.what_to_do}
- Queries: [{law.id}.sql](../expectations/laws/{law.id}.sql)
"""


def _heading(law: Law) -> str:
    return f"{law.id}: {law.title}"


def _anchor(law: Law) -> str:
    """The anchor that code hosts give the heading."""
    kept = [char for char in _heading(law).lower() if char.isalnum() or char in "- "]
    return "".join(kept).replace(" ", "-")


def main() -> int:
    """Writes the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(load_laws()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
