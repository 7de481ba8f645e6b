from __future__ import annotations

import pytest

import riskgraph as rg

from ._secrets import secrets_graph


@pytest.fixture(scope="session")
def graph() -> rg.EntityGraph:
    return secrets_graph()


@pytest.fixture(scope="session")
def county() -> rg.EntityGraph:
    return rg.datasets.load_county().graph
