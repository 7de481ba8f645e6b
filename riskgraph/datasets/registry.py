"""A generated company registry of any size: heavy tails, cross-holdings, long chains, nominees, nested products."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
import pandas as pd

from riskgraph.datasets._draw import NO_DAY, Array, Fresh, day, days_to_dates, heavy_pick, text_ids
from riskgraph.datasets._registry_blocks import Blocks
from riskgraph.datasets._registry_people import add_links, add_officers
from riskgraph.datasets._registry_products import LAYERS, add_products
from riskgraph.datasets._registry_stakes import add_stakes, lay_out
from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.schema import SECTORS, SEED_CASES

__all__ = ["make_registry"]

#: the last day of the generated world
LAST = day("2017-06-30")
#: fewest companies among which every sector has one
SMALLEST_MARKET = 40
#: sector → firms in a thousand; the rest is "other"
PER_THOUSAND = {
    "real_estate": 30,
    "cooperative": 20,
    "wealth_management": 12,
    "asset_management": 8,
    "advertising": 6,
    "fund": 5,
    "guarantee": 4,
    "p2p": 3,
    "microloan": 3,
    "insurance": 2,
    "pawn": 2,
    "leasing": 2,
    "payment": 1,
    "securities": 1,
    "bank": 1,
    "trust": 1,
    "exchange": 1,
    "equity_crowdfunding": 1,
}
#: who grants the licence of a sector
ISSUERS = {
    "bank": "banking_regulator",
    "trust": "banking_regulator",
    "securities": "securities_regulator",
    "fund": "securities_regulator",
    "insurance": "insurance_regulator",
    "payment": "pboc",
    "guarantee": "economy_informatization",
    "pawn": "commerce",
    "leasing": "commerce",
    "microloan": "finance_office",
    "exchange": "finance_office",
}
REGIONS = np.array(["320102", "320205", "320311", "320402", "320505", "320581", "320602", "321002"], dtype=object)
OTHER_CASES = ("abnormal", "tipoff", "complaint", "order")
_SURNAMES = np.array(list("王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗"), dtype=object)
_GIVEN = np.array(list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平"), dtype=object)
_FIRM = np.array(list("澄汀湉沅漪泓淞洵湫涟瀚珩琰玥璟瑄煊烨骁翊"), dtype=object)
_TRADE = np.array(["商贸", "科技", "建材", "物流", "机械", "纺织", "食品", "咨询"], dtype=object)


@overload
def make_registry(
    n_companies: int,
    random_state: int = ...,
    *,
    products: float = ...,
    names: bool = ...,
    as_tables: Literal[False] = ...,
) -> EntityGraph: ...
@overload
def make_registry(
    n_companies: int, random_state: int = ..., *, products: float = ..., names: bool = ..., as_tables: Literal[True]
) -> dict[str, pd.DataFrame]: ...
def make_registry(
    n_companies: int,
    random_state: int = 0,
    *,
    products: float = 0.01,
    names: bool = True,
    as_tables: bool = False,
) -> EntityGraph | dict[str, pd.DataFrame]:
    """Company registry with the shape of a real one, drawn from a seed.

    A company brings about 1.3 persons and 6 relations: 2.4 holdings, 2.6 posts, 0.8 other links.

    1. Holders per company and holdings per person have heavy tails: most persons hold once, a few are in hundreds
       or thousands of companies. Shares of a company sum to exactly 1, but one share is missing in 5 % of the
       companies, and 3 % give only bands.
    2. About 1 % of the companies lie in cycles of cross-holdings: one dense core (0.2 %), rings of 2 to 6, a few of
       which own all of themselves. Elsewhere holders form no cycle.
    3. Chains of 51 % over 40 levels: full control of next to no ownership.
    4. Formation agents sit on the boards of 3 % of the companies; mass addresses; guarantee rings; namesakes.
    5. Products in up to five layers (bank plan, trust plan, asset plan, fund, securities plan) that pass on exactly
       what they receive; about 1 in 700 lies on a circle.
    6. 0.1 % of the companies are seeds (at least one), three times as many have lesser cases.
    7. Everything is dated, 1995 to June 2017: former holders, ended posts, firms struck off; filings come weeks,
       some of them a year later.

    Parameters
    ----------
    n_companies
        Number of companies, at least 1.
    random_state
        Seed of the numpy generator; the same seed and sizes give the same tables.
    products
        Number of products: a fraction of ``n_companies`` if below 1, else a count. Products need 40 companies.
    names
        Give companies and persons invented Chinese names; without, a name is the id and memory is spared.
    as_tables
        Return the frames ``entities, relations, cases, licences`` by name instead of the graph.

    Returns
    -------
    EntityGraph
        Or the mapping of frames, as :meth:`EntityGraph.from_tables` takes them.

    Raises
    ------
    InvalidParameter
        A size is out of bounds.

    Examples
    --------
    >>> graph = make_registry(1000, random_state=7)
    >>> graph.entities["kind"].value_counts().to_dict()
    {'person': 1244, 'company': 1000, 'product': 10, 'address': 1}
    >>> tables = make_registry(1000, random_state=7, as_tables=True)
    >>> sorted(tables)
    ['cases', 'entities', 'licences', 'relations']
    """
    n, count = _sizes(n_companies, products)
    rng = np.random.default_rng(random_state)
    born = LAST - 60 - np.floor(rng.random(n) ** 2 * 7800).astype(np.int64)
    died = np.full(n, NO_DAY, dtype=np.int64)
    gone = rng.random(n) < 0.02
    died[gone] = born[gone] + 30 + ((LAST - born[gone] - 30) * rng.random(int(gone.sum()))).astype(np.int64)
    accused, accusation, since = _accuse(rng, born, died)

    persons, blocks = Fresh(), Blocks()
    sector = _sectors(rng, n)
    houses = {name: np.flatnonzero(sector == SECTORS.index(name)) for name in SECTORS}
    stakes = add_stakes(rng, blocks, lay_out(n), born, LAST, persons)
    add_officers(rng, blocks, stakes, born, died, LAST, persons)
    addresses = add_links(rng, blocks, born, houses["bank"], LAST, persons)
    m = persons.count
    layer = np.empty(0, dtype=np.int64)
    if count:
        layer = add_products(rng, blocks, n + m + addresses, count, houses, n, m)

    sizes = {"company": n, "person": m, "address": addresses, "product": count}
    ids = np.concatenate(
        [
            text_ids("C", rng.permutation(n), 8),
            text_ids("P", rng.permutation(m), 8),
            text_ids("A", np.arange(addresses), 6),
            text_ids("Q", np.arange(count), 7),
        ]
    )
    tables = {
        "entities": _entities(rng, ids, sizes, np.concatenate([sector, _layer_sectors(layer)]), born, died, names),
        "relations": blocks.frame(ids),
        "cases": _cases(rng, ids[accused], accusation, since),
        "licences": _licences(rng, ids, sector, born),
    }
    return tables if as_tables else EntityGraph.from_tables(**tables)


def _sizes(n_companies: int, products: float) -> tuple[int, int]:
    """Check the sizes; returns the number of companies and of products."""
    if isinstance(n_companies, bool) or int(n_companies) != n_companies or n_companies < 1:
        raise InvalidParameter(f"'n_companies' must be a whole number of at least 1; got {n_companies!r}")
    n = int(n_companies)
    count = round(products * n) if 0 <= products < 1 else products
    if products < 0 or int(count) != count:
        raise InvalidParameter(f"'products' must be a fraction in [0, 1) or a whole number; got {products!r}")
    if count and n < SMALLEST_MARKET:
        raise InvalidParameter(f"'products' must be 0 for fewer than {SMALLEST_MARKET} companies; got {products!r}")
    return n, int(count)


def _accuse(rng: np.random.Generator, born: Array, died: Array) -> tuple[Array, Array, Array]:
    """Company, type and first day of every case; a revoked company is struck off on that day."""
    n = born.size
    count = max(1, n // 1000)
    accused = rng.choice(n, min(n, 4 * count), replace=False)
    kind = np.array([*SEED_CASES, *OTHER_CASES])
    accusation = np.where(
        np.arange(accused.size) < count,
        kind[rng.integers(0, len(SEED_CASES), accused.size)],
        kind[len(SEED_CASES) + rng.integers(0, len(OTHER_CASES), accused.size)],
    )
    since = np.maximum(born[accused] + 30, LAST - rng.integers(1, 900, accused.size))
    revoked = accusation == "revoked"
    died[accused[revoked]] = since[revoked]
    return accused, accusation, since


def _sectors(rng: np.random.Generator, n: int) -> Array:
    """Sector number of every company; from 40 companies on every sector has one."""
    sector = np.full(n, SECTORS.index("other"), dtype=np.int8)
    counts = [round(n * share / 1000) for share in PER_THOUSAND.values()]
    if n >= SMALLEST_MARKET:
        counts = [max(1, size) for size in counts]
    drawn = np.repeat([SECTORS.index(name) for name in PER_THOUSAND], counts)
    sector[rng.permutation(n)[: drawn.size]] = drawn
    return sector


def _layer_sectors(layer: Array) -> Array:
    """Sector number of every product."""
    return np.array([SECTORS.index(name) for name, _ in LAYERS], dtype=np.int8)[layer]


def _entities(
    rng: np.random.Generator,
    ids: Array,
    sizes: dict[str, int],
    sector: Array,
    born: Array,
    died: Array,
    names: bool,
) -> pd.DataFrame:
    """Return the table ``entities``; ``sector`` holds the companies' numbers, then the products'."""
    n, m, total = sizes["company"], sizes["person"], ids.size
    columns: dict[str, Any] = {
        "id": ids,
        "kind": np.repeat(np.array(list(sizes), dtype=object), list(sizes.values())),
    }
    if names:
        columns["name"] = ids.copy()
        columns["name"][:n] = _pick(rng, _FIRM, n) + _pick(rng, _FIRM, n) + _pick(rng, _TRADE, n) + "有限公司"
        columns["name"][n : n + m] = _pick(rng, _SURNAMES, m) + _pick(rng, _GIVEN, m)
    texts: Array = np.array([*SECTORS, None], dtype=object)
    columns["sector"] = texts[np.concatenate([sector[:n], np.full(m + sizes["address"], -1), sector[n:]])]
    region = np.full(total, -1, dtype=np.int64)
    region[:n] = heavy_pick(rng, n, REGIONS.size, power=1.5)
    places: Array = np.array([*REGIONS, None], dtype=object)
    columns["registered_in"] = places[region]
    away = rng.random(total) < 0.05
    region[:n] = np.where(away[:n], rng.integers(0, REGIONS.size, n), region[:n])
    columns["operates_in"] = places[region]
    capital = np.full(total, np.nan)
    capital[:n] = np.round(rng.lognormal(14.5, 1.5, n), -4) + 10_000
    start, end = np.full(total, NO_DAY, dtype=np.int64), np.full(total, NO_DAY, dtype=np.int64)
    start[:n], end[:n] = born, died
    return pd.DataFrame(
        {name: pd.Series(values, dtype=object) for name, values in columns.items()}
        | {"capital": capital, "start": days_to_dates(start), "end": days_to_dates(end)}
    )


def _pick(rng: np.random.Generator, texts: Array, count: int) -> Array:
    """Draw ``count`` of the texts."""
    return texts[rng.integers(0, texts.size, count)]


def _cases(rng: np.random.Generator, entity: Array, accusation: Array, since: Array) -> pd.DataFrame:
    """Return the table ``cases``; seed cases weigh 0.5 to 1, the others up to 0.5."""
    weight = rng.uniform(0, 0.5, entity.size) + np.where(np.isin(accusation, SEED_CASES), 0.5, 0.0)
    return pd.DataFrame(
        {
            "entity": pd.Series(entity, dtype=object),
            "type": pd.Series(accusation, dtype=object),
            "severity": weight.round(2),
            "start": days_to_dates(since),
            "known_from": days_to_dates(np.minimum(since + rng.integers(0, 20, entity.size), LAST)),
        }
    )


def _licences(rng: np.random.Generator, ids: Array, sector: Array, born: Array) -> pd.DataFrame:
    """Return the table ``licences``: nine of ten firms of a licensed sector have one, some of them run out."""
    texts = np.array(SECTORS, dtype=object)
    code = np.flatnonzero(np.isin(sector, [SECTORS.index(name) for name in ISSUERS]) & (rng.random(sector.size) < 0.9))
    names = texts[sector[code]]
    start = np.minimum(born[code] + rng.integers(10, 200, code.size), LAST)
    end = np.where(rng.random(code.size) < 0.2, start + 1826, NO_DAY)
    return pd.DataFrame(
        {
            "entity": pd.Series(ids[code], dtype=object),
            "sector": pd.Series(names, dtype=object),
            "issuer": pd.Series([ISSUERS[name] for name in names], dtype=object),
            "start": days_to_dates(start),
            "end": days_to_dates(end),
            "known_from": days_to_dates(np.minimum(start, LAST)),
        }
    )
