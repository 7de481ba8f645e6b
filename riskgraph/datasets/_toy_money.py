"""Toy graphs of money: who funds, lends to and guarantees whom."""

from __future__ import annotations

from riskgraph.datasets._build import from_sentences
from riskgraph.graph import EntityGraph

__all__ = [
    "toy_feeders",
    "toy_guarantee_ring",
    "toy_nested_cycle",
    "toy_nested_product",
]


def toy_nested_product() -> EntityGraph:
    """Saver's money on its way through three products of three sectors · 8 entities, 8 relations.

    ::

        Saver ──100──▶ BankPlan ──100──▶ TrustPlan ──100──▶ AssetPlan ──100──▶ Developer
                          ▲                 ▲                   ▲
                        manages          manages             manages
                         Bank           TrustHouse           Manager

    Three product layers; the Saver ends in a real-estate firm. The bank also sells its own plan.

    Examples
    --------
    >>> graph = toy_nested_product()
    >>> graph.summary()
           table              kind  count
    0   entities           company      4
    1   entities            person      1
    2   entities           product      3
    3  relations           invests      4
    4  relations           manages      3
    5  relations       distributes      1
    6   licences  asset_management      1
    7   licences              bank      1
    8   licences             trust      1
    >>> graph.entities.loc[graph.entities["kind"] == "product", "id"].tolist()
    ['BankPlan', 'TrustPlan', 'AssetPlan']
    """
    return from_sentences(
        {"person": "Saver", "company": "Bank TrustHouse Manager Developer", "product": "BankPlan TrustPlan AssetPlan"},
        [
            ("Saver", "invests", "BankPlan", 100.0),
            ("BankPlan", "invests", "TrustPlan", 100.0),
            ("TrustPlan", "invests", "AssetPlan", 100.0),
            ("AssetPlan", "invests", "Developer", 100.0),
            ("Bank", "manages", "BankPlan"),
            ("TrustHouse", "manages", "TrustPlan"),
            ("Manager", "manages", "AssetPlan"),
            ("Bank", "distributes", "BankPlan"),
        ],
        columns={
            "Bank": {"sector": "bank"},
            "TrustHouse": {"sector": "trust"},
            "Manager": {"sector": "asset_management"},
            "Developer": {"sector": "real_estate"},
            "BankPlan": {"sector": "bank"},
            "TrustPlan": {"sector": "trust"},
            "AssetPlan": {"sector": "asset_management"},
        },
        licences=[
            {"entity": "Bank", "sector": "bank", "issuer": "banking_regulator"},
            {"entity": "TrustHouse", "sector": "trust", "issuer": "banking_regulator"},
            {"entity": "Manager", "sector": "asset_management", "issuer": "securities_regulator"},
        ],
    )


def toy_nested_cycle() -> EntityGraph:
    """Three products that fund each other in a circle · 5 entities, 5 relations.

    ::

        Saver ──60──▶ Plum ──100──▶ Quince ──100──▶ Rowan ──60──▶ Mine
                        ▲                             │
                        └─────────────40──────────────┘

    Only 60 came in from outside and 60 reach Mine; the 40 go round. The longest chain through a circle is endless.

    Examples
    --------
    >>> graph = toy_nested_cycle()
    >>> graph.summary()
           table     kind  count
    0   entities  company      1
    1   entities   person      1
    2   entities  product      3
    3  relations  invests      5
    >>> graph.relations.groupby("target")["amount"].sum().to_dict()
    {'Mine': 60.0, 'Plum': 100.0, 'Quince': 100.0, 'Rowan': 100.0}
    """
    return from_sentences(
        {"person": "Saver", "product": "Plum Quince Rowan", "company": "Mine"},
        [
            ("Saver", "invests", "Plum", 60.0),
            ("Plum", "invests", "Quince", 100.0),
            ("Quince", "invests", "Rowan", 100.0),
            ("Rowan", "invests", "Plum", 40.0),
            ("Rowan", "invests", "Mine", 60.0),
        ],
    )


def toy_feeders() -> EntityGraph:
    """One fund split into three feeders that share investors · 9 entities, 10 relations.

    ::

        Ann ──▶ FeederA ──┐
        Bob ──▶ FeederA   │
        Bob ──▶ FeederB ──┼──▶ Master ◀── manages ── Manager
        Carl ─▶ FeederB   │
        Carl ─▶ FeederC ──┘
        Dan ──▶ FeederC

    Each feeder counts 2 investors, which sum to 6; the Master has 4 distinct ones. Each invests 10.

    Examples
    --------
    >>> graph = toy_feeders()
    >>> graph.summary()
           table     kind  count
    0   entities  company      1
    1   entities   person      4
    2   entities  product      4
    3  relations  invests      9
    4  relations  manages      1
    >>> people = graph.relations["source"].isin(["Ann", "Bob", "Carl", "Dan"])
    >>> int(people.sum()), graph.relations.loc[people, "source"].nunique()
    (6, 4)
    """
    investors = {"FeederA": ("Ann", "Bob"), "FeederB": ("Bob", "Carl"), "FeederC": ("Carl", "Dan")}
    return from_sentences(
        {"person": "Ann Bob Carl Dan", "product": "FeederA FeederB FeederC Master", "company": "Manager"},
        [
            *((name, "invests", feeder, 10.0) for feeder, names in investors.items() for name in names),
            *((feeder, "invests", "Master", 20.0) for feeder in investors),
            ("Manager", "manages", "Master"),
        ],
        columns={"Manager": {"sector": "fund"}},
    )


def toy_guarantee_ring() -> EntityGraph:
    """Three firms that guarantee each other's loans · 4 entities, 6 relations.

    ::

        Alder ──guarantees 10──▶ Birch ──guarantees 10──▶ Cedar
          ▲                                                 │
          └─────────────────guarantees 10───────────────────┘

        Bank ──lends 10──▶ Alder, Birch, Cedar

    Every loan is covered, and nobody outside the ring covers any.

    Examples
    --------
    >>> graph = toy_guarantee_ring()
    >>> graph.summary()
           table        kind  count
    0   entities     company      4
    1  relations  guarantees      3
    2  relations       lends      3
    >>> graph.relations.groupby("kind")["amount"].sum().to_dict()
    {'guarantees': 30.0, 'lends': 30.0}
    """
    firms = ("Alder", "Birch", "Cedar")
    return from_sentences(
        {"company": ("Bank", *firms)},
        [
            *((a, "guarantees", b, 10.0) for a, b in zip(firms, (*firms[1:], firms[0]), strict=True)),
            *(("Bank", "lends", firm, 10.0) for firm in firms),
        ],
        columns={"Bank": {"sector": "bank"}},
    )
