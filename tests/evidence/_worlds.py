"""A small invented world in which every question has an answer, and shuffles of its rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

import riskgraph as rg

#: a question → its parameters in the small world
ASKED = {
    "integrated_ownership": {},
    "control": {"threshold": 0.5},
    "ultimate_controllers": {},
    "beneficial_owners": {"rule": "eu_amlr"},
    "business_groups": {},
    "close_links": {},
    "voting_power": {"company": "c2", "index": "shapley"},
    "explain_control": {"controller": "ann", "company": "c3"},
    "explain_ownership": {"owner": "ann", "asset": "c3"},
    "why_not": {"controller": "bob", "company": "c2"},
    "cascade": {"lang": "en"},
    "threshold": {},
    "pagerank": {"damping": 0.8, "seeds": {"c1": 1.0}},
    "debtrank": {"seeds": ["c1"]},
    "clearing": {"seeds": ["c1"]},
    "heat": {},
    "harmonic": {},
    "look_through": {},
    "product_balances": {},
    "circuits": {},
    "patterns": {},
    "ultimate_investors": {"product": "f2"},
    "investor_count": {"product": "f2"},
    "layers": {"product": "f2"},
    "nesting": {},
    "screen": {"lang": "en"},
    "classify_sectors": {},
    "triage": {"at": "2016-06-30"},
    "dispose": {},
    "assign": {"level": "province"},
    "statistics": {"by": "sector"},
    "monitor": {},
    "tipoffs": {},
    "verify_declared": {},
    "consolidate": {"entity": "c1"},
    "dossier": {"entity": "c1"},
}


def tables():
    """Frames without ids of rows: the graph numbers them."""
    entities = pd.DataFrame(
        {
            "id": ["c1", "c2", "c3", "c4", "ann", "bob", "f1", "f2", "w1"],
            "kind": ["company"] * 4 + ["person"] * 2 + ["product"] * 2 + ["website"],
            "name": [
                "甲网络借贷有限公司", "乙投资管理有限公司", "丙商贸有限公司", "丁银行", "柳不存在", "Bob", "稳健1号",
                "稳健2号", None,
            ],
            "sector": ["p2p", "wealth_management", "other", "bank", None, None, "fund", "fund", None],
            "registered_in": ["320581"] * 4 + [None] * 5,
            "operates_in": ["320581", "320581;320582", None, "320500"] + [None] * 5,
            "capital": [1e7, 5e6, 1e6, 1e9] + [None] * 5,
            "scope": ["网络借贷信息中介", "投资咨询", "日用百货", "存款贷款"] + [None] * 5,
            "start": ["2010-01-01", "2011-01-01", None, "2000-01-01", None, None, "2015-01-01", "2015-02-01", None],
            "score_of_old": [1, 2, 3, 4, 5, 6, 7, 8, 9],
        }
    )  # fmt: skip
    owns = [
        ("ann", "c1", 0.6), ("bob", "c1", 0.4), ("c1", "c2", 0.51), ("bob", "c2", 0.3), ("ann", "c2", 0.19),
        ("c2", "c3", 0.7), ("c3", "c2", 0.0), ("c4", "c3", 0.3), ("c3", "c4", 0.001),
    ]  # fmt: skip
    rows = [{"source": a, "target": b, "kind": "owns", "share": share} for a, b, share in owns]
    rows += [
        {"source": "ann", "target": "c1", "kind": "officer", "role": "legal_representative", "start": "2010-01-01"},
        {"source": "bob", "target": "c2", "kind": "officer", "role": "director", "end": "2016-01-01"},
        {"source": "ann", "target": "f1", "kind": "invests", "amount": 3e6},
        {"source": "bob", "target": "f1", "kind": "invests", "amount": 1e6},
        {"source": "bob", "target": "f1", "kind": "invests", "amount": 1e6},
        {"source": "f1", "target": "f2", "kind": "invests", "amount": 4e6},
        {"source": "f2", "target": "c3", "kind": "invests", "amount": 3.5e6},
        {"source": "c2", "target": "f1", "kind": "manages"},
        {"source": "c2", "target": "f2", "kind": "manages"},
        {"source": "c4", "target": "f1", "kind": "distributes"},
        {"source": "c4", "target": "c2", "kind": "lends", "amount": 2e6},
        {"source": "c2", "target": "c3", "kind": "lends", "amount": 1e6},
        {"source": "c3", "target": "c1", "kind": "guarantees", "amount": 5e5},
        {"source": "c1", "target": "w1", "kind": "operates"},
        {"source": "bob", "target": "ann", "kind": "kin"},
    ]
    cases = pd.DataFrame(
        {
            "entity": ["c1", "c2", "c2", "c3"],
            "type": ["banned", "tipoff", "tipoff", "order"],
            "severity": [0.9, 0.1, 0.1, None],
            "authority": [None, "x", "y", "finance_office"],
            "topic": [None, "illegal_fundraising", "illegal_fundraising", None],
            "due": [None, None, None, "2016-05-01"],
            "start": ["2016-02-01", "2016-03-01", "2016-03-01", "2016-04-01"],
        }
    )
    licences = pd.DataFrame({"entity": ["c4"], "sector": ["bank"], "issuer": ["banking_regulator"], "number": ["B-1"]})
    facts = [
        ("c1", "capital_pool", True), ("c1", "principal_guarantee", "unknown"), ("c2", "promised_yield", 0.18),
        ("c4", "equity", 5e6), ("c2", "equity", 1e6), ("c3", "equity", 1e5), ("c1", "equity", 1e6),
        ("c4", "external_assets", 9e6), ("c2", "external_assets", 1e6), ("c3", "external_assets", 1e5),
        ("c1", "external_assets", 0.0), ("c1", "assets", 1e6), ("c1", "liabilities", 5e5),
        ("c2", "assets", 1e6), ("c2", "liabilities", 5e5), ("c3", "assets", 1e6), ("c3", "liabilities", 5e5),
        ("c2", "ad_text", "保本高收益 年化18%"), ("c1", "address", "澄湖县不存在路1号"), ("c1", "loan_balance", 2e7),
    ]  # fmt: skip
    return {
        "entities": entities,
        "relations": pd.DataFrame(rows),
        "cases": cases,
        "licences": licences,
        "facts": pd.DataFrame(facts, columns=["entity", "fact", "value"]).assign(start="2016-01-01"),
    }


def world():
    return rg.EntityGraph.from_tables(**tables())


def shuffled(frames, seed):
    """The same rows and columns in another order."""
    rng = np.random.default_rng(seed)
    return {
        name: frame.iloc[rng.permutation(len(frame))][list(rng.permutation(frame.columns))].reset_index(drop=True)
        for name, frame in frames.items()
    }
