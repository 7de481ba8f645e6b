"""An invented graph with a secret in every place where a text can stand."""

from __future__ import annotations

import pandas as pd

import riskgraph as rg

KEY = b"an invented key, only for tests"
OTHER_KEY = b"another key of the same length."
#: a card number of the right form: an invented place and birthday, the check digit computed
CARD = "110101199003074514"
#: texts that must not be found where persons are hidden
PERSONAL = (
    "person-0001",
    "person-0002",
    "Ann Xamplova",
    "柳不存在",
    CARD,
    "13912345678",
    "ann@example.invalid",
    "Hidden Lane 5",
    "whistle-blower-77",
    "Never Listed",
)
#: texts that must not leave the house in a shared case either
BUSINESS = (
    "firm-000A",
    "firm-000B",
    "Zebra Holding Ltd",
    "斑马投资（澄湖）有限公司",
    "91110000600037341L",
    "213800KUD8LAJWSQ9D15",
    "scope of zebras",
    "the zebra register",
    "agency-of-zebras",
    "ZEB-2003-01",
    "zebra-topic",
    "zebra words of an advertisement",
    "zebra_extra_column",
    "zebra extra cell",
    "zebra-role",
    "329921",
)


def secrets_graph() -> rg.EntityGraph:
    ref = "the zebra register"
    entities = pd.DataFrame(
        {
            "id": ["person-0001", "person-0002", "firm-000A", "firm-000B", "acc-1"],
            "kind": ["person", "person", "company", "company", "account"],
            "name": [
                "Ann Xamplova",
                "柳不存在",
                "Zebra Holding Ltd",
                "斑马投资（澄湖）有限公司",
                "Ann Xamplova savings",
            ],
            "sector": [None, None, "payment", "fund", None],
            "uscc": [CARD, None, "91110000600037341L", None, None],
            "lei": [None, None, "213800KUD8LAJWSQ9D15", None, None],
            "scope": [None, None, "scope of zebras, ask Ann Xamplova", None, None],
            "registered_in": ["329921", None, "329921", "329921", None],
            "capital": [None, None, 5e6, 1e6, None],
            "zebra_extra_column": ["Hidden Lane 5", None, "zebra extra cell", "call 13912345678", None],
            "email": ["ann@example.invalid", None, "ann@example.invalid", None, None],
            "card_as_number": pd.array([int(CARD), pd.NA, 7, 8, 9], dtype="Int64"),
            "source_ref": [f"{ref}/person-0001", None, ref, ref, None],
        }
    )
    relations = pd.DataFrame(
        {
            "id": ["person-0001>firm-000A", "r2", "r3", "r4", "r5", "r6"],
            "source": ["person-0001", "person-0002", "firm-000A", "firm-000B", "person-0002", "acc-1"],
            "target": ["firm-000A", "firm-000A", "firm-000B", "firm-000A", "firm-000B", "firm-000A"],
            "kind": ["owns", "owns", "owns", "owns", "officer", "pays"],
            "share": [0.51, 0.25, 0.7, 0.1, None, None],
            "amount": [None, None, None, None, None, 1234.5],
            "role": [None, None, None, None, "zebra-role", None],
            "start": ["2010-01-01", "2012-01-01", None, "2014-01-01", "2013-01-01", "2015-06-01"],
            "end": [None, "2015-01-01", None, None, None, None],
            "source_ref": [ref, "柳不存在", None, None, None, f"{ref} by 柳不存在 13912345678"],
        }
    )
    cases = pd.DataFrame(
        {
            "entity": ["firm-000A", "firm-000A", "person-0002"],
            "type": ["banned", "tipoff", "sanctioned"],
            "severity": [0.9, 0.2, 0.5],
            "authority": ["agency-of-zebras", "whistle-blower-77", "agency-of-zebras"],
            "topic": ["zebra-topic", "ann xamplova did it", None],
            "start": ["2015-03-01", "2015-04-01", "2015-05-01"],
        }
    )
    licences = pd.DataFrame(
        {"entity": ["firm-000A"], "sector": ["payment"], "issuer": ["agency-of-zebras"], "number": ["ZEB-2003-01"]}
    )
    facts = pd.DataFrame(
        {
            "entity": ["firm-000A", "firm-000A", "firm-000A", "person-0001", "person-0001", "firm-000A", "firm-000B"],
            "fact": [
                "legal_representative", "ad_text", "capital_pool", "address", "name", "undisclosed_owner", "equity",
            ],
            "value": [
                "Never Listed", "zebra words of an advertisement by Ａnn Xamplova", True, "Hidden Lane 5", "柳不存在",
                "person-0002", 1e6,
            ],
        }
    )  # fmt: skip
    return rg.EntityGraph.from_tables(entities, relations, cases, licences, facts)


def texts_of(graph):
    """Every text cell and column name of a graph, its quality report and what it left out."""
    frames = [*graph.tables().values(), graph.quality, *graph.rejected.values()]
    found = {str(column) for frame in frames for column in frame}
    for frame in frames:
        for column in frame:
            found |= {str(value) for value in frame[column].dropna().unique()}
        found |= {str(label) for label in frame.index if isinstance(label, str)}
    return found
