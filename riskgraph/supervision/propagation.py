"""Extended supervision: from determined firms, by their legal representatives and holders, to other firms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.schema import ENTITY_KINDS
from riskgraph.supervision._view import View, view
from riskgraph.supervision.groups import groups

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["Step", "contagion_gain", "determined", "extended_supervision", "reach", "restricted"]

_UNLICENSED = ("unlicensed", "未经许可", "未经批准", "无证", "无牌", "非法金融")
_YEAR = 365.25


class Step(NamedTuple):
    """One way from a determined firm to another firm."""

    seed: int
    person: int
    firm: int
    weight: float
    #: positions in ``View.ever``
    relations: tuple[int, int]
    case: str
    since: Any
    holder: bool


def determined(seen: View, types: Iterable[str]) -> list[tuple[int, np.datetime64, str]]:
    """(firm, day, case) of the cases of these types in force; a determination counts by its topic."""
    found = []
    for code, cases in seen.cases_of.items():
        for kind, start, topic, case in cases:
            if kind not in types or (
                kind == "determination" and not any(word in topic.lower() for word in _UNLICENSED)
            ):
                continue
            found.append((code, start, case))
    return found


def held(seen: View, kind: str, firm: int, day: np.datetime64, role: str | None = None) -> list[int]:
    """Positions in ``seen.ever`` of the relations that reach a firm, in force on a day or still in force."""
    ever = seen.ever
    found = []
    for position in seen.ever_into(kind, firm):
        if role is not None and (ever["role"][position] < 0 or seen.cols.roles[ever["role"][position]] != role):
            continue
        start, end = ever["start"][position], ever["end"][position]
        then = not np.isnat(day) and (np.isnat(start) or start <= day) and (np.isnat(end) or end > day)
        if ever["now"][position] or then:
            found.append(position)
    return found


def reach(seen: View, *, holders: bool, types: Iterable[str]) -> list[Step]:
    """Ways of one person and one further firm, from the legal representatives or from the holders of seeds."""
    rule = "RULE-SHAREHOLDER-EXTENDED"
    stops = {ENTITY_KINDS.index(kind) for kind in seen.catalogue.value(rule, "stop_kinds", ["state"])}
    unknown = float(seen.catalogue.value(rule, "unknown_share", 0.5))
    seeds = determined(seen, tuple(types))
    firms = {code for code, _, _ in seeds}
    ever = seen.ever
    found = []
    for firm, day, case in seeds:
        links = held(seen, "owns", firm, day) if holders else held(seen, "officer", firm, day, "legal_representative")
        for link in links:
            person = int(ever["source"][link])
            if seen.graph.kinds[person] in stops or person in firms:
                continue
            share = 1.0
            if holders:
                share = float(ever["share_min"][link])
                share = unknown if np.isnan(share) else share
            for kind in ("officer", "owns", "controls"):
                for position in seen.out(kind, person):
                    other = int(seen.cols.target[position])
                    if other not in firms:
                        start = seen.cols.start[position]
                        since = max((d for d in (start, day) if not np.isnat(d)), default=np.datetime64("NaT", "D"))
                        found.append(Step(firm, person, other, share, (link, position), case, since, holders))
    return found


def extended_supervision(
    graph: EntityGraph, catalogue: Catalogue, *, at: Any = None, score: str = "set", depth: int | None = None
) -> pd.DataFrame:
    """Firms under extended supervision, each with its score and its strongest path.

    Seeds are the firms determined to do unlicensed finance or banned, on the days their cases are in force. Only
    their legal representatives and holders carry on, in whatever other firm these hold a post or a stake; who merely
    sits beside them does not. Holders and representatives count when in force as the case began, even if they left.

    Parameters
    ----------
    graph
        Any entity graph.
    catalogue
        Weights, decay and depth are parameters of PROP-EXTENDED-SUPERVISION.
    at
        Day asked about.
    score
        ``"set"``: 1 for every firm reached, the rule as written. ``"noisy_or"``: 1 − ∏(1 − weight) over the ways,
        shares and decay as weights; more relations never lower it.
    depth
        Firms passed at most; None takes the parameter. Cycles end because a firm is entered once a round.

    Returns
    -------
    DataFrame
        ``entity, score, path, relations, case``, highest score first.

    Raises
    ------
    InvalidParameter
        An unknown score, or a depth below 1.

    Examples
    --------
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, extended_supervision
    >>> graph = rg.datasets.toy_banned_platform()
    >>> extended_supervision(graph, Catalogue.load())[["entity", "score", "path"]]
       entity  score                      path
    0  Bakery    1.0  (Platform, Rita, Bakery)
    1   Dairy    1.0   (Platform, Hank, Dairy)
    """
    if score not in ("set", "noisy_or"):
        raise InvalidParameter(f"'score' must be 'set' or 'noisy_or'; got {score!r}")
    seen = view(graph, catalogue, at=at)
    rule = "PROP-EXTENDED-SUPERVISION"
    rounds = int(catalogue.value(rule, "depth", 1)) if depth is None else depth
    if rounds < 1:
        raise InvalidParameter(f"'depth' must be 1 or more; got {depth!r}")
    decay = float(catalogue.value(rule, "decay", 1.0))
    role_weight = float(catalogue.value(rule, "role_weight", 1.0))
    by_share = bool(catalogue.value(rule, "share_weighted", True))
    types = catalogue.value(
        "RULE-OFFICER-EXTENDED-LEGAL-REP", "cases", ["banned", "unlicensed_finance", "determination"]
    )
    steps = reach(seen, holders=False, types=types) + reach(seen, holders=True, types=types)
    seeds = {step.seed for step in steps}
    free: dict[int, float] = {}
    best: dict[int, tuple[float, tuple[int, ...], tuple[str, ...], str]] = {}
    for step in steps:
        weight = 1.0
        if score == "noisy_or":
            weight = (step.weight if by_share else 1.0) if step.holder else role_weight
            weight *= decay ** _years(seen, step.since)
        free[step.firm] = free.get(step.firm, 1.0) * (1 - weight)
        way = (weight, (step.seed, step.person, step.firm), seen.ever_ids(step.relations), step.case)
        if step.firm not in best or weight > best[step.firm][0]:
            best[step.firm] = way
    found = {firm: 1 - value for firm, value in free.items()}
    for _ in range(rounds - 1):
        found = _further(seen, found, best, seeds, score, role_weight)
    rows = [
        (
            seen.ids[firm],
            1.0 if score == "set" else value,
            tuple(seen.ids[code] for code in best[firm][1]),
            *best[firm][2:],
        )
        for firm, value in found.items()
    ]
    frame = pd.DataFrame(rows, columns=["entity", "score", "path", "relations", "case"])
    return frame.sort_values(["score", "entity"], ascending=[False, True], kind="stable").reset_index(drop=True)


def _years(seen: View, since: Any) -> float:
    if seen.day is None or np.isnat(since):
        return 0.0
    return max(0.0, float((seen.day - since).astype(int)) / _YEAR)


def _further(
    seen: View,
    found: dict[int, float],
    best: dict[int, tuple[float, tuple[int, ...], tuple[str, ...], str]],
    seeds: set[int],
    score: str,
    role_weight: float,
) -> dict[int, float]:
    """One firm further, by the representatives and holders of the firms reached; scores only grow."""
    free = {firm: 1 - value for firm, value in found.items()}
    for firm, value in found.items():
        for kind in ("officer", "owns"):
            for link in seen.into(kind, firm):
                role = seen.cols.roles[seen.cols.role[link]] if seen.cols.role[link] >= 0 else ""
                if kind == "officer" and role != "legal_representative":
                    continue
                person = int(seen.cols.source[link])
                share = float(seen.cols.share_min[link]) if kind == "owns" else role_weight
                weight = value * (0.5 if np.isnan(share) else share) if score == "noisy_or" else value
                for other_kind in ("officer", "owns", "controls"):
                    for position in seen.out(other_kind, person):
                        other = int(seen.cols.target[position])
                        if other in seeds or other in found:
                            continue
                        free[other] = free.get(other, 1.0) * (1 - weight)
                        if other not in best or weight > best[other][0]:
                            _, path, relations, case = best[firm]
                            best[other] = (
                                weight,
                                (*path, person, other),
                                (*relations, *seen.relation((link, position))),
                                case,
                            )
    return {firm: 1 - value for firm, value in free.items()}


def restricted(
    graph: EntityGraph, catalogue: Catalogue, *, at: Any = None, region: str | None = None, sector: str | None = None
) -> pd.DataFrame:
    """Firms restricted everywhere because one place determined them, whatever region or sector asks.

    Returns
    -------
    DataFrame
        ``entity, since, case, region, sectors, local``: the determination, the firm's own place and sectors, and
        whether these are the ones asked about. ``region`` and ``sector`` of the question hide nobody.

    Examples
    --------
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, restricted
    >>> graph = rg.datasets.toy_banned_platform()
    >>> restricted(graph, Catalogue.load(), region="320581", sector="payment")[["entity", "since", "local"]]
         entity      since  local
    0  Platform 2016-08-01  False
    """
    seen = view(graph, catalogue, at=at)
    rows = []
    for code, day, case in sorted(
        determined(seen, ("banned", "unlicensed_finance", "determination", "illegal_fundraising"))
    ):
        places = [place for place in (seen.registered[code], *seen.operating[code]) if place]
        sectors = seen.sectors(code)
        local = (region is None or any(place.startswith(str(region).rstrip("0")) for place in places)) and (
            sector is None or sector in sectors
        )
        rows.append((seen.ids[code], day, case, ";".join(dict.fromkeys(places)), ";".join(sectors), local))
    frame = pd.DataFrame(rows, columns=["entity", "since", "case", "region", "sectors", "local"])
    frame["since"] = pd.to_datetime(frame["since"]).astype("datetime64[s]")
    frame = frame.sort_values("since", kind="stable").drop_duplicates("entity").sort_index()
    return frame.reset_index(drop=True)


def contagion_gain(graph: EntityGraph, catalogue: Catalogue, *, at: Any = None) -> pd.DataFrame:
    """How much firewalls lower contagion between the licensed members of a group.

    Between two members with ``k`` relations of any kind, risk passes with 1 − (1 − t)ᵏ; a firewall (fact ``firewall``
    true at either) multiplies it by 1 − φ. The gain is what passes without the firewall less what passes with it.

    Returns
    -------
    DataFrame
        ``group, source, target, without, with_firewall, gain``.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, contagion_gain
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["Head", "Pay", "Life"], "kind": "company"}),
    ...     pd.DataFrame(
    ...         {"source": ["Head", "Head"], "target": ["Pay", "Life"], "kind": "owns", "share": [0.9, 0.8]}
    ...     ),
    ...     licences=pd.DataFrame({"entity": ["Pay", "Life"], "sector": ["payment", "insurance"]}),
    ...     facts=pd.DataFrame({"entity": ["Pay"], "fact": ["firewall"], "value": [True]}),
    ... )
    >>> contagion_gain(graph, Catalogue.load())[["source", "target", "without", "with_firewall", "gain"]]
      source target  without  with_firewall  gain
    0    Pay   Life      0.5            0.1   0.4
    """
    seen = view(graph, catalogue, at=at)
    rule = "PROP-CROSS-CONTAGION"
    phi = float(catalogue.value(rule, "attenuation", 0.8))
    transmit = float(catalogue.value(rule, "transmission", 0.5))
    labels = groups(seen)
    members: dict[int, list[int]] = {}
    for code in sorted(seen.licences):
        members.setdefault(int(labels[code]), []).append(code)
    rows = []
    for group, codes in members.items():
        for place, first in enumerate(codes):
            for second in codes[place + 1 :]:
                count = sum(
                    seen.cols.target[position] == second or seen.cols.source[position] == second
                    for kind in ("owns", "controls", "lends", "guarantees", "pays", "cooperates", "invests")
                    for position in (*seen.out(kind, first), *seen.into(kind, first))
                )
                plain = 1 - (1 - transmit) ** max(int(count), 1)
                wall = seen.is_true("firewall", first) or seen.is_true("firewall", second)
                walled = plain * (1 - phi) if wall else plain
                rows.append((group, seen.ids[first], seen.ids[second], plain, walled, plain - walled))
    return pd.DataFrame(rows, columns=["group", "source", "target", "without", "with_firewall", "gain"])
