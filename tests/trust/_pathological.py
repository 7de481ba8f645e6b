"""Worlds that no registry should hold, each asked every question; answers are closed forms or named refusals.

Run as a script, with the names of worlds or all: the process may not map more than ``MEMORY`` bytes, so that a question
which would eat the machine ends in a MemoryError.
"""

from __future__ import annotations

import json
import sys
import time
import traceback

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.nesting import NestingScorer, look_through
from riskgraph.ownership import control, integrated_ownership, ultimate_controllers

#: address space of a child, in bytes: interpreter and libraries take some 1.5 GB of it
MEMORY = 4 << 30
HALF = {("owns", "forward"): 0.5, ("invests", "forward"): 0.5}


def build(ids, kinds, source, target, kind="owns", **columns):
    return rg.EntityGraph.from_tables(
        pd.DataFrame({"id": ids, "kind": kinds}),
        pd.DataFrame({"source": source, "target": target, "kind": kind, **columns}),
    )


def names(prefix, count):
    return [f"{prefix}{spot}" for spot in range(count)]


def risks(graph, seed, transmission=HALF):
    return rg.propagate(graph, [seed], "cascade", transmission=transmission).scores_


def scores(graph):
    return NestingScorer().fit(graph).report_.set_index("entity")


def nothing_in_products(graph):
    assert look_through(graph).empty


def ring():
    """10,000 companies, each all of the next."""
    ids = names("c", 10_000)
    graph = build(ids, "company", ids, ids[1:] + ids[:1], share=1.0)
    found = integrated_ownership(graph, ["c0"])
    assert found["asset"].tolist() == ids[1:]
    assert (found[["share_min", "share_max"]] == 1.0).all(axis=None)
    assert [len(loop) for loop in found.attrs["ownerless_loops"]] == [10_000]
    np.testing.assert_allclose(risks(graph, "c0"), 0.5 ** np.arange(10_000), rtol=1e-9, atol=1e-300)
    assert (scores(graph).loc[ids, "circularity"] == 1).all()
    nothing_in_products(graph)


def ring_of_control():
    """The pairs of control in a ring are all pairs, so that a smaller one is asked: 400 companies, 159,600 pairs."""
    ids = names("c", 400)
    graph = build(ids, "company", ids, ids[1:] + ids[:1], share=1.0)
    found = control(graph)
    assert len(found) == 400 * 399
    steps = (found["company"].str[1:].astype(int) - found["controller"].str[1:].astype(int)) % 400
    assert (found["depth"] == steps).all()
    assert (found["verdict"] == "yes").all()
    outcome = ultimate_controllers(graph)
    assert outcome["outcome"].tolist() == ["ownerless_loop"] * 400


def leaking_ring():
    """10,000 companies, each 51 % of the next: control goes round, ownership dies out."""
    ids = names("c", 10_000)
    graph = build(ids, "company", ids, ids[1:] + ids[:1], share=0.51)
    found = integrated_ownership(graph, ["c0"], min_share=1e-6)
    np.testing.assert_allclose(found["share_min"], 0.51 ** np.arange(1, len(found) + 1), atol=1e-12)
    assert len(found) == 20  # 0.51^20 is above a millionth, 0.51^21 is not
    assert found.attrs["ownerless_loops"] == []


def complete():
    """Each of 600 companies 1/600 of every other: from each to each a half, 1/n + (n - 2)/n · s = s."""
    count = 600
    ids = np.array(names("c", count), dtype=object)
    one, other = np.nonzero(~np.eye(count, dtype=bool))
    graph = build(ids, "company", ids[one], ids[other], share=1 / count)
    found = integrated_ownership(graph, ["c0"])
    np.testing.assert_allclose(found["share_min"], 0.5, atol=1e-9)
    assert len(found) == count - 1
    assert set(control(graph)["verdict"]) == {"no"}
    # a shareholder holds one part in 600 and nobody else is on record for the last one: no control either way
    assert set(ultimate_controllers(graph)["outcome"]) == {"none"}
    reached = risks(graph, "c0", {("owns", "forward"): 1.0})
    np.testing.assert_allclose(reached, 1.0)
    assert scores(graph)["score"].between(0, 1).all()
    nothing_in_products(graph)


