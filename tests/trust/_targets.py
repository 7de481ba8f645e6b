"""What the fuzzer feeds: every reader, parser and loader that takes bytes or texts from outside, with sound seeds."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import yaml

import riskgraph as rg
from riskgraph import readers
from riskgraph.evidence import answer, verify
from riskgraph.identity.identifiers import check_lei, check_uscc, kind_of_identifier
from riskgraph.identity.names import compare_key, core_name
from riskgraph.nesting.product_names import parse_product_name
from riskgraph.ownership._packs import rule_pack
from riskgraph.readers._values import parse_dates, parse_money, parse_shares
from riskgraph.risk.transmission import read_transmission
from riskgraph.supervision import Catalogue

CATALOGUE = Path(rg.__file__).parent / "supervision" / "catalogues" / "jiangsu-2016"
RULES = Path(rg.__file__).parent / "ownership" / "rules"


class Target(NamedTuple):
    """Sound inputs, and what is done with a changed one in an empty folder."""

    seeds: list[bytes]
    feed: Callable[[bytes, Path], object]


def read_as(name: str, file: str) -> Callable[[bytes, Path], object]:
    def feed(data: bytes, folder: Path) -> object:
        (folder / file).write_bytes(data)
        return getattr(readers, name)(folder)

    return feed


def parts(*files: str) -> Callable[[bytes, Path], None]:
    """Files out of one input, cut at lines of ``====``."""

    def write(data: bytes, folder: Path) -> None:
        for name, part in zip(files, data.split(b"\n====\n"), strict=False):
            (folder / name).write_bytes(part)

    return write


def read_parts(name: str, *files: str) -> Callable[[bytes, Path], object]:
    write = parts(*files)

    def feed(data: bytes, folder: Path) -> object:
        write(data, folder)
        return getattr(readers, name)(folder)

    return feed


def packed(frame: pd.DataFrame) -> bytes:
    """A frame as the bytes of a Parquet file."""
    stream = io.BytesIO()
    frame.to_parquet(stream, index=False)
    return stream.getvalue()


def read_packed(data: bytes, folder: Path) -> object:
    (folder / "entities.parquet").write_bytes(_PEOPLE)
    (folder / "relations.parquet").write_bytes(data)
    return readers.read_tables(folder)


def guess(data: bytes, folder: Path) -> object:
    ending = {b"{": "jsonl", b"[": "json", b"P": "parquet"}.get(data[:1], "csv")
    (folder / f"export.{ending}").write_bytes(data)
    graph = readers.read(folder)
    return readers.read_tables(readers.write_tables(graph, folder / "out")), rg.ownership.integrated_ownership(graph)


def load_catalogue(data: bytes, folder: Path) -> object:
    (folder / "all.yaml").write_bytes(data)
    catalogue = Catalogue.load(folder)
    return catalogue.leads, catalogue.deadlines, catalogue.stages, catalogue.parameters


def load_transmission(data: bytes, folder: Path) -> object:
    (folder / "own.yaml").write_bytes(data)
    return read_transmission(folder / "own.yaml")


def load_pack(data: bytes, folder: Path) -> object:
    try:
        content = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError):
        return None
    return rule_pack(content) if isinstance(content, dict) else None


def check_answer(data: bytes, folder: Path) -> object:
    (folder / "result.json").write_bytes(data)
    return repr(verify(folder / "result.json", rg.datasets.toy_chain()))


def values(data: bytes, folder: Path) -> object:
    cells = pd.Series(data.decode("utf-8", "replace").split("\n"), dtype=object)
    return parse_shares(cells), parse_money(cells), parse_dates(cells, excel=True)


def names(data: bytes, folder: Path) -> object:
    cells = data.decode("utf-8", "surrogateescape").split("\n")
    for text in cells:
        parse_product_name(text)
        for check in (check_lei, check_uscc, kind_of_identifier):
            check(text)
    return compare_key(pd.Series(cells, dtype=object)), core_name(pd.Series(cells, dtype=object))


def lines(*items: object) -> bytes:
    return "\n".join(item if isinstance(item, str) else json.dumps(item) for item in items).encode()


_BODS = [
    {"statementId": "1", "recordId": "c", "recordType": "entity", "statementDate": "2020-01-01",
     "declarationSubject": "c", "recordDetails": {"name": "Mine Ltd", "entityType": {"type": "registeredEntity"}}},
    {"statementId": "2", "recordId": "p", "recordType": "person", "statementDate": "2020-01-01",
     "declarationSubject": "c", "recordDetails": {"personType": "knownPerson", "names": [{"fullName": "Ann Example"}]}},
    {"statementId": "3", "recordId": "r", "recordType": "relationship", "statementDate": "2020-01-01",
     "declarationSubject": "c", "recordDetails": {"subject": "c", "interestedParty": "p", "interests": [
         {"type": "shareholding", "share": {"minimum": 25, "maximum": 50}, "startDate": "2016-01-01"}]}},
]  # fmt: skip
_FTM = [
    {"id": "a", "schema": "Person", "properties": {"name": ["Ann Example"], "birthDate": ["1970"]}},
    {"id": "m", "schema": "Company", "properties": {"name": ["Mine"], "topics": ["sanction"]}},
    {"id": "o", "schema": "Ownership", "properties": {"owner": ["a"], "asset": ["m"], "percentage": ["51"],
                                                      "startDate": ["2016-01"]}},
    {"id": "s", "schema": "Sanction", "properties": {"entity": ["m"], "authority": ["x"], "startDate": ["2016-01-01"]}},
]  # fmt: skip
_PSC = {
    "company_number": "123456",
    "data": {
        "kind": "individual-person-with-significant-control", "name": "Ms Ann Example",
        "date_of_birth": {"year": 1970, "month": 1}, "notified_on": "2016-04-06", "ceased_on": "2018-01-01",
        "natures_of_control": ["ownership-of-shares-50-to-75-percent", "right-to-appoint-and-remove-directors"],
    },
}  # fmt: skip
_GLEIF = lines(
    "Relationship.StartNode.NodeID,Relationship.EndNode.NodeID,Relationship.RelationshipType,"
    "Relationship.Period.1.startDate",
    "213800AAAAAAAAAAAA11,213800BBBBBBBBBBBB22,IS_DIRECTLY_CONSOLIDATED_BY,2016-01-01T00:00:00Z",
    "213800AAAAAAAAAAAA11,213800CCCCCCCCCCCC33,IS_FUND-MANAGED_BY,",
)
_ICIJ = b"\n====\n".join(
    [
        lines("node_id,name", "1,EXAMPLE LIMITED"),
        lines("node_id,name", "2,Ann Example"),
        lines("node_id_start,node_id_end,rel_type,link,start_date", "2,1,officer_of,shareholder of,23-MAR-06"),
    ]
)
_REGISTRY = b"\n====\n".join(
    [
        lines(
            "企业名称,法定代表人,注册资本,成立日期", "甲有限公司,刘某,600万元,2016年1月2日", "乙有限公司,王某,-,长期"
        ),
        lines("企业名称,股东名称,持股比例", "甲有限公司,乙有限公司,65%", "甲有限公司,刘某,35%"),
    ]
)
_TABLES = b"\n====\n".join(
    [
        lines("id,kind,name,start", 'A,company,"Mine, Ltd",2016-01-01', "B,person,刘某,"),
        lines("source,target,kind,share,amount,start,end", "B,A,owns,65%,1e6,2016-01-01,", "B,A,officer,,,,2017"),
        lines("entity,type,severity,start", "A,banned,0.5,2016-02-03"),
        lines("entity,fact,value", "A,capital_pool,true", "A,equity,12.5"),
    ]
)
_SMALL_CATALOGUE = """catalogue: {name: harbour, home_province: "99", plans: {Act: {zh: 法, en: Act}}}
sectors:
  pawn: {rule: S-PAWN, zh: 典当, en: pawn, words: [pledge], licences: [pawn]}
