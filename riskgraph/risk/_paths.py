"""Single paths: the strongest one to every entity, and the k strongest to one."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

from riskgraph._sparse import expand
from riskgraph.risk._arcs import Arcs

__all__ = ["Strongest", "chains", "path_forest", "ranked_paths", "strongest_paths"]


@dataclass(frozen=True)
class Strongest:
    """The strongest path into every node, kept as a list of steps that point back."""

    #: probability of the strongest path that arrives at a node from elsewhere, and its weight as a seed
    arriving: np.ndarray
    weight: np.ndarray
    #: nodes that pass on only part of what they received, ascending, and that part
    hub: np.ndarray
    factor: np.ndarray
    #: per node, the last step into it; -1 where there is none
    last: np.ndarray
    #: per step, its arc and the step before it; -1 where it begins at a seed
    arc: np.ndarray
    before: np.ndarray

    @property
    def reached(self) -> np.ndarray:
        """Probability of the strongest path, the one of no step included."""
        return np.maximum(self.arriving, self.weight)

    def passing(self, nodes: np.ndarray) -> np.ndarray:
        """What nodes pass on of the strongest path to each."""
        carried = self.arriving[nodes]
        if self.hub.size:
            at = np.minimum(np.searchsorted(self.hub, nodes), self.hub.size - 1)
            damped = np.flatnonzero(self.hub[at] == nodes)
            carried[damped] *= self.factor[at[damped]]
        return np.maximum(carried, self.weight[nodes])


def strongest_paths(
    arcs: Arcs, weight: np.ndarray, *, damping: np.ndarray | None = None, rounds: int | None = None
) -> Strongest:
    """Strongest path from a seed to every node, by the product of its probabilities.

    Parameters
    ----------
    weight
        Weight of every node as a seed.
    damping
        Chance that a node passes on what it received.
    rounds
        Longest path allowed, in arcs.
    """
    kind = np.int32 if len(arcs) < 2**31 else np.int64
    arriving = np.zeros(arcs.n)
    passing = weight.astype(np.float64)
    last = np.full(arcs.n, -1, dtype=kind)
    step = np.full(arcs.n, -1, dtype=kind)  # the step behind what a node passes on
    found_arc: list[np.ndarray] = [np.empty(0, dtype=kind)]
    found_before: list[np.ndarray] = [np.empty(0, dtype=kind)]
    made = done = 0
    active = np.flatnonzero(weight > 0)
    while active.size and (rounds is None or done < rounds):
        done += 1
        reached = []
        for some in arcs.shares(active):
            spots, place = expand(arcs.out, some)
            offer = passing[some][place] * arcs.p[spots]
            better = np.flatnonzero(offer > arriving[arcs.target[spots]])
            spots, place, offer = spots[better], place[better], offer[better]
            head = arcs.target[spots]
            np.maximum.at(arriving, head, offer)
            wins = np.flatnonzero(offer == arriving[head])
            heads, first = np.unique(head[wins], return_index=True)
            pick = wins[first]
            found_arc.append(spots[pick].astype(kind))
            found_before.append(step[some[place[pick]]])
            last[heads] = np.arange(made, made + heads.size)
            made += heads.size
            reached.append(heads)
        # what rises in this round is passed on in the next
        heads = reached[0] if len(reached) == 1 else np.unique(np.concatenate(reached))
        onward = arriving[heads] if damping is None else arriving[heads] * damping[heads]
        rises = onward > passing[heads]
        active = heads[rises].astype(np.int64)
        passing[active] = onward[rises]
        step[active] = last[active]
    del passing, step
    hub = np.empty(0, dtype=np.int64) if damping is None else np.flatnonzero(damping < 1)
    factor = np.empty(0) if damping is None else damping[hub]
    steps = _in_use(last, np.concatenate(found_arc), np.concatenate(found_before))
    return Strongest(arriving, weight, hub, factor, *steps)


def _in_use(last: np.ndarray, arc: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Last steps, arcs and steps before without the steps that better ones have replaced."""
    used = np.zeros(arc.size, dtype=bool)
    front = last[last >= 0]
    while front.size:
        used[front] = True
        front = before[front]
        front = front[front >= 0]
        front = np.unique(front[~used[front]])
    place = np.cumsum(used, dtype=last.dtype) - 1
    place = np.append(place, last.dtype.type(-1))  # no step stays no step
    return place[last], arc[used], place[before[used]]


