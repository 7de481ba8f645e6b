"""Damaged files of every exchange format: nothing but InvalidTable is raised, and no line goes without a word."""

from __future__ import annotations

import gzip
import json
import re

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.readers import read_bods, read_ftm, read_gleif, read_icij, read_psc, read_registry_cn

COUNT = 40


def _ftm():
    rows = [{"id": f"e{n}", "schema": "Company", "properties": {"name": [f"Firm {n}"], "capital": [str(n)],
             "incorporationDate": ["2001-02-03"]}} for n in range(COUNT)]  # fmt: skip
    rows += [{"id": f"o{n}", "schema": "Ownership", "properties": {"owner": [f"e{n}"], "asset": [f"e{n + 1}"],
              "percentage": ["5-25"]}} for n in range(COUNT - 1)]  # fmt: skip
    return {"a.ftm.json": [json.dumps(row) for row in rows]}, [row["id"] for row in rows]


def _bods():
    common = {"statementDate": "2020-01-01", "declarationSubject": "x"}
    rows = [{"statementId": f"s{n}", "recordId": f"e{n}", "recordType": "entity", **common, "recordDetails": {
             "entityType": {"type": "registeredEntity"}, "name": f"Firm {n}"}} for n in range(COUNT)]  # fmt: skip
    rows += [{"statementId": f"t{n}", "recordId": f"o{n}", "recordType": "relationship", **common, "recordDetails": {
              "subject": f"e{n + 1}", "interestedParty": f"e{n}",
              "interests": [{"type": "shareholding", "share": {"exact": 40}}]}} for n in range(COUNT - 1)]  # fmt: skip
    return {"a.bods.json": [json.dumps(row) for row in rows]}, [row["recordId"] for row in rows]


def _psc():
    rows = [{"company_number": f"{n:08d}", "data": {
             "kind": "corporate-entity-person-with-significant-control", "name": f"Holder {n}",
             "identification": {"registration_number": f"{n + 500:08d}", "country_registered": "England"},
             "notified_on": "2016-04-06", "natures_of_control": ["ownership-of-shares-25-to-50-percent"]}}
            for n in range(COUNT)]  # fmt: skip
    return {"a.jsonl": [json.dumps(row) for row in rows]}, [row["company_number"] for row in rows]


def _lei(number):
    return f"213800AAAAAAAAAA{number:04d}"


def _gleif_json():
    rows = [{"LEI": {"$": _lei(n)}, "Entity": {"LegalName": {"$": f"Firm {n}"},
             "EntityCreationDate": {"$": "2012-05-29"}}} for n in range(COUNT)]  # fmt: skip
    return {"l1.jsonl": [json.dumps(row) for row in rows]}, [_lei(n) for n in range(COUNT)]


def _gleif_csv():
    head = "LEI,Entity.LegalName,Entity.EntityCreationDate,Entity.EntityStatus"
    return {"l1.csv": [head, *(f"{_lei(n)},Firm {n},2012-05-29,ACTIVE" for n in range(COUNT))]}, [
        None, *(_lei(n) for n in range(COUNT))]  # fmt: skip


def _gleif_xml():
    rows = [f"<LEIRecord><LEI>{_lei(n)}</LEI><Entity><LegalName>Firm {n}</LegalName></Entity></LEIRecord>"
            for n in range(COUNT)]  # fmt: skip
    return {"l1.xml": ["<LEIData><LEIRecords>", *rows, "</LEIRecords></LEIData>"]}, [
        None, *(_lei(n) for n in range(COUNT)), None]  # fmt: skip


def _icij():
    # every node is an end of a link, and the files have keys of their own: the nodes count
    nodes = ["node_id,name,incorporation_date", *(f"{n + 100},FIRM {n} LIMITED,23-MAR-2006" for n in range(COUNT))]
    links = ["node_id_start,node_id_end,rel_type,link"]
    links += [f"{n + 100},{n + 101},officer_of,shareholder of" for n in range(COUNT - 1)]
    known = [None, *(str(n + 100) for n in range(COUNT)), None, *(f"{n + 100}>{n + 101}" for n in range(COUNT - 1))]
    return {"nodes-entities.csv": nodes, "relationships.csv": links}, known


