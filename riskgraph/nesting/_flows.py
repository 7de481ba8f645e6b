"""Funding as columns: who puts how much money into what, one row a pair of funder and funded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskgraph._columns import RelationColumns
from riskgraph._solver import WalkSolver
from riskgraph._sparse import coalesce, reachable, row_pointers
from riskgraph.schema import ENTITY_KINDS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["UNTRACED", "Flows", "filled_in", "flows", "funding_pairs", "true_facts"]

#: what stands for money whose source or use is not on record
UNTRACED = "<untraced>"

PRODUCT = ENTITY_KINDS.index("product")
#: amounts below this part of a product's money are rounding
TINY = 1e-12


class Flows(NamedTuple):
    """Funding of one graph; entity codes, with one more code, ``n``, for untraced money at either end.

    Arrays of pairs, sorted by source and target: ``amount`` is the money on record (NaN: none is), ``share`` the
    funder's part of the target's money (NaN: unknown), ``part`` the target's part of the source's money, for
    conduits (NaN: unknown), ``geared`` the same of what an equity funder of the source is exposed to.
    Arrays of entities: ``conduit`` is True for what is looked through, ``total`` its money, ``inflow, outflow,
    equity`` what is on record.
    """

    n: int
    source: np.ndarray
    target: np.ndarray
    amount: np.ndarray
    share: np.ndarray
    gearing: np.ndarray
    conduit: np.ndarray
    total: np.ndarray
    inflow: np.ndarray
    outflow: np.ndarray
    equity: np.ndarray
    closed: tuple[np.ndarray, ...]

    @property
    def part(self) -> np.ndarray:
        """Part of the money of each pair's source that goes to its target; NaN where unknown or no conduit."""
        total = np.append(self.total, np.nan)[self.source]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(total > 0, self.amount / total, np.nan)


class Pairs(NamedTuple):
    """Distinct pairs of funder and funded with their relations, before money is filled in."""

    source: np.ndarray
    target: np.ndarray
    amount: np.ndarray
    share: np.ndarray
    loan: np.ndarray
    #: a relation of the pair has neither amount nor share
    unknown: np.ndarray
    #: positions of the relations of each pair
    indptr: np.ndarray
    positions: np.ndarray
    conduit: np.ndarray


def true_facts(graph: EntityGraph, name: str) -> np.ndarray:
    """Mask of the entities whose fact of this name is true on the graph's day."""
    facts = graph.facts
    mask = np.zeros(len(graph), dtype=bool)
    rows = facts[(facts["fact"] == name) & facts["value"].map(lambda value: value is True or value == 1)]
    mask[graph.codes(rows["entity"])] = True
    return mask


def funding_pairs(graph: EntityGraph, columns: RelationColumns | None = None) -> Pairs:
    """Funding relations of a graph, or of other columns of it, turned to lead from funder to funded.

    ``invests`` and ``packaged_from`` as they stand; ``lends`` and ``owns`` where a conduit is at one end;
    ``raises_on`` turned round, from a platform that takes money to who borrows on it.
    """
    given = columns is None
    columns = graph.columns if columns is None else columns
    product = graph.kinds == PRODUCT

    def build() -> Pairs:
        invests, lends = columns.of("invests", "packaged_from"), columns.of("lends")
        raises, owns = columns.of("raises_on"), columns.of("owns")
        conduit = product.copy()
        if raises.size:
            paid = np.zeros(len(graph), dtype=bool)
            paid[columns.only(invests).target] = True
            paid[columns.only(lends).target] = True
            platform = np.zeros(len(graph), dtype=bool)
            platform[columns.only(raises).target] = True
            conduit |= platform & paid
        lent, owned = columns.only(lends), columns.only(owns)
        lends = lends[conduit[lent.source] | conduit[lent.target]]
        owns = owns[product[owned.source] | product[owned.target]]
        raises = raises[conduit[columns.only(raises).target]]
        parts = [columns.only(at) for at in (invests, lends, owns, raises)]
        position = np.concatenate([invests, lends, owns, raises])
        # from here on what is raised leads from the platform to the borrower
        a = np.concatenate([*(part.source for part in parts[:3]), parts[3].target]).astype(np.int64)
        b = np.concatenate([*(part.target for part in parts[:3]), parts[3].source]).astype(np.int64)
        loan = np.repeat([False, True, False], [invests.size, lends.size, owns.size + raises.size])
        amount, low, high = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("amount", "share_min", "share_max")
        )
        share = np.where(low == high, low, np.nan)
        keep = a != b
        return _merge(a[keep], b[keep], amount[keep], share[keep], loan[keep], position[keep], conduit)

    return graph.cached(("nesting", "pairs"), build) if given else build()


