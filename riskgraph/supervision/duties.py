"""Who has to do what: action lists by agency for venues, platforms, payment firms and determined firms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from riskgraph.supervision._view import View, view
from riskgraph.supervision.sectors import is_bank

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["action_lists", "advertising_access", "duties_of"]

#: (agency, action, relation ids)
Duty = tuple[str, str, tuple[str, ...]]

_ACTIONS = {
    "stop_bank_services": ("停止开户、托管、划转与信贷服务", "stop accounts, custody, transfers and credit"),
    "stop_payment_transfers": ("终止第三方支付划转", "stop third-party payment transfers"),
    "dispose_site": ("处置网站与应用", "dispose of the site or app"),
    "stop_promotion": ("停止广告宣传与推广", "stop advertising and promotion"),
    "inspect_bank_cooperation": ("排查银行合作", "inspect the bank's cooperation"),
    "inspect_payment_cooperation": ("排查支付机构合作", "inspect the payment firm's cooperation"),
    "close_channel": ("关闭交易处理和资金结算通道", "close the channel"),
    "revoke_licence": ("依法吊销营业执照", "revoke the business licence"),
    "investigate": ("查处涉嫌犯罪，防逃、控赃、追赃、挽损", "investigate, prevent flight, trace assets"),
    "join_housing": ("配合摸查取证、业务定性、督促整改", "assist in evidence, determination and rectification"),
    "stop_advertisement": ("整治违法广告", "act on illegal advertising"),
    "notify_provinces": ("与相关省份互通情况", "exchange findings with the provinces concerned"),
}


def action_text(action: str, lang: str) -> str:
    """Name of an action."""
    return _ACTIONS[action][0 if lang == "zh" else 1]


def duties_of(seen: View, code: int) -> list[Duty]:
    """Duties that the relations of an entity put on agencies."""
    given = seen.labels.get(code, [])
    sectors = {sector for sector, _, _ in given}
    found: list[Duty] = []
    if "exchange" in sectors:
        found += _venue(seen, code)
    if "p2p" in sectors:
        found += _cooperation(seen, code)
    if ("payment", "unlicensed") in {(sector, subtype) for sector, subtype, _ in given}:
        channels = seen.into("channels", code)
        if channels:
            found.append(("pboc", "close_channel", seen.relation(channels)))
    bad = seen.under(code, "determination", "unlicensed_finance", "banned", "illegal_fundraising")
    sites = [step for step in seen.out("operates", code) if seen.is_kind("website")[seen.cols.target[step]]]
    if bad:
        if sites and "exchange" not in sectors:
            found.append(("telecom_administration", "dispose_site", seen.relation(sites)))
        found.append(("industry_and_commerce", "revoke_licence", bad))
    suspected, facts = seen.truth("illegal_fundraising_suspected").get(code, (None, ()))
    fraud, more = seen.truth("fraud_suspected").get(code, (None, ()))
    crime = (*seen.under(code, "illegal_fundraising"), *(facts if suspected else ()), *(more if fraud else ()))
    if crime:
        found.append(("public_security", "investigate", crime))
    if "real_estate" in sectors and len(sectors - {"advertising", "real_estate"}) > 0:
        found.append(("housing_bureau", "join_housing", ()))
    ads = seen.into("promotes", code)
    if ads and "advertising" in sectors:
        found.append(("industry_and_commerce", "stop_advertisement", seen.relation(ads)))
    provinces = {place[:2] for place in (*seen.operating[code], *_branch_places(seen, code)) if place}
    if len(provinces) > 1 and sectors:
        found.append(("finance_office", "notify_provinces", tuple(f"{province}0000" for province in sorted(provinces))))
    return [duty for duty in found if duty[0] in seen.catalogue.agencies]


def _branch_places(seen: View, code: int) -> list[str]:
    return [seen.registered[int(seen.cols.source[step])] for step in seen.into("branch_of", code)]


def _venue(seen: View, code: int) -> list[Duty]:
    bank: list[int] = []
    payment: list[int] = []
    for kind in ("channels", "custodies", "lends"):
        for step in seen.into(kind, code):
            (bank if is_bank(seen, int(seen.cols.source[step])) or kind == "custodies" else payment).append(step)
    accounts = [step for step in seen.out("operates", code) if seen.is_kind("account")[seen.cols.target[step]]]
    sites = [step for step in seen.out("operates", code) if seen.is_kind("website")[seen.cols.target[step]]]
    promoters = [*seen.into("promotes", code), *seen.into("member_of", code)]
    promoters += [step for _, step in seen.partners("cooperates", code)]
    found: list[Duty] = []
    for agency, action, steps in (
        ("banking_regulator", "stop_bank_services", [*bank, *accounts]),
        ("pboc", "stop_payment_transfers", payment),
        ("telecom_administration", "dispose_site", sites),
        ("cyberspace_administration", "stop_promotion", promoters),
    ):
        if steps:
            found.append((agency, action, seen.relation(steps)))
    return found


def _cooperation(seen: View, code: int) -> list[Duty]:
    banks: list[int] = []
    payment: list[int] = []
    for kind in ("channels", "custodies", "lends"):
        for step in seen.into(kind, code):
            (banks if is_bank(seen, int(seen.cols.source[step])) else payment).append(step)
    for other, step in seen.partners("cooperates", code):
        if is_bank(seen, other):
            banks.append(step)
        elif any(sector == "payment" for sector, _, _ in seen.labels.get(other, [])):
            payment.append(step)
    found: list[Duty] = []
    if banks:
        found.append(("banking_regulator", "inspect_bank_cooperation", seen.relation(banks)))
    if payment:
        found.append(("pboc", "inspect_payment_cooperation", seen.relation(payment)))
    return found


def action_lists(graph: EntityGraph, catalogue: Catalogue, *, at: Any = None, lang: str = "zh") -> pd.DataFrame:
    """Action lists, one row an agency, entity and relation.

    Returns
    -------
    DataFrame
        ``agency, entity, action, evidence, text``, by agency.

    Examples
    --------
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, action_lists
    >>> graph = rg.datasets.toy_banned_platform()
    >>> action_lists(graph, Catalogue.load(), lang="en")[["agency", "action", "evidence"]].tail(2)
                       agency          action evidence
    2   industry_and_commerce  revoke_licence       c0
    3  telecom_administration    dispose_site       r3
    """
    seen = view(graph, catalogue, at=at, lang=lang)
    rows = [
        (agency, seen.ids[code], action, ref, action_text(action, lang))
        for code in sorted(seen.labels)
        for agency, action, evidence in duties_of(seen, code)
        for ref in evidence or ("",)
    ]
    frame = pd.DataFrame(rows, columns=["agency", "entity", "action", "evidence", "text"])
    return frame.sort_values(["agency", "entity", "action"], kind="stable").reset_index(drop=True)


def advertising_access(graph: EntityGraph, catalogue: Catalogue, *, at: Any = None) -> pd.DataFrame:
    """Access list of financial advertising: who holds which licence on the day and may advertise that business.

    Returns
    -------
    DataFrame
        ``entity, sector, licence``.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> from riskgraph.supervision import Catalogue, advertising_access
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["House"], "kind": ["company"]}),
    ...     pd.DataFrame({"source": [], "target": [], "kind": []}),
    ...     licences=pd.DataFrame({"entity": ["House"], "sector": ["fund"]}),
    ... )
    >>> advertising_access(graph, Catalogue.load())
      entity sector licence
    0  House   fund      l0
    """
    seen = view(graph, catalogue, at=at)
    rows = [
        (seen.ids[code], sector, licence)
        for code in sorted(seen.licences)
        for sector, _, licence in seen.licences[code]
    ]
    return pd.DataFrame(rows, columns=["entity", "sector", "licence"])
