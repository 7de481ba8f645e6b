"""Patterns of nesting: schemes the 2016 plans name, found on the relations, each with its chain as evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
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
    wanted = PATTERNS if only is None else (only,)
    found = [(name, finding) for name in wanted for finding in _TABLE[name].find(graph)]
    ids = graph.ids.to_numpy()
    positions = [list(dict.fromkeys(finding.positions)) for _, finding in found]
    flat = np.array([at for each in positions for at in each], dtype=np.int64)
    owner = np.repeat(np.arange(len(found)), [len(each) for each in positions])
    last = np.full(len(found), np.datetime64("NaT"), dtype="datetime64[D]").view(np.int64)
    np.maximum.at(last, owner, graph.columns.start[flat].astype("datetime64[D]").view(np.int64))
    relations = iter(graph.relation_ids(flat))
    rows = []
    for (name, finding), own, day in zip(found, positions, last.view("datetime64[D]"), strict=True):
        pattern = _TABLE[name]
        arrow = " → ".join(str(name) for name in graph.names_of(finding.nodes))
        title, note = (pattern.zh, finding.zh) if lang == "zh" else (pattern.en, finding.en)
        text = f"{title}{f'({note})' if lang == 'zh' and note else f' ({note})' if note else ''}: {arrow}"
        rows.append(
            (
                str(ids[finding.entity]), name, day if finding.since is None else finding.since,
                tuple(str(ids[node]) for node in finding.nodes), tuple(islice(relations, len(own))), text,
            )
        )  # fmt: skip
    frame = pd.DataFrame(rows, columns=["entity", "pattern", "since", "chain", "relations", "text"])
    frame["since"] = pd.to_datetime(frame["since"]).astype("datetime64[s]")
    return frame