def _merge(
    source: np.ndarray,
    target: np.ndarray,
    amount: np.ndarray,
    share: np.ndarray,
    loan: np.ndarray,
    position: np.ndarray,
    conduit: np.ndarray,
) -> Pairs:
    """Sum parallel relations; a relation with neither amount nor share makes its pair unknown."""
    n = conduit.size
    key = source * n + target
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.r_[True, np.diff(key) != 0]) if key.size else np.empty(0, dtype=np.int64)
    indptr = np.r_[first, key.size].astype(np.int64)
    amount, share, loan = amount[order], share[order], loan[order]
    if not key.size:
        nothing = np.empty(0)
        none = np.empty(0, dtype=bool)
        codes = np.empty(0, dtype=np.int64)
        return Pairs(codes, codes, nothing, nothing, nothing, none, indptr[:1], codes, conduit)

    def total(values: np.ndarray) -> np.ndarray:
        known = ~np.isnan(values)
        sums = np.add.reduceat(np.where(known, values, 0.0), first)
        return np.where(np.logical_or.reduceat(known, first), sums, np.nan)

    return Pairs(
        source=key[first] // n,
        target=key[first] % n,
        amount=total(amount),
        share=total(share),
        loan=np.nan_to_num(total(np.where(loan, amount, np.nan))),
        unknown=np.logical_or.reduceat(np.isnan(amount) & np.isnan(share), first),
        indptr=indptr,
        positions=position[order],
        conduit=conduit,
    )


def flows(graph: EntityGraph) -> Flows:
    """Funding of a graph on its day with totals, shares and untraced money filled in; cached."""
    return graph.cached(("nesting", "flows"), lambda: filled_in(funding_pairs(graph)))


def filled_in(pairs: Pairs) -> Flows:
    """Pairs with totals, shares and untraced money filled in."""
    n, conduit = pairs.conduit.size, pairs.conduit
    source, target = pairs.source, pairs.target
    total = _declared_total(pairs)
    amount = pairs.amount.copy()
    missing = np.isnan(amount) & ~np.isnan(pairs.share) & conduit[target]
    total = _solved_total(pairs, amount, missing, total)
    amount[missing] = pairs.share[missing] * total[target[missing]]

    known = np.nan_to_num(amount)
    inflow = np.bincount(target, weights=known, minlength=n)
    outflow = np.bincount(source, weights=known, minlength=n)
    equity = inflow - np.bincount(target, weights=pairs.loan, minlength=n)
    on_record = np.zeros(n, dtype=bool)
    on_record[target[~np.isnan(amount)]] = True
    on_record[source[~np.isnan(amount)]] = True
    total = np.where(conduit & on_record, np.fmax(np.fmax(inflow, outflow), np.nan_to_num(total)), np.nan)

    # the rest of a conduit's money: where it came from, where it went
    slack = TINY * np.nan_to_num(total)
    into = np.flatnonzero(conduit & (total - inflow > slack))
    out = np.flatnonzero(conduit & (total - outflow > slack))
    funded, funds = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    funded[target], funds[source] = True, True
    # nothing on record, not even a relation: the money of an unfunded or of an idle conduit is unknown
    dark_in = np.flatnonzero(conduit & funds & ~funded & ~(total - inflow > slack))
    dark_out = np.flatnonzero(conduit & funded & ~funds & ~(total - outflow > slack))
    everything = (
        np.r_[source, np.full(into.size + dark_in.size, n), out, dark_out],
        np.r_[target, into, dark_in, np.full(out.size + dark_out.size, n)],
        np.r_[amount, (total - inflow)[into], np.full(dark_in.size, np.nan), (total - outflow)[out],
              np.full(dark_out.size, np.nan)],
    )  # fmt: skip
    extra = everything[0].size - source.size
    declared = np.r_[pairs.share, np.full(extra, np.nan)]
    loan = np.r_[pairs.loan, np.zeros(extra)]
    order = np.lexsort((everything[1], everything[0]))
    a, b, money = (values[order] for values in everything)
    share = _shares(n, a, b, money, declared[order], np.r_[pairs.unknown, np.zeros(extra, dtype=bool)][order], total)
    closed = _closed(n, a, b, share, conduit)
    if closed:
        # a ring that only funds itself: nobody on record stands behind its money
        ring = np.concatenate(closed)
        inside = np.zeros(n + 1, dtype=bool)
        inside[ring] = True
        turn = inside[a] & inside[b]
        share[turn], money[turn] = 0.0, 0.0
        a, b = np.r_[a, np.full(ring.size, n)], np.r_[b, ring]
        money, share = np.r_[money, total[ring]], np.r_[share, np.ones(ring.size)]
        loan = np.r_[loan[order], np.zeros(ring.size)]
        again = np.lexsort((b, a))
        a, b, money, share, loan = a[again], b[again], money[again], share[again], loan[again]
    else:
        loan = loan[order]
    return Flows(
        n, a, b, money, share, _gearing(b, money, loan, total, equity), conduit, total, inflow, outflow, equity, closed
    )


