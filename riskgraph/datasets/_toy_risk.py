"""Toy graphs of risk: what it starts from, what it travels on, what must not carry it."""

from __future__ import annotations

from riskgraph.datasets._build import from_sentences
from riskgraph.graph import EntityGraph

__all__ = [
    "toy_agent",
    "toy_banned_platform",
    "toy_dated",
    "toy_namesakes",
]


def toy_banned_platform() -> EntityGraph:
    """Venue banned on 2016-08-01 and the people and firms around it · 9 entities, 8 relations.

    ::

        Operator ──70 %──▶ Platform ──operates──▶ Site
        Hank ─────30 %──────▶ ▲ ▲ ▲
        Rita ── legal rep. ───┘ │ └── member of ── UnitA, UnitB
                                │
        Rita ── director ──▶ Bakery (since 2016-09-05)
        Hank ──60 %──▶ Dairy

    From the Platform (the only seed) risk reaches Bakery through Rita, and Dairy through Hank.

    Examples
    --------
    >>> graph = toy_banned_platform()
    >>> graph.summary()
           table       kind  count
    0   entities    company      6
    1   entities     person      2
    2   entities    website      1
    3  relations       owns      3
    4  relations    officer      2
    5  relations   operates      1
    6  relations  member_of      2
    7      cases     banned      1
    >>> graph.seeds().to_dict()
    {'Platform': 1.0}
    """
    return from_sentences(
        {"company": "Platform Operator Bakery Dairy UnitA UnitB", "person": "Rita Hank", "website": "Site"},
        [
            ("Operator", "owns", "Platform", {"share": 0.7, "start": "2014-03-01"}),
            ("Hank", "owns", "Platform", {"share": 0.3, "start": "2014-03-01"}),
            ("Rita", "officer", "Platform", {"role": "legal_representative", "start": "2014-03-01"}),
            ("Platform", "operates", "Site", {"start": "2014-04-01"}),
            ("UnitA", "member_of", "Platform", {"start": "2015-01-01"}),
            ("UnitB", "member_of", "Platform", {"start": "2015-06-01"}),
            ("Rita", "officer", "Bakery", {"role": "director", "start": "2016-09-05"}),
            ("Hank", "owns", "Dairy", {"share": 0.6, "start": "2013-05-01"}),
        ],
        columns={"Platform": {"sector": "exchange"}, "UnitA": {"sector": "exchange"}, "UnitB": {"sector": "exchange"}},
        cases=[{"entity": "Platform", "type": "banned", "severity": 1.0, "start": "2016-08-01"}],
    )


def toy_namesakes() -> EntityGraph:
    """Two people of one name who may or may not be one · 4 entities, 3 relations.

    ::

        LiuWei1 ── legal rep. ──▶ Lender (banned)
           ┊ same as, 0.5
        LiuWei2 ──100 %──▶ Bakery

    The chance that they are one halves the risk that reaches Bakery; it never merges them.

    Examples
    --------
    >>> graph = toy_namesakes()
    >>> graph.summary()
           table     kind  count
    0   entities  company      2
    1   entities   person      2
    2  relations     owns      1
    3  relations  officer      1
    4  relations  same_as      1
    5      cases   banned      1
    >>> graph.entities.loc[graph.entities["kind"] == "person", "name"].tolist()
    ['刘伟', '刘伟']
    """
    return from_sentences(
        {"person": "LiuWei1 LiuWei2", "company": "Lender Bakery"},
        [
            ("LiuWei1", "officer", "Lender", {"role": "legal_representative"}),
            ("LiuWei1", "same_as", "LiuWei2", {"confidence": 0.5}),
            ("LiuWei2", "owns", "Bakery", 1.0),
        ],
        columns={"LiuWei1": {"name": "刘伟"}, "LiuWei2": {"name": "刘伟"}, "Lender": {"sector": "p2p"}},
        cases=[{"entity": "Lender", "type": "banned", "start": "2016-08-01"}],
    )


def toy_dated() -> EntityGraph:
    """Stake that changes hands on 2016-07-01, filed on 2016-07-20 · 4 entities, 3 relations.

    ::

        Ann ──60 %──▶ Mine     [2014-01-01, 2016-07-01)
        Bob ──60 %──▶ Mine     [2016-07-01, …)            known from 2016-07-20
        Carl ─40 %──▶ Mine     [2014-01-01, …)

    On 2016-06-30 Ann holds; on 2016-07-01 Bob does, never both.

    Examples
    --------
    >>> graph = toy_dated()
    >>> graph.summary()
           table     kind  count
    0   entities  company      1
    1   entities   person      3
    2  relations     owns      2
    >>> graph.at("2016-06-30").relations["source"].tolist()
    ['Ann', 'Carl']
    >>> graph.at("2016-07-01").relations["source"].tolist()
    ['Bob', 'Carl']
    >>> graph.at("2016-07-01", known="2016-07-15").relations["source"].tolist()
    ['Carl']
    """
    return from_sentences(
        {"person": "Ann Bob Carl", "company": "Mine"},
        [
            ("Ann", "owns", "Mine", {"share": 0.6, "start": "2014-01-01", "end": "2016-07-01"}),
            ("Bob", "owns", "Mine", {"share": 0.6, "start": "2016-07-01", "known_from": "2016-07-20"}),
            ("Carl", "owns", "Mine", {"share": 0.4, "start": "2014-01-01"}),
        ],
    )


def toy_agent() -> EntityGraph:
    """Nominee on the boards of eight firms, one of them banned · 9 entities, 8 relations.

    ::

        Agent ── nominee ──▶ Firm1 (banned)
              ── nominee ──▶ Firm2
              …
              ── nominee ──▶ Firm8

    Seven honest firms share nothing with Firm1 but the Agent: a hub must not flag them.

    Examples
    --------
    >>> graph = toy_agent()
    >>> graph.summary()
           table     kind  count
    0   entities  company      8
    1   entities   person      1
    2  relations  officer      8
    3      cases   banned      1
    >>> graph.relations["source"].value_counts().to_dict()
    {'Agent': 8}
    """
    firms = [f"Firm{number}" for number in range(1, 9)]
    return from_sentences(
        {"person": "Agent", "company": firms},
        [("Agent", "officer", firm, {"role": "nominee"}) for firm in firms],
        cases=[{"entity": "Firm1", "type": "banned", "severity": 1.0}],
    )
