"""A bare scan of a company's files: what reading them costs at the very least.

`python -m benchmarks.scan FOLDER` counts the records of every file as text and hashes its bytes;
one JSON line a file. Nothing is typed, nothing is kept.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

import duckdb


def run(folder: Path, memory: str) -> None:
    """Count, then hash, every file of the folder."""
    files = sorted(path for path in folder.iterdir() if path.suffix in (".csv", ".parquet"))
    with duckdb.connect(config={"memory_limit": memory}) as connection:
        for path in files:
            began = time.monotonic()
            text = str(path).replace("'", "''")
            # max over every column: a bare count(*) of a Parquet file would not read it.
            query = (
                f"select count(*) from read_csv('{text}', all_varchar = true, header = true)"
                if path.suffix == ".csv"
                else f"select count(*), max(columns(*)) from read_parquet('{text}')"
            )
            row = connection.execute(query).fetchone()
            _tell("count", path, began, int(row[0]) if row else 0)
    for path in files:
        began = time.monotonic()
        with path.open("rb") as stream:
            hashlib.file_digest(stream, "sha256")
        _tell("hash", path, began, 0)


def _tell(step: str, path: Path, began: float, rows: int) -> None:
    ended = time.monotonic()
    line = {"step": step, "name": path.name, "began": began, "ended": ended, "rows": rows}
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2])
