"""A graph of Spark DataFrames: propagation, ownership, control, look-through and screening where the tables live."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
import pandas as pd

from riskgraph._cells import to_day
from riskgraph._optional import import_optional
from riskgraph.errors import InvalidParameter, UnknownEntity
from riskgraph.graph import EntityGraph
from riskgraph.ownership._verdicts import Terms
from riskgraph.risk.base import check_choice, check_fraction, check_positive, check_whole
from riskgraph.schema import SEED_CASES
from riskgraph.spark._cascade import cascade
from riskgraph.spark._control import control
from riskgraph.spark._engine import Engine, Frame, expr
from riskgraph.spark._holdings import holdings
from riskgraph.spark._integrated import integrated
from riskgraph.spark._lookthrough import look_through
from riskgraph.spark._pagerank import pagerank, walk
from riskgraph.spark._tables import Tables, dated, load, newest
from riskgraph.spark._threshold import taint
from riskgraph.spark._transmission import arcs
from riskgraph.spark._words import occurrences

if TYPE_CHECKING:
    from riskgraph.supervision.catalogue import Catalogue

__all__ = ["SparkGraph"]

T = TypeVar("T")

#: Spark SQL of the day a date column names
_METHODS = ("cascade", "threshold", "pagerank")


class SparkGraph:
    """Entities and dated relations as Spark DataFrames, asked the same questions as an :class:`~riskgraph.EntityGraph`.

    For tables that live on a cluster, or do not fit one machine. Results are Spark DataFrames with the local column
    names, equal to the local results to 1e-9, in no order. Only expressions of Spark SQL run on the rows: no Python
    on the workers, and of the graph nothing but single numbers comes to the driver. Any session will do, classic or
    Spark Connect, with ANSI mode on; its settings are left as they are, and it is not stopped.

    Made by :meth:`from_tables`. Like the local graph it stands at the newest date in its tables until :meth:`at`.

    Attributes
    ----------
    valid_on, known_by
        The day the graph stands at, and the day whose knowledge it shows; None for undated, and for what is known now.

    Examples
    --------
    >>> SparkGraph.from_tables(None, "tables")
    Traceback (most recent call last):
    riskgraph.errors.InvalidParameter: 'spark' must be a Spark session; got None
    """

    def __init__(self, engine: Engine, tables: Tables, valid: date | None, known: date | None) -> None:
        """Put parts together; people use :meth:`from_tables`."""
        self._engine, self._all = engine, tables
        self.valid_on, self.known_by = valid, known
        self._tables = dated(tables, valid, known)
        self._cache: dict[str, Any] = {}

    @classmethod
    def from_tables(cls, spark: Any, tables: Any, *, scratch: str | None = None, max_rounds: int = 1000) -> Self:
        """Graph of a session and its tables.

        Parameters
        ----------
        spark
            A Spark session: classic, or Spark Connect to a server of version 4.
        tables
            A folder of Parquet (``entities.parquet``, ``relations.parquet``, …, as ``write_tables`` makes them, files
            or folders, on any file system Spark reads), a mapping of table names to pandas or Spark frames, or an
            :class:`~riskgraph.EntityGraph`. Pandas frames alone are checked and repaired as locally; Parquet and
            Spark frames must be clean, with shares as fractions.
        scratch
            Folder for intermediate Parquet, for sessions that cannot checkpoint. The files are left there.
        max_rounds
            Most rounds that any computation may take.

        Raises
        ------
        MissingDependency
            pyspark is not installed.
        InvalidParameter
            ``spark`` is no session, or ``tables`` is none of these.
        InvalidTable
            A table or column is missing, or rows break a rule; the message counts them.
        """
        if not all(hasattr(spark, name) for name in ("createDataFrame", "read")):
            raise InvalidParameter(f"'spark' must be a Spark session; got {spark!r}")
        import_optional("pyspark.sql.functions", extra="spark")
        check_whole("max_rounds", max_rounds, low=1)
        engine = Engine(spark, scratch, int(max_rounds))
        loaded = load(engine, tables)
        valid, known = newest(engine, loaded), None
        if isinstance(tables, EntityGraph):
            valid, known = (None if day is None else day.date() for day in (tables.valid_on, tables.known_by))
        return cls(engine, loaded, valid, known)

    def at(self, valid: Any, known: Any = None) -> Self:
        """The graph valid on one day, as known by another; ``None`` takes what is known now.

        Raises
        ------
        InvalidParameter
            Not a date.
        """
        return type(self)(
            self._engine, self._all, _day("valid", valid), None if known is None else _day("known", known)
        )

    @property
    def entities(self) -> Frame:
        """Entities, with the column ``ended``."""
        return self._tables.entities.drop("code")

    @property
    def relations(self) -> Frame:
        """Relations in force on the graph's day and known by then."""
        return self._tables.relations.drop("a", "b", "row")

    def seeds(self) -> Frame:
        """``entity, severity`` of every entity under a seed case in force."""
        return self._ids(self._given_seeds(None, 1.0), code="entity").selectExpr("entity", "weight as severity")

    # -- propagation -------------------------------------------------------------------------------------------------

    def propagate(self, method: str = "cascade", *, seeds: Any = None, **parameters: Any) -> Frame:
        """Spread risk from the seeds: ``entity, risk`` and the bounds of the method, a row for every entity.

        Parameters
        ----------
        method
            ``"cascade"``
                ``entity, risk, lower, upper`` as :class:`riskgraph.risk.RiskCascade`; takes ``transmission`` (None, a
                mapping of numbers and rules of :func:`riskgraph.risk.default_transmission`, or a column), ``hubs``,
                ``max_hops``.
            ``"threshold"``
                ``entity, risk, label, lower, upper`` as :class:`riskgraph.risk.ThresholdCascade`; takes ``threshold``,
                ``inclusive``, ``controls``, ``votes``.
            ``"pagerank"``
                ``entity, risk`` as :class:`riskgraph.risk.PersonalizedPageRank`; takes ``damping``, ``weight``,
                ``direction``, ``dangling``, ``tol`` (1e-10 here).
        seeds
            None for the entities under a seed case, ids, a mapping id → weight, or a Spark frame ``entity, weight``.

        Notes
        -----
        Not on Spark: the cascade's ``estimate`` other than ``"upper"``, ``ties="at_case"``, half lives, and functions
        as transmission (put their values into a column). The cascade's bounds are those of messages followed until
        they move by less than 1e-12 of themselves, raised until they are seen to bound what was left open. Its lower
        bound may differ from the local one where relations of probability 1 form circles and paths are equally
        strong; both are bounds.

        Raises
        ------
        InvalidParameter
            Another method, a parameter that breaks its rule or is not supported on Spark.
        UnknownEntity
            A seed is not in the graph.
        NotConverged
            ``max_rounds`` were not enough.
        """
        check_choice("method", method, _METHODS)
        run: Callable[..., Frame] = getattr(self, f"_{method}")
        able = [name for name in inspect.signature(run).parameters if name != "seeds"]
        for name in parameters:
            if name not in able:
                raise InvalidParameter(f"{name!r} is not supported by {method!r} on Spark; it takes {', '.join(able)}")
        return self._ids(run(seeds, **parameters), code="entity")

    def _cascade(
        self, seeds: Any, *, transmission: Any = None, hubs: str | None = None, max_hops: int | None = None,
        estimate: str = "upper", ties: str = "current",
    ) -> Frame:  # fmt: skip
        check_choice("estimate", estimate, ("upper",))
        check_choice("ties", ties, ("current",))
        check_choice("hubs", hubs, (None, "damp", "ignore"))
        if max_hops is not None:
            check_whole("max_hops", max_hops, low=1)
        found = self._given_seeds(seeds, 1.0).where("weight > 0")
        damp = hubs == "damp" or (hubs is None and transmission is None)
        links = arcs(self._engine, self._tables.relations, transmission)
        return cascade(self._engine, links, self._tables.entities, found, damp=damp, max_hops=max_hops)

    def _threshold(
        self, seeds: Any, *, threshold: float = 0.5, inclusive: bool = True, controls: bool = False, votes: bool = False
    ) -> Frame:
        check_fraction("threshold", threshold, low=False)
        for name, value in (("inclusive", inclusive), ("controls", controls), ("votes", votes)):
            check_choice(name, value, (True, False))
        found = self._given_seeds(seeds, None).where("weight > 0")
        agreed = self._tables.relations.where("kind = 'controls'" if controls else "false").selectExpr("a", "b")
        return taint(
            self._engine, self._holdings(votes), agreed, self._tables.entities, found,
            threshold=threshold, inclusive=inclusive,
        )  # fmt: skip

    def _pagerank(
        self, seeds: Any, *, damping: float = 0.85, weight: str | None = None, direction: str = "forward",
        dangling: str = "sink", tol: float = 1e-10,
    ) -> Frame:  # fmt: skip
        check_fraction("damping", damping, high=False)
        check_choice("direction", direction, ("forward", "reverse", "both"))
        check_choice("dangling", dangling, ("sink", "seeds", "uniform"))
        check_positive("tol", tol)
        if weight is not None and not isinstance(weight, str):
            raise InvalidParameter(f"'weight' must be None or a column of the relations; got {weight!r}")
        given = self._given_seeds(seeds, None)
        found = self._engine.cut(given.where("weight > 0"))
        if not self._engine.some(found) and self._engine.some(given):
            raise InvalidParameter("'seeds' must have a weight above 0; got 0 for all of them")
        steps = walk(self._engine, self._tables.relations, weight, direction)
        return pagerank(
            self._engine, steps, self._tables.entities, found,
            damping=float(damping), dangling=dangling, tol=float(tol), reversible=direction == "both",
        )  # fmt: skip

    # -- ownership and control ---------------------------------------------------------------------------------------

    def integrated_ownership(
        self, owners: Any, assets: Any = None, *, method: str = "corrected", min_share: float = 0.0
    ) -> Frame:
        """Share of each company that the asked owners hold, directly and through all others, between sharp bounds.

        ``owner, asset, direct_min, direct_max, share_min, share_max`` as
        :func:`riskgraph.ownership.integrated_ownership`. Rings are followed round by round until a round moves
        nothing by more than 1e-12 of itself, then raised until they are seen to bound the rest; where shares
        circulate for ever (sums above 1) ``NotConverged`` is raised instead of infinity.

        Parameters
        ----------
        owners
            Ids, or a Spark frame with the column ``entity``; there is no "all owners" on Spark.
        assets
            Ids or a frame likewise; None for all.
        method
            ``"corrected"`` or ``"all_walks"``; ``"simple_paths"`` is not supported on Spark.
        min_share
            Leave out pairs whose share cannot reach this.

        Raises
        ------
        InvalidParameter
            Another method, no owners, or a ``min_share`` outside [0, 1].
        UnknownEntity
            The graph does not hold one of the ids.
        NotConverged
            ``max_rounds`` were not enough.
        """
        check_choice("method", method, ("corrected", "all_walks"))
        check_fraction("min_share", min_share)
        if owners is None:
            raise InvalidParameter("'owners' must be ids or a frame of ids on Spark; got None")
        held = self._holdings(False)
        found = integrated(self._engine, held, self._codes(owners), method=method)
        found = found.where(f"high >= {float(min_share)!r}D")
        if assets is not None:
            found = found.join(self._codes(assets).selectExpr("code as wanted"), expr("asset = wanted"), "left_semi")
        direct = held.selectExpr("owner as o", "company as c", "low as l", "high as h")
        found = found.join(direct, expr("owner = o and asset = c"), "left").selectExpr(
            "owner", "asset", "coalesce(l, 0D) as direct_min", "coalesce(h, 0D) as direct_max", "low as share_min",
            "high as share_max",
        )  # fmt: skip
        return self._ids(found, owner="owner", asset="asset")

    def control(
        self, *, threshold: float = 0.5, inclusive: bool = False, joint: bool = True, max_depth: int | None = None
    ) -> Frame:
        """Control of companies: the least fixed point of "x and what x controls hold more than the threshold".

        ``controller, company, votes_min, votes_max, verdict, depth, acting`` as :func:`riskgraph.ownership.control`,
        votes compared in whole units of 1e-15. ``acting`` is an array of ids in their own order.

        Raises
        ------
        InvalidParameter
            A threshold outside [0, 1], an inclusive threshold of 0, or a ``max_depth`` below 1.
        NotConverged
            ``max_rounds`` were not enough.
        """
        terms = Terms(threshold, inclusive, joint, max_depth).check()
        pairs, groups = control(self._engine, self._holdings(True), self._tables.relations, terms)
        names = self._tables.entities.selectExpr("code as c", "id")
        members = (
            groups.join(names, expr("node = c")).groupBy("label").agg(expr("sort_array(collect_list(id)) as acting"))
        )
        groups = groups.withColumnRenamed("label", "g").join(members, expr("g = label")).drop("label")
        rows = pairs.join(groups, expr("unit = g"), "left").where("coalesce(node, unit) <> company")
        rows = rows.selectExpr(
            "coalesce(node, unit) as controller", "company", "votes_min", "votes_max", "verdict", "depth",
            "coalesce(acting, cast(array() as array<string>)) as acting",
        )  # fmt: skip
        return self._ids(rows, controller="controller", company="company")

    # -- nesting and words -------------------------------------------------------------------------------------------

    def look_through(self, holders: Any = None, assets: Any = None) -> Frame:
        """Money that each holder ultimately has in each asset, through any number of products.

        ``holder, asset, share, amount, layers_min, layers_max, sectors`` as :func:`riskgraph.nesting.look_through`,
        circles summed until a round moves nothing by more than 1e-12 of itself. ``sectors`` is an array. Not on
        Spark: the column ``through``, ``exposure`` and ``cents``.

        Parameters
        ----------
        holders, assets
            Ids asked about, ``"<untraced>"`` among them if wanted; None for everyone who is not looked through.

        Raises
        ------
        UnknownEntity
            The graph does not hold one of the ids.
        NotConverged
            ``max_rounds`` were not enough.
        """
        return look_through(self._engine, self._tables, self._ends(holders), self._ends(assets))

    def screen_names(self, catalogue: Catalogue, *, lists: Iterable[str] | None = None) -> Frame:
        """Occurrences of the catalogue's keyword lists in names, scopes and texts, one row each.

        ``entity, list, field, word, start, stop, negated`` as :func:`riskgraph.supervision.keyword_hits`.

        Raises
        ------
        InvalidParameter
            An unknown list.
        """
        return occurrences(self._engine, self._tables, catalogue, lists)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _kept(self, key: str, build: Callable[[], T]) -> T:
        if key not in self._cache:
            self._cache[key] = build()
        value: T = self._cache[key]
        return value

    def _holdings(self, votes: bool) -> Frame:
        return self._kept(
            f"holdings {bool(votes)}", lambda: holdings(self._engine, self._tables.relations, votes=bool(votes))
        )

    def _ids(self, frame: Frame, **columns: str) -> Frame:
        """Codes of columns replaced by ids: ``code="entity"`` makes of ``code`` the column ``entity``."""
        names = self._tables.entities.select("code", "id")
        order = [columns.get(name, name) for name in frame.columns]
        for code, name in columns.items():
            ids = names.selectExpr("code as _code", f"id as _{name}")
            frame = frame.join(ids, expr(f"`{code}` = _code")).drop("_code", code).withColumnRenamed(f"_{name}", name)
        return frame.select(*order)

    def _codes(self, entities: Any) -> Frame:
        """Codes of ids, or of a frame's column ``entity``."""
        frame = self._with_codes(entities if hasattr(entities, "selectExpr") else self._listed(entities))
        return self._engine.cut(frame.select("code").distinct())

    def _ends(self, entities: Any) -> tuple[Frame, bool] | None:
        """Codes of ids asked about, and whether the untraced is among them; None for the default."""
        if entities is None:
            return None
        names = [entities] if isinstance(entities, str) else list(entities)
        return self._codes([name for name in names if name != "<untraced>"]), "<untraced>" in names

    def _listed(self, entities: Any) -> Frame:
        names = [entities] if isinstance(entities, str) else list(entities)
        return self._engine.rows([(str(name),) for name in names], "entity string")

    def _with_codes(self, frame: Frame) -> Frame:
        names = self._tables.entities.selectExpr("id as _id", "code")
        found = self._engine.cut(frame.join(names, expr("entity = _id"), "left").drop("_id"))
        lost = found.where("code is null").select("entity").limit(1).collect()
        if lost:
            raise UnknownEntity(f"the graph holds no entity {lost[0][0]!r}")
        return found

    def _given_seeds(self, seeds: Any, most: float | None) -> Frame:
        """``code, weight`` of the seeds."""
        if seeds is None:
            kinds = ", ".join(f"'{kind}'" for kind in SEED_CASES)
            found = self._tables.cases.where(f"type in ({kinds})").selectExpr(
                "code", "coalesce(severity, 1D) as weight"
            )
        elif hasattr(seeds, "selectExpr"):
            found = self._with_codes(seeds).selectExpr("code", "cast(weight as double) as weight")
        else:
            given = [seeds] if isinstance(seeds, str) else seeds
            if isinstance(given, (pd.Series, Mapping)):
                pairs = [(str(name), _weight(weight)) for name, weight in given.items()]
            elif isinstance(given, Iterable):
                pairs = [(str(name), 1.0) for name in given]
            else:
                raise InvalidParameter(f"'seeds' must be None, ids or a mapping of id to weight; got {seeds!r}")
            found = self._with_codes(self._engine.rows(pairs, "entity string, weight double")).select("code", "weight")
        highest = "double('infinity')" if most is None else f"{most!r}D"
        rule = f"not (weight >= 0 and weight {'<' if most is None else '<='} {highest})"
        found = self._engine.cut(found.groupBy("code").agg(expr("max(weight) as weight")))
        wrong = found.where(f"weight is null or {rule}").limit(1).collect()
        if wrong:
            limits = "0 or more" if most is None else f"in [0, {most:g}]"
            raise InvalidParameter(f"'seeds' must have weights {limits}; got {wrong[0]['weight']!r}")
        return found


def _weight(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _day(name: str, value: Any) -> date:
    day = to_day(value)
    if np.isnat(day):
        raise InvalidParameter(f"'{name}' must be a date such as 2016-06-30; got {value!r}")
    found: date = day.astype(object)
    return found
