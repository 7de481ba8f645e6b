"""Shares of owners, one owner after another, along an order in which holders come before what they hold.

The compiled counterpart of :mod:`riskgraph.ownership._values`. The order is found once a graph and kept on it; after
that the work is proportional to what the owners reach. Rings are swept until no value rises any more, beginning at 0:
a sweep is monotone, rounding included, so values climb to the least fixed point, which is the answer, the greatest
shares included. Owners of rings in which shares circulate for long are left to the plain form, which solves rings as
linear systems.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskgraph._sparse import CLOSED, SHARE_UNITS, row_pointers, strong_components
from riskgraph.ownership._holdings import Holdings, holdings

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["Descent", "closed_groups", "descend", "descent"]

#: sweeps of one ring for one owner before the owner is left to the plain form
SWEEPS = 200


class Descent(NamedTuple):
    """Holdings by places: positions in an order in which holders come first and the members of a ring lie together."""

    #: code of each place, and place of each code
    code: np.ndarray
    place: np.ndarray
    #: number of places that hold something or are contested: the others, which need no turn, come last
    busy: int
    #: where the ring of each of those ends; the next place where it is in none
    last: np.ndarray
    #: holdings by holder: where those of each place begin, their company, what they carry at least and, whatever the
    #: others do, at most
    begin: np.ndarray
    company: np.ndarray
    share: np.ndarray
    #: holdings within rings, by company
    inner: np.ndarray
    holder: np.ndarray
    inner_share: np.ndarray
    #: holdings that compete for the slack of a company, by company, and the room of each
    open: np.ndarray
    rival: np.ndarray
    room: np.ndarray
    slack: np.ndarray
    #: members of the largest ring, and the most holdings that compete
    widest: int
    most_rooms: int
    #: mask of the codes in rings that hold all of themselves
    closed: np.ndarray


def descent(graph: EntityGraph) -> Descent:
    """Holdings of a graph in that order, kept on it."""
    return graph.cached(("ownership", "descent"), lambda: _descent(holdings(graph)))


def _descent(held: Holdings) -> Descent:
    live = held.high > 0
    count, label = strong_components(held.n, held.owner[live], held.company[live])
    room, slack = held.high - held.low, held.remainder
    contested = np.bincount(held.company, weights=room, minlength=held.n) > slack + 1e-15
    idle = ~contested
    idle[held.owner] = False
    code = np.argsort(label + count * idle.astype(np.int64), kind="stable").astype(np.uint32)
    place = np.empty(held.n, dtype=np.uint32)
    place[code] = np.arange(held.n, dtype=np.uint32)
    label, slack = label[code], slack[code]
    holder, company, low = place[held.owner], place[held.company], held.low
    contested = contested[held.company]
    share = np.column_stack([low, np.where(contested, low, held.high)])
    inside = (label[holder] == label[company]) & live
    sums = np.bincount(company[inside], weights=low[inside], minlength=held.n)
    closed = np.zeros(count, dtype=bool)
    closed[label[company[inside]]] = True
    closed[label[(sums < 1 - CLOSED) | (held.exact_declared[code] / SHARE_UNITS > 1 + 1e-12)]] = False
    onward = np.argsort(holder, kind="stable")
    inner, rivals = _by_company(company, inside), _by_company(company, contested & (room > 0))
    busy = held.n - int(idle.sum())
    cut = np.flatnonzero(np.diff(label[:busy], append=-1)) + 1
    rooms = row_pointers(busy, company[rivals])
    return Descent(
        code=code,
        place=place,
        busy=busy,
        last=np.repeat(cut, np.diff(cut, prepend=0)).astype(np.uint32),
        begin=row_pointers(busy, holder).astype(np.uint32),
        company=company[onward],
        share=share[onward],
        inner=row_pointers(busy, company[inner]).astype(np.uint32),
        holder=holder[inner],
        inner_share=share[inner],
        open=rooms.astype(np.uint32),
        rival=holder[rivals],
        room=room[rivals],
        slack=slack,
        widest=int(np.diff(cut, prepend=0).max(initial=0)),
        most_rooms=int(np.diff(rooms).max(initial=0)),
        closed=closed[label][place],
    )


def _by_company(company: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Positions of a mask, by company."""
    places = np.flatnonzero(some)
    return places[np.argsort(company[places], kind="stable")]


def descend(
    fast: ModuleType, way: Descent, owners: np.ndarray, upstream: np.ndarray | None, *, most: int
) -> tuple[np.ndarray, ...]:
    """Owner, company, least and greatest share of all pairs, sorted, an owner being 1 of itself.

    Parameters
    ----------
    fast
        The compiled loops.
    owners
        Codes, each once, sorted.
    upstream
        Mask of the codes that lead to the companies asked about; None for all.
    most
        Pairs after which no further owner is begun.

    Returns
    -------
    The four columns; the owners met that are left to the plain form; and the owners not begun.
    """
    owners = owners[way.place[owners] < way.busy]
    allowed = np.empty(0, dtype=bool) if upstream is None else upstream[way.code]
    who, what, low, high, slow = fast.descend(way, way.place[owners], allowed, SWEEPS, most)
    met, late = owners[: slow.size], owners[slow.size :]
    asset = way.code[what].astype(np.int64)
    order = np.argsort(who * way.code.size + asset)
    return met[who[order]], asset[order], low[order], high[order], met[slow], late


def closed_groups(way: Descent, asset: np.ndarray) -> list[np.ndarray]:
    """Codes of the rings among ``asset`` that hold all of themselves."""
    places = np.unique(way.place[asset[way.closed[asset]]])
    if not places.size:
        return []
    return np.split(way.code[places].astype(np.int64), np.flatnonzero(np.diff(way.last[places])) + 1)
