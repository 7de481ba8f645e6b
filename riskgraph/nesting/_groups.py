"""Control groups by majority: firms joined by more than half of the shares, or by a control agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from riskgraph._sparse import compact, exact_shares, exact_threshold
from riskgraph.nesting._flows import PRODUCT
from riskgraph.schema import ENTITY_KINDS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["TIED", "Groups", "groups", "majority_ties", "stakes"]

#: least direct stake that ties a holder to a firm's sector, in exact units
TIED = 2 * 10**14

COMPANY = ENTITY_KINDS.index("company")
STATE = ENTITY_KINDS.index("state")


class Groups(NamedTuple):
    """Group of every entity, int32, -1 for none, and per group its head and number of members."""

    label: np.ndarray
    head: np.ndarray
    size: np.ndarray


def stakes(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct pairs of ``owns`` of at least :data:`TIED`; cached.

    Holder and company, int32, and whether the declared share, at its least, is more than a half.
    """

    def build() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        owns = graph.columns.only(graph.columns.of("owns"))
        key = owns.source.astype(np.int64) * max(len(graph), 1) + owns.target
        order = np.argsort(key, kind="stable")
        key = key[order]
        first = np.flatnonzero(np.diff(key, prepend=-1))
        units = exact_shares(np.nan_to_num(owns.share_min))[order]
        units = np.add.reduceat(units, first) if first.size else units
        enough = np.flatnonzero(units >= TIED)
        pairs = order[first[enough]]
        return owns.source[pairs], owns.target[pairs], units[enough] > exact_threshold(0.5)

    return graph.cached(("nesting", "stakes"), build)


def majority_ties(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of controller and controlled, int32: more than half of the shares, or ``controls``.

    The state and products are no controllers: firms are not related by the mere fact that the state holds both, and
    products hold for others.
    """
    holder, company, most = stakes(graph)
    agreed = graph.columns.only(graph.columns.of("controls"))
    source = np.concatenate([holder[most], agreed.source])
    target = np.concatenate([company[most], agreed.target])
    keep = (source != target) & (graph.kinds[source] != STATE) & (graph.kinds[source] != PRODUCT)
    return source[keep], target[keep]


def groups(graph: EntityGraph) -> Groups:
    """Control groups with two or more companies, in the order of their first members; cached.

    The head is the first member that no other member controls, else the first member.
    """

    def build() -> Groups:
        n = len(graph)
        source, target = majority_ties(graph)
        members, *ends = compact(n, source, target)
        links = csr_array((np.ones(source.size, dtype=np.int8), ends), shape=(members.size,) * 2)
        _, component = connected_components(links, directed=False)
        firms = np.bincount(component, weights=graph.kinds[members] == COMPANY, minlength=1)
        several = firms[component] > 1
        inside, component = members[several], component[several]
        names, first = np.unique(component, return_index=True)
        rank = np.full(firms.size, -1, dtype=np.int32)
        rank[names[np.argsort(first, kind="stable")]] = np.arange(names.size)
        label = np.full(n, -1, dtype=np.int32)
        label[inside] = rank[component]
        led = np.zeros(n, dtype=bool)
        led[target] = True
        head = np.full(names.size, n, dtype=np.int64)
        np.minimum.at(head, label[inside[~led[inside]]], inside[~led[inside]])
        eldest = np.full(names.size, n, dtype=np.int64)
        np.minimum.at(eldest, label[inside], inside)
        return Groups(label, np.where(head < n, head, eldest), np.bincount(label[inside], minlength=names.size))

    return graph.cached(("nesting", "groups"), build)
