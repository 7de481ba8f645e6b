"""Tables of a folder: names, headers, units, encodings, formats, and what is done with what does not fit."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.readers import _files, read_tables

ENTITIES = "id,kind,name\nA,company,甲公司\nB,company,乙公司\nP,person,刘某\n"
RELATIONS = "source,target,kind,share\nP,A,owns,0.65\nA,B,owns,0.4\n"


def pairs(graph):
    return graph.relations[["source", "target", "kind"]].to_numpy().tolist()


def test_english_tables(folder):
    graph = read_tables(folder({"entities.csv": ENTITIES, "relations.csv": RELATIONS, "README.csv": "x,y\n1,2\n"}))
    assert pairs(graph) == [["P", "A", "owns"], ["A", "B", "owns"]]
    assert graph.relations["share_min"].tolist() == [0.65, 0.4]
    assert graph.quality[["table", "row", "action"]].to_numpy().tolist() == [["files", "README.csv", "kept"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_chinese_tables_in_any_encoding(folder, encoding):
    place = folder(
        {
            "企业主体.csv": "编号,类型,名称,注册资本（万元）,成立日期\n"
            "A,企业,甲公司,600,2010年5月1日\nP,自然人,刘某,,\n",
            "关系.csv": "起点,终点,关系类型,持股比例（%）,开始日期,结束日期\nP,A,持股,0.5,2010/5/1,长期\n",
            "案件.csv": "主体编号,案件类型,开始日期,机关\nA,经营异常,20160606,市场监管局\n",
            "牌照.csv": "主体编号,牌照类型,发证机关\nA,小额贷款,地方金融局\n",
            "事实.csv": "主体编号,事实,取值\n"
            "A,capital_pool,是\nA,harm,高\nA,volume,1.2亿\nA,promised_yield,12%\nA,rectified,\n",
        },
        encoding,
    )
    graph = read_tables(place)
    assert graph.entities["capital"].tolist()[0] == 6e6
    assert graph.entities["kind"].tolist() == ["company", "person"]
    relation = graph.relations.iloc[0]
    assert (relation["kind"], relation["share_min"], str(relation["start"])[:10]) == ("owns", 0.005, "2010-05-01")
    assert pd.isna(relation["end"])
    assert graph.cases[["entity", "type"]].to_numpy().tolist() == [["A", "abnormal"]]
    assert graph.licences["sector"].tolist() == ["microloan"]
    assert graph.facts["value"].tolist() == [True, "high", 1.2e8, 0.12, "unknown"]
    assert graph.rejected == {}


def test_share_intervals_and_their_report(folder):
    graph = read_tables(
        folder({"entities.csv": ENTITIES, "relations.csv": "source,target,kind,share\nP,A,owns,25-50%\nA,B,owns,65\n"})
    )
    assert graph.relations[["share_min", "share_max"]].to_numpy().tolist() == [[0.25, 0.5], [0.65, 0.65]]
    assert graph.quality["problem"].tolist() == [
        "bare numbers were read as percentages, 65 being 0.65 (the cells with a percent sign speak for themselves)"
    ]
    with_unit = read_tables(graph_folder(folder, "0.5"), share_unit="percent")
    assert with_unit.relations["share_min"].tolist() == [0.005]


def graph_folder(folder, share):
    return folder({"entities.csv": ENTITIES, "relations.csv": f"source,target,kind,share\nP,A,owns,{share}\n"})


@pytest.mark.parametrize(
    ("table", "line", "column", "text"),
    [
        ("relations", "P,A,owns,much,1,2016-01-01", "share", "'much' cannot be read; write a share as 65%"),
        ("relations", "P,A,owns,0.1,a lot,2016-01-01", "amount", "'a lot' cannot be read; write money as 6000000"),
        ("relations", "P,A,owns,0.1,1,2016-02-30", "start", "'2016-02-30' cannot be read; write a date as 2016-06-30"),
        ("relations", "P,Z,owns,0.1,1,2016-01-01", "target", "'Z' is not an id of entities"),
        ("relations", "P,A,0wns,0.1,1,2016-01-01", "kind", "'0wns' is not a valid kind"),
        ("relations", "P,A,owns,0.1", "line", "4 cells where the header names 6 columns"),
    ],
)
def test_every_bad_row_names_its_line_and_what_would_be_valid(folder, table, line, column, text):
    place = folder(
        {
            "entities.csv": ENTITIES,
            "relations.csv": "source,target,kind,share,amount,start\n"
            f"P,A,owns,0.6,1,2015-01-01\n{line}\nA,B,owns,1,1,\n",
        }
    )
    graph = read_tables(place)
    assert len(graph.known("relations")) == 2
    assert len(graph.rejected["relations"]) == 1
    row = graph.quality.query("action == 'rejected'").iloc[0]
    assert (row["table"], row["row"], row["column"]) == (table, 3, column)
    assert text in row["problem"]
    with pytest.raises(rg.InvalidTable, match="relations row 3"):
        read_tables(place, on_error="raise")


def test_other_currencies_are_kept_and_not_converted(folder):
    place = folder({"entities.csv": "id,kind,capital\nA,company,500万美元\nB,company,600万元人民币\n"})
    graph = read_tables(place, on_error="raise")
    assert graph.entities["capital"].isna().tolist() == [True, False]
    assert graph.entities["capital"].tolist()[1] == 6e6
    assert graph.entities["capital_given"].tolist()[0] == "500万美元"
    assert graph.quality["action"].tolist() == ["kept"]


def test_relations_alone_make_their_entities(folder):
    graph = read_tables(folder({"holdings.csv": RELATIONS}))
    assert graph.ids.tolist() == ["P", "A", "B"]
    assert set(graph.entities["kind"]) == {"unknown"}
    assert "no table of entities came" in graph.quality["problem"].tolist()[0]


def test_a_single_file(folder):
    place = folder({"edges.csv": RELATIONS})
    assert len(read_tables(place / "edges.csv")) == 3


def test_columns_maps_other_spellings(folder):
    place = folder({"entities.csv": ENTITIES, "relations.csv": "von,nach,kind,anteil\nP,A,owns,65%\n"})
    with pytest.raises(
        rg.InvalidTable, match=r"relations.csv lacks the columns 'source', 'target' of relations; it came"
    ):
        read_tables(place)
    graph = read_tables(place, columns={"von": "source", "nach": "target", "anteil": "share"})
    assert graph.relations["share_min"].tolist() == [0.65]
    with pytest.raises(rg.InvalidTable, match="has the column 'source' twice"):
        read_tables(place, columns={"von": "source", "nach": "source"})


def test_extra_columns_stay_as_they_are(folder):
    graph = read_tables(folder({"entities.csv": "id,kind,code,note\nA,company,000123,无\nB,company,,x\n"}))
    assert graph.entities["code"].tolist() == ["000123", None]
    assert graph.entities["note"].tolist() == ["无", "x"]


def test_spaces_around_ids_are_taken_off_and_counted(folder):
    graph = read_tables(
        folder(
            {
                "entities.csv": "id,kind\n A ,company\nB\u3000,company\n",
                "relations.csv": "source,target,kind\nA,B,lends\n",
            }
        )
    )
    assert graph.ids.tolist() == ["A", "B"]
    assert graph.quality["problem"].tolist() == ["2 cells had spaces around their text; taken off"]


def test_a_workbook_of_sheets(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "主体"
    for row in (["二〇一六年六月名单"], [], ["编号", "类型", "成立日期"], ["A", "公司", 42527], ["P", "个人", None]):
        sheet.append(row)
    other = book.create_sheet("关系")
    other.append(["起点", "终点", "关系类型", "持股比例", "开始日期"])
    other.append(["P", "A", "持股", 0.65, pd.Timestamp("2016-06-06").to_pydatetime()])
    other["D2"].number_format = "0.00%"
    other.append(["P", "A", "持股", "bad", None])
    book.save(tmp_path / "名单.xlsx")
    graph = read_tables(tmp_path)
    assert graph.known("relations")["share_min"].tolist() == [0.65]
    assert str(graph.entities["start"].iloc[0])[:10] == "2016-06-06"
    assert graph.quality.query("action == 'rejected'")["row"].tolist() == [3]


def test_formulas_without_values_are_told(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["id", "kind", "capital"], ["A", "company", "=600*10000"]):
        book.active.append(row)
    book.save(tmp_path / "entities.xlsx")
    graph = read_tables(tmp_path)
    assert graph.entities["capital"].isna().all()
    assert "formulas without stored values" in graph.quality["problem"].tolist()[0]


def test_parquet(tmp_path):
    import duckdb

    frame = pd.DataFrame({"source": ["P", "A"], "target": ["A", "B"], "kind": "owns", "share": [0.65, np.nan]})
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        connection.execute(f"COPY frame TO '{tmp_path / 'relations.parquet'}' (FORMAT parquet)")
    graph = read_tables(tmp_path)
    assert graph.relations["share_min"].isna().tolist() == [False, True]


def test_a_table_that_comes_twice_is_an_error(folder):
    place = folder({"entities.csv": ENTITIES, "nodes.csv": ENTITIES})
    with pytest.raises(rg.InvalidTable, match=r"entities came twice, as entities.csv and nodes.csv"):
        read_tables(place)


def test_a_column_that_comes_twice_is_an_error(folder):
    with pytest.raises(rg.InvalidTable, match="names the column 'id' twice"):
        read_tables(folder({"entities.csv": "id,kind,id\nA,company,B\n"}))


def test_nothing_to_read(folder, tmp_path):
    with pytest.raises(rg.InvalidTable, match="there is no file or folder"):
        read_tables(tmp_path / "nowhere")
    with pytest.raises(rg.InvalidTable, match=r"holds neither entities nor relations; found a.csv"):
        read_tables(folder({"a.csv": "x,y\n1,2\n"}))


@pytest.mark.parametrize(
    ("name", "text"), [("entities.parquet", "is no Parquet file"), ("entities.xlsx", "is no workbook")]
)
def test_files_that_are_not_what_they_are_called(folder, name, text):
    with pytest.raises(rg.InvalidTable, match=text):
        read_tables(folder({name: b"PK\x03\x04 nothing of the kind"}))


def test_links_out_of_the_folder_are_not_followed(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "relations.csv"
    outside.write_text(RELATIONS, encoding="utf-8")
    place = folder({"entities.csv": ENTITIES})
    os.symlink(outside, place / "relations.csv")
    graph = read_tables(place)
    assert len(graph.relations) == 0
    assert graph.quality["problem"].tolist() == ["relations.csv leads out of the folder; not followed"]
    with pytest.raises(rg.InvalidTable, match="leads out of the folder"):
        read_tables(place, on_error="raise")


def test_a_file_too_large_is_refused(folder, monkeypatch):
    place = folder({"entities.csv": ENTITIES})
    monkeypatch.setattr(_files, "MAX_TEXT_BYTES", 10)
    with pytest.raises(rg.InvalidTable, match=r"entities.csv has more than 10 bytes; text is read whole"):
        read_tables(place)


def test_gzip(folder):
    import gzip

    assert len(read_tables(folder({"entities.csv.gz": gzip.compress(ENTITIES.encode())}))) == 3
    with pytest.raises(rg.InvalidTable, match="cannot be read"):
        read_tables(folder({"entities.csv.gz": gzip.compress(ENTITIES.encode())[:-9]}))


@pytest.mark.parametrize(("option", "value"), [("on_error", "ignore"), ("share_unit", "permille")])
def test_options_are_checked(folder, option, value):
    with pytest.raises(rg.InvalidParameter, match=f"'{option}' must be"):
        read_tables(folder({"entities.csv": ENTITIES}), **{option: value})
