"""Companies that hold each other: values of all owners in one strongly connected component, solved as a block."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse import csr_array

from riskgraph._solver import SMALL, WalkSolver
from riskgraph._sparse import CLOSED, coalesce, expand
from riskgraph.errors import NotConverged
from riskgraph.ownership._spread import Ledger, Stakes, TooManyPairs, fill_by_value, group_sums

__all__ = ["Ring", "closed_rings", "open_ring", "settle_ring"]

#: entries of one batch of dense systems
BATCH = 4_000_000
#: rings up to this size are factorised densely: there are many right sides
FACTORED = 4_000
#: a choice of shares is replaced only by one that is better by more than rounding
STRICTLY = 1e-13
#: an owner whose walks return to it this often is solved with its own holders left out, which is better conditioned
RETURNS = 1e3


@dataclass(frozen=True)
class Ring:
    """One component: its companies, the holdings in them, and what owners hold of the holders outside."""

    #: codes of the companies, sorted
    nodes: np.ndarray
    #: of each holding: its company, and its holder or -1 for one outside, both as places in ``nodes``
    at: np.ndarray
    inner: np.ndarray
    weights: tuple[np.ndarray, ...]
    room: np.ndarray
    #: of each company
    slack: np.ndarray
    contested: np.ndarray
    over: bool
    #: entries of the outside holders: owner, least and greatest share, and the holding it belongs to
    who: np.ndarray
    shares: list[np.ndarray]
    holding: np.ndarray

    @property
    def size(self) -> int:
        """Number of companies."""
        return int(self.nodes.size)

    def matrix(self, weight: np.ndarray) -> csr_array:
        """Holdings among the companies."""
        inside = self.inner >= 0
        return coalesce(self.size, self.inner[inside], self.at[inside], weight[inside])

    def most_valuable(self) -> tuple[np.ndarray, np.ndarray]:
        """Owners and a bound on their greatest share in any company of the ring, found without solving it.

        The greatest share x occurs in some company j that holders outside carry value into, and x is at most that
        value plus x times what holders inside can hold of j.
        """
        inside = self.inner >= 0
        top = self.weights[-1] + self.room
        within = np.bincount(self.at[inside], weights=top[inside], minlength=self.size)
        without = np.bincount(self.at[~inside], weights=self.weights[0][~inside], minlength=self.size)
        left = 1.0 - np.minimum(within, 1.0 - without)
        entry = self.at[self.holding]
        key, (value,) = group_sums(self.who.astype(np.int64) * self.size + entry, top[self.holding] * self.shares[-1])
        with np.errstate(divide="ignore"):
            return key // self.size, value / np.maximum(left[key % self.size], 0.0)


def open_ring(given: Stakes, ledger: Ledger, nodes: np.ndarray) -> Ring:
    """Component of ``nodes`` with what the ledger holds of its outside holders."""
    edge, at = expand(given.pointers, nodes)
    holder = given.owner[edge]
    inner = np.where(given.label[holder] == given.label[nodes[0]], np.searchsorted(nodes, holder), -1)
    outside = np.flatnonzero(inner < 0)
    who, shares, place = ledger.read(holder[outside])
    return Ring(
        nodes=nodes,
        at=at,
        inner=inner,
        weights=tuple(weight[edge] for weight in given.weights),
        room=given.room[edge],
        slack=given.slack[nodes],
        contested=given.contested[nodes],
        over=bool(given.over[nodes].any()),
        who=who,
        shares=shares,
        holding=outside[place],
    )


def settle_ring(
    ledger: Ledger, ring: Ring, number: np.ndarray, keep: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Companies, owners and shares of all owners in the companies of one component."""
    nodes, who, shares, place = ring.nodes, ring.who, ring.shares, ring.holding
    if keep is not None:
        some = keep[who]
        who, shares, place = who[some], [share[some] for share in shares], place[some]
    members = np.flatnonzero(number[nodes] >= 0)
    owners = np.union1d(who, number[nodes[members]])
    if not owners.size:
        return owners, owners, [np.empty(0) for _ in shares]
    if ledger.size + owners.size * ring.size > ledger.most:
        raise TooManyPairs
    member = np.full(owners.size, -1, dtype=np.int64)
    member[np.searchsorted(owners, number[nodes[members]])] = members
    row = np.searchsorted(owners, who)
    solvers: list[_Exact | _Greatest] = [_Exact(ring, ring.weights[0])]
    wide = ring.size
    if ring.contested.any():
        solvers.append(_Greatest(ring))
        wide = max(wide, int((ring.room > 0).sum() * ring.contested.sum()))
    elif len(ring.weights) > 1:
        same = bool((ring.weights[0] == ring.weights[1]).all())
        solvers.append(solvers[0] if same else _Exact(ring, ring.weights[1]))
    step = max(1, BATCH // wide)
    found = []
    for begin in range(0, owners.size, step):
        now = (row >= begin) & (row < begin + step)
        x = [
            solve(member[begin : begin + step], row[now] - begin, place[now], share[now])
            for solve, share in zip(solvers, shares, strict=True)
        ]
        rows, companies = np.nonzero(x[-1] > 0)
        found.append((nodes[companies], owners[begin + rows], *(share[rows, companies] for share in x)))
    node, who, *shares = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return node, who, shares


def closed_rings(given: Stakes) -> list[np.ndarray]:
    """Codes of the components that hold all of themselves: nobody outside holds a part, and nothing is left over."""
    inside = given.label[given.owner] == given.label[given.company]
    sums = np.bincount(given.company[inside], weights=given.low[inside], minlength=given.n)
    closed = np.zeros(int(given.label.max(initial=-1)) + 1, dtype=bool)
    closed[given.label[given.cyclic]] = True
    closed[given.label[(sums < 1 - CLOSED) | given.over]] = False
    nodes = np.flatnonzero(closed[given.label])
    if not nodes.size:
        return []
    nodes = nodes[np.argsort(given.label[nodes], kind="stable")]
    cut = np.flatnonzero(np.diff(given.label[nodes])) + 1
    return [given.codes[part] for part in np.split(nodes, cut)]


class _Base:
    """The linear system of a ring under given shares, ``x = b + Wᵀ x``."""

    def __init__(self, ring: Ring, weight: np.ndarray) -> None:
        self.W = ring.matrix(weight)
        self.sums = np.asarray(self.W.sum(axis=0)).ravel()
        self.closed = bool((self.sums >= 1 - CLOSED).all()) and not ring.over
        # only shares that sum above 1 can circulate for ever and yet not be closed
        self.endless = self.closed or (ring.over and bool(WalkSolver(self.W).divergent or WalkSolver(self.W).closed))

    @cached_property
    def _factor(self) -> Any:
        return lu_factor(np.eye(self.W.shape[0]) - self.W.toarray(), overwrite_a=True, check_finite=False)

    @cached_property
    def _solver(self) -> WalkSolver:
        return WalkSolver(self.W)

    def solve(self, right: np.ndarray) -> np.ndarray:
        """Solutions for the rows of ``right``."""
        if not right.shape[0]:
            return right
        size = self.W.shape[0]
        if size <= SMALL:
            return np.linalg.solve(np.eye(size) - self.W.toarray().T, right.T).T
        if size > FACTORED:
            return self._solver.solve_transposed(right.T).T
        return lu_solve(self._factor, right.T, trans=1, check_finite=False).T

    def alone(self, owner: int) -> np.ndarray:
        """Values of one member with its own holders left out, infinite where the shares circulate for ever."""
        size = self.W.shape[0]
        rows = np.repeat(np.arange(size), np.diff(self.W.indptr))
        keep = self.W.indices != owner
        solver = WalkSolver(coalesce(size, rows[keep], self.W.indices[keep], self.W.data[keep]))
        x = solver.solve_transposed(np.eye(1, size, owner)[0])
        if solver.divergent or solver.closed:
            x[:] = np.inf
            x[owner] = 1.0
        return x


class _Exact:
    """Values in a ring whose shares are settled: one linear system for all owners."""

    def __init__(self, ring: Ring, weight: np.ndarray) -> None:
        self.ring, self.weight = ring, weight
        self.base = _Base(ring, weight)

    def __call__(self, member: np.ndarray, row: np.ndarray, place: np.ndarray, value: np.ndarray) -> np.ndarray:
        carried = _carried(self.ring, self.weight, member.size, row, place, value)
        mine = np.flatnonzero(member >= 0)
        if self.base.closed:
            # nothing leaves a closed ring but through the owner itself: all of it comes back to each member
            carried[mine] = 1.0
            return carried
        if self.base.endless:
            carried[:] = np.where(carried.any(axis=1, keepdims=True), np.inf, 0.0)
            for r in mine:
                carried[r] = self.base.alone(int(member[r]))
            return carried
        carried[mine, member[mine]] = 1.0
        x = self.base.solve(carried)
        returns = x[mine, member[mine]].copy()
        x[mine] /= returns[:, None]
        for r in mine[returns > RETURNS]:
            x[r] = self.base.alone(int(member[r]))
        return x


def _carried(
    ring: Ring, weight: np.ndarray, rows: int, row: np.ndarray, place: np.ndarray, value: np.ndarray
) -> np.ndarray:
    """What outside holders carry into each company of a ring, owners by companies."""
    key = row * ring.size + ring.at[place]
    total = np.bincount(key, weights=weight[place] * value, minlength=rows * ring.size)
    return total.reshape(rows, ring.size)


class _Greatest:
    """Greatest values in a ring where holders compete for what is left, by policy iteration over all owners at once.

    It begins with every share at its low. Each round solves for the values under the shares as chosen, then lets
    every company share out its slack anew, to its most valuable holders first; a company changes its shares only if
    that is better by more than rounding. This ends at the greatest values:

    * values never fall. Let x be the values under the old shares and T the operator of the new ones. Changed
      companies have (T x)_j > x_j, the others (T x)_j = x_j, so T x >= x, and repeating T can only go up;
    * no round closes a group. Were G closed under the new shares without the owner in it, take those companies of G
      whose x is greatest: Σ w_kj x_k cannot exceed that within G, so they did not change, and all they are held by
      is as valuable as they are, hence among them: they were closed before, where x = 0. Then x = 0 on all of G, no
      company of G had anything to gain, and G was closed from the start. So the systems stay regular;
    * there are finitely many ways to share out in order of value, values rise strictly with every change, and where
      no company can gain, x is a fixed point of the maximum. As walks reach the owner or end under every choice
      that is not closed, it is the least such, and that is the supremum over all shares (Puterman 1994, theorem
      7.2.3 and section 7.2.4).

    The greatest value is attained, by the shares of the last round, in all companies at once.

    The system under the lows is solved once. A choice only adds what the contested companies share out, so that each
    owner's values in each round follow from a system as small as their number: with ``y`` the values shared out in
    them and ``Z`` the answers of the lows to a unit put into each, ``x = x_low + Z y`` and ``y = fill · x``. A member
    of the ring is held at 1 by whatever must be put into it, which is the same as leaving its holders out.
    """

    #: rounds before giving up; a handful is usual
    ROUNDS = 500

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.base = _Base(ring, ring.weights[1])
        self.open = np.flatnonzero(ring.contested[ring.at] & (ring.room > 0))
        self.companies = np.unique(ring.at[self.open])
        #: of each contested holding: its company's place in ``companies``, its holder within the ring or -1
        self.to = np.searchsorted(self.companies, ring.at[self.open])
        self.first = np.searchsorted(self.to, np.arange(self.companies.size))
        self.of = ring.inner[self.open]
        if not self.base.endless:
            self.Z = self.base.solve(_units(ring.size, self.companies))

    def __call__(self, member: np.ndarray, row: np.ndarray, place: np.ndarray, value: np.ndarray) -> np.ndarray:
        ring, rows, count = self.ring, member.size, self.companies.size
        carried = _carried(ring, ring.weights[1], rows, row, place, value)
        mine = np.flatnonzero(member >= 0)
        if self.base.endless:
            carried[:] = np.where(carried.any(axis=1, keepdims=True), np.inf, 0.0)
            carried[mine] = np.inf
            carried[mine, member[mine]] = 1.0
            return carried
        start = self.base.solve(carried)
        pull = np.zeros((rows, ring.size))
        pull[mine] = self.base.solve(_units(ring.size, member[mine]))
        inside = np.flatnonzero(self.of >= 0)
        # what a holder is worth before anything is shared out: known outside the ring, a part of the answer inside
        fixed = np.zeros((rows, self.open.size))
        where = np.full(ring.at.size, -1)
        where[self.open] = np.arange(self.open.size)
        outer = where[place] >= 0
        fixed[row[outer], where[place[outer]]] = value[outer]
        fixed[:, inside] = start[:, self.of[inside]]
        Z = np.zeros((count, self.open.size))
        Z[:, inside] = self.Z[:, self.of[inside]]
        P = np.zeros((rows, self.open.size))
        P[:, inside] = pull[:, self.of[inside]]
        frozen = np.zeros((rows, count), dtype=bool)
        frozen[mine] = self.companies == member[mine, None]
        fill = np.zeros((rows, self.open.size))
        put, held = np.zeros((rows, count)), np.zeros(rows)
        held[mine] = 1.0 / pull[mine, member[mine]]
        level = start[:, self.companies]
        active = np.arange(rows)
        for _ in range(self.ROUNDS):
            worth = fixed[active] + put[active] @ Z + held[active, None] * P[active]
            new = self._share_out(worth)
            gain = self._per_company((new - fill[active]) * worth)
            now = level[active] + put[active] @ self.Z[:, self.companies]
            now += held[active, None] * pull[np.ix_(active, self.companies)]
            better = (gain > STRICTLY * now) & ~frozen[active]
            some = better.any(axis=1)
            active, better = active[some], better[some]
            if not active.size:
                break
            fill[active] = np.where(better[:, self.to], new[some], fill[active])
            put[active], held[active] = self._evaluate(
                member[active], fill[active], fixed[active], Z, P[active], pull[active]
            )
            if ring.over:  # shares that grow without end solve to something below 0, whatever else is chosen
                active = active[((put[active] > -1e-9) & np.isfinite(put[active])).all(axis=1)]
        else:
            raise NotConverged(
                f"the greatest shares in a ring of {ring.size} companies were not settled in {self.ROUNDS} rounds"
            )
        x = start + put @ self.Z + held[:, None] * pull
        if ring.over:
            x[~(x > -1e-9).all(axis=1)] = np.inf
        x[mine, member[mine]] = 1.0
        return x

    def _share_out(self, worth: np.ndarray) -> np.ndarray:
        """Slack of each company to its most valuable holders, by owner."""
        rows = worth.shape[0]
        group = (np.arange(rows)[:, None] * self.companies.size + self.to).ravel()
        room = np.tile(self.ring.room[self.open], rows)
        budget = np.tile(self.ring.slack[self.ring.at[self.open]], rows)
        return fill_by_value(group, worth.ravel(), room, budget).reshape(worth.shape)

    def _per_company(self, part: np.ndarray) -> np.ndarray:
        """Sums over the contested holdings of each company, along the second axis."""
        return np.add.reduceat(part, self.first, axis=1)

    def _evaluate(
        self, member: np.ndarray, fill: np.ndarray, fixed: np.ndarray, Z: np.ndarray, P: np.ndarray, pull: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """What each company shares out under chosen shares, and what holds each member at 1.

        The unknowns of an owner are its ``y`` and, for a member of the ring, what is put into it.
        """
        rows, count = fill.shape[0], self.companies.size
        mine = np.flatnonzero(member >= 0)
        system = np.zeros((rows, count + 1, count + 1))
        # what one unit shared out in one company adds to what is shared out in another
        system[:, :count, :count] = np.eye(count) - self._per_company(fill[:, :, None] * Z.T)
        system[:, :count, count] = -self._per_company(fill * P)
        system[:, count, count] = 1.0
        right = np.zeros((rows, count + 1))
        right[:, :count] = self._per_company(fill * fixed)
        system[mine, count, :count] = self.Z[:, member[mine]].T
        system[mine, count, count] = pull[mine, member[mine]]
        right[mine, count] = 1.0
        try:
            answer = np.linalg.solve(system, right[..., None])[..., 0]
        except np.linalg.LinAlgError:
            if not self.ring.over:
                raise
            answer = np.full(right.shape, np.inf)
        return answer[:, :count], np.where(member >= 0, answer[:, count], 0.0)


def _units(size: int, places: np.ndarray) -> np.ndarray:
    unit = np.zeros((places.size, size))
    unit[np.arange(places.size), places] = 1.0
    return unit
