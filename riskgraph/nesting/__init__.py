"""Who funds what through which layers of products, in which circles, and how deeply sectors are nested."""

from __future__ import annotations

from riskgraph.nesting.approaches import allowed_approaches
from riskgraph.nesting.circuits import circuits
from riskgraph.nesting.expand_names import expand_product_names
from riskgraph.nesting.investors import (
    investor_count,
    investor_count_by_date,
    investor_crossing,
    ultimate_investors,
)
from riskgraph.nesting.layers import layers
from riskgraph.nesting.lookthrough import UNTRACED, look_through, product_balances
from riskgraph.nesting.patterns import PATTERNS, patterns
from riskgraph.nesting.product_names import PRODUCT_TYPES, ProductName, parse_product_name
from riskgraph.nesting.score import NestingScorer

__all__ = [
    "NestingScorer",
    "PATTERNS",
    "PRODUCT_TYPES",
    "ProductName",
    "UNTRACED",
    "allowed_approaches",
    "circuits",
    "expand_product_names",
    "investor_count",
    "investor_count_by_date",
    "investor_crossing",
    "layers",
    "look_through",
    "parse_product_name",
    "patterns",
    "product_balances",
    "ultimate_investors",
]