def _cn():
    firms = ["企业名称,统一社会信用代码,法定代表人,注册资本,成立日期"]
    firms += [f"第{n}号公司,91320500AAAAAAA{n:03d},王某某,600万元,2013-05-01" for n in range(COUNT)]
    holders = ["企业名称,股东名称,持股比例"]
    holders += [f"第{n}号公司,第{n + 1}号公司,60%" for n in range(COUNT - 1)]
    known = [None, *(f"第{n}号公司" for n in range(COUNT)), None]
    return {"企业.csv": firms, "股东.csv": holders}, known + [f"第{n + 1}号公司>第{n}号公司" for n in range(COUNT - 1)]


FORMATS = {
    "ftm": (_ftm, read_ftm),
    "bods": (_bods, read_bods),
    "psc": (_psc, read_psc),
    "gleif_json": (_gleif_json, read_gleif),
    "gleif_csv": (_gleif_csv, read_gleif),
    "gleif_xml": (_gleif_xml, read_gleif),
    "icij": (_icij, read_icij),
    "cn": (_cn, read_registry_cn),
}
#: what a value of an object, or a cell, is replaced by
VALUES = {
    "null": "null",
    "empty": '""',
    "number": "-1e999",
    "nested": '[{"a": [[]]}]',
    "truth": "true",
    "huge": "9" * 400,
    "surrogate": r'"\ud800"',
}
WAYS = ("cut", "bad bytes", "other encoding", "zero byte", "flip", *VALUES)


def damaged(line: str, way: str, rng: np.random.Generator) -> bytes:
    """One line as UTF-8, damaged in one way."""
    data = line.encode()
    place = int(rng.integers(1, len(data)))
    if way == "cut":
        return data[:place]
    if way == "bad bytes":
        return data[:place] + b"\xff\xc3\xfe" + data[place:]
    if way == "other encoding":
        return ("甲乙丙" + line).encode("gb18030")
    if way == "zero byte":
        return data[:place] + b"\x00" + data[place:]
    if way == "flip":
        byte = rng.integers(0, 10) if rng.random() < 0.3 else rng.integers(32, 256)
        return data[:place] + bytes([int(byte)]) + data[place + 1 :]
    if line.startswith("{"):
        # one value of the object, found as a person would: after a colon
        spots = [spot for spot in range(len(line)) if line[spot] == ":" and line[spot - 1] == '"']
        spot = spots[int(rng.integers(0, len(spots)))] + 1
        rest = line[spot:].lstrip()
        try:
            _, end = json.JSONDecoder().raw_decode(rest)
        except ValueError:
            return data[:place]
        return (line[:spot] + VALUES[way] + rest[end:]).encode()
    if line.startswith("<"):
        return line.replace("Firm", {"nested": "<a><b/></a>", "null": "&none;"}.get(way, VALUES[way])).encode()
    cells = line.split(",")
    cells[int(rng.integers(0, len(cells)))] = VALUES[way].replace(",", "")
    return ",".join(cells).encode()


def keys(graph, name: str) -> set[str]:
    """What the lines of a format are told by."""
    entities, relations = graph.known("entities"), graph.known("relations")
    if name in ("ftm", "bods"):
        return {*entities["id"], *relations["id"]}
    if name == "psc":
        return set(relations["target"])
    if name.startswith("gleif"):
        return set(entities["id"])
    told = entities.set_index("id")["name"] if name == "cn" else pd.Series(entities["id"].array, index=entities["id"])
    # who represents a firm stands in the line of the firm
    relations = relations[relations["kind"] == "owns"]
    told = told[told.index.isin(entities["id"][entities["kind"] == "company"])]
    return {*told, *(relations["source"].map(told) + ">" + relations["target"].map(told))}


def check(name: str, tmp_path, seed: int, fraction: float = 0.1) -> int:
    """Damage some lines of one format, read, and account for every line. How many were damaged, 0 if refused."""
    rng = np.random.default_rng(seed)
    make, reader = FORMATS[name]
    files, known = make()
    place = tmp_path / f"{name}{seed}"
    place.mkdir()
    hit: set[str] = set()
    labels: list[str] = []
    for file, lines in files.items():
        data = []
        for number, line in enumerate(lines, start=1):
            labels.append(f"{file}:{number}")
            body = number > 1 or line.startswith("{")
            if body and rng.random() < fraction:
                hit.add(labels[-1])
                data.append(damaged(line, str(rng.choice(WAYS)), rng))
            else:
                data.append(line.encode())
        (place / file).write_bytes(b"\n".join(data) + b"\n")
    try:
        graph = reader(place)
    except rg.InvalidTable:
        return 0
    there = keys(graph, name)
    # the label of an item of an array is file[place], that of a line file:line
    told = {re.sub(r"\[(\d+)\]$", r":\1", str(row)) for row in graph.quality["row"]}
    silent = [label for label, key in zip(labels, known, strict=True)
              if key is not None and key not in there and label not in told]  # fmt: skip
    # a line whose key itself was changed into another one is there under that name
    strange = there - {key for key in known if key}
    assert set(silent) <= hit, (name, seed, silent)
    assert len(silent) <= len(strange), (name, seed, silent)
    return len(hit)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", FORMATS)
