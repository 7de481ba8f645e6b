"""What every conduit's money ends in: one row a conduit and final asset, swept from the last layer to the first."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from riskgraph._sparse import component_levels, row_pointers, runs, strong_components
from riskgraph.errors import NotConverged

__all__ = ["Endings", "Links", "combine", "tabulate"]

#: most conduits on one circle whose walks are summed for every pair
MOST_RING = 3000
#: most rows of a table
MOST_ROWS = 50_000_000


class Links(NamedTuple):
    """Columns of a step from a conduit to what it funds; arrays of one length."""

    source: np.ndarray
    target: np.ndarray
    part: np.ndarray  # of the source's money, NaN unknown
    share: np.ndarray  # of the target's money, NaN unknown
    geared: np.ndarray  # part times what the next conduit's money is exposed to


class Endings(NamedTuple):
    """Rows ``(node, asset)`` with what is summed, least and greatest over all chains between them.

    ``part`` is 0 where ``known`` is False. ``via`` is the row the main chain goes on with, -1 at its end; ``head``
    what the main chain passes before that row: a node, or below -1 the number of a pair on a circle.
    """

    node: np.ndarray
    asset: np.ndarray
    part: np.ndarray
    known: np.ndarray
    share: np.ndarray
    geared: np.ndarray
    least: np.ndarray
    most: np.ndarray
    sectors: np.ndarray
    via: np.ndarray
    head: np.ndarray

    def take(self, rows: np.ndarray) -> Endings:
        """Rows alone."""
        return Endings(*(column[rows] for column in self))


def join(tables: list[Endings]) -> Endings:
    """Tables one after the other."""
    if len(tables) == 1:
        return tables[0]
    return Endings(*(np.concatenate(columns) for columns in zip(*tables, strict=True)))


def combine(rows: Endings, width: int) -> Endings:
    """One row a ``(node, asset)``: sums, least, greatest, union; the main chain is the one that carries most."""
    if not rows.node.size:
        return rows
    key = rows.node * width + rows.asset
    order = np.lexsort((rows.via, -np.where(rows.known, rows.part, -1.0), key))
    rows, key = rows.take(order), key[order]
    first = np.flatnonzero(np.r_[True, np.diff(key) != 0])
    if first.size == key.size:
        return rows
    return Endings(
        node=rows.node[first],
        asset=rows.asset[first],
        part=np.add.reduceat(rows.part, first),
        known=np.logical_or.reduceat(rows.known, first),
        share=np.add.reduceat(rows.share, first),
        geared=np.add.reduceat(rows.geared, first),
        least=np.minimum.reduceat(rows.least, first),
        most=np.maximum.reduceat(rows.most, first),
        sectors=np.bitwise_or.reduceat(rows.sectors, first),
        via=rows.via[first],
        head=rows.head[first],
    )


class Ring(NamedTuple):
    """A circle of conduits and, for every pair in it, the node before the last on the shortest way."""

    nodes: np.ndarray
    before: np.ndarray
    #: first number of its pairs among those of all circles
    first: int

    def way(self, pair: int) -> list[int]:
        """Nodes of the shortest way of a pair, the last one left out."""
        start, node = divmod(pair, self.nodes.size)
        way: list[int] = []
        while node != start:
            node = int(self.before[start, node])
            way.append(int(self.nodes[node]))
        return way[::-1]


class Table:
    """Finished rows, appended layer by layer; ``begin`` and ``count`` say where those of a node are."""

    def __init__(self, n: int) -> None:
        self.parts: list[Endings] = []
        self.size = 0
        self.begin = np.zeros(n, dtype=np.int64)
        self.count = np.zeros(n, dtype=np.int64)
        self.rings: list[Ring] = []

    def append(self, rows: Endings, *, final: bool = True) -> np.ndarray:
        """Add rows sorted by node; returns their places."""
        if rows.node.size and final:
            nodes, first, count = np.unique(rows.node, return_index=True, return_counts=True)
            self.begin[nodes] = self.size + first
            self.count[nodes] = count
        places = np.arange(self.size, self.size + rows.node.size)
        if rows.node.size:
            self.parts.append(rows)
            self.size += rows.node.size
        if self.size > MOST_ROWS:
            raise NotConverged(f"the look-through has more than {MOST_ROWS:,} rows; name holders or assets")
        return places

    def add_ring(self, nodes: np.ndarray, before: np.ndarray) -> int:
        """Keep a circle's shortest ways; returns the first number of its pairs."""
        first = self.rings[-1].first + self.rings[-1].nodes.size ** 2 if self.rings else 0
        self.rings.append(Ring(nodes, before, first))
        return first

    def chains(self, wanted: np.ndarray) -> list[list[int]]:
        """Nodes of the main chains of rows, in order, the asset left out; none for -1."""
        if not self.size:
            return [[] for _ in wanted]
        head, via = self.rows.head.tolist(), self.rows.via.tolist()
        result = []
        for row in wanted.tolist():
            nodes: list[int] = []
            while row >= 0:
                if head[row] >= 0:
                    nodes.append(head[row])
                else:
                    pair = -2 - head[row]
                    ring = self.rings[bisect_right(self.rings, pair, key=lambda ring: ring.first) - 1]
                    nodes += ring.way(pair - ring.first)
                row = via[row]
            result.append(nodes)
        return result

    @property
    def rows(self) -> Endings:
        """All rows so far."""
        if len(self.parts) > 1:
            self.parts = [join(self.parts)]
        return self.parts[0]


