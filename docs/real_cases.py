"""The trials of docs/backtests-on-real-cases.md, computed again from the public files.

    python docs/real_cases.py platforms FOLDER
    python docs/real_cases.py ratings FOLDER

Platforms: the tables of github.com/zgbgx/P2PDA (platDataDetail.csv, problemPlat.csv, problemPlatDetail.csv), or a
sample of their rows. A failure is any end with a date, as a public page recorded it; it is no finding against anybody.
Ratings: nodes_2016Q1.csv, nodes_2016Q2.csv and edge_2016Q1.csv, edge_2016Q2.csv of github.com/AI4Risk/interbank.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import f1_score, roc_auc_score

import riskgraph as rg
from riskgraph.learning import GraphFeatures, baseline, entity_groups
from riskgraph.learning.metrics import average_precision, bootstrap_interval, precision_at, roc_auc
from riskgraph.readers import read_registry_cn

CUTOFFS = pd.to_datetime(["2015-06-30", "2015-12-31", "2016-06-30"])
#: days of the training rows: their year is over by the cutoff
DAYS = pd.to_datetime(["2013-06-30", "2013-12-31", "2014-06-30", "2014-12-31", *CUTOFFS.astype(str)])
YEAR = pd.Timedelta(days=365)
FOLDS, DEALINGS = 3, 3
#: the families that can say something here: no product, no voting agreement, no change over time is on record
FAMILIES = ["ownership", "group", "officer", "risk", "registry"]
KINDS = {
    "legal representatives": ["officer"],
    "guarantors": ["guarantees"],
    "shareholders": ["owns"],
    "same house": ["cooperates"],
    "all kinds": ["officer", "guarantees", "owns", "cooperates"],
}


class Trial:
    """Operators of platforms, the days they are asked about, and models that never saw their group or their future."""

    def __init__(self, folder: str) -> None:
        tables = read_registry_cn(folder, problem_case="illegal_fundraising").tables()
        entities, relations, cases = tables["entities"], tables["relations"], tables["cases"]
        runs = relations.loc[relations["kind"] == "operates", ["source", "target"]].merge(
            entities[["id", "start"]], left_on="target", right_on="id"
        )
        runs["failed"] = runs["target"].map(cases.groupby("entity")["start"].min())
        found = runs.groupby("source").agg(start=("start", "min"), failed=("failed", "min"))
        self.operators = found[found["start"].notna() & ~(found["failed"] <= found["start"])]
        first = entities["id"].map(self.operators["start"])
        self.entities = entities.assign(start=entities["start"].fillna(first), end=pd.NaT)
        # what is said of a platform is said of who operates it
        who = runs.drop_duplicates("target").set_index("target")["source"]
        relations = relations[relations["kind"] != "operates"].replace({"source": who, "target": who})
        relations = pd.concat(
            [relations.drop(columns="id"), same_building(entities, self.operators)], ignore_index=True
        )
        self.relations = relations[relations["source"] != relations["target"]]
        ended = self.operators["failed"].dropna()
        self.cases = pd.DataFrame({"entity": ended.index, "type": "illegal_fundraising", "start": ended.to_numpy()})
        self.rows = pd.concat([self.running(day) for day in DAYS], ignore_index=True)
        groups = entity_groups(self.graph(tuple(KINDS["all kinds"])), by="component")
        self.group = self.rows["entity"].map(groups)
        self.test = self.rows["time"].isin(CUTOFFS).to_numpy()

    def running(self, day: pd.Timestamp) -> pd.DataFrame:
        """Operators running on a day, and whether they fail within a year."""
        rows = self.operators[(self.operators["start"] <= day) & ~(self.operators["failed"] <= day)]
        return pd.DataFrame({"entity": rows.index, "time": day, "label": (rows["failed"] <= day + YEAR).astype(int)})

    def graph(self, kinds: tuple[str, ...]) -> rg.EntityGraph:
        """The graph with relations of some kinds alone."""
        kept = self.relations[self.relations["kind"].isin(kinds)]
        return rg.EntityGraph.from_tables(self.entities, kept, self.cases)

    @cache  # noqa: B019 - one trial a run
    def features(self, kinds: tuple[str, ...]) -> pd.DataFrame:
        """A row of features for each row asked, as known on its day."""
        asked = self.rows[["entity", "time"]]
        return GraphFeatures(self.graph(kinds), families=FAMILIES).fit_transform(asked).reset_index(drop=True)

    def scores(self, model: object, X: pd.DataFrame, label: pd.Series | None = None) -> list[np.ndarray]:
        """Scores of the rows of the cutoffs, for each dealing of the groups into folds."""
        label = self.rows["label"] if label is None else label
        names = np.sort(self.group.unique())
        runs = []
        for seed in range(DEALINGS):
            dealt = np.random.default_rng(seed).integers(FOLDS, size=len(names))
            fold = self.group.map(dict(zip(names, dealt, strict=True))).to_numpy()
            score = np.full(len(X), np.nan)
            for cutoff in CUTOFFS:
                past = (self.rows["time"] + YEAR <= cutoff).to_numpy()
                today = (self.rows["time"] == cutoff).to_numpy()
                for number in range(FOLDS):
                    fitted = clone(model).fit(X[past & (fold != number)], label[past & (fold != number)])
                    score[today & (fold == number)] = fitted.predict_proba(X[today & (fold == number)])[:, 1]
            runs.append(score)
        return runs

    def figure(self, metric, runs, label=None, less=None) -> str:
        """Mean over days and dealings, or its difference to other runs; 95 % of 400 draws of whole groups."""
        label = self.rows["label"].to_numpy() if label is None else label
        day = self.rows["time"].to_numpy()
        places = np.flatnonzero(self.test)

        def mean(_: np.ndarray, drawn: np.ndarray) -> float:
            drawn = drawn.astype(int)  # places travel as scores, which are floats
            days = [drawn[day[drawn] == cutoff] for cutoff in CUTOFFS.to_numpy()]
            values = [
                metric(label[part], run[part]) - (metric(label[part], other[part]) if less else 0.0)
                for part in days
                for run, other in zip(runs, less or runs, strict=True)
            ]
            return float(np.mean(values))

        low, high = bootstrap_interval(mean, label[places], places, self.group.to_numpy()[places], n_samples=400)
        form = "+.3f" if less else ".3f"
        return f"{mean(label, places):{form}} [{low:{form}}, {high:{form}}]"


def same_building(entities: pd.DataFrame, operators: pd.DataFrame) -> pd.DataFrame:
    """Relations between operators whose addresses are alike up to the house number, each to the first of its house."""
    house = entities["address"].str.extract(r"^(.{6,}?号)", expand=False)
    at = entities.assign(house=house)[entities["id"].isin(operators.index) & house.notna()]
    first = at.groupby("house")["id"].transform("first")
    shared = at[first != at["id"]]
    return pd.DataFrame({"source": first[shared.index], "target": shared["id"], "kind": "cooperates"})


def share_found(true: np.ndarray, score: np.ndarray) -> float:
    """Part of the 5 % ranked highest that failed."""
    return precision_at(true, score, max(1, round(0.05 * len(true))))


def platforms(folder: str) -> None:
    """Print which operators fail within a year, and what the graph adds."""
    trial = Trial(folder)
    rows, everything = trial.rows, trial.features(tuple(KINDS["all kinds"]))
    bare = trial.features(())
    registry = [name for name in bare if name.startswith("registry_")]
    asked = rows[trial.test]
    print(f"{len(asked):,} rows of {asked['entity'].nunique():,} operators, {asked['label'].sum():,} failures")
    for kind in KINDS["all kinds"]:
        part = trial.relations[trial.relations["kind"] == kind]
        named = trial.operators.index.isin(pd.concat([part["source"], part["target"]]))
        failed = trial.operators["failed"].notna().to_numpy()
        shares = f"{named[failed].mean():.1%} of the failed, {named[~failed].mean():.1%} of the others"
        print(f"{kind}: {len(part)} relations; named for {shares}")

    relations = trial.relations
    degree = rows["entity"].map(pd.concat([relations["source"], relations["target"]]).value_counts()).fillna(0)
    capital = rows["entity"].map(trial.entities.set_index("id")["capital"])
    single = {
        "majority (all alike)": np.zeros(len(rows)),
        "capital alone, small first": -capital.fillna(capital.median()).to_numpy(),
        "age alone, young first": -bare["registry_age"].to_numpy(),
        "degree, many first": degree.to_numpy(),
        "RiskCascade from the failed": everything["risk_cascade"].to_numpy(),
    }
    table = {title: [score] for title, score in single.items()}
    none = {name: trial.scores(baseline(name), bare) for name in ("logistic", "boosting")}
    for name in none:
        table[f"registry columns, {name}"] = trial.scores(baseline(name), bare[registry])
        table[f"all families and kinds, {name}"] = trial.scores(baseline(name), everything)
    print(f"\n{'':32}{'ROC AUC':24}{'average precision':24}P@5 %")
    for title, runs in table.items():
        print(f"{title:32}" + "".join(f"{trial.figure(m, runs):24}" for m in (roc_auc, average_precision, share_found)))

    print(f"\n{'added to no relation at all':32}{'logistic':26}boosting")
    for title, kinds in KINDS.items():
        X = trial.features(tuple(kinds))
        cells = [trial.figure(roc_auc, trial.scores(baseline(name), X), less=none[name]) for name in none]
        print(f"{title:32}" + "".join(f"{cell:26}" for cell in cells))

    print()
    for seed in range(4):
        mixed = rows.groupby("time")["label"].transform(
            lambda part, s=seed: part.sample(frac=1, random_state=s).to_numpy()
        )
        runs = trial.scores(baseline("logistic"), everything, mixed)
        print(f"labels shuffled within each day: ROC AUC {trial.figure(roc_auc, runs, mixed.to_numpy())}")


def quarter(folder: Path, name: str) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Balance-sheet columns, graph features and rating class of the next quarter of all banks."""
    nodes = pd.read_csv(folder / f"nodes_{name}.csv", index_col="index")
    edges = pd.read_csv(folder / f"edge_{name}.csv")
    banks = pd.DataFrame({"id": nodes.index.astype(str), "kind": "company", "sector": "bank"})
    lent = pd.DataFrame({"source": edges["Sourceid"].astype(str), "target": edges["Targetid"].astype(str)})
    lent = lent.assign(kind="lends", amount=edges["Weights"])
    graph = rg.EntityGraph.from_tables(banks, lent, on_error="quarantine")  # negative amounts are left out
    print(f"{name}: {len(graph.relations):,} exposures, {len(graph.rejected.get('relations', ()))} left out")
    made = GraphFeatures(graph, families=["ownership", "control", "group", "risk"]).fit_transform(banks["id"])
    label = nodes["rank_next_quarter"].to_numpy()
    told = [column for column in nodes if "next_quarter" in column or column.startswith("srisk")]
    return (
        nodes.drop(columns=told).select_dtypes("number").reset_index(drop=True),
        made.dropna(axis=1, how="all").reset_index(drop=True),
        label,
    )


