"""RiskCascade against brute force, published chances and its own promises."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph.risk import RiskCascade, _worlds, hubs
from riskgraph.risk import cascade as module
from riskgraph.risk._messages import log_missed, messages

CASES = yaml.safe_load((Path(__file__).parents[1] / "fixtures" / "risk.yaml").read_text("utf-8"))
KNOWN = [(name, number) for name, entry in CASES.items() for number in range(len(entry["cases"]))]


def one_way(arcs, **columns):
    """Graph of arcs ``(source, target, p)``; ``p`` is a column."""
    ids = list(dict.fromkeys(end for arc in arcs for end in arc[:2]))
    relations = pd.DataFrame([(s, t, "pays", p) for s, t, p in arcs], columns=["source", "target", "kind", "p"])
    return rg.EntityGraph.from_tables(pd.DataFrame({"id": ids, "kind": "company"}), relations.assign(**columns))


# -- truth -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "number"), KNOWN)
def test_known_chances(name, number):
    case = CASES[name]["cases"][number]
    graph = one_way(CASES[name]["arcs"])
    model = RiskCascade(transmission="p", estimate="exact").fit(graph, case["seeds"])
    for entity, chance in case["expected"].items():
        assert model.scores_[entity] == pytest.approx(chance, abs=1e-12)
        assert model.bounds_.loc[entity, "lower"] <= chance + 1e-15
        assert model.bounds_.loc[entity, "upper"] >= chance - 1e-15
    if "spread" in case:
        assert model.scores_.sum() == pytest.approx(case["spread"], abs=1e-12)


def test_bounds_bracket_the_diamond_between_one_path_and_two_apart():
    model = RiskCascade(transmission="p").fit(one_way(CASES["diamond"]["arcs"]), ["s"])
    lower, upper = model.bounds_.loc["d"]
    assert lower == pytest.approx(0.36)
    assert upper == pytest.approx(0.5904)
    assert lower < 0.4608 < upper


@pytest.mark.parametrize("estimate", ["upper", "exact"])
def test_a_relation_does_not_return_what_came_through_it(estimate):
    graph = one_way(CASES["pair"]["arcs"])
    scores = RiskCascade(transmission="p", estimate=estimate).fit(graph, {"a": 0.5}).scores_
    assert scores.to_dict() == pytest.approx({"a": 0.5, "b": 0.25}, abs=1e-15)


@pytest.fixture(scope="module")
def many(cascades):
    rng = np.random.default_rng(2016)
    return [cascades.random(rng, most=12) for _ in range(320)]


def test_random_graphs_against_every_world(cascades, many, record_property):
    truth = np.concatenate([cascades.truth(*one) for one in many])
    graph, seeds, _ = cascades.together(many)
    model = RiskCascade(transmission=cascades.along, estimate="exact").fit(graph, seeds)
    np.testing.assert_allclose(model.scores_.to_numpy(), truth, rtol=0, atol=1e-12)
    lower, upper = model.bounds_.to_numpy().T
    assert (lower <= truth + 1e-14).all()
    assert (upper >= truth - 1e-14).all()
    plain = RiskCascade(transmission=cascades.along).fit(graph, seeds).scores_
    np.testing.assert_allclose(plain.to_numpy(), upper, rtol=1e-13)
    record_property("mean width of the bounds", float(np.mean(upper - lower)))
    assert 0.005 < np.mean(upper - lower) < 0.05


@pytest.mark.parametrize("longest", [1, 2, 3])
def test_random_graphs_with_short_paths_only(cascades, many, longest):
    some = many[:100]
    truth = np.concatenate([cascades.truth(*one, longest=longest) for one in some])
    graph, seeds, begins = cascades.together(some)
    model = RiskCascade(transmission=cascades.along, max_hops=longest).fit(graph, seeds)
    assert (model.bounds_["lower"].to_numpy() <= truth + 1e-14).all()
    assert (model.bounds_["upper"].to_numpy() >= truth - 1e-14).all()
    nodes = np.arange(len(graph))
    for begin, end in itertools.pairwise(begins):
        inside = nodes[begin:end]
        net = module._net(model._arcs, model._best.weight, None, inside)
        found = _worlds.enumerate_worlds(net, longest=longest)[1:]
        np.testing.assert_allclose(found, truth[inside], rtol=0, atol=1e-12)


def test_bounds_meet_on_forests(cascades):
    rng = np.random.default_rng(7)
    forests = [cascades.forest(rng) for _ in range(80)]
    truth = np.concatenate([cascades.truth(*one) for one in forests])
    graph, seeds, _ = cascades.together(forests)
    model = RiskCascade(transmission=cascades.along).fit(graph, seeds)
    np.testing.assert_allclose(model.scores_.to_numpy(), truth, rtol=1e-12, atol=0)
    np.testing.assert_allclose(model.bounds_["lower"].to_numpy(), truth, rtol=1e-12, atol=0)


def test_every_world_gives_what_taking_a_graph_apart_gives(cascades, many):
    for one in many[:60]:
        n, relations, weights = one
        model = RiskCascade(transmission=cascades.along, estimate="exact")
        if one is many[0]:
            model.fit(cascades.graph(n, relations), cascades.seeds(weights))  # few coins: goes through every world
            np.testing.assert_allclose(model.scores_.to_numpy(), cascades.truth(*one), rtol=0, atol=1e-12)
        arcs = [(s + 1, t + 1, there) for s, t, there, _ in relations]
        arcs += [(t + 1, s + 1, back) for s, t, _, back in relations]
        arcs += [(0, node + 1, weight) for node, weight in weights.items()]
        source, target, p = (np.array(column) for column in zip(*arcs, strict=True))
        net = _worlds.Net(n + 1, source, target, p, np.ones(p.size, dtype=bool))
        worlds = _worlds.enumerate_worlds(net)[1:]
        for node in range(n):
            assert _worlds.chance_of(net, node + 1) == pytest.approx(worlds[node], abs=1e-12)


def test_exact_on_more_relations_than_worlds_can_be_gone_through():
    # a ladder of 12 steps: 34 arcs, two ways at every step
    arcs = [("s", "a0", 0.9), ("s", "b0", 0.8)]
    for step in range(12):
        arcs += [(f"a{step}", f"a{step + 1}", 0.7), (f"b{step}", f"b{step + 1}", 0.6)]
        arcs += [(f"a{step}", f"b{step}", 0.3)]
    graph = one_way(arcs)
    chance = RiskCascade(transmission="p", estimate="exact").fit(graph, ["s"]).scores_
    # by hand: the state is which rail is reached; b is reached from a on the same step
    only_a, only_b, both = 0.9 * (0.2 * 0.7), 0.1 * 0.8, 0.9 * (0.8 + 0.2 * 0.3)
    for step in range(12):
        on_a = {"a": only_a * 0.7, "b": 0.0, "both": both * 0.7}
        new_both = both * 0.7 * 0.6
        new_a = only_a * 0.7 + both * 0.7 * 0.4
        new_b = only_b * 0.6 + both * 0.3 * 0.6
        cross = 0.3 if step < 11 else 0.0
        only_a, only_b, both = new_a * (1 - cross), new_b, new_both + new_a * cross
        assert on_a["b"] == 0
    assert chance["a12"] == pytest.approx(only_a + both, abs=1e-12)
    assert chance["b12"] == pytest.approx(only_b + both, abs=1e-12)


def test_exact_says_how_large_the_graph_is_when_it_gives_up():
    rng = np.random.default_rng(0)
    arcs = [(f"n{a}", f"n{b}", 0.3) for a in range(14) for b in rng.choice(14, 6, replace=False) if a != b]
    with pytest.raises(rg.NotConverged, match=r"more than \d+ parts of a graph of \d+ relations"):
        RiskCascade(transmission="p", estimate="exact").fit(one_way(arcs), ["n0"])
    with pytest.raises(rg.NotConverged, match="goes through every world of at most 18 relations"):
        RiskCascade(transmission="p", estimate="exact", max_hops=3).fit(one_way(arcs), ["n0"])


def test_hubs_are_coins_of_nodes(cascades, many, monkeypatch):
    rng = np.random.default_rng(5)
    some = [one for one in many if len(one[1]) <= 5][:80]
    begins = np.cumsum([0, *(n for n, _, _ in some)])
    passes = [
        {int(node): round(float(rng.uniform(0.1, 0.9)), 2) for node in sorted(rng.choice(n, size=2, replace=False))}
        for n, _, _ in some
    ]
    codes = np.array([begin + node for begin, chances in zip(begins, passes, strict=False) for node in chances])
    damping = np.array([chance for chances in passes for chance in chances.values()])
    found = hubs.Hubs(codes, np.full(codes.size, 9), damping)
    monkeypatch.setattr(module, "find_hubs", lambda *_: found)
    truth = np.concatenate([cascades.truth(*one, passes=chances) for one, chances in zip(some, passes, strict=True)])
    graph, seeds, _ = cascades.together(some)
    model = RiskCascade(transmission=cascades.along, hubs="damp", estimate="exact").fit(graph, seeds)
    np.testing.assert_allclose(model.scores_.to_numpy(), truth, rtol=0, atol=1e-12)
    assert (model.bounds_["lower"].to_numpy() <= truth + 1e-14).all()
    assert (model.bounds_["upper"].to_numpy() >= truth - 1e-14).all()
    assert (model.hubs_["damping"] < 1).all()


@pytest.mark.parametrize("longest", [None, 2])
def test_monte_carlo_agrees_with_its_errors(cascades, many, longest):
    some = many[:40]
    truth = np.concatenate([cascades.truth(*one, longest=longest) for one in some])
    graph, seeds, _ = cascades.together(some)
    model = RiskCascade(
        transmission=cascades.along, estimate="monte_carlo", n_samples=4_000, random_state=1, max_hops=longest
    ).fit(graph, seeds)
    error = model.std_error_.to_numpy()
    off = np.abs(model.scores_.to_numpy() - truth)
    assert (off <= 5 * error + 1e-7).all()
    assert 0.15 < np.mean(off[error > 0] / error[error > 0]) < 1.0  # errors are neither too small nor for show


def test_monte_carlo_is_the_same_for_the_same_random_state():
    graph = one_way(CASES["diamond"]["arcs"])
    first, second, other = (
        RiskCascade(transmission="p", estimate="monte_carlo", n_samples=300, random_state=seed).fit(graph, ["s"])
        for seed in (1, 1, 2)
    )
    pd.testing.assert_series_equal(first.scores_, second.scores_)
    assert not first.scores_.equals(other.scores_)


# -- the upper bound on larger graphs --------------------------------------------------------------------------------


def web(rng, n, degree, low, high):
    ends = rng.integers(n, size=(2, n * degree))
    there, back = rng.uniform(low, high, size=(2, n * degree))
    relations = pd.DataFrame(
        {
            "source": [f"n{x}" for x in ends[0]],
            "target": [f"n{x}" for x in ends[1]],
            "kind": "cooperates",
            "there": there,
            "back": back,
        }
    )
    relations = relations[relations["source"] != relations["target"]]
    entities = pd.DataFrame({"id": [f"n{x}" for x in range(n)], "kind": "company"})
    return rg.EntityGraph.from_tables(entities, relations)


@pytest.mark.parametrize(("low", "high"), [(0.02, 0.2), (0.1, 0.4), (0.5, 1.0)])
def test_bounds_bracket_random_worlds(cascades, low, high):
    graph = web(np.random.default_rng(1), 300, 3, low, high)
    seeds = {"n0": 1.0, "n7": 0.4}
    model = RiskCascade(transmission=cascades.along, estimate="monte_carlo", n_samples=3_000, random_state=0)
    model.fit(graph, seeds)
    reached = np.flatnonzero(model.bounds_["upper"].to_numpy() > 0)
    net = module._net(model._arcs, model._best.weight, None, reached)
    found = _worlds.sample_worlds(net, 3_000, 0)[1 : reached.size + 1]
    spread = 5 * np.sqrt(0.25 / 3_000)
    assert (found <= model.bounds_["upper"].to_numpy()[reached] + spread).all()
    assert (found >= model.bounds_["lower"].to_numpy()[reached] - spread).all()


@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-8])
def test_coarse_tolerance_is_still_a_bound(cascades, tol):
    graph = web(np.random.default_rng(4), 400, 3, 0.1, 0.45)
    fine = RiskCascade(transmission=cascades.along).fit(graph, ["n0"])
    coarse = RiskCascade(transmission=cascades.along, tol=tol).fit(graph, ["n0"])
    assert (coarse.scores_ >= fine.scores_ * (1 - 1e-12)).all()
    reached = fine.scores_ > 0
    assert (coarse.scores_[reached] <= fine.scores_[reached] * (1 + 2_000 * tol)).all()


def test_the_bound_is_a_fixpoint_written_plainly(cascades):
    """The same messages by plain loops, without logarithms."""
    graph = web(np.random.default_rng(9), 40, 2, 0.1, 0.6)
    model = RiskCascade(transmission=cascades.along).fit(graph, {"n0": 0.9, "n3": 0.2})
    arcs, weight = model._arcs, model._best.weight
    pairs = {(int(s), int(t)): float(p) for s, t, p in zip(arcs.source, arcs.target, arcs.p, strict=True)}
    message = dict.fromkeys(pairs, 0.0)
    for _ in range(300):
        new = {}
        for (u, v), p in pairs.items():
            missed = 1 - weight[u]
            for x in range(40):
                if x != v and (x, u) in message:
                    missed *= 1 - message[x, u]
            new[u, v] = p * (1 - missed)
        message = new
    for v in range(40):
        missed = 1 - weight[v]
        for (_, t), value in message.items():
            missed *= 1 - value if t == v else 1
        assert model.scores_.iloc[v] == pytest.approx(1 - missed, rel=1e-9)


def test_long_chain_keeps_its_digits_and_its_depth():
    chain = one_way([(f"c{k}", f"c{k + 1}", 0.51) for k in range(40)])
    scores = RiskCascade(transmission="p").fit(chain, ["c0"]).scores_
    assert scores["c40"] == pytest.approx(0.51**40, rel=1e-12)
    deep = one_way([(f"c{k}", f"c{k + 1}", 0.999) for k in range(1_500)])
    model = RiskCascade(transmission="p").fit(deep, ["c0"])
    assert model.scores_["c1500"] == pytest.approx(0.999**1_500, rel=1e-9)
    last = model.report_.set_index("entity").loc["c1500"]
    assert last["hops"] == 1_500
    assert last["path"].startswith("c0 … c1488 —付款→ c1489")


@pytest.mark.parametrize("ties", [0, 60])
def test_sure_circle_is_as_sure_as_its_seed(ties):
    # a hub elsewhere makes no difference
    hub = [("hub", f"x{k}", 0.5) for k in range(ties)]
    graph = one_way([("a", "b", 1.0), ("b", "c", 1.0), ("c", "a", 1.0), ("s", "a", 0.3), *hub])
    model = RiskCascade(transmission="p", hubs="damp").fit(graph, ["s"])
    assert model.hubs_["entity"].tolist() == ["hub"][:ties]
    assert model.scores_[list("sabc")].tolist() == pytest.approx([1, 0.3, 0.3, 0.3], rel=1e-9)


def test_bound_from_certainty_where_nothing_else_certifies(monkeypatch, cascades):
    graph = web(np.random.default_rng(4), 60, 2, 0.1, 0.4)
    fine = RiskCascade(transmission=cascades.along).fit(graph, ["n0"])
    plain = messages(fine._arcs, log_missed(fine._best.weight))
    rough = messages(fine._arcs, log_missed(fine._best.weight), tol=0.9)  # no rise below 1 is left to try
    assert (rough <= plain + 1e-12).all()


# -- promises --------------------------------------------------------------------------------------------------------

chances = st.sampled_from([0.05, 0.2, 0.5, 0.75, 0.9, 1.0])
relation = st.tuples(st.integers(0, 6), st.integers(0, 6), chances, st.one_of(st.just(0.0), chances)).filter(
    lambda item: item[0] != item[1]
)


@given(st.lists(relation, min_size=1, max_size=14), relation, st.lists(st.integers(0, 6), min_size=1, max_size=3))
@settings(max_examples=25, deadline=None)
def test_more_relations_or_seeds_never_lower_a_score(cascades, relations, extra, seeds):
    fit = lambda rows, start: (  # noqa: E731
        RiskCascade(transmission=cascades.along).fit(cascades.graph(7, rows), cascades.seeds(start)).scores_.to_numpy()
    )
    before = fit(relations, {seeds[0]: 0.7})
    assert (fit([*relations, extra], {seeds[0]: 0.7}) >= before - 1e-12).all()
    assert (fit(relations, {**dict.fromkeys(seeds, 0.7)}) >= before - 1e-12).all()
    assert (fit(relations, {seeds[0]: 0.8}) >= before - 1e-12).all()


@given(st.lists(relation, min_size=1, max_size=14), st.permutations(range(7)))
@settings(max_examples=15, deadline=None)
def test_names_do_not_matter(cascades, relations, names):
    plain = RiskCascade(transmission=cascades.along).fit(cascades.graph(7, relations), {"A": 0.6})
    moved = [(names[s], names[t], there, back) for s, t, there, back in relations]
    other = RiskCascade(transmission=cascades.along).fit(cascades.graph(7, moved), {cascades.names[names[0]]: 0.6})
    np.testing.assert_allclose(other.scores_.to_numpy()[list(names)], plain.scores_.to_numpy(), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(
        other.bounds_["lower"].to_numpy()[list(names)], plain.bounds_["lower"].to_numpy(), rtol=0.5, atol=1e-12
    )


def test_ranking_goes_on_where_scores_round_to_one():
    arcs = [(f"s{k}", "low", 0.99) for k in range(10)] + [(f"s{k}", "high", 0.99) for k in range(12)]
    model = RiskCascade(transmission="p").fit(one_way(arcs), [f"s{k}" for k in range(12)])
    assert model.scores_["low"] == model.scores_["high"] == 1.0
    assert model.log_odds_["high"] == pytest.approx(24 * np.log(10))
    assert model.log_odds_["low"] == pytest.approx(20 * np.log(10))
    assert model.log_odds_["s0"] == np.inf
    report = model.report_
    assert report["entity"].tolist()[-2:] == ["high", "low"]


def test_weights_of_seeds_are_probabilities():
    graph = one_way([("a", "b", 0.5), ("b", "c", 0.4)])
    model = RiskCascade(transmission="p").fit(graph, {"a": 0.6, "b": 0.1})
    assert model.scores_.to_dict() == pytest.approx({"a": 0.6, "b": 1 - 0.7 * 0.9, "c": 0.4 * 0.37})


def test_max_hops():
    graph = one_way([("a", "b", 0.5), ("b", "c", 0.5), ("a", "c", 0.1)])
    two = RiskCascade(transmission="p", max_hops=2).fit(graph, ["a"]).scores_
    one = RiskCascade(transmission="p", max_hops=1).fit(graph, ["a"])
    assert two["c"] == pytest.approx(1 - 0.9 * 0.75)
    assert one.scores_["c"] == pytest.approx(0.1)
    assert one.explain("c")["path"].tolist() == [("a", "c")]


# -- dates -----------------------------------------------------------------------------------------------------------


def dated():
    """Firm banned on 2016-08-01: Old left before, Last left after, Now is there still, New came afterwards."""
    entities = pd.DataFrame(
        {"id": ["Firm", "Old", "Last", "Now", "New", "Other"], "kind": ["company", *["person"] * 4, "company"]}
    )
    relations = pd.DataFrame(
        [
            ("Old", "Firm", "2014-01-01", "2016-08-01"),
            ("Last", "Firm", "2014-01-01", "2016-10-01"),
            ("Now", "Firm", "2014-01-01", None),
            ("New", "Firm", "2016-09-01", "2016-12-01"),
            ("Last", "Other", "2015-01-01", None),
            ("Now", "Other", "2015-01-01", "2016-09-01"),
        ],
        columns=["source", "target", "start", "end"],
    ).assign(kind="officer", role="legal_representative")
    cases = pd.DataFrame({"entity": ["Firm"], "type": ["banned"], "start": ["2016-08-01"]})
    return rg.EntityGraph.from_tables(entities, relations, cases).at("2017-01-01")


def test_ended_relations_transmit_nothing():
    scores = RiskCascade().fit(dated()).scores_
    assert scores[["Old", "Last", "New", "Other"]].tolist() == [0, 0, 0, 0]
    assert scores["Now"] == 0.8


def test_who_was_there_as_the_case_began():
    model = RiskCascade(ties="at_case").fit(dated())
    scores = model.scores_
    assert scores[["Old", "New"]].tolist() == [0, 0]  # gone on the day itself, and come later
    assert scores["Last"] == scores["Now"] == 0.8
    assert scores["Other"] == pytest.approx(0.8 * 0.2)  # through Last; what Now ended there is no tie of the seed
    assert model.explain("Other", lang="en")["path"].tolist() == [("Firm", "Last", "Other")]
    assert "2014-01-01 to 2016-10-01" in model.explain("Last", lang="en")["text"][0]


@pytest.mark.parametrize(
    ("start", "end", "held"),
    [
        ("2014-01-01", "2016-08-01", False),
        ("2014-01-01", "2016-08-02", True),
        (None, "2016-08-02", True),
        ("2016-08-01", "2016-08-02", True),
        ("2016-08-02", "2016-12-01", False),
    ],
)
def test_a_tie_was_there_on_the_day_of_the_case_itself(start, end, held):
    entities = pd.DataFrame({"id": ["Firm", "Shop", "Boss"], "kind": ["company", "company", "person"]})
    relations = pd.DataFrame({"source": ["Boss"], "target": "Firm", "kind": "officer", "start": [start], "end": [end]})
    cases = pd.DataFrame({"entity": ["Shop", "Firm"], "type": "banned", "start": ["2015-05-05", "2016-08-01"]})
    graph = rg.EntityGraph.from_tables(entities, relations, cases).at("2017-01-01")
    assert (RiskCascade(ties="at_case").fit(graph).scores_["Boss"] > 0) == held


def test_given_seeds_use_their_cases_too():
    assert RiskCascade(ties="at_case").fit(dated(), ["Firm"]).scores_["Last"] == 0.8
    assert RiskCascade(ties="at_case").fit(dated(), ["Other"]).scores_["Now"] == 0  # no case, no day to go by


def test_half_lives():
    graph = dated()
    year = (pd.Timestamp("2017-01-01") - pd.Timestamp("2016-10-01")).days / 365.25
    faded = RiskCascade(ties="at_case", relation_half_life=year).fit(graph).scores_
    assert faded["Last"] == pytest.approx(0.4)
    assert faded["Now"] == 0.8
    age = (pd.Timestamp("2017-01-01") - pd.Timestamp("2016-08-01")).days / 365.25
    assert RiskCascade(case_half_life=age).fit(graph).scores_["Firm"] == pytest.approx(0.5)
    assert RiskCascade(case_half_life=age).fit(graph, ["Firm"]).scores_["Firm"] == 1.0


def test_unknown_relations_transmit_nothing():
    entities = pd.DataFrame({"id": ["a", "b"], "kind": "company"})
    relations = pd.DataFrame(
        {"source": ["a"], "target": ["b"], "kind": ["controls"], "start": ["2015-01-01"], "known_from": ["2016-06-01"]}
    )
    graph = rg.EntityGraph.from_tables(entities, relations)
    assert RiskCascade().fit(graph.at("2016-01-01", known="2016-01-01"), ["a"]).scores_["b"] == 0
    assert RiskCascade().fit(graph.at("2016-01-01", known="2016-06-01"), ["a"]).scores_["b"] == 0.8


def test_half_a_name_twin_is_half_the_risk():
    graph = rg.datasets.toy_namesakes()
    sure = graph.with_changes(
        remove=["r1"],
        add=pd.DataFrame({"source": ["LiuWei1"], "target": ["LiuWei2"], "kind": ["same_as"], "confidence": [1.0]}),
    )
    half, whole = (RiskCascade().fit(one).scores_["Bakery"] for one in (graph, sure))
    assert half == pytest.approx(whole / 2, rel=1e-12)


def test_sure_circles_among_other_ways(cascades):
    """A ring of certain relations beside uncertain ones: members share one score, and paths still explain it."""
    relations = [
        (0, 1, 1.0, 1.0),
        (1, 2, 1.0, 0.0),
        (2, 0, 1.0, 0.2),
        (3, 0, 0.3, 0.4),
        (3, 2, 0.5, 0.0),
        (1, 4, 0.6, 0.6),
    ]
    truth = cascades.truth(5, relations, {3: 0.9})
    model = RiskCascade(transmission=cascades.along).fit(cascades.graph(5, relations), {"D": 0.9})
    np.testing.assert_allclose(model.scores_.to_numpy()[:3], model.scores_.iloc[0])
    assert (model.bounds_["lower"].to_numpy() <= truth + 1e-14).all()
    assert (model.bounds_["upper"].to_numpy() >= truth - 1e-14).all()
    assert model.scores_["A"] < 0.9
    assert model.contributions("E")["contribution"].sum() == pytest.approx(model.scores_["E"], abs=1e-9)
    assert model.explain("E", 1)["path"].tolist() == [("D", "C", "A", "B", "E")]
