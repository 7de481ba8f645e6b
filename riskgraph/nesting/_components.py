"""The raw components of nesting, each one array over all entities: no search entity by entity."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from riskgraph._sparse import WalkSolver, coalesce, runs
from riskgraph.nesting._chains import Chains, layer_counts, layer_depths
from riskgraph.nesting._crossings import handled_pairs, sectors_met, stands
from riskgraph.nesting._flows import PRODUCT, flows
from riskgraph.nesting._groups import groups, majority_ties
from riskgraph.nesting._sectors import licence_masks
from riskgraph.nesting.circuits import booked, ties
from riskgraph.nesting.investors import _unwrapped
from riskgraph.schema import SECTORS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["COMPONENTS", "lead_masks", "raw_components"]

COMPONENTS = (
    "layers", "sectors", "crossings", "returns", "opacity", "circularity", "unlicensed_share", "investors", "leads",
    "licences",
)  # fmt: skip


def raw_components(graph: EntityGraph, catalogue: Any = None) -> dict[str, np.ndarray]:
    """Components of every entity, and ``sector_mask``: the sectors it meets as bits."""
    n = len(graph)
    product = graph.kinds == PRODUCT
    mask, crossings, returns = sectors_met(graph)
    layers = np.maximum(layer_counts(graph), _subcontract_layers(graph))
    standing = stands(graph)
    np.maximum.at(layers, standing.entity, standing.of(layer_depths(graph)))
    opacity, money = _opacity(graph)
    investors = investor_counts(graph).astype(np.float64)
    actor, handled, licensed = acts(graph)
    manager, managed = handled_pairs(graph, "manages")
    result = {
        "layers": layers,
        "crossings": crossings,
        "returns": returns,
        "opacity": np.where(product, opacity, np.maximum(opacity, _weighted(n, manager, managed, opacity, money))),
        "circularity": circularity(graph),
        "unlicensed_share": _unlicensed(graph, actor, handled, licensed),
        "investors": _most(investors, manager, managed),
        "licences": _stacked_licences(graph)[0],
    }
    result["sectors"] = np.bitwise_count(mask).astype(np.float64)
    leads = lead_masks(catalogue)
    agencies = np.zeros(n, dtype=np.int64)
    for bit, agency in enumerate(leads):
        agencies[(mask >> bit & 1) == 1] |= agency
    result["leads"] = np.bitwise_count(agencies).astype(np.float64)
    result["sector_mask"] = mask
    return result


def lead_masks(catalogue: Any) -> list[int]:
    """Agencies that lead each sector, as bits; without a catalogue every sector is led by one of its own."""
    if catalogue is None:
        return [1 << bit for bit in range(len(SECTORS))]
    agencies: dict[str, int] = {}
    masks = []
    for sector in SECTORS:
        led = catalogue.lead(sector)
        names = [led] if isinstance(led, str) else list(led)
        masks.append(0)
        for name in names:
            masks[-1] |= 1 << agencies.setdefault(name, len(agencies))
    return masks


# -- products and their managers -------------------------------------------------------------------------------------


def _most(values: np.ndarray, entity: np.ndarray, product: np.ndarray) -> np.ndarray:
    """Greatest value among an entity's own and those of its products."""
    result = values.copy()
    np.maximum.at(result, entity, values[product])
    return result


