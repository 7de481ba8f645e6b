"""Toy graphs of owners: who owns how much, and who controls."""

from __future__ import annotations

from riskgraph.datasets._build import from_sentences
from riskgraph.graph import EntityGraph

__all__ = [
    "toy_chain",
    "toy_concert",
    "toy_crossholding",
    "toy_diamond",
    "toy_interval",
    "toy_missing_share",
    "toy_ring",
]


def toy_chain() -> EntityGraph:
    """Chain of two holdings · 3 entities, 2 relations.

    ::

        Ann ──60 %──▶ Holding ──50 %──▶ Mine

    Ann's integrated share of Mine is 0.6 × 0.5 = 30 %. She controls Holding, but 50 % is no majority of Mine.

    Examples
    --------
    >>> graph = toy_chain()
    >>> graph.summary()
           table     kind  count
    0   entities  company      2
    1   entities   person      1
    2  relations     owns      2
    >>> graph.relations[["source", "target", "kind", "share_min"]]
        source   target  kind  share_min
    0      Ann  Holding  owns        0.6
    1  Holding     Mine  owns        0.5
    """
    return from_sentences(
        {"person": "Ann", "company": "Holding Mine"},
        [("Ann", "owns", "Holding", 0.6), ("Holding", "owns", "Mine", 0.5)],
    )


def toy_diamond() -> EntityGraph:
    """Two paths to one company · 5 entities, 6 relations.

    ::

                 ┌──100 %──▶ Left ───30 %──┐
        Ann ─────┤                         ▼
                 └───60 %──▶ Right ──25 %─▶ Mine
        Bob ─────────40 %──▶ Right          ▲
        Bob ─────────────────────────45 %───┘

    Ann owns 0.3 + 0.6 × 0.25 = 45 % of Mine and Bob 0.45 + 0.4 × 0.25 = 55 %,
    yet Ann controls Mine: Left and Right vote 55 % for her.

    Examples
    --------
    >>> graph = toy_diamond()
    >>> graph.summary()
           table     kind  count
    0   entities  company      3
    1   entities   person      2
    2  relations     owns      6
    >>> graph.relations.groupby("target")["share_min"].sum().round(12).to_dict()
    {'Left': 1.0, 'Mine': 1.0, 'Right': 1.0}
    """
    return from_sentences(
        {"person": "Ann Bob", "company": "Left Right Mine"},
        [
            ("Ann", "owns", "Left", 1.0),
            ("Ann", "owns", "Right", 0.6),
            ("Bob", "owns", "Right", 0.4),
            ("Left", "owns", "Mine", 0.3),
            ("Right", "owns", "Mine", 0.25),
            ("Bob", "owns", "Mine", 0.45),
        ],
    )


def toy_crossholding() -> EntityGraph:
    """Two companies that own half of each other · 4 entities, 4 relations.

    ::

        Ann ──50 %──▶ Alpha ──50 %──▶ Core ◀──50 %── Bob
                        ▲              │
                        └─────50 %─────┘

    The owners of Core are Bob with 2/3 and Ann with 1/3; a plain sum over walks gives Alpha 2/3 on top of that.

    Examples
    --------
    >>> graph = toy_crossholding()
    >>> graph.summary()
           table     kind  count
    0   entities  company      2
    1   entities   person      2
    2  relations     owns      4
    >>> graph.relations[["source", "target"]].apply(" → ".join, axis=1).tolist()
    ['Ann → Alpha', 'Core → Alpha', 'Alpha → Core', 'Bob → Core']
    """
    return from_sentences(
        {"person": "Ann Bob", "company": "Alpha Core"},
        [
            ("Ann", "owns", "Alpha", 0.5),
            ("Core", "owns", "Alpha", 0.5),
            ("Alpha", "owns", "Core", 0.5),
            ("Bob", "owns", "Core", 0.5),
        ],
    )


def toy_ring() -> EntityGraph:
    """Ring of companies that nobody outside owns, and its subsidiary · 5 entities, 5 relations.

    ::

        North ──100 %──▶ East ──100 %──▶ South ──80 %──▶ Mine ◀──20 %── Ann
          ▲                                │
          └─────────────100 %──────────────┘

    The ring owns all of itself: it has no ultimate owner, and 80 % of Mine ends in it.

    Examples
    --------
    >>> graph = toy_ring()
    >>> graph.summary()
           table     kind  count
    0   entities  company      4
    1   entities   person      1
    2  relations     owns      5
    >>> len(graph), len(graph.relations)
    (5, 5)
    """
    return from_sentences(
        {"person": "Ann", "company": "North East South Mine"},
        [
            ("North", "owns", "East", 1.0),
            ("East", "owns", "South", 1.0),
            ("South", "owns", "North", 1.0),
            ("South", "owns", "Mine", 0.8),
            ("Ann", "owns", "Mine", 0.2),
        ],
    )


def toy_concert() -> EntityGraph:
    """Two minority holders who vote together · 4 entities, 4 relations.

    ::

        Ann ──30 %──▶ Mine ◀──45 %── Carl
         ┊ concert     ▲
        Bob ───25 %────┘

    Alone nobody has a majority; Ann and Bob together vote 55 %.

    Examples
    --------
    >>> graph = toy_concert()
    >>> graph.summary()
           table     kind  count
    0   entities  company      1
    1   entities   person      3
    2  relations     owns      3
    3  relations  concert      1
    >>> graph.relations["kind"].value_counts().to_dict()
    {'owns': 3, 'concert': 1}
    """
    return from_sentences(
        {"person": "Ann Bob Carl", "company": "Mine"},
        [
            ("Ann", "owns", "Mine", 0.3),
            ("Bob", "owns", "Mine", 0.25),
            ("Carl", "owns", "Mine", 0.45),
            ("Ann", "concert", "Bob"),
        ],
    )


def toy_interval() -> EntityGraph:
    """Shares known only as bands · 3 entities, 2 relations.

    ::

        Ann ──50–75 %──▶ Holding ──25–50 %──▶ Mine

    Ann's share of Mine is between 12.5 and 37.5 %: whether it reaches 25 % is undetermined.

    Examples
    --------
    >>> graph = toy_interval()
    >>> graph.summary()
           table     kind  count
    0   entities  company      2
    1   entities   person      1
    2  relations     owns      2
    >>> graph.relations[["share_min", "share_max"]].to_numpy().tolist()
    [[0.5, 0.75], [0.25, 0.5]]
    """
    return from_sentences(
        {"person": "Ann", "company": "Holding Mine"},
        [
            ("Ann", "owns", "Holding", {"share_min": 0.5, "share_max": 0.75}),
            ("Holding", "owns", "Mine", {"share_min": 0.25, "share_max": 0.5}),
        ],
    )


def toy_missing_share() -> EntityGraph:
    """Holder whose share was not filed · 4 entities, 3 relations.

    ::

        Ann ──40 %──▶ Mine ◀──30 %── Carl
                       ▲
        Bob ────?──────┘

    Bob's share is not 0 and not 100 %: it lies between 0 and the 30 % the others leave.

    Examples
    --------
    >>> graph = toy_missing_share()
    >>> graph.summary()
           table     kind  count
    0   entities  company      1
    1   entities   person      3
    2  relations     owns      3
    >>> graph.relations["share_min"].tolist()
    [0.4, nan, 0.3]
    """
    return from_sentences(
        {"person": "Ann Bob Carl", "company": "Mine"},
        [("Ann", "owns", "Mine", 0.4), ("Bob", "owns", "Mine"), ("Carl", "owns", "Mine", 0.3)],
    )
