"""The format is recognised from the content."""

from __future__ import annotations

import logging

import pytest

import riskgraph as rg
from riskgraph.readers import detect, read
from riskgraph.readers.detect import FORMATS

TABLES = {"x.csv": "source,target,kind\nA,B,owns\n"}
REGISTRY = {"x.csv": "企业名称,法定代表人\n甲有限公司,刘某\n"}
TREE = {"x.csv": "eid,name,percent,parent_id,level\nq1,甲有限公司,,,0\n"}


@pytest.mark.parametrize(
    ("files", "encoding", "name"),
    [
        (TABLES, "utf-8", "tables"),
        ({"企业.csv": "编号,类型\nA,公司\n"}, "gbk", "tables"),
        (REGISTRY, "gbk", "registry_cn"),
        (REGISTRY, "utf-16", "registry_cn"),
        (TREE, "utf-8", "registry_cn"),
    ],
)
def test_formats(folder, files, encoding, name, caplog):
    place = folder(files, encoding)
    assert detect(place) == name
    with caplog.at_level(logging.INFO, logger="riskgraph"):
        graph = rg.read(place)
    assert len(graph) > 0
    assert f"read as {name}" in caplog.text


PSC = '{"company_number": "1", "data": {"kind": "persons-with-significant-control-statement"}}\n'


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Type,ID,Name/Address,CountryCode", "icij"),
        ("name,icij_id,valid_until,country_codes,countries,node_id,sourceID,note", "icij"),
        ("node_id,name,jurisdiction,sourceID", "icij"),
        ("id,kind,name", "tables"),
        ("id,type,name", "tables"),
    ],
)
def test_nodes_of_the_leaks_alone_are_no_table_of_ours(folder, header, name):
    place = folder({"nodes.csv": f"{header}\n"})
    assert detect(place / "nodes.csv") == name
    if name == "icij":
        with pytest.raises(rg.InvalidTable, match=r"needs a table of nodes .* and one of relationships"):
            read(place)


def test_json_is_told_by_its_beginning_whatever_it_is_called(folder):
    place = folder(
        {"persons-with-significant-control-snapshot.txt": PSC * 2, "readme.txt": "The register.\nSee above.\n"}
    )
    assert detect(place) == "psc"
    assert len(read(place)) == 1


def test_a_format_that_is_given_is_not_looked_for(folder):
    place = folder(TABLES)
    assert len(read(place, format="tables")) == 2
    with pytest.raises(rg.InvalidParameter, match="'format' must be one of"):
        read(place, format="xbrl")


def test_columns_help_to_recognise(folder):
    place = folder({"x.csv": "von,nach,was\nA,B,owns\n"})
    with pytest.raises(rg.InvalidTable, match=r"the format of .* is not known: found x.csv with von, nach, was"):
        detect(place)
    assert len(read(place, columns={"von": "source", "nach": "target", "was": "kind"})) == 2


def test_an_unknown_format_names_what_was_looked_for(folder):
    with pytest.raises(rg.InvalidTable) as caught:
        read(folder({"x.json": '{"colour": 1}'}))
    assert "found x.json with colour" in str(caught.value)
    assert all(f"{form.name}: {form.sign}" in str(caught.value) for form in FORMATS)


def test_options_reach_the_reader(folder):
    with pytest.raises(rg.InvalidTable, match=r"rows? breaks? the rules"):
        read(folder({"x.csv": "source,target,kind\nA,B,0wns\n"}), on_error="raise")
