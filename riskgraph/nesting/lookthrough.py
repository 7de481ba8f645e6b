"""Look-through: who ultimately funds what, through any number of products."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskgraph._sparse import reachable, row_pointers
from riskgraph.errors import NotConverged
from riskgraph.nesting._flows import PRODUCT, UNTRACED, Flows, flows, true_facts
from riskgraph.nesting._sectors import mask_names, sector_masks
from riskgraph.nesting._tabulate import MOST_ROWS, Endings, Links, Table, combine, go_on, join, tabulate

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["UNTRACED", "look_through", "product_balances"]

#: rows of one block of holders
BLOCK = 5_000_000


def look_through(
    graph: EntityGraph,
    holders: Iterable[str] | None = None,
    assets: Iterable[str] | None = None,
    *,
    exposure: bool = False,
    cents: bool = False,
) -> pd.DataFrame:
    """Money that each holder ultimately has in each asset, through any number of products.

    Money runs from funder to funded: along ``invests`` and ``packaged_from``, along ``lends`` and ``owns`` where a
    product is at one end, and against ``raises_on``, from a platform that takes money to those who borrow on it.
    Products and such platforms are looked through; everybody else is a holder or an asset. A product spreads each unit
    of its money over its uses in proportion, so money that comes back to a product is spread again, and circles are
    solved exactly.

    The money of a product is the greater of what came in and what went out on record. What came in and did not go out
    is in the asset ``"<untraced>"``; what went out and did not come in is borrowed or unrecorded, and its holder is
    ``"<untraced>"``. So amounts are conserved: over all assets they sum to what the holder put in, over all holders to
    what the asset received.

    Parameters
    ----------
    holders
        Ids asked about, products among them if wanted, or ``"<untraced>"``; ``None`` is everyone who is not looked
        through, and the untraced.
    assets
        Ids asked about, likewise. For a product the money that reaches it is given, as often as it comes round.
    exposure
        Add a column: the amount geared by what the products on the way borrowed. With assets of 100 on equity of 5 an
        investor of 1 is exposed to 20; a lender of 1 to 1. Infinite where gearing feeds itself.
    cents
        Amounts in whole cents, so allotted that each holder's rows sum to what it put in to the cent.

    Returns
    -------
    DataFrame
        ``holder, asset, share, amount, layers_min, layers_max, sectors, through``, in the order of the entities.
        ``share`` is the part of the asset's money that is the holder's: as declared where relations give shares, else
        the amount over all that the asset received; NaN when a funder on the way is on record without an amount.
        ``amount`` is the money on record, NaN where no relation on the way has any: unknown, not 0. ``layers_min``
        and ``layers_max`` count the products on the shortest and longest chain, public funds left out, infinite
        where the money can go round. ``sectors`` names the sectors of the holder, the products and the asset,
        ``through`` the products of the chain that carries most, in order. ``attrs["closed"]`` lists circles of
        products that only fund each other.

    Notes
    -----
    Where only shares of a product are declared, its money is what it put into assets and other products:
    ``T = S T + h`` with ``S`` the declared shares and ``h`` the outlays. With ``D`` the parts that products pass on,
    amounts are ``(I - D)^-1`` spread over the final uses.

    Raises
    ------
    UnknownEntity
        An id that the graph does not hold.
    NotConverged
        More than 50,000,000 rows, or more than 3,000 products in one circle.

    References
    ----------
    Basel Committee on Banking Supervision, Capital requirements for banks' equity investments in funds (2013), for
    the look-through approach; Leontief (1941) for the sum over all chains.

    Examples
    --------
    >>> import riskgraph as rg
    >>> found = rg.nesting.look_through(rg.datasets.toy_nested_product())
    >>> found[["holder", "asset", "share", "amount", "layers_max"]]
      holder      asset  share  amount  layers_max
    0  Saver  Developer    1.0   100.0         3.0
    >>> found["through"][0]
    ('BankPlan', 'TrustPlan', 'AssetPlan')
    """
    given = flows(graph)
    start = _codes(graph, given, holders)
    stop = _codes(graph, given, assets)
    rows, table = _solve(graph, given, start, stop, named_assets=assets is not None)
    names = np.append(graph.ids.to_numpy(), UNTRACED)
    amount = np.where(rows.known, rows.part, np.nan)
    frame = pd.DataFrame(
        {
            "holder": names[rows.node],
            "asset": names[rows.asset],
            "share": rows.share,
            "amount": _to_cents(rows.node, amount) if cents else amount,
            "layers_min": rows.least,
            "layers_max": rows.most,
            "sectors": mask_names(rows.sectors),
            "through": _chains(rows, table, names),
        }
    )
    if exposure:
        frame["exposure"] = np.where(rows.known, rows.geared, np.nan)
    frame.attrs["closed"] = [tuple(names[np.sort(ring)]) for ring in given.closed]
    return frame


def product_balances(graph: EntityGraph) -> pd.DataFrame:
    """Money of each product on record: what came in, what went out, what cannot be traced, how far it is geared.

    Returns
    -------
    DataFrame
        ``product, inflow, outflow, equity, lent, untraced_in, untraced_out, leverage``, CNY and a multiple: ``equity``
        and ``lent`` are the parts of the inflow, ``untraced_in`` is outflow without inflow, ``untraced_out`` inflow
        without outflow, ``leverage`` all money over the equity. NaN where no amount is on record. Platforms that are
        looked through are listed too.

    Examples
    --------
    >>> import riskgraph as rg
    >>> rg.nesting.product_balances(rg.datasets.toy_feeders())[["product", "inflow", "outflow", "untraced_out"]]
       product  inflow  outflow  untraced_out
    0  FeederA    20.0     20.0           0.0
    1  FeederB    20.0     20.0           0.0
    2  FeederC    20.0     20.0           0.0
    3   Master    60.0      0.0          60.0
    """
    given = flows(graph)
    at = np.flatnonzero(given.conduit)
    total, equity = given.total[at], given.equity[at]
    dark = np.isnan(total)
    with np.errstate(invalid="ignore", divide="ignore"):
        leverage = np.where(equity > 0, total / equity, np.nan)
    columns = {
        "inflow": given.inflow[at],
        "outflow": given.outflow[at],
        "equity": equity,
        "lent": given.inflow[at] - equity,
        "untraced_in": total - given.inflow[at],
        "untraced_out": total - given.outflow[at],
        "leverage": leverage,
    }
    frame = pd.DataFrame({name: np.where(dark, np.nan, values) for name, values in columns.items()})
    frame.insert(0, "product", graph.ids.to_numpy()[at])
    return frame


def _codes(graph: EntityGraph, given: Flows, wanted: Iterable[str] | None) -> np.ndarray:
    """Mask of the codes asked about; the last is that of the untraced."""
    mask = np.zeros(given.n + 1, dtype=bool)
    if wanted is None:
        mask[:-1] = ~given.conduit
        mask[-1] = True
        return mask
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    mask[-1] = UNTRACED in names
    mask[graph.codes([name for name in names if name != UNTRACED])] = True
    return mask


def _solve(
    graph: EntityGraph, given: Flows, start: np.ndarray, stop: np.ndarray, *, named_assets: bool
) -> tuple[Endings, Table]:
    """Rows ``(holder, asset)`` with ``part`` the amount, and the table of what every product's money ends in."""
    n = given.n + 1
    conduit = np.append(given.conduit, False)
    counted = np.append(given.conduit & (graph.kinds == PRODUCT) & ~true_facts(graph, "public_fund"), False).astype(
        np.float64
    )
    sectors = np.append(sector_masks(graph), 0)
    source, target = given.source, given.target
    part, share, gearing = given.part, given.share, given.gearing
    # only conduits between the holders and the assets matter
    use = np.ones(source.size, dtype=bool)
    if named_assets:
        backward = np.argsort(target, kind="stable")
        reach = reachable(row_pointers(n, target), source[backward], np.flatnonzero(stop))
        use &= reach[target]
    inner = use & conduit[target]
    from_start = start[source]
    order = np.flatnonzero(conduit[source])  # pairs are sorted by source
    fore = reachable(row_pointers(n, source[order]), target[order], np.unique(target[from_start & inner]))
    links = conduit[source] & fore[source] & use

    # a product asked for as an asset is met by a copy of it, behind all other codes
    copies = np.flatnonzero(stop & conduit)
    twin = np.full(n, -1)
    twin[copies] = n + np.arange(copies.size)
    width = n + copies.size
    ending = (links | from_start) & use & np.where(conduit[target], twin[target] >= 0, stop[target])
    ends = np.where(conduit[target], twin[target], target)

    def step(mask: np.ndarray, to: np.ndarray, money: np.ndarray) -> Links:
        at = np.flatnonzero(mask)
        return Links(source[at], to[at], money[at], share[at], money[at] * gearing[at])

    further, final = step(links & conduit[target], target, part), step(links & ending, ends, part)
    every = Links(*(np.concatenate(pair) for pair in zip(further, final, strict=True)))
    sectors = np.r_[sectors, sectors[copies]]
    conduit_wide = np.r_[conduit, np.zeros(copies.size, dtype=bool)]
    counted = np.r_[counted, np.zeros(copies.size)]
    table = tabulate(width, every, conduit_wide, counted, sectors)

    # from a product as holder its own layer counts; other holders are none
    own = np.where(start[:n] & conduit, counted[:n], 0.0)
    own = np.r_[own, np.zeros(copies.size)]
    goes = step(from_start & use & conduit[target], target, given.amount)
    stops = step(from_start & ending, ends, given.amount)
    found = _from_holders(goes, stops, table, own, sectors, width)
    back = np.r_[np.arange(n), copies]
    return found._replace(asset=back[found.asset]), table