def test_damaged_lines_are_accounted_for(tmp_path, name, seed):
    hit = check(name, tmp_path, seed)
    # XML is one tree: any damage to it costs the file, which is refused
    assert hit or name == "gleif_xml"


@pytest.mark.parametrize("name", FORMATS)
def test_one_percent_of_random_bytes(tmp_path, name):
    make, reader = FORMATS[name]
    for seed in range(3):
        rng = np.random.default_rng(seed)
        for file, lines in make()[0].items():
            data = np.frombuffer("\n".join(lines).encode(), dtype=np.uint8).copy()
            spots = rng.random(data.size) < 0.01
            data[spots] = rng.integers(0, 256, int(spots.sum()))
            (tmp_path / file).write_bytes(data.tobytes())
        try:
            graph = reader(tmp_path)
        except rg.InvalidTable:
            continue
        assert len(graph.quality)


#: tables in UTF-32, and a table that had no letters left
REFUSED = {*((name, "utf-32") for name in ("gleif_csv", "icij", "cn", "gleif_xml")), ("cn", "latin-1")}


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030", "utf-8-sig", "latin-1", "utf-32"])
@pytest.mark.parametrize("name", FORMATS)
def test_other_encodings_are_read_or_refused(tmp_path, name, encoding):
    make, reader = FORMATS[name]
    files, known = make()
    for file, lines in files.items():
        (tmp_path / file).write_bytes("\n".join(lines).encode(encoding, errors="replace"))
    try:
        graph = reader(tmp_path)
    except rg.InvalidTable:
        assert (name, encoding) in REFUSED
        return
    assert (name, encoding) not in REFUSED
    if encoding != "latin-1":
        assert {key for key in known if key} <= keys(graph, name)


@pytest.mark.parametrize("name", ["ftm", "bods", "psc", "gleif_json"])
@pytest.mark.parametrize("half", [r"\\ud800", "\ud800"])
def test_half_of_a_character_pair_is_marked_and_said(tmp_path, name, half):
    """As an escape, and as the bytes that UTF-8 does not allow but that JSON of Python reads."""
    make, reader = FORMATS[name]
    ((file, lines),) = make()[0].items()
    lines[3] = re.sub(r"(Firm|Holder) 3", half + r" and \\ud83d\\ude00", lines[3])
    (tmp_path / file).write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    graph = reader(tmp_path)
    assert "\ufffd and \U0001f600" in set(graph.entities["name"])
    assert graph.quality["row"].tolist() == [f"{file}:4"]
    assert graph.rejected == {}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32-be"])
def test_half_of_a_character_pair_in_json_of_another_encoding(tmp_path, encoding):
    item = [{"id": "a", "schema": "Company", "properties": {"name": ["\ud800"], "\ud800": ["x"]}}]
    (tmp_path / "a.json").write_bytes(json.dumps(item).encode(encoding))
    graph = rg.readers.read_ftm(tmp_path / "a.json")
    assert graph.entities["name"].tolist() == ["\ufffd"]


def test_packed_lines_that_break_off_are_refused(tmp_path):
    make, reader = FORMATS["psc"]
    packed = gzip.compress("\n".join(make()[0]["a.jsonl"] * 50).encode(), mtime=0)
    (tmp_path / "a.jsonl.gz").write_bytes(packed)
    assert len(reader(tmp_path / "a.jsonl.gz")) == 2 * COUNT
    (tmp_path / "a.jsonl.gz").write_bytes(packed[: len(packed) * 3 // 4])
    with pytest.raises(rg.InvalidTable, match=r"a\.jsonl\.gz cannot be read"):
        reader(tmp_path / "a.jsonl.gz")
