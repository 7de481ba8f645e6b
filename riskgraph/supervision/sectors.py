"""Which sectors of the plan a firm belongs to, and by what evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph.supervision._automaton import fold
from riskgraph.supervision._view import View, view
from riskgraph.supervision.groups import licence_groups
from riskgraph.supervision.tipoffs import salience

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["classify_sectors", "label"]

Label = tuple[str, str, str]
_MIDDLEMEN = ("代理", "经纪", "公估", "中介")


def classify_sectors(graph: EntityGraph, catalogue: Catalogue, *, at: Any = None) -> pd.DataFrame:
    """Sectors of the plan that each entity belongs to on a day, one row an entity and sector.

    Declared sectors, lists of origin, words in names and scopes, licences, relations and tip-offs all count; ``why``
    names each of them, so that a label found only by a word can be told from one found by a contract.

    Parameters
    ----------
    graph
        Any entity graph.
    catalogue
        Its sectors, their words and licence families.
    at
        Day asked about; None takes the day the graph stands at.

    Returns
    -------
    DataFrame
        ``entity, sector, subtype, why``, in the order of the entities and of the catalogue's sectors. ``why`` joins
        ``declared``, ``list:…``, ``keyword:field:word``, ``licence:id``, ``relation:id``, ``fact:id``, ``case:id`` by
        ``; ``.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, classify_sectors
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["C1", "C2"], "kind": "company", "name": ["某某网贷公司", "某某面馆"]}),
    ...     pd.DataFrame({"source": [], "target": [], "kind": []}),
    ... )
    >>> classify_sectors(graph, Catalogue.load())
      entity sector   subtype              why
    0     C1    p2p  off_list  keyword:name:网贷
    """
    seen = view(graph, catalogue, at=at)
    rows = [
        (seen.ids[code], sector, subtype, why)
        for code in sorted(seen.labels)
        for sector, subtype, why in seen.labels[code]
    ]
    return pd.DataFrame(rows, columns=["entity", "sector", "subtype", "why"])


class _Evidence:
    """Reasons for a sector by code, and the subtype each stands for."""

    def __init__(self) -> None:
        self.why: dict[int, list[str]] = {}
        self.subtype: dict[int, list[str]] = {}

    def add(self, code: int, why: str, subtype: str = "") -> None:
        reasons = self.why.setdefault(code, [])
        if why not in reasons:
            reasons.append(why)
        if subtype:
            self.subtype.setdefault(code, []).append(subtype)


def label(seen: View) -> dict[int, list[Label]]:
    """(sector, subtype, why) by code."""
    found: dict[str, _Evidence] = {}
    firms = seen.is_kind("company", "trust", "unknown") & seen.alive
    for sector in seen.catalogue.sectors:
        evidence = found[sector] = _Evidence()
        for code, declared in seen.declared.items():
            if sector in declared and (firms[code] or (sector == "advertising" and seen.alive[code])):
                evidence.add(code, "declared")
        _listed(seen, sector, evidence, firms)
        for code, hits in seen.hits.get(f"sector:{sector}", {}).items():
            if firms[code]:
                for field, word, _, _ in hits:
                    evidence.add(code, f"keyword:{field}:{word}")
        _told(seen, sector, evidence, firms)
        families = set(seen.catalogue.sectors[sector].get("licences", ()))
        for code, held in seen.licences.items():
            for family, _, licence in held:
                if family in families and firms[code]:
                    evidence.add(code, f"licence:{licence}")
        _tipped(seen, sector, evidence, firms)
    # sectors that lean on others come after them
    steps: dict[str, Callable[[View, dict[str, _Evidence], np.ndarray], None]] = {
        "equity_crowdfunding": _crowdfunding,
        "p2p": _p2p,
        "exchange": _exchange,
        "payment": _payment,
        "insurance": _insurance,
        "asset_management": _asset_management,
        "wealth_management": _wealth,
        "advertising": _advertising,
    }
    for sector, step in steps.items():
        if sector in found:
            step(seen, found, firms)
    labels: dict[int, list[Label]] = {}
    for sector, evidence in found.items():
        default = _default_subtype(seen, sector)
        for code, why in evidence.why.items():
            for subtype in dict.fromkeys(evidence.subtype.get(code, [default])):
                labels.setdefault(code, []).append((sector, subtype, "; ".join(why)))
    return labels


def _default_subtype(seen: View, sector: str) -> str:
    objects = seen.catalogue.sectors[sector].get("objects") or []
    return str(objects[0]["id"]) if len(objects) == 1 else ""


def _listed(seen: View, sector: str, evidence: _Evidence, firms: np.ndarray) -> None:
    """Lists of origin stand in ``source_ref`` or in a fact ``list``."""
    spellings = {
        alias: source
        for source, entry in seen.catalogue.list_sources.items()
        if entry["sector"] == sector
        for alias in (source, *entry.get("aliases", ()))
    }
    if not spellings:
        return
    column = seen.column("source_ref")
    for code in np.flatnonzero((column != np.array(None)) & firms).tolist():
        for part in str(column[code]).split(";"):
            if part.strip() in spellings:
                evidence.add(code, f"list:{spellings[part.strip()]}")
    for code, texts in seen.texts("list").items():
        for text, _ in texts:
            for part in text.split(";"):
                if part.strip() in spellings and firms[code]:
                    evidence.add(code, f"list:{spellings[part.strip()]}")


def _told(seen: View, sector: str, evidence: _Evidence, firms: np.ndarray) -> None:
    """A sector's words in what a firm says its business or product is."""
    traditional = seen.catalogue.section("traditional")
    words = [fold(word, traditional) for word in seen.catalogue.sectors[sector].get("words", ())]
    for name in ("declared_business", "product_type"):
        for code, texts in seen.texts(name).items():
            for text, fact in texts:
                if firms[code] and any(word in fold(text, traditional) for word in words):
                    evidence.add(code, f"fact:{fact}")


