"""Checks on the number of holders and investors, and on how an offer is made."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from riskgraph.schema import RELATION_KINDS
from riskgraph.supervision._view import View
from riskgraph.supervision.catalogue import Rule
from riskgraph.supervision.chains import investors
from riskgraph.supervision.findings import Finding, Say, check

__all__ = ["holder_counts"]

_OWNS = RELATION_KINDS.index("owns")


def holder_counts(seen: View, *, cumulative: bool) -> np.ndarray:
    """Distinct holders of every entity, on the day or ever up to it."""
    key = ("holder counts", cumulative)
    if key not in seen._kept:
        ever = seen.ever
        rows = (ever["kind"] == _OWNS) & (ever["now"] | cumulative)
        pairs = np.sort(ever["target"][rows].astype(np.int64) * seen.n + ever["source"][rows])
        first = np.ones(pairs.size, dtype=bool)
        first[1:] = pairs[1:] != pairs[:-1]
        seen._kept[key] = np.bincount(pairs[first] // max(seen.n, 1), minlength=seen.n)
    counts: np.ndarray = seen._kept[key]
    return counts


def _holdings(seen: View, firm: int, *, cumulative: bool) -> tuple[np.ndarray, np.ndarray]:
    """Positions in ``seen.ever`` of the first relation of each distinct holder, oldest first, and their starts."""
    ever = seen.ever
    rows = np.flatnonzero((ever["kind"] == _OWNS) & (ever["target"] == firm) & (ever["now"] | cumulative))
    start = ever["start"][rows]
    order = np.argsort(np.where(np.isnat(start), np.datetime64("0001-01-01", "D"), start), kind="stable")
    rows = rows[order]
    _, first = np.unique(ever["source"][rows], return_index=True)
    rows = rows[np.sort(first)]
    return rows, ever["start"][rows]


def _approved(seen: View, code: int, day: np.datetime64) -> bool:
    """Whether an approval of a public offering was given by a day."""
    for name in ("approval:public_offering", "approval:csrc"):
        frame = seen.facts(name)
        mine = frame[(frame["code"] == code) & (frame["value"].map(lambda value: str(value).lower() == "true"))]
        start = mine["start"].to_numpy().astype("datetime64[D]")
        if len(mine) and (np.isnat(day) or (np.isnat(start) | (start <= day)).any()):
            return True
    return False


@check("RULE-200-PUBLIC")
def public_by_number(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """More holders than the limit, with the relation that crossed it; or an offer to unspecified people."""
    limit, cumulative = int(rule["limit"]), bool(rule["cumulative"])
    firms = seen.is_kind("company", "unknown")
    counts = holder_counts(seen, cumulative=cumulative)
    for firm in np.flatnonzero((counts > limit) & firms).tolist():
        rows, starts = _holdings(seen, firm, cumulative=cumulative)
        crossing, day = rows[limit], starts[limit]
        if _approved(seen, firm, day):
            continue
        (relation,) = seen.ever_ids([crossing])
        yield Finding(
            firm,
            (relation,),
            say(
                f"股东累计{counts[firm]}人，超过{limit}人，越线：{relation}（{day}）",
                f"{counts[firm]} holders in all, above {limit}; crossed by {relation} on {day}",
            ),
            day,
        )
    for name, bad in (("public_offering", True), ("specified_investors", False)):
        for code, (value, facts) in seen.truth(name, worst=bad).items():
            if value is bad and firms[code] and counts[code] <= limit:
                start = seen.facts(name)
                day = start.loc[start["id"] == facts[0], "start"].to_numpy().astype("datetime64[D]")[0]
                if not _approved(seen, code, day):
                    yield Finding(
                        code,
                        facts,
                        say("向不特定对象发行，未见核准", "offered to unspecified people without approval"),
                        day,
                    )


@check("RULE-200-TRANSFER")
def public_by_transfer(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """The transfer that brings the holders above the limit: a holder who enters as another leaves."""
    public = seen.catalogue.rules.get("RULE-200-PUBLIC")
    limit = int(public["limit"]) if public else 200
    cumulative = bool(public["cumulative"]) if public else True
    firms = seen.is_kind("company", "unknown")
    ever = seen.ever
    counts = holder_counts(seen, cumulative=cumulative)
    for firm in np.flatnonzero((counts > limit) & firms).tolist():
        rows, starts = _holdings(seen, firm, cumulative=cumulative)
        ended = np.flatnonzero((ever["kind"] == _OWNS) & (ever["target"] == firm) & ~np.isnat(ever["end"]))
        for place in range(limit, len(rows)):
            sellers = ended[ever["end"][ended] == starts[place]]
            if not sellers.size or _approved(seen, firm, starts[place]):
                continue
            buyer, seller = int(ever["source"][rows[place]]), int(ever["source"][sellers[0]])
            yield Finding(
                firm,
                seen.ever_ids([rows[place], sellers[0]]),
                say(
                    f"{starts[place]}由{seen.name(seller)}转让给{seen.name(buyer)}后股东累计{place + 1}人，"
                    f"超过{limit}人",
                    f"transfer from {seen.name(seller)} to {seen.name(buyer)} on {starts[place]} "
                    f"brings the holders to {place + 1}, above {limit}",
                ),
                starts[place],
            )
            break


def _channel(seen: View, code: int) -> tuple[str, str] | None:
    """(channel, fact) of a public channel by which an offer is made."""
    channels = seen.catalogue.section("public_channels")
    for text, fact in seen.texts("solicitation_channel").get(code, []):
        for channel in channels:
            if channel in text:
                return text, fact
    return None


@check("RULE-200-NONPUBLIC")
def disguised_public(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """At most the limit of holders, yet offered through a public channel."""
    public = seen.catalogue.rules.get("RULE-200-PUBLIC")
    limit = int(public["limit"]) if public else 200
    counts = holder_counts(seen, cumulative=bool(public["cumulative"]) if public else True)
    firms = seen.is_kind("company", "unknown")
    for code in seen.texts("solicitation_channel"):
        channel = _channel(seen, code)
        if firms[code] and channel and counts[code] <= limit and not _approved(seen, code, np.datetime64("NaT", "D")):
            yield Finding(
                code,
                (channel[1],),
                say(
                    f"股东{counts[code]}人，经“{channel[0]}”公开推介",
                    f"{counts[code]} holders, offered through {channel[0]}",
                ),
            )


@check("KEYWORD-PUBLIC-CHANNELS")
def public_channels(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A product or firm that declares a private offer and uses a public channel."""
    for code in seen.texts("solicitation_channel"):
        channel = _channel(seen, code)
        for name in ("private_placement", "specified_investors"):
            value, facts = seen.truth(name).get(code, (None, ()))
            if channel and value:
                yield Finding(
                    code,
                    (channel[1], *facts),
                    say(
                        f"非公开发行而使用公开渠道：{channel[0]}",
                        f"private offer through a public channel: {channel[0]}",
                    ),
                )
                break


