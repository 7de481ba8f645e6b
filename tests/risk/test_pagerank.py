"""Personalised PageRank: known answers, equality with other implementations, error bound, contributions, paths."""

from __future__ import annotations

from pathlib import Path

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph.risk import _walks
from riskgraph.risk.pagerank import PersonalizedPageRank, step_matrix

ORACLES = yaml.safe_load((Path(__file__).parents[1] / "fixtures" / "propagation.yaml").read_text(encoding="utf-8"))
RULES = ("sink", "seeds", "uniform")
DIRECTIONS = ("forward", "reverse", "both")


def graph_of(ids, links, kind="owns", **columns) -> rg.EntityGraph:
    ids = [str(i) for i in ids]
    rows = pd.DataFrame([(str(a), str(b)) for a, b in links], columns=["source", "target"])
    return rg.EntityGraph.from_tables(pd.DataFrame({"id": ids, "kind": "company"}), rows.assign(kind=kind, **columns))


def random_graph(seed: int, n: int = 40, links: int = 90, zero: bool = False):
    """Multigraph with parallel relations, loops, entities that lead nowhere, and weights."""
    rng = np.random.default_rng(seed)
    source, target = rng.integers(0, n - 6, links), rng.integers(0, n, links)
    weight = rng.integers(1, 20, links) / 4
    if zero:
        weight[rng.integers(0, links, links // 8)] = 0.0
    graph = graph_of(range(n), zip(source, target, strict=True), power=weight)
    seeds = {str(i): float(rng.integers(1, 5)) for i in rng.choice(n, 4, replace=False)}
    return graph, seeds


def dense_scores(graph, seeds, damping, weight, direction, dangling) -> np.ndarray:
    """The definition, with no code in common: one dense system."""
    n = len(graph)
    A = np.zeros((n, n))
    place = {id: i for i, id in enumerate(graph.ids)}
    for row in graph.relations.to_dict("records"):
        a, b, w = place[row["source"]], place[row["target"]], 1.0 if weight is None else row[weight]
        if direction in ("forward", "both"):
            A[a, b] += w
        if direction == "reverse" or (direction == "both" and a != b):
            A[b, a] += w
    v = np.zeros(n)
    for id, w in seeds.items():
        v[place[id]] = w
    v /= v.sum()
    out = A.sum(axis=1, keepdims=True)
    P = np.divide(A, out, out=np.zeros_like(A), where=out > 0)
    lost = out[:, 0] == 0
    if dangling == "seeds":
        P[lost] = v
    elif dangling == "uniform":
        P[lost] = 1 / n
    return np.linalg.solve(np.eye(n) - damping * P.T, (1 - damping) * v)


# -- known answers ---------------------------------------------------------------------------------------------------


def test_known_vector_with_a_dangling_node():
    known = ORACLES["pagerank_dangling"]
    graph = graph_of(known["scores"], known["links"])
    model = PersonalizedPageRank(damping=known["damping"], dangling="seeds").fit(graph, known["seeds"])
    assert model.scores_.to_dict() == pytest.approx(known["scores"], abs=known["tolerance"])
    assert model.scores_.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("case", [0, 1])
@pytest.mark.parametrize("dangling", RULES)
def test_known_vector_on_the_complete_graph(case, dangling):
    known = ORACLES["pagerank_complete"]
    links = [(a, b) for a in known["nodes"] for b in known["nodes"] if a != b]
    model = PersonalizedPageRank(dangling=dangling, tol=1e-10).fit(
        graph_of(known["nodes"], links), known["cases"][case]["seeds"]
    )
    assert model.scores_.to_dict() == pytest.approx(known["cases"][case]["scores"], abs=known["tolerance"])


@pytest.mark.parametrize("dangling", ["sink", "seeds"])
def test_what_no_walk_reaches_has_exactly_nothing(dangling):
    known = ORACLES["pagerank_disconnected"]
    graph = graph_of(known["nodes"], known["links"])
    model = PersonalizedPageRank(dangling=dangling, tol=1e-13).fit(graph, known["seeds"])
    assert model.scores_.to_dict() == pytest.approx(known["scores"], abs=known["tolerance"])
    assert (model.scores_[["x", "y", "iso"]] == 0).all()


def test_uniform_restart_leaks_to_the_unconnected_and_sink_does_not():
    graph = graph_of("sax", [("s", "a")])
    assert PersonalizedPageRank(dangling="uniform").fit(graph, ["s"]).scores_["x"] > 0.1
    sink = PersonalizedPageRank().fit(graph, ["s"]).scores_
    assert sink.to_dict() == pytest.approx({"s": 0.15, "a": 0.85 * 0.15, "x": 0}, abs=1e-12)


# -- other implementations -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dangling", RULES)
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("weight", [None, "power"])
def test_equals_a_dense_solution(dangling, direction, weight):
    for seed in range(6):
        graph, seeds = random_graph(seed, zero=weight is not None)
        model = PersonalizedPageRank(weight=weight, direction=direction, dangling=dangling).fit(graph, seeds)
        true = dense_scores(graph, seeds, 0.85, weight, direction, dangling)
        error = np.abs(model.scores_.to_numpy() - true).sum()
        assert error <= model.error_bound_ + 1e-15 <= 1e-8 + 1e-15
        assert ((true > 1e-14) | (model.scores_ == 0)).all() or dangling == "uniform"


@pytest.mark.parametrize("dangling", ["seeds", "uniform"])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_equals_networkx(dangling, direction):
    for seed in range(4):
        graph, seeds = random_graph(100 + seed)
        G = nx.DiGraph()
        G.add_nodes_from(graph.ids)
        for row in graph.relations.to_dict("records"):
            ends = {(row["source"], row["target"])} if direction != "reverse" else {(row["target"], row["source"])}
            if direction == "both":
                ends |= {(row["target"], row["source"])}
            for a, b in ends:
                G.add_edge(a, b, weight=G.get_edge_data(a, b, {"weight": 0})["weight"] + row["power"])
        spread = dict.fromkeys(G, 1) if dangling == "uniform" else seeds
        theirs = nx.pagerank(
            G, personalization=seeds, dangling=spread, weight="weight", tol=1e-14 / len(G), max_iter=2000
        )
        ours = PersonalizedPageRank(weight="power", direction=direction, dangling=dangling, tol=1e-10).fit(graph, seeds)
        assert ours.scores_.to_dict() == pytest.approx(theirs, abs=1e-8)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_equals_igraph_where_every_walk_can_go_on(direction):
    for seed in range(4):
        graph, seeds = random_graph(200 + seed)
        n = len(graph)
        ring = pd.DataFrame({"source": [str(i) for i in range(n)], "target": [str((i + 1) % n) for i in range(n)]})
        graph = graph.with_changes(add=ring.assign(kind="owns", power=0.5))
        rows = graph.relations
        a, b, w = rows["source"].astype(int), rows["target"].astype(int), rows["power"]
        if direction == "reverse":
            a, b = b, a
        if direction == "both":
            other = a != b
            a, b, w = pd.concat([a, b[other]]), pd.concat([b, a[other]]), pd.concat([w, w[other]])
        G = igraph.Graph(n=n, edges=list(zip(a, b, strict=True)), directed=True)
        theirs = G.personalized_pagerank(
            reset=[seeds.get(str(i), 0.0) for i in range(n)], damping=0.85, weights=w.tolist(), directed=True
        )
        for dangling in RULES:
            model = PersonalizedPageRank(weight="power", direction=direction, dangling=dangling).fit(graph, seeds)
            assert model.scores_.to_numpy() == pytest.approx(theirs, abs=1e-8)


@pytest.mark.parametrize("dangling", ["seeds", "uniform"])
def test_equals_igraph_where_walks_end(dangling):
    """igraph sends a walk that ends back to its reset vector: our rule "seeds", and "uniform" where all are seeds."""
    for seed in range(4):
        graph, seeds = random_graph(300 + seed)
        n = len(graph)
        if dangling == "uniform":
            seeds = {str(i): 1.0 for i in range(n)}
        rows = graph.relations
        a, b, w = rows["source"].astype(int), rows["target"].astype(int), rows["power"]
        assert len(set(range(n)) - set(a)) > 0  # some walks do end
        G = igraph.Graph(n=n, edges=list(zip(a, b, strict=True)), directed=True)
        theirs = G.personalized_pagerank(
            reset=[seeds.get(str(i), 0.0) for i in range(n)], damping=0.85, weights=w.tolist(), directed=True
        )
        model = PersonalizedPageRank(weight="power", dangling=dangling).fit(graph, seeds)
        assert model.scores_.to_numpy() == pytest.approx(theirs, abs=1e-8)


def test_true_error_stays_below_the_bound_on_a_larger_graph():
    for direction, products in (("both", 45), ("forward", 130)):
        rng = np.random.default_rng(3)
        n = 20_000
        graph = graph_of(
            range(n), zip(rng.integers(0, n, 3 * n), (n * rng.random(3 * n) ** 3).astype(int), strict=True)
        )
        rough = PersonalizedPageRank(direction=direction).fit(graph, ["1", "2", "3"])
        fine = PersonalizedPageRank(direction=direction, tol=1e-13).fit(graph, ["1", "2", "3"])
        assert (rough.scores_ - fine.scores_).abs().sum() <= rough.error_bound_ + fine.error_bound_
        assert 1e-13 < rough.error_bound_ <= 1e-8
        assert rough.n_products_ <= products


def test_plain_steps_take_over_where_accelerated_ones_diverge():
    # a long one-way ring: its walks turn through all complex directions, where Chebyshev's steps grow
    n = 300
    graph = graph_of(range(n), [(i, (i + 1) % n) for i in range(n)])
    model = PersonalizedPageRank(damping=0.99).fit(graph, ["0"])
    true = 0.01 * 0.99 ** np.arange(n) / (1 - 0.99**n)
    assert np.abs(model.scores_.to_numpy() - true).sum() <= 1e-8


def test_leaving_the_unreached_out_changes_nothing(monkeypatch):
    # most of the graph lies apart from the seed, so only its neighbourhood is solved
    rng = np.random.default_rng(5)
    links = [(int(a), int(b)) for a, b in rng.integers(10, 400, (900, 2))] + [(i, (i * 3 + 1) % 10) for i in range(10)]
    graph = graph_of(range(400), links)
    assert step_matrix(graph, None, "forward").reached(np.array([0])) is not None
    near = PersonalizedPageRank(tol=1e-12).fit(graph, ["0"])
    parts = near.contributions("1")
    monkeypatch.setattr(_walks.Steps, "reached", lambda *_, **__: None)
    whole = PersonalizedPageRank(tol=1e-12).fit(graph, ["0"])
    assert near.scores_.to_numpy() == pytest.approx(whole.scores_.to_numpy(), abs=1e-11)
    assert parts.to_numpy() == pytest.approx(whole.contributions("1").to_numpy(), abs=1e-11)


def test_what_leads_into_the_neighbourhood_of_the_seeds_changes_nothing():
    # a chain of five from the seed, and a ring of fifty that leads into it everywhere
    ring = [(i, (i - 9) % 50 + 10) for i in range(10, 60)]
    into = [(i, i % 5) for i in range(10, 60)]
    graph = graph_of(range(60), [(i, i + 1) for i in range(4)] + ring + into)
    steps = step_matrix(graph, None, "forward")
    near = steps.reached(np.array([0]))
    assert near.tolist() == [0, 1, 2, 3, 4]
    assert steps.part(near).indices.tolist() == [0, 1, 2, 3]
    scores = PersonalizedPageRank(damping=0.5).fit(graph, ["0"]).scores_.to_numpy()
    assert scores == pytest.approx([*(0.5 ** np.arange(1, 6)), *np.zeros(55)], abs=1e-8)


# -- properties ------------------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(RULES), st.sampled_from(DIRECTIONS))
def test_relabelling_permutes_and_scaling_seeds_changes_nothing(seed, dangling, direction):
    graph, seeds = random_graph(seed, n=15, links=25)
    model = PersonalizedPageRank(dangling=dangling, direction=direction).fit(graph, seeds)
    names = {id: f"n{(7 * int(id)) % 15}" for id in graph.ids}
    rows = graph.relations[["source", "target", "kind"]]
    other = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": sorted(names.values()), "kind": "company"}),
        rows.assign(source=rows["source"].map(names), target=rows["target"].map(names)).sample(frac=1, random_state=1),
    )
    moved = PersonalizedPageRank(dangling=dangling, direction=direction).fit(
        other, {names[id]: 1000 * w for id, w in seeds.items()}
    )
    assert moved.scores_[[names[id] for id in graph.ids]].to_numpy() == pytest.approx(
        model.scores_.to_numpy(), abs=2e-8
    )


def test_the_unit_of_the_weights_of_seeds_does_not_matter():
    graph = graph_of("abc", [("a", "b"), ("b", "c")])
    plain, huge = (
        PersonalizedPageRank().fit(graph, {"a": unit, "b": 3 * unit}).scores_.tolist() for unit in (1.0, 1e200)
    )
    assert huge == pytest.approx(plain, rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["sink", "seeds"]))
