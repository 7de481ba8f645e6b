"""Who is who in an invented town: persons by name and circle, firms by similar names, a list held against it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from timing import arguments, interleaved, keep, table

import riskgraph as rg

FAMILY = list("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗")
GIVEN = list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚建华文玉国志海红春晓")
PLACES = ["甲城", "乙州", "丙江", "丁山", "戊海", "己湖"]
TRADES = ["投资管理", "信息技术", "商务咨询", "贸易", "网络科技", "融资担保"]


def town(size: int, seed: int = 0) -> tuple[rg.EntityGraph, np.ndarray]:
    """``size`` records of persons, a tenth of whom are second records, each with posts in firms; and who is who."""
    generator = np.random.default_rng(seed)
    people = size * 9 // 10
    weight = 1 / np.arange(1, len(FAMILY) + 1)
    family = generator.choice(FAMILY, people, p=weight / weight.sum())
    given = np.char.add(
        generator.choice(GIVEN, people), np.where(generator.random(people) < 0.85, generator.choice(GIVEN, people), "")
    )
    who = np.concatenate([np.arange(people), generator.choice(people, size - people, replace=False)])
    names = np.char.add(family, given)[who]
    firms = size // 3
    circle = generator.integers(0, max(firms // 10, 1), people)
    firm = np.minimum(circle[who] * 10 + generator.integers(0, 10, size), firms - 1)
    code = generator.integers(0, 20_000, firms)
    brand = np.array([f"{GIVEN[one % 30]}{GIVEN[one // 30 % 30]}{FAMILY[one // 900 % 20]}" for one in code])
    firm_names = np.char.add(np.char.add(generator.choice(PLACES, firms), brand), generator.choice(TRADES, firms))
    entities = pd.DataFrame(
        {
            "id": [f"p{row}" for row in range(size)] + [f"f{row}" for row in range(firms)],
            "kind": ["person"] * size + ["company"] * firms,
            "name": np.concatenate([names, np.char.add(firm_names, "有限公司")]),
        }
    )
    posts = pd.DataFrame(
        {"source": entities["id"][:size].to_numpy(), "target": [f"f{row}" for row in firm], "kind": "officer"}
    )
    return rg.EntityGraph.from_tables(entities, posts), who


def main() -> None:
    options = arguments(__doc__ or "")
    graph, who = town(int(options.size))
    found = rg.identity.match(graph, least=0.0)
    a, b = (graph.codes(found[end]) for end in ("source", "target"))
    truth = who[a] == who[b]
    chance = found["confidence"].to_numpy()
    seconds = interleaved(
        {
            "match persons": lambda: rg.identity.match(graph),
            "estimate weights": lambda: rg.identity.estimate_weights(graph),
            "match companies": lambda: rg.identity.match(graph, kind="company"),
            "screen 100 names": lambda: rg.identity.screen_list(graph, list(graph.names[:100])),
        },
        options.rounds,
    )
    figures = {
        "pairs_compared": found.attrs["pairs"],
        "names_left_out": len(found.attrs["left_out"]),
        "exact_name_precision": float(truth.mean()) if truth.size else float("nan"),
        "precision_at_0.9": float(truth[chance >= 0.9].mean()) if (chance >= 0.9).any() else float("nan"),
        "mean_probability": float(chance.mean()) if truth.size else float("nan"),
        "brier": float(np.mean((chance - truth) ** 2)) if truth.size else float("nan"),
    }
    keep(options.json, [table(f"identity, {who.size:,} persons", seconds, "match persons", **figures)])


if __name__ == "__main__":
    main()
