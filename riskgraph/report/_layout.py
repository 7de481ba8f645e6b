"""Where the entities of a page lie: springs for what is drawn first, rings round a neighbour for the rest."""

from __future__ import annotations

import numpy as np

from riskgraph.graph import EntityGraph

__all__ = ["layout"]

#: room an entity and its name need, across and along
_ROOM = np.array([150.0, 64.0])


def layout(graph: EntityGraph, first: np.ndarray) -> np.ndarray:
    """Places: a spring layout of what is drawn first, everything else around a neighbour; always the same.

    The rest is put ring by ring, each node at the golden angle around the node it was reached from, so that expanding a
    node shows its neighbours beside it.
    """
    n = len(graph)
    places = np.full((n, 2), np.nan)
    a, b = graph.columns.source.astype(np.int64), graph.columns.target.astype(np.int64)
    places[first] = _springs(first, a, b)
    count = np.zeros(n, dtype=np.int64)
    ends, others = np.r_[a, b], np.r_[b, a]
    while True:
        open_ = ~np.isnan(places[ends, 0]) & np.isnan(places[others, 0])
        if not open_.any():
            break
        new, spot = np.unique(others[open_], return_index=True)
        beside = ends[open_][spot]
        order = np.argsort(beside, kind="stable")
        new, beside = new[order], beside[order]
        rank = np.arange(new.size) - np.searchsorted(beside, beside) + count[beside]
        np.add.at(count, beside, 1)
        turn, far = 2.39996 * rank + 0.7 * beside, 46 + 9 * np.sqrt(rank)
        places[new] = places[beside] + np.column_stack([far * np.cos(turn), far * np.sin(turn)])
    lonely = np.flatnonzero(np.isnan(places[:, 0]))
    if lonely.size:
        wide = max(1, int(np.sqrt(lonely.size) * 1.6))
        low = 0.0 if lonely.size == n else float(np.nanmax(places[:, 1])) + 90
        spots = np.arange(lonely.size)
        places[lonely] = np.column_stack([90.0 * (spots % wide), low + 60.0 * (spots // wide)])
    return places


def _springs(nodes: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spring layout of each component of the nodes given, the components packed in rows."""
    import networkx as nx

    G = nx.Graph()
    G.add_nodes_from(nodes.tolist())
    inside = np.isin(a, nodes) & np.isin(b, nodes)
    G.add_edges_from(zip(a[inside].tolist(), b[inside].tolist(), strict=True))
    found: dict[int, np.ndarray] = {}
    width = 150.0 * np.sqrt(max(nodes.size, 1))
    x = y = tall = 0.0
    for members in sorted(nx.connected_components(G), key=lambda part: (-len(part), min(part))):
        names = sorted(members)
        spots = nx.spring_layout(G.subgraph(names), seed=7, iterations=120, k=2.2 / np.sqrt(len(names)))
        span = 105.0 * np.sqrt(len(names) - 1)
        at = np.array([spots[node] for node in names])
        at = (at - at.min(axis=0)) / np.maximum(np.ptp(at, axis=0), 1e-9) * (1.35 * span, span)
        at = _apart(at)
        at -= at.min(axis=0)
        across, along = at.max(axis=0)
        if x > 0 and x + across > width:
            x, y, tall = 0.0, y + tall + 90, 0.0
        found.update(zip(names, at + np.array([x, y]), strict=True))
        x, tall = x + across + 130, max(tall, along)
    return np.array([found[node] for node in nodes.tolist()]).reshape(-1, 2)


def _apart(places: np.ndarray) -> np.ndarray:
    """Push apart what lies closer than its room, step by step, until nothing does or 200 steps are over."""
    from scipy.spatial import cKDTree

    at = places / _ROOM
    for _ in range(200):
        pairs = cKDTree(at).query_pairs(0.999, output_type="ndarray")
        if not pairs.size:
            break
        gap = at[pairs[:, 1]] - at[pairs[:, 0]]
        far = np.hypot(*gap.T)
        gap[far < 1e-9] = (1.0, 0.0)
        push = gap * (0.5 * (1.0 - far) / np.maximum(np.hypot(*gap.T), 1e-9))[:, None]
        np.add.at(at, pairs[:, 0], -push)
        np.add.at(at, pairs[:, 1], push)
    return at * _ROOM
