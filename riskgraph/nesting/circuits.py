"""Circuits: loops of shares, investments, loans and guarantees through which money returns to where it began."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from riskgraph._sparse import strong_components
from riskgraph.errors import InvalidParameter
from riskgraph.schema import RELATION_KINDS

if TYPE_CHECKING:
    from riskgraph._columns import RelationColumns
    from riskgraph.graph import EntityGraph

__all__ = ["circuits"]

#: relations that a loop may be made of; a guarantee brings no money in
LOOPING = ("owns", "invests", "lends", "guarantees")
GUARANTEES = RELATION_KINDS.index("guarantees")
#: usual length and budget of the search
MAX_LENGTH, BUDGET = 8, 200_000


class Ties(NamedTuple):
    """Distinct ordered pairs joined by looping relations, with the component of each entity.

    ``amount`` sums the relations of the pair, NaN when one of them is unknown; ``funding`` the same without
    guarantees. ``indptr, positions`` give the relations of each pair.
    """

    source: np.ndarray
    target: np.ndarray
    amount: np.ndarray
    funding: np.ndarray
    indptr: np.ndarray
    positions: np.ndarray
    label: np.ndarray


def ties(graph: EntityGraph) -> Ties:
    """Looping relations of a graph on its day; own shares are left out; cached."""
    return graph.cached(("nesting", "ties"), lambda: _ties(graph))


def _ties(graph: EntityGraph) -> Ties:
    at = graph.columns.of(*LOOPING)
    looping = graph.columns.only(at)
    differ = np.flatnonzero(looping.source != looping.target)
    at, looping = at[differ], looping.only(differ)
    source, target = looping.source.astype(np.int64), looping.target.astype(np.int64)
    amount, guarantee = booked(graph, looping), looping.kind == GUARANTEES
    n = max(len(graph), 1)
    order = np.argsort(source * n + target, kind="stable")
    key = (source * n + target)[order]
    first = np.flatnonzero(np.r_[True, np.diff(key) != 0]) if key.size else np.empty(0, dtype=np.int64)
    if first.size:
        sums = np.add.reduceat(amount[order], first)
        funding = np.add.reduceat(np.where(guarantee, 0.0, amount)[order], first)
    else:
        sums = funding = np.empty(0)
    _, label = strong_components(len(graph), key[first] // n, key[first] % n)
    return Ties(key[first] // n, key[first] % n, sums, funding, np.r_[first, key.size], at[order], label)


def booked(graph: EntityGraph, relations: RelationColumns) -> np.ndarray:
    """Amounts of relations; of shares without one, the share of the registered capital; NaN where unknown."""
    amount = relations.amount.copy()
    registered = graph.entity_column("capital")
    if registered is not None:
        dark = relations.of("owns")
        dark = dark[np.isnan(amount[dark])]
        stakes = relations.only(dark)
        paid = stakes.share_min * registered.to_numpy(dtype=np.float64)[stakes.target]
        amount[dark] = np.where(stakes.share_min == stakes.share_max, paid, np.nan)
    return amount


def circuits(graph: EntityGraph, *, max_length: int = MAX_LENGTH, budget: int = BUDGET) -> pd.DataFrame:
    """Loops that mix ``owns``, ``invests``, ``lends`` and ``guarantees``, with the money that returns in them.

    The same money booked at every step makes a loop look richer than it is. With 100 put round three firms and nothing
    from outside, 300 is booked on 100: the inflation factor is 3.

    Parameters
    ----------
    max_length
        Most entities in a loop.
    budget
        Steps of the search in all. Every strongly connected part is searched for all its loops, small parts first;
        where the budget does not last for that, each relation of the part still gets the shortest loop it lies on,
        as far as it lasts. Never enumerates all loops of a large part.

    Returns
    -------
    DataFrame
        ``entities, relations, amount, external, inflation_factor``, greatest amount first, then by entities.
        ``entities`` and ``relations`` are tuples of ids in the order of the loop, from the entity that comes first in
        the graph; of parallel relations all are named. ``amount`` is the least amount of a step: what can come back.
        ``external`` is what shares, investments and loans from outside the loop brought in. The factor is the loop's
        own amounts over ``external``, or over its least amount where nothing came in. A share without amount counts
        that share of the registered capital; what is unknown is NaN. ``attrs["left_out"]`` lists what the budget left
        out: ``entities`` and ``relations`` of the part, ``without_loop`` of them, and ``complete``: False.

    Raises
    ------
    InvalidParameter
        ``max_length`` below 2, or a negative ``budget``.

    Examples
    --------
    >>> import riskgraph as rg
    >>> found = rg.nesting.circuits(rg.datasets.toy_nested_cycle())
    >>> found[["entities", "amount", "external"]]
                    entities  amount  external
    0  (Plum, Quince, Rowan)    40.0      60.0
    >>> float(found["inflation_factor"][0])
    4.0
    """
    if max_length < 2:
        raise InvalidParameter(f"'max_length' must be 2 or more; got {max_length!r}")
    if budget < 0:
        raise InvalidParameter(f"'budget' must be 0 or more; got {budget!r}")
    loops, left_out = _loops(graph, max_length, budget)
    ids = graph.ids.to_numpy()
    rows = [
        (tuple(str(name) for name in ids[loop.nodes]), tuple(graph.relation_ids(loop.positions)), *loop[2:])
        for loop in loops
    ]
    frame = pd.DataFrame(rows, columns=["entities", "relations", "amount", "external", "inflation_factor"])
    for name in ("amount", "external", "inflation_factor"):
        frame[name] = frame[name].astype(np.float64)
    frame.attrs["left_out"] = pd.DataFrame(left_out, columns=["entities", "relations", "without_loop", "complete"])
    return frame


class Loop(NamedTuple):
    """Nodes of a loop, positions of its relations, and its figures."""

    nodes: list[int]
    positions: np.ndarray
    amount: float
    external: float
    factor: float


def found_loops(graph: EntityGraph) -> list[Loop]:
    """Loops of :func:`circuits` within its usual budget, greatest amount first; cached."""
    return graph.cached(("nesting", "loops"), lambda: _loops(graph, MAX_LENGTH, BUDGET)[0])


def _loops(graph: EntityGraph, max_length: int, budget: int) -> tuple[list[Loop], list[tuple[int, int, int, bool]]]:
    """Loops, greatest amount first, then by entities; and the parts that were not searched to the end."""
    given = ties(graph)
    found, left_out = _search(given, max_length, budget)
    loops = [_loop(graph, given, nodes) for nodes in found]
    return sorted(loops, key=lambda loop: (1.0 if np.isnan(loop.amount) else -loop.amount, loop.nodes)), left_out


def _search(given: Ties, max_length: int, budget: int) -> tuple[list[list[int]], list[tuple[int, int, int, bool]]]:
    """Loops as lists of codes, and the parts that were not searched to the end."""
    inside = np.flatnonzero(given.label[given.source] == given.label[given.target])
    part = given.label[given.source[inside]]
    order = np.argsort(part, kind="stable")
    inside, part = inside[order], part[order]
    edges = np.flatnonzero(np.r_[True, np.diff(part) != 0, True]) if part.size else np.zeros(1, dtype=np.int64)
    spans = sorted(
        zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True),
        key=lambda span: (span[1] - span[0], int(given.source[inside[span[0]]])),
    )
    loops: list[list[int]] = []
    left_out: list[tuple[int, int, int, bool]] = []
    for begin, end in spans:
        mine = inside[begin:end]
        follow: dict[int, list[int]] = {}
        for a, b in zip(given.source[mine].tolist(), given.target[mine].tolist(), strict=True):
            follow.setdefault(a, []).append(b)
        # half of what is left for all loops of this part, so that the shortest loops can still be found
        found, steps, complete = _all_loops(follow, max_length, budget // 2)
        budget -= steps
        if not complete:
            found, steps, missing = _shortest_loops(follow, max_length, budget, found)
            budget -= steps
            left_out.append((len(follow), mine.size, missing, False))
        loops += found
    return loops, left_out


def _distances(back: dict[int, list[int]], start: int, most: int) -> dict[int, int]:
    """Steps to ``start`` from what reaches it within ``most``, over entities not before it."""
    steps = {start: 0}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        if steps[node] == most:
            continue
        for near in back.get(node, ()):
            if near > start and near not in steps:
                steps[near] = steps[node] + 1
                queue.append(near)
    return steps


def _all_loops(follow: dict[int, list[int]], max_length: int, budget: int) -> tuple[list[list[int]], int, bool]:
    """All loops up to a length, each from its first entity; the steps taken; whether the search came to its end."""
    back: dict[int, list[int]] = {}
    for a, targets in follow.items():
        for b in targets:
            back.setdefault(b, []).append(a)
    loops: list[list[int]] = []
    steps = 0
    for start in sorted(follow):
        home = _distances(back, start, max_length - 1)
        steps += len(home)
        path, ahead = [start], [iter(follow[start])]
        on_path = {start}
        while ahead:
            if steps > budget:
                return loops, steps, False
            node = next(ahead[-1], None)
            steps += 1
            if node is None:
                ahead.pop()
                on_path.discard(path.pop())
            elif node == start:
                loops.append(path.copy())
            elif node in home and node not in on_path and len(path) + home[node] <= max_length:
                path.append(node)
                on_path.add(node)
                ahead.append(iter(follow[node]))
    return loops, steps, True


def _shortest_loops(
    follow: dict[int, list[int]], max_length: int, budget: int, found: list[list[int]]
) -> tuple[list[list[int]], int, int]:
    """Add to the loops found the shortest one through each relation that lies on none yet."""
    covered = {(a, b) for loop in found for a, b in zip(loop, [*loop[1:], loop[0]], strict=True)}
    known = {tuple(loop) for loop in found}
    loops, steps, missing = list(found), 0, 0
    for a in sorted(follow):
        for b in follow[a]:
            if (a, b) in covered:
                continue
            before = {b: b}
            queue = deque([(b, 1)])
            while queue and a not in before and steps <= budget:
                node, length = queue.popleft()
                if length >= max_length:
                    continue
                for near in follow.get(node, ()):
                    steps += 1
                    if near not in before:
                        before[near] = node
                        queue.append((near, length + 1))
            if a not in before:
                missing += 1
                continue
            way = [a]
            while way[-1] != b:
                way.append(before[way[-1]])
            loop = way[::-1]
            covered.update(zip(loop, [*loop[1:], loop[0]], strict=True))
            turn = loop.index(min(loop))
            loop = loop[turn:] + loop[:turn]
            if tuple(loop) not in known:
                known.add(tuple(loop))
                loops.append(loop)
    return loops, steps, missing


def _loop(graph: EntityGraph, given: Ties, loop: list[int]) -> Loop:
    n = max(len(graph), 1)
    nodes = np.array(loop)
    # pairs are sorted by source and target
    wanted = nodes * n + np.roll(nodes, -1)
    pairs = np.searchsorted(_keys(graph, given), wanted)
    amounts = given.amount[pairs]
    positions = np.concatenate([given.positions[given.indptr[pair] : given.indptr[pair + 1]] for pair in pairs])
    least = float(amounts.min())
    external = _external(graph, given, nodes)
    base = external if external > 0 or np.isnan(external) else least
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = float(np.divide(amounts.sum(), base)) if base != 0 else np.nan
    return Loop(loop, positions, least, external, factor)


def _keys(graph: EntityGraph, given: Ties) -> np.ndarray:
    return graph.cached(("nesting", "tie keys"), lambda: given.source * max(len(graph), 1) + given.target)


def _external(graph: EntityGraph, given: Ties, nodes: np.ndarray) -> float:
    """What shares, investments and loans from outside brought into a loop; NaN when one of them is unknown."""

    def build() -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(given.target, kind="stable")
        pointers = np.zeros(len(graph) + 1, dtype=np.int64)
        np.cumsum(np.bincount(given.target, minlength=len(graph)), out=pointers[1:])
        return pointers, order

    pointers, order = graph.cached(("nesting", "ties in"), build)
    into = np.concatenate([order[pointers[node] : pointers[node + 1]] for node in nodes])
    into = into[~np.isin(given.source[into], nodes)]
    return float(given.funding[into].sum())