def ratings(folder: str) -> None:
    """Print how well trees of the first quarter of 2016 tell the rating classes of the second, banks held apart."""
    (old, old_graph, before), (new, new_graph, after) = (quarter(Path(folder), name) for name in ("2016Q1", "2016Q2"))
    columns, made = old.columns.intersection(new.columns), old_graph.columns.intersection(new_graph.columns)
    ways = {
        "balance-sheet columns": (old[columns], new[columns]),
        "graph features alone": (old_graph[made], new_graph[made]),
        "both": (old[columns].join(old_graph[made]), new[columns].join(new_graph[made])),
    }
    fold = np.random.default_rng(0).integers(5, size=len(after))
    chances = {}
    for title, (X, Y) in ways.items():
        chance = np.zeros((len(after), 4))
        for number in range(5):
            model = HistGradientBoostingClassifier(random_state=0).fit(X[fold != number], before[fold != number])
            chance[fold == number] = model.predict_proba(Y[fold == number])
        chances[title] = chance
    classes = np.unique(before)
    draws = [np.random.default_rng(seed).integers(len(after), size=len(after)) for seed in range(100)]

    def auc(chance: np.ndarray, rows: np.ndarray) -> float:
        return float(roc_auc_score(after[rows], chance[rows], multi_class="ovr"))

    def interval(figure: Callable[[np.ndarray], float], form: str = ".3f") -> str:
        low, high = np.quantile([figure(rows) for rows in draws], [0.025, 0.975])
        return f"{figure(np.arange(len(after))):{form}} [{low:{form}}, {high:{form}}]"

    most = np.bincount(np.searchsorted(classes, before)).argmax()
    print(f"{len(after):,} banks; accuracy of the majority class {np.mean(after == classes[most]):.3f}")
    print(f"{'':24}{'ROC AUC, one to rest':24}{'F1, mean of classes':24}accuracy")
    for title, chance in chances.items():
        guess = classes[chance.argmax(axis=1)]
        cells = [
            interval(partial(auc, chance)),
            interval(lambda rows, guess=guess: float(f1_score(after[rows], guess[rows], average="macro"))),
            interval(lambda rows, guess=guess: float(np.mean(after[rows] == guess[rows]))),
        ]
        print(f"{title:24}" + "".join(f"{cell:24}" for cell in cells))
    gain = interval(lambda rows: auc(chances["both"], rows) - auc(chances["balance-sheet columns"], rows), "+.4f")
    print(f"both minus columns alone, ROC AUC: {gain}")


if __name__ == "__main__":
    trials = {"platforms": platforms, "ratings": ratings}
    if len(sys.argv) != 3 or sys.argv[1] not in trials:
        sys.exit(__doc__)
    trials[sys.argv[1]](sys.argv[2])
