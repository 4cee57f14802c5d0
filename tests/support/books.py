"""Books that obey every law, as SQL: what the tests of the gate spoil."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent.parent / "integration"

#: The books, the pipeline and the plan; then what people owe by it.
SOUND_BOOKS = "".join(
    (_FOLDER / name).read_text(encoding="utf-8")
    for name in (
        "test_gate_holds.sql",
        "test_gate_holds_pipeline.sql",
        "test_gate_holds_currency.sql",
        "test_gate_holds_plan.sql",
        "test_gate_holds_credit.sql",
    )
)
