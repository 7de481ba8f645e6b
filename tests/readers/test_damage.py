"""Damaged files: every good row stays, every bad one is accounted for, none swallows its neighbours."""

from __future__ import annotations

import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.readers import read_tables
from riskgraph.readers._delimited import MAX_FIELD, decode, split_rows

HEADER = "source,target,kind,share,amount,start,note"
ENTITIES = "id,kind\n" + "".join(f"f{number},company\n" for number in range(200))


@pytest.mark.parametrize("seed", range(5))
def test_one_percent_of_damage_costs_the_damaged_rows_and_no_other(folder, invented, damage, seed):
    lines = invented(3000, seed)
    clean = read_tables(folder({"entities.csv": ENTITIES, "relations.csv": "\n".join([HEADER, *lines, ""])}))
    assert clean.rejected == {}
    data, how = damage(lines, 0.01, seed)
    graph = read_tables(folder({"relations.csv": b"\n".join([HEADER.encode(), *data, b""])}))

    good = graph.known("relations")
    left = graph.rejected["relations"]
    assert len(good) + len(left) == len(lines)
    # lines are numbered from 1 with the header first
    hit = {spot + 2 for spot in how}
    assert set(left.index) <= hit
    harmless = hit - set(left.index)
    # only a stray quote that closes within its own cell or opens a cell that has quotes anyway may do no harm
    assert {how[line - 2] for line in harmless} <= {"stray quote"}
    rejected = graph.quality.query("action == 'rejected' and table == 'relations'")
    assert set(rejected["row"]) == set(left.index)
    # the rows that were not touched have the values they have in the clean file
    before = clean.known("relations")
    spared = [spot for spot in range(len(lines)) if spot not in how]
    kept = pd.Index([line - 2 for line in range(2, len(lines) + 2) if line not in set(left.index)])
    after = good[kept.isin(spared)].reset_index(drop=True).drop(columns="id")
    pd.testing.assert_frame_equal(after, before.iloc[spared].reset_index(drop=True).drop(columns="id"))


def test_on_error_raise_lists_the_lines(folder, invented, damage):
    data, how = damage(invented(500, 1), 0.02, 1)
    place = folder({"entities.csv": ENTITIES, "relations.csv": b"\n".join([HEADER.encode(), *data])})
    with pytest.raises(rg.InvalidTable, match=r"rows? break") as caught:
        read_tables(place, on_error="raise")
    assert all(f"relations row {spot + 2}," in str(caught.value) for spot, kind in how.items() if kind == "kind")


def rows_of(text, name="t.csv"):
    lines, broken, _ = decode(text.encode() if isinstance(text, str) else text, name)
    return split_rows(lines, broken, name)


def test_a_quoted_cell_may_run_over_lines():
    rows = rows_of('id,text\nA,"one\ntwo, three\n""four"""\nB,plain\n')
    assert rows.frame[1].tolist() == ['one\ntwo, three\n"four"', "plain"]
    assert rows.frame.index.tolist() == [2, 5]
    assert rows.bad == []


def test_a_quote_that_never_closes_costs_one_line():
    rows = rows_of('a,b,c\n1,"2,3\n4,5,6\n7,8,9\n')
    assert rows.frame.index.tolist() == [3, 4]
    assert [(line, problem.split(":")[0]) for line, problem, _ in rows.bad] == [
        (2, "a quote opens a cell and never closes it")
    ]


def test_two_stray_quotes_do_not_swallow_the_lines_between_them():
    between = [f"{row},x,y,z" for row in range(50)]
    rows = rows_of("\n".join(["a,b,c,d", 'L,"x,y,z', *between, 'R,x",y,z', ""]))
    assert len(rows.frame) == 50 + 1  # the second stray quote stands inside its cell and is part of it
    assert [line for line, _, _ in rows.bad] == [2]


def test_tabs_without_quoting_keep_their_quotes():
    rows = rows_of('a\tb\n"好"想你\t1\n"whole"\t2\n')
    assert rows.frame[0].tolist() == ['"好"想你', "whole"]


