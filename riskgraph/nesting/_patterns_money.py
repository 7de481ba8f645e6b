"""Patterns along funding chains: split offerings, private to public, layers, maturities, yields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from riskgraph.nesting._chains import layer_counts
from riskgraph.nesting._components import investor_counts
from riskgraph.nesting._flows import PRODUCT, funding_pairs, true_facts
from riskgraph.nesting._scale import INVESTOR_LIMIT
from riskgraph.nesting._ways import Network, matches, network
from riskgraph.nesting._why import longest_chains
from riskgraph.nesting.investors import INVESTING, investor_crossing

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["Finding", "downstream"]

#: a promised yield may lie this much above the project's return before it is said
YIELD_GAP = 0.02
#: most steps down a funding chain
MOST = 20


class Finding(NamedTuple):
    """An entity, the nodes and relation positions of its chain, and a note in both languages."""

    entity: int
    nodes: list[int]
    positions: list[int]
    en: str = ""
    zh: str = ""
    since: np.datetime64 | None = None


def downstream(graph: EntityGraph) -> Network:
    """Steps of money from funder to funded, through what is looked through; cached."""

    def build() -> Network:
        pairs = funding_pairs(graph)
        first = pairs.positions[pairs.indptr[:-1]]
        return network(len(graph), pairs.source, pairs.target, first, pairs.conduit)

    return graph.cached(("nesting", "downstream"), build)


def number(graph: EntityGraph, fact: str) -> np.ndarray:
    """A number fact of every entity, NaN where none is known; of several the last on record."""
    facts = graph.facts
    facts = facts[facts["fact"] == fact]
    values = pd.to_numeric(facts["value"], errors="coerce").to_numpy(dtype=np.float64)
    result = np.full(len(graph), np.nan)
    result[graph.codes(facts["entity"])] = values
    return result


def feeder_split(graph: EntityGraph) -> Iterator[Finding]:
    """Products within the limit by their direct investors, beyond it by their ultimate ones."""
    columns = graph.columns
    at = columns.of(*INVESTING)
    source, target = columns.source[at], columns.target[at]
    direct = np.bincount(
        np.unique(target.astype(np.int64) * len(graph) + source) // max(len(graph), 1), minlength=len(graph)
    )
    counts = investor_counts(graph)
    found = np.flatnonzero((counts > INVESTOR_LIMIT) & (direct <= INVESTOR_LIMIT))
    at, target = at[graph.kinds[source] == PRODUCT], target[graph.kinds[source] == PRODUCT]
    place, spot = matches(found, target)
    into = np.split(at[spot], np.searchsorted(place, np.arange(1, found.size)))
    for code, fed in zip(found.tolist(), into, strict=False):
        day = investor_crossing(graph, str(graph.ids[code]), limit=INVESTOR_LIMIT)
        feeders = list(dict.fromkeys(columns.source[fed].tolist()))
        yield Finding(
            code, [*feeders, code], fed.tolist(),
            f"{counts[code]} ultimate investors behind {direct[code]} direct ones",
            f"穿透后{counts[code]}名投资者,直接投资者{direct[code]}名",
            None if day is None else np.datetime64(day, "D"),
        )  # fmt: skip


def private_to_public(graph: EntityGraph) -> Iterator[Finding]:
    """Products offered to the public over privately placed ones."""
    facts = graph.facts
    public = true_facts(graph, "public_offering") | true_facts(graph, "retail_investors")
    channel = facts[(facts["fact"] == "solicitation_channel") & facts["value"].notna() & (facts["value"] != "unknown")]
    public[graph.codes(channel["entity"])] = True
    private = true_facts(graph, "private_placement")
    starts = np.flatnonzero(public & (graph.kinds == PRODUCT))
    down = downstream(graph).spread(starts, MOST)
    bases = np.flatnonzero(private[down.node] & (down.before >= 0))
    for row in bases[np.lexsort((down.node[bases], down.start[bases]))].tolist():
        yield Finding(int(starts[down.start[row]]), *down.way(row))


def multi_layer(graph: EntityGraph) -> Iterator[Finding]:
    """Products on chains of two or more."""
    counts = layer_counts(graph)
    found = np.flatnonzero((counts > 1) & (graph.kinds == PRODUCT))
    for code, (nodes, positions) in zip(found.tolist(), longest_chains(graph, found), strict=True):
        many = counts[code]
        yield Finding(
            code, nodes, positions,
            "endless" if np.isinf(many) else f"{many:.0f} layers", "循环" if np.isinf(many) else f"{many:.0f}层",
        )  # fmt: skip


def maturity_mismatch(graph: EntityGraph) -> Iterator[Finding]:
    """Money due earlier than what it is put into, anywhere below."""
    days = number(graph, "maturity_days")
    starts = np.flatnonzero(~np.isnan(days) & (graph.kinds == PRODUCT))
    down = downstream(graph).spread(starts, MOST)
    longer = np.flatnonzero(days[down.node] > days[starts[down.start]])
    for row in first_of_each(down.start[longer], longer, -days[down.node[longer]], down.node[longer]):
        code, worst = int(starts[down.start[row]]), days[down.node[row]]
        yield Finding(
            code, *down.way(row),
            f"{days[code]:.0f} days against {worst:.0f}", f"{days[code]:.0f}天对{worst:.0f}天",
        )  # fmt: skip


def yield_gap(graph: EntityGraph) -> Iterator[Finding]:
    """Promised yields above what the product's own project, or the one at the end of its chain, earns."""
    promised, earned = number(graph, "promised_yield"), number(graph, "project_return")
    starts = np.flatnonzero(~np.isnan(promised) & (graph.kinds == PRODUCT))
    down = downstream(graph).spread(starts, MOST)
    poor = np.flatnonzero(promised[starts[down.start]] - earned[down.node] > YIELD_GAP)
    for row in first_of_each(down.start[poor], poor, earned[down.node[poor]], down.node[poor]):
        code, least = int(starts[down.start[row]]), earned[down.node[row]]
        yield Finding(
            code, *down.way(row),
            f"{promised[code]:.1%} promised, {least:.1%} earned", f"承诺{promised[code]:.1%},回报{least:.1%}",
        )  # fmt: skip


def first_of_each(group: np.ndarray, rows: np.ndarray, *by: np.ndarray) -> list[int]:
    """The row of each group that comes first by the columns given, in the order of the groups."""
    order = np.lexsort((*by[::-1], group))
    return rows[order[np.flatnonzero(np.diff(group[order], prepend=-1) != 0)]].tolist()