def test_an_unreachable_part_changes_nothing(seed, dangling):
    graph, seeds = random_graph(seed, n=15, links=25)
    more = graph.with_changes(
        entities=pd.DataFrame({"id": ["far1", "far2"], "kind": "company"}),
        add=pd.DataFrame({"source": ["far1", "far2"], "target": ["far2", "far1"], "kind": "owns"}),
    )
    before = PersonalizedPageRank(dangling=dangling).fit(graph, seeds).scores_
    after = PersonalizedPageRank(dangling=dangling).fit(more, seeds).scores_
    assert after[before.index].to_numpy() == pytest.approx(before.to_numpy(), abs=2e-8)
    assert (after[["far1", "far2"]] == 0).all()


def test_symmetric_relations_are_walked_either_way():
    kinds = ["concert", "kin", "same_as", "cooperates"]
    for kind in kinds:
        one = PersonalizedPageRank().fit(graph_of("ab", [("a", "b")], kind=kind), ["b"])
        two = PersonalizedPageRank().fit(graph_of("ab", [("b", "a")], kind=kind), ["b"])
        assert one.scores_["a"] == two.scores_["a"] > 0
        assert one.explain("a")["relations"].tolist() == [("r0",)]


# -- contributions and paths -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dangling", RULES)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_contributions_sum_to_the_score_and_are_what_each_seed_gives_alone(dangling, direction):
    for seed in range(3):
        graph, seeds = random_graph(seed)
        model = PersonalizedPageRank(dangling=dangling, direction=direction, tol=1e-12).fit(graph, seeds)
        total = sum(seeds.values())
        alone = {
            id: dense_scores(graph, {id: 1.0}, 0.85, None, direction, "sink" if dangling == "seeds" else dangling) * w
            for id, w in seeds.items()
        }
        for entity in graph.ids[::5]:
            parts = model.contributions(entity)
            assert parts.sum() == pytest.approx(model.scores_[entity], abs=1e-16, rel=1e-14)
            code = graph.code(entity)
            scale = total if dangling != "seeds" else sum(a.sum() for a in alone.values())
            expected = {id: alone[id][code] / scale for id in seeds}
            assert parts.to_dict() == pytest.approx(expected, abs=1e-11)
            assert parts.is_monotonic_decreasing


