"""How clearly a firm shows the features of a sector: its name, its scope, its texts, what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from riskgraph.supervision._automaton import fold
from riskgraph.supervision._view import View, view
from riskgraph.supervision.sectors import is_bank, product_sector

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["FEATURED", "feature_scores", "features"]

#: sectors that a firm without a licence can clearly belong to
FEATURED = ("p2p", "equity_crowdfunding", "insurance", "payment")
#: how much each kind of evidence counts; several combine as 1 − ∏(1 − weight)
_WEIGHTS = {"declared": 0.6, "name": 0.5, "scope": 0.4, "text": 0.4, "activity": 0.6}


def features(seen: View, code: int) -> dict[str, dict[str, tuple[str, ...]]]:
    """Sector → kind of evidence → ids that show it."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}

    def add(sector: str, kind: str, evidence: tuple[str, ...]) -> None:
        old = found.setdefault(sector, {})
        old[kind] = (*old.get(kind, ()), *evidence)

    traditional = seen.catalogue.section("traditional")
    for sector in FEATURED:
        if sector not in seen.catalogue.sectors:
            continue
        if sector in seen.declared.get(code, ()):
            add(sector, "declared", (f"{seen.ids[code]}.sector={sector}",))
        for field, word, start, stop in seen.hits.get(f"sector:{sector}", {}).get(code, []):
            add(sector, field, (f"{seen.ids[code]}.{field}[{start}:{stop}]={word}",))
        words = [fold(word, traditional) for word in seen.catalogue.sectors[sector].get("words", ())]
        words += [word for word, name in seen.catalogue.section("business_words").items() if name == sector]
        sites = [int(seen.cols.target[step]) for step in seen.out("operates", code)]
        for name, places in (("declared_business", [code]), ("website_text", [code, *sites])):
            for place in places:
                for text, fact in seen.texts(name).get(place, []):
                    if any(word in fold(text, traditional) for word in words):
                        add(sector, "text", (fact,))
    loans = seen.into("raises_on", code)
    if loans:
        sector = "equity_crowdfunding" if "equity_crowdfunding" in found else "p2p"
        add(sector, "activity", seen.relation(loans))
    merchants, facts = seen.number("merchants", code)
    settles = [*seen.out("channels", code), *seen.out("subcontracts", code), *seen.into("subcontracts", code)]
    if (merchants or settles) and not is_bank(seen, code):
        add("payment", "activity", (*(facts if merchants else ()), *seen.relation(settles)))
    sold = [
        step
        for kind in ("distributes", "manages")
        for step in seen.out(kind, code)
        if product_sector(seen, int(seen.cols.target[step])) == "insurance"
    ]
    if sold:
        add("insurance", "activity", seen.relation(sold))
    return found


def scores(seen: View, code: int) -> dict[str, float]:
    """Feature score in [0, 1] by sector."""
    result = {}
    for sector, kinds in features(seen, code).items():
        free = 1.0
        for kind in kinds:
            free *= 1 - _WEIGHTS[kind]
        result[sector] = 1 - free
    return result


def feature_scores(graph: EntityGraph, catalogue: Catalogue, *, at: Any = None) -> pd.DataFrame:
    """Feature scores of the firms that show any feature of P2P, crowdfunding, insurance or payment.

    Evidence counts 0.6 when declared or done, 0.5 in the name, 0.4 in the scope or another text, combined as
    1 − ∏(1 − weight). ASSIGN-UNLICENSED-FEATURED compares the score with its parameter τ.

    Returns
    -------
    DataFrame
        ``entity, sector, score, evidence``.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, feature_scores
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["C1"], "kind": ["company"], "name": ["某某网贷公司"], "scope": ["网络借贷"]}),
    ...     pd.DataFrame({"source": [], "target": [], "kind": []}),
    ... )
    >>> feature_scores(graph, Catalogue.load())[["entity", "sector", "score"]]
      entity sector  score
    0     C1    p2p    0.7
    """
    seen = view(graph, catalogue, at=at)
    firms = seen.is_kind("company", "unknown") & seen.alive
    rows = []
    for code in firms.nonzero()[0].tolist():
        found = features(seen, code)
        given = scores(seen, code) if found else {}
        for sector in sorted(found):
            evidence = tuple(ref for refs in found[sector].values() for ref in refs)
            rows.append((seen.ids[code], sector, given[sector], evidence))
    return pd.DataFrame(rows, columns=["entity", "sector", "score", "evidence"])
