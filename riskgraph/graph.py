"""The graph of who owns, runs, controls, funds, guarantees and fronts for whom: immutable, columnar, dated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskgraph._dated import SMALL, DatedTables
from riskgraph._optional import kernels
from riskgraph._sheet import DATES
from riskgraph._sparse import near, row_pointers
from riskgraph._texts import Directory, Places, give_back, is_packed, objects
from riskgraph.errors import InvalidParameter, UnknownEntity
from riskgraph.schema import ENTITY_KINDS, RELATION_KINDS, SEED_CASES, TABLES
from riskgraph.tables import Tables, clean_tables, merge_reports

if TYPE_CHECKING:
    import networkx

__all__ = ["EntityGraph"]

_PREFIX = {"cases": "c", "licences": "l", "facts": "f"}


class EntityGraph(DatedTables):
    """Entities and the dated relations between them, seen from one day and one state of knowledge.

    A graph is immutable: :meth:`at`, :meth:`subgraph` and :meth:`with_changes` return new ones that share its
    columns, so every derived fact may be kept (:meth:`cached`). Made by :meth:`from_tables`, :meth:`from_registry`,
    :meth:`from_networkx` or a reader. Without :meth:`at` a graph stands at :attr:`latest`.

    Relations hold from ``start`` up to, not including, ``end``; missing dates are open.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": ["ann", "mine"], "kind": ["person", "company"], "name": ["Ann", "Mine Ltd"]}),
    ...     pd.DataFrame({"source": ["ann"], "target": ["mine"], "kind": ["owns"], "share": [0.6]}),
    ... )
    >>> graph
    EntityGraph: 2 entities, 1 relation, undated
    >>> graph.relations[["source", "target", "kind", "share_min"]]
      source target  kind  share_min
    0    ann   mine  owns        0.6
    """

    #: the graph this one was changed from by :meth:`with_changes`, else None
    changed_from: EntityGraph | None = None
    #: codes of the companies whose owners or controllers :meth:`with_changes` changed
    changed_companies: np.ndarray = np.empty(0, dtype=np.int64)

    # -- making one --------------------------------------------------------------------------------------------------

    @classmethod
    def from_tables(
        cls,
        entities: pd.DataFrame,
        relations: pd.DataFrame,
        cases: pd.DataFrame | None = None,
        licences: pd.DataFrame | None = None,
        facts: pd.DataFrame | None = None,
        *,
        on_error: str = "raise",
        quality: pd.DataFrame | None = None,
        rejected: Mapping[str, pd.DataFrame] | None = None,
    ) -> EntityGraph:
        """Graph of the five tables; ``entities`` and ``relations`` are required.

        Parameters
        ----------
        entities, relations, cases, licences, facts
            Frames with the columns of :data:`riskgraph.schema.TABLES`; extra columns are kept.
        on_error
            ``"raise"`` lists every bad row in the error; ``"quarantine"`` keeps the good rows, and puts the bad ones
            into :attr:`rejected` with a row each in :attr:`quality`.
        quality, rejected
            What a reader already noticed and left out, put before what is noticed here.

        Raises
        ------
        InvalidTable
            A required column is missing, or a row breaks a rule under ``on_error="raise"``.

        Examples
        --------
        >>> import pandas as pd
        >>> import riskgraph as rg
        >>> entities = pd.DataFrame({"id": ["A", "B"], "kind": ["company", "firm"]})
        >>> relations = pd.DataFrame({"source": ["A"], "target": ["B"], "kind": ["owns"]})
        >>> graph = rg.EntityGraph.from_tables(entities, relations, on_error="quarantine")
        >>> len(graph), graph.quality["table"].tolist()
        (1, ['entities', 'relations'])
        """
        tables = clean_tables(entities, relations, cases, licences, facts, on_error=on_error)
        report, left = tables.quality, tables.rejected
        if quality is not None or rejected is not None:
            report, left = merge_reports(pd.DataFrame() if quality is None else quality, rejected or {}, tables)
        return cls._from_clean(tables, report, left)

    @classmethod
    def from_registry(
        cls,
        companies: pd.DataFrame,
        shareholders: pd.DataFrame | None = None,
        officers: pd.DataFrame | None = None,
        affiliates: pd.DataFrame | None = None,
        banned: pd.DataFrame | None = None,
        *,
        columns: Mapping[str, str] | None = None,
        on_error: str = "raise",
    ) -> EntityGraph:
        """Graph of the frames an investigator has.

        Holders and persons without a row of their own get one. The exact name of a company is its identity; the name
        of a person is one only within one firm, so that two people called 刘伟 in two firms stay two people.

        Parameters
        ----------
        companies
            ``id, name, …``; further columns of the entities table are understood, others kept.
        shareholders
            ``holder, company, share`` and optionally ``holder_kind``, ``share_min``, ``share_max``, ``amount``,
            ``start``, ``end``. Holders and companies are ids or exact names.
        officers
            ``person, company, role``.
        affiliates
            ``source, target, kind``: any relation kind.
        banned
            ``entity`` and optionally ``type`` (``banned`` if missing), ``start``.
        columns
            Other spellings: ``{"公司名称": "name", "持股比例": "share"}``.

        Raises
        ------
        InvalidTable
            As in :meth:`from_tables`.

        Examples
        --------
        >>> import pandas as pd
        >>> import riskgraph as rg
        >>> graph = rg.EntityGraph.from_registry(
        ...     pd.DataFrame({"id": ["C1", "C2"], "name": ["甲有限公司", "乙有限公司"]}),
        ...     pd.DataFrame({"holder": ["刘伟", "甲有限公司"], "company": ["C1", "C2"], "share": [1.0, 0.6]}),
        ...     pd.DataFrame({"person": ["刘伟"], "company": ["C2"], "role": ["legal_representative"]}),
        ... )
        >>> graph.relations[["source", "target", "kind"]]
                 source target     kind
        0  person:刘伟@C1     C1     owns
        1            C1     C2     owns
        2  person:刘伟@C2     C2  officer
        """
        from riskgraph._registry import registry_tables

        frames = registry_tables(companies, shareholders, officers, affiliates, banned, columns=columns)
        return cls.from_tables(*frames, on_error=on_error)

    @classmethod
    def from_networkx(cls, G: networkx.MultiDiGraph, *, on_error: str = "raise") -> EntityGraph:
        """Graph of a networkx graph: node attributes are columns of entities, edge attributes of relations.

        The inverse of :meth:`to_networkx`, dates and all tables included. Any directed networkx graph whose nodes and
        edges have a ``kind`` is taken.

        Examples
        --------
        >>> import networkx as nx
        >>> import riskgraph as rg
        >>> G = nx.DiGraph()
        >>> G.add_nodes_from(["ann", "mine"], kind="company")
        >>> G.add_edge("ann", "mine", kind="owns", share=0.6)
        >>> rg.EntityGraph.from_networkx(G)
        EntityGraph: 2 entities, 1 relation, undated
        """
        from riskgraph._networkx import from_networkx

        frames, stands = from_networkx(G)
        graph = cls.from_tables(**frames, on_error=on_error)
        return graph.at(stands[0], known=stands[1]) if stands else graph

    @classmethod
    def _from_clean(cls, tables: Tables, quality: pd.DataFrame, rejected: Mapping[str, pd.DataFrame]) -> EntityGraph:
        entities = tables.entities.reset_index(drop=True)
        others = {}
        for name, prefix in _PREFIX.items():
            frame = getattr(tables, name).reset_index(drop=True)
            if "id" not in frame:
                frame.insert(0, "id", pd.Series([f"{prefix}{row}" for row in range(len(frame))], dtype=object))
            for column in TABLES[name].optional:
                if column not in frame:
                    blank = {"severity": np.float64, **dict.fromkeys(DATES, "datetime64[s]")}.get(column, object)
                    frame[column] = pd.Series([None] * len(frame), dtype=object).astype(blank)
            plain = ("id", *TABLES[name].required, *(column for column in TABLES[name].optional if column != "id"))
            others[name] = frame[[*plain, *(column for column in frame if column not in plain)]]
        if is_packed(entities["id"]):
            give_back()
        return cls(entities=entities, relations=tables.relations, tables=others, quality=quality, rejected=rejected)

    # -- columns for computing ---------------------------------------------------------------------------------------

    @cached_property
    def kinds(self) -> np.ndarray:
        """Index into :data:`riskgraph.schema.ENTITY_KINDS` of every entity, int8."""
        return Directory(np.array(ENTITY_KINDS, dtype=object)).codes(self._all["kind"]).astype(np.int8)

    @cached_property
    def names(self) -> np.ndarray:
        """Names to show, the id where an entity has none."""
        ids = self.ids.to_numpy()
        if "name" not in self._all:
            return ids
        names = objects(self._all["name"])
        return np.where(pd.isna(names), ids, names)

    def names_of(self, codes: np.ndarray | Iterable[int]) -> np.ndarray:
        """Names to show of a few entities, without making those of all."""
        codes = np.asarray(codes, dtype=np.int64)
        if "names" in self.__dict__ or len(self) <= SMALL:
            return np.asarray(self.names[codes])
        ids = self.ids_of(codes)
        if "name" not in self._all:
            return ids
        names = objects(self._all["name"].iloc[codes])
        return np.where(pd.isna(names), ids, names)

    def relation_ids(self, positions: np.ndarray | Iterable[int]) -> list[str]:
        """Ids of relations at positions of :attr:`columns`."""
        return self._store.ids(self.columns.row[np.asarray(positions, dtype=np.int64)])

    def code(self, entity: str) -> int:
        """Position of an entity.

        Raises
        ------
        UnknownEntity
            The graph does not hold it; the message offers the nearest ids and names.
        """
        return int(self.codes([entity])[0])

    def codes(self, entities: Iterable[str]) -> np.ndarray:
        """Positions of entities, int64.

        Raises
        ------
        UnknownEntity
            The graph does not hold one of them.
        """
        wanted = [entities] if isinstance(entities, str) else list(entities)
        found = self.lookup(wanted)
        if (found < 0).any():
            raise UnknownEntity(self._unknown(wanted[int(np.argmax(found < 0))]))
        return found

    def lookup(self, entities: Iterable[str]) -> np.ndarray:
        """Positions of entities, int64, -1 where the graph does not hold one."""
        wanted = np.array(list(entities), dtype=object)
        packed = self._all["id"]
        # a table of all ids is large: one by one they are looked up among hashes, many together in one pass
        if is_packed(packed) and len(self) > SMALL:
            if wanted.size == 1:
                return np.array([self.cached(("graph", "places"), lambda: Places(packed)).of(wanted[0])])
            return Directory(packed).codes(wanted).astype(np.int64)
        return np.asarray(self.ids.get_indexer(pd.Index(wanted, dtype=object)), dtype=np.int64)

    def _unknown(self, entity: object) -> str:
        text = f"the graph holds no entity {entity!r}"
        named = np.flatnonzero(self.names == entity)
        if named.size:
            return f"{text}; it is the name of {', '.join(map(str, self.ids[named[:3]]))}: ask by id"
        if len(self) <= 100_000:
            import difflib

            near = difflib.get_close_matches(str(entity), [str(value) for value in self.ids], n=3)
            if near:
                return f"{text}; near ids: {', '.join(near)}"
        return text

    @property
    def nbytes(self) -> int:
        """Bytes of the relations' columns."""
        return self._store.nbytes

    # -- questions ---------------------------------------------------------------------------------------------------

    def seeds(self) -> pd.Series:
        """Severity of every entity under a seed case in force: where risk begins.

        Seed cases are ``banned, revoked, illegal_fundraising, unlicensed_finance`` and ``sanctioned``. A case without
        severity counts 1; of several cases the gravest counts.

        Examples
        --------
        >>> import riskgraph as rg
        >>> rg.datasets.toy_banned_platform().seeds().to_dict()
        {'Platform': 1.0}
        """
        cases = self.cases
        cases = cases[cases["type"].isin(SEED_CASES)]
        weight = cases["severity"].astype(float).fillna(1.0)
        found = weight.groupby(cases["entity"].to_numpy(dtype=object)).max()
        order = np.argsort(self.lookup(found.index), kind="stable")
        found = found.iloc[order]
        return pd.Series(found.to_numpy(), index=pd.Index(found.index, dtype=object, name="entity"), name="severity")

    def neighborhood(self, id: str, depth: int = 2) -> EntityGraph:
        """Everything within ``depth`` relations of an entity, in either direction, as a graph.

        Raises
        ------
        UnknownEntity
            The graph does not hold ``id``.
        InvalidParameter
            ``depth`` is negative.
        """
        return self._subset(np.unique(self._near([id], depth)[1]))

    def nearby(self, ids: Iterable[str], depth: int = 2) -> pd.DataFrame:
        """Who is within ``depth`` relations of each of many entities, in either direction: ``start, entity, steps``.

        Each entity is there itself, at 0 steps; nearer ones come first.

        Raises
        ------
        UnknownEntity
            The graph does not hold one of them.
        InvalidParameter
            ``depth`` is negative.

        Examples
        --------
        >>> import riskgraph as rg
        >>> rg.datasets.toy_chain().nearby(["Ann"])
          start   entity  steps
        0   Ann      Ann      0
        1   Ann  Holding      1
        2   Ann     Mine      2
        """
        wanted = list(ids)
        place, code, steps = self._near(wanted, depth)
        names = {"start": np.array(wanted, dtype=object)[place], "entity": self.ids.to_numpy()[code]}
        columns = {name: pd.Series(column, dtype=object, copy=False) for name, column in names.items()}
        return pd.DataFrame({**columns, "steps": steps}, copy=False)

    def _near(self, ids: list[str], depth: int) -> tuple[np.ndarray, ...]:
        if not isinstance(depth, (int, np.integer)) or depth < 0:
            raise InvalidParameter(f"'depth' must be a whole number, 0 or more; got {depth!r}")
        codes = self.codes(ids)
        indptr, neighbors = self.cached(("graph", "adjacency"), self._adjacency)
        if codes.size > 1 and (fast := kernels(neighbors.size)):
            found: tuple[np.ndarray, ...] = fast.near(indptr.view(np.uint64), neighbors, codes, int(depth))
            return found
        return near(indptr, neighbors, codes, int(depth))

    def _adjacency(self) -> tuple[np.ndarray, np.ndarray]:
        ends = np.concatenate([self.columns.source, self.columns.target])
        others = np.concatenate([self.columns.target, self.columns.source])
        order = np.argsort(ends, kind="stable")
        return row_pointers(len(self), ends), others[order].astype(np.uint32)

    def subgraph(self, ids: Iterable[str]) -> EntityGraph:
        """The entities named and everything known among them.

        Raises
        ------
        UnknownEntity
            The graph does not hold one of them.
        """
        return self._subset(np.unique(self.codes(ids)))

    def _subset(self, codes: np.ndarray) -> EntityGraph:
        inside = np.full(len(self), -1, dtype=np.int64)
        inside[codes] = np.arange(codes.size)
        rows = np.flatnonzero((inside[self._store.source] >= 0) & (inside[self._store.target] >= 0))
        keep = self.ids[codes]
        return self._like(
            entities=self._all.iloc[codes].reset_index(drop=True),
            relations=self._store.take(rows, inside),
            tables={
                name: frame[frame["entity"].isin(keep)].reset_index(drop=True) for name, frame in self._tables.items()
            },
            day=self._day,
            known=self._known,
            dated=self._day is not None,
        )

    def with_changes(
        self,
        *,
        add: pd.DataFrame | None = None,
        remove: Iterable[str] | None = None,
        entities: pd.DataFrame | None = None,
    ) -> EntityGraph:
        """The graph after a what-if: relations added and removed, entities added.

        Parameters
        ----------
        add
            Relations to add, checked like any others.
        remove
            Ids of relations to remove.
        entities
            Entities to add, for relations that need new ones.

        Raises
        ------
        InvalidTable
            A row to add breaks a rule.
        InvalidParameter
            ``remove`` names a relation the graph does not hold.
        """
        from riskgraph._changes import changed

        return changed(self, add, remove, entities)

    def summary(self) -> pd.DataFrame:
        """How much of what the graph holds on its day: ``table, kind, count``, in the order of the vocabulary.

        Examples
        --------
        >>> import riskgraph as rg
        >>> rg.datasets.toy_chain().summary()
               table     kind  count
        0   entities  company      2
        1   entities   person      1
        2  relations     owns      2
        """
        kinds = np.bincount(self.kinds, minlength=len(ENTITY_KINDS))
        rows = [("entities", kind, int(count)) for kind, count in zip(ENTITY_KINDS, kinds, strict=True) if count]
        found = np.bincount(self.columns.kind, minlength=len(RELATION_KINDS))
        rows += [("relations", kind, int(count)) for kind, count in zip(RELATION_KINDS, found, strict=True) if count]
        for table, column in (("cases", "type"), ("licences", "sector"), ("facts", "fact")):
            counts = getattr(self, table)[column].value_counts(sort=False).sort_index()
            rows += [(table, str(kind), int(count)) for kind, count in counts.items()]
        return pd.DataFrame(rows, columns=["table", "kind", "count"])

    # -- in and out --------------------------------------------------------------------------------------------------

    def to_networkx(self) -> networkx.MultiDiGraph:
        """MultiDiGraph with every table and date in it; :meth:`from_networkx` gives the same graph back.

        Nodes are entity ids, edge keys relation ids; empty cells are left out of the attributes. All known relations
        are there, ended ones too: filter on ``start`` and ``end``, or take ``graph.at(day)`` back from it.
        """
        from riskgraph._networkx import to_networkx

        return to_networkx(self)

    def __len__(self) -> int:
        """Count the entities."""
        return len(self._all)

    def __contains__(self, id: object) -> bool:
        """Whether an id is that of an entity."""
        return id in self.ids

    def __repr__(self) -> str:
        """One line: how many entities and relations, and the day it stands at."""
        count = len(self.columns)
        plural = ("entity" if len(self) == 1 else "entities", "relation" if count == 1 else "relations")
        return f"EntityGraph: {len(self):,} {plural[0]}, {count:,} {plural[1]}, {self._stands()}"

    def _repr_html_(self) -> str:
        from riskgraph._html import graph_card

        return graph_card(self)
