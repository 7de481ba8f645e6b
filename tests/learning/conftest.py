from __future__ import annotations

import pandas as pd
import pytest

import riskgraph as rg


@pytest.fixture(scope="session")
def county() -> rg.EntityGraph:
    return rg.datasets.load_county().graph


@pytest.fixture(scope="session")
def companies(county: rg.EntityGraph) -> list[str]:
    frame = county.entities
    return frame.loc[frame["kind"] == "company", "id"].tolist()


def small_graph(**tables: pd.DataFrame) -> rg.EntityGraph:
    """Four firms, one person; A under a case since 2015, B entered one in May 2016."""
    frames = {
        "entities": pd.DataFrame(
            {
                "id": ["A", "B", "C", "D", "p"],
                "kind": ["company"] * 4 + ["person"],
                "capital": [1e6, 1e7, None, 1e5, None],
                "start": ["2010-01-01", "2012-01-01", "2014-06-30", "2016-08-01", None],
                "end": [None, None, "2017-02-01", None, None],
                "status": ["revoked", "revoked", "open", "open", None],
            }
        ),
        "relations": pd.DataFrame(
            {
                "source": ["p", "p", "p", "A", "B"],
                "target": ["A", "B", "C", "C", "D"],
                "kind": ["owns", "officer", "officer", "owns", "owns"],
                "share": [0.6, None, None, 0.4, 0.9],
                "role": [None, "legal_representative", "director", None, None],
                "start": ["2010-01-01", "2012-01-01", "2014-06-30", "2015-02-01", "2016-08-01"],
                "end": [None, "2016-12-31", None, None, None],
            }
        ),
        "cases": pd.DataFrame(
            {
                "entity": ["A", "B"],
                "type": ["banned", "illegal_fundraising"],
                "start": ["2015-03-01", "2016-05-10"],
                "known_from": ["2015-04-01", "2016-06-20"],
            }
        ),
        "facts": pd.DataFrame(
            {
                "entity": ["C", "C", "B", "C"],
                "fact": ["loan_balance", "loan_balance", "capital_pool", "own_number"],
                "value": [5.0, 9.0, True, 3.0],
                "start": ["2015-01-01", "2016-09-01", "2016-01-01", "2015-01-01"],
            }
        ),
        **tables,
    }
    return rg.EntityGraph.from_tables(**frames)


@pytest.fixture
def small() -> rg.EntityGraph:
    return small_graph()