def chains(best: Strongest, nodes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Walk the strongest paths of ``nodes`` back, all at once: per step the places in ``nodes`` and their arcs."""
    place = np.flatnonzero(best.arriving[nodes] > best.weight[nodes])
    step = best.last[nodes[place]]
    while place.size:
        yield place, best.arc[step]
        step = best.before[step]
        place, step = place[step >= 0], step[step >= 0]


def path_forest(arcs: Arcs, best: Strongest) -> np.ndarray:
    """Mask of arcs that form a forest with the strongest paths in it, joined to as few trees as possible."""
    arrives = np.flatnonzero((best.last >= 0) & (best.arriving > best.weight))
    tree = best.arc[best.last[arrives]]
    root = np.arange(arcs.n, dtype=arcs.target.dtype)
    root[arcs.target[tree]] = arcs.tails(tree)
    while True:  # each round halves the way to the root
        up = root[root]
        if np.array_equal(up, root):
            break
        root = up
    keep = np.zeros(len(arcs), dtype=bool)
    keep[tree] = True
    _join_trees(arcs, best, keep, root)
    keep[arcs.reverse[keep]] = True
    return keep


def _join_trees(arcs: Arcs, best: Strongest, keep: np.ndarray, root: np.ndarray) -> None:
    """Add to ``keep`` the strongest arcs between trees that leave it a forest (Boruvka 1926)."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    parts = [_between(arcs, best, root, spots, tail) for spots, tail in arcs.stretches()]
    if not parts:
        return
    both, worth, a, b = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    del parts
    while both.size:
        # each tree takes its strongest arc; equal ones are told apart by their place, so that no circle closes
        most = np.zeros(arcs.n)
        np.maximum.at(most, a, worth)
        np.maximum.at(most, b, worth)
        first = np.full(arcs.n, both.size, dtype=both.dtype)
        for end in (a, b):
            top = np.flatnonzero(worth == most[end]).astype(both.dtype)
            np.minimum.at(first, end[top], top)
        took = np.zeros(both.size, dtype=bool)
        took[first[first < both.size]] = True
        chosen = np.flatnonzero(took)
        keep[both[chosen]] = True
        links = csr_array((np.ones(chosen.size, dtype=bool), (a[chosen], b[chosen])), shape=(arcs.n, arcs.n))
        group = connected_components(links, directed=False)[1]
        a, b = group[a], group[b]
        apart = a != b
        both, worth, a, b = both[apart], worth[apart], a[apart], b[apart]


def _between(
    arcs: Arcs, best: Strongest, root: np.ndarray, spots: slice, tail: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of a stretch, one arc of each pair that carries something between trees; what it carries, and both trees."""
    kind = arcs.reverse.dtype
    a, b = root[tail], root[arcs.target[spots]]
    both = np.flatnonzero((a != b) & (tail < arcs.target[spots]))
    arc = (both + spots.start).astype(kind)
    back = arcs.reverse[arc]
    worth = np.maximum(best.passing(tail[both]) * arcs.p[arc], best.passing(arcs.target[arc]) * arcs.p[back])
    live = worth > 0
    both = both[live]
    return arc[live], worth[live], a[both], b[both]


def ranked_paths(
    arcs: Arcs,
    best: Strongest,
    node: int,
    k: int,
    *,
    damping: Callable[[int], float] = lambda _: 1.0,
    longest: int | None = None,
    budget: int = 20_000,
) -> tuple[list[tuple[float, tuple[int, ...], tuple[int, ...]]], bool]:
    """The ``k`` strongest paths without repeated nodes into a node, and whether the search was complete.

    Best-first from the node back to the seeds, guided by the strongest path to each node, so that no more is visited
    than the paths need.

    Returns
    -------
    ``(probability, nodes from the seed on, arcs)`` each, strongest first; False when ``budget`` ended the search.
    """
    found: list[tuple[float, tuple[int, ...], tuple[int, ...]]] = []
    for item in _search(arcs, best, node, damping, longest, budget):
        if item is None:
            return found, False
        found.append(item)
        if len(found) == k:
            break
    return found, True


#: bound with its sign turned, ticket, what the path carries to the node, its nodes, its arcs, which step back is next;
#: -1: complete
_Entry = tuple[float, int, float, tuple[int, ...], tuple[int, ...], int]


def _search(
    arcs: Arcs, best: Strongest, node: int, damping: Callable[[int], float], longest: int | None, budget: int
) -> Iterator[tuple[float, tuple[int, ...], tuple[int, ...]] | None]:
    number = count()
    heap: list[_Entry] = []
    #: of each node met: its arms, their sources, their probabilities, and what they promise, the most promising first
    known: dict[int, tuple[list[int], list[int], list[float], list[float]]] = {}

    def before(head: int) -> tuple[list[int], list[int], list[float], list[float]]:
        if head not in known:
            arms = arcs.entering(head)
            # the arcs into a node come from whom those out of it lead to, in the same order
            sources = arcs.target[arcs.out[head] : arcs.out[head + 1]]
            promise = arcs.p[arms] * best.passing(sources)
            order = np.argsort(-promise, kind="stable")[: np.count_nonzero(promise)]
            arms, sources = arms[order], sources[order]
            known[head] = arms.tolist(), sources.tolist(), arcs.p[arms].tolist(), promise[order].tolist()
        return known[head]

    def go_on(through: float, nodes: tuple[int, ...], used: tuple[int, ...], place: int) -> None:
        _, sources, _, promise = before(nodes[0])
        while place < len(sources) and sources[place] in nodes:
            place += 1
        bound = through * promise[place] if place < len(sources) else 0.0
        if bound > 0:
            heapq.heappush(heap, (-bound, next(number), through, nodes, used, place))

    def visit(value: float, nodes: tuple[int, ...], used: tuple[int, ...]) -> None:
        head = nodes[0]
        begins = float(best.weight[head])
        if begins > 0:
            heapq.heappush(heap, (-value * begins, next(number), value * begins, nodes, used, -1))
        if longest is None or len(used) < longest:
            through = value if len(nodes) == 1 else value * damping(head)
            go_on(through, nodes, used, 0)

    visit(1.0, (node,), ())
    for _ in range(budget):
        if not heap:
            return
        _, _, value, nodes, used, place = heapq.heappop(heap)
        if place < 0:
            yield value, nodes, used
            continue
        arms, sources, chances, _ = before(nodes[0])
        go_on(value, nodes, used, place + 1)
        visit(value * chances[place], (sources[place], *nodes), (arms[place], *used))
    yield None
