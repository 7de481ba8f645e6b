"""Assignment: which agency leads on which firm, who assists, which place acts, and what goes to the leading group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.supervision._view import View, check_lang, view
from riskgraph.supervision.chains import destinations, product_layers
from riskgraph.supervision.duties import action_text, duties_of
from riskgraph.supervision.features import FEATURED, scores
from riskgraph.supervision.groups import controlled_paths
from riskgraph.supervision.natures import nature_name, nature_of_sector, nature_of_text, product_nature, sector_name
from riskgraph.supervision.places import places_of
from riskgraph.supervision.regions import city_of
from riskgraph.supervision.sectors import product_sector

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["assign", "natures_by_money"]

_COLUMNS = ["entity", "lead", "assist", "duties", "region", "assist_region", "queue", "reason"]
_GROUP = "leading_group"
_PROVINCE = "province"
#: sectors that cut across the others; they meet another sector only when declared
_ACROSS = ("advertising", "wealth_management")


class Decision(NamedTuple):
    """Lead agencies (or a queue), those who join, and the rule that decided."""

    lead: tuple[str, ...]
    assist: tuple[str, ...]
    queue: str
    reason: str


def assign(
    graph: EntityGraph, catalogue: Catalogue, *, at: Any = None, level: str = "county", lang: str = "zh"
) -> pd.DataFrame:
    """Lead agency, assisting agencies, duties and place in charge of every entity in scope, or its queue.

    In scope are firms, products, websites and advertisements that have not ended, and persons with a label. The first
    rule that fits decides: an existing mechanism for illegal fund-raising; the issuer of the licence that was
    broken; the leading group where several sectors meet; the sector whose features an unlicensed firm clearly shows;
    the central bank where nesting is complex; the agency of the nature found by look-through; the lead table;
    the leading group for what is left, so that nobody is without a supervisor.

    Parameters
    ----------
    graph
        Any entity graph.
    catalogue
        Lead tables, natures and parameters.
    at
        Day asked about.
    level
        ``"county"`` or ``"province"``: the two lead tables differ.
    lang
        Language of ``duties`` and ``reason``.

    Returns
    -------
    DataFrame
        ``entity, lead, assist, duties, region, assist_region, queue, reason``. Agencies are ids joined by ``;``.
        Either ``lead`` or ``queue`` is filled: ``leading_group``, or ``province`` for what a county must send up.
        ``reason`` begins with the id of the rule that decided.

    Raises
    ------
    InvalidParameter
        ``level`` is neither county nor province.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, assign
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["C1", "C2"], "kind": "company", "sector": ["payment", "real_estate"]}),
    ...     pd.DataFrame({"source": [], "target": [], "kind": []}),
    ... )
    >>> assign(graph, Catalogue.load(), level="county")[["entity", "lead"]]
      entity            lead
    0     C1            pboc
    1     C2  housing_bureau
    """
    if level not in ("county", "province"):
        raise InvalidParameter(f"'level' must be 'county' or 'province'; got {level!r}")
    check_lang(lang)
    seen = view(graph, catalogue, at=at, lang=lang)
    scope = seen.is_kind("company", "product", "website", "advertisement", "trust", "unknown") & seen.alive
    persons = np.zeros(seen.n, dtype=bool)
    persons[[code for code in seen.labels if seen.alive[code]]] = True
    rows = []
    for code in np.flatnonzero(scope | persons).tolist():
        decision = _decide(seen, code, level, lang)
        duties = duties_of(seen, code)
        joint = [agency for agency, _, _ in duties if agency not in decision.lead]
        assist = dict.fromkeys([*decision.assist, *joint]) if not decision.queue else dict.fromkeys(joint)
        told = dict.fromkeys(
            f"{agency}:{action_text(action, lang)}[{','.join(evidence)}]" for agency, action, evidence in duties
        )
        region, other = places_of(seen, code)
        rows.append(
            (
                seen.ids[code],
                ";".join(decision.lead),
                ";".join(agency for agency in assist if agency not in decision.lead),
                "; ".join([*told, *_monitoring(seen, code, lang)]),
                region,
                other,
                decision.queue,
                decision.reason,
            )
        )
    return pd.DataFrame(rows, columns=_COLUMNS)


def _say(lang: str, zh: str, en: str) -> str:
    return zh if lang == "zh" else en


def _name(seen: View, sector: str, lang: str) -> str:
    return sector_name(seen, sector, lambda zh, en: _say(lang, zh, en))


def _nature(seen: View, nature: str, lang: str) -> str:
    return nature_name(seen, nature, lambda zh, en: zh) if lang == "zh" else nature


def _monitoring(seen: View, code: int, lang: str) -> list[str]:
    registered = seen.registered[code]
    if registered and registered[:2] != seen.catalogue.home_province and seen.labels.get(code):
        return [
            _say(
                lang,
                f"重点监控，向注册地{registered}主管部门了解风险",
                f"key monitoring, inquiry to the authority of {registered}",
            )
        ]
    return []


def _decide(seen: View, code: int, level: str, lang: str) -> Decision:
    catalogue = seen.catalogue
    labels = [sector for sector, _, _ in seen.labels.get(code, [])]
    sectors = list(dict.fromkeys(labels))
    fundraising = seen.under(code, "illegal_fundraising")
    if fundraising:
        lead = tuple(agency for agency in ("anti_fundraising_office",) if agency in catalogue.agencies) or (_GROUP,)
        why = _say(
            lang,
            f"已认定非法集资（{','.join(fundraising)}），沿用原机制",
            f"determined illegal fund-raising ({','.join(fundraising)}), existing mechanism",
        )
        return Decision(
            lead, ("public_security", *_table(seen, sectors, level)[0]), "", f"ASSIGN-ILLEGAL-FUNDRAISING-KEEPS: {why}"
        )
    licensor = _licensor(seen, code, level, lang)
    if licensor is not None:
        return licensor
    escalated = _escalated(seen, code, level, lang)
    if escalated is not None:
        return escalated
    meeting = _meeting(seen, code, sectors)
    if len(meeting) > 1:
        leads = dict.fromkeys(agency for sector in meeting for agency in catalogue.lead(sector, level=level))
        why = _say(
            lang,
            f"多领域交叉：{'、'.join(_name(seen, item, lang) for item in meeting)}；"
            f"候选：{'、'.join(catalogue.agency_name(item, level=level) for item in leads)}",
            f"sectors meet: {', '.join(meeting)}; candidates: {', '.join(leads)}",
        )
        return Decision((), (), _GROUP, f"ASSIGN-CROSS-NESTED: {why}")
    if not seen.licensed(code) and (not sectors or set(sectors) & {"asset_management"}):
        found = _unlicensed(seen, code, level, lang)
        if found is not None:
            return found
    primary = [sector for sector in sectors if sector in meeting] or sectors
    lead, assist, sector = _table(seen, primary, level)
    if lead:
        return Decision(
            lead, assist, "", f"{_lead_rule(sector)}: {_say(lang, _name(seen, sector, lang), f'sector {sector}')}"
        )
    return _rest(seen, code, sectors, level, lang)


def _lead_rule(sector: str) -> str:
    names = {
        "p2p": "LEAD-P2P", "payment": "LEAD-PAYMENT", "equity_crowdfunding": "LEAD-CROWDFUND",
        "insurance": "LEAD-INSURANCE", "asset_management": "LEAD-ASSETMGMT", "exchange": "LEAD-EXCHANGE",
        "advertising": "LEAD-AD", "wealth_management": "LEAD-WEALTH",
    }  # fmt: skip
    return names.get(sector, "LEAD-REALESTATE-COOP")


def _table(seen: View, sectors: list[str], level: str) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    for sector in sectors:
        lead = seen.catalogue.lead(sector, level=level)
        if lead:
            return lead, seen.catalogue.assist(sector, level=level), sector
    return (), (), ""


def _issuer(seen: View, sector: str, issuer: str) -> str:
    """Agency id of a licence's issuer: as given, by another spelling, else who licenses that sector."""
    if issuer in seen.catalogue.agencies:
        return issuer
    for agency, names in seen.catalogue.section("issuer_aliases").items():
        if issuer and any(name in issuer for name in names):
            return str(agency)
    return str(seen.catalogue.section("licensors").get(sector, ""))