def _private(seen: View, product: int) -> tuple[str, ...]:
    value, facts = seen.truth("private_placement").get(product, (None, ()))
    if value:
        return facts
    return tuple(
        fact
        for text, fact in seen.texts("product_type").get(product, [])
        if "私募" in text or "private" in text.lower()
    )


@check("RULE-200-PRIVATE-FUND")
def private_funds(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A private fund with too many investors, with unqualified ones, or offered to the public."""
    limit = int(rule["limit"])
    for product in np.flatnonzero(seen.is_kind("product") & seen.alive).tolist():
        private = _private(seen, product)
        if not private:
            continue
        _, ultimate = investors(seen, product)
        if len(ultimate) > limit:
            yield Finding(
                product,
                (*private, *seen.relation(seen.into("invests", product))),
                say(
                    f"私募投资者{len(ultimate)}人，超过{limit}人",
                    f"{len(ultimate)} investors in a private fund, above {limit}",
                ),
            )
        retail, facts = seen.truth("retail_investors").get(product, (None, ()))
        if retail:
            yield Finding(
                product,
                (*private, *facts),
                say("私募产品向非合格投资者募集", "private fund with unqualified investors"),
            )
        channel = _channel(seen, product)
        if channel:
            yield Finding(
                product,
                (*private, channel[1]),
                say(f"私募产品经“{channel[0]}”推介", f"private fund offered through {channel[0]}"),
            )


@check("NEST-PRIVATE-FUND-SPLIT")
def split_feeders(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Few direct investors, too many behind the feeders: each investor counted once over all of them."""
    limit = int(rule["limit"])
    product = seen.is_kind("product")
    funded = {
        int(seen.cols.target[position])
        for position in seen.cols.of("invests").tolist()
        if product[seen.cols.source[position]]
    }
    for code in sorted(code for code in funded if product[code]):
        direct, ultimate = investors(seen, code)
        if len(direct) <= limit < len(ultimate):
            yield Finding(
                code,
                seen.relation(seen.into("invests", code)),
                say(
                    f"直接投资者{len(direct)}个，穿透后{len(ultimate)}人，超过{limit}人",
                    f"{len(direct)} direct investors, {len(ultimate)} after look-through, above {limit}",
                ),
            )


@check("RULE-AM-LEGAL-LIMIT")
def legal_limit(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A private product sold to the public, or to more people than the limit after look-through."""
    limit = int(rule["limit"])
    for product in np.flatnonzero(seen.is_kind("product") & seen.alive).tolist():
        private = _private(seen, product)
        if not private:
            continue
        public, facts = seen.truth("public_offering").get(product, (None, ()))
        _, ultimate = investors(seen, product)
        if public or len(ultimate) > limit:
            text = say(
                "私募产品向不特定公众销售" if public else f"穿透后{len(ultimate)}人，超过{limit}人",
                "private product sold to the public"
                if public
                else f"{len(ultimate)} investors after look-through, above {limit}",
            )
            evidence = (*private, *(facts if public else seen.relation(seen.into("invests", product))))
            yield Finding(product, evidence, text)
            for step in seen.into("manages", product):
                yield Finding(int(seen.cols.source[step]), (*evidence, *seen.relation(step)), text)


@check("RULE-SUITABILITY")
def suitability(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Clients whose capacity is below a product's risk, and their share among those known."""
    order = {"low": 0, "medium": 1, "high": 2}
    for product in np.flatnonzero(seen.is_kind("product") & seen.alive).tolist():
        risk, facts = seen.level("risk_level", product)
        if risk is None:
            continue
        known, bad = 0, []
        for position in seen.into("invests", product):
            capacity, fact = seen.level("risk_capacity", int(seen.cols.source[position]))
            if capacity is not None:
                known += 1
                if order[risk] > order[capacity]:
                    bad += [*seen.relation(position), *fact]
        if bad:
            share = len(bad) / 2 / known
            yield Finding(
                product,
                (*facts, *bad),
                say(f"风险错配客户占比{share:.4g}", f"share of clients whose capacity is below the risk: {share:.4g}"),
                severity=share,
            )
