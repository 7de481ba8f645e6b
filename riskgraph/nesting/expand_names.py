"""Products hidden in holders' names, put into the graph with the managers and custodians that the names give."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.nesting.product_names import ProductName, parse_product_name
from riskgraph.schema import ENTITY_KINDS

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["expand_product_names"]

#: an inferred relation rests on a name alone
CONFIDENCE = 0.9
#: its manager or custodian was found by a short name
SHORT = 0.8
SOURCE = "product_name"
#: accounts of a firm, not products
ACCOUNTS = ("repurchase_account", "margin_account")
#: kinds of entities whose names are read
READ = ("company", "unknown", "trust", "product")

_SECTOR_OF_TYPE = {
    "trust_plan": "trust",
    "insurance_account": "insurance",
    "wealth_product": "bank",
    "private_fund": "fund",
    "public_fund": "fund",
    "fund": "fund",
}
#: words of a house → its sector; the first that fits
_SECTOR_OF_HOUSE = (
    (r"银行", "bank"),
    (r"信托", "trust"),
    (r"证券", "securities"),
    (r"期货", "futures"),
    (r"保险|人寿|养老", "insurance"),
    (r"基金", "fund"),
    (r"资产管理|资管|资本|投资", "asset_management"),
)
_HOUSE = re.compile(r"(信托|基金|证券|资管|资本|保险|期货|银行|公司|财富)$")
_NUMBERED = re.compile(r"\d|[一二三四五六七八九十]+[期号]")


class Found(NamedTuple):
    """Entities and relations that names add."""

    entities: dict[str, dict[str, object]]
    relations: list[dict[str, object]]


def expand_product_names(graph: EntityGraph, *, partnerships: bool = False) -> EntityGraph:
    """Graph in which holders whose names are those of products are products, with managers and custodians.

    A holder called 管理人-托管行-产品 turns from a company into a product. Its manager and custodian are looked up
    by exact name, a short name (工商银行) also as part of the only firm that has it in its own, and made anew
    otherwise. A plan whose product is in turn another house's product (基金-银行-信托-信托计划) is funded by that
    one: the second layer hidden in the name becomes a product that ``invests`` in the first.

    Every relation made has ``inferred`` True, ``confidence`` below 1 and ``source_ref`` ``product_name``; entities
    made have ``inferred`` True. Public funds get the fact ``public_fund``. Accounts that a firm holds for itself stay
    what they are.

    Parameters
    ----------
    partnerships
        Turn limited partnerships into products too; else only those that name their manager are.

    Returns
    -------
    EntityGraph
        A new graph on the same dates; the given one stays as it is.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> holder = "云帆基金-青禾银行-云帆基金-远航9号资产管理计划"
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["h", "c"], "kind": ["company", "company"], "name": [holder, "青禾制造股份有限公司"]}),
    ...     pd.DataFrame({"source": ["h"], "target": ["c"], "kind": ["owns"], "share": [0.04]}),
    ... )
    >>> expanded = rg.nesting.expand_product_names(graph)
    >>> expanded.entities.set_index("id")["kind"].to_dict()["h"]
    'product'
    >>> expanded.relations.loc[expanded.relations["inferred"] == True, ["source", "kind", "target"]]
            source       kind target
    1    name:云帆基金    manages      h
    2  name:青禾银行  custodies      h
    """
    if not isinstance(partnerships, bool):
        raise InvalidParameter(f"'partnerships' must be True or False; got {partnerships!r}")
    from riskgraph.graph import EntityGraph

    entities = graph.known("entities").drop(columns="ended").copy()
    parsed = _parsed(graph, partnerships)
    found = _found(graph, parsed)
    codes = np.fromiter(parsed, dtype=np.int64, count=len(parsed))
    entities["kind"] = entities["kind"].astype(object)
    entities.iloc[codes, entities.columns.get_loc("kind")] = "product"
    sectors = (
        entities["sector"].to_numpy(dtype=object, copy=True)
        if "sector" in entities
        else np.full(len(entities), None, dtype=object)
    )
    for code, name in parsed.items():
        if pd.isna(sectors[code]):
            sectors[code] = _sector(name)
    entities["sector"] = sectors
    if "inferred" not in entities:
        entities["inferred"] = None
    new = pd.DataFrame([entity for name, entity in found.entities.items() if name not in graph])
    relations = graph.known("relations")
    on_record = set(relations["id"])
    more = pd.DataFrame([relation for relation in found.relations if relation["id"] not in on_record])
    facts = graph.known("facts")
    public = [str(graph.ids[code]) for code, name in parsed.items() if name.type == "public_fund"]
    stated = set(facts.loc[facts["fact"] == "public_fund", "entity"])
    told = pd.DataFrame(
        {
            "id": [f"name:public_fund:{entity}" for entity in public if entity not in stated],
            "entity": [entity for entity in public if entity not in stated],
            "fact": "public_fund",
            "value": True,
            "source_ref": SOURCE,
        }
    )
    made = EntityGraph.from_tables(
        _stack(entities, new),
        _stack(relations, more),
        cases=graph.known("cases"),
        licences=graph.known("licences"),
        facts=_stack(facts, told),
        on_error="quarantine",
        quality=graph.quality,
        rejected=graph.rejected,
    )
    return made if graph.valid_on is None else made.at(graph.valid_on, known=graph.known_by)


def _stack(above: pd.DataFrame, below: pd.DataFrame) -> pd.DataFrame:
    """Rows of both frames; columns that one lacks are empty there."""
    if below.empty:
        return above
    columns = [*above.columns, *(name for name in below.columns if name not in above)]
    parts = [frame.reindex(columns=columns).astype(object) for frame in (above, below)]
    stacked = pd.concat(parts, ignore_index=True)
    for name in above.columns:
        if name not in below and above[name].dtype.kind in "fM":
            stacked[name] = stacked[name].astype(above[name].dtype)
    return stacked


def _parsed(graph: EntityGraph, partnerships: bool) -> dict[int, ProductName]:
    """Entities whose names are those of products."""
    kinds = np.array(ENTITY_KINDS, dtype=object)[graph.kinds]
    result = {}
    for code in np.flatnonzero(np.isin(kinds, READ)).tolist():
        name = parse_product_name(str(graph.names[code]))
        alone = name.type == "partnership" and name.manager is None
        if name.type is None or name.type in ACCOUNTS or (alone and not partnerships and kinds[code] != "product"):
            continue
        result[code] = name
    return result


def _found(graph: EntityGraph, parsed: dict[int, ProductName]) -> Found:
    found = Found({}, [])
    houses = _Houses(graph, parsed, found)
    managed, kept = _told(graph, "manages"), _told(graph, "custodies")
    for code, name in parsed.items():
        product = str(graph.ids[code])
        if name.manager and product not in managed:
            houses.relate(name.manager, "manages", product)
        if name.custodian and product not in kept:
            houses.relate(name.custodian, "custodies", product)
        inner = _inner(name)
        if inner is not None:
            layer = f"name:{name.product}"
            found.entities.setdefault(layer, _entity(layer, "product", str(name.product), _sector(inner)))
            houses.relate(str(inner.manager), "manages", layer)
            found.relations.append(_relation(layer, "invests", product, CONFIDENCE))
    return found


def _inner(name: ProductName) -> ProductName | None:
    """The product of another house that a plan's name holds in the place of its own."""
    if name.custodian is None:
        return None
    inner = parse_product_name(name.product)
    house = inner.manager is not None and _HOUSE.search(inner.manager) and not _NUMBERED.search(inner.manager)
    return inner if house and inner.type else None


