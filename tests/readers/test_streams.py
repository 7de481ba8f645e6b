"""Large files: what comes out is the same whatever is read at a time, packed or not; every row, label and remark."""

from __future__ import annotations

import gzip
import json
import random
import zipfile

import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.readers import (
    _delimited,
    _gleif_records,
    _records,
    _rows,
    _stream,
    read_bods,
    read_ftm,
    read_gleif,
    read_psc,
)
from riskgraph.readers._places import Place, Places, encode

SIZES = (1, 7, 10**6)


def lei(number):
    return f"213800AAAAAAAAAA{number:04d}"


def psc_lines(count, rng):
    for number in range(count):
        company, born = (
            rng.randrange(count // 2 + 1),
            {"year": rng.randrange(1950, 1999), "month": rng.randrange(1, 13)},
        )
        natures = rng.sample(
            ["ownership-of-shares-25-to-50-percent", "voting-rights-50-to-75-percent", "odd",
             "right-to-appoint-and-remove-directors"], rng.randrange(3)
        )  # fmt: skip
        data = {
            "kind": "individual-person-with-significant-control",
            "name": rng.choice(["Ann Example", "Bob Sample", None]),
            "date_of_birth": born,
            "natures_of_control": natures,
            "notified_on": rng.choice(["2016-04-06", "2017-05", "soon", None]),
            "ceased_on": rng.choice(["2015-01-01", "2020-01-01", None, None]),
            "etag": f"e{number}",
            "links": {"self": f"/company/{company}/{number}"},
        }
        if rng.random() < 0.4:
            data |= {
                "kind": rng.choice(["corporate-entity-person-with-significant-control", "super-secure-x", "odd"]),
                "name": rng.choice([f"Holding {number}", None]),
                "identification": {
                    "registration_number": f"{rng.randrange(count // 2 + 1):08d}",
                    "country_registered": "England",
                },
            }
        if rng.random() < 0.1:
            data = {"kind": "persons-with-significant-control-statement", "statement": "psc-exists-but-not-identified"}
        yield {"company_number": rng.choice([str(company), str(company), None]), "data": data}


def ftm_lines(count, rng):
    def any_of():
        return [f"e{rng.randrange(count)}" for _ in range(rng.choice([1, 1, 2]))]

    for number in range(count):
        entity = {
            "name": [f"N{number}"],
            "birthDate": ["1970-01"],
            "topics": rng.choice([["sanction"], ["debarment"], []]),
        }
        yield {
            "id": f"e{rng.randrange(count)}",
            "schema": rng.choice(["Person", "Company", "Odd"]),
            "properties": entity,
        }
        other = rng.choice(
            [
                {
                    "schema": "Ownership",
                    "properties": {"owner": any_of(), "asset": any_of(), "percentage": ["5-25", "most"]},
                },
                {
                    "schema": "Sanction",
                    "properties": {"entity": any_of(), "authority": ["Office"], "topics": ["debarment"]},
                },
                {"schema": "Succession", "properties": {"predecessor": any_of(), "successor": any_of()}},
                {"schema": "Ownership", "properties": {"owner": any_of()}},
                {"properties": []},
            ]
        )
        yield {"id": f"r{rng.randrange(count)}", **other}


def bods_lines(count, rng):
    for number in range(count):
        day = f"20{rng.randrange(15, 22)}-01-{rng.randrange(1, 29):02d}"
        common = {"statementDate": day, "statementId": f"s{rng.randrange(5 * count)}"}
        details = {"entityType": {"type": "registeredEntity"}, "name": f"N{number}", "jurisdiction": {"code": "GB"}}
        yield {**common, "recordId": f"e{rng.randrange(count // 2)}", "recordType": "entity", "recordDetails": details}
        interests = [
            {
                "type": rng.choice(["shareholding", "votingRights", "boardMember"]),
                "share": rng.choice([{"exact": 40}, {"minimum": 25, "maximum": 50}, {"exact": "x"}]),
                "directOrIndirect": rng.choice(["direct", "direct", "indirect"]),
            }
            for _ in range(rng.randrange(3))
        ]
        details = {
            "subject": f"e{rng.randrange(count // 2 + 5)}",
            "interestedParty": rng.choice([f"e{rng.randrange(count // 2)}", {"reason": "noBeneficialOwners"}]),
            "interests": interests,
        }
        status = rng.choice(["new", "updated", "closed"])
        common["statementId"] = f"t{number}"
        yield {**common, "recordId": f"r{rng.randrange(count)}", "recordType": "relationship", "recordStatus": status,
               "recordDetails": details}  # fmt: skip


def gleif_lines(count, rng):
    for number in range(count):
        status = {"RegistrationStatus": {"$": rng.choice(["ISSUED", "ISSUED", "ANNULLED"])}}
        entity = {
            "LegalName": {"$": f"Firm {number}"},
            "EntityCreationDate": {"$": rng.choice(["2012-05-29T00:00:00Z", "2012"])},
        }
        yield {"LEI": {"$": lei(rng.randrange(count))}, "Entity": entity, "Registration": status}
        ends = {end: {"NodeID": {"$": lei(rng.randrange(count + 9))}} for end in ("StartNode", "EndNode")}
        word = {"$": rng.choice(["IS_DIRECTLY_CONSOLIDATED_BY", "IS_SUBFUND_OF", "ODD"])}
        yield {"Relationship": {**ends, "RelationshipType": word}, "Registration": status}
        yield {
            "LEI": {"$": lei(rng.randrange(count + 9))},
            "ExceptionCategory": {"$": "X"},
            "ExceptionReason": {"$": "Y"},
        }


LINES = {read_psc: psc_lines, read_ftm: ftm_lines, read_bods: bods_lines, read_gleif: gleif_lines}


def damaged(records, rng):
    """One record a line, some of the lines cut, no object, or with half of a character pair."""
    for record in records:
        text = json.dumps(record)
        way = rng.random()
        yield (
            text[: len(text) // 2]
            if way < 0.03
            else "[1]"
            if way < 0.05
            else text.replace('"N', '"\\ud800', 1)
            if (way < 0.08)
            else text
        )


def as_xml(records):
    def body(value):
        if not isinstance(value, dict):
            return str(value)
        return value["$"] if "$" in value else "".join(f"<{key}>{body(inner)}</{key}>" for key, inner in value.items())

    def tag(record):
        return (
            "Exception"
            if "ExceptionCategory" in record
            else "LEIRecord"
            if "Entity" in record
            else "RelationshipRecord"
        )

    inner = "\n".join(f"<{tag(record)}>{body(record)}</{tag(record)}>" for record in records)
    return f'<?xml version="1.0" encoding="UTF-8"?><LEIData><!-- all --><LEIRecords>{inner}</LEIRecords></LEIData>'


def as_csv(records, rng):
    """A quoted table with cells over two lines and damaged lines."""
    yield '"LEI","Entity.LegalName","Entity.EntityCreationDate","Registration.RegistrationStatus"'
    for record in records:
        if "Entity" in record:
            cells = [record["LEI"], record["Entity"]["LegalName"], record["Entity"]["EntityCreationDate"],
                     record["Registration"]["RegistrationStatus"]]  # fmt: skip
            line = ",".join(f'"{cell["$"]}"' for cell in cells)
            way = rng.random()
            ways = {
                0: line.replace("Firm", "Fi\nrm"),
                1: line.replace('"', "", 1),
                2: line + ",,",
                3: line + ",x",
                4: f'"{line}',
            }
            yield ways.get(int(way * 20), line)


def everything(graph):
    return {
        **graph.tables(),
        "quality": graph.quality,
        **{f"rejected {name}": left for name, left in graph.rejected.items()},
    }


def at_a_time(monkeypatch, size):
    """Set how much every part of the readers takes at a time."""
    monkeypatch.setattr(_rows, "BATCH", size)
    monkeypatch.setattr(_delimited, "WINDOW", size)
    for module in (_stream, _delimited, _gleif_records):
        monkeypatch.setattr(module, "BLOCK", 50 * size)


def assert_same_at_any_size(reader, path, monkeypatch):
    found = []
    for size in SIZES:
        at_a_time(monkeypatch, size)
        found.append(everything(reader(path)))
    for other in found[1:]:
        assert list(other) == list(found[0])
        for name, frame in found[0].items():
            pd.testing.assert_frame_equal(other[name], frame, obj=f"{reader.__name__} {name}")
    return found[0]


@pytest.mark.parametrize("reader", LINES, ids=lambda reader: reader.__name__)
def test_lines(reader, tmp_path, monkeypatch):
    rng = random.Random(3)
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(damaged(LINES[reader](90, rng), rng)) + "\n")
    found = assert_same_at_any_size(reader, path, monkeypatch)
    assert len(found["entities"]) > 30
    assert len(found["relations"]) > 5
    assert {"rejected", "repaired"} <= set(found["quality"]["action"])
    # every label is a line that holds what the row came from
    lines = path.read_text().splitlines()
    numbers = [int(label.rpartition(":")[2]) for label in found["quality"]["row"]]
    assert all(lines[number - 1] for number in numbers)


@pytest.mark.parametrize("reader", LINES, ids=lambda reader: reader.__name__)
def test_packed_and_in_one_array(reader, tmp_path, monkeypatch):
    records = list(LINES[reader](60, random.Random(4)))
    array, plain = tmp_path / "array" / "a.json", tmp_path / "lines" / "a.json"
    for path, text in ((array, json.dumps([*records, 1])), (plain, "\n".join(map(json.dumps, records)) + "\n")):
        path.parent.mkdir()
        path.write_text(text)
    whole = everything(reader(array))
    # too large to be parsed at once
    monkeypatch.setattr(_records, "_WHOLE", 100)
    streamed = assert_same_at_any_size(reader, array, monkeypatch)
    for name, frame in whole.items():
        pd.testing.assert_frame_equal(streamed[name], frame)
    assert "no JSON object" in whole["quality"]["problem"].str.cat()
    # packed, the same but for the name of the file
    packed = tmp_path / "a.json.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    zipped = tmp_path / "a.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(plain, "folder/snapshot.txt")
        archive.writestr("__MACOSX/._snapshot.txt", "x")
    expected = reader(plain)
    for path in (packed, zipped):
        graph = reader(path)
        assert graph.equals(expected)
        labels = [label.replace(path.name, plain.name) for label in graph.quality["row"]]
        assert labels == expected.quality["row"].tolist()
        assert rg.read(path).equals(expected)


@pytest.mark.parametrize("packed", [False, True])
def test_gleif_xml_and_csv(packed, tmp_path, monkeypatch):
    rng = random.Random(5)
    records = list(gleif_lines(60, rng))
    texts = {
        "a.xml": as_xml(records),
        "a.csv": "\n".join(as_csv(records, rng)),
        "b.csv": "\r\n".join(as_csv(records, rng)),
    }
    monkeypatch.setattr(_delimited, "_MAX_SPAN", 5)
    for name, text in texts.items():
        path = tmp_path / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        found = assert_same_at_any_size(read_gleif, path, monkeypatch)
        assert len(found["entities"]) > 20
    # a table that is no UTF-8 is read whole, and says the same
    (tmp_path / "c.csv").write_bytes(texts["a.csv"].encode("utf-16"))
    (tmp_path / "d.csv").write_bytes(texts["a.csv"].encode())
    one, two = read_gleif(tmp_path / "c.csv"), read_gleif(tmp_path / "d.csv")
    assert one.equals(two)
    assert one.quality["problem"].tolist() == two.quality["problem"].tolist()
    assert "empty cells beyond the last column" in one.quality["problem"].str.cat()


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_not_unfolded_wherever_they_are_declared(encoding, tmp_path):
    text = f"{' ' * 9000}{BOMB}<LEIData><LEIRecord><LEI>&b;</LEI></LEIRecord></LEIData>"
    (tmp_path / "a.xml").write_bytes(f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding))
    with pytest.raises(rg.InvalidTable, match="declares a document type"):
        read_gleif(tmp_path / "a.xml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"a": 1}, {"b": 2', r"no valid JSON at character 12"),
        ('[{"a": 1}', "it ends at character 10, before its array does"),
        ('{"other": {"a": "' + "x" * 200 + '"}}', "one JSON object of more than"),
        ('[{"a": ' + "[" * 100_000, "nested too deeply"),
        ("1 " * 200, "no JSON array or object"),
    ],
)
def test_a_damaged_array_names_the_place(text, message, tmp_path, monkeypatch):
    monkeypatch.setattr(_records, "_WHOLE", 5)
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(rg.InvalidTable, match=message):
        read_psc(tmp_path / "a.json")