def walks(graph, seeds, direction):
    """All paths without a repeated entity, by brute force: path → weight."""
    n = len(graph)
    A = np.zeros((n, n))
    for a, b in zip(graph.codes(graph.relations["source"]), graph.codes(graph.relations["target"]), strict=True):
        A[(a, b) if direction == "forward" else (b, a)] += 1
    out = A.sum(axis=1, keepdims=True)
    P = np.divide(A, out, out=np.zeros_like(A), where=out > 0)
    found: dict[tuple[int, ...], float] = {}
    stack = [((graph.code(id),), 0.15 * w / sum(seeds.values())) for id, w in seeds.items()]
    while stack:
        path, weight = stack.pop()
        found[path] = weight
        stack += [
            ((*path, int(j)), weight * 0.85 * P[path[-1], j]) for j in np.flatnonzero(P[path[-1]]) if j not in path
        ]
    return found


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_explains_by_the_heaviest_paths(direction):
    for seed in range(5):
        graph, seeds = random_graph(seed, n=12, links=22)
        model = PersonalizedPageRank(direction=direction, tol=1e-12).fit(graph, seeds)
        known = walks(graph, seeds, direction)
        for entity in graph.ids:
            into = sorted((w for path, w in known.items() if graph.ids[path[-1]] == entity), reverse=True)[:4]
            frame = model.explain(entity, k=4)
            assert frame["weight"].tolist() == pytest.approx(into, abs=1e-12)
            assert frame["weight"].sum() <= model.scores_[entity] + 1e-9
            for path, weight in zip(frame["path"], frame["weight"], strict=True):
                assert known[tuple(graph.codes(path))] == pytest.approx(weight, rel=1e-9)
            ends = graph.relations.set_index("id")
            for path, relations in zip(frame["path"], frame["relations"], strict=True):
                assert all({ends.at[r, "source"], ends.at[r, "target"]} <= set(path) for r in relations)
                assert len(relations) >= len(path) - 1


