"""Small cascades by number, and their truth by brute force, written apart from the library."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg

NAMES = "ABCDEFGHIJKLMNOP"


class Cascades:
    """Companies A, B, … with relations ``(source, target, p there, p back)`` by number, and the chances behind them."""

    names = NAMES
    #: both probabilities from columns of the relations
    along = {  # noqa: RUF012
        ("cooperates", "forward"): lambda frame: frame["there"],
        ("cooperates", "backward"): lambda frame: frame["back"],
    }

    def graph(self, n, relations):
        entities = pd.DataFrame({"id": list(NAMES[:n]), "kind": "company"})
        frame = pd.DataFrame(
            [(NAMES[s], NAMES[t], "cooperates", there, back) for s, t, there, back in relations],
            columns=["source", "target", "kind", "there", "back"],
        )
        return rg.EntityGraph.from_tables(entities, frame)

    def together(self, many):
        """One graph of many cascades side by side, its seeds, and where the nodes of each begin."""
        sizes = [n for n, _, _ in many]
        begins = np.cumsum([0, *sizes])
        ids = [f"{number}:{NAMES[node]}" for number, n in enumerate(sizes) for node in range(n)]
        rows = [
            (f"{number}:{NAMES[s]}", f"{number}:{NAMES[t]}", "cooperates", there, back)
            for number, (_, relations, _) in enumerate(many)
            for s, t, there, back in relations
        ]
        frame = pd.DataFrame(rows, columns=["source", "target", "kind", "there", "back"])
        graph = rg.EntityGraph.from_tables(pd.DataFrame({"id": ids, "kind": "company"}), frame)
        seeds = {
            f"{number}:{NAMES[node]}": weight for number, (_, _, w) in enumerate(many) for node, weight in w.items()
        }
        return graph, seeds, begins

    def seeds(self, weights):
        return {NAMES[node]: weight for node, weight in weights.items()}

    def random(self, rng, *, most=14):
        """Relations and seeds with at most ``most`` coins in all; some sure, some parallel, some two-way."""
        n = int(rng.integers(3, 8))
        weights = {}
        for node in rng.choice(n, size=int(rng.integers(1, 3)), replace=False):
            weights[int(node)] = float(rng.choice([1.0, round(rng.uniform(0.1, 0.9), 2)]))
        coins = sum(weight < 1 for weight in weights.values())
        relations = []
        while True:
            s, t = (int(x) for x in rng.choice(n, size=2, replace=False))
            there = float(rng.choice([1.0, round(rng.uniform(0.05, 0.95), 2)], p=[0.07, 0.93]))
            back = float(rng.choice([0.0, round(rng.uniform(0.05, 0.95), 2)]))
            coins += (there < 1) + (0 < back < 1)
            if coins > most and relations:
                break
            relations.append((s, t, there, back))
            if rng.random() < 0.04:
                break
        return n, relations, weights

    def forest(self, rng, *, most=12):
        """A random tree of two-way relations, some of its nodes seeds."""
        n = int(rng.integers(3, 7))
        relations = []
        for node in range(1, n):
            other = int(rng.integers(node))
            ends = (node, other) if rng.random() < 0.5 else (other, node)
            there, back = (round(float(x), 2) for x in rng.uniform(0.05, 0.95, size=2))
            relations.append((*ends, there, back))
        weights = {
            int(node): float(rng.choice([1.0, round(rng.uniform(0.1, 0.9), 2)]))
            for node in rng.choice(n, size=int(rng.integers(1, 3)), replace=False)
        }
        return n, relations, weights

    def truth(self, n, relations, weights, *, longest=None, passes=None):
        """Probability that each node is reached, over all worlds as one boolean matrix each.

        ``passes`` maps nodes to the chance that they pass on what they received: node ``u`` then has a second node,
        which its arcs leave from and which is reached from ``u`` by one more coin.
        """
        passes = passes or {}
        leaves = {node: n + 1 + place for place, node in enumerate(passes)}
        arcs = [(leaves.get(s, s), t, there) for s, t, there, _ in relations]
        arcs += [(leaves.get(t, t), s, back) for s, t, _, back in relations if back > 0]
        arcs += [(n, leaves.get(node, node), weight) for node, weight in weights.items()]
        arcs += [(node, leaves[node], chance) for node, chance in passes.items()]
        sure = [(leaves[node], node) for node in passes if node in weights]
        world = np.arange(2 ** len(arcs))
        chance = np.ones(world.size)
        matrix = np.zeros((world.size, n + 1 + len(passes), n + 1 + len(passes)), dtype=bool)
        for place, (s, t, p) in enumerate(arcs):
            live = (world >> place) & 1 == 1
            chance *= np.where(live, p, 1 - p)
            matrix[:, s, t] |= live
        started = {leaves.get(node, node): node for node in weights}
        kept = chance > 0
        matrix, chance = matrix[kept], chance[kept]
        reached = matrix[:, n, :].copy()
        begun = {home: reached[:, home].copy() for home in started}
        for _ in range(matrix.shape[1] if longest is None else longest):
            reached |= (reached[:, :, None] & matrix).any(axis=1)
        for home, node in sure:
            # a seed that is a hub is reached itself when its own coin fell, not because it passes on
            reached[:, node] |= begun[home]
        return np.minimum(chance @ reached[:, :n] / chance.sum(), 1.0)


@pytest.fixture(scope="session")
def cascades():
    return Cascades()