agencies:
  harbour_master: {en: harbour master, county: 港务, province: 港务}
leads:
  county: {pawn: {lead: [harbour_master]}}
keywords:
  Z: {rule: MY-WORDS, words: [pledge, bourse], fields: [name], zh: 字样, en: words}
tasks: {report: {zh: 报, en: report}}
deadlines: {county: {pawn: [{task: report, due: 2016-05-01, clause: Act 1}]}}
stages: {S-PAWN: [{stage: one, start: 2016-01-01, end: 2016-02-01}]}
natures: {x: {agency: harbour_master}}
rules:
  sector:
    S-PAWN: {clause: Act 1, zh: 典当, en: pawn, use: classify_sectors}
    MY-WORDS: {clause: Act 2, zh: 字样, en: words, use: screen, severity: 0.1, check: KEYWORD-NAME-LIST-A}
    MY-HOLDERS: {clause: Act 3, zh: 人数, en: n, use: record, parameters: {limit: {value: 2, reason: Act 3}}}
"""
_VALUES = lines(
    *("65%", "0.65", "25%-50%", "over 25 percent", "1/3", "百分之六十五", "六成五", "50%以上", "不足5%", "1e-3"),
    *(
        "600万元人民币",
        "1.2亿元",
        "6,000,000",
        "500万美元",
        "三百万元",
        "1.2 million",
        "2016年6月6日",
        "20160606",
        "42527",
        "长期",
    ),
)
_NAMES = lines(
    *("某证券公司－某银行－稳健1号集合资产管理计划", "甲乙投资（澄湖）有限公司", "North Sea Trading Co., Ltd."),
    *("全国社保基金一零八组合", "91110000600037341L", "213800KUD8LAJWSQ9D15", "110101199003074514"),
)
_TRANSMISSION = """transmission:
- {kind: owns, direction: forward, by: share, bands: {0.5: 0.9, 0.2: 0.5}, unknown: 0.3, clause: [],
   reason: {en: a, zh: b}}
