"""Freeze, seal, promote: how the published file comes to be, and what is kept of it.

`freeze` copies the published tables to a candidate that no reader knows; the gate judges it; `seal`
adds the verdict and takes the file's SHA-256 into a receipt; `promote` demands a passing receipt
and moves the `current` symlink. Does not belong here: the laws (`expectations`), the models (dbt).

Modules are imported one by one: `receipt`, `history`, `folders` and `promote` need no DuckDB, so
that `tieout status` answers at once.
"""
