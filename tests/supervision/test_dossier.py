"""The file of a firm against hostile names, and in three formats."""

from __future__ import annotations

import io
import json
import re
from html import unescape
from html.parser import HTMLParser

import openpyxl
import pytest

from riskgraph.errors import InvalidParameter, UnknownEntity
from riskgraph.supervision import dossier
from riskgraph.supervision._dossier_texts import FIELDS, SECTIONS

EVIL = '=cmd|"/c calc"!A1<script>alert(1)</script><img src=x onerror=alert(1)>'


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.fixture(scope="module")
def hostile(make):
    return make(
        {
            "C": {"sector": "p2p", "name": EVIL, "status": "+1+1", "registered_in": "320581"},
            "p": {"kind": "person", "name": "@SUM(A1)"},
        },
        [("p", "owns", "C", {"share": 0.6, "source_ref": "-2+3"})],
        facts=[("C", "declared_business", "=1+1", {"source_ref": "\t=2"}), ("C", "capital_pool", True)],
    )


def test_page_escapes_everything(hostile, catalogue):
    for lang in ("zh", "en"):
        text = dossier(hostile, "C", catalogue, lang=lang).to_html()
        parser = Tags()
        parser.feed(text)
        assert "script" not in parser.tags
        assert "img" not in parser.tags
        assert not [name for name in parser.attributes if name in ("href", "src", "style") or name.startswith("on")]
        assert "script-src" not in text  # nothing runs at all
        assert "http://" not in text
        assert "https://" not in text
        assert "&lt;script&gt;" in text


def test_workbook_runs_nothing(hostile, catalogue):
    content = dossier(hostile, "C", catalogue).to_excel()
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["summary", "fields", "findings", "verification"]
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert all(cell.data_type != "f" for cell in cells)
    texts = [cell.value for cell in cells if isinstance(cell.value, str)]
    assert not [text for text in texts if text.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "'=1+1" in texts
    assert any(text.startswith("'=cmd") for text in texts)


def test_files_are_written_and_equal(hostile, catalogue, tmp_path):
    file = dossier(hostile, "C", catalogue)
    for name, method in (("a.html", file.to_html), ("a.json", file.to_json), ("a.xlsx", file.to_excel)):
        content = method(tmp_path / name)
        raw = content if isinstance(content, bytes) else content.encode()
        assert (tmp_path / name).read_bytes() == raw
    data = json.loads(file.to_json())
    assert set(data["fields"][0]) == {"section", "field", "value", "source", "method", "evidence"}
    assert data["missing"] == list(file.missing)
    assert repr(file).startswith("Dossier of =cmd")
    frame = file._repr_html_()  # the page, in a frame that runs nothing
    assert frame.startswith('<iframe sandbox="" title="Dossier of =cmd')
    assert frame.count("<") == 2
    assert unescape(frame.split('srcdoc="')[1].split('"')[0]).startswith("<!doctype html>")


def test_every_label_is_in_the_language_of_the_page(hostile, catalogue):
    for section, fields in catalogue.section("dossier").items():
        assert section in SECTIONS
        assert set(fields) <= set(FIELDS)
    text = dossier(hostile, "C", catalogue, lang="en").to_html()
    body = re.sub(r'<style>.*?</style>|<td class="value">.*?</td>', "", text, flags=re.DOTALL)  # values are data
    assert not re.findall("[\u4e00-\u9fff]+", body), "Chinese on an English page of an English firm"
    for word in ("File of a firm", "completeness", "triage", "legal representative", "how it was found", "signed by"):
        assert word in body
    chinese = dossier(hostile, "C", catalogue).to_html()
    for word in ("企业档案", "完整度", "甄别定性", "法定代表人", "取得方式", "签字"):
        assert word in chinese


def test_page_is_made_to_be_printed(hostile, catalogue):
    text = dossier(hostile, "C", catalogue).to_html()
    assert "@page { size: A4" in text
    assert "table-header-group" in text
    assert "break-inside: avoid" in text


def test_wrong_questions(hostile, catalogue):
    with pytest.raises(UnknownEntity, match="'Z'"):
        dossier(hostile, "Z", catalogue)
    with pytest.raises(InvalidParameter, match="'lang' must be 'zh' or 'en'; got 'fr'"):
        dossier(hostile, "C", catalogue, lang="fr")


def test_values_and_sources(make, catalogue):
    graph = make(
        {
            "C": {"sector": "payment", "registered_in": "320581", "operates_in": "320581;320102"},
            "bank": {}, "shop": {"registered_in": "320581"}, "p": "person",
        },
        [
            ("bank", "channels", "C", {"source_ref": "bank_flow"}),
            ("C", "channels", "shop"),
            ("p", "officer", "C", {"role": "director"}),
        ],
        cases=[("p", "criminal_record", "2015-01-01", {"source_ref": "court"})],
        licences=[("bank", "bank")],
        facts=[("C", "volume", 8e6, {"source_ref": "site_visit", "method": "高管约谈"})],
    )  # fmt: skip
    rows = dossier(graph, "C", catalogue, at="2016-06-30").fields
    rows = rows[rows["section"] == "DOSSIER-PAYMENT-UNLICENSED"].set_index("field")
    assert rows.loc["交易规模", ["value", "source", "method"]].tolist() == [8e6, "site_visit", "高管约谈"]
    assert rows.loc["与商业银行及支付机构合作情况", ["value", "source"]].tolist() == ["bank", "bank_flow"]
    assert rows.loc["是否跨地区开展业务", "value"].startswith("是")
    assert rows.loc["董监高违法犯罪记录或异常情况", "value"] == "p: c0"
    assert rows.loc["客户或商户数量及分布", "value"] == "1（320581）"
    assert rows["value"].isna().sum() == len(set(rows.index[rows["value"].isna()]))
