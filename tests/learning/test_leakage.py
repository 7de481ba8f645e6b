"""Nothing later moves a feature, whatever row it is and whichever feature; and the guard is not blind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin

import riskgraph as rg
from riskgraph.learning import GraphFeatures, backtest
from riskgraph.schema import CASE_TYPES, FACT_TYPES, RELATION_KINDS, SECTORS, SEED_CASES

DAY = pd.Timestamp("2016-06-30")
NEXT = DAY + pd.Timedelta("1D")


def world(seed: int) -> dict[str, pd.DataFrame]:
    """Thirty firms, ten persons, two products, with relations of every kind, cases, licences and facts."""
    rng = np.random.default_rng(seed)
    kinds = ["company"] * 30 + ["person"] * 10 + ["product"] * 2
    ids = [f"E{i:02d}" for i in range(len(kinds))]
    entities = pd.DataFrame(
        {
            "id": ids,
            "kind": kinds,
            "capital": 10.0 ** rng.integers(5, 9, len(ids)),
            "sector": rng.choice(SECTORS, len(ids)),
            "start": pd.Timestamp("2010-01-01") + pd.to_timedelta(rng.integers(0, 1_500, len(ids)), unit="D"),
        }
    )
    firms, persons = ids[:30], ids[30:40]
    source = rng.choice([*firms, *persons], 70)
    target = rng.choice(firms, 70)
    relations = pd.DataFrame(
        {
            "source": source,
            "target": target,
            "kind": rng.choice(["owns", "officer", "guarantees", "lends", "pays", "cooperates"], 70),
            "share": np.nan,
            "role": None,
            "start": pd.Timestamp("2013-01-01") + pd.to_timedelta(rng.integers(0, 1_200, 70), unit="D"),
        }
    )
    relations = relations[relations["source"] != relations["target"]].reset_index(drop=True)
    owned = relations["kind"] == "owns"
    relations.loc[owned, "share"] = rng.random(int(owned.sum())).round(2) * 0.3
    posts = relations["kind"] == "officer"
    relations.loc[posts, "role"] = rng.choice(["director", "legal_representative"], int(posts.sum()))
    start = pd.Timestamp("2014-01-01") + pd.to_timedelta(rng.integers(0, 900, 8), unit="D")
    cases = pd.DataFrame({"entity": rng.choice(firms, 8), "type": rng.choice(SEED_CASES, 8), "start": start})
    licences = pd.DataFrame({"entity": rng.choice(firms, 5), "sector": rng.choice(SECTORS, 5), "start": start[:5]})
    facts = pd.DataFrame({"entity": rng.choice(firms, 6), "fact": "loan_balance", "value": 1.0, "start": start[:6]})
    return {"entities": entities, "relations": relations, "cases": cases, "licences": licences, "facts": facts}


def matrix(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    graph = rg.EntityGraph.from_tables(**tables)
    assert graph.quality.empty or (graph.quality["action"] != "quarantined").all()
    return GraphFeatures(graph, at=DAY, catalogue="jiangsu-2016").fit_transform([f"E{i:02d}" for i in range(42)])


def with_rows(tables: dict[str, pd.DataFrame], name: str, rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {**tables, name: pd.concat([tables[name], rows], ignore_index=True)}


def hidden(rng: np.random.Generator, n: int, how: str) -> dict[str, object]:
    """Dates that keep rows from being known on the day: they begin later, or were found out later."""
    later = NEXT + pd.to_timedelta(rng.integers(0, 400, n), unit="D")
    if how == "begins later":
        return {"start": later}
    return {"start": pd.Timestamp("2012-01-01"), "known_from": later}


#: kinds that may join two firms
TIES = [kind for kind in RELATION_KINDS if kind not in ("located_at", "member_of", "raises_on")]
PAIRS = {"owns": {"share": 0.05}, "officer": {"role": "legal_representative"}}


@pytest.mark.parametrize("how", ["begins later", "known later"])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), number=st.integers(0, 10**6), count=st.integers(1, 12))
def test_no_later_row_moves_any_feature(how, seed, number, count):
    tables, rng = world(seed), np.random.default_rng(number)
    ids = tables["entities"]["id"].to_numpy()[:30]
    name = rng.choice(["relations", "cases", "licences", "facts"])
    entity = rng.choice(ids, count)
    dates = hidden(rng, count, how)
    if name == "relations":
        kind = str(
            rng.choice([kind for kind in RELATION_KINDS if kind not in ("located_at", "member_of", "raises_on")])
        )
        other = ids[(np.searchsorted(ids, entity) + rng.integers(1, 29, count)) % 30]
        rows = {"source": entity, "target": other, "kind": kind, **PAIRS.get(kind, {}), **dates}
    elif name == "cases":
        rows = {"entity": entity, "type": rng.choice(CASE_TYPES), **dates}
    elif name == "licences":
        rows = {"entity": entity, "sector": rng.choice(SECTORS), **dates}
    else:
        fact = rng.choice([fact for fact, kind in FACT_TYPES.items() if kind in ("number", "boolean")])
        rows = {"entity": entity, "fact": fact, "value": 1.0 if FACT_TYPES[fact] == "number" else True, **dates}
    first = matrix(tables)
    second = matrix(with_rows(tables, str(name), pd.DataFrame(rows)))
    assert list(first.columns) == list(second.columns)
    pd.testing.assert_frame_equal(first, second, check_exact=True)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), number=st.integers(0, 10**6))
def test_no_later_end_moves_any_feature(seed, number):
    tables, rng = world(seed), np.random.default_rng(number)
    ended = {name: frame.copy() for name, frame in tables.items()}
    for name in ("relations", "cases", "licences", "facts"):
        n = len(ended[name])
        days = pd.Series(NEXT + pd.to_timedelta(rng.integers(0, 400, n), unit="D"))
        ended[name]["end"] = days.where(rng.random(n) < 0.5)
    ended["entities"]["end"] = NEXT
    ended["entities"]["status"] = "struck off"
    pd.testing.assert_frame_equal(matrix(tables), matrix(ended), check_exact=True)


@pytest.mark.parametrize("seed", range(3))
def test_the_same_rows_a_day_earlier_do_move_features(seed):
    """What the tests above inject is seen as soon as it is known: the guard does not pass by blindness."""
    tables = world(seed)
    ids = tables["entities"]["id"].to_numpy()[:30]
    changed: set[str] = set()
    first = matrix(tables)
    for name, rows in {
        "relations": {"source": ids[:-1], "target": ids[1:], "kind": "owns", "share": 0.05},
        "cases": {"entity": ids[:15], "type": "banned"},
        "licences": {"entity": ids[:15], "sector": "bank"},
        "facts": {"entity": ids[:15], "fact": "loan_balance", "value": 9.0},
    }.items():
        second = matrix(with_rows(tables, name, pd.DataFrame({**rows, "start": DAY})))
        moved = [column for column in first if column in second and not first[column].equals(second[column])]
        assert moved, name
        changed |= {column.split("_")[0] for column in moved}
    assert changed >= {"ownership", "control", "group", "officer", "risk", "registry", "change", "screening"}


class Oracle(ClassifierMixin, BaseEstimator):
    """Reads nothing but one column, and says which values it was shown."""

    def __init__(self, column="risk_seeds_hop1"):
        self.column = column

    def fit(self, X, y):
        self.classes_ = np.array([0, 1])
        return self

    def decision_function(self, X):
        return X[self.column].fillna(0).to_numpy()


def test_a_backtest_does_not_see_a_tie_that_tells_the_answer():
    """Every firm that will fall is tied to a banned one the day after the cutoff: a perfect tell, were it seen."""
    n = 200
    ids = [f"F{i:03d}" for i in range(n)]
    entities = pd.DataFrame({"id": ["X", *ids], "kind": "company", "start": "2010-01-01"})
    falls = pd.date_range("2013-02-01", "2016-09-01", periods=40)
    bad = ids[::5]
    cases = pd.DataFrame({"entity": ["X", *bad], "type": "banned", "start": [pd.Timestamp("2012-01-01"), *falls]})

    def graph(lead: pd.Timedelta) -> rg.EntityGraph:
        ties = pd.DataFrame({"source": "X", "target": bad, "kind": "cooperates", "start": falls + lead})
        return rg.EntityGraph.from_tables(entities, ties, cases)

    arguments = {"cutoffs": ["2015-06-30", "2015-12-31"], "horizon": "180D", "families": ["risk"], "n_bootstrap": 5}
    hidden_tie = backtest(graph(pd.Timedelta(0)), Oracle(), **arguments)
    assert (hidden_tie["n_labels"] >= 4).all()
    assert (hidden_tie["roc_auc"] == 0.5).all()  # nobody has the tie yet: all scores are equal
    seen_tie = backtest(graph(-pd.Timedelta("181D")), Oracle(), **arguments)
    assert (seen_tie["roc_auc"] > 0.95).all()
