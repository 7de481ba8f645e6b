"""A graph written as FollowTheMoney reads back as it was, apart from what the writer says is lost."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph.readers import read_ftm, write_ftm
from riskgraph.readers._ftm_model import CASE_TOPICS, EDGES, SCHEMATA
from riskgraph.schema import CASE_TYPES, ENTITY_KINDS, RELATION_KINDS, SYMMETRIC_KINDS, TABLES

QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def held(graph, table):
    """What a table holds, by id, as text, its empty cells left out."""
    frame = graph.known(table).drop(columns=["ended", "schema"], errors="ignore")
    frame = frame.sort_values("id")[sorted(frame.columns)]
    return {
        row["id"]: {column: str(value) for column, value in row.items() if not pd.isna(value)}
        for row in frame.to_dict("records")
    }


def test_the_county_comes_back_but_for_what_is_said(tmp_path):
    before = rg.datasets.load_county().graph
    losses = write_ftm(before, tmp_path / "county.ftm.json")
    after = read_ftm(tmp_path / "county.ftm.json", on_error="raise")
    for table in ("entities", "relations", "cases"):
        rows, again = held(before, table), held(after, table)
        assert rows.keys() == again.keys()
        named, spared = set(losses[losses["table"] == table]["column"]), 0
        for id, cells in rows.items():
            # a cell that came is the cell that was; one that did not come is in a column the writer names
            lost = {column for column, cell in cells.items() if again[id].get(column) != cell}
            assert lost <= named, (id, lost)
            assert not {column for column in lost if column in again[id]}, (id, lost)
            spared += len(cells) - len(lost)
        counted = losses[(losses["table"] == table) & losses["problem"].str.startswith("no property")]["count"].sum()
        assert sum(map(len, rows.values())) - spared == counted
    assert dict(losses[losses["column"] == "id"][["table", "count"]].to_numpy()) == {
        "facts": len(before.known("facts")),
        "licences": len(before.known("licences")),
    }


def test_read_write_read_is_identity(tmp_path):
    records = [
        {"id": "a", "schema": "Person",
         "properties": {"name": ["Ann"], "alias": ["A. Example"], "topics": ["sanction"]}},
        {"id": "c", "schema": "Organization", "caption": "B",
         "properties": {"name": ["A", "B"], "country": ["xx", "yy"]}},
        {"id": "d", "schema": "Company", "datasets": ["list", "other"],
         "properties": {"name": ["D"], "topics": ["debarment", "crime.fin"], "addressEntity": ["x"], "capital": ["5"]}},
        {"id": "v", "schema": "Vessel", "properties": {"name": ["Ship"], "registrationNumber": ["7"]}},
        {"id": "x", "schema": "Address", "properties": {"full": ["1 Street"]}},
        {"id": "o", "schema": "Ownership",
         "properties": {"owner": ["a", "c"], "asset": ["d"], "percentage": ["25-50"], "sharesValue": ["5"],
                        "sharesCurrency": ["USD"], "startDate": ["2015-01-02"]}},
        {"id": "e", "schema": "Employment", "properties": {"employee": ["a"], "employer": ["c"]}},
        {"id": "u", "schema": "UnknownLink", "properties": {"subject": ["a"], "object": ["v"], "role": ["friend"]}},
        {"id": "p", "schema": "Payment",
         "properties": {"payer": ["a"], "beneficiary": ["d"], "amountEur": ["10"], "date": ["2016-01-01"]}},
        {"id": "s", "schema": "Sanction",
         "properties": {"entity": ["a"], "reason": ["why"], "listingDate": ["2014-05-06"]}},
        {"id": "r", "schema": "Risk", "properties": {"entity": ["c", "d"], "topics": ["reg.warn"], "program": ["P"]}},
    ]  # fmt: skip
    (tmp_path / "a.json").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    before = read_ftm(tmp_path / "a.json", on_error="raise")
    assert len(before.known("relations")) == 6
    losses = write_ftm(before, tmp_path / "b.json")
    assert losses.empty
    after = read_ftm(tmp_path / "b.json", on_error="raise")
    for table in TABLES:
        rows, again = held(before, table), held(after, table)
        if table == "entities":
            # a topic that follows from the object r is said on the entities too
            assert again["c"].pop("topics") == "reg.warn"
            assert again["d"]["topics"] == "debarment;crime.fin;reg.warn"
            again["d"]["topics"] = "debarment;crime.fin"
        if table == "relations":
            # a link that states no role means the same as one that states the role it is read with
            assert rows["u"]["role"] == again["u"]["role"] == "friend"
        assert rows == again, table
    write_ftm(after, tmp_path / "c.json")
    assert (tmp_path / "c.json").read_bytes() == (tmp_path / "b.json").read_bytes()


NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
DAY = st.dates(pd.Timestamp("1900-01-01").date(), pd.Timestamp("2100-01-01").date())
KINDS = ENTITY_KINDS


@st.composite
def graphs(draw):
    """Small graphs of every entity kind, relation kind and case type, with cells filled or not."""
    count = draw(st.integers(2, 5))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=count, max_size=count))
    maybe = lambda strategy, size: draw(st.lists(st.none() | strategy, min_size=size, max_size=size))  # noqa: E731
    entities = pd.DataFrame(
        {"id": [f"e{row}" for row in range(count)], "kind": kinds, "name": maybe(NAME, count),
         "uscc": maybe(st.sampled_from(["91329921MA0010061F"]), count), "start": maybe(DAY, count),
         "sector": maybe(st.sampled_from(["p2p", "odd"]), count), "scope": maybe(NAME, count),
         "capital": pd.Series(maybe(st.floats(0, 1e12), count), dtype=float), "source_ref": maybe(NAME, count)}
    )  # fmt: skip
    links = draw(st.lists(st.permutations(range(count)).map(lambda ends: ends[:2]), max_size=6))
    low = pd.Series(maybe(st.floats(0, 1), len(links)), dtype=float)
    relations = pd.DataFrame(
        {"id": [f"r{row}" for row in range(len(links))], "source": [f"e{a}" for a, _ in links],
         "target": [f"e{b}" for _, b in links],
         "kind": draw(st.lists(st.sampled_from(RELATION_KINDS), min_size=len(links), max_size=len(links))),
         "share_min": low, "share_max": low + (1 - low) * draw(st.sampled_from([0, 1, 1 / 3])),
         "role": maybe(st.sampled_from(["legal_representative", "owns", "董事"]), len(links)),
         "amount": pd.Series(maybe(st.floats(0, 1e12), len(links)), dtype=float), "start": maybe(DAY, len(links)),
         "confidence": pd.Series(maybe(st.floats(0, 1), len(links)), dtype=float), "known_from": maybe(DAY, len(links)),
         "source_ref": maybe(NAME | st.just("https://example.org/a"), len(links))}
    )  # fmt: skip
    amount = draw(st.integers(0, 3))
    cases = pd.DataFrame(
        {"id": [f"c{row}" for row in range(amount)], "entity": "e0",
         "type": draw(st.lists(st.sampled_from(CASE_TYPES), min_size=amount, max_size=amount)),
         "authority": maybe(NAME, amount), "topic": maybe(NAME, amount), "start": maybe(DAY, amount)}
    )  # fmt: skip
    return rg.EntityGraph.from_tables(entities, relations, cases, on_error="quarantine")


@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
@given(before=graphs())
def test_any_graph_comes_back_but_for_what_is_said(tmp_path, before):
    losses = write_ftm(before, tmp_path / "any.ftm.json")
    after = read_ftm(tmp_path / "any.ftm.json")
    assert after.rejected == {}
    for table in ("entities", "relations", "cases"):
        rows, again = held(before, table), held(after, table)
        assert rows.keys() == again.keys()
        lost = 0
        for id, cells in rows.items():
            wrong = {column for column, cell in cells.items() if again[id].get(column) != cell}
            assert not wrong & again[id].keys(), (id, cells, again[id])
            lost += len(wrong)
        gone = losses[(losses["table"] == table) & losses["problem"].str.startswith("no property")]
        assert lost == gone["count"].sum()


def test_ids_of_one_file_are_told_apart(tmp_path):
    before = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["0", "1"], "kind": "company", "name": "N"}),
        pd.DataFrame({"id": ["1"], "source": ["0"], "target": ["1"], "kind": ["owns"]}),
        pd.DataFrame({"id": ["1"], "entity": ["0"], "type": ["order"]}),
    )
    losses = write_ftm(before, tmp_path / "a.json")
    assert losses[["table", "column", "example"]].to_numpy().tolist() == [
        ["cases", "id", "1"],
        ["relations", "id", "1"],
    ]
    after = read_ftm(tmp_path / "a.json", on_error="raise")
    assert (after.known("relations")["id"].tolist(), after.known("cases")["id"].tolist()) == (
        ["relation:1"],
        ["case:1"],
    )


def test_topics_follow_from_cases_in_force(tmp_path):
    before = rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ["a", "b"], "kind": "company", "name": "N"}),
        pd.DataFrame({"source": [], "target": [], "kind": []}),
        pd.DataFrame(
            {"entity": ["a", "a", "b", "b"], "type": ["banned", "tipoff", "order", "sanctioned"],
             "start": "2016-01-01", "end": [None, None, "2016-02-01", None]}
        ),
    ).at("2016-06-30")  # fmt: skip
    write_ftm(before, tmp_path / "a.json")
    lines = [json.loads(line) for line in (tmp_path / "a.json").read_text(encoding="utf-8").splitlines()]
    # an order that has ended makes no topic; a penalty is no entry of a sanctions list
    assert [line["properties"].get("topics") for line in lines[:2]] == [["debarment"], ["reg.action"]]
    assert "sanction" not in CASE_TOPICS.values()
    # the objects and the topics together make each case once
    again = read_ftm(tmp_path / "a.json").known("cases")
    assert again["type"].tolist() == ["banned", "tipoff", "order", "sanctioned"]


def test_every_relation_kind_is_written_with_its_direction():
    assert {edge.kind for edge in EDGES.values()} - set(RELATION_KINDS) == set()
    assert set(SCHEMATA) == set(ENTITY_KINDS)
    assert {"kin", "same_as", "cooperates"} <= SYMMETRIC_KINDS
    # FollowTheMoney draws a debt from the debtor to the creditor; a relation reads: the creditor lends
    assert (EDGES["Debt"].source, EDGES["Debt"].target) == ("creditor", "debtor")


def test_the_reference_library_takes_every_object(tmp_path):
    followthemoney = pytest.importorskip("followthemoney", reason="followthemoney is not installed; pip install it")
    write_ftm(rg.datasets.load_county().graph, tmp_path / "county.ftm.json")
    names = set()
    with open(tmp_path / "county.ftm.json", encoding="utf-8") as stream:
        for line in stream:
            data = json.loads(line)
            entity = followthemoney.model.get_proxy(data)
            assert set(data["properties"]) <= set(entity.schema.properties), data
            # numbers, days and topics stand the library's own cleaning
            again = followthemoney.model.get_proxy(data, cleaned=False)
            assert {name for name in data["properties"] if not again.get(name)} == set(), data
            names.add(entity.schema.name)
    assert {"Company", "Person", "Security", "Ownership", "Directorship", "UnknownLink", "Risk"} <= names