def _declared_total(pairs: Pairs) -> np.ndarray:
    """Money of a conduit from pairs that give both amount and share: their amounts over their shares."""
    n = pairs.conduit.size
    both = ~np.isnan(pairs.amount) & (np.nan_to_num(pairs.share) > 0) & pairs.conduit[pairs.target]
    sums = np.bincount(pairs.target[both], weights=pairs.amount[both], minlength=n)
    parts = np.bincount(pairs.target[both], weights=pairs.share[both], minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(parts > 0, sums / parts, np.nan)


def _solved_total(pairs: Pairs, amount: np.ndarray, missing: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Money of conduits of which only shares are declared: what they put into assets and into each other.

    ``T = S T + h``, with ``S`` the declared shares among them and ``h`` their known outlays. A conduit whose outlays
    are not all known, or that has none, stays unknown, and so does who funds such a one by share.
    """
    n = pairs.conduit.size
    source, target = pairs.source, pairs.target
    wanted = np.zeros(n, dtype=bool)
    wanted[target[missing]] = True
    paid = np.zeros(n, dtype=bool)
    paid[target[~np.isnan(amount)]] = True
    wanted &= np.isnan(total) & ~paid
    if not wanted.any():
        return np.where(np.isnan(total) & paid, np.bincount(target, weights=np.nan_to_num(amount), minlength=n), total)
    total = np.where(np.isnan(total) & paid, np.bincount(target, weights=np.nan_to_num(amount), minlength=n), total)
    among = missing & wanted[target] & wanted[source]
    settled = missing & ~wanted[target]
    outlay = np.where(settled, pairs.share * total[target], amount)
    dark = wanted.copy()
    dark[source] = False
    dark[source[np.isnan(outlay) & ~among]] = True
    dark &= wanted
    if dark.any():
        back = coalesce(n, target[among], source[among], np.ones(int(among.sum())))
        dark = reachable(back.indptr, back.indices, np.flatnonzero(dark)) & wanted
    h = np.bincount(source, weights=np.where(among, 0.0, np.nan_to_num(outlay)), minlength=n)
    good = among & ~dark[source] & ~dark[target]
    solver = WalkSolver(coalesce(n, source[good], target[good], pairs.share[good]))
    found = solver.solve(np.where(wanted & ~dark, h, 0.0))
    for ring in (*solver.closed, *solver.divergent):
        found[ring] = np.nan
    return np.where(wanted, np.where(dark, np.nan, found), total)


def _shares(
    n: int,
    source: np.ndarray,
    target: np.ndarray,
    amount: np.ndarray,
    declared: np.ndarray,
    unknown: np.ndarray,
    total: np.ndarray,
) -> np.ndarray:
    """Funder's part of the target's money: as declared, else its amount over all of it."""
    conduit = ~np.isnan(np.append(total, np.nan))
    sums = np.bincount(target, weights=np.nan_to_num(amount), minlength=n + 1)
    whole = np.where(conduit, np.append(total, np.nan), sums)
    open_ = np.isnan(amount) & np.isnan(declared)
    dark = np.zeros(n + 1, dtype=bool)
    dark[target[unknown | (open_ & (target < n))]] = True
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(whole[target] > 0, amount / whole[target], np.nan)
    share[dark[target]] = np.nan
    return np.where(np.isnan(declared), share, declared)


def _closed(
    n: int, source: np.ndarray, target: np.ndarray, share: np.ndarray, conduit: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Groups of conduits whose money comes from inside the group only."""
    looked = np.append(conduit, False)
    inner = looked[source] & looked[target] & (np.nan_to_num(share) > 0)
    if not inner.any():
        return ()
    solver = WalkSolver(coalesce(n, source[inner], target[inner], share[inner]))
    return (*solver.closed, *solver.divergent)


def _gearing(
    target: np.ndarray, amount: np.ndarray, loan: np.ndarray, total: np.ndarray, equity: np.ndarray
) -> np.ndarray:
    """What a pair's money is exposed to, a unit of it: the target's money over its equity, 1 for what was lent."""
    total, equity = np.append(total, np.nan), np.append(equity, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        lever = np.where((equity[target] > 0) & (total[target] > 0), total[target] / equity[target], 1.0)
        lent = np.where(np.nan_to_num(amount) > 0, np.clip(loan / amount, 0.0, 1.0), 0.0)
    return np.where(np.isnan(lent), 1.0, lent + (1 - lent) * lever)


def out_pointers(given: Flows) -> np.ndarray:
    """Where the pairs of each source begin."""
    return row_pointers(given.n + 1, given.source)
