"""Product names: the manager, custodian and product that the name of a holder carries in itself."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

__all__ = ["PRODUCT_TYPES", "ProductName", "parse_product_name"]

#: types of products a name can tell, and the words that do; the first that fits is taken
_TYPES: tuple[tuple[str, str], ...] = (
    ("repurchase_account", r"(回购|购回)专用(证券)?账户"),
    ("margin_account", r"(信用交易担保|转融通担保|融券专用).*账户"),
    ("employee_plan", r"员工持股(计划|平台)?|持股计划|合伙人计划|奖励基金"),
    ("social_security", r"社保基金|社会保障基金"),
    ("pension_portfolio", r"基本养老保险(基金)?.*组合|企业年金|职业年金|年金计划|养老金产品"),
    ("trust_plan", r"信托计划|资金信托|(单一|集合)资金计划|(单一|集合|财产权|服务|证券投资)信托|信托$|信托\(|信托产品"),
    ("private_fund", r"私募"),
    ("wealth_product", r"理财(产品|计划|$)|理财.*号$"),
    (
        "asset_management_plan",
        r"(资产管理|资管|集合|定向|专项|专户|收益凭证|单一)[^-]*(计划|合同|产品)|资产管理计划|资管计划|(特定客户|特定多个客户)资产",
    ),
    ("public_fund", r"证券投资(基金|$)|交易型开放式|\bETF|\(LOF\)|\(QDII|联接基金|混合型|股票型|债券型|指数型"),
    ("partnership", r"\((有限|普通|特殊普通)合伙\)|合伙企业|有限合伙$"),
)
_TYPES_COMPILED = tuple((name, re.compile(words)) for name, words in _TYPES)

#: types that :func:`parse_product_name` may give
PRODUCT_TYPES: tuple[str, ...] = (*(name for name, _ in _TYPES), "insurance_account", "fund")

_DASHES = re.compile(r"\s*[-－—–‐‑―─﹣−﹘]+\s*")
_COMPANY = re.compile(
    r"(公司|集团|银行|分行|事务所|研究院|研究所|委员会|管理局|财政局|企业|中心|厂|社|合作社|学校|大学)$"
)
_BANK = re.compile(r"银行|农商行|农信社|信用社|^(工行|农行|中行|建行|交行|招行|邮储)$")
_SECURITIES = re.compile(r"证券")
_INSURER = re.compile(r"保险|人寿|财险|寿险|人保|太保|平安养老|养老险")
_INSURANCE = re.compile(
    r"传统|分红|万能|投连|投资连结|普通保险|保险产品|自有资金|资本金|个险|团险|股票组合|权益组合|保险资金|委托投资|\d{3}L"
)
_NUMBERED = re.compile(r"\d+号|[一二三四五六七八九十百零〇]+号|\d+期|[一二三四五六七八九十]+期")
_FUND = re.compile(r"基金")
_TRUST = re.compile(r"信托(有限责任公司|股份有限公司|有限公司)?$")
_HOUSE = re.compile(r"(信托|基金|证券|资管|资本|投资|保险|资产|期货|理财|人寿)$")


class ProductName(NamedTuple):
    """What a holder's name says: who manages, who keeps the money, the product, and its type; None for each unsaid."""

    manager: str | None
    custodian: str | None
    product: str | None
    type: str | None


def parse_product_name(text: str | None) -> ProductName:
    """Manager, custodian, product and type that the name of a holder carries, as in 管理人-托管行-产品.

    Understood are plans of fund, securities and futures firms, trusts, private and public funds, insurers' accounts,
    wealth products of banks, employee share plans, social security and pension portfolios, partnerships, and special
    accounts; dashes of every width. A bank or securities firm before a public fund is its custodian, before its own
    plan its manager. A house named twice is named once in the product; a name that nests another product keeps that
    product's name whole, to be parsed in turn.

    Parameters
    ----------
    text
        Name of a holder.

    Returns
    -------
    ProductName
        ``manager, custodian, product, type``, each None where the name does not say; all None for a person, a firm,
        or no text. ``type`` is one of :data:`PRODUCT_TYPES`.

    Examples
    --------
    >>> parse_product_name("东海基金-工商银行-东海基金-鑫龙96号资产管理计划")
    ProductName(manager='东海基金', custodian='工商银行', product='鑫龙96号资产管理计划', type='asset_management_plan')
    >>> parse_product_name("青禾人寿保险股份有限公司－传统－普通保险产品－005L－CT001深").type
    'insurance_account'
    >>> parse_product_name("青禾银行股份有限公司—云帆成长混合型证券投资基金").custodian
    '青禾银行股份有限公司'
    >>> parse_product_name("青禾控股集团有限公司")
    ProductName(manager=None, custodian=None, product=None, type=None)
    """
    if not isinstance(text, str):
        return ProductName(None, None, None, None)
    name = unicodedata.normalize("NFKC", text).strip()
    parts = [part for part in _DASHES.split(name) if part]
    nothing = ProductName(None, None, None, None)
    if not parts:
        return nothing
    if len(parts) == 1:
        return _alone(parts[0]) or nothing
    return _joined(parts) or nothing