def _weighted(n: int, firm: np.ndarray, product: np.ndarray, values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean of the values of a firm's products, by their money; plain where no money is on record."""
    w = np.nan_to_num(weight[product])
    sums = np.bincount(firm, weights=w, minlength=n)
    w = np.where(sums[firm] > 0, w, 1.0)
    sums = np.bincount(firm, weights=w, minlength=n)
    tops = np.bincount(firm, weights=w * values[product], minlength=n)
    return np.divide(tops, sums, out=np.zeros(n), where=sums > 0)


# -- money -----------------------------------------------------------------------------------------------------------


def _opacity(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray]:
    """Part of each conduit's money that cannot be traced to its source or to its use, the greater; and its money."""
    given = flows(graph)
    n = given.n
    at = given.conduit & (given.total > 0)
    source, target, part = given.source, given.target, given.part
    if not at.any():
        return given.conduit.astype(np.float64), np.full(n, np.nan)
    inner = (source < n) & (target < n)
    inner[inner] = at[source[inner]] & at[target[inner]]
    inner &= ~np.isnan(part)
    money = np.nan_to_num(given.amount)
    lost = np.bincount(source[target == n], weights=money[target == n], minlength=n + 1)[:n]
    found = np.bincount(target[source == n], weights=money[source == n], minlength=n + 1)[:n]
    total = np.where(at, given.total, 1.0)
    D = coalesce(n, target[inner], source[inner], part[inner])
    S = coalesce(n, source[inner], target[inner], money[inner] / total[target[inner]])
    use = WalkSolver(D).solve_transposed(np.where(at, lost / total, 0.0))
    origin = WalkSolver(S).solve_transposed(np.where(at, found / total, 0.0))
    dark = given.conduit & ~at
    result = np.where(dark, 1.0, np.where(given.conduit, np.clip(np.maximum(use, origin), 0.0, 1.0), 0.0))
    result[result < 1e-12] = 0.0
    return result, np.where(at, given.total, np.nan)


def circularity(graph: EntityGraph) -> np.ndarray:
    """Part of the money or of the guarantees an entity received that comes from a loop it lies on, the greater.

    A guarantee brings no money in, so it is measured among guarantees only.
    """
    given = ties(graph)
    covers = np.zeros(len(graph.columns), dtype=bool)
    covers[graph.columns.of("guarantees")] = True
    pair = np.repeat(np.arange(given.source.size), np.diff(given.indptr))
    target = given.target[pair]
    inside = given.label[given.source[pair]] == given.label[target]
    amount, guarantee = booked(graph, given.positions), covers[given.positions]
    return np.maximum(*(
        _from_inside(len(graph), target[rows], inside[rows], amount[rows]) for rows in (guarantee, ~guarantee)
    ))  # fmt: skip


def _from_inside(n: int, target: np.ndarray, inside: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Part of what each entity received that comes from inside; by number of relations where an amount lacks."""
    weight = np.nan_to_num(amount)
    dark = np.bincount(target, weights=np.isnan(amount), minlength=n) > 0
    dark |= np.bincount(target, weights=weight, minlength=n) == 0
    weight = np.where(dark[target], 1.0, weight)
    sums = np.bincount(target, weights=weight, minlength=n)
    mine = np.bincount(target[inside], weights=weight[inside], minlength=n)
    return np.divide(mine, sums, out=np.zeros(n), where=sums > 0)


def investor_counts(graph: EntityGraph) -> np.ndarray:
    """Distinct ultimate investors of every product, all products in one sweep."""
    n = len(graph)
    columns = graph.columns
    at = columns.of("invests", "owns", "packaged_from")
    source, target = columns.source[at].astype(np.int64), columns.target[at].astype(np.int64)
    product = graph.kinds == PRODUCT
    into = product[target] & (source != target)
    source, target = source[into], target[into]
    funded = np.zeros(n, dtype=bool)
    funded[target] = True
    unwrap = _unwrapped(graph) & funded
    inner = unwrap[source]
    given = Chains(n, source[inner], target[inner], product)
    label = given.label
    # pairs of component and investor, grown from the first layers to the last
    keys = np.unique(label[target[~inner]] * n + source[~inner])
    near, far, _, _, edges = given._up
    begin = np.searchsorted(keys, np.arange(given.count + 1) * n)
    grown: dict[int, np.ndarray] = {}
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        _grow(keys, begin, grown, near[start:stop], far[start:stop], n)
    size = np.diff(begin).astype(np.int64)
    for component, members in grown.items():
        size[component] = members.size
    result = np.zeros(n, dtype=np.int64)
    codes = np.flatnonzero(label >= 0)
    result[codes] = size[label[codes]]
    # a registered product on a circle is an investor of those below it, not of itself
    for code in np.flatnonzero(product & funded & ~unwrap).tolist():
        component = int(label[code])
        members = grown.get(component, keys[begin[component] : begin[component + 1]] % n)
        result[code] -= int((members == code).any())
    return result


def _grow(
    keys: np.ndarray, begin: np.ndarray, grown: dict[int, np.ndarray], near: np.ndarray, far: np.ndarray, n: int
) -> None:
    """Give each component of one layer the investors of those above it; ``grown`` holds components that have some."""
    below = np.unique(near)
    links = np.unique(near * begin.size + far)
    near, far = links // begin.size, links % begin.size
    old = np.array([component in grown for component in far.tolist()], dtype=bool)
    spots, link = runs(begin[far[~old]], begin[far[~old] + 1] - begin[far[~old]])
    parts = [near[~old][link] * n + keys[spots] % n]
    own, place = runs(begin[below], begin[below + 1] - begin[below])
    parts.append(below[place] * n + keys[own] % n)
    parts += [a * n + grown[b] for a, b in zip(near[old].tolist(), far[old].tolist(), strict=True)]
    found = np.unique(np.concatenate(parts))
    edges = np.searchsorted(found, np.append(below, below[-1] + 1) * n).tolist()
    for component, (start, stop) in zip(below.tolist(), pairwise(edges), strict=True):
        grown[component] = found[start:stop] % n


# -- licences --------------------------------------------------------------------------------------------------------


def acts(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Firm, product, and whether the firm holds any licence in force; for ``manages`` and ``distributes``."""
    firm, product = handled_pairs(graph, "manages", "distributes")
    return firm, product, licence_masks(graph)[firm] > 0


def _unlicensed(graph: EntityGraph, firm: np.ndarray, product: np.ndarray, licensed: np.ndarray) -> np.ndarray:
    """Part of those who manage or sell a product that hold no licence, and of a firm's own acts without one.

    Payment work passed on is an act of both firms, without licence when either has none: the licensed head of such a
    chain answers for it. 0 everywhere when the graph knows of no licence at all: then nothing can be said.
    """
    n = len(graph)
    masks = licence_masks(graph)
    if not masks.any():
        return np.zeros(n)
    columns = graph.columns
    at = columns.of("subcontracts")
    principal, contractor = columns.source[at], columns.target[at]
    passed = (masks[principal] == 0) | (masks[contractor] == 0)
    object_ = np.r_[product, firm, principal, contractor]
    bare = np.r_[~licensed, ~licensed, passed, passed].astype(np.float64)
    count = np.bincount(object_, minlength=n)
    return np.divide(np.bincount(object_, weights=bare, minlength=n), count, out=np.zeros(n), where=count > 0)


def _subcontract_layers(graph: EntityGraph) -> np.ndarray:
    """Steps of the longest chain of subcontracts through each firm; infinite on a circle of them."""
    columns = graph.columns
    at = columns.of("subcontracts")
    if not at.size:
        return np.zeros(len(graph))
    source, target = columns.source[at].astype(np.int64), columns.target[at].astype(np.int64)
    firms = np.zeros(len(graph), dtype=bool)
    firms[source], firms[target] = True, True
    given = Chains(len(graph), source, target, firms)
    weight = np.where(given.cyclic, np.inf, 1.0)
    through = weight + given.longest(weight, down=True) + given.longest(weight, down=False) - 1
    result = np.zeros(len(graph))
    result[firms] = through[given.label[firms]]
    return result


def _stacked_licences(graph: EntityGraph) -> tuple[np.ndarray, np.ndarray]:
    """Licensed sectors of a control group that share an officer, account or address; by entity, and by group."""
    found = groups(graph)
    masks = licence_masks(graph)
    count = found.size.size
    group_mask = np.zeros(count, dtype=np.int64)
    columns = graph.columns
    at = columns.of("officer", "operates", "located_at")
    source, target = columns.source[at].astype(np.int64), columns.target[at].astype(np.int64)
    officer = np.zeros(len(columns), dtype=bool)
    officer[columns.of("officer")] = True
    firm, shared = np.where(officer[at], target, source), np.where(officer[at], source, target)
    keep = (found.label[firm] >= 0) & (masks[firm] > 0)
    firm, shared = firm[keep], shared[keep]
    # what is shared inside one group, by firms of more than one licence
    key = found.label[firm] * len(graph) + shared
    pairs, inverse = np.unique(key, return_inverse=True)
    both = np.zeros(pairs.size, dtype=np.int64)
    np.bitwise_or.at(both, inverse, masks[firm])
    firms = (
        np.bincount(np.unique(inverse * len(graph) + firm) // len(graph), minlength=pairs.size) if pairs.size else pairs
    )
    breach = (np.bitwise_count(both) > 1) & (firms > 1)
    np.bitwise_or.at(group_mask, pairs[breach] // len(graph), both[breach])
    by_group = np.bitwise_count(group_mask).astype(np.float64)
    result = np.zeros(len(graph))
    inside = found.label >= 0
    result[inside] = by_group[found.label[inside]]
    # the firewall is the duty of the group and of those who lead it, not of each of its units
    leads = np.zeros(len(graph), dtype=bool)
    leads[majority_ties(graph)[0]] = True
    result[~leads] = 0.0
    return result, by_group