def star():
    """One company holds 60 % of a million others."""
    count = 1_000_000
    ids = ["hub", *names("c", count)]
    graph = build(ids, "company", ["hub"] * count, ids[1:], share=0.6)
    found = control(graph)
    assert len(found) == count
    assert (found["controller"] == "hub").all()
    assert (found["verdict"] == "yes").all()
    assert (found["depth"] == 1).all()
    assert integrated_ownership(graph, None, ["c7", "c999999"])["share_min"].tolist() == [0.6, 0.6]
    reached = risks(graph, "hub")
    assert reached["hub"] == 1
    assert (reached.iloc[1:] == 0.5).all()
    nothing_in_products(graph)


def star_of_people():
    """A company with 50,000 owners: none controls it."""
    count = 50_000
    ids = ["firm", *names("p", count)]
    graph = build(ids, ["company"] + ["person"] * count, ids[1:], ["firm"] * count, share=1 / count)
    found = integrated_ownership(graph, None, ["firm"])
    assert len(found) == count
    np.testing.assert_allclose(found["share_min"], 1 / count, rtol=1e-9)
    assert set(control(graph)["verdict"]) == {"no"}
    assert ultimate_controllers(graph)["outcome"].tolist() == ["none"]
    backward = risks(graph, "firm", {("owns", "backward"): 0.25})
    assert (backward.iloc[1:] == 0.25).all()
    assert scores(graph)["score"].between(0, 1).all()


def layers():
    """A saver's 100 through 5,000 products, one in the other, to a mine."""
    count = 5_000
    ids = ["saver", *names("f", count), "mine"]
    graph = build(ids, ["person"] + ["product"] * count + ["company"], ids[:-1], ids[1:], "invests", amount=100.0)
    (row,) = look_through(graph).itertuples(index=False)
    assert (row.holder, row.asset, row.share, row.amount) == ("saver", "mine", 1.0, 100.0)
    assert (row.layers_min, row.layers_max, row.through) == (count, count, tuple(ids[1:-1]))
    np.testing.assert_allclose(risks(graph, "saver"), 0.5 ** np.arange(count + 2), rtol=1e-9, atol=1e-300)
    assert scores(graph).loc["f0", "layers"] == count
    assert integrated_ownership(graph).empty
    assert control(graph).empty


def loops_of_all():
    """2,000 pairs of companies that own all of each other, and 2,000 that own all of themselves."""
    left, right, own = names("a", 2_000), names("b", 2_000), names("s", 2_000)
    ids = left + right + own
    graph = build(ids, "company", left + right + own, right + left + own, share=1.0)
    found = integrated_ownership(graph)
    assert len(found) == 4_000
    assert (found["share_min"] == 1).all()
    assert sorted(map(len, found.attrs["ownerless_loops"])) == [1] * 2_000 + [2] * 2_000
    assert set(ultimate_controllers(graph)["outcome"]) == {"ownerless_loop"}
    assert set(control(graph)["verdict"]) == {"yes"}
    reached = risks(graph, "a7")
    assert reached[["a7", "b7", "a8"]].tolist() == [1.0, 0.5, 0.0]
    assert scores(graph)["score"].between(0, 1).all()
    nothing_in_products(graph)


def loops_of_products():
    """3,000 products that only fund each other in a circle: money of nobody, said and not counted."""
    ids = names("f", 3_000)
    graph = build(ids, "product", ids, ids[1:] + ids[:1], "invests", amount=1.0)
    found = look_through(graph)
    assert found.empty
    assert [len(ring) for ring in found.attrs["closed"]] == [3_000]
    assert (scores(graph)["circularity"].dropna() == 1).all()


def missing_shares():
    """20,000 companies with two owners each, no share on record: anything from nothing to all."""
    count = 20_000
    people, firms = names("p", 2 * count), names("c", count)
    graph = build(people + firms, ["person"] * 2 * count + ["company"] * count, people, firms + firms)
    found = integrated_ownership(graph)
    assert len(found) == 2 * count
    assert (found["share_min"] == 0).all()
    assert (found["share_max"] == 1).all()
    assert set(control(graph)["verdict"]) == {"undetermined"}
    outcome = ultimate_controllers(graph)
    assert set(outcome["outcome"]) == {"undetermined"}
    assert outcome["votes"].isna().all()
    assert scores(graph)["score"].between(0, 1).all()
    nothing_in_products(graph)


