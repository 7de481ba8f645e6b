"""Random graphs of every kind of row: nothing fails, everything found can be shown, relabelling changes nothing."""

from __future__ import annotations

import random

import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.schema import CASE_TYPES, ENTITY_KINDS, FACT_TYPES, RELATION_KINDS, SECTORS
from riskgraph.supervision import (
    action_lists,
    assign,
    classify_sectors,
    closing_impact,
    consolidate,
    contagion_gain,
    control_clusters,
    dispose,
    dossier,
    extended_supervision,
    monitor,
    screen,
    statistics,
    triage,
)

WORDS = ["网贷", "投资管理", "交易中心", "典当行", "支付", "面馆", "股权众筹", "专业合作社", "房地产", "保险代理"]
TEXTS = ["保本理财", "首付贷", "投资咨询 信用贷款", "私募", "校园网贷", "微信群", "资金互助", "证券", "unknown"]
PLACES = ["320581", "320582", "320102", "440301", None, "320581;320102"]
ROLES = ["legal_representative", "director", "supervisor", "salary", None]
DAYS = ["2012-03-01", "2014-07-15", "2015-11-30", "2016-02-29", "2016-06-30", "2017-01-01", None]
AT = "2016-06-30"


def tables(seed):
    rng = random.Random(seed)
    names = [f"n{number}" for number in range(rng.randint(4, 14))]

    def interval():
        start, end = rng.choice(DAYS), rng.choice([None, None, *DAYS])
        if start and end and start >= end:
            end = None
        return start, end

    def dated(row):
        row["start"], row["end"] = interval()
        row["known_from"] = rng.choice([None, None, "2016-05-01"])
        row["source_ref"] = rng.choice([None, "declared", "registry", "site_visit"])
        return row

    entities = [
        {
            "id": name,
            "kind": rng.choice(["company", "company", "company", *ENTITY_KINDS]),
            "name": f"某{name}{rng.choice(WORDS)}",
            "sector": rng.choice([None, None, *SECTORS]),
            "registered_in": rng.choice(PLACES[:5]),
            "operates_in": rng.choice(PLACES),
            "scope": rng.choice([None, "项目投资;不得从事理财", "销售"]),
            "capital": rng.choice([None, 1e6]),
        }
        for name in names
    ]
    relations = []
    for _ in range(rng.randint(5, 45)):
        kind = rng.choice(RELATION_KINDS)
        source, target = rng.sample(names, 2)
        row = {"source": source, "target": target, "kind": kind, "amount": rng.choice([None, 10.0, 5e6])}
        row["share"] = rng.choice([None, 0.02, 0.06]) if kind == "owns" else None
        row["role"] = rng.choice(ROLES)
        relations.append(dated(row))
    values = {
        "boolean": [True, False, "unknown"],
        "number": [0, 0.2, 5, 1e8, "unknown"],
        "level": ["low", "medium", "high", "unknown"],
        "text": TEXTS,
    }
    facts = [
        dated({"entity": rng.choice(names), "fact": fact, "value": rng.choice(values[kind])})
        for fact, kind in rng.choices(list(FACT_TYPES.items()), k=40)
    ]
    cases = []
    for _ in range(rng.randint(0, 12)):
        row = {
            "entity": rng.choice(names),
            "type": rng.choice(CASE_TYPES),
            "topic": rng.choice([None, "p2p", "unlicensed"]),
        }
        row["authority"] = rng.choice([None, "r1"])
        row["due"] = rng.choice([None, "2016-05-31", "2016-09-30"])
        cases.append(dated(row))
    licences = [dated({"entity": rng.choice(names), "sector": rng.choice(SECTORS)}) for _ in range(rng.randint(0, 6))]
    return [pd.DataFrame(rows) if rows else None for rows in (entities, relations, cases, licences, facts)]


@pytest.mark.parametrize("seed", range(40))
def test_nothing_fails_and_everything_can_be_shown(seed, catalogue):
    frames = tables(seed)
    graph = rg.EntityGraph.from_tables(*frames, on_error="quarantine")
    findings = {lang: screen(graph, catalogue, at=AT, lang=lang) for lang in ("zh", "en")}
    out = findings["en"]
    assert out.drop(columns="text").equals(findings["zh"].drop(columns="text"))
    assert out["severity"].between(0, 1).all()
    known = {str(ref) for table in ("relations", "cases", "licences", "facts") for ref in graph.known(table)["id"]}
    for refs in out["evidence"]:
        assert refs
        for ref in refs:
            assert ref in known or ref.split(".")[0] in graph, ref
    labels = classify_sectors(graph, catalogue, at=AT)
    assert set(labels["sector"]) <= set(catalogue.sectors)
    for level in ("county", "province"):
        rows = assign(graph, catalogue, at=AT, level=level)
        assert ((rows["lead"] != "") ^ (rows["queue"] != "")).all()
        agencies = {part for cell in (*rows["lead"], *rows["assist"]) for part in cell.split(";") if part}
        assert agencies <= set(catalogue.agencies)
    verdicts = triage(graph, catalogue, at=AT)
    assert not len(verdicts[(verdicts["verdict"] == "compliant") & (verdicts["missing"].map(len) > 0)])
    assert dispose(graph, catalogue, at=AT)["entity"].is_unique
    totals = statistics(graph, catalogue, at=AT).groupby("level")["count"].sum()
    assert totals.nunique() <= 1
    for function in (monitor, action_lists, contagion_gain, control_clusters):
        function(graph, catalogue, at=AT)
    binary = extended_supervision(graph, catalogue, at=AT)
    weighted = extended_supervision(graph, catalogue, at=AT, score="noisy_or", depth=3)
    assert set(binary["entity"]) <= set(weighted["entity"])
    assert weighted["score"].between(0, 1).all()
    name = str(graph.ids[seed % len(graph)])
    assert dossier(graph, name, catalogue, at=AT).to_json()
    assert len(consolidate(graph, name, at=AT)) == 1
    closing_impact(graph, name, at=AT)


@pytest.mark.parametrize("seed", range(8))
def test_relabelling_changes_nothing(seed, catalogue):
    frames = tables(seed)
    entities, relations, cases, licences, facts = frames
    graph = rg.EntityGraph.from_tables(*frames, on_error="quarantine")

    def renamed(frame, *columns):
        return None if frame is None else frame.assign(**{name: "z" + frame[name].str[1:] for name in columns})

    twin = rg.EntityGraph.from_tables(
        renamed(entities, "id"), renamed(relations, "source", "target"), renamed(cases, "entity"),
        renamed(licences, "entity"), renamed(facts, "entity"), on_error="quarantine",
    )  # fmt: skip
    first, second = (screen(item, catalogue, at=AT)[["entity", "rule", "severity"]] for item in (graph, twin))
    assert first.assign(entity="z" + first["entity"].str[1:]).equals(second)
