"""A graph changed several times in a row answers like one built from the tables it has come to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.ownership import control, integrated_ownership, ultimate_controllers
from riskgraph.risk import PersonalizedPageRank, RiskCascade

KINDS = ["owns", "owns", "owns", "owns", "controls", "concert", "officer", "invests"]
SEEDS = {"P0": 1.0, "C1": 0.4}


class Tables:
    """Entities and relations as lists, changed by hand beside the graph."""

    def __init__(self, rng: np.random.Generator, *, named: bool) -> None:
        self.rng, self.named, self.number = rng, named, 0
        self.people = [(f"P{k}", "person") for k in range(4)] + [(f"C{k}", "company") for k in range(8)]
        self.rows: list[dict] = []
        self.rows = self.more(16)

    def more(self, count: int) -> list[dict]:
        """New relations, some between the same two, from a company to itself, without a share, or of nothing."""
        ids = [id for id, _ in self.people]
        companies = [id for id, kind in self.people if kind == "company"]
        left = dict.fromkeys(companies, 1.0)
        for row in self.rows:
            left[row["target"]] -= row["share_min"] if row["share_min"] > 0 else 0.0
        found = []
        for _ in range(count):
            kind = str(self.rng.choice(KINDS))
            source, target = str(self.rng.choice(ids)), str(self.rng.choice(companies))
            if source == target and kind != "owns":
                continue
            row = {"source": source, "target": target, "kind": kind, "share_min": np.nan, "share_max": np.nan}
            if kind == "owns" and self.rng.random() < 0.9:
                least = float(self.rng.choice([0.0, 0.05, 0.2, 0.51, 1.0]))
                least = least if least < left[target] else max(0.0, round(left[target], 2) - 0.01)
                left[target] -= least
                row |= {"share_min": least, "share_max": float(self.rng.choice([least, min(1.0, least + 0.3)]))}
            found += [row, dict(row)] if self.rng.random() < 0.1 and not row["share_min"] > 0 else [row]
        if self.named:
            for row in found:
                row["id"] = f"n{self.number}"
                self.number += 1
        return found

    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        columns = ["source", "target", "kind", "share_min", "share_max", *(["id"] if self.named else [])]
        return pd.DataFrame(self.people, columns=["id", "kind"]), pd.DataFrame(self.rows, columns=columns)

    def change(self, graph: rg.EntityGraph) -> rg.EntityGraph:
        """The graph without some relations, with new ones and perhaps a new company."""
        gone = self.rng.choice(len(self.rows), min(len(self.rows), int(self.rng.integers(0, 4))), replace=False)
        ids = graph.relations["id"].iloc[gone].tolist()
        new = [(f"new{len(self.people)}", "company")] if self.rng.random() < 0.5 else []
        self.rows = [row for place, row in enumerate(self.rows) if place not in gone]
        self.people += new
        added = self.more(int(self.rng.integers(0, 5)))
        self.rows += added
        return graph.with_changes(
            add=pd.DataFrame(added) if added else None,
            remove=ids,
            entities=pd.DataFrame(new, columns=["id", "kind"]) if new else None,
        )

    def anew(self) -> rg.EntityGraph:
        """A graph of the tables, its relations in another order and under other ids."""
        people, rows = self.frames()
        return rg.EntityGraph.from_tables(
            people, rows.drop(columns="id", errors="ignore").sample(frac=1, random_state=1)
        )


def answers(graph: rg.EntityGraph) -> dict[str, pd.DataFrame]:
    """Everything asked, by the ids of entities."""
    return {
        "ownership": integrated_ownership(graph).set_index(["owner", "asset"]),
        "control": control(graph).set_index(["controller", "company"]),
        "singly": control(graph, joint=False).set_index(["controller", "company"]),
        "controllers": ultimate_controllers(graph).set_index(["company", "controller"]),
        "cascade": RiskCascade().fit(graph, SEEDS).scores_.to_frame(),
        "pagerank": PersonalizedPageRank(tol=1e-13).fit(graph, SEEDS).scores_.to_frame(),
    }


@pytest.mark.parametrize("named", [False, True], ids=["counted", "named"])
@pytest.mark.parametrize("seed", range(10))
def test_a_graph_changed_again_and_again_is_that_of_its_last_tables(seed, named):
    rng = np.random.default_rng(seed)
    tables = Tables(rng, named=named)
    graph = first = rg.EntityGraph.from_tables(*tables.frames())
    before = first.relations
    for _ in range(5):
        if rng.random() < 0.7:
            answers(graph)  # what is kept on a graph must not leak into the changed one
        graph = tables.change(graph)
    columns = ["source", "target", "kind"]
    assert graph.relations[columns].to_numpy().tolist() == [[row[name] for name in columns] for row in tables.rows]
    expected = answers(tables.anew())
    for name, found in answers(graph).items():
        pd.testing.assert_frame_equal(
            found.sort_index(), expected[name].sort_index(), rtol=0, atol=1e-10, obj=f"{name} of {seed}"
        )
    pd.testing.assert_frame_equal(first.relations, before)
