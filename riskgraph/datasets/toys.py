"""Graphs of at most ten entities, each drawn, each showing one mechanism; they are the smallest test of a method."""

from __future__ import annotations

from riskgraph.datasets._toy_money import (
    toy_feeders,
    toy_guarantee_ring,
    toy_nested_cycle,
    toy_nested_product,
)
from riskgraph.datasets._toy_owners import (
    toy_chain,
    toy_concert,
    toy_crossholding,
    toy_diamond,
    toy_interval,
    toy_missing_share,
    toy_ring,
)
from riskgraph.datasets._toy_risk import (
    toy_agent,
    toy_banned_platform,
    toy_dated,
    toy_namesakes,
)

__all__ = [
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
