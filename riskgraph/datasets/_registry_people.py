"""Officers and the other links of a generated registry: nominees, mass addresses, guarantees, loans, payments."""

from __future__ import annotations

import numpy as np

from riskgraph.datasets._draw import NO_DAY, Array, Fresh, distinct, heavy_pick
from riskgraph.datasets._registry_blocks import Blocks
from riskgraph.datasets._registry_stakes import Stakes
from riskgraph.schema import ROLES

__all__ = ["add_links", "add_officers"]

_ROLE = {name: number for number, name in enumerate(ROLES)}


def add_officers(
    rng: np.random.Generator, blocks: Blocks, stakes: Stakes, born: Array, died: Array, last: int, persons: Fresh
) -> None:
    """Draw the officers: a legal representative each, directors, supervisors, managers, and nominees of agents.

    Posts in a firm that was struck off end on that day.
    """
    n = born.size
    company = [np.arange(n)]
    role = [np.full(n, _ROLE["legal_representative"])]
    for name, mean in (("director", 0.7), ("supervisor", 0.55), ("manager", 0.3)):
        seats = np.repeat(np.arange(n), rng.poisson(mean, n))
        company.append(seats)
        role.append(np.full(seats.size, _ROLE[name]))
    where, what = np.concatenate(company), np.concatenate(role)
    person = _people(rng, where, what, stakes, n, persons)

    # formation agents: very few people in very many seats
    agents = persons.take(max(2, n // 25_000))
    served = np.flatnonzero(rng.random(n) < 0.03)
    person = np.concatenate([person, agents[heavy_pick(rng, served.size, agents.size, power=2.0)]])
    where = np.concatenate([where, served])
    what = np.concatenate([what, np.full(served.size, _ROLE["nominee"])])

    keys = distinct((where * persons.count + person) * len(ROLES) + what)
    what, keys = keys % len(ROLES), keys // len(ROLES)
    person, where = keys % persons.count, keys // persons.count
    since, until = _terms(rng, born[where], died[where], last)
    known = np.minimum(since + rng.integers(5, 60, since.size), last)
    blocks.add("officer", person + n, where, role=what, start=since, end=until, known_from=known)


def _people(rng: np.random.Generator, where: Array, what: Array, stakes: Stakes, n: int, persons: Fresh) -> Array:
    """Half of the seats go to the firm's own first holder where it is a person, the rest to new or busy people."""
    first = np.full(n, -1, dtype=np.int64)
    people = stakes.holder >= n
    first[stakes.company[people][::-1]] = stakes.holder[people][::-1] - n
    person = first[where]
    chance = np.where(what == _ROLE["legal_representative"], 0.65, 0.3)
    other = (person < 0) | (rng.random(where.size) > chance)
    fresh = other & (rng.random(where.size) < 0.15)
    person[fresh] = persons.take(int(fresh.sum()))
    busy = other & ~fresh
    person[busy] = heavy_pick(rng, int(busy.sum()), max(persons.count, 1), power=2.0)
    return person


def _terms(rng: np.random.Generator, born: Array, died: Array, last: int) -> tuple[Array, Array]:
    """Terms of office: two thirds since the firm began, one in fifteen over, all over when the firm is struck off."""
    stop = np.where(died == NO_DAY, last, died)
    room = np.maximum(stop - born - 1, 0)
    late = rng.random(born.size) < 0.33
    since = born + np.where(late, (room * rng.random(born.size)).astype(np.int64), 0)
    over = (rng.random(born.size) < 0.067) & (stop - since > 30)
    until = np.where(over, since + 1 + ((stop - since - 1) * rng.random(born.size)).astype(np.int64), died)
    return since, until


def add_links(rng: np.random.Generator, blocks: Blocks, born: Array, banks: Array, last: int, persons: Fresh) -> int:
    """Draw guarantees, loans, payments, cooperation, branches, kinship, namesakes and addresses.

    Returns the number of addresses; they are numbered after the persons.
    """
    n = born.size

    def pairs(share: float, *, source: Array | None = None) -> tuple[Array, Array, Array, Array]:
        count = round(share * n)
        a = rng.integers(0, n, count) if source is None else source[heavy_pick(rng, count, source.size)]
        b = rng.integers(0, n, count)
        a, b = a[a != b], b[a != b]
        start = np.maximum(born[a], born[b])
        start = start + (np.maximum(last - start, 1) * rng.random(a.size)).astype(np.int64)
        amount = np.round(rng.lognormal(14.5, 1.6, a.size), -4) + 10_000
        return a, b, start, amount

    lenders = banks if banks.size else None
    for kind, share, givers in (("guarantees", 0.2, None), ("lends", 0.16, lenders), ("lends", 0.06, None)):
        a, b, start, amount = pairs(share, source=givers)
        end = np.where(rng.random(a.size) < 0.3, start + rng.integers(180, 1080, a.size), NO_DAY)
        blocks.add(kind, a, b, amount=amount, start=start, end=end, known_from=np.minimum(start + 14, last))
    a, b, start, amount = pairs(0.18)
    blocks.add("pays", a, b, amount=amount, start=start, known_from=np.minimum(start + 1, last))
    for kind, share in (("cooperates", 0.04), ("branch_of", 0.04)):
        a, b, start, _ = pairs(share)
        blocks.add(kind, a, b, start=start, known_from=np.minimum(start + 30, last))
    # rings of four that guarantee each other
    rings = max(1, n // 10_000) if n >= 40 else 0
    first = rng.choice(n // 4, rings, replace=False) * 4
    member = (first[:, None] + np.arange(4)).ravel()
    after = (first[:, None] + np.array([1, 2, 3, 0])).ravel()
    start = np.repeat(born[member].reshape(-1, 4).max(axis=1), 4)
    blocks.add(
        "guarantees",
        member,
        after,
        amount=np.full(member.size, 5e6),
        start=start,
        known_from=np.minimum(start + 14, last),
    )

    for kind, share in (("kin", 0.03), ("same_as", 0.02)):
        count = round(share * n)
        a, b = rng.integers(0, persons.count, count), rng.integers(0, persons.count, count)
        low, high = np.minimum(a, b)[a != b] + n, np.maximum(a, b)[a != b] + n
        sure = np.round(rng.uniform(0.05, 0.95, low.size), 2)
        blocks.add(kind, low, high, **({"confidence": sure} if kind == "same_as" else {}))

    addresses = max(1, n // 2000)
    tenants = np.flatnonzero(rng.random(n) < 0.06)
    place = heavy_pick(rng, tenants.size, addresses)
    blocks.add("located_at", tenants, n + persons.count + place, start=born[tenants], known_from=born[tenants] + 20)
    return addresses
