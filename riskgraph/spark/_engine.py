"""What every computation on Spark needs: lineage cut after each round, exact units in SQL, certified fixed points.

Only expressions of Spark SQL run on the rows. The driver sees single numbers: counts, and how far a round moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import uuid4

from riskgraph._optional import import_optional
from riskgraph._sparse import SHARE_UNITS
from riskgraph.errors import NotConverged

__all__ = ["LOOK", "MOST_UNITS", "Engine", "expr", "units", "units_sum"]

#: a Spark DataFrame, classic or Connect
Frame = Any
#: sums of units stop here
MOST_UNITS = 4_000 * SHARE_UNITS
#: relative change from which a value counts as still
STILL = 1e-12
#: how far a round moved is looked at every so many rounds: a look costs as much as a round
LOOK = 3
#: rounds that a raised vector may need until it is seen to bound the fixed point
PROVING = 40
#: rounding of one round
ROUNDING = 4e-15


def expr(text: str) -> Any:
    """Column of a Spark SQL expression, for whichever session is in use."""
    return import_optional("pyspark.sql.functions", extra="spark").expr(text)


def units(share: str) -> str:
    """SQL for a share in whole units of 1e-15: exact up to twelve decimals, others rounded down.

    Examples
    --------
    >>> "bigint" in units("share_min")
    True
    """
    return (
        f"(case when rint({share} * 1e12D) / 1e12D = {share} then cast(rint({share} * 1e12D) as bigint) * 1000L "
        f"else cast(floor(cast({share} as decimal(38, 18)) * {SHARE_UNITS}) as bigint) end)"
    )


def units_sum(column: str, over: str = "") -> str:
    """SQL for a sum of units that cannot overflow.

    Examples
    --------
    >>> units_sum("low").startswith("cast(least(sum(")
    True
    """
    return f"cast(least(sum(cast({column} as decimal(20, 0))){over}, {MOST_UNITS}) as bigint)"


class Engine:
    """A session, how its lineage is cut, and how many rounds anything may take."""

    def __init__(self, spark: Any, scratch: str | None, max_rounds: int) -> None:
        self.spark, self.scratch, self.max_rounds = spark, scratch, max_rounds

    def cut(self, frame: Frame) -> Frame:
        """The rows of a frame, computed now, without the plan that made them."""
        if self.scratch is None:
            # a checkpoint keeps the size that Spark expected of the plan, and what it expects of joins multiplies from
            # round to round without bound; of a cached frame the true size is known
            kept = frame.persist()
            kept.count()
            found = kept.localCheckpoint()
            kept.unpersist()
            return found
        place = f"{self.scratch.rstrip('/')}/{uuid4().hex}"
        frame.write.parquet(place)
        return self.spark.read.parquet(place)

    def rows(self, rows: Iterable[Sequence[Any]], schema: str) -> Frame:
        """A small frame of the driver's rows."""
        return self.spark.createDataFrame([tuple(row) for row in rows], schema)

    def number(self, frame: Frame, sql: str) -> Any:
        """One number about a frame; None when it is empty."""
        return frame.agg(expr(sql).alias("x")).collect()[0][0]

    def some(self, frame: Frame) -> bool:
        """Whether a frame has a row."""
        return bool(frame.limit(1).count())

    # -- fixed points ------------------------------------------------------------------------------------------------

    def least(
        self,
        start: Frame,
        step: Callable[[Frame], Frame],
        keys: Sequence[str],
        values: Sequence[str],
        *,
        what: str,
        rounds: int | None = None,
        enough: float | None = None,
    ) -> Frame:
        """Least fixed point of a monotone ``step`` of values that are 0 where a key is missing.

        Rounds from below go on until nothing moves by more than 1e-12 of itself. If the last round still moved
        something, the values are then raised a little and followed until K more rounds lie below the raised ones:
        by monotony these bound the fixed point, so that what is returned is never below it, and above it by at most
        what was raised.

        Parameters
        ----------
        rounds
            Take exactly so many rounds instead.
        enough
            Values above this are not followed further.

        Raises
        ------
        NotConverged
            The budget of rounds was used up.
        """
        now, moved, done = start, 1.0, 0
        while moved > STILL if rounds is None else done < rounds:
            if done >= self.max_rounds:
                raise NotConverged(
                    f"{what} still moves by {moved:.2g} of itself after {done:,} rounds; "
                    "raise 'max_rounds' of the graph, or look for shares that sum above 1"
                )
            done += 1
            if rounds is None and (done % LOOK == 0 or done == self.max_rounds):
                now, moved = self._round(now, now, step, keys, values, "({v} - {b}) / {v}", enough)
            else:
                now = self.cut(step(now))
        if rounds is not None or moved <= 0:
            return now
        return self._raised(now, step, keys, values, what)

    def _raised(
        self, below: Frame, step: Callable[[Frame], Frame], keys: Sequence[str], values: Sequence[str], what: str
    ) -> Frame:
        rise = 30 * STILL
        while rise < 1e-9:
            start = self.cut(below.selectExpr(*keys, *(f"{v} * {1 + rise!r}D as {v}" for v in values)))
            now = start
            for done in range(1, PROVING + 1):
                if done % LOOK:
                    now = self.cut(step(now))
                    continue
                now, over = self._round(now, start, step, keys, values, f"{{v}} / {{b}} - {1 + ROUNDING!r}D", None)
                if over <= 0:
                    return now
            rise *= 30
        raise NotConverged(f"{what} converges too slowly to be certain of nine digits")

    def _round(
        self,
        now: Frame,
        other: Frame,
        step: Callable[[Frame], Frame],
        keys: Sequence[str],
        values: Sequence[str],
        measure: str,
        enough: float | None,
    ) -> tuple[Frame, float]:
        """One round, and the greatest ``measure`` of a value ``{v}`` against that of ``other``, ``{b}``."""
        # a union, not a join: Spark multiplies the sizes it expects of joined frames, and a frame joined with what it
        # was made from would be expected to be squared round after round
        blank = "cast(null as double)"
        new = step(now).selectExpr(*keys, *values, *(f"{blank} as _{v}" for v in values))
        old = other.selectExpr(*keys, *(f"{blank} as {v}" for v in values), *(f"{v} as _{v}" for v in values))
        both = [expr(f"max({v}) as {v}") for v in (*values, *(f"_{v}" for v in values))]
        new = self.cut(new.union(old).groupBy(*keys).agg(*both).where(f"{values[0]} is not null"))
        tests = []
        for v in values:
            b = f"coalesce(_{v}, 0D)"
            live = f"{v} > 0" + ("" if enough is None else f" and {b} < {enough!r}")
            ratio = measure.replace("{v} / {b}", f"coalesce(try_divide({v}, {b}), 2D)")
            tests.append(f"max(case when {live} then {ratio.format(v=v, b=b)} end)")
        most = self.number(new, f"coalesce(greatest({', '.join([*tests, '-1D'])}), -1D)")
        return new.drop(*(f"_{v}" for v in values)), float(most)