def _licensor(seen: View, code: int, level: str, lang: str) -> Decision | None:
    """A licensed firm leads to its licensor; the licence concerned first when it broke a rule."""
    held = seen.licences.get(code)
    if not held:
        return None
    irregular = [name for name in ("violation", "substance_mismatch", "evasion") if seen.is_true(name, code)]
    cases = seen.under(code, "sanctioned", "order", "unlicensed_finance", "banned", "determination")
    concerned = {topic for _, _, topic, _ in seen.cases_of.get(code, []) if topic}
    for name in ("violated_licence", "violated_sector"):
        concerned |= {text for text, _ in seen.texts(name).get(code, [])}
    facts = seen.facts("violation")
    for extra in ("topic", "sector"):
        if extra in facts:
            concerned |= {str(value) for value in facts.loc[facts["code"] == code, extra].dropna()}
    broken = [item for item in held if item[0] in concerned or item[2] in concerned]
    if not broken:
        outside = {
            product_sector(seen, int(seen.cols.target[step]))
            for step in seen.out("manages", code)
            if _bad(seen, int(seen.cols.target[step]))
        }
        broken = [item for item in held if item[0] in outside]
    chosen = broken or held
    agencies = list(dict.fromkeys(filter(None, (_issuer(seen, sector, issuer) for sector, issuer, _ in chosen))))
    if not agencies:
        return None
    if irregular or cases or broken:
        shown = ",".join(dict.fromkeys([*irregular, *cases])) or ",".join(item[2] for item in broken)
        why = _say(
            lang, f"持牌而不规范（{shown}），归发牌部门", f"licensed and irregular ({shown}): the issuer of the licence"
        )
    else:
        why = _say(lang, "持牌机构，归发牌部门", "licensed: the issuer of the licence")
    _, assist, _ = _table(seen, [sector for sector, _, _ in seen.labels.get(code, [])], level)
    return Decision(tuple(agencies), assist, "", f"ASSIGN-LICENSED-BY-LICENSOR: {why}")


