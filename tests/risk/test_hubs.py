"""Hubs are found from the data, and let pass only what being tied to one of many says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.risk import RiskCascade
from riskgraph.schema import ENTITY_KINDS


def agency(n, *, banned=1, role="legal_representative", extra=0):
    """An agent on the boards of ``n`` firms, the first ``banned`` of them banned, and ``extra`` firms with a person."""
    firms = [f"F{k}" for k in range(n)]
    others = [f"G{k}" for k in range(extra)]
    people = [f"P{k}" for k in range(extra)]
    entities = pd.DataFrame(
        {"id": ["Agent", *people, *firms, *others], "kind": ["person"] * (1 + extra) + ["company"] * (n + extra)}
    )
    relations = pd.DataFrame(
        {"source": ["Agent"] * n + people, "target": firms + others, "kind": "officer", "role": role}
    )
    cases = pd.DataFrame({"entity": firms[:banned], "type": "banned"})
    return rg.EntityGraph.from_tables(entities, relations, cases)


def test_one_banned_firm_does_not_flag_five_thousand():
    graph = agency(5_000, extra=200)
    model = RiskCascade().fit(graph)
    siblings = model.scores_[[f"F{k}" for k in range(1, 5_000)]]
    background = 0.01
    assert (siblings > background).mean() <= 0.01
    assert siblings.max() < 0.001
    assert model.scores_["Agent"] == pytest.approx(0.8)  # what is known of the agent itself is not damped
    hubs = model.hubs_
    assert hubs.columns.tolist() == ["entity", "kind", "degree", "damping", "flags_avoided"]
    assert hubs.iloc[0].to_dict() == {
        "entity": "Agent", "kind": "person", "degree": 5_000, "damping": 10 / 5_000, "flags_avoided": 4_999
    }  # fmt: skip
    undamped = RiskCascade(hubs="ignore").fit(graph).scores_
    assert undamped["F1"] == pytest.approx(0.8 * 0.2)


def test_a_hub_with_many_banned_firms_passes_it_on():
    few, many = (RiskCascade().fit(agency(1_000, banned=banned)) for banned in (1, 200))
    assert few.hubs_["damping"].tolist() == [0.03]  # the only person: the limit is at most 30
    assert many.hubs_["damping"].tolist() == [1.0]
    assert many.scores_["F999"] > 0.199


def test_a_hub_that_is_a_seed_is_not_damped():
    graph = agency(5_000, extra=200)
    assert RiskCascade().fit(graph, ["Agent"]).scores_["F7"] == 0.2


@pytest.mark.parametrize(
    ("firm", "own", "avoided"), [(1.0, 0.02, 4_999), (1.0, 0.049, 0), (0.06, 0.004, 4_999), (0.06, 0.001, 0)]
)
def test_a_flag_is_avoided_where_only_damping_keeps_a_neighbour_below_it(firm, own, avoided):
    seeds = {"F0": firm, "Agent": own}
    plain, damped = (0.2 * (1 - (1 - own) * (1 - passed * 0.8 * firm)) for passed in (1, 10 / 5_000))
    assert (plain >= 0.01 > damped) == (avoided > 0)
    assert RiskCascade().fit(agency(5_000, extra=200), seeds).hubs_["flags_avoided"].tolist() == [avoided]


def test_nobody_ordinary_is_a_hub():
    assert len(RiskCascade().fit(agency(10)).hubs_) == 0
    assert len(RiskCascade().fit(rg.datasets.toy_banned_platform()).hubs_) == 0


def test_limit_grows_with_what_is_usual_for_kind_and_sector():
    # ten banks with 14 clients each are ordinary banks; a lender with 60 among lenders with one is not
    rows, kinds = [], {}
    for bank in range(10):
        kinds[f"B{bank}"] = "bank"
        for client in range(14):
            kinds[f"C{bank}.{client}"] = "other"
            rows.append((f"B{bank}", f"C{bank}.{client}", "channels"))
    for lender in range(10):
        kinds[f"L{lender}"] = "microloan"
        for client in range(60 if lender == 0 else 1):
            kinds[f"D{lender}.{client}"] = "other"
            rows.append((f"L{lender}", f"D{lender}.{client}", "lends"))
    entities = pd.DataFrame({"id": list(kinds), "kind": "company", "sector": list(kinds.values())})
    graph = rg.EntityGraph.from_tables(entities, pd.DataFrame(rows, columns=["source", "target", "kind"]))
    model = RiskCascade().fit(graph, ["C0.0"])
    assert model.hubs_["entity"].tolist() == ["L0"]
    assert model.hubs_["damping"].tolist() == pytest.approx([10 / 60])


@pytest.mark.parametrize("kind", [kind for kind in ENTITY_KINDS if kind != "company"])
def test_another_kind_is_not_what_is_usual(kind):
    # twenty of another kind, of no sector, have 14 ties each, which says nothing about lenders with one
    rows = [("L0", f"D0.{k}") for k in range(60)] + [(f"L{k}", f"D{k}.0") for k in range(1, 10)]
    rows += [(f"B{one}", f"C{one}.{k}") for one in range(20) for k in range(14)]
    relations = pd.DataFrame(rows, columns=["source", "target"]).assign(kind="lends")
    ids = pd.unique(pd.concat([relations["source"], relations["target"]]))
    first = pd.Series(ids).str[0]
    entities = pd.DataFrame(
        {
            "id": ids,
            "kind": np.where(first == "B", kind, "company"),
            "sector": first.map({"L": "microloan", "B": None, "C": "other", "D": "other"}),
        }
    )
    hubs = RiskCascade().fit(rg.EntityGraph.from_tables(entities, relations), ["D1.0"]).hubs_
    assert hubs[["entity", "damping"]].to_numpy().tolist() == [["L0", 10 / 60]]


def test_parallel_relations_do_not_make_a_hub():
    entities = pd.DataFrame({"id": ["a", "b"], "kind": "company"})
    relations = pd.DataFrame({"source": ["a"] * 50, "target": ["b"] * 50, "kind": "pays"})
    graph = rg.EntityGraph.from_tables(entities, relations)
    assert len(RiskCascade().fit(graph, ["a"]).hubs_) == 0


def test_default_is_to_damp_with_the_default_table_only():
    graph = agency(60, extra=40)
    given = {("officer", "forward"): 0.3, ("officer", "backward"): 0.4}
    assert len(RiskCascade().fit(graph).hubs_) == 1
    assert len(RiskCascade(transmission=given).fit(graph).hubs_) == 0
    assert len(RiskCascade(transmission=given, hubs="damp").fit(graph).hubs_) == 1
    assert len(RiskCascade(hubs="ignore").fit(graph).hubs_) == 0


def test_taint_dies_out_on_a_registry():
    graph = rg.datasets.make_registry(3_000, random_state=1)
    firms = graph.ids[graph.kinds == 0]
    seeds = list(np.random.default_rng(1).choice(firms, 5, replace=False))
    scores = RiskCascade().fit(graph, seeds).scores_.drop(seeds)
    assert (scores > 0.05).sum() < 40 * len(seeds)
    assert scores.sum() < 20 * len(seeds)  # in all, less than twenty others a seed


def test_damping_never_raises_a_score():
    rng = np.random.default_rng(0)
    graph = agency(300, banned=3, extra=100)
    firms = [f"F{k}" for k in range(300)]
    more = pd.DataFrame(
        {"source": rng.choice(firms, 200), "target": rng.choice(firms, 200), "kind": "owns", "share": 0.3}
    )
    graph = graph.with_changes(add=more[more["source"] != more["target"]])
    damped, plain = (RiskCascade(hubs=hubs).fit(graph).scores_ for hubs in ("damp", "ignore"))
    assert (damped <= plain + 1e-12).all()
    assert damped.sum() < 0.7 * plain.sum()
