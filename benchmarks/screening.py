"""Keyword screening: all lists in one pass over a registry, against a regular expression and plain counting."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from timing import arguments, interleaved, keep, peak_megabytes, table

import riskgraph as rg
from riskgraph.supervision import Catalogue, keyword_hits, screen
from riskgraph.supervision._automaton import Automaton

ORDINARY = ("商贸", "建材", "物流", "餐饮", "机械", "纺织", "家具", "包装")
FINANCE = ("投资管理", "网贷", "基金管理", "典当", "支付科技", "财富管理")
SCOPE = "日用百货销售;道路货物运输;企业管理咨询;{};电子产品研发与销售;建筑工程施工"
BARRED = "企业管理(不得从事金融业务);{}"


def main() -> None:
    given = arguments(__doc__)
    size = int(given.size)
    rng = np.random.default_rng(1)
    # one firm in twenty bears a word of finance, one in ten rules finance out in its scope
    finance = rng.random(size) < 0.05
    trades = np.where(finance, rng.choice(FINANCE, size), rng.choice(ORDINARY, size))
    barred = rng.random(size) < 0.1
    names = [f"某市{number}号{trade}有限公司" for number, trade in enumerate(trades)]
    scopes = [(BARRED if bar else SCOPE).format(trade) for trade, bar in zip(trades, barred, strict=True)]
    catalogue = Catalogue.load()
    words = sorted({word for entry in catalogue.keywords.values() for word in entry["words"]})
    traditional = catalogue.section("traditional")
    automaton = Automaton(words, traditional)
    texts = names + scopes

    def ours() -> int:
        return len(automaton.find(texts))

    longest = sorted(words, key=len, reverse=True)
    pattern = re.compile("(?=(" + "|".join(map(re.escape, longest)) + "))", re.IGNORECASE)
    inside = {word: [other for other in words if word.lower().startswith(other.lower())] for word in words}
    upper = {word.lower(): word for word in words}

    def regular_expression() -> int:
        return sum(len(inside[upper[hit.lower()]]) for text in texts for hit in pattern.findall(text))

    lowered = [word.lower() for word in words]

    def plain() -> int:
        return sum(text.lower().count(word) for text in texts for word in lowered)

    counts = {ours(), regular_expression(), plain()}
    assert len(counts) == 1, f"the ways differ: {counts}"
    seconds = interleaved(
        {"riskgraph automaton": ours, "regular expression": regular_expression, "plain count": plain}, given.rounds
    )
    figures = [
        table(
            f"{len(words)} words in {len(texts):,} texts, {sum(map(len, texts)):,} characters, {counts.pop():,} hits",
            seconds,
            "riskgraph automaton",
            peak_megabytes=peak_megabytes(ours),
        )
    ]
    entities = pd.DataFrame(
        {"id": [f"C{number}" for number in range(size)], "kind": "company", "name": names, "scope": scopes}
    )
    people = pd.DataFrame({"id": [f"P{number}" for number in range(size)], "kind": "person"})
    relations = pd.DataFrame(
        {
            "source": [f"P{number}" for number in rng.integers(0, size, size)],
            "target": [f"C{number}" for number in rng.integers(0, size, size)],
            "kind": rng.choice(["owns", "officer"], size),
        }
    )
    relations["role"] = np.where(relations["kind"] == "officer", "legal_representative", None)
    graph = rg.EntityGraph.from_tables(pd.concat([entities, people], ignore_index=True), relations)
    days = iter(pd.date_range("2016-01-01", periods=1000))
    # a new day each time, so that nothing kept from the last one helps
    whole = interleaved(
        {
            "keyword_hits": lambda: keyword_hits(graph, catalogue, at=next(days)),
            "screen, all rules": lambda: screen(graph, catalogue, at=next(days)),
        },
        1,
    )
    figures.append(table(f"a registry of {size:,} firms and {size:,} relations", whole, "keyword_hits"))
    keep(given.json, figures)


if __name__ == "__main__":
    main()
