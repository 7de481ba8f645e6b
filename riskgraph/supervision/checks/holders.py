"""Checks on shareholders: who they are, what they can bear, and equity that is debt."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from riskgraph._sparse import exact_shares, exact_threshold
from riskgraph.supervision._view import View
from riskgraph.supervision.catalogue import Rule
from riskgraph.supervision.findings import Finding, Say, check

__all__: list[str] = []

_FINANCE = ("p2p", "asset_management", "equity_crowdfunding", "payment", "insurance")


@check("RULE-SHAREHOLDER-MONITOR")
def unclear_holders(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A financial firm whose declared shares leave a gap, or whose holders are unknown."""
    firms = seen.is_kind("company", "trust", "unknown")
    unknown = seen.is_kind("unknown")
    least = exact_threshold(float(rule["share"]))
    for code in sorted({code for sector in _FINANCE for code in seen.in_sector(sector)}):
        steps = seen.into("owns", code)
        if not firms[code] or not steps:
            continue
        shares = seen.cols.share_min[steps].astype(float)
        clear = ~unknown[seen.cols.source[steps]] & ~np.isnan(shares)
        identified = int(exact_shares(shares[clear]).sum()) if clear.any() else 0
        if identified < least:
            part = identified / exact_threshold(1.0)
            yield Finding(
                code,
                seen.relation(steps),
                say(f"已查明股权{part:.4g}，其余不清", f"shares identified {part:.4g}, the rest unclear"),
                severity=min(1.0, rule.severity + (1 - rule.severity) * (1 - part)),
            )


@check("RULE-SHAREHOLDER-RE-CONTRIBUTOR")
def weak_contributors(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A contributor of a developer whose debts take too much of the assets."""
    for code in seen.in_sector("real_estate"):
        for step in seen.into("owns", code):
            holder = int(seen.cols.source[step])
            assets, a = seen.number("assets", holder)
            debts, b = seen.number("liabilities", holder)
            if assets is None or debts is None:
                continue
            if debts > rule["leverage"] * assets:
                ratio = np.inf if assets <= 0 else debts / assets
                yield Finding(
                    code,
                    (*a, *b, *seen.relation(step)),
                    say(
                        f"出资人{seen.name(holder)}负债率{ratio:.3g}",
                        f"contributor {seen.name(holder)} has debts of {ratio:.3g} of assets",
                    ),
                )


@check("RULE-SHAREHOLDER-EQUITY-AS-DEBT")
def equity_as_debt(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Equity with a buy-back or fixed return: columns ``buyback``, ``fixed_return`` of the relation, or facts."""
    store = seen.cols._store
    held = seen.cols.of("owns", "invests")
    for name in ("buyback", "fixed_return"):
        if name not in store.extras:
            continue
        values = store.extras[name].to_numpy(dtype=object)[seen.cols.row[held]]
        for position in held[np.array([_promised(value) for value in values], dtype=bool)].tolist():
            holder = seen.name(int(seen.cols.source[position]))
            yield Finding(
                int(seen.cols.target[position]),
                seen.relation(position),
                say(
                    f"{holder}的出资附回购或固定回报，实为借贷",
                    f"stake of {holder} has a buy-back or fixed return and is debt",
                ),
                seen.since(position),
            )
    for name in ("equity_buyback", "fixed_return"):
        for code, (value, facts) in seen.truth(name).items():
            if value:
                yield Finding(
                    code, facts, say("股权附回购或固定回报，实为借贷", "equity with a buy-back or fixed return is debt")
                )


def _promised(value: object) -> bool:
    """Whether a cell says yes, or gives a rate above 0."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, float, np.number)):
        return bool(value > 0)
    return str(value).strip().lower() in ("true", "yes", "是")
