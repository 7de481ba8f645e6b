"""Matching persons: probabilities that mean what they say, evidence, budgets, twins kept apart."""

from __future__ import annotations

import json
import time

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph import identity

NONE = pd.DataFrame({"source": [], "target": [], "kind": []}, dtype=object)


def town(seed=0, people=400, twice=60):
    """People with posts in firms; ``twice`` of them appear twice under two ids, namesakes come by chance."""
    rng = np.random.default_rng(seed)
    family = rng.choice(list("王李张刘陈杨赵黄"), people, p=np.array([8, 7, 6, 5, 3, 2, 1, 1]) / 33)
    given_ = [
        "".join(rng.choice(list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚"), rng.integers(1, 3))) for _ in range(people)
    ]
    true = np.r_[np.arange(people), rng.choice(people, twice, replace=False)]
    ids = [f"p{row}" for row in range(true.size)]
    names = [family[who] + given_[who] for who in true]
    firms = [f"f{row}" for row in range(true.size)]
    posts = pd.DataFrame({"source": ids, "target": firms, "kind": "officer"})
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame(
            {"id": [*ids, *firms], "kind": ["person"] * len(ids) + ["company"] * len(ids), "name": [*names, *firms]}
        ),
        posts,
    )
    return graph, pd.Series(true, index=ids)


def judged(found, true):
    return found["confidence"].to_numpy(), true[found["source"]].to_numpy() == true[found["target"]].to_numpy()


def test_probabilities_mean_what_they_say():
    """Over many invented towns the mean probability equals the share of pairs that are truly one person."""
    pairs = [judged(identity.match(graph, least=0.0), true) for graph, true in map(town, range(12))]
    said, done = (np.concatenate(part) for part in zip(*pairs, strict=True))
    assert abs(said.mean() - done.mean()) < 0.08
    assert done[said < 0.3].mean() < 0.3
    assert done[said > 0.7].mean() > 0.7
    assert np.corrcoef(said, done)[0, 1] > 0.5
    # against merging by exact name
    assert np.mean((said - done) ** 2) < 0.25 * np.mean((1 - done) ** 2)


def test_where_nobody_is_twice_nobody_is_found():
    for seed in range(3):
        graph, _ = town(seed, people=1500, twice=0)
        found = identity.match(graph, least=0.0)
        assert len(found) > 1000  # namesakes there are
        assert found["confidence"].max() < 0.5
        assert found["confidence"].mean() < 0.02


def small():
    return rg.EntityGraph.from_tables(
        pd.DataFrame(
            {
                "id": [*(f"p{i}" for i in range(8)), "A", "B", "C", "D"],
                "kind": ["person"] * 8 + ["company"] * 4,
                "name": ["刘伟", "刘伟", "刘伟", "刘伟", "欧阳翡", "欧阳翡", "李静", "李静", "A", "B", "C", "D"],
                "birth_year": [1970, 1970, 1985, np.nan, *[np.nan] * 8],
            }
        ),
        pd.DataFrame(
            {
                "source": ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "A"],
                "target": ["A", "B", "C", "D", "A", "C", "A", "D", "B"],
                "kind": ["officer"] * 8 + ["owns"],
            }
        ),
    )


def test_rare_names_say_more_and_evidence_raises():
    graph = small()
    found = identity.match(graph, least=0.0).set_index(["source", "target"])
    assert "linked_neighbours" in found.loc[("p0", "p1"), "evidence"]
    assert "same_birth_year" in found.loc[("p0", "p1"), "evidence"]
    assert "other_birth_year" in found.loc[("p0", "p2"), "evidence"]
    chance = found["confidence"]
    assert chance[("p0", "p1")] > chance[("p2", "p3")] > chance[("p0", "p2")]
    assert chance[("p4", "p5")] > chance[("p1", "p3")]
    added = graph.with_changes(add=found.reset_index())
    assert len(added) == len(graph)  # candidates only: nothing is merged
    assert (added.relations["kind"] == "same_as").sum() == len(found)
    # a guess on record is no evidence for the next run
    again = identity.match(added, least=0.0).set_index(["source", "target"])
    assert again["confidence"].sort_index().equals(chance.sort_index())


def test_the_factors_in_the_text_are_the_odds():
    found = identity.match(small(), least=0.0)
    for text, chance in zip(found["evidence"], found["confidence"], strict=True):
        odds = found.attrs["prior_odds"] * np.prod([float(part.split("×")[1]) for part in text.split("; ")])
        assert odds / (1 + odds) == pytest.approx(chance, rel=0.02)