def _from_holders(goes: Links, stops: Links, table: Table, own: np.ndarray, sectors: np.ndarray, width: int) -> Endings:
    """Holders' outlays spread over what their products' money ends in, a block of holders at a time."""
    counts = table.count[goes.target]
    holder = np.r_[goes.source, stops.source]
    weight = np.r_[counts, np.ones(stops.source.size, dtype=np.int64)]
    each = np.bincount(holder, weights=weight, minlength=width)
    if each.sum() > 10 * MOST_ROWS:
        raise NotConverged(f"the look-through has up to {int(each.sum()):,} rows; name holders or assets")
    block = (np.cumsum(each) // BLOCK).astype(np.int64)
    done = []
    for number in np.unique(block[np.unique(holder)]) if holder.size else ():
        ends = np.flatnonzero(block[stops.source] == number)
        node, asset, money = stops.source[ends], stops.target[ends], stops.part[ends]
        known = ~np.isnan(money)
        direct = Endings(
            node, asset, np.where(known, money, 0.0), known, stops.share[ends], np.where(known, money, 0.0),
            own[node], own[node].copy(), sectors[node] | sectors[asset], np.full(node.size, -1), np.full(node.size, -1),
        )  # fmt: skip
        at = np.flatnonzero(block[goes.source] == number)
        rows = [direct]
        if at.size and table.size:
            rows.append(go_on(goes, at, table, own, sectors))
        done.append(combine(join(rows), width))
    if not done:
        nothing = np.empty(0)
        codes = np.empty(0, dtype=np.int64)
        return Endings(
            codes, codes, nothing, nothing.astype(bool), nothing, nothing, nothing, nothing, codes, codes, codes
        )
    return join(done)


def _chains(rows: Endings, table: Table, names: np.ndarray) -> np.ndarray:
    """Products of each row's main chain; rows that go on with the same row share one tuple."""
    result = np.empty(rows.node.size, dtype=object)
    distinct, inverse = np.unique(rows.via, return_inverse=True)
    chains = np.empty(distinct.size, dtype=object)
    text = names.tolist()
    for spot, nodes in enumerate(table.chains(distinct)):
        chains[spot] = tuple([text[node] for node in nodes])
    result[:] = chains[inverse]
    return result


def _to_cents(holder: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Amounts in whole cents; the cents lost by rounding down go to the rows that lost most, holder by holder."""
    cents = amount * 100
    low = np.floor(np.nan_to_num(cents) + 1e-6)
    lost = np.nan_to_num(cents) - low
    width = int(holder.max(initial=-1)) + 1
    owed = np.rint(np.bincount(holder, weights=np.nan_to_num(cents), minlength=width)) - np.bincount(
        holder, weights=low, minlength=width
    )
    order = np.lexsort((-lost, holder))
    begin = row_pointers(width, holder)[:-1]
    rank = np.empty(holder.size)
    rank[order] = np.arange(holder.size) - begin[holder[order]]
    result = (low + (rank < owed[holder])) / 100
    return np.where(np.isnan(amount), np.nan, result)
