"""Optional packages with their install line, compiled loops where they pay, progress bars that can be turned off."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import TypeVar

from riskgraph.errors import MissingDependency

__all__ = ["import_optional", "kernels", "progress"]

T = TypeVar("T")


def import_optional(name: str, *, extra: str) -> ModuleType:
    """Import a package of an extra, or say how to install it.

    Raises
    ------
    MissingDependency
        The package is not installed.

    Examples
    --------
    >>> import_optional("json", extra="excel").__name__
    'json'
    >>> import_optional("no_such_package", extra="excel")
    Traceback (most recent call last):
    riskgraph.errors.MissingDependency: no_such_package is not installed; pip install "riskgraph[excel]" brings it
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingDependency(f'{name} is not installed; pip install "riskgraph[{extra}]" brings it') from error


#: entries from which a compiled loop pays: below, numpy takes less time than loading the loop
WORTH = 400_000


def kernels(work: int) -> ModuleType | None:
    """The compiled loops for work on so many entries; None where plain numpy is to do it.

    That is where the work is small, where numba (the extra ``fast``) is not installed, or where ``RISKGRAPH_KERNELS=0``
    is set. Results are the same to rounding, or within the tolerance asked for. With ``RISKGRAPH_KERNELS=1`` small work
    is compiled too.

    Examples
    --------
    >>> kernels(10) is None
    True
    """
    wanted = os.environ.get("RISKGRAPH_KERNELS", "")
    if wanted == "0" or (work < WORTH and wanted != "1") or not _has_numba():
        return None
    return importlib.import_module("riskgraph._kernels")


@cache
def _has_numba() -> bool:
    return importlib.util.find_spec("numba") is not None


def progress(items: Iterable[T], *, total: int | None = None, text: str = "", show: bool | None = None) -> Iterable[T]:
    """Pass ``items`` through behind a progress bar.

    ``show=None`` shows it on a terminal or in a notebook, unless ``RISKGRAPH_PROGRESS=0`` is set.

    Examples
    --------
    >>> list(progress([1, 2, 3], show=False))
    [1, 2, 3]
    """
    if show is False or (show is None and (os.environ.get("RISKGRAPH_PROGRESS") == "0" or not _watched())):
        return items
    widget = "ipykernel" in sys.modules and importlib.util.find_spec("ipywidgets") is not None
    tqdm = importlib.import_module("tqdm.notebook" if widget else "tqdm").tqdm
    bar: Iterable[T] = tqdm(items, total=total, desc=text, leave=False)
    return bar


def _watched() -> bool:
    """Whether somebody sees standard error: a terminal, or a notebook."""
    return sys.stderr.isatty() or ("ipykernel" in sys.modules and hasattr(sys.stderr, "pub_thread"))