def _tipped(seen: View, sector: str, evidence: _Evidence, firms: np.ndarray) -> None:
    """A tip-off whose topic is the sector labels its target; the wealth survey counts reporters instead."""
    if sector in ("wealth_management", "advertising"):
        return
    entry = seen.catalogue.sectors[sector]
    traditional = seen.catalogue.section("traditional")
    words = [fold(word, traditional) for word in (sector, entry["zh"], entry["en"], *entry.get("words", ()))]
    for code, cases in seen.cases_of.items():
        for kind, _, topic, case in cases:
            if kind == "tipoff" and topic and firms[code] and any(word in fold(topic, traditional) for word in words):
                evidence.add(code, f"case:{case}")


def _p2p(seen: View, found: dict[str, _Evidence], firms: np.ndarray) -> None:
    evidence = found["p2p"]
    crowd = found["equity_crowdfunding"].why if "equity_crowdfunding" in found else {}
    for position in seen.cols.of("raises_on").tolist():
        platform = int(seen.cols.target[position])
        if firms[platform] and platform not in crowd and not seen.declared.get(platform):
            evidence.add(platform, f"relation:{seen.relation(position)[0]}")
    for code, why in evidence.why.items():
        mixed = [
            name for name in ("capital_pool", "splits_maturities", "maturity_mismatch") if seen.is_true(name, code)
        ]
        if mixed:
            subtype = "credit_intermediary"
        elif any(reason == "declared" or reason.startswith(("list:", "licence:")) for reason in why):
            subtype = "registered"
        else:
            subtype = "off_list"
        evidence.subtype[code] = [subtype]


def _crowdfunding(seen: View, found: dict[str, _Evidence], firms: np.ndarray) -> None:
    evidence = found["equity_crowdfunding"]
    platforms = list(evidence.why)
    for code in platforms:
        evidence.subtype[code] = ["platform"]
    for platform in platforms:
        for position in seen.into("raises_on", platform):
            issuer = int(seen.cols.source[position])
            if firms[issuer]:
                evidence.add(issuer, f"relation:{seen.relation(position)[0]}", "issuer")
        for partner, position in seen.partners("cooperates", platform):
            if seen.licensed(partner):
                evidence.add(partner, f"relation:{seen.relation(position)[0]}", "partner")


