"""Beneficial owners under a named doctrine: the persons behind a company, by share, chain of majorities or control."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph._sparse import exact_shares, exact_threshold
from riskgraph.ownership._measures import Measured, accounted, measure, multiplied
from riskgraph.ownership._packs import Fallback, RulePack, Test, rule_pack
from riskgraph.ownership._verdicts import NO, UNDETERMINED, VERDICTS, YES
from riskgraph.schema import ENTITY_KINDS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["beneficial_owners"]

#: reason given where an owner's kind is not known, so that it may or may not be a person
UNKNOWN_KIND = "unknown_kind"


def beneficial_owners(
    graph: EntityGraph,
    companies: Iterable[str] | str | None = None,
    *,
    rule: str | Mapping[str, Any] | RulePack = "cn_bo",
) -> pd.DataFrame:
    """Beneficial owners of companies under a rule pack.

    ============== ==================================================================================================
    ``cn_bo``      25 % or more of the shares, multiplied along chains and added up, or control; if nobody, the
                   person in charge of daily management
    ``eu_amlr``    25 % or more, multiplied and added up
    ``us_fincen``  25 % or more, multiplied and added up
    ``uk_psc``     more than 25 % of shares or votes, held by the person or through chains of majority stakes at full
                   weight; or control by agreement
    ``ofac50``     50 % or more held in aggregate by blocked persons, every seed of the graph, and by firms blocked
                   for it
    ``majority_path``  a chain of single majorities
    ============== ==================================================================================================

    Parameters
    ----------
    companies
        Ids asked about; ``None`` for every company.
    rule
        Name of a shipped pack, or a mapping with the same fields (see :func:`rule_pack`).

    Returns
    -------
    DataFrame
        ``company, owner, verdict, share_min, share_max, reasons`` in the order of the entities. For companies that are
        named, one row for each owner that holds or commands anything of them in the sense of the pack; for all
        companies, where those would be too many to list, without the verdict ``no``.

        ``verdict`` is ``yes`` when a test holds under every choice of shares inside their intervals, ``no`` when none
        does under any, else ``undetermined``. An owner of kind ``unknown`` may be a person: never ``yes``.
        ``share_min, share_max`` is the share the pack measures: multiplied, or, for ``uk_psc``, what the chain holds,
        for ``ofac50``, what all blocked persons hold. ``reasons`` is the tuple of the codes of the tests that hold,
        or may: ``share``, ``control``, ``chain_share``, ``chain_votes``, ``aggregate``, ``majority_path``,
        ``manager``, ``unknown_kind``.

    Notes
    -----
    Shares are compared with thresholds as exact decimals. The fallback of ``cn_bo`` is ``undetermined`` as long as
    somebody else may qualify, on record or not.

    Raises
    ------
    UnknownEntity
        The graph does not hold a company named.
    InvalidParameter
        No pack has this name.
    InvalidTable
        A mapping that breaks the schema of packs.

    References
    ----------
    The sources of each pack are in it: ``rule_pack("cn_bo").source``.

    Examples
    --------
    >>> import riskgraph as rg
    >>> rg.ownership.beneficial_owners(rg.datasets.toy_diamond(), ["Mine"])
      company owner verdict  share_min  share_max           reasons
    0    Mine   Ann     yes       0.45       0.45  (share, control)
    1    Mine   Bob     yes       0.55       0.55          (share,)
    """
    pack = rule_pack(rule)
    asked = None if companies is None else np.unique(graph.codes(companies))
    wanted = np.zeros(len(graph), dtype=bool)
    if asked is None:
        wanted[graph.kinds == ENTITY_KINDS.index("company")] = True
    else:
        wanted[asked] = True
    owners = _owners(graph, pack)
    found = [(test, measure(graph, test, owners, asked)) for test in pack.tests]
    found = [(test, measured.among(owners, wanted)) for test, measured in found]
    key, verdict, passed = _combine(len(graph), found)

    unsure = graph.kinds[key % len(graph)] == ENTITY_KINDS.index("unknown")
    if pack.owners != ("seed",):
        verdict = np.where(unsure, np.minimum(verdict, UNDETERMINED), verdict)
    reasons = _reasons([test.code for test, _ in found], verdict, passed, unsure & (pack.owners != ("seed",)))
    if pack.fallback is not None:
        key, verdict, reasons = _fall_back(graph, pack.fallback, pack.tests[0], wanted, key, verdict, reasons)
    if asked is None:
        keep = verdict > NO
        key, verdict, reasons = key[keep], verdict[keep], reasons[keep]
    low, high = _shares(graph, pack, found, key)
    ids = graph.ids.to_numpy()
    return pd.DataFrame(
        {
            "company": pd.Series(ids[key // len(graph)], dtype=object),
            "owner": pd.Series(ids[key % len(graph)], dtype=object),
            "verdict": pd.Series(VERDICTS[verdict], dtype=object),
            "share_min": low,
            "share_max": high,
            "reasons": pd.Series(reasons, dtype=object),
        }
    )


def _owners(graph: EntityGraph, pack: RulePack) -> np.ndarray:
    """Mask of who can be an owner."""
    if pack.owners == ("seed",):
        owners = np.zeros(len(graph), dtype=bool)
        seeds = graph.seeds()
        owners[graph.codes(seeds.index[seeds.to_numpy() > 0])] = True
        return owners
    return np.isin(graph.kinds, [ENTITY_KINDS.index(kind) for kind in (*pack.owners, "unknown")])


def _combine(n: int, found: list[tuple[Test, Measured]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs as ``company · n + owner``, the best verdict of each, and the verdict of each test."""
    keys = [measured.company * n + measured.owner for _, measured in found]
    key = np.unique(np.concatenate(keys))
    passed = np.zeros((len(found), key.size), dtype=np.int8)
    for number, (one, (test, measured)) in enumerate(zip(keys, found, strict=True)):
        passed[number, np.searchsorted(key, one)] = measured.verdict(test)
    return key, passed.max(axis=0, initial=NO), passed