def reversed_dates():
    """Every relation ends before it begins: each is refused by name, and what is left is a graph without relations."""
    count = 20_000
    ids = names("c", count + 1)
    entities = pd.DataFrame({"id": ids, "kind": "company"})
    relations = pd.DataFrame(
        {
            "source": ids[:-1],
            "target": ids[1:],
            "kind": "owns",
            "share": 0.5,
            "start": "2016-01-01",
            "end": "2015-01-01",
        }
    )
    with pytest.raises(rg.InvalidTable, match="2015-01-01") as refusal:
        rg.EntityGraph.from_tables(entities, relations)
    assert len(refusal.value.problems) == count
    assert len(str(refusal.value)) < 10_000
    graph = rg.EntityGraph.from_tables(entities, relations, on_error="quarantine")
    assert len(graph.rejected["relations"]) == len(graph.quality) == count
    assert len(graph.known("relations")) == 0
    everywhere_nothing(graph)


def one_person():
    """One person runs and owns a tenth of 50,000 firms."""
    count = 50_000
    ids = ["p", *names("c", count)]
    kinds = ["officer"] * count + ["owns"] * count
    graph = build(
        ids,
        ["person"] + ["company"] * count,
        ["p"] * 2 * count,
        ids[1:] * 2,
        kinds,
        share=[None] * count + [0.1] * count,
    )
    found = integrated_ownership(graph, ["p"])
    assert len(found) == count
    assert (found["share_min"] == 0.1).all()
    reached = risks(graph, "c0", {("officer", "backward"): 0.5, ("officer", "forward"): 0.5})
    assert reached[["c0", "p"]].tolist() == [1.0, 0.5]
    assert (reached.iloc[2:] == 0.25).all()
    assert set(control(graph)["verdict"]) == {"no"}
    assert scores(graph)["score"].between(0, 1).all()


def parallel():
    """5,000 relations of each kind between the same two."""
    count = 5_000
    ids = ["p", "f", "c", "d"]
    source, target = ["p"] * count + ["f"] * count + ["c"] * count, ["f"] * count + ["c"] * count + ["d"] * count
    kinds = ["invests"] * 2 * count + ["owns"] * count
    graph = build(
        ids, ["person", "product", "company", "company"], source, target, kinds,
        amount=[1.0] * 2 * count + [None] * count, share=[None] * 2 * count + [0.0001] * count,
    )  # fmt: skip
    (row,) = look_through(graph).itertuples(index=False)
    assert (row.holder, row.asset, row.share, row.amount, row.through) == ("p", "c", 1.0, 5_000.0, ("f",))
    (row,) = integrated_ownership(graph, ["c"]).itertuples(index=False)
    assert (row.asset, row.share_min, row.share_max) == ("d", 0.5, 0.5)
    (row,) = control(graph).itertuples(index=False)
    assert (row.votes_min, row.verdict) == (0.5, "no")
    reached = risks(graph, "c", {("owns", "forward"): 0.001})
    np.testing.assert_allclose(reached["d"], 1 - 0.999**count, rtol=1e-9)
    assert scores(graph)["score"].between(0, 1).all()


def empty():
    """No row in any table."""
    everywhere_nothing(build([], [], [], [], []))


def everywhere_nothing(graph):
    for frame in (integrated_ownership(graph), control(graph), look_through(graph)):
        assert frame.empty
    assert ultimate_controllers(graph)["controller"].isna().all()
    assert not rg.propagate(graph, method="cascade").scores_.any()
    assert not (scores(graph)["score"] > 0).any()


WORLDS = {
    world.__name__: world
    for world in (
        ring, ring_of_control, leaking_ring, complete, star, star_of_people, layers, loops_of_all, loops_of_products,
        missing_shares, reversed_dates, one_person, parallel, empty,
    )
}  # fmt: skip


def peak() -> float:
    """Most memory that this process has used, in GB, as Linux counts it for a program from its start."""
    with open("/proc/self/status") as stream:
        return next(int(line.split()[1]) for line in stream if line.startswith("VmHWM")) / 1e6


def main(wanted: list[str]) -> None:
    """Go through worlds; one line of JSON each: name, seconds of a processor, peak in GB so far, what went wrong."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for name in wanted or WORLDS:
        begin, wrong = time.process_time(), ""
        try:
            WORLDS[name]()
        except Exception:
            wrong = traceback.format_exc()
        line = {
            "world": name,
            "seconds": round(time.process_time() - begin, 1),
            "peak": round(peak(), 2),
            "wrong": wrong,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
