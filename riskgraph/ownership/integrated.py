"""Integrated ownership: what an owner holds of a company directly and through all others, in sharp bounds."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from riskgraph._optional import kernels
from riskgraph._sparse import CLOSED, expand, reachable
from riskgraph.errors import InvalidParameter
from riskgraph.ownership._columns import Columns, undecided
from riskgraph.ownership._descent import closed_groups, descend, descent
from riskgraph.ownership._holdings import Holdings, holdings
from riskgraph.ownership._paths import simple_path_sums
from riskgraph.ownership._rings import closed_rings
from riskgraph.ownership._spread import Stakes, TooManyPairs, fill_by_value, group_sums, settle_decimals, stakes
from riskgraph.ownership._values import spread

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["METHODS", "Pairs", "integrated_ownership", "integrated_pairs"]

logger = logging.getLogger(__name__)

METHODS = ("corrected", "all_walks", "simple_paths")

#: owners solved together
BLOCK = 25_000
#: pairs met inside one block before it is halved
BLOCK_PAIRS = 30_000_000
#: companies asked about without naming owners, up to which each is solved for all owners at once
FEW = 200
#: most rows of one answer
MOST_ROWS = 50_000_000


class Pairs(NamedTuple):
    """Owner and company codes, sorted, with the least and greatest share; ``loops`` are the closed groups met."""

    owner: np.ndarray
    asset: np.ndarray
    low: np.ndarray
    high: np.ndarray
    loops: list[np.ndarray]


def integrated_ownership(
    graph: EntityGraph,
    owners: Iterable[str] | None = None,
    assets: Iterable[str] | None = None,
    *,
    method: str = "corrected",
    min_share: float = 0.0,
) -> pd.DataFrame:
    """Share of each company that each owner holds, directly and through all others, between sharp bounds.

    With ``W[owner, asset]`` the direct shares and ``N = (I - W)^-1`` the sum over all walks:

    ``"corrected"``
        ``N_ij / N_ii`` (Baldone): walks that never return to the owner. Equal to the plain series for owners whom
        nobody owns, and never above 1 on valid data.
    ``"all_walks"``
        ``N - I`` (Brioschi): every walk, so that an owner within a ring counts its own shares again and again.
    ``"simple_paths"``
        Walks that visit no entity twice; only for the rule of close links. Its work grows with the number of paths
        and is bounded.

    What a company holds of itself stays in the series: 60 % of a company with 5 % treasury shares are 60 / 95.

    Parameters
    ----------
    owners, assets
        Ids asked about; ``None`` is every entity. Only what leads from the owners to the assets is computed. With
        neither, all pairs are found, block by block; time and rows grow with the number of pairs in which one owns
        a part of the other, in registries some ten times the number of relations, and far more behind a large core
        of cross-holdings.
    method
        ``"corrected"``, ``"all_walks"`` or ``"simple_paths"``.
    min_share
        Leave out pairs whose share cannot reach this.

    Returns
    -------
    DataFrame
        ``owner, asset, direct_min, direct_max, share_min, share_max``, one row a pair with a share that can be above
        0, in the order of the entities; the owner itself is left out. ``attrs["ownerless_loops"]`` lists the closed
        groups met, each a tuple of ids: companies that own all of each other, so that no owner outside has a part.
        Each member then owns all of the others, and of what they own outside.

    Notes
    -----
    Bounds are sharp. A share given as an interval may take any value in it, a missing share any value that the
    other holders leave, as long as the shares of each company sum to at most 1; ``share_min`` and ``share_max`` are
    the least and greatest result over all of them. The least has every share at its low. For the greatest each
    company gives what is left to the holders that carry most of it back to the owner; where companies hold each
    other this is a policy iteration. The greatest shares of one owner in all companies occur together; those of
    different owners need not.

    With ``"simple_paths"`` the greatest is the smaller of the path sum at all highs and the corrected share: a bound
    that holds but need not be reached.

    Declared shares that sum above 1 are taken as they are, and results may exceed 1; where they make shares circulate
    without end, the result is infinite. Results that lie within rounding of a decimal of up to twelve places are
    that decimal, so that 0.3 × 0.4 + 0.3 × 0.4 is 0.24.

    Raises
    ------
    UnknownEntity
        An id that the graph does not hold.
    InvalidParameter
        Another method, a ``min_share`` outside [0, 1], or more than 50,000,000 rows.
    NotConverged
        ``"simple_paths"`` met more paths than it may follow.

    References
    ----------
    Brioschi, Buzzacchi and Colombo (1989); Baldone, Brioschi and Paleari (1998); Vitali, Glattfelder and
    Battiston (2011).

    Examples
    --------
    >>> import riskgraph as rg
    >>> rg.ownership.integrated_ownership(rg.datasets.toy_interval(), owners=["Ann"])
      owner    asset  direct_min  direct_max  share_min  share_max
    0   Ann  Holding         0.5        0.75      0.500      0.750
    1   Ann     Mine         0.0        0.00      0.125      0.375
    """
    if method not in METHODS:
        raise InvalidParameter(f"'method' must be one of {', '.join(METHODS)}; got {method!r}")
    if not 0 <= min_share <= 1:
        raise InvalidParameter(f"'min_share' must be in [0, 1]; got {min_share!r}")
    pairs = integrated_pairs(
        graph,
        None if owners is None else graph.codes(owners),
        None if assets is None else graph.codes(assets),
        method=method,
        min_share=min_share,
    )
    ids = graph.ids.to_numpy()
    held = holdings(graph)
    direct_min, direct_max = _direct(held, pairs.owner, pairs.asset)
    frame = pd.DataFrame(
        {
            "owner": pd.Series(ids[pairs.owner], dtype=object, copy=False),
            "asset": pd.Series(ids[pairs.asset], dtype=object, copy=False),
            "direct_min": direct_min,
            "direct_max": direct_max,
            "share_min": pairs.low,
            "share_max": pairs.high,
        }
    )
    loops = [tuple(ids[loop]) for loop in pairs.loops]
    frame.attrs["ownerless_loops"] = loops
    if loops:
        first = ", ".join(loops[0][:5]) + (f", … ({len(loops[0]):,} in all)" if len(loops[0]) > 5 else "")
        logger.warning("closed groups that own all of themselves: %d; the first: %s", len(loops), first)
    return frame


def integrated_pairs(
    graph: EntityGraph,
    owners: np.ndarray | None = None,
    assets: np.ndarray | None = None,
    *,
    method: str = "corrected",
    min_share: float = 0.0,
) -> Pairs:
    """Codes and bounds of :func:`integrated_ownership` as arrays, for other packages and large graphs."""
    held = holdings(graph)
    pointers, _ = held.by_owner()
    found: list[Pairs] = []
    upstream = None
    if assets is not None:
        assets = np.unique(assets)
        upstream = reachable(held.company_ptr, held.owner, assets)
    if owners is None:
        owners = np.flatnonzero(np.diff(pointers) > 0 if upstream is None else upstream & (np.diff(pointers) > 0))
        if upstream is not None and assets is not None and assets.size <= FEW and method != "simple_paths":
            pairs, owners = _by_columns(graph, held, np.flatnonzero(upstream), assets, owners, method)
            found.append(_kept(pairs, min_share, None))
    else:
        owners = np.unique(owners)
        if upstream is not None:
            owners = owners[upstream[owners]]
    rows = sum(pairs.owner.size for pairs in found)
    for pairs in _in_blocks(graph, held, owners, upstream, method, min_share):
        found.append(_kept(pairs, min_share, assets))
        rows += found[-1].owner.size
        if rows > MOST_ROWS:
            raise InvalidParameter(
                f"'owners' and 'assets' ask for more than {MOST_ROWS:,} pairs; name fewer of them or raise 'min_share'"
            )
    return _join(found)


def _in_blocks(
    graph: EntityGraph, held: Holdings, owners: np.ndarray, upstream: np.ndarray | None, method: str, min_share: float
) -> Iterator[Pairs]:
    """Pairs of the owners, owners with themselves included, in blocks of bounded size."""
    # the plain form alone leaves out on the way what cannot reach 'min_share'
    if method == "corrected" and min_share == 0 and (fast := kernels(len(graph.columns))):
        way, slow = descent(graph), [np.empty(0, dtype=np.int64)]
        while owners.size:
            owner, asset, low, high, late, owners = descend(fast, way, owners, upstream, most=BLOCK_PAIRS)
            yield Pairs(owner, asset, *_bounds(low, high, method), closed_groups(way, asset))
            slow.append(late)
        owners = np.concatenate(slow)
    pointers, _ = held.by_owner()
    waiting = [owners[begin : begin + BLOCK] for begin in range(0, owners.size, BLOCK)][::-1]
    while waiting:
        block = waiting.pop()
        near = reachable(pointers, held.companies_by_owner, block)
        codes = np.flatnonzero(near if upstream is None else near & upstream)
        try:
            yield _by_owners(held, codes, block, method, min_share)
        except TooManyPairs:
            half = block.size // 2
            waiting += [block[half:], block[:half]]


def _kept(pairs: Pairs, min_share: float, assets: np.ndarray | None) -> Pairs:
    keep = (pairs.high >= min_share) & (pairs.high > 0) & (pairs.owner != pairs.asset)
    if assets is not None:
        keep &= np.isin(pairs.asset, assets)
    return Pairs(pairs.owner[keep], pairs.asset[keep], pairs.low[keep], pairs.high[keep], pairs.loops)


def _by_columns(
    graph: EntityGraph, held: Holdings, codes: np.ndarray, assets: np.ndarray, owners: np.ndarray, method: str
) -> tuple[Pairs, np.ndarray]:
    """Pairs of the owners whose shares need no choice, and the owners left over."""
    given = stakes(held, codes)
    here, there = np.searchsorted(codes, owners), np.searchsorted(codes, assets)
    open_ = undecided(given)[here]
    columns = []
    for number, weight in enumerate(given.weights):
        returns = graph.cached(("ownership", "returns", number), lambda: np.full(held.n, np.nan))
        columns.append(Columns(given, weight, returns))
    if any(column.endless for column in columns):
        return _join([]), owners
    settled = here[~open_]
    shares = [column.solve(there, settled, corrected=method == "corrected") for column in columns]
    rows, places = np.nonzero(shares[-1] > 0)
    low, high = _bounds(shares[0][rows, places], shares[-1][rows, places], method)
    pairs = Pairs(codes[settled[rows]], assets[places], low, high, closed_rings(given))
    return pairs, owners[open_]


def _by_owners(held: Holdings, codes: np.ndarray, block: np.ndarray, method: str, min_share: float) -> Pairs:
    """Pairs of a block of owners among ``codes``, owners with themselves included."""
    owners = np.searchsorted(codes, block)
    given = stakes(held, codes)
    ledger = spread(
        given,
        owners,
        at_least=0.0 if method == "all_walks" else min_share,
        most=BLOCK_PAIRS if block.size > 1 else np.iinfo(np.int64).max,
    )
    key = ledger.who.astype(np.int64) * given.n + ledger.node
    order = np.argsort(key)
    key = key[order]
    shares = [share[order] for share in ledger.shares]
    if method == "all_walks":
        shares = [
            share * _visits(given, owners, key, share, weight)[key // given.n]
            for share, weight in zip(shares, given.weights, strict=True)
        ]
    low, high = _at_most_one(shares[0], method), _at_most_one(shares[-1], method)
    if method == "simple_paths":
        low = simple_path_sums(given, owners, key, low, given.low)
        high = np.minimum(simple_path_sums(given, owners, key, high, held.high[given.pair]), high)
    return Pairs(block[key // given.n], codes[key % given.n], *_bounds(low, high, method), closed_rings(given))


def _bounds(low: np.ndarray, high: np.ndarray, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Shares cleared of rounding, the least never above the greatest."""
    low, high = (settle_decimals(_at_most_one(share, method)) for share in (low, high))
    return np.minimum(low, high), high


