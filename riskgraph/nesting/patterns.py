"""Patterns of nesting: schemes the 2016 plans name, found on the relations, each with its chain as evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.nesting import _patterns_money as money
from riskgraph.nesting import _patterns_ties as between
from riskgraph.nesting._patterns_money import Finding

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["PATTERNS", "patterns"]


class Pattern(NamedTuple):
    """How a pattern is found, and its name in English and Chinese."""

    find: Callable[[EntityGraph], Iterator[Finding]]
    en: str
    zh: str


_TABLE: dict[str, Pattern] = {
    "self_financing": Pattern(between.self_financing, "self-financing", "自融"),
    "self_guarantee": Pattern(between.self_guarantee, "self-guarantee", "自保"),
    "feeder_split": Pattern(money.feeder_split, "offering split over feeders", "拆分募集"),
    "private_to_public": Pattern(money.private_to_public, "private product sold to the public", "私募打包向公众销售"),
    "multi_layer_nesting": Pattern(money.multi_layer, "nested products", "多层嵌套"),
    "subcontract_chain": Pattern(between.subcontract_chain, "payment work passed on", "层层转包"),
    "real_estate_platform": Pattern(between.real_estate_platform, "developer behind a platform", "房企利用平台"),
    "licensed_through_unlicensed": Pattern(
        between.licensed_through_unlicensed, "licensed product sold without licence", "持牌产品经无牌销售"
    ),
    "guarantee_ring": Pattern(partial(between.rings, guarantees=True), "guarantee ring", "互保圈"),
    "circular_capital": Pattern(partial(between.rings, guarantees=False), "circular capital", "循环出资"),
    "maturity_mismatch": Pattern(money.maturity_mismatch, "maturity mismatch", "期限错配"),
    "yield_gap": Pattern(money.yield_gap, "promised yield above what is earned", "承诺收益高于项目回报"),
}

#: names of the patterns
PATTERNS: tuple[str, ...] = tuple(_TABLE)


def patterns(graph: EntityGraph, *, only: str | None = None, lang: str = "en") -> pd.DataFrame:
    """Schemes of nesting on a graph's day, one row an entity and scheme, with the chain as evidence.

    ========================================  ======================================================================
    ``self_financing``                        who borrows on a platform, or is funded by a product, is tied to the
                                              platform or the product's manager by stakes of a fifth or more, control,
                                              kin or concert, within four steps
    ``self_guarantee``                        so is who guarantees a borrower of the platform
    ``feeder_split``                          at most 200 direct investors, more than 200 ultimate ones
    ``private_to_public``                     publicly offered, and a privately placed product lies below
    ``multi_layer_nesting``                   two products or more in a chain
    ``subcontract_chain``                     payment work passed on twice or more
    ``real_estate_platform``                  a developer that borrows on, or holds through a chain, a lending or
                                              crowdfunding platform or a wealth manager
    ``licensed_through_unlicensed``           a licensed manager's product sold by a firm without any licence
    ``guarantee_ring, circular_capital``      loops of guarantees alone; loops with shares, investments or loans
    ``maturity_mismatch``                     money due earlier than what it is put into
    ``yield_gap``                             a promised yield more than 0.02 above what the project at the end earns
    ========================================  ======================================================================

    Parameters
    ----------
    only
        One pattern; ``None`` is all.
    lang
        Language of the texts: ``"en"`` or ``"zh"``.

    Returns
    -------
    DataFrame
        ``entity, pattern, since, chain, relations, text``. ``since`` is the day on which the last relation of the
        chain began, for split offerings the day the limit was passed, NaT where nothing is dated. ``chain`` and
        ``relations`` are tuples of ids. A pattern is a reason to look, not a verdict.

    Raises
    ------
    InvalidParameter
        No such pattern or language.

    Examples
    --------
    >>> import riskgraph as rg
    >>> rg.nesting.patterns(rg.datasets.toy_guarantee_ring())[["entity", "pattern", "chain"]]
      entity         pattern                         chain
    0  Alder  guarantee_ring  (Alder, Birch, Cedar, Alder)
    1  Birch  guarantee_ring  (Birch, Cedar, Alder, Birch)
    2  Cedar  guarantee_ring  (Cedar, Alder, Birch, Cedar)
    """
    if only is not None and only not in _TABLE:
        raise InvalidParameter(f"'only' must be one of {', '.join(PATTERNS)}; got {only!r}")
    if lang not in ("en", "zh"):
        raise InvalidParameter(f"'lang' must be 'en' or 'zh'; got {lang!r}")
    ids, names = graph.ids.to_numpy(), graph.names
    start = graph.columns.start
    rows = []
    for name, pattern in _TABLE.items():
        if only is not None and name != only:
            continue
        for finding in pattern.find(graph):
            positions = np.array(list(dict.fromkeys(finding.positions)), dtype=np.int64)
            days = start[positions]
            days = days[~np.isnat(days)]
            since = finding.since if finding.since is not None else (days.max() if days.size else np.datetime64("NaT"))
            arrow = " → ".join(str(names[node]) for node in finding.nodes)
            title = pattern.zh if lang == "zh" else pattern.en
            note = finding.zh if lang == "zh" else finding.en
            text = f"{title}{f'({note})' if lang == 'zh' and note else f' ({note})' if note else ''}: {arrow}"
            rows.append(
                (
                    str(ids[finding.entity]), name, since, tuple(str(ids[node]) for node in finding.nodes),
                    tuple(graph.relation_ids(positions)), text,
                )
            )  # fmt: skip
    frame = pd.DataFrame(rows, columns=["entity", "pattern", "since", "chain", "relations", "text"])
    frame["since"] = pd.to_datetime(frame["since"]).astype("datetime64[s]")
    return frame
