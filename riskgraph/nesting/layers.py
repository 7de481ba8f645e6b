"""Layers: how many products the longest funding chain through a product has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, overload

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.nesting._chains import layer_counts
from riskgraph.nesting._flows import PRODUCT
from riskgraph.schema import ENTITY_KINDS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["layers"]


@overload
def layers(graph: EntityGraph, product: str) -> float: ...
@overload
def layers(graph: EntityGraph, product: None = None) -> pd.Series: ...


def layers(graph: EntityGraph, product: str | None = None) -> float | pd.Series:
    """Number of products on the longest funding chain through a product, itself included.

    Chains follow money from product to product as in :func:`look_through`. Products side by side are one layer; a
    product with the fact ``public_fund`` true is not counted.

    Parameters
    ----------
    product
        Id of a product; ``None`` asks for all.

    Returns
    -------
    int, float or Series
        A whole number, or ``math.inf`` for a product on a circle or on a chain that enters or leaves one. For all
        products a Series ``layers`` on their ids.

    Raises
    ------
    UnknownEntity
        The graph does not hold ``product``.
    InvalidParameter
        It is no product.

    References
    ----------
    The count follows the rule on layers in the 2018 guiding opinions on asset management of the People's Bank of
    China and others (article 22).

    Examples
    --------
    >>> import riskgraph as rg
    >>> rg.nesting.layers(rg.datasets.toy_nested_product(), "TrustPlan")
    3
    >>> rg.nesting.layers(rg.datasets.toy_nested_cycle(), "Plum")
    inf
    """
    counts = layer_counts(graph)
    if product is None:
        at = np.flatnonzero(graph.kinds == PRODUCT)
        return pd.Series(counts[at], index=graph.ids[at], name="layers")
    code = graph.code(product)
    if graph.kinds[code] != PRODUCT:
        kind = ENTITY_KINDS[graph.kinds[code]]
        raise InvalidParameter(f"'product' must be the id of a product; {product!r} is of kind {kind!r}")
    count = float(counts[code])
    return count if math.isinf(count) else int(count)
