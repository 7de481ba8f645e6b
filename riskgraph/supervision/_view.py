"""One dated graph under one catalogue, as the rules ask it: three-valued facts, licences, cases, labels, regions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter
from riskgraph.schema import ENTITY_KINDS, RELATION_KINDS
from riskgraph.supervision.regions import codes_of

if TYPE_CHECKING:
    from riskgraph._columns import RelationColumns
    from riskgraph.graph import EntityGraph
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["View", "check_lang", "dated", "view"]

Ids = tuple[str, ...]
#: dated graphs kept on a graph, the newest asked for
_DAYS = 8
#: facts of which several stand beside one another
_TEXTS = ("ad_text", "website_text", "product_type", "solicitation_channel")


def check_lang(lang: str) -> str:
    """``"zh"`` or ``"en"``."""
    if lang not in ("zh", "en"):
        raise InvalidParameter(f"'lang' must be 'zh' or 'en'; got {lang!r}")
    return lang


def dated(graph: EntityGraph, at: Any) -> EntityGraph:
    """The graph on a day, with the knowledge it has; the graph itself when it stands there already."""
    if at is None:
        return graph
    day = pd.to_datetime(at, errors="coerce")
    if pd.isna(day):
        raise InvalidParameter(f"'at' must be a date such as 2016-06-30; got {at!r}")
    if graph.valid_on is not None and graph.valid_on == day:
        return graph
    days: dict[pd.Timestamp, EntityGraph] = graph.cached(("supervision", "days"), dict)
    if day not in days:
        if len(days) >= _DAYS:
            del days[next(iter(days))]
        days[day] = graph.at(day, known=graph.known_by)
    return days[day]


def view(graph: EntityGraph, catalogue: Catalogue, *, at: Any = None, lang: str = "zh") -> View:
    """View of a graph on a day; kept on the graph, so several questions share it."""
    check_lang(lang)
    graph = dated(graph, at)
    kept: View = graph.cached(("supervision", "view", id(catalogue)), lambda: View(graph, catalogue))
    # the key holds the catalogue's address; a view keeps its catalogue alive, so the address cannot be reused
    return kept


class View:
    """Answers of one dated graph, by entity code; unknown is ``None``, never False or zero."""

    def __init__(self, graph: EntityGraph, catalogue: Catalogue) -> None:
        self.graph = graph
        self.catalogue = catalogue
        self.n = len(graph)
        self.ids: np.ndarray = graph.ids.to_numpy()
        self.names: np.ndarray = graph.names
        self.cols: RelationColumns = graph.columns
        self.day: np.datetime64 | None = (
            None if graph.valid_on is None else np.datetime64(graph.valid_on.date().isoformat(), "D")
        )

    # -- entities ----------------------------------------------------------------------------------------------------

    def is_kind(self, *kinds: str) -> np.ndarray:
        """Mask of the entities of these kinds."""
        if kinds not in self._kept:
            self._kept[kinds] = np.isin(self.graph.kinds, [ENTITY_KINDS.index(kind) for kind in kinds])
        result: np.ndarray = self._kept[kinds]
        return result

    @cached_property
    def alive(self) -> np.ndarray:
        """Mask of the entities that have not ended."""
        return ~self.graph.entities["ended"].to_numpy()

    def column(self, name: str) -> np.ndarray:
        """Column of the entities, None where it says nothing."""
        key = ("column", name)
        if key not in self._kept:
            values = np.full(self.n, None, dtype=object)
            if name in self.graph.entities:
                values = self.graph.entities[name].to_numpy(dtype=object).copy()
                values[pd.isna(values)] = None
            self._kept[key] = values
        result: np.ndarray = self._kept[key]
        return result

    def name(self, code: int) -> str:
        """Name to show, with the id where they differ."""
        name, entity = str(self.names[code]), str(self.ids[code])
        return name if name == entity else f"{name}({entity})"

    @cached_property
    def declared(self) -> dict[int, tuple[str, ...]]:
        """Declared sectors of the entities that declare one; several are joined by ``;``."""
        column = self.column("sector")
        return {
            int(code): tuple(part.strip() for part in str(column[code]).split(";") if part.strip())
            for code in np.flatnonzero(column != np.array(None))
        }

    @cached_property
    def registered(self) -> np.ndarray:
        """Code of the registered place, '' where unknown."""
        return np.array(
            [codes_of(value)[0] if codes_of(value) else "" for value in self.column("registered_in")], dtype=object
        )

    @cached_property
    def operating(self) -> list[tuple[str, ...]]:
        """Codes of the operating places, in the order given."""
        return [codes_of(value) for value in self.column("operates_in")]

    # -- relations ---------------------------------------------------------------------------------------------------

    def relation(self, positions: int | Iterable[int]) -> Ids:
        """Ids of relations in force at positions of :attr:`cols`."""
        chosen = [positions] if isinstance(positions, (int, np.integer)) else list(positions)
        return tuple(self.graph.relation_ids(np.asarray(chosen, dtype=np.int64)))

    @cached_property
    def ever(self) -> dict[str, np.ndarray]:
        """Relations in force and ended ones: arrays ``source target kind role start end share_min row``."""
        now, past = self.cols, self.graph.past
        names = ("source", "target", "kind", "role", "start", "end", "share_min", "share_max", "amount", "row")
        both = {name: np.concatenate([getattr(now, name), getattr(past, name)]) for name in names}
        both["now"] = np.arange(len(now) + len(past)) < len(now)
        return both

    def ever_ids(self, positions: Iterable[int]) -> Ids:
        """Ids of relations at positions of :attr:`ever`."""
        rows = self.ever["row"][np.asarray(list(positions), dtype=np.int64)]
        return tuple(self.cols._store.ids(rows))

    def since(self, position: int) -> Any:
        """First day of a relation in force."""
        return self.cols.start[position]

    def _index(self, kind: str, end: str, past: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Positions of a kind sorted by one end, and the codes of that end."""
        key = ("index", kind, end, past)
        if key not in self._kept:
            if past:
                chosen = np.flatnonzero(self.ever["kind"] == RELATION_KINDS.index(kind))
                ends = self.ever[end][chosen]
            else:
                chosen = self.cols.of(kind)
                ends = getattr(self.cols, end)[chosen]
            order = np.argsort(ends, kind="stable")
            self._kept[key] = (chosen[order], ends[order])
        result: tuple[np.ndarray, np.ndarray] = self._kept[key]
        return result

    def _slice(self, kind: str, end: str, code: int, past: bool = False) -> list[int]:
        positions, ends = self._index(kind, end, past)
        low, high = np.searchsorted(ends, [code, code + 1])
        found: list[int] = positions[low:high].tolist()
        return found

    def out(self, kind: str, code: int) -> list[int]:
        """Positions of the relations of a kind that leave an entity."""
        return self._slice(kind, "source", code)

    def into(self, kind: str, code: int) -> list[int]:
        """Positions of the relations of a kind that reach an entity."""
        return self._slice(kind, "target", code)

    def ever_out(self, kind: str, code: int) -> list[int]:
        """Positions in :attr:`ever` of the relations of a kind that leave an entity."""
        return self._slice(kind, "source", code, past=True)

    def ever_into(self, kind: str, code: int) -> list[int]:
        """Positions in :attr:`ever` of the relations of a kind that reach an entity."""
        return self._slice(kind, "target", code, past=True)

    def partners(self, kind: str, code: int) -> list[tuple[int, int]]:
        """(other end, position) of a symmetric kind."""
        found = [(int(self.cols.target[position]), position) for position in self.out(kind, code)]
        return found + [(int(self.cols.source[position]), position) for position in self.into(kind, code)]

    # -- facts -------------------------------------------------------------------------------------------------------

    def _coded(self, frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy(deep=False)
        frame["code"] = self.graph.ids.get_indexer(pd.Index(frame["entity"], dtype=object))
        return frame

    @cached_property
    def _facts(self) -> dict[str, pd.DataFrame]:
        """Facts in force by name: of each source of an entity the newest, of texts all."""
        frame = self._coded(self.graph.facts).sort_values("start", kind="stable", na_position="first")
        frame["_source"] = frame["source_ref"].where(frame["source_ref"].notna(), "")
        older = frame.duplicated(["fact", "code", "_source"], keep="last") & ~frame["fact"].isin(_TEXTS)
        frame = frame[~older].drop(columns="_source")
        return {str(name): group for name, group in frame.groupby("fact", sort=False)}

    def facts(self, name: str) -> pd.DataFrame:
        """Facts of a name in force: of each source of an entity the newest."""
        if name in self._facts:
            return self._facts[name]
        if "no facts" not in self._kept:
            self._kept["no facts"] = self._coded(self.graph.facts.iloc[:0])
        result: pd.DataFrame = self._kept["no facts"]
        return result

    def told(self, code: int, *names: str) -> bool:
        """Whether any fact of these names is on record for an entity, unknown ones included."""
        for name in names:
            key = ("told", name)
            if key not in self._kept:
                self._kept[key] = set(self.facts(name)["code"].tolist())
            if code in self._kept[key]:
                return True
        return False

    def truth(self, name: str, *, worst: bool = True) -> dict[int, tuple[bool | None, Ids]]:
        """Three-valued fact by code. Where sources differ the ``worst`` value counts, known before unknown."""
        key = ("truth", name, worst)
        if key not in self._kept:
            found: dict[int, tuple[bool | None, Ids]] = {}
            frame = self.facts(name)
            for code, value, fact in zip(frame["code"], frame["value"], frame["id"], strict=True):
                read = None if not isinstance(value, (bool, np.bool_)) else bool(value)
                if read is None and str(value).strip().lower() in ("true", "false"):
                    read = str(value).strip().lower() == "true"
                old = found.get(code)
                if old is None or (old[0] is None and read is not None):
                    found[code] = (read, (str(fact),))
                elif read is not None and read == old[0]:
                    found[code] = (read, (*old[1], str(fact)))
                elif read == worst:
                    found[code] = (read, (str(fact),))
            self._kept[key] = found
        result: dict[int, tuple[bool | None, Ids]] = self._kept[key]
        return result

    def numbers(self, name: str) -> dict[int, list[tuple[float, str]]]:
        """Numbers by code, one a source; unknown ones left out."""
        key = ("numbers", name)
        if key not in self._kept:
            found: dict[int, list[tuple[float, str]]] = {}
            frame = self.facts(name)
            for code, value, fact in zip(frame["code"], frame["value"], frame["id"], strict=True):
                try:
                    number = float(value)
                except (TypeError, ValueError):
                    continue
                if not np.isnan(number):
                    found.setdefault(code, []).append((number, str(fact)))
            self._kept[key] = found
        result: dict[int, list[tuple[float, str]]] = self._kept[key]
        return result

    def number(self, name: str, code: int) -> tuple[float | None, Ids]:
        """The highest number any source gives, None when unknown."""
        given = self.numbers(name).get(code)
        if not given:
            return None, ()
        value, fact = max(given)
        return value, (fact,)

    def texts(self, name: str) -> dict[int, list[tuple[str, str]]]:
        """(text, fact id) by code."""
        key = ("texts", name)
        if key not in self._kept:
            found: dict[int, list[tuple[str, str]]] = {}
            frame = self.facts(name)
            for code, value, fact in zip(frame["code"], frame["value"], frame["id"], strict=True):
                if value is not None and str(value).lower() not in ("unknown", "nan", ""):
                    found.setdefault(code, []).append((str(value), str(fact)))
            self._kept[key] = found
        result: dict[int, list[tuple[str, str]]] = self._kept[key]
        return result

    def level(self, name: str, code: int) -> tuple[str | None, Ids]:
        """Highest of low, medium, high that any source gives; None when unknown."""
        order = {"low": 0, "medium": 1, "high": 2}
        given = [
            (order[text.lower()], text.lower(), fact)
            for text, fact in self.texts(name).get(code, [])
            if text.lower() in order
        ]
        if not given:
            return None, ()
        _, text, fact = max(given)
        return text, (fact,)

    def is_true(self, name: str, code: int) -> bool:
        """Whether a fact is known to be true."""
        return self.truth(name).get(code, (None, ()))[0] is True

    @cached_property
    def _kept(self) -> dict[Any, Any]:
        return {}

    # -- licences and approvals --------------------------------------------------------------------------------------

    @cached_property
    def licences(self) -> dict[int, list[tuple[str, str, str]]]:
        """(sector, issuer, licence id) in force, by code."""
        found: dict[int, list[tuple[str, str, str]]] = {}
        frame = self._coded(self.graph.licences)
        for code, sector, issuer, licence in zip(
            frame["code"], frame["sector"], frame["issuer"], frame["id"], strict=True
        ):
            found.setdefault(code, []).append((str(sector), "" if pd.isna(issuer) else str(issuer), str(licence)))
        return found

    @cached_property
    def known_licences(self) -> dict[int, list[tuple[str, Any, Any, str]]]:
        """(sector, start, end, licence id) of all licences known, in force or not, by code."""
        found: dict[int, list[tuple[str, Any, Any, str]]] = {}
        frame = self._coded(self.graph.known("licences"))
        start, end = (frame[name].to_numpy().astype("datetime64[D]") for name in ("start", "end"))
        for code, sector, begin, until, licence in zip(
            frame["code"], frame["sector"], start, end, frame["id"], strict=True
        ):
            found.setdefault(code, []).append((str(sector), begin, until, str(licence)))
        return found

    def licensed(self, code: int, sectors: Iterable[str] | None = None) -> Ids:
        """Licence ids in force, of these sectors or of any; empty when there is none."""
        wanted = None if sectors is None else set(sectors)
        return tuple(
            licence for sector, _, licence in self.licences.get(code, []) if wanted is None or sector in wanted
        )

    def approved(self, change: str, code: int) -> bool:
        """Whether an approval fact of a change is true on the day."""
        return self.is_true(f"approval:{change}", code)

    # -- cases -------------------------------------------------------------------------------------------------------

    @cached_property
    def _cases(self) -> pd.DataFrame:
        frame = self._coded(self.graph.cases)
        return frame.sort_values("start", kind="stable", na_position="first")

    def cases(self, *types: str) -> pd.DataFrame:
        """Cases in force of these types, oldest first, with the code of the entity."""
        return self._cases[self._cases["type"].isin(types)] if types else self._cases

    @cached_property
    def cases_of(self) -> dict[int, list[tuple[str, Any, str, str]]]:
        """(type, start, topic, case id) in force, by code."""
        found: dict[int, list[tuple[str, Any, str, str]]] = {}
        frame = self._cases
        for code, kind, start, topic, case in zip(
            frame["code"],
            frame["type"],
            frame["start"].to_numpy().astype("datetime64[D]"),
            frame["topic"],
            frame["id"],
            strict=True,
        ):
            found.setdefault(code, []).append((str(kind), start, "" if pd.isna(topic) else str(topic), str(case)))
        return found

    def under(self, code: int, *types: str) -> Ids:
        """Ids of the cases of these types an entity is under."""
        return tuple(case for kind, _, _, case in self.cases_of.get(code, []) if kind in types)

    # -- words -------------------------------------------------------------------------------------------------------

    @cached_property
    def hits(self) -> dict[str, dict[int, list[tuple[str, str, int, int]]]]:
        """(field, word, start, stop) by list and code: the keyword lists, and ``sector:…`` for the sectors' words."""
        from riskgraph.supervision.keywords import search

        lists: dict[str, Any] = dict(self.catalogue.keywords)
        for sector, entry in self.catalogue.sectors.items():
            if entry.get("words"):
                lists[f"sector:{sector}"] = {"words": entry["words"], "fields": ["name", "scope"], "negation": True}
        cues = [cue for item in self.catalogue.section("ad_items") for cue in item["cues"]]
        if cues:
            lists["ad_items"] = {"words": list(dict.fromkeys(cues)), "fields": ["ad_text"]}
        contents = [word for entry in self.catalogue.keywords.values() for word in entry.get("contents", ())]
        if contents:
            lists["contents"] = {"words": list(dict.fromkeys(contents)), "fields": ["ad_text"]}
        finance = [word for entry in self.catalogue.keywords.values() for word in entry["words"]]
        if finance:
            lists["finance"] = {"words": list(dict.fromkeys(finance)), "fields": ["ad_text", "website_text"]}
        found: dict[str, dict[int, list[tuple[str, str, int, int]]]] = {name: {} for name in lists}
        frame = self._coded(search(self.graph, self.catalogue, lists)) if lists else pd.DataFrame()
        if len(frame):
            frame = frame[~frame["negated"].to_numpy(dtype=bool)]
            columns = (frame[name] for name in ("list", "code", "field", "word", "start", "stop"))
            for name, code, field, word, start, stop in zip(*columns, strict=True):
                found[name].setdefault(code, []).append((field, word, int(start), int(stop)))
        return found

    @cached_property
    def printed(self) -> pd.DataFrame:
        """Names that stand on printed lists, see :func:`riskgraph.supervision.match_names`."""
        from riskgraph.supervision.keywords import match_names

        return match_names(self.graph, self.catalogue)

    # -- labels ------------------------------------------------------------------------------------------------------

    @cached_property
    def labels(self) -> dict[int, list[tuple[str, str, str]]]:
        """(sector, subtype, why) by code, in the order of the catalogue's sectors."""
        from riskgraph.supervision.sectors import label

        return label(self)

    def sectors(self, code: int) -> list[str]:
        """Distinct sectors of an entity, declared ones outside the catalogue last."""
        found = [sector for sector, _, _ in self.labels.get(code, [])]
        return list(dict.fromkeys([*found, *self.declared.get(code, ())]))

    @cached_property
    def _by_sector(self) -> dict[tuple[str, str], list[int]]:
        found: dict[tuple[str, str], list[int]] = {}
        for code in sorted(self.labels):
            for sector, subtype, _ in self.labels[code]:
                found.setdefault((sector, subtype), []).append(code)
        return found

    def in_sector(self, sector: str, *subtypes: str) -> list[int]:
        """Codes of the entities labelled with a sector (and one of the subtypes)."""
        wanted = [
            codes
            for (name, sub), codes in self._by_sector.items()
            if name == sector and (not subtypes or sub in subtypes)
        ]
        return sorted({code for codes in wanted for code in codes})
