"""Worlds in which each arc is live or not: all of them, some at random, or a graph taken apart until few remain."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from riskgraph.errors import NotConverged

__all__ = ["MOST_OPEN", "Net", "chance_of", "enumerate_worlds", "sample_worlds"]

#: arcs that may be live or not in one enumeration: 2^18 worlds
MOST_OPEN = 18
#: graphs that one exact answer may be taken apart into
MOST_PARTS = 3_000


class Net(NamedTuple):
    """Arcs with a source node 0 from which risk starts; ``hop`` says whether an arc counts as a step."""

    n: int
    source: np.ndarray
    target: np.ndarray
    p: np.ndarray
    hop: np.ndarray


def enumerate_worlds(net: Net, *, longest: int | None = None) -> np.ndarray:
    """Probability that each node is reached from node 0, by going through every world.

    Raises
    ------
    NotConverged
        More than :data:`MOST_OPEN` arcs are neither sure nor impossible.

    Examples
    --------
    >>> arcs = np.array([0, 0, 1]), np.array([1, 2, 2]), np.array([0.5, 0.5, 1.0])
    >>> enumerate_worlds(Net(3, *arcs, np.array([True, True, True])))
    array([1.  , 0.5 , 0.75])
    """
    open_ = np.flatnonzero((net.p > 0) & (net.p < 1))
    if open_.size > MOST_OPEN:
        raise NotConverged(
            f"{open_.size} relations may transmit or not, and their 2^{open_.size} worlds are too many to go through "
            f"(at most 2^{MOST_OPEN}); take estimate='upper' with its bounds, or estimate='monte_carlo'"
        )
    chance = np.ones(1)
    for arc in open_:
        chance = np.concatenate([chance * (1 - net.p[arc]), chance * net.p[arc]])
    world = np.arange(chance.size)
    live: dict[int, np.ndarray] = {int(arc): (world >> place & 1).astype(bool) for place, arc in enumerate(open_)}
    everywhere = np.ones(chance.size, dtype=bool)
    reached = np.zeros((net.n, chance.size), dtype=bool)
    reached[0] = True
    arcs = [
        (int(s), int(t), live.get(number, everywhere), bool(hop))
        for number, (s, t, p, hop) in enumerate(zip(net.source, net.target, net.p, net.hop, strict=True))
        if p > 0
    ]
    _flow(reached, arcs, longest)
    return np.asarray(reached @ chance)


def _flow(reached: np.ndarray, arcs: list[tuple[int, int, np.ndarray, bool]], longest: int | None) -> None:
    """Spread what is reached in every world at once, until it stands still or the steps are used up."""
    free = arcs if longest is None else [arc for arc in arcs if not arc[3]]

    def settle() -> None:
        moved = True
        while moved:
            moved = False
            for source, target, live, _ in free:
                more = reached[source] & live & ~reached[target]
                if more.any():
                    reached[target] |= more
                    moved = True

    settle()
    for _ in range(longest or 0):
        before = reached.copy()
        for source, target, live, hop in arcs:
            if hop:
                reached[target] |= before[source] & live
        settle()
        if np.array_equal(before, reached):
            break


def sample_worlds(net: Net, n_samples: int, random_state: int | None, *, longest: int | None = None) -> np.ndarray:
    """Part of ``n_samples`` random worlds in which each node is reached from node 0; 64 worlds a pass."""
    if not net.p.size:
        return (np.arange(net.n) == 0).astype(np.float64)
    rng = np.random.default_rng(random_state)
    hits = np.zeros(net.n, dtype=np.int64)
    order = np.argsort(net.target, kind="stable")
    source, target, p, hop = net.source[order], net.target[order], net.p[order], net.hop[order]
    heads, begin = np.unique(target, return_index=True)
    sure = np.uint64(0xFFFFFFFFFFFFFFFF)
    for done in range(0, n_samples, 64):
        size = min(64, n_samples - done)
        live = np.zeros(p.size, dtype=np.uint64)
        for bit in range(size):
            live |= (rng.random(p.size) < p).astype(np.uint64) << np.uint64(bit)
        every = sure >> np.uint64(64 - size)
        reached = np.zeros(net.n, dtype=np.uint64)
        reached[0] = every
        free = np.where(hop, np.uint64(0), live)
        steps = live if longest is None else np.where(hop, live, np.uint64(0))
        for step in range(net.n if longest is None else longest + 1):
            if longest is not None:
                for _ in range(3):  # a seed that is a hub is so many free arcs away
                    reached[heads] |= np.bitwise_or.reduceat(reached[source] & free, begin)
                if step == longest:
                    break
            new = reached[heads] | np.bitwise_or.reduceat(reached[source] & steps, begin)
            if np.array_equal(new, reached[heads]):
                break
            reached[heads] = new
        hits += np.bitwise_count(reached).astype(np.int64)
    return hits / n_samples


# -- one entity, exactly ---------------------------------------------------------------------------------------------

Graph = dict[int, dict[int, float]]


def chance_of(net: Net, node: int) -> float:
    """Probability that one node is reached from node 0, exact.

    What lies on no simple path is cut off, arcs in series and side by side are merged, and an arc out of the source
    is tried live and dead until what is left can be gone through world by world.

    Raises
    ------
    NotConverged
        More than :data:`MOST_PARTS` graphs would be needed.
    """
    start: Graph = {}
    for source, target, p in zip(net.source.tolist(), net.target.tolist(), net.p.tolist(), strict=True):
        _join(start, source, target, p)
    total, parts = 0.0, 0
    todo = [(1.0, start)]
    while todo:
        chance, graph = todo.pop()
        parts += 1
        if parts > MOST_PARTS:
            left = sum(len(targets) for targets in start.values())
            raise NotConverged(
                f"the exact probability needs more than {MOST_PARTS} parts of a graph of {left} relations; "
                "take estimate='upper' with its bounds, or estimate='monte_carlo'"
            )
        sure = _simplify(graph, node)
        if sure is not None:
            total += chance * sure
            continue
        arcs = [(source, target, p) for source, targets in graph.items() for target, p in targets.items()]
        if sum(p < 1 for _, _, p in arcs) <= MOST_OPEN - 6:
            total += chance * float(_whole(arcs, node))
            continue
        head, p = max(graph[0].items(), key=lambda item: item[1])
        dead = {source: dict(targets) for source, targets in graph.items()}
        del dead[0][head]
        todo.append((chance * (1 - p), dead))
        graph[0][head] = 1.0
        todo.append((chance * p, graph))
    return total


def _whole(arcs: list[tuple[int, int, float]], node: int) -> float:
    names = sorted({0, node, *(source for source, _, _ in arcs), *(target for _, target, _ in arcs)})
    code = {name: place for place, name in enumerate(names)}
    net = Net(
        len(names),
        np.array([code[source] for source, _, _ in arcs]),
        np.array([code[target] for _, target, _ in arcs]),
        np.array([p for _, _, p in arcs]),
        np.ones(len(arcs), dtype=bool),
    )
    return float(enumerate_worlds(net)[code[node]])


def _join(graph: Graph, source: int, target: int, p: float) -> None:
    if source != target and p > 0:
        old = graph.setdefault(source, {}).get(target, 0.0)
        graph[source][target] = 1 - (1 - old) * (1 - p)


def _simplify(graph: Graph, node: int) -> float | None:
    """Make the graph smaller in place; the answer when nothing is left to decide, else None."""
    while True:
        for head in [head for head, p in graph.get(0, {}).items() if p >= 1]:
            # a node that is surely reached is the source itself
            if head == node:
                return 1.0
            del graph[0][head]
            for target, p in graph.pop(head, {}).items():
                _join(graph, 0, target, p)
        for source in list(graph):
            graph[source].pop(0, None)
        graph.pop(node, None)
        if not _trim(graph, node):
            return 0.0
        direct = graph[0]
        if any(p >= 1 for p in direct.values()):
            continue
        if len(graph) == 1:
            return direct[node]
        if not _in_series(graph, node):
            return None


def _trim(graph: Graph, node: int) -> bool:
    """Keep what lies on a simple path from the source to the node; whether there is one."""
    import networkx as nx

    links = nx.Graph()
    links.add_edge(0, node)
    ahead = _closure(graph, 0)
    behind = _closure(_turned(graph), node)
    if node not in ahead:
        return False
    links.add_edges_from(
        (source, target) for source in graph for target in graph[source] if {source, target} <= ahead & behind
    )
    block = next(found for found in nx.biconnected_components(links) if {0, node} <= found)
    for source in list(graph):
        if source in block:
            kept = {target: p for target, p in graph[source].items() if target in block}
            if kept:
                graph[source] = kept
                continue
        del graph[source]
    return True


def _closure(graph: Graph, start: int) -> set[int]:
    seen, todo = {start}, [start]
    while todo:
        for target in graph.get(todo.pop(), {}):
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def _turned(graph: Graph) -> Graph:
    back: Graph = {}
    for source, targets in graph.items():
        for target, p in targets.items():
            back.setdefault(target, {})[source] = p
    return back


def _in_series(graph: Graph, node: int) -> bool:
    """Merge nodes that only stand between two others; whether there was one."""
    back = _turned(graph)
    found = False
    for middle in list(graph):
        around = set(graph.get(middle, {})) | set(back.get(middle, {}))
        if middle in (0, node) or len(around) > 2:
            continue
        out, into = graph.pop(middle, {}), back.pop(middle, {})
        for other in around:
            graph.get(other, {}).pop(middle, None)
            back.get(other, {}).pop(middle, None)
        for source, first in into.items():
            for target, second in out.items():
                if source != target:
                    _join(graph, source, target, first * second)
                    back.setdefault(target, {})[source] = graph[source][target]
        found = True
    return found
