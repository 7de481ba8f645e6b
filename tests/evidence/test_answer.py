"""The same data give the same bytes: on two runs, in any order, under any hash seed, out of a file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph.evidence import QUESTIONS, answer, canonical, fingerprint
from riskgraph.readers import read_tables, write_tables

from ._worlds import ASKED, shuffled, tables, world


def test_every_question_is_asked():
    assert set(ASKED) == set(QUESTIONS)


@pytest.fixture(scope="module")
def texts():
    graph = world()
    return {name: answer(graph, name, **parameters).text() for name, parameters in ASKED.items()}


def test_answers_have_rows(texts):
    empty = {name for name, text in texts.items() if not json.loads(text)["rows"]}
    assert empty <= {"verify_declared"}


@pytest.mark.parametrize("seed", range(3))
def test_every_answer_in_another_order_of_rows_has_the_same_bytes(texts, seed):
    graph = rg.EntityGraph.from_tables(**shuffled(tables(), seed))
    before, after = world().known("relations"), graph.known("relations")
    assert after["id"].tolist() == before["id"].tolist()  # numbered anew, on other rows
    assert after["source"].tolist() != before["source"].tolist()
    other = {name: answer(graph, name, **parameters).text() for name, parameters in ASKED.items()}
    assert [name for name in ASKED if other[name] != texts[name]] == []


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=8, deadline=None)
def test_order_never_matters(texts, seed):
    graph = rg.EntityGraph.from_tables(**shuffled(tables(), seed))
    for name in ("integrated_ownership", "cascade", "look_through", "screen"):
        assert answer(graph, name, **ASKED[name]).text() == texts[name]


def test_the_answers_name_the_rows_they_rest_on(texts):
    ids = set(canonical(world()).known("relations")["id"]) | set(canonical(world()).known("facts")["id"])
    rows = json.loads(texts["explain_control"])
    cited = {row[rows["columns"].index("id")] for row in rows["rows"]}
    assert cited
    assert cited <= ids


def test_bytes_out_of_files(texts, tmp_path):
    for format in ("csv", "parquet"):
        graph = read_tables(write_tables(world(), tmp_path / format, format=format))
        assert fingerprint(graph) == fingerprint(world())
        for name in ("control", "cascade", "screen", "nesting"):
            assert answer(graph, name, **ASKED[name]).text() == texts[name]


_SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from _worlds import ASKED, shuffled, tables
import hashlib
import riskgraph as rg
from riskgraph.evidence import answer
graph = rg.EntityGraph.from_tables(**shuffled(tables(), int(sys.argv[2])))
for name, parameters in ASKED.items():
    print(name, hashlib.sha256(answer(graph, name, **parameters).text().encode()).hexdigest())
"""