def _exchange(seen: View, found: dict[str, _Evidence], firms: np.ndarray) -> None:
    evidence = found["exchange"]
    units: set[int] = set()
    for position in seen.cols.of("member_of").tolist():
        unit, venue = int(seen.cols.source[position]), int(seen.cols.target[position])
        relation = f"relation:{seen.relation(position)[0]}"
        if firms[unit]:
            evidence.add(unit, relation, "member_unit")
            units.add(unit)
        if firms[venue]:
            evidence.add(venue, relation)
    branches: set[int] = set()
    for position in seen.cols.of("branch_of").tolist():
        branch, head = int(seen.cols.source[position]), int(seen.cols.target[position])
        if head in evidence.why and head not in units and firms[branch]:
            evidence.add(branch, f"relation:{seen.relation(position)[0]}", "branch")
            branches.add(branch)
    for code in evidence.why:
        if code not in units and code not in branches:
            evidence.subtype[code] = ["venue"]


def _payment(seen: View, found: dict[str, _Evidence], firms: np.ndarray) -> None:
    evidence = found["payment"]
    for position in seen.cols.of("channels").tolist():
        source = int(seen.cols.source[position])
        if firms[source] and not is_bank(seen, source) and not seen.declared.get(source):
            evidence.add(source, f"relation:{seen.relation(position)[0]}")
    waiting = list(evidence.why)
    while waiting:
        code = waiting.pop()
        for position in seen.out("subcontracts", code):
            target = int(seen.cols.target[position])
            if firms[target] and target not in evidence.why:
                evidence.add(target, f"relation:{seen.relation(position)[0]}")
                waiting.append(target)
    names = seen.printed
    for entity, source in names.loc[names["match"] == "exact", ["entity", "list"]].itertuples(index=False):
        evidence.add(seen.graph.code(entity), f"list:{source}")
    for code in evidence.why:
        evidence.subtype[code] = ["licensed" if seen.licensed(code, ["payment"]) else "unlicensed"]


def is_bank(seen: View, code: int) -> bool:
    """Whether an entity is a bank by its declared sector or a licence in force."""
    return "bank" in seen.declared.get(code, ()) or bool(seen.licensed(code, ["bank"]))


def product_sector(seen: View, product: int) -> str:
    """Sector of a product: declared, else by its type, else that of its manager; '' when nothing tells."""
    declared = seen.declared.get(product)
    if declared:
        return declared[0]
    given = [text for text, _ in seen.texts("product_type").get(product, [])] + [str(seen.names[product])]
    for text in given:
        if text in seen.catalogue.section("licensors") or text in seen.catalogue.sectors:
            return text
        for word, sector in seen.catalogue.section("business_words").items():
            if word in text:
                return str(sector)
    for position in seen.into("manages", product):
        manager = seen.declared.get(int(seen.cols.source[position]))
        if manager:
            return manager[0]
    return ""


def _insurance(seen: View, found: dict[str, _Evidence], firms: np.ndarray) -> None:
    evidence = found["insurance"]
    for kind in ("distributes", "manages"):
        for position in seen.cols.of(kind).tolist():
            seller, product = int(seen.cols.source[position]), int(seen.cols.target[position])
            if firms[seller] and product_sector(seen, product) == "insurance" and not is_bank(seen, seller):
                evidence.add(seller, f"relation:{seen.relation(position)[0]}")
    for code in evidence.why:
        if not seen.licensed(code, ["insurance"]):
            evidence.subtype[code] = ["unlicensed_seller"]
        elif any(word in str(seen.names[code]) for word in _MIDDLEMEN):
            evidence.subtype[code] = ["intermediary"]
        else:
            evidence.subtype[code] = ["insurer"]


