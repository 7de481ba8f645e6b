"""A saved answer computed again: the same, or the part that is another is named."""

from __future__ import annotations

import json

import pytest

import riskgraph as rg
from riskgraph.evidence import answer, verify
from riskgraph.readers import read_tables, write_tables

from ._worlds import ASKED, shuffled, tables, world


@pytest.fixture
def saved(tmp_path):
    return answer(world(), "integrated_ownership").save(tmp_path / "result.json")


@pytest.mark.parametrize("question", sorted(ASKED))
def test_the_same(question, tmp_path):
    file = answer(world(), question, **ASKED[question]).save(tmp_path / "result.json")
    found = verify(file, rg.EntityGraph.from_tables(**shuffled(tables(), 3)))
    assert found.differences.empty, found
    assert found.same
    assert repr(found) == f"{question}: the same"


def test_against_a_folder_with_its_files(tmp_path):
    folder = write_tables(world(), tmp_path / "data")
    graph = read_tables(folder)
    file = answer(graph, "cascade", source=folder).save(tmp_path / "result.json")
    assert verify(file, folder).differences.empty
    # the same rows in another order are other files with the same data
    lines = (folder / "relations.csv").read_text("utf-8").splitlines()
    (folder / "relations.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n", "utf-8")
    found = verify(file, folder)
    assert found.same
    assert found.differences[["part", "what"]].to_numpy().tolist() == [["files", "relations.csv"]]


def test_other_data_with_another_result(saved):
    frames = tables()
    frames["relations"].loc[0, "share"] = 0.55
    found = verify(saved, rg.EntityGraph.from_tables(**frames))
    assert not found.same
    assert not found
    parts = found.differences.groupby("part")["what"].apply(list)
    assert parts["data"] == ["relations.share_max", "relations.share_min"] + [
        name for name in parts["data"] if "votes" in name
    ]
    assert "row ann, c1" in parts["result"]
    assert "row bob, c1" not in parts["result"]
    row = found.differences[found.differences["what"] == "row ann, c1"].iloc[0]
    assert "0.6" in row["saved"]
    assert "0.55" in row["now"]


def test_other_data_with_the_same_result(saved):
    frames = tables()
    frames["entities"].loc[0, "scope"] = "something else"
    found = verify(saved, rg.EntityGraph.from_tables(**frames))
    assert found.differences[["part", "what"]].to_numpy().tolist() == [["data", "entities.scope"]]
    assert not found.same


def test_other_rows(saved):
    frames = tables()
    found = verify(saved, rg.EntityGraph.from_tables(**{**frames, "facts": frames["facts"].iloc[1:]}))
    assert found.differences[["what", "saved", "now"]].to_numpy().tolist() == [["facts, rows", 20, 19]]


def test_a_row_changed_by_hand(saved):
    whole = json.loads(saved.read_text("utf-8"))
    row = next(row for row in whole["rows"] if row[:2] == ["ann", "c1"])
    row[-1] = 0.99
    saved.write_text(json.dumps(whole), "utf-8")
    found = verify(saved, world())
    assert set(found.differences["part"]) == {"file", "result"}
    assert "row ann, c1" in found.differences["what"].tolist()
    assert not found.same


def test_rounding_is_told_from_another_result(saved):
    whole = json.loads(saved.read_text("utf-8"))
    row = next(row for row in whole["rows"] if row[:2] == ["ann", "c1"])
    row[-1] = row[-1] * (1 + 1e-11)
    from riskgraph.evidence._cells import digest_rows

    whole["manifest"]["result"]["sha256"] = digest_rows(whole["columns"], whole["rows"])
    saved.write_text(json.dumps(whole), "utf-8")
    found = verify(saved, world())
    assert found.differences["part"].tolist() == ["rounding"]
    assert found.same


def test_other_versions_are_told(saved):
    whole = json.loads(saved.read_text("utf-8"))
    whole["manifest"]["versions"]["numpy"] = "1.0"
    saved.write_text(json.dumps(whole), "utf-8")
    found = verify(saved, world())
    assert found.same
    assert found.differences.iloc[0][["part", "what", "saved"]].tolist() == ["versions", "numpy", "1.0"]


def test_another_catalogue_is_told(tmp_path):
    stricter = rg.supervision.Catalogue.load().with_parameters(**{"ASSIGN-UNLICENSED-FEATURED": {"tau": 0.8}})
    file = answer(world(), "screen", catalogue=stricter).save(tmp_path / "result.json")
    assert verify(file, world(), catalogue=stricter).same
    found = verify(file, world())
    assert found.differences["part"].unique().tolist() == ["catalogue"]
    assert not found.same


def test_a_catalogue_of_ones_own_must_be_given(tmp_path):
    file = answer(world(), "screen").save(tmp_path / "result.json")
    for name in ("../../etc", "mine", "/etc"):
        whole = json.loads(file.read_text("utf-8"))
        whole["manifest"]["catalogue"]["name"] = name
        file.write_text(json.dumps(whole), "utf-8")
        with pytest.raises(rg.InvalidParameter, match="'catalogue' must be given: the answer used one named"):
            verify(file, world())


def test_a_manifest_without_a_hash_is_none(saved):
    whole = json.loads(saved.read_text("utf-8"))
    del whole["manifest"]["data"]["tables"]["relations"]["sha256"]
    saved.write_text(json.dumps(whole), "utf-8")
    with pytest.raises(rg.InvalidTable, match=r"result\.json is no answer that riskgraph saved \(KeyError\)"):
        verify(saved, world())


@pytest.mark.parametrize("name", ["source", "catalogue", "graph", "question"])
def test_a_file_does_not_choose_what_is_read(saved, name):
    whole = json.loads(saved.read_text("utf-8"))
    whole["manifest"]["parameters"][name] = "/"
    saved.write_text(json.dumps(whole), "utf-8")
    with pytest.raises(rg.InvalidTable, match=r"result\.json is no answer that this riskgraph can compute again"):
        verify(saved, world())


def test_the_day_of_the_answer_counts(tmp_path):
    graph = world()
    file = answer(graph.at("2015-06-30"), "cascade", seeds=["bob"]).save(tmp_path / "result.json")
    assert verify(file, graph).same
    assert verify(file, graph.at("2016-06-30")).same


def test_an_entity_that_is_gone(tmp_path):
    file = answer(world(), "dossier", entity="c1").save(tmp_path / "result.json")
    with pytest.raises(rg.UnknownEntity, match="c1"):
        verify(file, rg.datasets.toy_chain())


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "null", "[" * 100_000, '{"manifest": 1}', '{"manifest": {}, "columns": [], "rows": []}',
        '{"manifest": {"format": "riskgraph answer", "version": 2}, "columns": [], "rows": []}', "\ud800", "{]",
    ],
)  # fmt: skip
def test_what_is_no_answer(tmp_path, text):
    file = tmp_path / "result.json"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(rg.InvalidTable, match=r"result\.json is no answer that"):
        verify(file, world())


def test_a_file_that_is_missing_or_too_large(tmp_path, monkeypatch, saved):
    with pytest.raises(rg.InvalidTable, match=r"none\.json cannot be read: No such file"):
        verify(tmp_path / "none.json", world())
    from importlib import import_module

    monkeypatch.setattr(import_module("riskgraph.evidence.verify"), "MAX_BYTES", 100)
    with pytest.raises(rg.InvalidTable, match=r"result\.json has [\d,]+ bytes, more than 100"):
        verify(saved, world())


def test_source_must_be_there(tmp_path):
    with pytest.raises(rg.InvalidParameter, match="'source' must be the file or folder"):
        answer(world(), "control", source=tmp_path / "none")
