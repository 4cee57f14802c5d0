"""`tieout` as its console script starts it, for a Python into which it is not installed.

Not `python -c`: DuckDB takes that for a person at a prompt and draws progress bars on standard
output, between the lines of JSON.
"""

from __future__ import annotations

from orchestration.cli import main

if __name__ == "__main__":
    main()