def _type_of(text: str) -> str | None:
    """Type that words of a text tell; those at its end count for more than those before."""
    last = text.rsplit("-", 1)[-1]
    for part in (last, text) if last != text else (text,):
        for name, words in _TYPES_COMPILED:
            if words.search(part):
                return name
    return None


def _alone(name: str) -> ProductName | None:
    """A name without dashes: a product only when its words say so and its end is not that of a firm."""
    kind = _type_of(name)
    if kind in ("repurchase_account", "margin_account"):
        owner = re.match(r"(.+(?:公司|银行|集团))(.+账户)$", name)
        return ProductName(owner[1], None, owner[2], kind) if owner else ProductName(None, None, name, kind)
    if kind == "partnership":
        return ProductName(None, None, name, kind)
    if kind is None or _COMPANY.search(name):
        return None
    if kind == "trust_plan" and not re.search(r"计划|资金信托|单一|集合|\d", name):
        return None  # a trust house by its short name
    return ProductName(None, None, name, kind)


def _joined(parts: list[str]) -> ProductName | None:
    first, rest = parts[0], parts[1:]
    text = "-".join(rest)
    if len(rest) == 1 and _type_of(first) == "pension_portfolio" and _BANK.search(text):
        return ProductName(None, text, first, "pension_portfolio")  # the plan before its keeper
    custodian = None
    if len(rest) > 1 and (_BANK.search(rest[0]) or _is_broker(rest[0])) and not _type_of(rest[0]):
        custodian, rest = rest[0], rest[1:]
        text = "-".join(rest)
    kind = _type_of(text)
    if kind is None or kind == "public_fund":
        kind = _by_house(first, text, custodian, kind)
    elif _INSURER.search(first) and kind in ("asset_management_plan", "wealth_product") and "计划" not in text:
        kind = "insurance_account"
    elif kind == "private_fund" and _TRUST.search(first):
        kind = "trust_plan"  # all that a trust house can offer, whatever the plan is called
    if kind is None:
        return None
    # a firm after a house and a bank is the client whose money they hold apart
    client = custodian is not None and _HOUSE.search(first)
    if kind != "partnership" and not client and _COMPANY.search(rest[-1]) and not _NUMBERED.search(rest[-1]):
        return None
    if custodian is None and _keeps(first, kind):
        return ProductName(None, first, text, kind)
    return ProductName(first, custodian, _without_house(first, rest), kind)


def _by_house(first: str, text: str, custodian: str | None, kind: str | None) -> str | None:
    """Type of a product whose words leave it open, by who stands before it."""
    if _INSURER.search(first) and (kind is None or _INSURANCE.search(text)):
        return "insurance_account" if _INSURANCE.search(text) or text.endswith("产品") else None
    keeper = _BANK.search(first) or _SECURITIES.search(first)
    if kind == "public_fund":
        # a manager that is no bank or broker and stands before its own fund runs a private one
        return kind if keeper or custodian else "private_fund"
    if custodian is not None:
        return "asset_management_plan"
    if _FUND.search(text):
        return "public_fund" if _BANK.search(first) else "private_fund" if not keeper else "fund"
    if _NUMBERED.search(text) and re.search(r"投资|资产|资本|基金|私募", first):
        return "private_fund"
    return None


def _is_broker(part: str) -> bool:
    """Whether a part is a securities firm by its name, and no product."""
    return bool(_SECURITIES.search(part)) and (len(part) <= 6 or bool(_COMPANY.search(part)))


def _keeps(first: str, kind: str) -> bool:
    """Whether the house before a product of this type keeps its money rather than managing it."""
    if _BANK.search(first):
        return kind not in ("wealth_product", "employee_plan", "repurchase_account", "margin_account", "partnership")
    return bool(_SECURITIES.search(first)) and kind in ("public_fund", "private_fund", "fund")


def _without_house(manager: str, rest: list[str]) -> str:
    """Product without its manager's name in front, and without a part said twice."""
    kept = [part for spot, part in enumerate(rest) if spot == 0 or part != rest[spot - 1]]
    while len(kept) > 1 and (manager.startswith(kept[0]) or (kept[0][:2] == manager[:2] and _HOUSE.search(kept[0]))):
        kept = kept[1:]
    return "-".join(kept)
