"""EntityGraph: dates, knowledge, subgraphs, what-ifs, networkx and back."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskgraph as rg


def dated():
    """P hands A to Q on 2022-07-01; the transfer became known on 2022-08-15."""
    entities = pd.DataFrame(
        {
            "id": ["P", "Q", "A", "S"],
            "kind": ["person", "person", "company", "company"],
            "end": [None, None, None, "2021-01-01"],
        }
    )
    relations = pd.DataFrame(
        {
            "id": ["t1", "t2", "t3"],
            "source": ["P", "Q", "P"],
            "target": ["A", "A", "S"],
            "kind": ["owns", "owns", "owns"],
            "share": [0.6, 0.6, 1.0],
            "start": ["2020-01-01", "2022-07-01", None],
            "end": ["2022-07-01", None, "2021-01-01"],
            "known_from": [None, "2022-08-15", None],
        }
    )
    cases = pd.DataFrame(
        {
            "entity": ["S", "A", "A", "Q"],
            "type": ["revoked", "banned", "sanctioned", "order"],
            "severity": [None, 0.4, 0.7, None],
            "start": ["2021-01-01", "2022-01-01", "2022-01-01", "2020-01-01"],
            "end": [None, "2022-09-01", None, None],
        }
    )
    facts = pd.DataFrame(
        {
            "entity": ["A", "A"],
            "fact": ["repayment_due", "capital_pool"],
            "value": [100.0, True],
            "start": ["2030-01-01", "2020-01-01"],
            "known_from": ["2022-01-01", None],
        }
    )
    return rg.EntityGraph.from_tables(entities, relations, cases, None, facts)


@pytest.mark.parametrize(("day", "holders"), [("2020-12-31", ["P", "P"]), ("2022-06-30", ["P"]), ("2022-07-01", ["Q"])])
def test_intervals_are_half_open(day, holders):
    assert dated().at(day).relations["source"].tolist() == holders


def test_without_at_a_graph_stands_at_the_newest_date():
    graph = dated()
    assert graph.latest == pd.Timestamp("2022-08-15")  # the plan for 2030 does not move it
    assert graph.valid_on == graph.latest
    assert graph.relations["id"].tolist() == ["t2"]
    assert graph.history["id"].tolist() == ["t1", "t3"]
    assert repr(graph) == "EntityGraph: 4 entities, 1 relation, at 2022-08-15, the newest date in its tables"
    assert repr(graph.at("2022-07-10", known="2022-07-15")).endswith("at 2022-07-10, known by 2022-07-15")


def test_knowledge_is_a_date_of_its_own():
    graph = dated().at("2022-07-10", known="2022-08-14")
    assert graph.relations.empty  # P's holding had ended, Q's was not yet known
    assert graph.history["id"].tolist() == ["t1", "t3"]
    assert dated().at("2022-07-10", known="2022-08-15").relations["id"].tolist() == ["t2"]
    assert graph.at("2022-07-10").relations["id"].tolist() == ["t2"]  # dating again starts from all that is there
    assert len(graph.known("facts")) == 2
    assert len(dated().at("2022-07-10", known="2021-12-31").known("facts")) == 1


def test_ended_entities_stay_and_are_marked():
    assert dated().entities["ended"].tolist() == [False, False, False, True]
    assert dated().at("2020-06-01").entities["ended"].tolist() == [False] * 4


def test_seeds_by_date_and_severity():
    assert dated().seeds().to_dict() == {"A": 0.7, "S": 1.0}
    assert dated().at("2022-10-01").seeds().to_dict() == {"A": 0.7, "S": 1.0}
    assert dated().at("2021-06-01").seeds().to_dict() == {"S": 1.0}  # a revocation without end stays in force
    assert dated().at("2020-06-01").seeds().empty
    assert dated().seeds().name == "severity"


def test_undated_graph():
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["A"], "kind": ["company"]}), pd.DataFrame({"source": [], "target": [], "kind": []})
    )
    assert graph.latest is None
    assert repr(graph) == "EntityGraph: 1 entity, 0 relations, undated"
    assert graph.at("2016-01-01").relations.empty


def test_bad_dates_are_named():
    with pytest.raises(rg.InvalidParameter, match="'valid' must be a date such as 2016-06-30; got 'soon'"):
        dated().at("soon")
    with pytest.raises(rg.InvalidParameter, match="'known' must be a date"):
        dated().at("2016-01-01", known="2016-02-30")


def test_unknown_entities_are_named_with_what_is_near():
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["C100", "C200"], "kind": "company", "name": ["甲公司", "乙公司"]}),
        pd.DataFrame({"source": [], "target": [], "kind": []}),
    )
    with pytest.raises(rg.UnknownEntity, match="the graph holds no entity 'C101'; near ids: C100"):
        graph.code("C101")
    with pytest.raises(KeyError, match="the graph holds no entity '甲公司'; it is the name of C100: ask by id"):
        graph.neighborhood("甲公司")


def chain(n=6):
    ids = [f"N{i}" for i in range(n)]
    return rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ids, "kind": "company"}),
        pd.DataFrame({"source": ids[:-1], "target": ids[1:], "kind": "owns", "share": 1.0}),
    )


def test_neighborhood_goes_both_ways():
    graph = chain()
    assert list(graph.neighborhood("N2", 1).ids) == ["N1", "N2", "N3"]
    assert list(graph.neighborhood("N0").ids) == ["N0", "N1", "N2"]
    assert list(graph.neighborhood("N3", depth=0).ids) == ["N3"]
    assert graph.neighborhood("N2", 1).relations["id"].tolist() == ["r1", "r2"]  # ids do not change
    with pytest.raises(rg.InvalidParameter, match="'depth' must be a whole number, 0 or more; got -1"):
        graph.neighborhood("N0", -1)


@given(st.integers(0, 2**32 - 1), st.integers(0, 4))
@settings(max_examples=40, deadline=None)
def test_neighborhood_equals_networkx(seed, depth):
    rng = np.random.default_rng(seed)
    ids = [f"N{i}" for i in range(12)]
    ends = rng.integers(0, 12, (14, 2))
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ids, "kind": "company"}),
        pd.DataFrame({"source": [ids[i] for i in ends[:, 0]], "target": [ids[i] for i in ends[:, 1]], "kind": "owns"}),
    )
    G = graph.to_networkx()
    expected = set(nx.ego_graph(G.to_undirected(), "N0", radius=depth))
    assert set(graph.neighborhood("N0", depth).ids) == expected


def test_subgraph_keeps_history_cases_and_dates():
    part = dated().subgraph(["A", "P"])
    assert list(part.ids) == ["P", "A"]  # input order
    assert part.history["id"].tolist() == ["t1"]
    assert part.valid_on == dated().valid_on
    assert part.at("2020-12-31").relations["id"].tolist() == ["t1"]
    assert part.seeds().to_dict() == {"A": 0.7}
    with pytest.raises(rg.UnknownEntity):
        dated().subgraph(["A", "nobody"])


def test_with_changes():
    graph = chain(4)
    changed = graph.with_changes(
        remove=["r1"],
        add=pd.DataFrame({"source": ["N0"], "target": ["new"], "kind": ["controls"]}),
        entities=pd.DataFrame({"id": ["new"], "kind": ["company"]}),
    )
    assert changed.relations["id"].tolist() == ["r0", "r2", "r3"]
    assert changed.relations["kind"].tolist() == ["owns", "owns", "controls"]
    assert len(changed) == 5
    assert changed.changed_from is graph
    assert set(changed.ids[changed.changed_companies]) == {"N0", "N1", "N2", "new"}
    assert graph.relations["id"].tolist() == ["r0", "r1", "r2"]  # the first graph is as it was
    back = changed.with_changes(remove="r3")
    assert back.relations["id"].tolist() == ["r0", "r2"]
    with pytest.raises(rg.InvalidParameter, match="'remove' names no relation of the graph: 'r9'"):
        graph.with_changes(remove=["r9"])
    with pytest.raises(rg.InvalidTable, match=r"share: 2\.0 is outside"):
        graph.with_changes(add=pd.DataFrame({"source": ["N0"], "target": ["N1"], "kind": ["owns"], "share": [2.0]}))


def test_with_changes_keeps_given_ids_apart():
    graph = dated()
    added = graph.with_changes(add=pd.DataFrame({"source": ["P"], "target": ["A"], "kind": ["owns"], "share": [0.1]}))
    assert added.relations["id"].tolist() == ["t2", "added0"]
    with pytest.raises(rg.InvalidParameter, match="'add' uses an id the graph already has: 't1'"):
        graph.with_changes(add=pd.DataFrame({"id": ["t1"], "source": ["P"], "target": ["A"], "kind": ["owns"]}))


def test_networkx_round_trip_is_lossless():
    for graph in (dated(), chain(), dated().at("2021-06-01", known="2022-01-01")):
        G = graph.to_networkx()
        again = rg.EntityGraph.from_networkx(G)
        if graph.known_by is None:
            assert again.equals(graph)
        assert again.relations.equals(graph.relations)
        assert again.history.equals(graph.history)
        assert again.cases.equals(graph.cases)
        assert again.entities.astype(object).equals(graph.entities.astype(object))


def test_networkx_graphs_made_by_hand():
    G = nx.MultiDiGraph()
    G.add_node("a", kind="person")
    G.add_node("b", kind="company")
    G.add_edge("a", "b", kind="owns", share=0.25)
    G.add_edge("a", "b", kind="owns", share=0.5)
    assert rg.EntityGraph.from_networkx(G).relations["share_min"].tolist() == [0.25, 0.5]
    with pytest.raises(rg.InvalidTable, match="must be directed"):
        rg.EntityGraph.from_networkx(nx.Graph())
    G.add_edge("a", "c", kind="owns")
    with pytest.raises(rg.InvalidTable, match="entities row 2, column kind: a missing value is not a valid kind"):
        rg.EntityGraph.from_networkx(G)


def test_frames_of_a_graph_make_the_same_graph():
    graph = dated()
    known = {table: graph.known(table) for table in ("relations", "cases", "licences", "facts")}
    again = rg.EntityGraph.from_tables(graph.entities, **known)
    assert again.relations.equals(graph.relations)
    assert again.history.equals(graph.history)
    assert again.seeds().equals(graph.seeds())


def test_a_graph_cannot_be_changed_by_its_arrays_or_frames():
    graph = chain()
    with pytest.raises(ValueError, match="read-only"):
        graph.columns.source[0] = 3
    frame = graph.cases
    frame["type"] = "banned"
    assert graph.cases.empty


def test_repr_html_escapes_hostile_names():
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["<script>"], "kind": ["company"]}),
        pd.DataFrame({"source": [], "target": [], "kind": []}),
        facts=pd.DataFrame({"entity": ["<script>"], "fact": ["<script>alert(1)</script>"], "value": ["x"]}),
    )
    assert "<script" not in graph._repr_html_()
    assert "&lt;script&gt;alert(1)" in graph._repr_html_()


def test_bytes_a_relation():
    rng = np.random.default_rng(1)
    n = 20_000
    ids = [f"C{i}" for i in range(n)]
    graph = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ids, "kind": "company"}),
        pd.DataFrame(
            {
                "source": rng.choice(ids, n),
                "target": rng.choice(ids, n),
                "kind": "owns",
                "share": rng.random(n) / 50,
                "start": np.datetime64("2010-01-01") + rng.integers(0, 2000, n),
                "end": np.datetime64("2020-01-01") + rng.integers(0, 2000, n),
            }
        ),
    )
    assert graph.nbytes / n <= 60


def test_some_columns_alone_are_those_of_all_at_their_places():
    graph = rg.datasets.toy_dated().at("2016-06-30")
    for positions in (graph.columns.of("owns"), np.arange(1), np.arange(len(graph.columns))):
        some = graph.columns.only(positions)
        for name in ("source", "target", "kind", "share_min", "votes_max", "amount", "role", "start", "row"):
            np.testing.assert_array_equal(getattr(some, name), getattr(graph.columns, name)[positions])