- {kind: officer, direction: forward, by: role, roles: {director: 0.5}, other: 0.1, clause: [], reason: {en: a, zh: b}}
- {kind: kin, direction: backward, probability: 0.2, clause: [], reason: {en: a, zh: b}}
"""

#: target → sound tree, and how it is written: YAML, JSON, or JSON lines
TREES: dict[str, tuple[dict | list, str]] = {
    "catalogue": (yaml.safe_load(_SMALL_CATALOGUE), "yaml"),
    "transmission": (yaml.safe_load(_TRANSMISSION), "yaml"),
    "rule_pack": (yaml.safe_load((RULES / "cn_bo.yaml").read_text("utf-8")), "yaml"),
    "bods": (_BODS, "json"),
    "ftm": (_FTM, "lines"),
    "psc": ([_PSC], "lines"),
}


_PEOPLE = packed(pd.DataFrame({"id": ["ann", "A", "B"], "kind": ["person", "company", "company"]}))
_LINKS = pd.DataFrame(
    {
        "source": ["ann", "A"] * 20,
        "target": ["A", "B"] * 20,
        "kind": ["owns"] * 40,
        "share_min": [0.6, None] * 20,
        "role": ["director", None] * 20,
        "start": pd.to_datetime(["2010-01-01", None] * 20),
        "note": ["x", ""] * 20,
    }
)


def targets() -> dict[str, Target]:
    """Name → target."""
    saved = answer(rg.datasets.toy_chain(), "integrated_ownership").text().encode()
    return {
        "parquet": Target([packed(_LINKS)], read_packed),
        "tables": Target(
            [_TABLES], read_parts("read_tables", "entities.csv", "relations.csv", "cases.csv", "facts.csv")
        ),
        "registry_cn": Target(
            [_REGISTRY, _REGISTRY.decode().encode("gb18030")], read_parts("read_registry_cn", "企业.csv", "股东.csv")
        ),
        "bods": Target([json.dumps(_BODS).encode(), lines(*_BODS)], read_as("read_bods", "bods.json")),
        "ftm": Target([lines(*_FTM)], read_as("read_ftm", "a.ftm.json")),
        "psc": Target([lines(_PSC, _PSC)], read_as("read_psc", "psc.jsonl")),
        "gleif": Target([_GLEIF], read_as("read_gleif", "rr.csv")),
        "icij": Target(
            [_ICIJ], read_parts("read_icij", "nodes-entities.csv", "nodes-officers.csv", "relationships.csv")
        ),
        "read": Target(
            [lines(*_FTM), json.dumps(_BODS).encode(), lines(_PSC), _GLEIF, b"source,target,kind\nA,B,owns"], guess
        ),
        "catalogue": Target([_SMALL_CATALOGUE.encode()], load_catalogue),
        "transmission": Target([_TRANSMISSION.encode()], load_transmission),
        "rule_pack": Target([path.read_bytes() for path in sorted(RULES.glob("*.yaml"))], load_pack),
        "answer": Target([saved], check_answer),
        "values": Target([_VALUES], values),
        "names": Target([_NAMES], names),
    }
