"""Why an entity has its score: its paths, what each seed and family of paths carries, and why another has none."""

from __future__ import annotations

import heapq
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph.graph import EntityGraph
from riskgraph.risk._arcs import Arcs
from riskgraph.risk._messages import log_missed
from riskgraph.risk._paths import Strongest, chains
from riskgraph.risk._sentences import path_sentence, relation_sentence
from riskgraph.risk.base import Found
from riskgraph.risk.hubs import Hubs
from riskgraph.schema import RELATION_KINDS, RELATION_NAMES

if TYPE_CHECKING:
    from riskgraph.risk.cascade import RiskCascade

__all__ = ["SPELLED", "contributions", "main_paths", "paths_frame", "why_not"]

#: steps of a path that the report spells out
SPELLED = 12


def paths_frame(graph: EntityGraph, found: list[Found], *, measure: str, lang: str) -> pd.DataFrame:
    """Paths as a frame: ``rank``, the measure, ``path``, ``relations``, ``text``."""
    positions = [[row for step in item.rows for row in step] for item in found]
    every = graph._store.frame(np.array([row for path in positions for row in path], dtype=np.int64), graph.ids)
    table = iter(every.to_dict("records"))
    rows = []
    for rank, (item, path) in enumerate(zip(found, positions, strict=True), start=1):
        relations = list(islice(table, len(path)))
        rows.append(
            {
                "rank": rank,
                measure: item.value,
                "path": tuple(graph.ids[list(item.entities)]),
                "relations": tuple(row["id"] for row in relations),
                "text": path_sentence(graph, item.entities, relations, item.value, measure=measure, lang=lang),
            }
        )
    frame = pd.DataFrame(rows, columns=["rank", measure, "path", "relations", "text"])
    return frame.astype({"rank": np.int64, measure: np.float64})


def main_paths(graph: EntityGraph, arcs: Arcs, best: Strongest, codes: np.ndarray, lang: str) -> dict[str, Any]:
    """The strongest path of many entities: columns ``seed, hops, path, reasons``.

    ``reasons`` are the kinds of relation and the direction in which each was passed, from the seed on; ``seed`` for a
    seed itself. Of more than :data:`SPELLED` steps only the last are spelled out, after an ellipsis.
    """
    ids = graph.ids.to_numpy()
    seed = codes.copy()
    hops = np.zeros(codes.size, dtype=np.int64)
    path = graph.names_of(codes).astype(object)
    reasons = np.full(codes.size, "", dtype=object)
    side = 1 if lang == "zh" else 0
    words = [RELATION_NAMES[kind][side] for kind in RELATION_KINDS]
    links = np.array([*(f" —{word}→ " for word in words), *(f" ←{word}— " for word in words)], dtype=object)
    marks = np.array([f"{kind}:{way}" for way in ("forward", "backward") for kind in RELATION_KINDS], dtype=object)
    for place, used in chains(best, codes):
        tail = arcs.tails(used)
        seed[place] = tail
        hops[place] += 1
        short = hops[place] <= SPELLED
        place, used, tail = place[short], used[short], tail[short]
        row, backward = arcs.main_rows(used)
        step = graph._store.kind[row].astype(np.int64) + len(words) * backward
        path[place] = graph.names_of(tail) + links[step] + path[place]
        more = np.where(hops[place] > 1, ">", "").astype(object)
        reasons[place] = marks[step] + more + reasons[place]
    long = hops > SPELLED
    path[long] = graph.names_of(seed[long]) + " … " + path[long]
    reasons[long] = "…>" + reasons[long]
    reasons[hops == 0] = "seed"
    return {"seed": ids[seed], "hops": hops, "path": path, "reasons": reasons}


