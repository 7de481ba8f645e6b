"""Explanations: the best paths, complete sentences, contributions that add up, and where the way is blocked."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.risk import RiskCascade
from riskgraph.risk._paths import ranked_paths


def all_paths(n, relations, weights):
    """Probability and nodes of every simple path into every node, by trying all orders."""
    p = np.zeros((n, n))
    for s, t, there, back in relations:
        p[s, t] = 1 - (1 - p[s, t]) * (1 - there)
        p[t, s] = 1 - (1 - p[t, s]) * (1 - back)
    found = {node: [] for node in range(n)}
    for length in range(1, n + 1):
        for nodes in permutations(range(n), length):
            value = weights.get(nodes[0], 0.0) * np.prod([p[a, b] for a, b in pairwise(nodes)])
            if value > 0:
                found[nodes[-1]].append((value, nodes))
    return {node: sorted(paths, key=lambda path: -path[0]) for node, paths in found.items()}


def test_paths_are_the_k_best_of_all(cascades):
    rng = np.random.default_rng(1)
    many = [one for one in (cascades.random(rng) for _ in range(60)) if one[0] <= 5][:25]
    graph, seeds, begins = cascades.together(many)
    model = RiskCascade(transmission=cascades.along).fit(graph, seeds)
    for (n, relations, weights), begin in zip(many, begins, strict=False):
        for node, paths in all_paths(n, relations, weights).items():
            found, complete = ranked_paths(model._arcs, model._best, int(begin) + node, 4)
            assert complete
            assert [value for value, _, _ in found] == pytest.approx([value for value, _ in paths[:4]], rel=1e-12)
            assert all(len(set(nodes)) == len(nodes) for _, nodes, _ in found)


def test_frame_of_paths():
    frame = RiskCascade().fit(rg.datasets.toy_banned_platform()).explain("Bakery", lang="en")
    assert frame["rank"].tolist() == [1]
    assert frame["path"][0] == ("Platform", "Rita", "Bakery")
    assert frame["relations"][0] == ("r2", "r6")
    assert frame["probability"][0] == pytest.approx(0.048)
    assert frame.attrs["complete"]
    assert frame["text"][0] == (
        "Seed: Platform (banned, since 2016-08-01). Path: Platform → Rita → Bakery. "
        "Rita is legal representative of Platform (since 2014-03-01); Rita is director of Bakery (since 2016-09-05). "
        "Probability 4.80%."
    )


def story():
    """Every column a sentence may need, on a path with parallel relations."""
    entities = pd.DataFrame(
        {"id": ["S", "H", "T"], "kind": ["company", "person", "company"], "name": ["甲平台", "李四", "乙公司"]}
    )
    relations = pd.DataFrame(
        [
            ("H", "S", "owns", None, 0.25, 0.5, None, None, "2014-01-01", None, "工商登记"),
            ("H", "S", "officer", "supervisor", None, None, None, None, "2014-01-01", "2018-01-01", None),
            ("H", "T", "lends", None, None, None, 2_500_000.0, None, "2015-05-05", None, "合同17号"),
            ("H", "T", "same_as", None, None, None, None, 0.25, None, None, None),
        ],
        columns=[
            "source", "target", "kind", "role", "share_min", "share_max", "amount", "confidence", "start", "end",
            "source_ref",
        ],
    )  # fmt: skip
    cases = pd.DataFrame(
        {
            "entity": ["S"],
            "type": ["revoked"],
            "start": ["2016-03-01"],
            "authority": ["某县局"],
            "source_ref": ["公告3"],
        }
    )
    return rg.EntityGraph.from_tables(entities, relations, cases).at("2017-01-01")


def test_sentences_name_every_relation_of_the_path_with_all_it_says():
    model = RiskCascade().fit(story())
    frame = model.explain("T", 1)
    assert set(frame["relations"][0]) == {"r0", "r1", "r2", "r3"}
    text = frame["text"][0]
    for part in (
        "甲平台（吊销，2016-03-01起，某县局，来源：公告3）", "甲平台 → 李四 → 乙公司",
        "李四持有甲平台股权（25%-50%，2014-01-01起，来源：工商登记）", "李四任甲平台监事（2014-01-01至2018-01-01）",
        "李四出借给乙公司（金额2,500,000元，2015-05-05起，来源：合同17号）", "李四与乙公司疑为同一主体（置信度0.25）",
    ):  # fmt: skip
        assert part in text
    english = model.explain("T", 1, lang="en")["text"][0]
    for part in (
        "licence revoked",
        "25%-50%",
        "is supervisor of",
        "2014-01-01 to 2018-01-01",
        "CNY 2,500,000",
        "合同17号",
    ):
        assert part in english
    # the path carries what its merged relations carry together
    first, second = 1 - (1 - 0.5) * (1 - 0.06), 1 - (1 - 0.05) * (1 - 0.25)
    assert frame["probability"][0] == pytest.approx(first * second)


def test_a_seed_explains_itself():
    model = RiskCascade().fit(rg.datasets.toy_banned_platform(), {"Rita": 0.5})
    row = model.explain("Rita", lang="en").iloc[0]
    assert row["path"] == ("Rita",)
    assert row["relations"] == ()
    assert row["text"] == "Seed: Rita (given as a seed). Probability 50.00%."


def test_nothing_to_explain():
    model = RiskCascade().fit(rg.datasets.toy_banned_platform(), {})
    frame = model.explain("Rita")
    assert len(frame) == 0
    assert frame["probability"].dtype == float
    assert model.contributions("Rita").empty


def test_search_says_when_it_stopped_early(cascades):
    n = 14
    relations = [(a, b, 0.5, 0.5) for a in range(n) for b in range(a)]
    model = RiskCascade(transmission=cascades.along).fit(cascades.graph(n, relations), ["A"])
    found, complete = ranked_paths(model._arcs, model._best, 13, 400, budget=300)
    assert not complete
    assert 0 < len(found) < 400
    assert [value for value, _, _ in found[:3]] == pytest.approx([0.5, 0.25, 0.25])


@pytest.mark.parametrize("estimate", ["upper", "exact"])
def test_contributions_add_up(cascades, estimate):
    rng = np.random.default_rng(2)
    many = [cascades.random(rng, most=12) for _ in range(25)]
    graph, seeds, _ = cascades.together(many)
    model = RiskCascade(transmission=cascades.along, estimate=estimate).fit(graph, seeds)
    for entity, score in model.scores_.items():
        parts = model.contributions(entity)
        assert parts["contribution"].sum() == pytest.approx(score, abs=1e-9)
        assert (parts["contribution"] > -1e-12).all()
        assert set(parts["seed"]) <= {*model.seeds_.index, "<other>"}
        assert parts.loc[parts["seed"] == "<other>", "contribution"].sum() <= 1e-2 * score + 1e-12


def test_contributions_of_two_seeds():
    entities = pd.DataFrame({"id": ["s", "t", "m", "x"], "kind": "company"})
    relations = pd.DataFrame(
        [("s", "m", "controls"), ("t", "x", "kin"), ("m", "x", "controls")], columns=["source", "target", "kind"]
    )
    graph = rg.EntityGraph.from_tables(entities, relations)
    model = RiskCascade().fit(graph, ["s", "t"])
    parts = model.contributions("x").set_index("seed")
    assert parts.loc["s", "family"] == "controls:forward > controls:forward"
    assert parts.loc["t", "family"] == "kin:forward"
    missed = np.log([1 - 0.64, 1 - 0.1])
    score = 1 - 0.36 * 0.9
    assert parts.loc[["s", "t"], "contribution"].tolist() == pytest.approx(list(score * missed / missed.sum()))
    assert model.contributions("s").values.tolist() == [["s", "seed", 1.0]]
    assert len(RiskCascade().fit(graph, ["t"]).contributions("s")) == 1


def test_contributions_through_a_hub_are_damped():
    firms = [f"F{k}" for k in range(60)]
    entities = pd.DataFrame({"id": ["Agent", *firms], "kind": ["person", *["company"] * 60]})
    relations = pd.DataFrame({"source": "Agent", "target": firms, "kind": "officer", "role": "legal_representative"})
    model = RiskCascade().fit(rg.EntityGraph.from_tables(entities, relations), {"F0": 1.0, "Agent": 0.3})
    passes = 30 / 60  # the only person: the limit is 30 ties
    own, received = np.log([1 - 0.3, 1 - 0.8])
    damped = np.log(1 - passes * 0.8)
    score = 0.2 * (1 - (1 - 0.3) * (1 - passes * 0.8))
    parts = model.contributions("F9").set_index("seed")["contribution"]
    assert parts[["Agent", "F0"]].tolist() == pytest.approx(
        [score * own / (own + damped), score * damped / (own + damped)]
    )
    # what is known of the hub itself is not damped
    parts = model.contributions("Agent").set_index("seed")["contribution"]
    score = 1 - (1 - 0.3) * (1 - 0.8)
    assert parts[["Agent", "F0"]].tolist() == pytest.approx(
        [score * own / (own + received), score * received / (own + received)]
    )


# -- why not ---------------------------------------------------------------------------------------------------------


def blocked(**columns):
    entities = pd.DataFrame({"id": ["S", "M", "X", "lone"], "kind": "company"})
    rows = pd.DataFrame({"source": ["S", "M"], "target": ["M", "X"], "kind": ["controls", "owns"]})
    return rg.EntityGraph.from_tables(entities, rows.assign(**columns))


@pytest.mark.parametrize(
    ("columns", "at", "known", "status"),
    [
        ({"share": [None, 0.0]}, None, None, "transmits nothing"),
        ({"end": [None, "2015-01-01"], "start": "2014-01-01"}, "2016-01-01", None, "ended"),
        ({"start": ["2014-01-01", "2019-01-01"]}, "2016-01-01", None, "not begun"),
        ({"start": "2014-01-01", "known_from": ["2014-01-01", "2018-01-01"]}, "2016-01-01", "2016-01-01", "not known"),
    ],
)
def test_where_the_way_is_blocked(columns, at, known, status):
    graph = blocked(**columns)
    graph = graph if at is None else graph.at(at, known=known)
    model = RiskCascade().fit(graph, ["S"])
    assert model.scores_["X"] == 0
    way = model.why_not("X")
    assert way["from"].tolist() == ["S", "M"]
    assert way["to"].tolist() == ["M", "X"]
    assert way["relation"].tolist() == ["r0", "r1"]
    assert way["status"].tolist() == ["transmits", status]
    assert way["probability"].tolist() == [0.8, 0.0]


def test_why_not_of_the_unrelated_and_of_seeds():
    model = RiskCascade().fit(blocked(), ["S"])
    assert len(model.why_not("lone")) == 0
    assert len(model.why_not("S")) == 0
    assert model.why_not("X")["status"].tolist() == ["transmits", "transmits"]


def test_why_not_names_the_hub():
    firms = [f"F{k}" for k in range(300)]
    entities = pd.DataFrame({"id": ["Agent", *firms], "kind": ["person", *["company"] * 300]})
    relations = pd.DataFrame({"source": "Agent", "target": firms, "kind": "officer", "role": "director"})
    model = RiskCascade().fit(rg.EntityGraph.from_tables(entities, relations), ["F0"])
    assert model.why_not("F9")["status"].tolist() == ["transmits", "damped"]
