"""Hostile input: code in data never runs, bombs are refused by name, nothing outside the given folder is read."""

from __future__ import annotations

import ast
import contextlib
import gzip
import hashlib
import io
import json
import os
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import riskgraph as rg
from riskgraph import readers
from riskgraph.cli import main
from riskgraph.evidence import answer
from riskgraph.supervision import Catalogue

from ._targets import targets
from .fuzz import fuzz

PACKAGE = Path(rg.__file__).parent
TARGETS = targets()

# -- what the code does not use ----------------------------------------------------------------------------------------

FORBIDDEN_MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "subprocess",
    "pty",
    "code",
}
FORBIDDEN_NAMES = {"eval", "exec", "compile", "__import__", "breakpoint"}
FORBIDDEN_CALLS = {
    "system",
    "popen",
    "spawn",
    "execv",
    "unsafe_load",
    "full_load",
    "read_pickle",
    "to_pickle",
    "mktemp",
}


def dangerous(text: str) -> list[str]:
    """Calls and imports of a module's source by which data could become code."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            found += [f"import {name}" for name in names if name.split(".")[0] in FORBIDDEN_MODULES]
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_NAMES:
            found.append(node.func.id)
        if isinstance(node.func, ast.Attribute):
            name, holder = node.func.attr, getattr(node.func.value, "id", "")
            if name in FORBIDDEN_CALLS:
                found.append(name)
            if (holder, name) == ("yaml", "load") and not any(
                keyword.arg == "Loader" and getattr(keyword.value, "id", "") == "_Loader" for keyword in node.keywords
            ):
                found.append("yaml.load")
        found += ["shell=True" for word in node.keywords if word.arg == "shell" and getattr(word.value, "value", 0)]
        found += ["allow_pickle" for word in node.keywords if word.arg == "allow_pickle"]
    return found


def test_no_data_becomes_code():
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 200
    assert {path.name: found for path in files if (found := dangerous(path.read_text("utf-8")))} == {}
    from riskgraph.supervision._schema import _Loader

    assert issubclass(_Loader, yaml.SafeLoader)


@pytest.mark.parametrize(
    "line",
    [
        "eval('1')", "exec(x)", "import pickle", "from joblib import load", "os.system('ls')", "run(x, shell=True)",
        "yaml.load(x, Loader=yaml.Loader)", "yaml.load(x)", "yaml.unsafe_load(x)", "np.load(x, allow_pickle=True)",
    ],
)  # fmt: skip
def test_the_search_finds_what_it_looks_for(line):
    assert len(dangerous(line)) == 1


# -- fuzzing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_changed_input_is_answered_or_refused(name):
    """A short blind run; ``fuzz.py`` as a script is guided by coverage and goes on for longer."""
    result = fuzz(name, TARGETS[name], 15, seed=7, guided=False)
    assert result.crashes == {}
    assert result.refused < result.inputs


def test_the_fuzzer_sees_a_crash_and_keeps_what_is_new():
    broken = TARGETS["values"]._replace(feed=lambda data, folder: data.decode("ascii"))
    assert len(fuzz("broken", broken, 3, seed=0).crashes) == 1
    guided = fuzz("values", TARGETS["values"], 25, seed=0)
    assert guided.lines > 100
    assert guided.kept > 1


WORDS = st.sampled_from(
    [
        "check", "propagate", "ownership", "nesting", "screen", "dossier", "score", "answer", "verify", "--at",
        "--known",
        "--known", "--columns", "--top", "--method", "--seed", "--seed-cases", "--company", "--controllers", "--lang",
        "--catalogue", "2016-01-01", "A", "=", "a=b=c", "-1", "zh", "cascade", "banned", "DATA", "../..",
        "'; DROP TABLE x", "刘",
    ]
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# no system hands a zero byte to a process
@given(words=st.lists(WORDS | st.text(st.characters(exclude_characters="\0"), max_size=5), max_size=6))
def test_the_command_line_ends_in_a_sentence(small, words):
    result = CliRunner().invoke(main, [str(small) if word == "DATA" else word for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (0, 1, 2, 3)


@pytest.fixture
def small(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "entities.csv").write_text("id,kind,name\nA,company,Mine\nB,person,Ann\n", "utf-8")
    (folder / "relations.csv").write_text("source,target,kind,share\nB,A,owns,0.6\n", "utf-8")
    return folder


# -- bombs and limits --------------------------------------------------------------------------------------------------


def test_a_packed_bomb_is_refused(tmp_path, monkeypatch):
    from riskgraph.readers import _files

    monkeypatch.setattr(_files, "MAX_TEXT_BYTES", 1 << 20)
    with gzip.open(tmp_path / "entities.csv.gz", "wb") as stream:
        for _ in range(64):
            stream.write(b"0" * (1 << 20))
    assert (tmp_path / "entities.csv.gz").stat().st_size < 1 << 20
    with pytest.raises(rg.InvalidTable, match=r"entities\.csv\.gz has more than 1,048,576 bytes"):
        readers.read_tables(tmp_path)


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    from riskgraph.readers import _files

    monkeypatch.setattr(_files, "MAX_TEXT_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "entities.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (8 << 20))
    with pytest.raises(rg.InvalidTable, match=r"entities\.xlsx unpacks to 8,388,608 bytes, more than 1,048,576"):
        readers.read_tables(tmp_path)


@pytest.mark.parametrize("name", ["read_ftm", "read_bods", "read_psc"])
@pytest.mark.parametrize("deep", ["[" * 200_000, '{"a":' * 200_000])
def test_deep_json_is_refused(tmp_path, name, deep):
    (tmp_path / "data.json").write_text(deep, "utf-8")
    with pytest.raises(rg.InvalidTable, match=r"data\.json"):
        getattr(readers, name)(tmp_path)


def test_entities_of_xml_do_not_multiply(tmp_path):
    levels = "".join(f'<!ENTITY e{spot} "{f"&e{spot - 1};" * 10}">' for spot in range(1, 10))
    text = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "lol">{levels}]><LEIData><a>&e9;</a></LEIData>'
    (tmp_path / "lei2.xml").write_text(text, "utf-8")
    with pytest.raises(rg.InvalidTable, match=r"lei2\.xml"):
        readers.read_gleif(tmp_path / "lei2.xml")


def test_entities_of_xml_do_not_read_files(tmp_path):
    (tmp_path / "secret.txt").write_text("the secret", "utf-8")
    text = (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file://{tmp_path}/secret.txt">]>'
        "<lei:LEIData><lei:LEIRecords><lei:LEIRecord><lei:LEI>213800AAAAAAAAAAAA11</lei:LEI>"
        "<lei:Entity><lei:LegalName>&e;</lei:LegalName></lei:Entity></lei:LEIRecord></lei:LEIRecords></lei:LEIData>"
    ).replace("lei:", "")
    (tmp_path / "lei2.xml").write_text(text, "utf-8")
    try:
        graph = readers.read_gleif(tmp_path / "lei2.xml")
    except rg.InvalidTable as error:
        assert "the secret" not in str(error)  # noqa: PT017
    else:
        assert "the secret" not in graph.known("entities").to_string()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!!python/object/apply:os.system [echo]", "cannot be read as YAML"),
        ("a: [", "cannot be read as YAML"),
        ("[" * 5_000, "all.yaml cannot be read as YAML"),
        ("? [a]\n: b", "all.yaml cannot be read as YAML"),
        ("due: 2016-02-30", "all.yaml cannot be read as YAML"),
        ("#" * 10_000_001, "all.yaml has 10,000,001 bytes"),
        ("rules: 5", "section 'rules' must be a dict"),
    ],
)
def test_a_hostile_catalogue_is_refused(tmp_path, text, message):
    (tmp_path / "all.yaml").write_text(text, "utf-8")
    with pytest.raises(rg.InvalidTable, match=message):
        Catalogue.load(tmp_path)


# -- paths -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def outside(tmp_path):
    """A folder, and beside it a table that it must not lead to."""
    secret = tmp_path / "secret.csv"
    secret.write_text("id,kind,name\nS,company,the secret\n", "utf-8")
    return secret


def test_links_out_of_the_folder_are_not_followed(small, outside):
    for name in ("facts.csv", "cases.csv"):
        (small / name).symlink_to(outside)
    graph = readers.read_tables(small)
    assert "the secret" not in everything(graph)
    assert graph.quality["problem"].str.contains("leads out of the folder").sum() == 2


@pytest.mark.parametrize("name", ["../secret.csv", "{absolute}", "sub/../../secret.csv"])
def test_a_manifest_does_not_lead_out_of_the_folder(small, outside, name):
    folder = readers.write_tables(readers.read_tables(small), small.parent / "written")
    file = folder / "tables.json"
    about = json.loads(file.read_text("utf-8"))
    about["tables"]["entities"]["file"] = name.replace("{absolute}", str(outside))
    file.write_text(json.dumps(about), "utf-8")
    try:
        shown = everything(readers.read_tables(folder))
    except rg.InvalidTable as error:
        shown = str(error)
    assert "the secret" not in shown
    readers.write_tables(readers.read_tables(small), folder, format="parquet")
    assert outside.exists()


def test_a_manifest_does_not_have_files_outside_hashed(small, outside):
    folder = readers.write_tables(readers.read_tables(small), small.parent / "written")
    (folder / "link.csv").symlink_to(outside)
    right = hashlib.sha256(outside.read_bytes()).hexdigest()
    file = folder / "tables.json"
    names = ["../secret.csv", str(outside), "link.csv"]
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), "beside": dict.fromkeys(names, right)}), "utf-8")
    found = readers.read_tables(folder).quality
    assert set(names) <= set(found.loc[found["problem"].str.contains("not the file of this writing"), "row"])


def everything(graph):
    frames = [*graph.tables().values(), graph.quality, *graph.rejected.values()]
    return "\n".join(frame.to_string() for frame in frames)


def test_an_archive_does_not_lead_out_of_the_folder(tmp_path):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("../escaped.csv", "LEI,Entity.LegalName\n213800AAAAAAAAAAAA11,x\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "lei2.csv.zip").write_bytes(data.getvalue())
    with contextlib.suppress(rg.RiskGraphError):
        readers.read_gleif(inner)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["inner", "lei2.csv.zip"]


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_folder_with_quotes_in_its_name_is_a_folder(small, tmp_path, format):
    graph = readers.read_tables(small)
    place = tmp_path / "it's; COPY (SELECT 1) TO 'x' --" / "*[a]"
    again = readers.read_tables(readers.write_tables(graph, place, format=format))
    assert again.equals(graph)
    assert sorted(os.listdir(tmp_path)) == sorted(["data", "it's; COPY (SELECT 1) TO 'x' --"])


# -- pages -------------------------------------------------------------------------------------------------------------

HOSTILE = [
    '</script><img src=x onerror="alert(1)">',
    "'><svg onload=alert(2)>",
    "<!--",
    "{{7*7}}",
    "&lt;b&gt;\u202e",
    "=cmd|1",
]


def hostile_graph():
    ids = [f"c{spot}" for spot in range(len(HOSTILE))]
    return rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ids, "kind": "company", "name": HOSTILE, "scope": HOSTILE}),
        pd.DataFrame({"source": ids[:-1], "target": ids[1:], "kind": "owns", "share": 0.6, "source_ref": HOSTILE[:-1]}),
        pd.DataFrame({"entity": ids[:1], "type": ["banned"], "authority": HOSTILE[:1], "topic": HOSTILE[:1]}),
        facts=pd.DataFrame({"entity": ids[:1], "fact": ["ad_text"], "value": HOSTILE[:1]}),
    )


def test_pages_show_hostile_names_as_text(tmp_path):
    graph = hostile_graph()
    made = {
        "page": rg.report.page(graph, tmp_path / "p.html").read_text("utf-8"),
        "dossier": rg.supervision.dossier(graph, "c0", Catalogue.load()).to_html(),
        "table": rg.report.write_table(graph.entities, tmp_path / "t.html").read_text("utf-8"),
        "answer": answer(graph, "control")._repr_html_() + answer(graph, "screen")._repr_html_(),
        "card": graph._repr_html_(),
    }
    assert "onerror" in made["page"]
    assert "onerror" in made["dossier"]
    assert "onerror" in made["table"]
    for where, text in made.items():
        for tag in ("<img", "<svg onload"):
            assert tag not in text.lower(), where
        assert text.lower().count("<script") == text.lower().count("</script"), where