def test_hubs_join_nobody():
    people = [f"p{i}" for i in range(150)]
    frame = pd.DataFrame(
        {
            "id": [*people, "H"],
            "kind": ["person"] * 150 + ["address"],
            "name": [*(f"甲{i // 2}" for i in range(150)), "H"],
        }
    )
    graph = rg.EntityGraph.from_tables(frame, pd.DataFrame({"source": people, "target": "H", "kind": "located_at"}))
    assert not identity.match(graph, least=0.0)["evidence"].str.contains("shared_neighbour").any()
    few = graph.subgraph([*people[:10], "H"])
    assert identity.match(few, least=0.0)["evidence"].str.contains("shared_neighbour").all()


def test_a_name_of_fifty_thousand_is_left_out_and_said():
    n = 60_000
    names = ["刘伟"] * 50_000 + [f"人{i // 2}" for i in range(10_000)]
    frame = pd.DataFrame(
        {"id": [*(f"p{i}" for i in range(n)), "f"], "kind": ["person"] * n + ["company"], "name": [*names, "f"]}
    )
    posts = pd.DataFrame({"source": ["p1", "p2"], "target": "f", "kind": "officer"})
    graph = rg.EntityGraph.from_tables(frame, posts)
    began = time.process_time()
    found = identity.match(graph, least=0.0)
    assert time.process_time() - began < 20
    assert found.attrs["left_out"] == {"刘伟": 50_000}
    assert found.attrs["pairs"] == 5001
    # but bearers who meet in one place are compared all the same
    assert ((found["source"] == "p1") & (found["target"] == "p2")).sum() == 1


def test_budget_takes_small_groups_first():
    graph, _ = town()
    found = identity.match(graph, budget=20)
    assert 0 < found.attrs["pairs"] <= 20
    assert found.attrs["left_out"]
    assert identity.match(graph, budget=0).empty


def test_two_graphs_give_pairs_across():
    graph, true = town(3)
    ids = list(true.index)
    one, two = graph.subgraph(ids[:400]), graph.subgraph(ids[400:])
    found = identity.match(one, two, least=0.0)
    assert set(found["source"]) <= set(ids[:400])
    assert set(found["target"]) <= set(ids[400:])
    said, done = judged(found, true)
    assert done.sum() == 60
    assert abs(said.mean() - done.mean()) < 0.1


def test_parameters_and_nothing_to_compare():
    graph, _ = town()
    with pytest.raises(rg.InvalidParameter, match="'kind' must be one of person, company; got 'firm'"):
        identity.match(graph, kind="firm")
    with pytest.raises(rg.InvalidParameter, match=r"'least' must be in \[0, 1\]; got 2"):
        identity.match(graph, least=2)
    with pytest.raises(rg.InvalidParameter, match="'budget' must be a whole number, 0 or more; got -1"):
        identity.match(graph, budget=-1)
    alone = rg.EntityGraph.from_tables(pd.DataFrame({"id": ["a"], "kind": ["person"]}), NONE)
    for kind in ("person", "company"):
        found = identity.match(alone, kind=kind)
        assert found.empty
        assert list(found.columns) == ["source", "target", "kind", "confidence", "evidence"]


def test_an_id_is_no_name():
    frame = pd.DataFrame({"id": ["C0001", "C0002", "C00021"], "kind": "company"})
    assert identity.match(rg.EntityGraph.from_tables(frame, NONE), kind="company", least=0.0).empty


def test_registers_with_other_columns_meet():
    one = rg.EntityGraph.from_tables(
        pd.DataFrame(
            {"id": ["a"], "kind": "company", "name": ["甲乙"], "uscc": ["X"], "start": ["2014-01-01"], "lei": [None]}
        ),
        NONE,
    )
    two = rg.EntityGraph.from_tables(
        pd.DataFrame(
            {"id": ["b"], "kind": "company", "name": ["甲乙"], "website": ["w"], "start": [None], "lei": ["L"]}
        ),
        NONE,
    )
    found = identity.match(one, two, kind="company", least=0.0)
    assert found[["source", "target"]].to_numpy().tolist() == [["a", "b"]]
    assert found["evidence"].tolist() == ["same_name ×6e+06"]  # nothing else is known on both sides
    assert len(identity.match(two, rg.datasets.load_county().graph, kind="company", least=0.0)) >= 0