def _bad(seen: View, product: int) -> bool:
    return any(seen.is_true(name, product) for name in ("violation", "substance_mismatch", "evasion"))


def _escalated(seen: View, code: int, level: str, lang: str) -> Decision | None:
    """Unlicensed payment over several cities, or seated elsewhere, goes up from the county."""
    given = {(sector, subtype) for sector, subtype, _ in seen.labels.get(code, [])}
    if level != "county" or ("payment", "unlicensed") not in given:
        return None
    cities = {city_of(place) for place in seen.operating[code] if place}
    registered = city_of(seen.registered[code])
    if len(cities) > 1 or (cities and registered and registered not in cities):
        places = "、".join(sorted(cities | {registered} - {""}))
        why = _say(
            lang,
            f"无证支付跨地区（{places}），上报省级联合办公室",
            f"unlicensed payment across {places}: to the provincial office",
        )
        return Decision((), (), _PROVINCE, f"JURISDICTION-PAYMENT-CROSS-REGION: {why}")
    return None


def _meeting(seen: View, code: int, sectors: list[str]) -> list[str]:
    """Sectors that meet in a firm, its products and the firms it controls within the hops of the parameter."""
    declared = set(seen.declared.get(code, ()))
    found = [sector for sector in sectors if sector not in _ACROSS or sector in declared]
    found += [sector for sector in seen.declared.get(code, ()) if sector in seen.catalogue.sectors]
    hops = int(seen.catalogue.value("ASSIGN-CROSS-NESTED", "hops", 1))
    if hops and found:
        for step in seen.out("manages", code):
            product = seen.declared.get(int(seen.cols.target[step]), ())
            found += [sector for sector in product if sector in seen.catalogue.sectors and sector not in _ACROSS]
    for other, path in controlled_paths(seen, code).items() if hops else ():
        if len(path) <= hops:
            given = seen.labels.get(other, [])
            found += [
                sector for sector, _, _ in given if sector not in _ACROSS or sector in seen.declared.get(other, ())
            ]
    if "asset_management" in found and "wealth_management" in found and "asset_management" not in declared:
        found = [sector for sector in found if sector != "asset_management"]
    return list(dict.fromkeys(found))