def test_damaged_packing(tmp_path):
    data = gzip.compress(b'{"company_number": "1"}\n' * 50_000)
    (tmp_path / "a.jsonl.gz").write_bytes(data[:-20])
    with pytest.raises(rg.InvalidTable, match="cannot be read"):
        read_psc(tmp_path / "a.jsonl.gz")
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04" + bytes(40))
    with pytest.raises(rg.InvalidTable, match="cannot be read"):
        read_gleif(tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("a.csv", "x")
        archive.writestr("b.csv", "x")
    for reader in (read_gleif, read_psc):
        with pytest.raises(rg.InvalidTable, match="must hold one data file; it holds 2"):
            reader(tmp_path / "c.zip")


def test_a_line_without_end_is_set_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(_stream, "_LONGEST_LINE", 1000)
    good = json.dumps({"company_number": "1", "data": {"kind": "persons-with-significant-control-statement"}})
    (tmp_path / "a.jsonl").write_text("\n".join([good, '{"a": "' + "x" * 5000, good]))
    graph = read_psc(tmp_path / "a.jsonl")
    assert graph.rejected["relations"].index.tolist() == ["a.jsonl:2"]
    assert len(graph.known("facts")) == 2


def test_a_bar_moves_while_a_file_is_read(tmp_path, monkeypatch):
    seen = []

    def bar(items, *, total=None, text="", show=None):
        for item in items:
            seen.append((text, item, total, show))
            yield item

    monkeypatch.setattr(_stream, "progress", bar)
    monkeypatch.setattr(_stream, "BLOCK", 1000)
    monkeypatch.setattr(_stream, "_MANY_BYTES", 0)
    rng = random.Random(6)
    records = list(gleif_lines(60, rng))
    (tmp_path / "a.xml").write_text(as_xml(records))
    (tmp_path / "a.csv").write_text("\n".join(as_csv(records, rng)))
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, records)) + "\n")
    for name in ("a.xml", "a.csv", "a.jsonl"):
        seen.clear()
        read_gleif(tmp_path / name)
        steps = [item for text, item, total, show in seen if text == f"{name} (MiB)" and show is None]
        size = (tmp_path / name).stat().st_size
        assert steps == list(range(size // 1000 + 1))


def test_places_are_texts_to_whoever_asks():
    forms: dict = {}
    given = [Place("a:", 3), Place("b[", 4, "]"), "the folder", Place("a:", 2**33)]
    places = Places(encode(given, forms), forms)
    index = pd.Index(places)
    texts = ["a:3", "b[4]", "the folder", "a:8589934592"]
    assert index.tolist() == list(index.astype(object)) == texts
    assert index[[True, False, True, False]].tolist() == texts[::2]
    assert pd.Series(range(4), index=index).iloc[[2, 0]].index.tolist() == ["the folder", "a:3"]
    assert index.append(pd.Index(["x"], dtype=object)).tolist() == [*texts, "x"]
    assert index.append(index).tolist() == texts * 2
    assert index.equals(pd.Index(Places(encode(given, forms), forms)))
    assert places.nbytes == 8 * len(texts)