def _at_most_one(share: np.ndarray, method: str) -> np.ndarray:
    """Shares without the few units that rounding carries a full holding above 1; more than that was declared so."""
    return share if method == "all_walks" else np.where((share > 1) & (share < 1 + 1e-9), 1.0, share)


def _visits(given: Stakes, owners: np.ndarray, key: np.ndarray, share: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """How often the walks of each owner pass through the owner itself, the start included: ``N_ii``."""
    back = np.zeros(owners.size)
    rings = np.flatnonzero(given.cyclic[owners])
    edge, place = expand(given.pointers, owners[rings])
    who = rings[place]
    wanted = who.astype(np.int64) * given.n + given.owner[edge]
    spot = np.minimum(np.searchsorted(key, wanted), max(key.size - 1, 0))
    worth = np.where(key[spot] == wanted, share[spot], 0.0) if key.size else np.zeros(0)
    factor = weight[edge]
    if weight is not given.low:
        factor = factor + fill_by_value(who, worth, given.room[edge], given.slack[given.company[edge]])
    found, (total,) = group_sums(who, factor * worth)
    back[found] = total
    with np.errstate(divide="ignore"):
        return np.where(back >= 1 - CLOSED, np.inf, 1.0 / np.abs(1.0 - back))


def _direct(held: Holdings, owner: np.ndarray, asset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest direct share of pairs, 0 where there is none."""
    pointers, pairs = held.by_owner()
    mine = pairs[expand(pointers, np.unique(owner))[0]]
    if not mine.size:
        return np.zeros(owner.size), np.zeros(owner.size)
    have = held.owner[mine].astype(np.int64) * held.n + held.company[mine]
    wanted = owner.astype(np.int64) * held.n + asset
    spot = np.minimum(np.searchsorted(have, wanted), have.size - 1)
    hit, mine = have[spot] == wanted, mine[spot]
    return np.where(hit, held.low[mine], 0.0), np.where(hit, held.high[mine], 0.0)


def _join(found: list[Pairs]) -> Pairs:
    """All pairs by owner and company, and each closed group once."""
    none = np.empty(0, dtype=np.int64)
    loops = {tuple(loop): loop for pairs in found for loop in pairs.loops}
    owner = np.concatenate([none, *(pairs.owner for pairs in found)])
    asset = np.concatenate([none, *(pairs.asset for pairs in found)])
    low = np.concatenate([none.astype(float), *(pairs.low for pairs in found)])
    high = np.concatenate([none.astype(float), *(pairs.high for pairs in found)])
    if (np.diff(owner) < 0).any():
        order = np.lexsort((asset, owner))
        owner, asset, low, high = owner[order], asset[order], low[order], high[order]
    return Pairs(owner, asset, low, high, [loops[key] for key in sorted(loops)])
