"""A graph written as BODS 0.4 reads back as it was, apart from what the writer says is lost."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph.readers import read_bods, write_bods
from riskgraph.readers._bods_model import INTERESTS, REASONS, interest, meaning
from riskgraph.schema import ENTITY_KINDS, RELATION_KINDS, ROLES

QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
RECORDS = ("company", "person", "trust", "state", "unknown")
SHARES = ("share_min", "share_max", "votes_min", "votes_max")


def held(graph, table):
    """What a table holds, by id, as text, its empty cells left out; shares to the unit of exact shares, 10^-15."""
    frame = graph.known(table).drop(columns="ended", errors="ignore").sort_values("id")
    return {
        row["id"]: {
            column: f"{value:.15f}" if column in SHARES else str(value)
            for column, value in row.items()
            if not pd.isna(value)
        }
        for row in frame.to_dict("records")
    }


def compare(before, after, losses, added=()):
    """What came back is what was; what did not is a column or a row that the writer names. Returns cells lost."""
    lost = {}
    for table in ("entities", "relations", "facts"):
        rows, again = held(before, table), held(after, table)
        gone = losses[losses["table"] == table]
        assert again.keys() <= rows.keys()
        assert len(rows) - len(again) == gone[gone["column"] == "id"]["count"].sum()
        lost[table] = 0
        for id, cells in again.items():
            wrong = {column for column, cell in rows[id].items() if cells.get(column) != cell}
            assert wrong <= set(gone["column"]), (id, rows[id], cells)
            assert set(cells) - set(rows[id]) <= {"known_from", "statement", "indirect", *added}, (id, rows[id], cells)
            lost[table] += len(wrong)
    return lost


def statements(path):
    return json.loads(path.read_text(encoding="utf-8"))


def check_form(said):
    """What the standard asks of every statement, in our own words: ids, dates, references that come before."""
    assert len({statement["statementId"] for statement in said}) == len(said)
    known = {"entity": set(), "person": set(), "relationship": set()}
    for statement in said:
        assert 32 <= len(statement["statementId"]) <= 64
        assert statement["publicationDetails"]["bodsVersion"] == "0.4"
        assert pd.Timestamp(statement["statementDate"]) is not pd.NaT
        assert statement["recordStatus"] in ("new", "closed")
        details, kind = statement["recordDetails"], statement["recordType"]
        if kind == "relationship":
            assert details["subject"] in known["entity"]
            party = details["interestedParty"]
            assert party["reason"] in REASONS if isinstance(party, dict) else party in known["entity"] | known["person"]
            for one in details.get("interests", []):
                assert one["type"] in INTERESTS
                assert all(0 <= number <= 100 for number in one.get("share", {}).values())
                if "maximum" in one.get("share", {}):
                    assert one["share"].get("minimum", 0) <= one["share"]["maximum"]
        known[kind].add(statement["recordId"])


def test_the_county_comes_back_but_for_what_is_said(tmp_path):
    before = rg.datasets.load_county().graph
    losses = write_bods(before, tmp_path / "county.bods.json")
    after = read_bods(tmp_path / "county.bods.json", on_error="raise")
    compare(before, after, losses)
    check_form(statements(tmp_path / "county.bods.json"))
    entities, relations = before.known("entities"), before.known("relations")
    assert len(after) == entities["kind"].isin(RECORDS).sum()
    kinds = entities.set_index("id")["kind"]
    fit = relations["kind"].isin(["owns", "controls", "officer"]) & relations["source"].map(kinds).isin(RECORDS)
    fit &= relations["target"].map(kinds).isin([kind for kind in RECORDS if kind != "person"])
    assert sorted(after.known("relations")["id"]) == sorted(relations[fit]["id"])
    rows = before.relations.merge(after.relations, on="id", suffixes=("", "_again"))
    assert (rows["share_min"] - rows["share_min_again"]).abs().max() < 1e-15


def test_read_write_read_is_identity(tmp_path):
    held_by = {"subject": "c", "interestedParty": "p"}
    share = {"type": "shareholding", "directOrIndirect": "direct", "share": {"exclusiveMinimum": 25, "maximum": 50}}

    def one(number, record, kind, details, **more):
        common = {"statementDate": "2020-01-01", "declarationSubject": "c", "recordStatus": "new"}
        return {"statementId": f"{number:032d}", "recordId": record, "recordType": kind, "recordDetails": details,
                **common, **more}  # fmt: skip

    said = [
        one(1, "c", "entity", {
            "entityType": {"type": "registeredEntity"}, "name": "Mine Ltd", "foundingDate": "2001-02-03",
            "identifiers": [{"scheme": "GB-COH", "id": "1"}], "jurisdiction": {"name": "X", "code": "GB"}}),
        one(2, "t", "entity", {"entityType": {"type": "arrangement"}, "name": "Trust"}),
        one(3, "p", "person", {"personType": "knownPerson", "names": [{"fullName": "Ann Example"}]},
            source={"url": "https://example.org/p"}),
        one(4, "r", "relationship", {**held_by, "interests": [
            share, {"type": "votingRights", "share": {"exact": 60}}, {"type": "rightsToProfitOrIncome"}]}),
        one(5, "b", "relationship", {**held_by, "interests": [
            {"type": "boardChair", "startDate": "2019-01-01", "endDate": "2021-01-01"},
            {"type": "appointmentOfBoard"}]}),
        one(6, "u", "relationship", {
            "subject": "t", "interestedParty": {"reason": "noBeneficialOwners", "description": "D"}}),
        one(7, "u", "relationship", {"subject": "t", "interestedParty": {"reason": "unknown"}},
            recordStatus="closed", statementDate="2022-01-01"),
        one(8, "v", "relationship", {"subject": "c", "interestedParty": {"reason": "unknown"}, "interests": [
            {"type": "shareholding", "share": {"minimum": 1, "maximum": 2}}]}),
        one(9, "w", "relationship", {"subject": "c", "interestedParty": "t", "interests": [
            {"type": "shareholding", "directOrIndirect": "indirect", "share": {"exact": 100}}]}),
        one(10, "x", "relationship", {"subject": "c", "interestedParty": "t", "interests": [{"type": "shareholding"}]}),
    ]  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(said), encoding="utf-8")
    before = read_bods(tmp_path / "a.json", on_error="raise")
    assert len(before.known("relations")) == 6
    losses = write_bods(before, tmp_path / "b.json", day="2022-06-30")
    # the second relation of one statement becomes a record, and a statement, of its own
    assert losses[["table", "column", "count"]].to_numpy().tolist() == [["relations", "statement", 1]]
    after = read_bods(tmp_path / "b.json", on_error="raise")
    assert compare(before, after, losses, added=()) == {"entities": 0, "relations": 1, "facts": 0}
    check_form(statements(tmp_path / "b.json"))
    write_bods(after, tmp_path / "c.json", day="2022-06-30")
    assert (tmp_path / "c.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@st.composite
def graphs(draw):
    """Small graphs of every entity kind, with holdings, posts, rights and reasons."""
    count = draw(st.integers(2, 5))
    name = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(str.strip)
    maybe = lambda strategy, size: draw(st.lists(st.none() | strategy, min_size=size, max_size=size))  # noqa: E731
    day = st.dates(pd.Timestamp("1900-01-01").date(), pd.Timestamp("2100-01-01").date())
    kinds = draw(st.lists(st.sampled_from([*ENTITY_KINDS, "company", "company"]), min_size=count, max_size=count))
    entities = pd.DataFrame(
        {"id": [f"e{row}" for row in range(count)], "kind": kinds, "name": [draw(name).strip() for _ in kinds],
         "lei": maybe(st.just("213800AAAAAAAAAAAA11"), count), "start": maybe(day, count),
         "end": maybe(day, count), "scope": maybe(name, count)}
    )  # fmt: skip
    links = draw(st.lists(st.permutations(range(count)).map(lambda ends: ends[:2]), max_size=6))
    size = len(links)
    low = pd.Series(maybe(st.floats(0, 1), size), dtype=float)
    votes = pd.Series(maybe(st.floats(0, 1), size), dtype=float)
    roles = st.sampled_from([*ROLES, *INTERESTS, "拍板的人", "owns: 25%", "settlor;nominee"])
    kind = st.sampled_from(["owns", "owns", "controls", "officer", *RELATION_KINDS])
    relations = pd.DataFrame(
        {"id": [f"r{row}" for row in range(size)], "source": [f"e{a}" for a, _ in links],
         "target": [f"e{b}" for _, b in links], "kind": draw(st.lists(kind, min_size=size, max_size=size)),
         "share_min": low, "share_max": low + (1 - low) * draw(st.sampled_from([0, 1, 1 / 3])),
         "votes_min": votes, "votes_max": votes, "role": maybe(roles, size), "start": maybe(day, size),
         "known_from": maybe(day, size), "source_ref": maybe(st.just("https://example.org/a"), size)}
    )  # fmt: skip
    facts = pd.DataFrame(
        {"id": ["f0", "f1"], "entity": "e0", "fact": ["undisclosed_owner", "volume"],
         "value": pd.Series([draw(st.sampled_from([*REASONS, "other"])), 1.0], dtype=object), "start": maybe(day, 2)}
    )  # fmt: skip
    return rg.EntityGraph.from_tables(entities, relations, None, None, facts, on_error="quarantine")


@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
@given(before=graphs())
def test_any_graph_comes_back_but_for_what_is_said(tmp_path, before):
    losses = write_bods(before, tmp_path / "any.bods.json", day="2016-06-30")
    said = statements(tmp_path / "any.bods.json")
    check_form(said)
    if not said:
        # every entity is of a kind without a record: an empty array, which no reader takes for BODS
        assert not before.known("entities")["kind"].isin([*RECORDS]).any()
        return
    after = read_bods(tmp_path / "any.bods.json")
    assert after.rejected == {}
    compare(before, after, losses, added={"start", "description"})


@pytest.mark.parametrize("kind", ["owns", "controls", "officer"])
@pytest.mark.parametrize("role", [None, *ROLES, *INTERESTS, "拍板的人", "a\nb", "owns: x"])
@pytest.mark.parametrize("trust", [False, True])
def test_an_interest_says_kind_and_role(kind, role, trust):
    said = interest(kind, role, trust=trust)
    assert said["type"] in INTERESTS
    # the standard keeps these to trusts and to nominations, which a graph does not tell apart
    assert said["type"] not in ("nominee", "nominator")
    assert trust or said["type"] not in ("settlor", "trustee", "protector")
    assert meaning(said["type"], said.get("details")) == (kind, role)


def test_an_undated_graph_needs_a_day(tmp_path):
    with pytest.raises(rg.InvalidParameter, match="'day' must be given"):
        write_bods(rg.datasets.toy_chain(), tmp_path / "a.json")
    with pytest.raises(rg.InvalidParameter, match="'day' must be a date"):
        write_bods(rg.datasets.toy_chain(), tmp_path / "a.json", day="soon")
    assert not list(tmp_path.iterdir())


def test_the_conformance_pack_reads_as_it_says(tmp_path):
    pack = pytest.importorskip("bods_fixtures", reason="bods-v04-fixtures is not installed; pip install it")
    graphs = {}
    for name in pack.list_cases():
        fixture = pack.load(name)
        (tmp_path / "in.json").write_text(json.dumps(fixture.statements), encoding="utf-8")
        graph = read_bods(tmp_path / "in.json", on_error="raise")
        assert set(graph.known("entities")["id"]) == {
            statement["recordId"] for kind in ("entity", "person") for statement in fixture.by_record_type(kind)
        }, name
        # and comes back from the writer with nothing lost
        assert write_bods(graph, tmp_path / "out.json").empty, name
        assert compare(
            graph, read_bods(tmp_path / "out.json"), write_bods(graph, tmp_path / "out.json")
        ) == dict.fromkeys(("entities", "relations", "facts"), 0)
        assert {item["statementId"] for item in statements(tmp_path / "out.json")} == set(fixture.statement_ids)
        graphs[name] = graph
    assert set(graphs) >= {
        "core/01-direct-ownership",
        "edge-cases/10-circular-ownership",
        "edge-cases/11-anonymous-person",
    }

    direct = graphs["core/01-direct-ownership"]
    owners = rg.ownership.beneficial_owners(direct, rule="uk_psc")
    assert owners[["company", "owner", "verdict"]].to_numpy().tolist() == [
        ["rec-acme-holdings-ltd", "rec-jane-smith-1975", "yes"]
    ]
    holding = direct.relations.iloc[0]
    assert (len(direct.relations), holding["share_min"], holding["votes_min"]) == (1, 0.75, 0.75)

    # two firms that own each other: both holdings stay, nobody is reached, nothing sums to 200 %
    ring = graphs["edge-cases/10-circular-ownership"]
    assert sorted(ring.relations[["source", "target"]].to_numpy().tolist()) == sorted(
        ring.relations[["target", "source"]].to_numpy().tolist()
    )
    assert set(rg.ownership.ultimate_controllers(ring)["outcome"]) == {"ownerless_loop"}
    assert rg.ownership.integrated_ownership(ring)["share_max"].max() <= 1

    # an owner declared unknown is a fact with its reason, not a person, and not silence
    unknown = graphs["edge-cases/11-anonymous-person"]
    assert unknown.known("facts")[["entity", "fact", "value"]].to_numpy().tolist() == [
        ["rec-opaque-holdings-sa", "undisclosed_owner", "subjectUnableToConfirmOrIdentifyBeneficialOwner"]
    ]
    assert len(unknown) == 1
    assert unknown.relations.empty


def test_the_published_schema_and_checks_pass(tmp_path):
    pytest.importorskip("libcovebods", reason="libcovebods is not installed; pip install it")
    from libcovebods.data_reader import DataReader
    from libcovebods.jsonschemavalidate import JSONSchemaValidator
    from libcovebods.schema import SchemaBODS

    def problems(path):
        reader = DataReader(str(path))
        schema = SchemaBODS(reader)
        assert schema.schema_version == "0.4"
        return JSONSchemaValidator(schema).validate(reader)

    write_bods(rg.datasets.load_county().graph, tmp_path / "county.bods.json")
    assert problems(tmp_path / "county.bods.json") == []
    said = statements(tmp_path / "county.bods.json")[:3]
    said[0]["statementId"], said[1]["recordDetails"]["entityType"] = "short", {"type": "firm"}
    (tmp_path / "broken.json").write_text(json.dumps(said), encoding="utf-8")
    assert len(problems(tmp_path / "broken.json")) == 2