@pytest.mark.parametrize("mark", [",", "\t", ";", "|"])
def test_the_delimiter_is_seen(mark):
    rows = rows_of(f"a{mark}b{mark}c\n1{mark}2{mark}3\n")
    assert rows.header == ["a", "b", "c"]
    assert rows.frame.iloc[0].tolist() == ["1", "2", "3"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings(ending):
    rows = rows_of(ending.join(["a,b", "1,2", '3,"4"', ""]))
    assert rows.frame.to_numpy().tolist() == [["1", "2"], ["3", "4"]]


def test_both_ways_of_cutting_agree(invented):
    lines = [line for line in invented(400, 3) if '"' not in line]
    fast = rows_of("\n".join([HEADER, *lines]))
    slow = rows_of("\n".join([HEADER, *lines, "odd"]))
    assert [line for line, _, _ in slow.bad] == [len(lines) + 2]
    pd.testing.assert_frame_equal(fast.frame, slow.frame, check_index_type=False)


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("gb18030", "gb18030"),
        ("gbk", "gb18030"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_encodings(encoding, found):
    text = "编号,名称\n1,某某投资管理有限公司\n2,plain ascii name here\n"
    lines, broken, name = decode(text.encode(encoding), "t.csv")
    assert name == found
    assert broken == {}
    assert lines[1] == "1,某某投资管理有限公司"


def test_a_broken_byte_costs_its_line():
    data = "编号,名称\n1,甲公司\n2,乙公司\n3,丙公司\n".encode("gb18030").replace("乙".encode("gb18030"), b"\xd2,")
    rows = rows_of(data)
    assert rows.frame[1].tolist() == ["甲公司", "丙公司"]
    assert rows.bad[0][0] == 3
    assert "GB18030" in rows.bad[0][1]


def test_broken_bytes_in_a_plain_file_do_not_make_it_chinese():
    lines = [b"%d,name" % row for row in range(200)]
    for row in range(0, 200, 40):
        lines[row] = lines[row].replace(b"na", b"\xb0a")  # GB18030 would read 癮 here
    rows = rows_of(b"\n".join([b"id,name", *lines]))
    assert len(rows.frame) == 195
    assert [line for line, _, _ in rows.bad] == [row + 2 for row in range(0, 200, 40)]
    assert "UTF-8" in rows.bad[0][1]


def test_what_is_no_text_is_refused():
    with pytest.raises(rg.InvalidTable, match=r"t\.csv is not text"):
        decode(bytes(range(256)) * 4 + b"\x00" * 400, "t.csv")
    with pytest.raises(rg.InvalidTable, match="neither UTF-8, UTF-16 nor GB18030"):
        decode(b"a,b\n" + b"\xff\xff\xfe,1\n" * 20, "t.csv")
    with pytest.raises(rg.InvalidTable, match=r"t\.csv is empty"):
        rows_of("\n\n")


def test_a_cell_of_more_than_the_limit_is_refused():
    rows = rows_of(f'a,b\n1,{"x" * (MAX_FIELD + 1)}\n2,y\n3,"{"z" * (MAX_FIELD + 1)}"\n')
    assert rows.frame.index.tolist() == [3]
    assert all("a cell of more than 131,072 characters" in problem for _, problem, _ in rows.bad)


def test_lines_of_empty_cells_are_no_rows():
    assert rows_of("a,b,c\n1,2,3\n,,\n\n4,5,6\n,,\n").frame.index.tolist() == [2, 5]


def test_titles_above_the_names_and_empty_cells_beyond_them_are_told():
    rows = rows_of("企业名单（二〇一六年）\n编号,名称,,\n1,甲,,\n2,乙,,,\n")
    assert rows.header == ["编号", "名称"]
    assert rows.frame[1].tolist() == ["甲", "乙"]
    assert len(rows.notes) == 3