def test_explains_a_seed_by_itself_and_the_unreached_by_nothing():
    model = PersonalizedPageRank().fit(graph_of("sax", [("s", "a")]), ["s"])
    assert model.explain("s")[["path", "relations"]].to_numpy().tolist() == [[("s",), ()]]
    assert model.explain("x").empty
    assert (model.contributions("x") == 0).all()


def test_paths_weigh_what_they_give_to_the_score_where_lost_walks_start_again():
    graph = graph_of("sab", [("s", "a"), ("a", "b")])
    model = PersonalizedPageRank(dangling="seeds", tol=1e-13).fit(graph, ["s"])
    for entity in "sab":
        assert model.explain(entity)["weight"].tolist() == pytest.approx([model.scores_[entity]])


def test_a_search_without_end_is_cut_off_and_gives_what_it_met():
    rng = np.random.default_rng(0)
    links = [(int(a), int(b)) for a, b in rng.integers(0, 60, (1500, 2))]
    model = PersonalizedPageRank(direction="both").fit(graph_of(range(60), links), ["0"])
    found = _walks.heaviest_paths(
        model._steps.inward, 0.85, model._begin, model.scores_.to_numpy(), 30, 10_000, budget=300
    )
    assert 0 < len(found) < 10_000
    weights = [path.weight for path in found]
    assert weights == sorted(weights, reverse=True)


