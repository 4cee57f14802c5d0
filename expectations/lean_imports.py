"""Puts off imports that Great Expectations asks for and the gate never uses.

Importing Great Expectations 1.24.1 loads `scipy.stats` and `altair`, for distribution tests and
charts: 1.4 of 4.9 s on two cores (measured 2026-11-22, `python -X importtime`). Both are put
behind `importlib.util.LazyLoader`, the standard library's own: the module is executed when
something first touches it, so anything that does use it still works.
The way back: delete this module and the line in `__main__` that calls it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

PUT_OFF = frozenset({"altair", "scipy.stats"})


class _LazyFinder(MetaPathFinder):
    """Finds the modules of `PUT_OFF` as everyone does, but loads them on first use."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname not in PUT_OFF:
            return None
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = importlib.util.LazyLoader(spec.loader)
                return spec
        return None


def put_off_heavy_imports() -> None:
    """Call once, before the first import of Great Expectations."""
    sys.meta_path.insert(0, _LazyFinder())
