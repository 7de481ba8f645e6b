"""Checks on financial advertisements, their advertisers and the media that carry them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from riskgraph.supervision._view import View
from riskgraph.supervision.catalogue import Rule
from riskgraph.supervision.findings import Finding, Say, check

__all__ = ["ad_items", "advertisers"]

_DETERMINED = ("determination", "unlicensed_finance", "illegal_fundraising", "banned", "revoked")


def advertisers(seen: View, ad: int) -> list[tuple[int, tuple[int, ...]]]:
    """(advertiser, positions of the path) of an advertisement: what it promotes, and who manages that product."""
    found: list[tuple[int, tuple[int, ...]]] = []
    product = seen.is_kind("product")
    for position in seen.out("promotes", ad):
        target = int(seen.cols.target[position])
        if product[target]:
            for kind in ("manages", "distributes"):
                found += [(int(seen.cols.source[step]), (position, step)) for step in seen.into(kind, target)]
        else:
            found.append((target, (position,)))
    return found


def _ads(seen: View) -> list[int]:
    return np.flatnonzero(seen.is_kind("advertisement") & seen.alive).tolist()


def _text_ids(seen: View, ad: int) -> tuple[str, ...]:
    return tuple(fact for _, fact in seen.texts("ad_text").get(ad, []))


def _guises(seen: View, ad: int) -> tuple[list[str], list[str]]:
    """Guise words and content words of an advertisement's text, by the lists that name contents."""
    guises, contents = [], []
    for name, entry in seen.catalogue.keywords.items():
        if entry.get("contents"):
            guises += [word for _, word, _, _ in seen.hits[name].get(ad, [])]
            allowed = set(entry["contents"])
            contents += [word for _, word, _, _ in seen.hits.get("contents", {}).get(ad, []) if word in allowed]
    return guises, contents


def ad_items(seen: View, ad: int) -> dict[int, list[str]]:
    """Prohibited contents an advertisement shows: item → the words (or facts) that show it."""
    found: dict[int, list[str]] = {}
    cues = {word for _, word, _, _ in seen.hits.get("ad_items", {}).get(ad, [])}
    for entry in seen.catalogue.section("ad_items"):
        item = int(entry["item"])
        words = [cue for cue in entry["cues"] if cue in cues]
        if seen.is_true(f"ad_item:{item}", ad):
            words.append(f"ad_item:{item}")
        if words:
            found[item] = words
    guises, contents = _guises(seen, ad)
    if guises and contents and not any(seen.licensed(firm) for firm, _ in advertisers(seen, ad)):
        found.setdefault(6, []).extend([guises[0], contents[0]])
    return dict(sorted(found.items()))