# -- weights and parameters ------------------------------------------------------------------------------------------


def test_zero_weights_are_no_relations_and_missing_ones_are_counted():
    graph = graph_of("abcd", [("a", "b"), ("a", "c"), ("a", "d")], amount=[1.0, 0.0, None])
    model = PersonalizedPageRank(weight="amount").fit(graph, ["a"])
    assert model.scores_.to_dict() == pytest.approx({"a": 0.15, "b": 0.1275, "c": 0, "d": 0}, abs=1e-12)
    assert model.left_out_.to_dict("list") == {"kind": ["owns"], "relations": [1]}
    assert model.explain("c").empty
    assert PersonalizedPageRank().fit(graph, ["a"]).left_out_.empty


def test_shares_weigh_where_they_are_numbers():
    graph = graph_of("abc", [("a", "b"), ("a", "c")], share=[0.6, 0.2])
    model = PersonalizedPageRank(weight="share").fit(graph, ["a"])
    assert model.scores_["b"] == pytest.approx(3 * model.scores_["c"])
    interval = graph_of("abc", [("a", "b"), ("a", "c")], share_min=[0.1, 0.2], share_max=[0.3, 0.2])
    with pytest.raises(rg.InvalidParameter, match=r"'weight' must name one number a relation; 'share' is an interval"):
        PersonalizedPageRank(weight="share").fit(interval, ["a"])
    assert PersonalizedPageRank(weight="share_max").fit(interval, ["a"]).scores_["b"] > 0