def _unlicensed(seen: View, code: int, level: str, lang: str) -> Decision | None:
    """Features, then complexity, then nature by look-through, of a firm without a licence."""
    tau = float(seen.catalogue.value("ASSIGN-UNLICENSED-FEATURED", "tau", 0.5))
    given = {
        sector: score for sector, score in scores(seen, code).items() if score >= tau - 1e-12 and sector in FEATURED
    }
    if given:
        sector = max(sorted(given), key=lambda name: given[name])
        lead = seen.catalogue.lead(sector, level=level)
        if lead:
            shown = "、".join(f"{_name(seen, name, lang)}={score:.2f}" for name, score in sorted(given.items()))
            why = _say(lang, f"特征明显（{shown}，τ={tau:g}）", f"clear features ({shown}, τ={tau:g})")
            return Decision(lead, seen.catalogue.assist(sector, level=level), "", f"ASSIGN-UNLICENSED-FEATURED: {why}")
    natures, untraced, path = natures_by_money(seen, code)
    agencies = _agencies(seen, natures)
    complicated = _complex(seen, code, agencies, lang)
    if complicated and "pboc" in seen.catalogue.agencies:
        others = tuple(agency for agency in agencies if agency != "pboc")
        return Decision(("pboc",), others, "", f"AGENCY-AM-PBOC-NESTED: {complicated}")
    if agencies:
        agency = max(sorted(agencies), key=lambda name: agencies[name])
        shown = "、".join(
            f"{_nature(seen, name, lang)} {part:.2f}"
            for name, part in sorted(natures.items(), key=lambda item: -item[1])
        )
        sources = ",".join(_sources(seen, code))
        why = _say(
            lang,
            f"来源[{sources}]，性质{shown}，未查明{untraced:.2f}，依据[{','.join(path)}]",
            f"sources [{sources}], nature {shown}, untraced {untraced:.2f}, by [{','.join(path)}]",
        )
        return Decision(
            (agency,), tuple(name for name in agencies if name != agency), "", f"ASSIGN-UNLICENSED-PENETRATION: {why}"
        )
    return None


def _sources(seen: View, code: int) -> list[str]:
    kinds = seen.graph.entities["kind"].to_numpy(dtype=object)
    given = [int(seen.cols.source[step]) for kind in ("invests", "lends", "pays") for step in seen.into(kind, code)]
    for step in seen.out("manages", code):
        given += [int(seen.cols.source[way]) for way in seen.into("invests", int(seen.cols.target[step]))]
    return list(dict.fromkeys(str(kinds[source]) for source in given))


def _agencies(seen: View, natures: dict[str, float]) -> dict[str, float]:
    table = seen.catalogue.section("natures")
    weights: dict[str, float] = {}
    for nature, part in natures.items():
        if nature in table:
            agency = str(table[nature]["agency"])
            weights[agency] = weights.get(agency, 0.0) + part
    return weights


