"""Control groups as supervision uses them: who is under one head, which licences a group holds, which sites it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph.ownership.control import control
from riskgraph.ownership.groups import business_groups
from riskgraph.supervision._sets import components
from riskgraph.supervision._view import View, view

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["control_clusters", "controlled_paths", "group_of", "groups", "head_of", "licence_groups"]


def _controlled(seen: View) -> tuple[np.ndarray, np.ndarray]:
    """Codes of controller and company where control is certain."""
    if "controlled" not in seen._kept:
        pairs = control(seen.graph)
        pairs = pairs[(pairs["verdict"] == "yes").to_numpy()]
        seen._kept["controlled"] = (seen.graph.codes(pairs["controller"]), seen.graph.codes(pairs["company"]))
    result: tuple[np.ndarray, np.ndarray] = seen._kept["controlled"]
    return result


def groups(seen: View) -> np.ndarray:
    """Group number of every entity; an entity in no group is one of its own.

    Groups are those of :func:`riskgraph.ownership.business_groups`, except that the state binds nobody: what it holds
    falls apart into the groups below it.
    """
    if "groups" not in seen._kept:
        seen._kept["groups"] = _groups(seen)
    result: np.ndarray = seen._kept["groups"]
    return result


def _groups(seen: View) -> np.ndarray:
    found = business_groups(seen.graph)
    codes = seen.graph.codes(found["entity"])
    number, _ = pd.factorize(found["group"])
    label = np.arange(seen.n) + len(found)
    label[codes] = number
    state = seen.is_kind("state")
    if state[codes].any():
        under = np.isin(label, label[np.flatnonzero(state)])
        source, target = _controlled(seen)
        inside = under[source] & under[target] & ~state[source]
        parts = components(seen.n, source[inside], target[inside])
        label[under] = 2 * seen.n + len(found) + parts[under]
    return label


def head_of(seen: View, code: int) -> str:
    """Id of whoever heads the group of an entity, the entity itself where nobody does."""
    if "heads" not in seen._kept:
        found = business_groups(seen.graph)
        seen._kept["heads"] = dict(zip(found["entity"], found["group"], strict=True))
    heads: dict[str, str] = seen._kept["heads"]
    return str(heads.get(str(seen.ids[code]), seen.ids[code]))


def controlled_paths(seen: View, code: int) -> dict[int, tuple[int, ...]]:
    """Firms an entity controls, alone or through what it controls, each with the shortest path of relations."""
    if "controlled_by" not in seen._kept:
        source, target = _controlled(seen)
        order = np.argsort(source, kind="stable")
        seen._kept["controlled_by"] = (source[order], target[order])
    source, target = seen._kept["controlled_by"]
    low, high = np.searchsorted(source, [code, code + 1])
    under = set(target[low:high].tolist())
    found: dict[int, tuple[int, ...]] = {}
    front: list[tuple[int, tuple[int, ...]]] = [(code, ())] if under else []
    while front:
        following: list[tuple[int, tuple[int, ...]]] = []
        for entity, path in front:
            for kind in ("owns", "controls"):
                for position in seen.out(kind, entity):
                    other = int(seen.cols.target[position])
                    if other in under and other not in found:
                        found[other] = (*path, position)
                        following.append((other, found[other]))
        front = following
    return found


def group_of(seen: View, code: int) -> list[int]:
    """Codes of the group an entity is in."""
    labels = groups(seen)
    members: list[int] = np.flatnonzero(labels == labels[code]).tolist()
    return members


def licence_groups(seen: View, families: int) -> dict[int, tuple[str, ...]]:
    """Licence ids of the group, for every member of a group that holds so many families of licence."""
    if len({sector for held in seen.licences.values() for sector, _, _ in held}) < families:
        return {}
    labels = groups(seen)
    by_group: dict[int, dict[str, list[str]]] = {}
    for code, held in seen.licences.items():
        for sector, _, licence in held:
            by_group.setdefault(int(labels[code]), {}).setdefault(sector, []).append(licence)
    many = {group: held for group, held in by_group.items() if len(held) >= families}
    if not many:
        return {}
    members = np.flatnonzero(np.isin(labels, list(many)) & seen.is_kind("company"))
    return {
        int(code): tuple(licence for held in many[int(labels[code])].values() for licence in held) for code in members
    }


def control_clusters(graph: EntityGraph, catalogue: Catalogue, *, at: Any = None) -> pd.DataFrame:
    """Firms and websites put together by one controller, one operator or one filing: a case unit each.

    Firms of one control group belong together, a site with its operators, and two sites (or firms) that share a
    filing number: the column ``icp`` of the entities, or a fact ``icp``.

    Parameters
    ----------
    graph
        Any entity graph.
    catalogue
        Gives the sectors of the unit.
    at
        Day asked about.

    Returns
    -------
    DataFrame
        ``entity, cluster, controller, sectors``: ``cluster`` is the id of its first member, ``controller`` the head
        of the control group (several joined by ``;``), ``sectors`` those of all members.

    Examples
    --------
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, control_clusters
    >>> graph = rg.datasets.toy_banned_platform()
    >>> control_clusters(graph, Catalogue.load()).head(3)
         entity   cluster controller   sectors
    0  Platform  Platform   Operator  exchange
    1  Operator  Platform   Operator  exchange
    2      Site  Platform   Operator  exchange
    """
    seen = view(graph, catalogue, at=at)
    unit = (seen.is_kind("company", "website", "unknown", "trust")) & seen.alive
    labels = groups(seen)
    _, first = np.unique(labels, return_index=True)
    head = np.zeros(int(labels.max(initial=0)) + 1, dtype=np.int64)
    head[labels[first]] = first
    source, target = [np.arange(seen.n)], [head[labels]]
    sites = seen.cols.of("operates")
    source.append(seen.cols.source[sites])
    target.append(seen.cols.target[sites])
    filings: dict[str, list[int]] = {}
    column = seen.column("icp")
    for code in np.flatnonzero(column != np.array(None)).tolist():
        filings.setdefault(str(column[code]).strip(), []).append(code)
    for code, texts in seen.texts("icp").items():
        for text, _ in texts:
            filings.setdefault(text.strip(), []).append(code)
    for codes in filings.values():
        source.append(np.array(codes[:-1], dtype=np.int64))
        target.append(np.array(codes[1:], dtype=np.int64))
    cluster = components(seen.n, np.concatenate(source), np.concatenate(target))
    rows = []
    for number in dict.fromkeys(cluster[unit].tolist()):
        members = np.flatnonzero((cluster == number) & unit).tolist()
        heads = dict.fromkeys(head_of(seen, code) for code in members if not seen.is_kind("website")[code])
        sectors = dict.fromkeys(sector for code in members for sector in seen.sectors(code))
        rows += [(seen.ids[code], seen.ids[members[0]], ";".join(heads), ";".join(sectors)) for code in members]
    return pd.DataFrame(rows, columns=["entity", "cluster", "controller", "sectors"])