def test_without_seeds_nothing_is_near():
    model = PersonalizedPageRank().fit(graph_of("ab", [("a", "b")]))
    assert (model.scores_ == 0).all()
    assert (model.error_bound_, model.n_products_) == (0, 0)
    assert model.report_.empty


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"damping": 1.0}, r"'damping' must be in \[0, 1\); got 1.0"),
        ({"damping": -0.1}, r"'damping' must be in \[0, 1\); got -0.1"),
        ({"direction": "up"}, r"'direction' must be 'forward', 'reverse' or 'both'; got 'up'"),
        ({"dangling": "restart"}, r"'dangling' must be 'sink', 'seeds' or 'uniform'; got 'restart'"),
        ({"tol": 0}, r"'tol' must be a number above 0; got 0"),
        ({"weight": 3}, r"'weight' must be None or a column of the relations; got 3"),
        ({"weight": "nothing"}, r"'weight' must be None or a numeric column of the relations \(.*\); got 'nothing'"),
        ({"weight": "power"}, r"'weight' must hold finite numbers of 0 or more; 'power' is -1 in relation 'r1'"),
    ],
)
def test_says_which_parameter_is_wrong(parameters, text):
    graph = graph_of("abc", [("a", "b"), ("b", "c")], power=[1.0, -1.0])
    with pytest.raises(rg.InvalidParameter, match=text):
        PersonalizedPageRank(**parameters).fit(graph, ["a"])


def test_says_which_seeds_are_wrong():
    graph = graph_of("ab", [("a", "b")])
    with pytest.raises(rg.InvalidParameter, match="'seeds' must have a weight above 0; got 0 for all of them"):
        PersonalizedPageRank().fit(graph, {"a": 0, "b": 0.0})
    with pytest.raises(rg.UnknownEntity, match="the graph holds no entity 'z'"):
        PersonalizedPageRank().fit(graph, ["z"])


def test_a_tolerance_below_rounding_is_refused():
    graph, seeds = random_graph(0)
    with pytest.raises(rg.NotConverged, match="ask for more than 1e-14"):
        PersonalizedPageRank(tol=1e-30).fit(graph, seeds)


def test_no_damping_stays_at_the_seeds_and_strong_damping_still_converges():
    graph, seeds = random_graph(1)
    still = PersonalizedPageRank(damping=0).fit(graph, seeds).scores_
    assert still[still > 0].to_dict() == pytest.approx({i: w / sum(seeds.values()) for i, w in seeds.items()})
    far = PersonalizedPageRank(damping=0.999, direction="both").fit(graph, seeds)
    true = dense_scores(graph, seeds, 0.999, None, "both", "sink")
    assert np.abs(far.scores_.to_numpy() - true).sum() <= 1e-8


def test_steps_are_kept_on_the_graph():
    graph, seeds = random_graph(2)
    PersonalizedPageRank().fit(graph, seeds)
    kept = step_matrix(graph, None, "forward")
    model = PersonalizedPageRank(damping=0.5).fit(graph, seeds)
    assert model._steps is kept
    assert kept.inward.indices.dtype == np.int32


def test_parameters_are_kept_as_given_and_cloned():
    from sklearn.base import clone

    given = {"damping": 0.5, "weight": "power", "direction": "both", "dangling": "seeds", "tol": 1e-6}
    graph, seeds = random_graph(4)
    model = PersonalizedPageRank(**given).fit(graph, seeds)
    copy = clone(model)
    assert model.get_params() == copy.get_params() == given
    assert not hasattr(copy, "scores_")
    assert copy.fit(graph, seeds).scores_.equals(model.scores_)
    with pytest.raises(rg.RiskGraphError, match="this PersonalizedPageRank is not fitted yet"):
        PersonalizedPageRank().contributions("0")