def test_decided_pairs_calibrate():
    towns = [town(seed) for seed in range(8)]
    # weights that say too much: every pair is sure
    loud = identity.default_weights().query("comparison == 'name'")
    found, done = [], []
    for number, (graph, true) in enumerate(towns):
        one = identity.match(graph, least=0.0, weights=loud).assign(confidence=lambda x: x["confidence"] ** 0.2)
        done.append(judged(one, true)[1])
        found.append(one.assign(source=f"{number}-" + one["source"], target=f"{number}-" + one["target"]))
    seen = pd.concat(found[:4], ignore_index=True)
    decided = pd.DataFrame({"a": seen["target"], "b": seen["source"], "same": np.concatenate(done[:4])})
    fresh, truth = pd.concat(found[4:], ignore_index=True), np.concatenate(done[4:])
    truth = pd.Series(truth, index=pd.MultiIndex.from_frame(fresh[["source", "target"]]))
    for method in ("logistic", "isotonic"):
        better = identity.calibrate(seen, decided, method=method, to=fresh)
        right = truth.loc[pd.MultiIndex.from_frame(better[["source", "target"]])].to_numpy()
        raw = truth.loc[pd.MultiIndex.from_frame(fresh[["source", "target"]])].to_numpy()
        assert np.mean((better["confidence"] - right) ** 2) < 0.5 * np.mean((fresh["confidence"] - raw) ** 2)
        assert abs(better["confidence"].mean() - right.mean()) < 0.05
        assert better.attrs["decided"] == len(seen)
    with pytest.raises(rg.InvalidParameter, match="'method' must be 'logistic' or 'isotonic'; got 'beta'"):
        identity.calibrate(seen, decided, method="beta")
    with pytest.raises(
        rg.InvalidParameter, match="'decisions' must cover ten candidates or more, some one and some not; got 5"
    ):
        identity.calibrate(seen, decided.head(5))
    with pytest.raises(rg.InvalidParameter, match="'decisions' must have True or False in the column same"):
        identity.calibrate(seen, decided.assign(same="yes"))


def born(*births, column="birth_date"):
    """Bearers of one rare name in as many unrelated firms, among 300 others; births as the first have them."""
    rng = np.random.default_rng(3)
    others = [
        f"{''.join(rng.choice(list('abcdefghij'), 5))} {''.join(rng.choice(list('klmnopqrst'), 6))}" for _ in range(300)
    ]
    names = ["Rara Avis"] * len(births) + others
    count = len(names)
    entities = pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(count)] + [f"f{i}" for i in range(count)],
            "kind": ["person"] * count + ["company"] * count,
            "name": names + [f"Firm {i}" for i in range(count)],
            column: pd.Series([*births, *[None] * (2 * count - len(births))], dtype=object),
        }
    )
    posts = pd.DataFrame(
        {"source": [f"p{i}" for i in range(count)], "target": [f"f{i}" for i in range(count)], "kind": "officer"}
    )
    return rg.EntityGraph.from_tables(entities, posts)


def test_another_month_of_birth_is_evidence_against_one_person():
    graph = born("1970-01", "1970-07", "1970-01-15", "1985-03", "1970", None)
    found = identity.match(graph, least=0.0).set_index(["source", "target"])
    chance, why = found["confidence"], found["evidence"]
    blank = chance[("p0", "p5")]
    for pair, level in ((("p0", "p2"), "same"), (("p0", "p1"), "half"), (("p0", "p3"), "other")):
        assert f"{level}_birth_month" in why[pair]
        assert "birth_year" not in why[pair]  # the year is counted once
    assert "same_birth_year" in why[("p0", "p4")]
    assert chance[("p0", "p2")] > chance[("p0", "p4")] > blank > 0.5 > chance[("p0", "p1")] > chance[("p0", "p3")]
    # the odds change by the ratio of the weights and by nothing else
    weights = identity.default_weights("person").set_index(["comparison", "level"])
    odds = chance / (1 - chance)
    for pair, level in ((("p0", "p2"), "same"), (("p0", "p1"), "half"), (("p0", "p3"), "other")):
        m, u = weights.loc[("birth_month", level), ["m", "u"]]
        assert odds[pair] / odds[("p0", "p5")] == pytest.approx(m / u, rel=1e-9)


def test_births_take_part_in_how_many_pairs_are_one():
    def share(*births):
        odds = identity.match(born(*births), least=0.0).attrs["prior_odds"]
        return odds / (1 + odds)

    alike, unlike, unknown = share("1970-01", "1970-01"), share("1970-01", "1981-05"), share(None, None)
    possible = 302 * 301 / 2
    # one pair seen and one granted, against the one granted alone
    assert alike == pytest.approx(2 / possible, rel=0.02)
    assert unlike < 1.1 / possible < unknown < alike


def test_two_of_one_name_in_the_uk_register(tmp_path):
    def row(number, month):
        data = {
            "kind": "individual-person-with-significant-control",
            "name": "Ms Ann Example",
            "date_of_birth": {"year": 1970, "month": month},
            "natures_of_control": ["ownership-of-shares-25-to-50-percent"],
        }
        return json.dumps({"company_number": number, "data": data})

    (tmp_path / "psc.jsonl").write_text("\n".join([row("1", 1), row("2", 7), row("3", 1)]))
    found = identity.match(rg.read(tmp_path), least=0.0)
    months = found.apply(lambda pair: pair["source"][23:30] == pair["target"][23:30], axis=1)
    assert found["confidence"][months].min() > 0.99
    assert found["confidence"][~months].max() < 0.7