def _told(graph: EntityGraph, kind: str) -> set[str]:
    """Products for which the relation is on record already."""
    at = graph.columns.of(kind)
    return {str(name) for name in graph.ids.to_numpy()[graph.columns.target[at]]}


class _Houses:
    """Managers and custodians by name: those of the graph, else new ones."""

    def __init__(self, graph: EntityGraph, parsed: dict[int, ProductName], found: Found) -> None:
        self.found = found
        firms = [code for code in range(len(graph)) if code not in parsed and graph.kinds[code] == COMPANY]
        self.known = {str(graph.names[code]): str(graph.ids[code]) for code in reversed(firms)}
        told = {name for parts in parsed.values() for name in (parts.manager, parts.custodian) if name}
        self.full = sorted(name for name in {*self.known, *told} if len(name) > 6)
        self.made: dict[str, tuple[str, float]] = {}

    def relate(self, name: str, kind: str, product: str) -> None:
        """Add a relation from a house to a product."""
        house, confidence = self._house(name)
        relation = _relation(house, kind, product, confidence)
        if house != product and relation not in self.found.relations[-4:]:
            self.found.relations.append(relation)

    def _house(self, name: str) -> tuple[str, float]:
        if name not in self.made:
            self.made[name] = self._look_up(name)
        return self.made[name]

    def _look_up(self, name: str) -> tuple[str, float]:
        if name in self.known:
            return self.known[name], CONFIDENCE
        if 4 <= len(name) <= 6:
            longer = [full for full in self.full if name in full]
            if len(longer) == 1:
                return self._house(longer[0])[0], SHORT
        made = f"name:{name}"
        sector = next((sector for words, sector in _SECTOR_OF_HOUSE if re.search(words, name)), None)
        self.found.entities[made] = _entity(made, "company", name, sector)
        return made, CONFIDENCE


COMPANY = ENTITY_KINDS.index("company")


def _entity(id: str, kind: str, name: str, sector: str | None) -> dict[str, object]:
    return {"id": id, "kind": kind, "name": name, "sector": sector, "source_ref": SOURCE, "inferred": True}


def _relation(source: str, kind: str, target: str, confidence: float) -> dict[str, object]:
    return {
        "id": f"name:{kind}:{source}:{target}",
        "source": source,
        "target": target,
        "kind": kind,
        "confidence": confidence,
        "source_ref": SOURCE,
        "inferred": True,
    }


def _sector(name: ProductName) -> str | None:
    """Sector of a product: by its type, else by the house that manages it.

    A plan around another house's product is of its manager's sector, whatever the type of what it holds.
    """
    around = _inner(name) is not None
    if name.type in _SECTOR_OF_TYPE and not around:
        return _SECTOR_OF_TYPE[name.type]
    if (name.type == "asset_management_plan" or around) and name.manager:
        return next((sector for words, sector in _SECTOR_OF_HOUSE if re.search(words, name.manager)), None)
    return None
