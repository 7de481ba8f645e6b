"""Numbers that few relations have are kept scattered, and read as if they were not."""

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph._columns import Scattered


def numbers(rng, size, part):
    return np.where(rng.random(size) < part, rng.integers(1, 9, size) / 10, np.nan)


@pytest.mark.parametrize("part", [0.01, 0.2, 0.9])
def test_scattered_is_read_like_an_array(part):
    rng = np.random.default_rng(int(100 * part))
    for size in (1, 5, 300):
        dense = numbers(rng, size, part)
        dense[rng.integers(size)] = 0.3
        column = Scattered(dense)
        rows = rng.integers(0, size, 40)
        np.testing.assert_array_equal(column[rows], dense[rows])
        np.testing.assert_array_equal(column[rows[:0]], dense[:0])
        np.testing.assert_array_equal(np.asarray(column), dense)
        assert column.nbytes == 12 * np.count_nonzero(~np.isnan(dense))


@pytest.mark.parametrize("part", [0.0, 0.1, 0.25, 0.6])
def test_a_graph_answers_alike_however_its_numbers_are_kept(part):
    rng = np.random.default_rng(7)
    names = np.array([f"C{i}" for i in range(30)], dtype=object)
    source, target = rng.integers(0, 15, 200), rng.integers(15, 30, 200)
    given = pd.DataFrame({"source": names[source], "target": names[target], "kind": "lends"})
    given["amount"], given["confidence"] = numbers(rng, 200, part), numbers(rng, 200, part / 2)
    graph = rg.EntityGraph.from_tables(pd.DataFrame({"id": names, "kind": "company"}), given)
    few = isinstance(graph._store.numbers.get("amount"), Scattered)
    assert few == (0 < graph.columns.amount.size - np.isnan(given["amount"]).sum() <= 50)
    for name in ("amount", "confidence"):
        np.testing.assert_array_equal(graph.relations[name], given[name])
        np.testing.assert_array_equal(getattr(graph.columns, name), given[name])
    some = graph.subgraph(names[5:25])
    inside = given["source"].isin(names[5:25]) & given["target"].isin(names[5:25])
    np.testing.assert_array_equal(some.relations["amount"], given["amount"][inside])
    again = rg.EntityGraph.from_tables(**graph.tables())
    assert again.equals(graph)
    more = graph.with_changes(add=given.iloc[:3].assign(amount=5.0), remove=["r0"])
    np.testing.assert_array_equal(more.relations["amount"], [*given["amount"][1:], 5.0, 5.0, 5.0])


def test_few_numbers_take_little_room():
    names = [f"C{i}" for i in range(1_000)]
    pairs = pd.DataFrame({"source": names[:-1], "target": names[1:], "kind": "lends"})
    entities = pd.DataFrame({"id": names, "kind": "company"})
    bare = rg.EntityGraph.from_tables(entities, pairs)
    pairs["amount"] = np.nan
    pairs.loc[7, "amount"] = 5.0
    assert rg.EntityGraph.from_tables(entities, pairs).nbytes == bare.nbytes + 12
