"""Data to learn and test with: graphs to read at a glance (``toy_``), of any size (``make_``), and shipped (``load_``).

``toy_*`` return graphs of at most ten entities, each drawn in its docstring. :func:`make_registry` generates a
registry of any size from a seed. :func:`load_county` loads an invented county of some two thousand entities whose
schemes are planted and labelled; :func:`make_county` writes its tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskgraph.datasets.registry import make_registry
from riskgraph.datasets.toys import (
    toy_agent,
    toy_banned_platform,
    toy_chain,
    toy_concert,
    toy_crossholding,
    toy_dated,
    toy_diamond,
    toy_feeders,
    toy_guarantee_ring,
    toy_interval,
    toy_missing_share,
    toy_namesakes,
    toy_nested_cycle,
    toy_nested_product,
    toy_ring,
)

if TYPE_CHECKING:
    from riskgraph.datasets.county import Dataset, load_county, make_county
    from riskgraph.datasets.sim import OwnershipSim

__all__ = [
    "Dataset",
    "OwnershipSim",
    "load_county",
    "make_county",
    "make_registry",
    "toy_agent",
    "toy_banned_platform",
    "toy_chain",
    "toy_concert",
    "toy_crossholding",
    "toy_dated",
    "toy_diamond",
    "toy_feeders",
    "toy_guarantee_ring",
    "toy_interval",
    "toy_missing_share",
    "toy_namesakes",
    "toy_nested_cycle",
    "toy_nested_product",
    "toy_ring",
]


def __getattr__(name: str) -> Any:
    # the county is a program of its own (python -m riskgraph.datasets.county): it must not be loaded ahead of that
    if name in ("Dataset", "load_county", "make_county"):
        from riskgraph.datasets import county

        return getattr(county, name)
    if name == "OwnershipSim":
        from riskgraph.datasets.sim import OwnershipSim

        return OwnershipSim
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
