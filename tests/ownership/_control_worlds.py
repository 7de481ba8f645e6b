"""Control by brute force: the definition in fractions, one controller at a time, and graphs to try it on."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import pandas as pd
import yaml
from hypothesis import strategies as st

import riskgraph as rg

CASES = yaml.safe_load((Path(__file__).parents[1] / "fixtures" / "control.yaml").read_text(encoding="utf-8"))


def graph_of(holdings, *, people=(), controls=(), concert=(), officers=(), ids=(), **tables) -> rg.EntityGraph:
    """Graph of (holder, company, low[, high]) rows, agreements and concert pairs; no share for ``None``."""
    rows = [
        (holder, company, "owns", *((share[0], share[-1]) if share[0] is not None else (None, None)), None)
        for holder, company, *share in holdings
    ]
    rows += [(a, b, "controls", None, None, None) for a, b in controls]
    rows += [(a, b, "concert", None, None, None) for a, b in concert]
    rows += [(a, b, "officer", None, None, role) for a, b, role in officers]
    names = list(dict.fromkeys([*ids, *(name for row in rows for name in row[:2])]))
    entities = pd.DataFrame({"id": names, "kind": ["person" if name in set(people) else "company" for name in names]})
    relations = pd.DataFrame(rows, columns=["source", "target", "kind", "share_min", "share_max", "role"])
    relations[["share_min", "share_max"]] = relations[["share_min", "share_max"]].astype(float)
    return rg.EntityGraph.from_tables(entities, relations, **tables)


def exact(share) -> Fraction:
    return Fraction(str(share))


def concert_groups(names, concert) -> dict:
    group = {name: frozenset([name]) for name in names}
    for a, b in concert:
        both = group[a] | group[b]
        for name in both:
            group[name] = both
    return group


def fixpoint(votes, names, *, threshold="0.5", inclusive=False, joint=True, controls=(), concert=(), max_depth=None):
    """Pairs (x, y) of control in one world; ``votes[(holder, company)]`` are fractions."""
    t = exact(threshold)
    group = concert_groups(names, concert)
    found = set()
    for x in names:
        acting, owned = set(group[x]), set()
        depth = 0
        while max_depth is None or depth < max_depth:
            depth += 1
            new = set()
            for y in names:
                base = 1 - votes.get((y, y), Fraction(0))
                held = {z: votes.get((z, y), Fraction(0)) for z in acting if z != y}
                if not joint:
                    teams = [sum(held.get(z, 0) for z in group[one]) for one in acting]
                    total = max(teams, default=Fraction(0))
                else:
                    total = sum(held.values(), Fraction(0))
                enough = base > 0 and (total >= t * base if inclusive else total > t * base)
                if enough or any((z, y) in set(controls) and z != y for z in acting):
                    new.add(y)
            if new <= owned:
                break
            owned |= new
            acting = set(group[x]).union(*(group[y] for y in owned))
        found |= {(x, y) for y in owned if y != x}
    return found


def vertex_worlds(low, high, company_of):
    """Every vertex of the shares inside their intervals with each company's sum at most 1, companies independent."""
    companies = sorted({company for _, company in low})
    choices = []
    for company in companies:
        pairs = [pair for pair in low if pair[1] == company]
        vertices = set()
        for order in itertools.permutations(pairs):
            # lows everywhere, then filled up to the highs in some order, as far as 1 allows; every prefix is a vertex
            world = {pair: low[pair] for pair in pairs}
            vertices.add(tuple(world[pair] for pair in pairs))
            for pair in order:
                room = 1 - sum(world.values())
                world[pair] += max(Fraction(0), min(high[pair] - low[pair], room))
                vertices.add(tuple(world[pair] for pair in pairs))
        choices.append([dict(zip(pairs, vertex, strict=True)) for vertex in sorted(vertices)])
    for combination in itertools.product(*choices):
        yield {pair: share for part in combination for pair, share in part.items()}


def verdicts(frame: pd.DataFrame) -> dict:
    return {(row.controller, row.company): row.verdict for row in frame.itertuples()}


def yes(frame: pd.DataFrame) -> set:
    return {pair for pair, verdict in verdicts(frame).items() if verdict == "yes"}


NAMES = [f"e{i}" for i in range(7)]


@st.composite
def ownership(draw, *, intervals=False, most=7, treasury=True):
    """Random holdings in twentieths among a few entities, with agreements and concert pairs now and then."""
    n = draw(st.integers(2, most))
    names = NAMES[:n]
    rows = []
    for company in names:
        left = 20
        holders = draw(st.lists(st.sampled_from(names), unique=True, max_size=3 if intervals else 4))
        for holder in holders:
            if holder == company and not treasury:
                continue
            units = draw(st.integers(0, left))
            left -= units
            top = draw(st.integers(units, 20)) if intervals and draw(st.booleans()) else units
            rows.append((holder, company, units / 20, top / 20))
    pairs = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda pair: pair[0] != pair[1])
    controls = draw(st.lists(pairs, max_size=1, unique=True))
    concert = draw(st.lists(pairs, max_size=2, unique=True))
    return names, rows, controls, concert
