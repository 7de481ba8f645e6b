"""Optional packages with the exact install line, and progress bars that can be turned off."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable
from types import ModuleType
from typing import TypeVar

from riskgraph.errors import MissingDependency

__all__ = ["import_optional", "progress"]

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


def progress(items: Iterable[T], *, total: int | None = None, text: str = "", show: bool | None = None) -> Iterable[T]:
    """Pass ``items`` through behind a progress bar.

    ``show=None`` shows it on a terminal or in a notebook, unless ``RISKGRAPH_PROGRESS=0`` is set.

    Examples
    --------
    >>> list(progress([1, 2, 3], show=False))
    [1, 2, 3]
    """
    if show is False or (show is None and os.environ.get("RISKGRAPH_PROGRESS") == "0"):
        return items
    from tqdm import tqdm

    bar: Iterable[T] = tqdm(items, total=total, desc=text, disable=None if show is None else False, leave=False)
    return bar
