"""`python -m expectations`: a judge that is started early, warms up, and answers when asked.

Reads one JSON request per line on standard input, `{"candidate": path, "memory": "2GB",
"threads": 2}`, and answers on standard output with lines of JSON: `{"ready": seconds}` once,
`{"law": id}` when a law's queries start, `{"verdict": {…}}` at the end. Ends with its input.
Whatever else is printed, by any library, goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

Say = Callable[[dict[str, Any]], None]


def _private_output() -> TextIO:
    """The real standard output; descriptor 1 becomes standard error, for C code too."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def main() -> int:
    """Serves requests until standard input ends."""
    started = time.perf_counter()
    answers = _private_output()

    def say(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message, ensure_ascii=False) + "\n")
        answers.flush()

    from expectations.lean_imports import put_off_heavy_imports

    put_off_heavy_imports()
    from expectations.judge import warm_up

    warm_up()
    say({"ready": round(time.perf_counter() - started, 3)})
    for line in sys.stdin:
        _serve(json.loads(line), say)
    return 0


def _serve(request: dict[str, Any], say: Say) -> None:
    from expectations.judge import Limits, judge
    from expectations.laws import LAWS_FOLDER, load_laws

    defaults = Limits()
    verdict = judge(
        Path(request["candidate"]),
        laws=load_laws(Path(request.get("laws") or LAWS_FOLDER)),
        limits=Limits(
            memory=request.get("memory") or defaults.memory,
            threads=request.get("threads") or defaults.threads,
        ),
        progress=lambda law: say({"law": law}),
    )
    say({"verdict": verdict.as_dict()})


if __name__ == "__main__":
    sys.exit(main())