def _shares(
    graph: EntityGraph, pack: RulePack, found: list[tuple[Test, Measured]], key: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The number the pack reports for pairs ``company · n + owner``, least and greatest."""
    n = len(graph)
    low, high = np.zeros(key.size), np.zeros(key.size)
    for test, measured in found:
        if test.measure == pack.share:
            low, high = measured.lookup(key, n)
            break
    rest = np.flatnonzero(high == 0)
    if pack.share == "multiplied" and rest.size:
        # shares below the threshold of owners who qualify in another way
        owners = np.zeros(n, dtype=bool)
        owners[key[rest] % n] = True
        low[rest], high[rest] = multiplied(graph, owners, np.unique(key[rest] // n)).lookup(key[rest], n)
    return low, high


def _reasons(codes: list[str], verdict: np.ndarray, passed: np.ndarray, unsure: np.ndarray) -> np.ndarray:
    """Tuple of the codes of the tests that carry each verdict."""
    level = np.where(unsure, UNDETERMINED, verdict)
    holds = (passed >= level) & (verdict > NO)
    pattern = (holds * (1 << np.arange(len(codes)))[:, None]).sum(axis=0) + (unsure << len(codes))
    pattern = np.where(verdict > NO, pattern, 0)
    texts = [*codes, UNKNOWN_KIND]
    kinds, place = np.unique(pattern, return_inverse=True)
    tuples = np.empty(kinds.size, dtype=object)
    for number, bits in enumerate(kinds.tolist()):
        tuples[number] = tuple(text for bit, text in enumerate(texts) if bits >> bit & 1)
    return tuples[place]


def _fall_back(
    graph: EntityGraph,
    fallback: Fallback,
    test: Test,
    wanted: np.ndarray,
    key: np.ndarray,
    verdict: np.ndarray,
    reasons: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add the officers who count where nobody passes a test."""
    n = len(graph)
    best = np.zeros(n, dtype=np.int8)
    np.maximum.at(best, key // n, verdict)
    columns = graph.columns
    rows = columns.of("officer")
    rank = np.array(
        [*(fallback.roles.index(role) if role in fallback.roles else 99 for role in columns.roles), 99], dtype=np.int64
    )[columns.role[rows]]
    company = columns.target[rows]
    person = graph.kinds[columns.source[rows]] == ENTITY_KINDS.index("person")
    keep = wanted[company] & (best[company] < YES) & (rank < 99) & person
    rows, rank, company = rows[keep], rank[keep], company[keep]
    first = np.full(n, 99, dtype=np.int64)
    np.minimum.at(first, company, rank)
    rows = rows[rank == first[company]]
    new = np.unique(columns.target[rows].astype(np.int64) * n + columns.source[rows])
    if not new.size:
        return key, verdict, reasons
    # what no person or state on record owns may be enough for somebody else
    left = exact_shares(np.round(np.clip(1.0 - accounted(graph), 0.0, 1.0), 12))
    limit = exact_threshold(test.threshold)
    open_ = (best == UNDETERMINED) | (left >= limit if test.inclusive else left > limit)
    both, at = np.unique(np.concatenate([key, new]), return_inverse=True)
    level = np.zeros(both.size, dtype=np.int8)
    level[at[: key.size]] = verdict
    texts = np.empty(both.size, dtype=object)
    texts.fill(())
    texts[at[: key.size]] = reasons
    place = at[key.size :]
    level[place] = np.where(open_[new // n], UNDETERMINED, YES)
    for spot in place.tolist():
        texts[spot] = (*texts[spot], fallback.code)
    return both, level, texts
