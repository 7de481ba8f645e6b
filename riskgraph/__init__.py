"""Who owns, runs, controls, funds and fronts for whom: a graph library for people who watch over money.

>>> import riskgraph as rg
>>> graph = rg.datasets.toy_chain()
>>> rg.ownership.integrated_ownership(graph, owners=["Ann"])[["asset", "share_min"]]
     asset  share_min
0  Holding        0.6
1     Mine        0.3

Sub-packages are loaded when first used: ``readers``, ``datasets``, ``stores``, ``identity``, ``ownership``, ``risk``,
``nesting``, ``supervision``, ``learning``, ``plot``, ``report``, ``evidence``, ``privacy``, ``spark``.
"""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from riskgraph.errors import (
    InvalidParameter,
    InvalidTable,
    LeakageError,
    MissingDependency,
    NotConverged,
    RiskGraphError,
    StoreUnavailable,
    UnknownEntity,
)
from riskgraph.graph import EntityGraph

if TYPE_CHECKING:
    from riskgraph.readers import read
    from riskgraph.risk import propagate

try:
    __version__ = version("riskgraph")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0"

__all__ = [
    "EntityGraph",
    "InvalidParameter",
    "InvalidTable",
    "LeakageError",
    "MissingDependency",
    "NotConverged",
    "RiskGraphError",
    "StoreUnavailable",
    "UnknownEntity",
    "propagate",
    "read",
]

_PACKAGES = (
    "datasets", "evidence", "identity", "learning", "nesting", "ownership", "plot", "privacy", "readers", "report",
    "risk", "spark", "stores", "supervision",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "propagate":
        return importlib.import_module("riskgraph.risk").propagate
    if name == "read":
        return importlib.import_module("riskgraph.readers").read
    if name in _PACKAGES:
        return importlib.import_module(f"riskgraph.{name}")
    raise AttributeError(f"module 'riskgraph' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_PACKAGES})
