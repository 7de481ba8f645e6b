"""Control groups by majority: firms joined by more than half of the shares, or by a control agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from riskgraph._sparse import exact_shares, exact_threshold
from riskgraph.nesting._flows import PRODUCT
from riskgraph.schema import ENTITY_KINDS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["Groups", "groups", "majority_ties", "stakes"]

COMPANY = ENTITY_KINDS.index("company")
STATE = ENTITY_KINDS.index("state")


class Groups(NamedTuple):
    """Group of every entity, -1 for none, and per group its head and number of members."""

    label: np.ndarray
    head: np.ndarray
    size: np.ndarray


def stakes(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Holder, company and declared share (exact units, the least) of each distinct pair of ``owns``; cached."""

    def build() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        columns = graph.columns
        at = columns.of("owns")
        n = max(len(graph), 1)
        key = columns.source[at].astype(np.int64) * n + columns.target[at]
        pairs, inverse = np.unique(key, return_inverse=True)
        units = np.zeros(pairs.size, dtype=np.int64)
        np.add.at(units, inverse, exact_shares(np.nan_to_num(columns.share_min[at])))
        return pairs // n, pairs % n, units

    return graph.cached(("nesting", "stakes"), build)


def majority_ties(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of controller and controlled: more than half of the shares, or ``controls``.

    The state and products are no controllers: firms are not related by the mere fact that the state holds both, and
    products hold for others.
    """
    holder, company, units = stakes(graph)
    rows = graph.columns.of("controls")
    most = units > exact_threshold(0.5)
    source = np.r_[holder[most], graph.columns.source[rows]].astype(np.int64)
    target = np.r_[company[most], graph.columns.target[rows]].astype(np.int64)
    keep = (source != target) & (graph.kinds[source] != STATE) & (graph.kinds[source] != PRODUCT)
    return source[keep], target[keep]


def groups(graph: EntityGraph) -> Groups:
    """Control groups with two or more companies, in the order of their first members; cached.

    The head is the first member that no other member controls, else the first member.
    """

    def build() -> Groups:
        n = len(graph)
        source, target = majority_ties(graph)
        links = csr_array((np.ones(source.size, dtype=np.int8), (source, target)), shape=(n, n))
        _, component = connected_components(links, directed=False)
        firms = np.bincount(component, weights=graph.kinds == COMPANY, minlength=1)
        inside = np.flatnonzero(firms[component] > 1)
        names, first = np.unique(component[inside], return_index=True)
        rank = np.full(firms.size, -1, dtype=np.int64)
        rank[names[np.argsort(first, kind="stable")]] = np.arange(names.size)
        label = np.full(n, -1, dtype=np.int64)
        label[inside] = rank[component[inside]]
        led = np.zeros(n, dtype=bool)
        led[target] = True
        head = np.full(names.size, n, dtype=np.int64)
        np.minimum.at(head, label[inside[~led[inside]]], inside[~led[inside]])
        eldest = np.full(names.size, n, dtype=np.int64)
        np.minimum.at(eldest, label[inside], inside)
        return Groups(label, np.where(head < n, head, eldest), np.bincount(label[inside], minlength=names.size))

    return graph.cached(("nesting", "groups"), build)