def _begin(links: Links, at: np.ndarray, counted: np.ndarray, sectors: np.ndarray) -> Endings:
    """Rows of links that end a chain; ``counted`` is 1 for a node that is a layer."""
    node, asset = links.source[at], links.target[at]
    part = links.part[at]
    known = ~np.isnan(part)
    layers = counted[node].astype(np.float64)
    return Endings(
        node, asset, np.where(known, part, 0.0), known, links.share[at], np.nan_to_num(links.geared[at]),
        layers, layers.copy(), sectors[node] | sectors[asset], np.full(node.size, -1), node,
    )  # fmt: skip


def go_on(links: Links, at: np.ndarray, table: Table, counted: np.ndarray, sectors: np.ndarray) -> Endings:
    """Rows of links that lead to a node with finished rows."""
    places, link = runs(table.begin[links.target[at]], table.count[links.target[at]])
    rows = table.rows.take(places)
    at = at[link]
    node = links.source[at]
    part = links.part[at]
    known = rows.known & ~np.isnan(part)
    layers = counted[node]
    return Endings(
        node, rows.asset, np.where(known, part, 0.0) * rows.part, known, links.share[at] * rows.share,
        np.nan_to_num(links.geared[at]) * rows.geared, rows.least + layers, rows.most + layers,
        rows.sectors | sectors[node], places, node,
    )  # fmt: skip


def tabulate(n: int, links: Links, conduit: np.ndarray, counted: np.ndarray, sectors: np.ndarray) -> Table:
    """Endings of every conduit that ``links`` start from.

    Parameters
    ----------
    n
        Number of codes.
    links
        Steps that start from conduits.
    conduit
        True for the nodes that are looked through: a step to one goes on, any other ends.
    counted
        1 for a node that counts as a layer, else 0.
    sectors
        Bit mask of each node's sectors.
    """
    table = Table(n)
    inner = conduit[links.target]
    a, b = links.source[inner], links.target[inner]
    count, labels = strong_components(n, a, b)
    level = component_levels(count, labels[a], labels[b])[labels]
    ring = np.bincount(labels, minlength=count)[labels] > 1
    order = np.argsort(-level[links.source], kind="stable")
    steps = level[links.source][order]
    for begin, end in _blocks(steps):
        at = order[begin:end]
        ends = at[~inner[at]]
        goes = at[inner[at] & (labels[links.source[at]] != labels[links.target[at]])]
        rows = [_begin(links, ends, counted, sectors)]
        if goes.size and table.size:
            rows.append(go_on(links, goes, table, counted, sectors))
        done = combine(join(rows), n)
        turning = ring[done.node]
        table.append(done.take(np.flatnonzero(~turning)))
        if turning.any() or ring[links.source[at]].any():
            _rings(table, links, at, done.take(np.flatnonzero(turning)), labels, ring, counted, sectors, n)
    return table


