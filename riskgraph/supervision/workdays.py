"""Working days of the official Chinese calendar, make-up days included; weekdays outside its years."""

from __future__ import annotations

import datetime as dt
import importlib
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskgraph.errors import InvalidParameter

__all__ = ["DueDay", "is_working_day", "working_days_after"]


class DueDay(NamedTuple):
    """The last day of a term, and whether the official calendar covers all of it."""

    day: np.datetime64
    official: bool


@lru_cache(maxsize=1)
def _calendar() -> tuple[Any, dt.date, dt.date] | None:
    """The calendar and the first and last day it covers, None when it is not installed."""
    try:
        calendar = importlib.import_module("chinese_calendar")
        holidays = importlib.import_module("chinese_calendar.constants").holidays
    except ImportError:
        return None
    years = {day.year for day in holidays}
    return calendar, dt.date(min(years), 1, 1), dt.date(max(years), 12, 31)


def _date(value: Any) -> dt.date:
    day = pd.to_datetime(value, errors="coerce")
    if pd.isna(day):
        raise InvalidParameter(f"'day' must be a date such as 2016-06-30; got {value!r}")
    result: dt.date = day.date()
    return result


def is_working_day(day: Any) -> tuple[bool, bool]:
    """Whether a day is a working day, and whether the official calendar says so.

    Examples
    --------
    >>> is_working_day("2016-10-08"), is_working_day("2016-10-07"), is_working_day("2035-01-01")
    ((True, True), (False, True), (True, False))
    """
    date = _date(day)
    calendar = _calendar()
    if calendar is None or not calendar[1] <= date <= calendar[2]:
        return date.weekday() < 5, False
    return bool(calendar[0].is_workday(date)), True


def working_days_after(day: Any, count: int) -> DueDay:
    """Last day of a term of working days; the day after the order is day 1.

    Parameters
    ----------
    day
        Day of the order.
    count
        Working days, 0 or more.

    Raises
    ------
    InvalidParameter
        No date, or a negative count.

    Examples
    --------
    >>> str(working_days_after("2016-09-26", 10).day)  # the National Day week, then a working Saturday and Sunday
    '2016-10-13'
    """
    if count < 0:
        raise InvalidParameter(f"'count' must be 0 or more; got {count!r}")
    date, left, official = _date(day), count, True
    while left:
        date += dt.timedelta(days=1)
        works, known = is_working_day(date)
        official &= known
        left -= works
    return DueDay(np.datetime64(date.isoformat(), "D"), official)