def contributions(
    graph: EntityGraph,
    arcs: Arcs,
    message: np.ndarray,
    weight: np.ndarray,
    hubs: Hubs,
    code: int,
    score: float,
    *,
    budget: int = 5_000,
) -> pd.DataFrame:
    """How much of a score each seed and each family of paths carries: ``seed, family, contribution``.

    A score is split over what arrives in proportion to the logarithms of the chances to escape, which add up where
    probabilities do not; each part is split again at the entity it came from, back to the seeds. A family is the
    sequence of relation kinds from the seed on, each with its direction; of parallel relations the likeliest names
    it. Pieces below a ten millionth of the score, and what is left when ``budget`` steps are used up, make the
    row ``"<other>"``. The contributions sum to the score.
    """
    carried: dict[tuple[str, str], float] = {}
    ids = graph.ids
    number = count()
    heap: list[tuple[float, int, int, tuple[str, ...]]] = []

    def split(amount: float, node: int, back: int, family: tuple[str, ...]) -> None:
        spots = arcs.entering(node)
        spots = spots[(spots != back) & (message[spots] < 0)]
        arrives = message[spots]
        total = float(arrives.sum())
        factor = hubs.of(node) if family else 1.0
        through = total if factor == 1 else float(np.log1p(factor * np.expm1(total)))
        begins = float(log_missed(weight[node]))
        whole = begins + through
        own = amount * begins / whole if whole else 0.0
        if own > 0:
            key = (str(ids[node]), " > ".join(family))
            carried[key] = carried.get(key, 0.0) + own
        if total < 0:
            for arc, part in zip(spots.tolist(), (amount - own) * arrives / total, strict=True):
                heapq.heappush(heap, (-float(part), next(number), arc, family))

    if score > 0:
        split(score, code, -1, ())
    for _ in range(budget):
        if not heap or -heap[0][0] < 1e-7 * score:
            break
        amount, _, arc, family = heapq.heappop(heap)
        back = int(arcs.reverse[arc])
        row, backward = (found[0] for found in arcs.main_rows(np.array([arc])))
        label = f"{RELATION_KINDS[int(graph._store.kind[row])]}:{'backward' if backward else 'forward'}"
        split(-amount, int(arcs.target[back]), back, (label, *family))
    rows = [(seed, family or "seed", amount) for (seed, family), amount in carried.items()]
    rows.sort(key=lambda row: -row[2])
    rest = score - sum(row[2] for row in rows)
    if abs(rest) > 1e-12 * score:
        rows.append(("<other>", "<other>", rest))
    frame = pd.DataFrame(rows, columns=["seed", "family", "contribution"])
    return frame.astype({"contribution": np.float64})


def why_not(model: RiskCascade, code: int, lang: str = "zh") -> pd.DataFrame:
    """The way from the nearest seed to an entity over all relations on record, and where it is blocked.

    Of all ways, passed in either direction, the one with the fewest blocked steps, then the fewest steps.

    Returns
    -------
    ``step, from, to, relation, kind, status, probability, text``. ``status`` is ``transmits``, ``damped`` (a hub
    passes on only part), ``transmits nothing``, ``ended``, ``not begun`` or ``not known``. Empty when no relation on
    record ties the entity to any seed, or it is one itself.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    graph = model.graph_
    names = ["step", "from", "to", "relation", "kind", "status", "probability", "text"]
    seeds = np.flatnonzero(model._best.weight > 0)
    store = graph._store
    if not seeds.size or not len(store) or code in seeds:
        return pd.DataFrame(columns=names)
    arcs, count_ = model._arcs, len(store)
    p = arcs.chances(count_)
    # walked from the entity back to the seeds: an entry (v, u) is the step u -> v
    head = np.concatenate([store.target, store.source]).astype(np.int64)
    tail = np.concatenate([store.source, store.target]).astype(np.int64)
    blocked = p.ravel() == 0
    cost = 1.0 + len(graph) * blocked
    order = np.lexsort((cost, tail, head))
    key = head[order] * len(graph) + tail[order]
    first = np.ones(key.size, dtype=bool)
    first[1:] = key[1:] != key[:-1]
    chosen = order[first]
    # scipy before 1.15 walks 32-bit indices only
    ends = head[chosen].astype(np.int32), tail[chosen].astype(np.int32)
    table = csr_array((cost[chosen], ends), shape=(len(graph), len(graph)))
    distance, before = dijkstra(table, indices=code, return_predecessors=True)
    nearest = int(seeds[np.argmin(distance[seeds])])
    if not np.isfinite(distance[nearest]):
        return pd.DataFrame(columns=names)
    status = _statuses(graph)
    where = {int(k): int(v) for k, v in zip(key[first], chosen, strict=True)} if count_ < 1_000 else None
    rows: list[tuple[Any, ...]] = []
    here = nearest
    while here != code:
        onward = int(before[here])
        wanted = onward * len(graph) + here
        entry = where[wanted] if where is not None else int(chosen[np.searchsorted(key[first], wanted)])
        row, chance = entry % count_, float(p.ravel()[entry])
        said = status[row]
        if said == "in force":
            said = "transmits" if chance > 0 else "transmits nothing"
        elif chance > 0:  # ended since, but in force as the case began
            said = "transmits"
        if said == "transmits" and here != nearest and model._hubs.of(here) < 1:
            said = "damped"
        record = store.frame(np.array([row]), graph.ids).iloc[0].to_dict()
        source, target = graph.names_of([store.source[row], store.target[row]])
        text = relation_sentence(record, str(source), str(target), lang)
        rows.append(
            (len(rows) + 1, graph.ids[here], graph.ids[onward], record["id"], record["kind"], said, chance, text)
        )
        here = onward
    return pd.DataFrame(rows, columns=names)


def _statuses(graph: EntityGraph) -> np.ndarray:
    """Whether each relation on record is in force, ended, not begun or not known on the graph's dates."""
    store = graph._store
    found = np.full(len(store), "not begun", dtype=object)
    found[graph.past.row] = "ended"
    found[graph.columns.row] = "in force"
    if graph.known_by is not None and "known_from" in store.days:
        day = np.datetime64(graph.known_by.date(), "D").astype(np.int64)
        found[store.days["known_from"] > day] = "not known"
    return found
