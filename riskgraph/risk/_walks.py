"""Walks that may stop after every step: their step matrix, the solution of x = b + d Pᵀ x, the heaviest paths."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import count, pairwise
from types import ModuleType

import numpy as np
from scipy.sparse import csr_array

from riskgraph._optional import kernels
from riskgraph._sparse import expand, row_pointers
from riskgraph.errors import NotConverged

__all__ = ["Path", "Steps", "Ties", "heaviest_paths", "solve", "steps"]

#: the residual is looked at every so many products: a look costs two passes over the vector
LOOK = 3
#: Chebyshev steps are given up when the residual is this far above what plain steps guarantee
SLACK = 2.0
#: partial paths followed before the search for the heaviest ones ends
BUDGET = 20_000


class Steps:
    """Probabilities of one step of a walk, rows where it ends: ``inward[j, i]`` is the part of i that goes on to j."""

    def __init__(self, inward: csr_array, reversible: bool, leaving: np.ndarray) -> None:
        #: what leaves each entity in all, of which the probabilities are parts
        self._leaving = leaving
        self.inward = inward
        self.n = int(inward.shape[0])
        self._reversible = reversible
        self._ties: Ties | None = None

    @cached_property
    def outward(self) -> csr_array:
        """The same by where a step begins: ``outward[i, j]``."""
        return self.inward.T.tocsr()

    @cached_property
    def dead_end(self) -> np.ndarray:
        """Mask of the entities without a step out."""
        leaves = np.zeros(self.n, dtype=bool)
        leaves[self.inward.indices] = True
        return ~leaves

    def reached(self, start: np.ndarray, *, backward: bool = False) -> np.ndarray | None:
        """Codes that walks from ``start`` can come to, sorted; None when they are most of the graph.

        None also when they are not all found within some rounds: leaving entities out only saves time.
        """
        table = self.inward if backward or self._reversible else self.outward
        indptr, indices = table.indptr, table.indices
        mask = np.zeros(self.n, dtype=bool)
        turn = np.empty(self.n, dtype=np.int32)
        front = np.unique(start)
        mask[front] = True
        entries = 0
        for _ in range(64):
            entries += int((indptr[front + 1] - indptr[front]).sum())
            if entries > indices.size // 4:
                return None
            near = indices[expand(indptr, front)[0]]
            near = near[~mask[near]]
            if not near.size:
                return np.flatnonzero(mask)
            mask[near] = True
            # of each entity met the last meeting counts: less work than to sort them
            places = np.arange(near.size, dtype=np.int32)
            turn[near] = places
            front = near[turn[near] == places]
        return None

    def part(self, codes: np.ndarray, *, backward: bool = False) -> csr_array:
        """Step matrix among ``codes`` alone, a set that walks do not leave (``backward``: do not enter)."""
        place = np.full(self.n, -1, dtype=np.int32)
        place[codes] = np.arange(codes.size)
        table = self.inward if backward else self.outward
        spots, row = expand(table.indptr, codes)
        inside = csr_array(
            (table.data[spots], place[table.indices[spots]], row_pointers(codes.size, row).astype(np.int32)),
            shape=(codes.size, codes.size),
        )
        return inside if backward else inside.T.tocsr()

    def ties(self, codes: np.ndarray | None, matrix: csr_array) -> Ties | None:
        """The steps of ``matrix``, among ``codes`` or all, as ties; None where the plain solution is to do.

        That is where steps cannot all be taken back, or compiled loops do not pay. Those of all steps are kept.
        """
        fast = kernels(matrix.nnz)
        if fast is None or not self._reversible or matrix.indices.dtype != np.int32:
            return None
        if not self._leaving.max(initial=0.0) < np.inf:
            return None
        if codes is not None:
            return Ties(fast, matrix, self._leaving[codes])
        if self._ties is None:
            self._ties = Ties(fast, matrix, self._leaving)
        return self._ties


class Ties:
    """Steps that can all be taken back, each pair of them one tie: 4 bytes a step and 12 an entity.

    With h the part of x for each unit of weight that leaves an entity, ``x = b + d P x`` is ``leaving h - d A h = b``,
    where A, the weights of the ties, is symmetric; walks backward, ``z = b + d Pᵀ z``, are ``leaving (z - b) = d A z``.
    Weights have 32 bits: one solution is good to 7 digits, or more where they are small whole numbers.
    """

    def __init__(self, fast: ModuleType, matrix: csr_array, leaving: np.ndarray) -> None:
        self._fast = fast
        self._given = leaving
        # a power of two takes no digit away
        self._power = -int(np.frexp(leaving.max(initial=1e-300))[1])
        pointers, indices = matrix.indptr.view(np.uint32), matrix.indices.view(np.uint32)
        # rows of one length in turn, so that a processor guesses where loops end
        length = np.diff(matrix.indptr)
        order = np.argsort(np.minimum(length, 2**16 - 1).astype(np.uint16), kind="stable")
        turn, last = fast.apart(pointers, indices, order.astype(np.uint32))
        # among these the neighbours of one in turn, so that they are in the cache
        first = turn[: last.size]
        turn[: last.size] = first[np.argsort(length[first].astype(np.int64) << 32 | last, kind="stable")]
        self._turn, self._free = turn, last.size
        self._rows = fast.halve(pointers, indices, matrix.data, np.ldexp(leaving, self._power), turn, last.size)

    @property
    def nbytes(self) -> int:
        """Bytes that are kept, without those of ``leaving`` as given."""
        return sum(array.nbytes for array in (self._turn, *self._rows))

    def solve(
        self, b: np.ndarray, damping: float, aim: float, most: int, *, backward: bool = False
    ) -> tuple[np.ndarray, int]:
        """About the solution of ``x = b + d P x``, the residual's sum about ``aim``, and how many rounds it took.

        With ``backward`` that of ``z = b + d Pᵀ z``, the residual's greatest about ``aim``.
        """
        begin, other, weight, own = self._rows
        leaving = self._given[self._turn]
        np.ldexp(leaving, self._power, out=leaving)
        leaving[leaving == 0] = 1.0
        held = leaving - damping * own.astype(np.float64)
        right, h = b[self._turn], np.zeros(b.size)
        if backward:
            right *= leaving
        # the residual's norms that the solver does not see are at most its own, times this (Cauchy and Schwarz)
        open_, ends = held[self._free :], leaving[self._free :]
        reach = (open_ / ends / ends).max(initial=0.0) if backward else open_.sum()
        enough = (2 * aim) ** 2 / reach if reach else 0.0
        work = np.zeros((5, open_.size))
        rounds = self._fast.conjugate(begin, other, weight, self._free, held, damping, enough, most, right, h, work)
        if not backward:
            h *= leaving
        x = np.empty(b.size)
        x[self._turn] = h
        return x, int(rounds)


def steps(n: int, source: np.ndarray, target: np.ndarray, weight: np.ndarray | None, *, reversible: bool) -> Steps:
    """Steps from ``source`` to ``target`` in proportion to the weights; parallel ones are summed, zeros left out."""
    data = np.ones(source.size) if weight is None else np.asarray(weight, dtype=np.float64)
    inward = csr_array((data, (target, source)), shape=(n, n))
    inward.sum_duplicates()
    if weight is not None:
        inward.eliminate_zeros()
    leaving = np.bincount(inward.indices, weights=inward.data, minlength=n)
    inward.data /= leaving[inward.indices]
    return Steps(inward, reversible, leaving)


# -- solutions -------------------------------------------------------------------------------------------------------


def solve(
    product: Callable[[np.ndarray], np.ndarray],
    b: np.ndarray,
    damping: float,
    *,
    accept: Callable[[np.ndarray, float], bool],
    norm: Callable[[np.ndarray], float],
    tol: float,
    guess: Callable[[np.ndarray, float, int], tuple[np.ndarray, int]] | None = None,
) -> tuple[np.ndarray, float, int]:
    """Solution of ``x = b + product(x)`` for a product that shrinks ``norm`` to ``damping`` times at most.

    Plain steps are taken while they converge as fast as Chebyshev's would on a real spectrum in [-damping, damping];
    then Chebyshev's (Golub and Varga 1961), which halve the number of products on walks that go both ways. They may
    diverge on one-way ones: the residual is watched, and plain steps, which cannot fail, take over.

    ``guess(r, aim, most)`` is about the solution for r in place of b, its residual about ``aim``, and the products that
    took. Where it is given it is asked first, and again for what the true residual leaves, as long as that helps.

    Returns
    -------
    tuple
        x, the norm of its residual ``b + product(x) - x``, and the number of products, those of guesses included.
    """
    fast = damping / (1 + np.sqrt(1 - damping * damping))
    # what plain steps need at most, from anything no worse than the start
    most = 2 * LOOK
    if damping:
        most += int(np.ceil(np.log(max(tol, 1e-16) * (1 - damping) / 4) / np.log(damping)))
    spent = 0
    if guess is not None:
        x, r, last, aim = np.zeros_like(b), b, norm(b), tol * (1 - damping) / 2
        while True:
            more, products = guess(r, aim, most)
            x += more
            r = product(x)
            r += b
            r -= x
            residual, spent = norm(r), spent + products + 1
            if accept(x, residual):
                return x, residual, spent
            if not residual < last / 2:
                break
            last, aim = residual, aim / 10
    x, before, kept = b.copy(), b, b
    omega, began, first, last = 0.0, 0, np.inf, np.inf
    may_accelerate, step, end = True, -1, most
    while step + 1 < end:
        step += 1
        y = product(x)
        y += b
        if step % LOOK == 0 or step == end - 1:
            residual = norm(y - x)
            if accept(x, residual):
                return x, residual, spent + step + 1
            if omega and not residual <= SLACK * first * damping ** (step - began):
                omega, last, end = 0.0, residual, step + most
                if not residual <= first:
                    x, last = kept, first
                    continue
            if may_accelerate and residual > last * fast**LOOK:
                omega, began, first, kept, may_accelerate = 1.0, step, residual, x, False
            last = residual
        if omega:
            # the first accelerated step is a plain one: there is no step before it
            if step > began:
                omega = 1 / (1 - damping * damping * omega / (2 if step == began + 1 else 4))
            y *= omega
            y += (1 - omega) * before
        before, x = x, y
    raise NotConverged(
        f"the walks end at a residual of {residual:.1e} after {end} steps, and rounding lets them come no nearer; "
        f"'tol' is {tol:g}: ask for more than 1e-14"
    )


# -- paths -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Path:
    """Entities of a walk from a start to an end that visits none twice, and its part of the score."""

    codes: tuple[int, ...]
    weight: float


#: bound with its sign turned, ticket, path from here to the end, its product, which step back is next; -1: complete
_Entry = tuple[float, int, tuple[int, ...], float, int]


def heaviest_paths(
    inward: csr_array, factor: float, start: np.ndarray, upper: np.ndarray, end: int, k: int, *, budget: int = BUDGET
) -> list[Path]:
    """The k heaviest paths into ``end``, each the product of its start and of ``factor`` times its steps.

    ``start`` holds what begins at each entity and ``upper`` a solution of x = start + factor · inward x or more, which
    bounds every path into an entity, and caps it on its way: the search (A*, Hart, Nilsson and Raphael 1968) goes back
    from the end and meets the paths in order of weight. It ends after ``budget`` partial paths; then the paths met so
    far are given.
    """
    found: list[Path] = []
    heap: list[_Entry] = []
    ticket = count()
    sorted_: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def before(here: int) -> tuple[np.ndarray, np.ndarray]:
        """Who leads to an entity, with the part each gives, the most promising first; hubs are sorted once."""
        if here not in sorted_:
            first, last = inward.indptr[here], inward.indptr[here + 1]
            near, part = inward.indices[first:last], inward.data[first:last] * factor
            order = np.argsort(-part * upper[near], kind="stable")
            sorted_[here] = near[order], part[order]
        return sorted_[here]

    def go_on(path: tuple[int, ...], product: float, place: int) -> None:
        near, part = before(path[0])
        while place < near.size and near[place] in path:
            place += 1
        bound = product * part[place] * upper[near[place]] if place < near.size else 0.0
        if bound > 0:
            heapq.heappush(heap, (-float(bound), next(ticket), path, product, place))

    def arrive(path: tuple[int, ...], product: float) -> None:
        if start[path[0]] > 0:
            weight = _carried(inward, factor, start, upper, path)
            heapq.heappush(heap, (-weight, next(ticket), path, weight, -1))
        go_on(path, product, 0)

    arrive((int(end),), 1.0)
    while heap and len(found) < k and budget:
        budget -= 1
        _, _, path, product, place = heapq.heappop(heap)
        if place < 0:
            found.append(Path(path, product))
            continue
        near, part = before(path[0])
        go_on(path, product, place + 1)
        arrive((int(near[place]), *path), product * float(part[place]))
    met = [Path(path, weight) for _, _, path, weight, place in heap if place < 0]
    return found + sorted(met, key=lambda path: -path.weight)[: k - len(found)]


def _carried(inward: csr_array, factor: float, start: np.ndarray, upper: np.ndarray, path: tuple[int, ...]) -> float:
    """What a path carries to its end; at no entity more than ``upper``."""
    weight = float(min(start[path[0]], upper[path[0]]))
    for here, there in pairwise(path):
        first, last = inward.indptr[there], inward.indptr[there + 1]
        part = inward.data[first:last][inward.indices[first:last] == here].sum()
        weight = float(min(weight * factor * part, upper[there]))
    return weight