def _blocks(steps: np.ndarray) -> list[tuple[int, int]]:
    edges = np.r_[0, np.flatnonzero(np.diff(steps)) + 1, steps.size]
    return [(int(a), int(b)) for a, b in itertools.pairwise(edges) if b > a]


def _rings(
    table: Table,
    links: Links,
    at: np.ndarray,
    exits: Endings,
    labels: np.ndarray,
    ring: np.ndarray,
    counted: np.ndarray,
    sectors: np.ndarray,
    n: int,
) -> None:
    """Endings of nodes on circles: all walks inside the circle, then out of it."""
    inside = at[ring[links.source[at]] & (labels[links.source[at]] == labels[links.target[at]])]
    group = labels[links.source[inside]]
    places = table.append(exits, final=False)
    exit_group = labels[exits.node]
    for label in np.unique(group):
        mine = inside[group == label]
        nodes = np.unique(links.source[mine])
        if nodes.size > MOST_RING:
            raise NotConverged(
                f"{nodes.size:,} products fund each other in one circle, more than {MOST_RING:,}: too many to list"
            )
        out = np.flatnonzero(exit_group == label)
        if not out.size:
            continue
        u, v = np.searchsorted(nodes, links.source[mine]), np.searchsorted(nodes, links.target[mine])
        size = nodes.size
        walks = _inverse(size, u, v, links.part[mine])
        shares = _inverse(size, u, v, links.share[mine])
        if np.isnan(links.share[mine]).any():
            shares[:] = np.nan
        geared = _inverse(size, u, v, links.geared[mine])
        # scipy before 1.15 walks 32-bit indices only
        ends = u.astype(np.int32), v.astype(np.int32)
        weight = csr_array((counted[nodes][u] + 1e-9, ends), shape=(size, size))
        dist, before = shortest_path(weight, return_predecessors=True)
        dist = np.floor(dist + 0.5)
        # one row for every start on the circle and every way out
        begin = row_pointers(size, np.searchsorted(nodes, exits.node[out]))
        spots, pair = runs(np.tile(begin[:-1], size), np.tile(np.diff(begin), size))
        p, q = pair // size, pair % size
        rows = exits.take(out[spots])
        heads = -2 - (table.add_ring(nodes, before) + pair)
        unknown = np.isnan(shares[p, q]) | np.isnan(rows.share)
        with np.errstate(invalid="ignore"):
            share = np.where(unknown, np.nan, shares[p, q] * rows.share)
            exposed = np.where(rows.geared == 0, 0.0, geared[p, q] * rows.geared)
        moved = Endings(
            nodes[p], rows.asset, np.nan_to_num(walks[p, q]) * rows.part, rows.known & ~np.isnan(walks[p, q]),
            share, exposed, dist[p, q] + rows.least, np.full(p.size, np.inf),
            rows.sectors | np.bitwise_or.reduce(sectors[nodes]), places[out[spots]], heads,
        )  # fmt: skip
        table.append(combine(moved, n))


def _inverse(size: int, u: np.ndarray, v: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Sum over all walks inside a circle; infinite where they grow; unknown weights carry nothing."""
    W = np.zeros((size, size))
    np.add.at(W, (u, v), np.nan_to_num(weight))
    try:
        N = np.linalg.inv(np.eye(size) - W)
    except np.linalg.LinAlgError:
        N = np.full((size, size), -1.0)
    if N.min() < -1e-9:
        return np.where(np.linalg.matrix_power(np.eye(size) + (W > 0), size) > 0, np.inf, 0.0)
    return np.maximum(N, 0.0)
