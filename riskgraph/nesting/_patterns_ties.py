"""Patterns along ties between firms: self-financing, subcontracts, developers behind platforms, rings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from riskgraph._sparse import exact_shares
from riskgraph.nesting._flows import PRODUCT
from riskgraph.nesting._groups import STATE, TIED
from riskgraph.nesting._patterns_money import MOST, Finding, downstream
from riskgraph.nesting._sectors import licence_masks, sector_codes, sector_masks
from riskgraph.nesting._ways import Network, Spread, matches, network
from riskgraph.nesting.circuits import found_loops
from riskgraph.schema import SECTORS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

#: most ties between a platform and a borrower that make them related
RELATED = 4
DEVELOPER = SECTORS.index("real_estate")
PLATFORMS = sum(1 << SECTORS.index(name) for name in ("p2p", "equity_crowdfunding", "wealth_management"))


def stake_positions(graph: EntityGraph) -> np.ndarray:
    """Positions of stakes of a fifth or more and of control agreements; those of the state and of products left out."""
    columns = graph.columns
    owns, controls = columns.of("owns"), columns.of("controls")
    big = owns[exact_shares(np.nan_to_num(columns.share_min[owns])) >= TIED]
    at = np.sort(np.r_[big, controls])
    source = columns.source[at]
    return at[(graph.kinds[source] != STATE) & (graph.kinds[source] != PRODUCT)]


def related(graph: EntityGraph, starts: np.ndarray) -> Spread:
    """Everything related to entities: up over holders, across kin and concert, and down again, never down and up.

    Two holders of a third firm are not related by it, so a way that has turned down stays down: nodes are doubled,
    the second copy is reached by a step down and only left by one.
    """

    def build() -> Network:
        n = len(graph)
        columns = graph.columns
        stakes, kin = stake_positions(graph), columns.of("kin", "concert")
        holder, company = columns.source[stakes].astype(np.int64), columns.target[stakes].astype(np.int64)
        a, b = columns.source[kin].astype(np.int64), columns.target[kin].astype(np.int64)
        source = np.r_[company, a, b, holder, holder + n]
        target = np.r_[holder, b, a, company + n, company + n]
        position = np.r_[stakes, kin, kin, stakes, stakes]
        return network(n, source, target, position, np.ones(2 * n, dtype=bool))

    return graph.cached(("nesting", "related"), build).spread(starts, RELATED)


def self_financing(graph: EntityGraph) -> Iterator[Finding]:
    """Borrowers on a platform, and firms funded by a product, that are tied to who runs it."""
    yield from _borrowers(graph)
    columns = graph.columns
    manages = columns.of("manages")
    manages = manages[graph.kinds[columns.target[manages]] == PRODUCT]
    products, product = np.unique(columns.target[manages], return_inverse=True)
    managers, manager = np.unique(columns.source[manages], return_inverse=True)
    network_down = downstream(graph)
    down, ties = network_down.spread(products, MOST), related(graph, managers)
    ends = np.flatnonzero(~network_down.passes[down.node])
    ends = ends[np.lexsort((down.node[ends], down.start[ends]))]
    place, spot = matches(product, down.start[ends])
    back = ties.find(manager[place], down.node[ends[spot]])
    for at in np.flatnonzero(back >= 0).tolist():
        relation = int(manages[place[at]])
        head = int(columns.source[relation])
        nodes, positions = down.way(int(ends[spot[at]]))
        home, tied_at = ties.way(int(back[at]))
        yield Finding(head, [head, *nodes, *home[-2::-1]], [relation, *positions, *tied_at[::-1]])


def _borrowers(graph: EntityGraph) -> Iterator[Finding]:
    """Borrowers tied to the platform they borrow on, with their part of what is raised there."""
    columns = graph.columns
    raises = columns.of("raises_on")
    platforms, platform = np.unique(columns.target[raises], return_inverse=True)
    ties = related(graph, platforms)
    rows = ties.find(platform, columns.source[raises].astype(np.int64))
    amount = columns.amount[raises]
    tied = np.bincount(platform, weights=np.where(rows >= 0, amount, 0.0), minlength=platforms.size)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = tied / np.bincount(platform, weights=amount, minlength=platforms.size)
    found = np.flatnonzero(rows >= 0)
    for at in found[np.argsort(platform[found], kind="stable")].tolist():
        part, site = ratio[platform[at]], int(platforms[platform[at]])
        nodes, positions = ties.way(int(rows[at]))
        note = ("", "") if np.isnan(part) else (f"{part:.0%} of what was raised", f"占融资额{part:.0%}")
        yield Finding(site, [*nodes, site], [*positions, int(raises[at])], *note)


def self_guarantee(graph: EntityGraph) -> Iterator[Finding]:
    """Guarantors of a platform's borrowers that are tied to the platform."""
    columns = graph.columns
    raises, covers = columns.of("raises_on"), columns.of("guarantees")
    # one row a platform and guarantee of a borrower on it, whatever the number of its loans
    loan, cover = matches(columns.source[raises], columns.target[covers])
    n = max(len(columns), 1)
    pairs = np.unique(columns.target[raises[loan]].astype(np.int64) * n + cover)
    platforms, platform = np.unique(pairs // n, return_inverse=True)
    cover = covers[pairs % n]
    ties = related(graph, platforms)
    rows = ties.find(platform, columns.source[cover].astype(np.int64))
    for at in np.flatnonzero(rows >= 0).tolist():
        site, debtor = int(platforms[platform[at]]), int(columns.target[cover[at]])
        nodes, positions = ties.way(int(rows[at]))
        raised = raises[(columns.target[raises] == site) & (columns.source[raises] == debtor)]
        yield Finding(site, [*nodes, debtor, site], [*positions, int(cover[at]), *raised.tolist()])


def subcontract_chain(graph: EntityGraph) -> Iterator[Finding]:
    """Payment work that its first holder passed on, and that was passed on again."""
    columns = graph.columns
    at = columns.of("subcontracts")
    source, target = columns.source[at], columns.target[at]
    masks = licence_masks(graph)
    heads = np.setdiff1d(source, target)
    down = network(len(graph), source, target, at).spread(heads, MOST)
    twice = np.flatnonzero(down.before >= 0)
    twice = twice[down.before[down.before[twice]] >= 0]
    last = twice[~np.isin(down.node[twice], source)]
    for row in last[np.argsort(down.start[last], kind="stable")].tolist():
        nodes, positions = down.way(row)
        bare = sum(1 for node in nodes if masks[node] == 0)
        for node in nodes:
            yield Finding(
                node, nodes, positions,
                f"{len(positions)} steps, {bare} of {len(nodes)} firms without licence",
                f"{len(positions)}层,{len(nodes)}家中{bare}家无牌照",
            )  # fmt: skip


def real_estate_platform(graph: EntityGraph) -> Iterator[Finding]:
    """Developers that borrow on a platform, or hold one through a chain of stakes."""
    columns = graph.columns
    codes, masks = sector_codes(graph), sector_masks(graph)
    at = stake_positions(graph)
    held = network(len(graph), columns.source[at], columns.target[at], at)
    raises = columns.of("raises_on")
    developer = (codes == DEVELOPER) & (graph.kinds != PRODUCT)
    borrowed = raises[developer[columns.source[raises]]]
    starts = np.flatnonzero(developer)
    down = held.spread(starts, MOST)
    holds = np.flatnonzero(((masks[down.node] & PLATFORMS) != 0) & (down.before >= 0))
    # by developer, loans before stakes, loans as they stand and stakes by platform
    who = np.r_[columns.source[borrowed], starts[down.start[holds]]]
    by = np.r_[np.arange(borrowed.size) - borrowed.size, down.node[holds]]
    for spot in np.lexsort((by, who)).tolist():
        if spot < borrowed.size:
            row = int(borrowed[spot])
            yield Finding(int(who[spot]), [int(who[spot]), int(columns.target[row])], [row])
        else:
            yield Finding(int(who[spot]), *down.way(int(holds[spot - borrowed.size])))


def licensed_through_unlicensed(graph: EntityGraph) -> Iterator[Finding]:
    """Products of a licensed manager sold by a firm without any licence; silent when no licence at all is known."""
    masks = licence_masks(graph)
    if not masks.any():
        return
    columns = graph.columns
    manages, sells = columns.of("manages"), columns.of("distributes")
    manages = manages[masks[columns.source[manages]] > 0]
    sells = sells[masks[columns.source[sells]] == 0]
    sale, mandate = matches(columns.target[sells], columns.target[manages])
    sale, mandate = sells[sale], manages[mandate]
    table = (columns.source[sale], columns.source[mandate], columns.target[sale], sale, mandate)
    for seller, manager, product, sold, managed in zip(*(column.tolist() for column in table), strict=True):
        yield Finding(seller, [manager, product, seller], [managed, sold])


def rings(graph: EntityGraph, *, guarantees: bool) -> Iterator[Finding]:
    """Loops of guarantees alone, or loops that money goes round; one finding a member."""
    covers = np.zeros(len(graph.columns), dtype=bool)
    covers[graph.columns.of("guarantees")] = True
    for loop in found_loops(graph):
        if bool(covers[loop.positions].all()) != guarantees:
            continue
        known = not guarantees and loop.factor == loop.factor
        note = (f"booked {loop.factor:.2f} times", f"放大{loop.factor:.2f}倍") if known else ("", "")
        positions = loop.positions.tolist()
        for turn, node in enumerate(loop.nodes):
            if graph.kinds[node] != PRODUCT:
                yield Finding(node, [*loop.nodes[turn:], *loop.nodes[:turn], node], positions, *note)