def natures_by_money(seen: View, code: int) -> tuple[dict[str, float], float, tuple[str, ...]]:
    """Natures of an entity with their parts, the untraced part, and the relations or facts that show them.

    Texts that name a business come first; else the destinations of the money decide.
    """
    for name in ("product_type", "declared_business"):
        for text, fact in seen.texts(name).get(code, []):
            nature = nature_of_text(seen, text)
            if nature:
                return {nature: 1.0}, 0.0, (fact,)
    kind_sector = [sector for sector in seen.declared.get(code, ()) if sector not in seen.catalogue.sectors]
    for sector in kind_sector:
        nature = nature_of_text(seen, str(seen.names[code])) if sector == "leasing" else ""
        nature = nature or nature_of_sector(seen, sector)
        if nature:
            return {nature: 1.0}, 0.0, (f"{seen.ids[code]}.sector={sector}",)
    ends, untraced = destinations(seen, code)
    natures: dict[str, float] = {}
    path: list[str] = []
    product = seen.is_kind("product")
    for kind, end, part, positions in ends:
        if kind == "lends":
            nature = "lending"
        elif product[end]:
            nature = product_nature(seen, end)
        else:
            sector = next(iter(seen.declared.get(end, ())), "")
            nature = nature_of_sector(seen, sector) if sector in ("securities", "fund", "futures") else "private_equity"
        if nature:
            natures[nature] = natures.get(nature, 0.0) + part
            path += seen.relation(positions)
        else:
            untraced += part
    if not natures:
        nature = nature_of_text(seen, str(seen.names[code]))
        if nature:
            return {nature: 1.0}, 0.0, (f"{seen.ids[code]}.name",)
        return {}, 1.0, ()
    return natures, untraced, tuple(dict.fromkeys(path))


def _complex(seen: View, code: int, agencies: dict[str, float], lang: str) -> str:
    rule = "AGENCY-AM-PBOC-NESTED"
    depth = float(seen.catalogue.value(rule, "depth", 3))
    chains = float(seen.catalogue.value(rule, "chains", 10))
    alpha = float(seen.catalogue.value(rule, "alpha", 0.5))
    products = [int(seen.cols.target[step]) for step in seen.out("manages", code)]
    products += [code] if seen.is_kind("product")[code] else []
    products += [int(seen.cols.target[step]) for step in seen.out("invests", code)]
    layers = product_layers(seen)
    deepest = max((layers.get(product, 0.0) for product in products), default=0.0)
    if deepest >= depth:
        return _say(lang, f"产品嵌套{deepest:g}层，达到{depth:g}层", f"{deepest:g} product layers, at least {depth:g}")
    if len(products) > chains:
        return _say(
            lang,
            f"产品链条{len(products)}条，超过{chains:g}条",
            f"{len(products)} product chains, more than {chains:g}",
        )
    if len(agencies) > 1 and max(agencies.values()) < alpha * sum(agencies.values()):
        return _say(lang, "各性质金额均不过半，职责难定", "no nature has the larger part of the money")
    return ""


def _rest(seen: View, code: int, sectors: list[str], level: str, lang: str) -> Decision:
    """What no table covers: products with their manager, an unsupervised sector, an orphan."""
    catalogue = seen.catalogue
    for kind in ("manages", "operates", "publishes"):
        for step in seen.into(kind, code):
            owner = int(seen.cols.source[step])
            if owner != code and not seen.is_kind("person")[owner]:
                decision = _decide(seen, owner, level, lang)
                return decision._replace(reason=f"{decision.reason} ({seen.ids[owner]})")
    for sector in seen.declared.get(code, ()):
        nature = nature_of_sector(seen, sector)
        if nature:
            entry = catalogue.section("natures")[nature]
            return Decision((entry["agency"],), (), "", f"{entry['rule']}: {_say(lang, entry['zh'], entry['en'])}")
    licensed_business = any(sector in catalogue.section("licensors") for sector in seen.declared.get(code, ()))
    if level == "county" and (sectors or licensed_business) and "anti_fundraising_office" in catalogue.agencies:
        why = _say(
            lang, "县里无主管部门，由处非办召集", "no county lead: convened by the office against illegal fund-raising"
        )
        return Decision(("anti_fundraising_office",), (), "", f"ASSIGN-UNSUPERVISED-SECTOR: {why}")
    why = _say(lang, "无牵头部门可归，报领导小组", "no lead applies: to the leading group")
    return Decision((), (), _GROUP, f"ASSIGN-CROSS-NESTED: {why}")
