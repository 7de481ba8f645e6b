"""Patterns along ties between firms: self-financing, subcontracts, developers behind platforms, rings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskgraph._sparse import exact_shares
from riskgraph.nesting._components import TIED
from riskgraph.nesting._flows import PRODUCT
from riskgraph.nesting._groups import STATE
from riskgraph.nesting._patterns_money import MOST, Finding, downstream
from riskgraph.nesting._sectors import licence_masks, sector_codes, sector_masks
from riskgraph.nesting._ways import Network, network, way_to
from riskgraph.nesting.circuits import circuits
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


class Related(NamedTuple):
    """What is tied to a start: up over holders, across kin and concert, and down again, never down and up."""

    before: dict[int, tuple[int, int]]
    place: dict[int, int]
    n: int

    def __contains__(self, node: object) -> bool:
        """Whether a node is tied to the start."""
        return node in self.place

    def way(self, node: int) -> tuple[list[int], list[int]]:
        """Nodes and relation positions from the start to a node."""
        nodes, positions = way_to(self.before, self.place[node])
        return [code % self.n for code in nodes], positions


def related(graph: EntityGraph, start: int) -> Related:
    """Everything related to an entity.

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
        return network(2 * n, source, target, position, np.ones(2 * n, dtype=bool))

    before = graph.cached(("nesting", "related"), build).ways(start, RELATED)
    place: dict[int, int] = {}
    for code in before:
        place.setdefault(code % len(graph), code)
    return Related(before, place, len(graph))


def self_financing(graph: EntityGraph) -> Iterator[Finding]:
    """Borrowers on a platform, and firms funded by a product, that are tied to who runs it."""
    columns = graph.columns
    raises = columns.of("raises_on")
    platforms = columns.target[raises]
    for platform in np.unique(platforms).tolist():
        ways = related(graph, platform)
        mine = raises[platforms == platform]
        borrower, amount = columns.source[mine], columns.amount[mine]
        tied = np.array([int(code) in ways for code in borrower], dtype=bool)
        ratio = (
            amount[tied].sum() / amount.sum() if amount.size and not np.isnan(amount.sum()) and amount.sum() else np.nan
        )
        for spot in np.flatnonzero(tied).tolist():
            nodes, positions = ways.way(int(borrower[spot]))
            note = ("", "") if np.isnan(ratio) else (f"{ratio:.0%} of what was raised", f"占融资额{ratio:.0%}")
            yield Finding(platform, [*nodes, platform], [*positions, int(mine[spot])], *note)
    down = downstream(graph)
    manages = columns.of("manages")
    manages = manages[graph.kinds[columns.target[manages]] == PRODUCT]
    known: dict[int, Related] = {}
    for at in manages.tolist():
        manager, product = int(columns.source[at]), int(columns.target[at])
        ends = down.ways(product, MOST)
        assets = sorted(node for node in ends if not down.passes[node])
        if not assets:
            continue
        if manager not in known:
            known[manager] = related(graph, manager)
        for asset in assets:
            if asset in known[manager]:
                nodes, positions = way_to(ends, asset)
                back, tied_at = known[manager].way(asset)
                yield Finding(manager, [manager, *nodes, *back[-2::-1]], [at, *positions, *tied_at[::-1]])


def self_guarantee(graph: EntityGraph) -> Iterator[Finding]:
    """Guarantors of a platform's borrowers that are tied to the platform."""
    columns = graph.columns
    raises, covers = columns.of("raises_on"), columns.of("guarantees")
    debtor = columns.target[covers]
    for platform in np.unique(columns.target[raises]).tolist():
        mine = raises[columns.target[raises] == platform]
        covered = np.flatnonzero(np.isin(debtor, columns.source[mine]))
        if not covered.size:
            continue
        ways = related(graph, platform)
        for spot in covered.tolist():
            guarantor = int(columns.source[covers[spot]])
            if guarantor in ways:
                nodes, positions = ways.way(guarantor)
                raised = mine[columns.source[mine] == debtor[spot]]
                yield Finding(
                    platform, [*nodes, int(debtor[spot]), platform], [*positions, int(covers[spot]), *raised.tolist()]
                )


def subcontract_chain(graph: EntityGraph) -> Iterator[Finding]:
    """Payment work that its first holder passed on, and that was passed on again."""
    columns = graph.columns
    at = columns.of("subcontracts")
    source, target = columns.source[at], columns.target[at]
    masks = licence_masks(graph)
    down = network(len(graph), source, target, at, np.ones(len(graph), dtype=bool))
    heads = np.setdiff1d(source, target)
    for head in heads.tolist():
        ways = down.ways(head, MOST)
        last = [node for node in ways if node not in source]
        for end in last:
            nodes, positions = way_to(ways, end)
            if len(positions) < 2:
                continue
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
    held = network(len(graph), columns.source[at], columns.target[at], at, np.ones(len(graph), dtype=bool))
    raises = columns.of("raises_on")
    for developer in np.flatnonzero((codes == DEVELOPER) & (graph.kinds != PRODUCT)).tolist():
        for row in raises[columns.source[raises] == developer].tolist():
            yield Finding(developer, [developer, int(columns.target[row])], [row])
        ways = held.ways(developer, MOST)
        for platform in sorted(node for node in ways if node != developer and masks[node] & PLATFORMS):
            yield Finding(developer, *way_to(ways, platform))


def licensed_through_unlicensed(graph: EntityGraph) -> Iterator[Finding]:
    """Products of a licensed manager sold by a firm without any licence; silent when no licence at all is known."""
    masks = licence_masks(graph)
    columns = graph.columns
    manages, sells = columns.of("manages"), columns.of("distributes")
    sells = sells[masks[columns.source[sells]] == 0]
    managed = columns.target[manages]
    for row in sells.tolist() if masks.any() else ():
        seller, product = int(columns.source[row]), int(columns.target[row])
        for manager_row in manages[managed == product].tolist():
            manager = int(columns.source[manager_row])
            if masks[manager] and manager != seller:
                yield Finding(seller, [manager, product, seller], [manager_row, row])


def rings(graph: EntityGraph, *, guarantees: bool) -> Iterator[Finding]:
    """Loops of guarantees alone, or loops that money goes round; one finding a member."""
    found = graph.cached(("nesting", "circuits"), lambda: circuits(graph))
    columns = graph.columns
    place = {name: spot for spot, name in enumerate(graph.relation_ids(columns.of(*LOOP_KINDS)))}
    at = columns.of(*LOOP_KINDS)
    covers = np.zeros(len(columns), dtype=bool)
    covers[columns.of("guarantees")] = True
    for entities, relations, factor in zip(
        found["entities"], found["relations"], found["inflation_factor"], strict=True
    ):
        positions = [int(at[place[name]]) for name in relations]
        if bool(covers[positions].all()) != guarantees:
            continue
        nodes = graph.codes(entities).tolist()
        known = not guarantees and factor == factor
        note = (f"booked {factor:.2f} times", f"放大{factor:.2f}倍") if known else ("", "")
        for turn, node in enumerate(nodes):
            if graph.kinds[node] == PRODUCT:
                continue
            yield Finding(node, [*nodes[turn:], *nodes[:turn], node], positions, *note)


LOOP_KINDS = ("owns", "invests", "lends", "guarantees")
