"""Which method finds which planted scheme: the tables of docs/leaderboard.md, computed again.

python docs/leaderboard.py [WORLDS]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t

import riskgraph as rg
from riskgraph.learning import GraphFeatures, backtest, baseline
from riskgraph.learning.metrics import average_precision, roc_auc
from riskgraph.supervision import Catalogue, screen

SIZE, DAY, HORIZON = 3_000, "2016-06-30", "184D"
SHOWN = ["circular_capital", "evasion_49", "nominee_star", "onion_shell", "registered_elsewhere"]


def world(number: int) -> tuple[rg.EntityGraph, pd.DataFrame]:
    """An invented registry on its last day, and its labelled entities."""
    sim = rg.datasets.OwnershipSim(SIZE, random_state=number)
    return sim.graph(), sim.labels()


def learnt(name: str) -> Callable[[rg.EntityGraph, pd.Index], np.ndarray]:
    """A model fitted on another world."""
    graph, labels = world(1_000)
    X = GraphFeatures(graph).fit_transform(labels["entity"])
    model = baseline(name).fit(X, (labels["typology"] != "plain").astype(int))

    def score(graph: rg.EntityGraph, asked: pd.Index) -> np.ndarray:
        found = GraphFeatures(graph).fit_transform(asked)
        return model.predict_proba(found.reindex(columns=X.columns))[:, 1]

    return score


def spread(method: str, **parameters: str) -> Callable[[rg.EntityGraph, pd.Index], np.ndarray]:
    """A propagation from the banned."""
    return lambda graph, asked: (
        rg.propagate(graph, method=method, **parameters).scores_.reindex(asked).fillna(0).to_numpy()
    )


def findings(graph: rg.EntityGraph, asked: pd.Index) -> np.ndarray:
    """Findings of the rules, by number."""
    return screen(graph, Catalogue.load("jiangsu-2016"))["entity"].value_counts().reindex(asked).fillna(0).to_numpy()


def neighbours(graph: rg.EntityGraph, asked: pd.Index) -> np.ndarray:
    """Different entities beside each."""
    pairs = graph.relations[["source", "target"]]
    both = pd.concat([pairs, pairs.rename(columns={"source": "target", "target": "source"})]).drop_duplicates()
    return both["source"].value_counts().reindex(asked).fillna(0).to_numpy()


def holders(graph: rg.EntityGraph, asked: pd.Index) -> np.ndarray:
    """Direct holders, by number."""
    owned = graph.relations.query("kind == 'owns'")
    return owned["target"].value_counts().reindex(asked).fillna(0).to_numpy()


def nesting(graph: rg.EntityGraph, asked: pd.Index) -> np.ndarray:
    """The nesting score."""
    return rg.nesting.NestingScorer().fit(graph).scores_.reindex(asked).fillna(0).to_numpy()


def mean_of(values: list[float]) -> str:
    """Mean and half the width of its 95 % interval over the worlds."""
    half = t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{np.mean(values):.3f} ± {half:.3f}"


def planted(worlds: list[tuple[rg.EntityGraph, pd.DataFrame]]) -> None:
    """AUC of planted against plain entities: of all schemes, and of some."""
    methods: dict[str, Any] = {
        "logistic": learnt("logistic"),
        "boosting": learnt("boosting"),
        "RiskCascade": spread("cascade"),
        "PersonalizedPageRank, read either way": spread("pagerank", direction="both"),
        "ThresholdCascade": spread("threshold"),
        "nesting score": nesting,
        "number of neighbours": neighbours,
        "findings of the rules": findings,
        "direct holders": holders,
    }
    print(f"| | all schemes | {' | '.join(SHOWN)} |\n|---|{'---|' * (len(SHOWN) + 1)}")
    for title, method in methods.items():
        every: list[float] = []
        some: dict[str, list[float]] = {name: [] for name in SHOWN}
        for graph, labels in worlds:
            score, kind = method(graph, pd.Index(labels["entity"])), labels["typology"].to_numpy()
            every.append(roc_auc((kind != "plain").astype(int), score))
            for name in SHOWN:
                part = np.isin(kind, [name, "plain"])
                some[name].append(roc_auc((kind[part] == name).astype(int), score[part]))
        cells = " | ".join(f"{np.mean(values):.2f}" for values in some.values())
        print(f"| {title} | {mean_of(every)} | {cells} |", flush=True)


def entering(worlds: list[tuple[rg.EntityGraph, pd.DataFrame]]) -> None:
    """Who enters a case in the half year after a day, asked of the past only."""
    methods: dict[str, Any] = {
        "boosting, learnt on the past": "boosting",
        "logistic, learnt on the past": "logistic",
        "PersonalizedPageRank, read either way": rg.risk.PersonalizedPageRank(direction="both"),
        "RiskCascade": rg.risk.RiskCascade(),
        "RiskCascade, two steps": rg.risk.RiskCascade(max_hops=2),
    }
    print("\n| | ROC AUC | average precision |\n|---|---|---|")
    for title, method in methods.items():
        found = pd.concat([backtest(graph, method, [DAY], HORIZON, n_bootstrap=1) for graph, _ in worlds])
        print(
            f"| {title} | {mean_of(found['roc_auc'].tolist())} | {mean_of(found['average_precision'].tolist())} |",
            flush=True,
        )
    figures: list[list[float]] = [[], [], []]
    for graph, _ in worlds:
        asked = rg.learning.future_cases(graph, DAY, horizon=HORIZON)
        past = graph.at(DAY, known=DAY)
        score = neighbours(past, pd.Index(asked["entity"]))
        for values, value in zip(
            figures,
            (roc_auc(asked["label"], score), average_precision(asked["label"], score), asked["label"].mean()),
            strict=True,
        ):
            values.append(float(value))
    print(f"| number of neighbours | {mean_of(figures[0])} | {mean_of(figures[1])} |")
    print(f"| chance | 0.500 | {mean_of(figures[2])} |")


def transmission(worlds: list[tuple[rg.EntityGraph, pd.DataFrame]]) -> None:
    """What transmission learnt from the past adds to the AUC of who enters a case, in the same world and in another."""
    days = ["2015-06-30", "2015-12-31"]
    other = rg.learning.fit_transmission(world(1_000)[0], days).mapping
    print("\n| | learnt in the same world | in another |\n|---|---|---|")
    for title, hops in {"RiskCascade, two steps": 2, "RiskCascade": None}.items():
        gains: dict[str, list[float]] = {"same": [], "another": []}
        for graph, _ in worlds:
            tables = {"same": rg.learning.fit_transmission(graph, days).mapping, "another": other, "default": None}
            models = {name: rg.risk.RiskCascade(max_hops=hops, transmission=table) for name, table in tables.items()}
            auc = {
                name: float(backtest(graph, model, [DAY], HORIZON, n_bootstrap=1)["roc_auc"].iloc[0])
                for name, model in models.items()
            }
            for name, values in gains.items():
                values.append(auc[name] - auc["default"])
        print(f"| {title} | {mean_of(gains['same'])} | {mean_of(gains['another'])} |", flush=True)


def main(count: int) -> None:
    """Print the three tables."""
    worlds = [world(number) for number in range(1, count + 1)]
    planted(worlds)
    entering(worlds)
    transmission(worlds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
