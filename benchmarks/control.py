"""Control of all pairs, and all ultimate controllers, against a worklist over networkx and a loop of SQL."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
from timing import arguments, interleaved, keep, table

import riskgraph as rg
from riskgraph._sparse import SHARE_UNITS, exact_shares
from riskgraph.ownership._verdicts import Terms, control_pairs


def worklist(G: nx.DiGraph) -> set[tuple[int, int]]:
    """All pairs of strict majority control by joint votes, one controller after another."""
    found = set()
    half = SHARE_UNITS // 2
    for x in G:
        votes: dict[int, int] = defaultdict(int)
        waiting = [x]
        controlled = {x}
        while waiting:
            for _, y, units in G.out_edges(waiting.pop(), data="units"):
                votes[y] += units
                if votes[y] > half and y not in controlled:
                    controlled.add(y)
                    waiting.append(y)
                    found.add((x, y))
    return found


def sql_loop(db: Any) -> None:
    """The same pairs as a table ``control``: votes are added up in rounds of SQL until nobody gains control."""
    half = SHARE_UNITS // 2
    db.execute("CREATE OR REPLACE TEMP TABLE votes AS SELECT owner AS x, company AS y, units FROM holdings")
    db.execute(f"CREATE OR REPLACE TEMP TABLE front AS SELECT x, y FROM votes WHERE units > {half}")
    db.execute("CREATE OR REPLACE TEMP TABLE control AS FROM front")
    while db.execute("SELECT count(*) FROM front").fetchone()[0]:
        db.execute(
            "CREATE OR REPLACE TEMP TABLE more AS SELECT f.x, h.company AS y, sum(h.units)::BIGINT AS units "
            "FROM front f JOIN holdings h ON h.owner = f.y WHERE h.company <> f.x GROUP BY ALL"
        )
        db.execute("INSERT INTO votes FROM more")
        db.execute(
            "CREATE OR REPLACE TEMP TABLE front AS SELECT x, y FROM votes SEMI JOIN more USING (x, y) "
            f"ANTI JOIN control USING (x, y) GROUP BY x, y HAVING sum(units) > {half}"
        )
        db.execute("INSERT INTO control FROM front")


def tops(pairs: set[tuple[int, int]]) -> dict[int, set[int]]:
    """Controllers of each company that nobody controls."""
    controlled = {y for _, y in pairs}
    above: dict[int, set[int]] = defaultdict(set)
    for x, y in pairs:
        if x not in controlled:
            above[y].add(x)
    return above


def main() -> None:
    given = arguments(__doc__)
    size = int(given.size)
    graph = rg.datasets.make_registry(size, random_state=1)
    # both sides get plain holdings: agreements and concert groups are not what is measured
    frame = graph.columns
    rows = frame.of("owns")
    held = rg.EntityGraph._like(
        graph,
        entities=graph._all,
        relations=graph._store.take(graph.columns.row[rows]),
        day=None,
        known=None,
        dated=False,
    )
    columns = held.columns
    owner, company = columns.source.tolist(), columns.target.tolist()
    units = exact_shares(np.nan_to_num(columns.votes_min)).tolist()

    def build() -> nx.DiGraph:
        G: nx.DiGraph = nx.DiGraph()
        for x, y, u in zip(owner, company, units, strict=True):
            if x != y:
                G.add_edge(x, y, units=u + (G[x][y]["units"] if G.has_edge(x, y) else 0))
        return G

    def fresh() -> None:
        for key in [key for key in held._cache if key[:1] == ("ownership",)]:
            del held._cache[key]

    def ours() -> object:
        fresh()
        return control_pairs(held, Terms())

    def ready() -> object:
        held._cache.pop(("ownership", "control", Terms()), None)
        return control_pairs(held, Terms())

    def frames() -> object:
        fresh()
        return rg.ownership.control(held)

    def ultimate() -> object:
        fresh()
        return rg.ownership.ultimate_controllers(held)

    pairs = control_pairs(held, Terms())
    sure = (pairs.verdict == 2) & (pairs.start != pairs.company)
    G = build()
    theirs = worklist(G)
    mine = set(zip(pairs.start[sure].tolist(), pairs.company[sure].tolist(), strict=True))
    if mine != theirs:
        raise SystemExit(f"the pairs differ: {len(mine - theirs)} only ours, {len(theirs - mine)} only theirs")
    above = tops(theirs)
    found = rg.ownership.ultimate_controllers(held)
    named = found[found["outcome"].isin(["sole", "joint"])]
    have = set(zip(held.codes(named["controller"]).tolist(), held.codes(named["company"]).tolist(), strict=True))
    doubtful = set(held.codes(found.loc[found["outcome"] == "undetermined", "company"]).tolist())
    want = {(x, y) for y, many in above.items() if y not in doubtful for x in many}
    if have != want:
        raise SystemExit("the ultimate controllers differ")
    ways = {
        "pairs, votes ready": ready,
        "pairs as arrays": ours,
        "control frame": frames,
        "worklist over networkx": lambda: worklist(G),
    }
    if importlib.util.find_spec("duckdb"):
        import duckdb

        db = duckdb.connect()
        summed = pd.DataFrame(list(G.edges(data="units")), columns=["owner", "company", "units"])
        db.register("summed", summed)
        db.execute("CREATE TABLE holdings AS FROM summed ORDER BY owner")
        sql_loop(db)
        if set(db.execute("FROM control").fetchall()) != theirs:
            raise SystemExit("the pairs of the loop of SQL differ")
        ways["loop of SQL in DuckDB, table ready"] = lambda: sql_loop(db)
    else:
        print("duckdb is not installed: no loop of SQL")
    rounds = given.rounds if size <= 100_000 else 1
    seconds = interleaved(ways, rounds)
    figures = [
        table(
            f"control of all pairs, {size:,} companies, {len(columns):,} holdings",
            seconds,
            "control frame",
            pairs_of_control=len(theirs),
            pairs_listed=pairs.start.size,
            greatest_depth=int(pairs.depth.max()),
        )
    ]
    seconds = interleaved({"ultimate_controllers": ultimate, "worklist and tops": lambda: tops(worklist(G))}, rounds)
    figures.append(table(f"ultimate controllers, {size:,} companies", seconds, "ultimate_controllers", named=len(have)))
    keep(given.json, figures)


if __name__ == "__main__":
    main()