def test_bytes_under_another_hash_seed(texts):
    import hashlib

    expected = "".join(f"{name} {hashlib.sha256(text.encode()).hexdigest()}\n" for name, text in texts.items())
    run = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(Path(__file__).parent), "1"],
        env={
            "PYTHONHASHSEED": "1",
            "PYTHONPATH": str(Path(rg.__file__).parents[1]),
            "PATH": "",
            "TZ": "Asia/Kathmandu",
            "LC_ALL": "C",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == expected


def test_the_county_in_another_order():
    graph = rg.datasets.load_county().graph
    other = rg.EntityGraph.from_tables(**shuffled(graph.tables(), 11))
    for name in ("integrated_ownership", "ultimate_controllers", "cascade", "pagerank", "look_through", "nesting"):
        assert answer(graph, name).text() == answer(other, name).text(), name
    for name in ("screen", "triage", "assign"):
        assert answer(graph.at("2016-12-31"), name).text() == answer(other.at("2016-12-31"), name).text(), name


def test_the_fingerprint_sees_every_change():
    frames = tables()
    base = fingerprint(world())
    for name, frame in frames.items():
        for column in frame:
            rows = frame[column].dropna().index
            if column in ("id", "kind", "type", "fact", "source", "target", "entity", "sector", "source_ref"):
                continue
            changed = {**frames, name: frame.astype(object)}
            old = changed[name].loc[rows[-1], column]
            new = old / 2 + 0.001 if isinstance(old, (int, float)) and not isinstance(old, bool) else _other(old)
            changed[name].loc[rows[-1], column] = new
            found = fingerprint(rg.EntityGraph.from_tables(**changed))
            differ = [table for table in base["tables"] if base["tables"][table] != found["tables"][table]]
            assert differ == [name], (name, column)
            pair = base["tables"][name]["columns"], found["tables"][name]["columns"]
            wrong = {key for key in {*pair[0], *pair[1]} if pair[0].get(key) != pair[1].get(key)}
            assert wrong <= {column, "share_min", "share_max", "votes_min", "votes_max"}, (name, column)
            assert wrong


def _other(old):
    text = str(old)
    return "2012-12-12" if text[:4].isdigit() and "-" in text else f"{text}x" if old is not True else False


def test_cells_that_change_places_are_seen():
    frames = tables()
    swapped = frames["relations"].copy()
    swapped.loc[[0, 1], "share"] = swapped.loc[[1, 0], "share"].to_numpy()
    base, found = fingerprint(world()), fingerprint(rg.EntityGraph.from_tables(**{**frames, "relations": swapped}))
    assert base["tables"]["relations"]["columns"] == found["tables"]["relations"]["columns"]
    assert base["tables"]["relations"]["sha256"] != found["tables"]["relations"]["sha256"]
    assert base["sha256"] != found["sha256"]


def test_equal_rows_count_and_have_ids_of_their_own():
    graph = canonical(world())
    ids = graph.known("relations")["id"]
    assert ids.is_unique
    assert sum(id.endswith("-2") for id in ids) == 1  # Bob bought twice for the same money
    assert fingerprint(graph) == fingerprint(world())
    assert canonical(graph).equals(graph)


def test_ids_of_their_own_stay():
    frames = tables()
    frames["relations"].insert(0, "id", [f"deal {row}" for row in range(len(frames["relations"]))])
    graph = rg.EntityGraph.from_tables(**frames)
    assert set(canonical(graph).known("relations")["id"]) == set(frames["relations"]["id"])
    assert fingerprint(graph)["tables"]["relations"]["sha256"] != fingerprint(world())["tables"]["relations"]["sha256"]


def test_what_becomes_known_later_does_not_change_an_older_answer():
    frames = tables()
    early = rg.EntityGraph.from_tables(**frames).at("2016-06-30", known="2016-06-30")
    late = pd.DataFrame(
        {"source": ["bob"], "target": ["c3"], "kind": ["owns"], "share": [0.2], "known_from": ["2016-08-01"]}
    )
    grown = {**frames, "relations": pd.concat([frames["relations"], late], ignore_index=True)}
    later = rg.EntityGraph.from_tables(**grown).at("2016-06-30", known="2016-06-30")
    assert answer(early, "integrated_ownership").text() == answer(later, "integrated_ownership").text()
    assert fingerprint(rg.EntityGraph.from_tables(**grown)) != fingerprint(world())


def test_the_manifest():
    graph = world().at("2016-06-30", known="2016-07-01")
    manifest = answer(graph, "screen", lang="en").manifest
    assert manifest["dates"] == {"valid_on": "2016-06-30", "known_by": "2016-07-01"}
    assert manifest["catalogue"]["name"] == "jiangsu-2016"
    assert manifest["parameters"] == {"lang": "en"}
    assert {"python", "numpy", "scipy", "pandas", "riskgraph", "riskgraph code"} <= set(manifest["versions"])
    assert manifest["data"]["tables"]["relations"]["rows"] == len(graph.known("relations"))
    assert not [key for key in json.dumps(manifest) if key == "time"]
    stricter = rg.supervision.Catalogue.load().with_parameters(**{"ASSIGN-UNLICENSED-FEATURED": {"tau": 0.8}})
    other = answer(graph, "screen", lang="en", catalogue=stricter).manifest
    assert other["catalogue"]["sha256"] != manifest["catalogue"]["sha256"]
    assert answer(graph, "control").manifest["catalogue"] is None


def test_numbers_have_twelve_digits():
    frames = tables()
    frames["relations"].loc[0, "share"] = 1 / 3
    rows = json.loads(answer(rg.EntityGraph.from_tables(**frames), "integrated_ownership", owners=["ann"]).text())[
        "rows"
    ]
    assert 0.333333333333 in rows[0]


@pytest.mark.parametrize(
    ("question", "parameters", "message"),
    [
        ("guilt", {}, "'question' must be one of integrated_ownership, control"),
        ("control", {"treshold": 0.5}, "'control' cannot be asked so: got an unexpected keyword argument 'treshold'"),
        ("voting_power", {}, "'voting_power' cannot be asked so: missing a required argument: 'company'"),
        ("dossier", {}, "'dossier' cannot be asked so: missing a required argument: 'entity'"),
        ("nesting", {"weigts": {}}, "'nesting' cannot be asked so: got an unexpected keyword argument 'weigts'"),
        ("cascade", {"dampin": 1}, "RiskCascade has no parameter 'dampin'"),
        ("cascade", {"transmission": {("owns", "forward"): 1.0}}, "'transmission' must be what JSON can hold"),
        ("cascade", {"seeds": {"c1": float("nan")}}, "'seeds' must be what JSON can hold"),
        ("cascade", {"estimate": "monte_carlo"}, "'random_state' must be a whole number"),
    ],
)
def test_refusals(question, parameters, message):
    with pytest.raises(rg.InvalidParameter, match=message.replace("(", r"\(")):
        answer(world(), question, **parameters)


def test_a_sample_is_drawn_again():
    asked = {"estimate": "monte_carlo", "random_state": 5, "n_samples": 200}
    one, two = (answer(rg.EntityGraph.from_tables(**shuffled(tables(), seed)), "cascade", **asked) for seed in (1, 2))
    assert one.text() == two.text()