@check("KEYWORD-AD-NINE")
def nine_contents(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Prohibited contents, on the advertisement and on its advertisers."""
    entries = {int(entry["item"]): entry for entry in seen.catalogue.section("ad_items")}
    for ad in _ads(seen):
        items = ad_items(seen, ad)
        if not items:
            continue
        facts = _text_ids(seen, ad)
        text = say(
            "广告含禁止内容："
            + "；".join(f"第{item}项 {entries[item]['zh']}（{'、'.join(words)}）" for item, words in items.items()),
            "advertisement with prohibited contents: "
            + "; ".join(f"item {item} {entries[item]['en']} ({', '.join(words)})" for item, words in items.items()),
        )
        since = seen.graph.entities["start"].to_numpy()[ad] if "start" in seen.graph.entities else None
        yield Finding(ad, facts, text, since)
        for firm, path in advertisers(seen, ad):
            yield Finding(firm, (*facts, *seen.relation(path)), text, since)


@check("KEYWORD-GUISE-LIST-G-ADS")
def guises(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Deposit or loan contents under the name of wealth management, by an advertiser without a licence."""
    for ad in _ads(seen):
        found, contents = _guises(seen, ad)
        firms = advertisers(seen, ad)
        if not (found and contents) or any(seen.licensed(firm) for firm, _ in firms):
            continue
        facts = _text_ids(seen, ad)
        text = say(
            f"以“{found[0]}”名义发布“{contents[0]}”内容", f"contents of {contents[0]} under the name of {found[0]}"
        )
        yield Finding(ad, facts, text)
        for firm, path in firms:
            yield Finding(firm, (*facts, *seen.relation(path)), text)


@check("KEYWORD-AD-KEY-SITES")
def key_sites(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Financial advertisements on a site of a key type."""
    kinds = set(seen.catalogue.section("key_sites"))
    for site, types in seen.texts("site_type").items():
        key = [(text, fact) for text, fact in types if text in kinds]
        for position in seen.out("publishes", site) if key else []:
            ad = int(seen.cols.target[position])
            for firm, path in advertisers(seen, ad):
                yield Finding(
                    firm,
                    (key[0][1], *seen.relation((position, *path))),
                    say(f"在重点网站（{key[0][0]}）发布广告", f"advertises on a key site ({key[0][0]})"),
                )


@check("LICENCE-AD-PERMITTED-CONTENT")
def permitted_contents(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Financial business advertised by a firm that holds no licence on the day."""
    labelled = {code for code, given in seen.labels.items() if any(sector != "advertising" for sector, _, _ in given)}
    for ad in _ads(seen):
        words = seen.hits.get("finance", {}).get(ad)
        for firm, path in advertisers(seen, ad):
            if seen.licensed(firm) or not (words or firm in labelled):
                continue
            yield Finding(
                firm,
                (*_text_ids(seen, ad), *seen.relation(path)),
                say("未持牌而宣传金融业务或形象", "advertises finance or itself without a licence"),
                seen.since(path[0]),
            )


@check("DISPOSITION-AD-STOP")
def ads_to_stop(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Advertisements of firms determined or suspected, with those who publish them."""
    for ad in _ads(seen):
        for firm, path in advertisers(seen, ad):
            value, facts = seen.truth("illegal_fundraising_suspected").get(firm, (None, ()))
            why = (*seen.under(firm, *_DETERMINED), *(facts if value else ()))
            if not why:
                continue
            publishers = seen.into("publishes", ad)
            names = ", ".join(seen.name(int(seen.cols.source[position])) for position in publishers)
            yield Finding(
                ad,
                (*why, *seen.relation((*path, *publishers))),
                say(
                    f"广告主{seen.name(firm)}已被认定或涉嫌，责令停止发布{f'；发布者：{names}' if names else ''}",
                    f"advertiser {seen.name(firm)} is determined or suspected: "
                    f"stop{f'; published by {names}' if names else ''}",
                ),
            )


@check("LICENCE-REALESTATE-DOWNPAYMENT")
def down_payment_loans(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Down-payment loans, as a product type, a declared business or an advertised offer."""
    for name in ("product_type", "declared_business", "ad_text"):
        for code, texts in seen.texts(name).items():
            for text, fact in texts:
                if "首付贷" not in text:
                    continue
                told = say("首付贷性质业务", "business of down-payment loans")
                yield Finding(code, (fact,), told)
                if name == "ad_text":
                    for firm, path in advertisers(seen, code):
                        yield Finding(firm, (fact, *seen.relation(path)), told)
                for position in seen.into("manages", code):
                    yield Finding(int(seen.cols.source[position]), (fact, *seen.relation(position)), told)


@check("PROP-LINK-AND-AD-SERVICE")
def service_for_bad_sites(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """A medium that carries the advertisement of a firm whose website is not filed."""
    for ad in _ads(seen):
        for firm, path in advertisers(seen, ad):
            for step in seen.out("operates", firm):
                value, facts = seen.truth("unfiled").get(int(seen.cols.target[step]), (None, ()))
                for position in seen.into("publishes", ad) if value else []:
                    yield Finding(
                        int(seen.cols.source[position]),
                        (*facts, *seen.relation((position, *path, step))),
                        say(
                            f"为未备案网站的经营者{seen.name(firm)}发布广告",
                            f"advertises for {seen.name(firm)}, whose site is not filed",
                        ),
                        seen.since(position),
                    )