def _asset_management(seen: View, found: dict[str, _Evidence], firms: np.ndarray) -> None:
    evidence = found["asset_management"]
    families = seen.catalogue.sectors["asset_management"].get("licences", ())
    own = {"p2p", "equity_crowdfunding", "insurance", "payment", "exchange"}
    crossing: set[int] = set()
    for kind in ("manages", "distributes"):
        for position in seen.cols.of(kind).tolist():
            firm, product = int(seen.cols.source[position]), int(seen.cols.target[position])
            if not firms[firm] or seen.licensed(firm) or not seen.is_kind("product")[product]:
                continue
            sector = product_sector(seen, product)
            if sector in own or (not sector and any(firm in other.why for other in found.values())):
                continue
            if sector in ("wealth_management",) and firm in found.get("wealth_management", _Evidence()).why:
                continue
            evidence.add(firm, f"relation:{seen.relation(position)[0]}")
            crossing.add(firm)
    for member, licences in licence_groups(seen, _many(seen)).items():
        if firms[member]:
            for licence in licences:
                evidence.add(member, f"licence:{licence}")
            evidence.subtype.setdefault(member, []).append("c")
    for code in evidence.why:
        if seen.licensed(code, families):
            evidence.subtype.setdefault(code, []).insert(0, "a")
        elif code in crossing or (not seen.licensed(code) and "c" not in evidence.subtype.get(code, [])):
            evidence.subtype.setdefault(code, []).insert(0, "b")


def _many(seen: View) -> int:
    return int(seen.catalogue.value("SECTOR-ASSETMGMT", "licence_families", 2))


def _wealth(seen: View, found: dict[str, _Evidence], firms: np.ndarray) -> None:
    evidence = found["wealth_management"]
    classes = {
        "KEYWORD-NAME-LIST-D-WEALTH": "1",
        "KEYWORD-SCOPE-LIST-E-WEALTH": "2",
        "KEYWORD-NAME-LIST-F-UNAPPROVED": "3",
    }
    for name, entry in seen.catalogue.keywords.items():
        subtype = classes.get(seen.catalogue[entry["rule"]].check)
        if subtype is None:
            continue
        for code, hits in seen.hits[name].items():
            if not firms[code]:
                continue
            if subtype == "3":
                hits = unapproved(seen, code, hits, entry.get("cures", {}))
            elif seen.licensed(code):
                hits = []  # the survey is of private institutions; whoever holds a financial licence is not one
            for field, word, _, _ in hits:
                evidence.add(code, f"keyword:{field}:{word}", subtype)
    for code, cases in salience(seen).items():
        for case in cases:
            evidence.add(code, f"case:{case}", "4")


def unapproved(
    seen: View, code: int, hits: Iterable[tuple[str, str, int, int]], cures: dict[str, list[str]]
) -> list[tuple[str, str, int, int]]:
    """Hits that no licence or approval of the day cures."""
    return [
        hit
        for hit in hits
        if not seen.licensed(code, cures.get(hit[1], ()))
        and not any(seen.approved(change, code) for change in ("name", "establishment", hit[1], *cures.get(hit[1], ())))
    ]


def _advertising(seen: View, found: dict[str, _Evidence], firms: np.ndarray) -> None:
    evidence = found["advertising"]
    labelled = {code for name, other in found.items() if name != "advertising" for code in other.why}
    ads = seen.is_kind("advertisement")
    for ad in np.flatnonzero(ads & seen.alive).tolist():
        promoted = [(int(seen.cols.target[position]), position) for position in seen.out("promotes", ad)]
        advertisers: list[tuple[int, tuple[int, ...]]] = []
        for target, position in promoted:
            if firms[target]:
                advertisers.append((target, (position,)))
            for kind in ("manages", "distributes"):
                advertisers += [(int(seen.cols.source[step]), (position, step)) for step in seen.into(kind, target)]
        financial = (
            any(ad in seen.hits.get(name, {}) for name in ("finance", "ad_items", "contents"))
            or any(firm in labelled or seen.licensed(firm) for firm, _ in advertisers)
            or any(seen.is_kind("product")[target] for target, _ in promoted)
        )
        if not financial:
            continue
        evidence.add(ad, "financial advertisement", "advertisement")
        for firm, path in advertisers:
            for relation in seen.relation(path):
                evidence.add(firm, f"relation:{relation}", "advertiser")
        for position in seen.into("publishes", ad):
            medium = int(seen.cols.source[position])
            evidence.add(medium, f"relation:{seen.relation(position)[0]}", "media")
            for step in seen.into("operates", medium):
                evidence.add(int(seen.cols.source[step]), f"relation:{seen.relation(step)[0]}", "media")
    for code in evidence.why:
        if code not in evidence.subtype and firms[code]:
            evidence.subtype[code] = ["media"]
