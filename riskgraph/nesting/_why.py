"""Evidence of one component of one entity: a chain of entities and the relations along it."""

from __future__ import annotations

import itertools
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from riskgraph._sparse import row_pointers
from riskgraph.nesting._chains import chains, layer_depths
from riskgraph.nesting._components import investor_counts
from riskgraph.nesting._crossings import Stands, along_chains, stands
from riskgraph.nesting._flows import funding_pairs
from riskgraph.nesting._groups import TIED, groups, majority_ties
from riskgraph.nesting._scale import scale
from riskgraph.nesting._sectors import licence_masks, sector_masks
from riskgraph.nesting.circuits import ties

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["longest_chain", "loop_through", "why"]


def why(graph: EntityGraph, entity: str, group: bool, component: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Chain of ids and relation ids behind a component of an entity, or of the group that it heads."""
    code = graph.code(entity)
    members = np.flatnonzero(groups(graph).label == groups(graph).label[code]) if group else np.array([code])
    if component == "circularity":
        found = _loop(graph, members)
    elif component == "licences":
        found = _shared(graph, groups(graph).label[code])
    elif component == "unlicensed_share":
        found = _bare(graph, members)
    else:
        found = _money(graph, members, component)
    nodes, positions = found
    ids = graph.ids.to_numpy()
    return tuple(str(name) for name in ids[nodes]), tuple(graph.relation_ids(np.array(positions, dtype=np.int64)))


Evidence = tuple[list[int], list[int]]


def _money(graph: EntityGraph, members: np.ndarray, component: str) -> Evidence:
    """The funding chain of the members that says most; else their chain of subcontracts, else their affiliates."""
    inside = np.zeros(len(graph), dtype=bool)
    inside[members] = True
    looked = members[funding_pairs(graph).conduit[members]]
    ties = stands(graph)
    ours = np.flatnonzero(inside[ties.entity])
    rows = Stands(
        np.r_[looked, ties.entity[ours]], np.r_[looked, ties.product[ours]], np.r_[looked * 0, ties.side[ours]]
    )
    affiliates = _affiliates(graph, inside)
    if rows.entity.size and not (
        component in ("sectors", "leads", "crossings")
        and len(affiliates[0]) > 1
        and rows.of(layer_depths(graph)).max() <= 1
    ):
        best = int(np.argmax(_speaking(graph, rows, members, component)))
        return _chain_of(graph, rows, best, members)
    contracts = _subcontracts(graph, members)
    if component == "layers" and contracts[0]:
        return contracts
    return affiliates


def _chain_of(graph: EntityGraph, rows: Stands, best: int, members: np.ndarray) -> Evidence:
    """The longest chain of a row: through its product, or from the entity that funds it, or to the one it funds."""
    entity, product, side = (int(column[best]) for column in rows)
    nodes, positions = longest_chain(graph, product)
    if side:
        spot = nodes.index(product)
        nodes = [entity, *nodes[spot:]] if side == 1 else [*nodes[: spot + 1], entity]
        return nodes, _relations_along(graph, nodes)
    firm, managed = _pairs_at(graph, "manages", "distributes")
    source = graph.columns.source[firm]
    acts = np.flatnonzero(np.isin(source, members) & (managed == product))
    front = [code for code in dict.fromkeys(source[acts].tolist()) if members.size > 1 and code not in nodes]
    return [*front, *nodes], [*firm[acts].tolist(), *positions]


def _speaking(graph: EntityGraph, rows: Stands, members: np.ndarray, component: str) -> np.ndarray:
    """How much the chain of each row says of a component: the one that says most is shown."""
    if component == "investors":
        return np.where(rows.side == 0, investor_counts(graph)[rows.product], -1)
    reach, changes, _ = along_chains(graph)
    if component in ("sectors", "leads"):
        own = np.bitwise_or.reduce(sector_masks(graph)[members])
        # of chains of as many sectors the longest
        return np.bitwise_count(own | rows.of(reach)) + scale("layers", rows.of(layer_depths(graph))) / 2
    return rows.of(changes if component == "crossings" else layer_depths(graph))


def _pairs_at(graph: EntityGraph, *kinds: str) -> tuple[np.ndarray, np.ndarray]:
    at = graph.columns.of(*kinds)
    return at, graph.columns.target[at].astype(np.int64)


def longest_chain(graph: EntityGraph, product: int) -> Evidence:
    """The longest funding chain through a product, see :func:`longest_chains`."""
    return longest_chains(graph, np.array([product]))[0]


def longest_chains(graph: EntityGraph, products: np.ndarray) -> list[Evidence]:
    """The longest funding chain through each product, from a funder to an asset, as codes and relation positions.

    Where chains are equally long the one with most money is taken; a circle is passed once.
    """
    given, pairs = chains(graph), funding_pairs(graph)
    above, below = graph.cached(("nesting", "best pairs"), lambda: _best_first(graph))
    up = _grown(products, above, pairs.source, given.label, [[int(code)] for code in products])
    down = _grown(products, below, pairs.target, given.label, [path[::-1] for path in up])
    return [(nodes, _relations_along(graph, nodes)) for nodes in down]


def _relations_along(graph: EntityGraph, nodes: list[int]) -> list[int]:
    """Positions of the funding relations between neighbours of a chain."""
    pairs, n = funding_pairs(graph), len(graph)
    keys = graph.cached(("nesting", "pair keys"), lambda: pairs.source * n + pairs.target)
    spots = np.searchsorted(keys, [a * n + b for a, b in itertools.pairwise(nodes)]).tolist()
    return [at for spot in spots for at in pairs.positions[pairs.indptr[spot] : pairs.indptr[spot + 1]].tolist()]


def _grown(
    tips: np.ndarray, best: tuple[np.ndarray, np.ndarray], far: np.ndarray, label: np.ndarray, paths: list[list[int]]
) -> list[list[int]]:
    """Paths continued from their tips to the best neighbour they have not passed, until none is left."""
    pointers, order = best
    for path, tip in zip(paths, tips.tolist(), strict=True):
        seen = set(path)
        while label[tip] >= 0:
            ahead = (int(far[order[spot]]) for spot in range(pointers[tip], pointers[tip + 1]))
            tip = next((code for code in ahead if code not in seen), -1)
            if tip < 0:
                break
            path.append(tip)
            seen.add(tip)
    return paths


def _best_first(graph: EntityGraph) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Pairs by target and by source, the deepest and then the richest first: where each entity's begin, their order."""
    pairs = funding_pairs(graph)
    result = []
    for near, far, depth in zip(
        (pairs.target, pairs.source), (pairs.source, pairs.target), _depths(graph), strict=True
    ):
        order = np.lexsort((far, -np.nan_to_num(pairs.amount), -depth[far], near))
        result.append((row_pointers(len(graph), near), order))
    return result[0], result[1]


def _depths(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray]:
    """Products on the longest chain that ends (or begins) at each entity."""
    given = chains(graph)
    weight = given.per_component(np.ones(given.codes.size), np.add, 0.0)
    weight[given.cyclic] = np.inf
    result = []
    for down in (False, True):
        depth = np.zeros(len(graph))
        depth[given.codes] = (weight + given.longest(weight, down=down))[given.label[given.codes]]
        result.append(depth)
    return result[0], result[1]


def loop_through(graph: EntityGraph, code: int) -> list[int]:
    """The shortest loop of shares, investments, loans and guarantees through an entity; empty when there is none."""
    given = ties(graph)
    inside = given.label[given.source] == given.label[given.target]
    inside &= given.label[given.source] == given.label[code]
    follow: dict[int, list[int]] = {}
    for a, b in zip(given.source[inside].tolist(), given.target[inside].tolist(), strict=True):
        follow.setdefault(a, []).append(b)
    before: dict[int, int] = {}
    queue = deque([code])
    while queue:
        node = queue.popleft()
        for near in follow.get(node, ()):
            if near == code:
                way = [node]
                while way[-1] != code:
                    way.append(before[way[-1]])
                return way[::-1]
            if near not in before:
                before[near] = node
                queue.append(near)
    return []


def _loop(graph: EntityGraph, members: np.ndarray) -> Evidence:
    given = ties(graph)
    keys = given.source * len(graph) + given.target
    for code in members.tolist():
        nodes = loop_through(graph, code)
        if nodes:
            positions: list[int] = []
            for a, b in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
                spot = int(np.searchsorted(keys, a * len(graph) + b))
                positions += given.positions[given.indptr[spot] : given.indptr[spot + 1]].tolist()
            return [*nodes, nodes[0]], positions
    return [], []


def _shared(graph: EntityGraph, label: int) -> Evidence:
    """Licensed members of a group and the officers, accounts and addresses they share."""
    columns = graph.columns
    masks = licence_masks(graph)
    member = (groups(graph).label == label) & (masks > 0)
    users: dict[int, list[tuple[int, int]]] = {}
    for kind in ("officer", "operates", "located_at"):
        for at in columns.of(kind).tolist():
            a, b = int(columns.source[at]), int(columns.target[at])
            firm, thing = (b, a) if kind == "officer" else (a, b)
            if member[firm]:
                users.setdefault(thing, []).append((firm, at))
    nodes: list[int] = []
    positions: list[int] = []
    for thing, used in users.items():
        kinds = {int(masks[firm]) for firm, _ in used}
        if len(kinds) > 1:
            nodes += [code for code in (*(firm for firm, _ in used), thing) if code not in nodes]
            positions += [at for _, at in used]
    return nodes, positions


def _bare(graph: EntityGraph, members: np.ndarray) -> Evidence:
    """Who acts for the members' products, or in their subcontracts, without a licence."""
    columns = graph.columns
    inside = np.zeros(len(graph), dtype=bool)
    inside[members] = True
    at = columns.of("manages", "distributes", "subcontracts")
    source, target = columns.source[at], columns.target[at]
    work = np.zeros(len(columns), dtype=bool)
    work[columns.of("subcontracts")] = True
    masks = licence_masks(graph)
    near = inside[source] | inside[target]
    bare = (masks[source] == 0) | (work[at] & (masks[target] == 0))
    rows = np.flatnonzero(near & bare)
    nodes = list(dict.fromkeys(np.column_stack([source[rows], target[rows]]).ravel().tolist()))
    return nodes, at[rows].tolist()


def _subcontracts(graph: EntityGraph, members: np.ndarray) -> Evidence:
    """The chain of subcontracts from the first principal above a member to the last contractor below."""
    columns = graph.columns
    at = columns.of("subcontracts")
    source, target = columns.source[at], columns.target[at]
    for code in members.tolist():
        if code not in source and code not in target:
            continue
        nodes: list[int] = [code]
        positions: list[int] = []
        for near, far, front in ((target, source, True), (source, target, False)):
            node = code
            while True:
                spots = [spot for spot in np.flatnonzero(near == node) if int(far[spot]) not in nodes]
                if not spots:
                    break
                node = int(far[spots[0]])
                nodes.insert(0, node) if front else nodes.append(node)
                positions.insert(0, int(at[spots[0]])) if front else positions.append(int(at[spots[0]]))
        return nodes, positions
    return [], []


def _affiliates(graph: EntityGraph, inside: np.ndarray) -> Evidence:
    """Members, and the firms of a known sector they hold, control or do business with."""
    columns = graph.columns
    own = sector_masks(graph)
    source, target = majority_ties(graph)
    reached = inside.copy()
    grown = True
    while grown:
        new = reached.copy()
        new[target[reached[source]]] = True
        grown = bool((new != reached).any())
        reached = new
    at = columns.of("owns", "controls", "cooperates", "raises_on", "subcontracts")
    a, b = columns.source[at], columns.target[at]
    owns = np.zeros(len(columns), dtype=bool)
    owns[columns.of("owns")] = True
    enough = ~owns[at] | (np.nan_to_num(columns.share_min[at]) * 10**15 >= TIED)
    business = np.zeros(len(columns), dtype=bool)
    business[columns.of("cooperates", "raises_on", "subcontracts")] = True
    near = (reached[a] & enough & ((own[b] > 0) | reached[b])) | (business[at] & inside[b] & (own[a] > 0))
    rows = np.flatnonzero(near)
    nodes = list(
        dict.fromkeys([*np.flatnonzero(inside).tolist(), *np.column_stack([a[rows], b[rows]]).ravel().tolist()])
    )
    return nodes, at[rows].tolist()
