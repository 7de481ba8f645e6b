"""Cells as people write them, read as shares, money and dates, column by column, nothing guessed in silence.

Every parser returns a mask of the cells it could not read, so that the caller can report each one; what had to be
decided for a whole column (is a bare ``65`` a percentage?) is returned too. A parser looks at every distinct text once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

__all__ = [
    "BLANKS",
    "EDGES",
    "Dates",
    "Money",
    "Shares",
    "is_blank",
    "is_blank_cell",
    "parse_dates",
    "parse_money",
    "parse_shares",
]

ShareUnit = Literal["auto", "percent", "fraction"]

#: spellings of "no value", after full-width folding, lower case
BLANKS = frozenset(
    {"\\n", "-", "--", "---", "—", "——", "/", "无", "暂无", "未公示", "未公开", "未披露", "不详"}
    | {"null", "nan", "none", "nat", "n/a", "#n/a", "na", "<na>"}
)
_LONGEST_BLANK = 8
#: what is taken off the ends of texts
EDGES = " \t\r\n\u3000\xa0\ufeff\u200b"
#: spellings of "no end"
OPEN_ENDS = frozenset(
    {"长期", "长期有效", "至今", "无固定期限", "无限期", "永久", "永续", "不限"}
    | {"0000-00-00", "0000-00-00 00:00:00", "9999-12-31", "99991231"}
)


class Shares(NamedTuple):
    """Fractions of a share column; a single number has low = high."""

    low: np.ndarray
    high: np.ndarray
    bad: np.ndarray
    #: how cells without a percent sign were read; None when there were none
    unit: Literal["percent", "fraction"] | None
    #: cells with a percent sign stand beside bare ones
    mixed: bool


class Money(NamedTuple):
    """Amounts in CNY; amounts in other currencies are not converted and stay NaN."""

    amount: np.ndarray
    bad: np.ndarray
    #: cells that name another currency
    foreign: np.ndarray


class Dates(NamedTuple):
    """Days; NaT where blank or open."""

    days: np.ndarray
    bad: np.ndarray
    #: cells that name a month or a year only and were read as its first day
    rough: np.ndarray


def _fold(value: str) -> str:
    return unicodedata.normalize("NFKC", value).strip()


def is_blank(values: pd.Series) -> np.ndarray:
    r"""Mask of the cells that say "no value": empty, ``\N``, ``-``, ``无``, ``null`` and the like.

    Examples
    --------
    >>> import pandas as pd
    >>> is_blank(pd.Series(["65%", "", "\\N", " -- ", "无", None, "无锡"])).tolist()
    [False, True, True, True, True, True, False]
    """
    return _distinct(values, is_blank_cell, bool)


def is_blank_cell(value: Any) -> bool:
    """Whether one cell says "no value"."""
    if not isinstance(value, str):
        return value is None or value is pd.NaT or bool(pd.isna(value))
    text = value.strip()
    if len(text) > _LONGEST_BLANK:
        return False
    if not text.isascii():
        text = _fold(text)
    return not text or text.lower() in BLANKS


def _distinct(values: pd.Series, read: Callable[[Any], Any], dtype: Any) -> np.ndarray:
    """``read`` of every cell, called once a distinct value; missing cells are read as None."""
    codes, distinct = pd.factorize(values.astype(object))
    found = np.empty(len(distinct) + 1, dtype=dtype)
    for place, value in enumerate((*distinct, None)):
        found[place] = read(value)
    return found[codes]


# -- shares ----------------------------------------------------------------------------------------------------------

_NUMBER = r"[+-]?(?:\d+(?:,\d{3})+|\d+)?(?:\.\d+)?(?:e[+-]?\d{1,3})?"
_SIGN = r"(?:%|percent|pct\.?|个百分点)"
_ONE = re.compile(rf"^({_NUMBER})\s*({_SIGN})?$", re.IGNORECASE)
_RANGE = re.compile(rf"^({_NUMBER})\s*({_SIGN})?\s*(?:-|~|–|—|至|到|\bto\b)\s*({_NUMBER})\s*({_SIGN})?$", re.IGNORECASE)
_RATIO = re.compile(r"^(\d+)\s*/\s*(\d+)$")
_ABOVE = re.compile(
    rf"^(?:>=?|≥|超过|高于|大于|不低于|不少于|至少|over|more than)\s*({_NUMBER})\s*({_SIGN})?$", re.IGNORECASE
)
_ABOVE_AFTER = re.compile(rf"^({_NUMBER})\s*({_SIGN})?\s*(?:\(含\))?(?:以上|及以上|\+)(?:\(含\))?$", re.IGNORECASE)
_BELOW = re.compile(
    rf"^(?:<=?|≤|低于|小于|不超过|不高于|至多|不足|under|less than)\s*({_NUMBER})\s*({_SIGN})?$", re.IGNORECASE
)
_BELOW_AFTER = re.compile(rf"^({_NUMBER})\s*({_SIGN})?\s*(?:以下|及以下)$", re.IGNORECASE)
_HAN_PERCENT = re.compile(r"^百分之([零〇一二三四五六七八九十百点两]+)$")
_HAN_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}


class _Share(NamedTuple):
    """One cell before the unit of the column is known: bounds, and which of them carry a percent sign."""

    low: Decimal | None
    high: Decimal | None
    signed: bool
    bare: bool


def parse_shares(values: pd.Series, *, unit: ShareUnit = "auto") -> Shares:
    """Shares as fractions: ``65.00%``, ``0.65``, ``65``, ``25-50%``, ``25%以上``, ``1/3``, ``百分之六十五``.

    A cell with a percent sign speaks for itself. Bare cells are decided together (``unit="auto"``): a column whose
    bare values are all at most 1 holds fractions; otherwise it holds percentages, unless the values above 1 are so few
    (under a fifth) or so near 1 (all below 2) that they are more likely errors in a column of fractions — these then
    come out above 1, for the caller to report. Nothing outside [0, 1] is cut here.

    Examples
    --------
    >>> import pandas as pd
    >>> shares = parse_shares(pd.Series(["65.00%", "25%-50%", "超过75%", "1/3", None]))
    >>> shares.low.round(4).tolist(), shares.high.round(4).tolist()
    ([0.65, 0.25, 0.75, 0.3333, nan], [0.65, 0.5, 1.0, 0.3333, nan])
    >>> parse_shares(pd.Series(["65", "35"])).low.tolist(), parse_shares(pd.Series(["0.65", "0.35"])).unit
    ([0.65, 0.35], 'fraction')
    """
    codes, distinct = pd.factorize(values.astype(object))
    cells = [_share(value) for value in distinct]
    bare = np.array([cell is not None and cell.bare for cell in cells], dtype=bool)
    signed = np.array([cell is not None and cell.signed for cell in cells], dtype=bool)
    count = np.bincount(codes[codes >= 0], minlength=len(cells)).astype(np.int64)
    tops = np.array([_top(cell) for cell in cells], dtype=float) if cells else np.empty(0)
    stated = None if unit == "auto" or not bare.any() else unit
    found = stated or _share_unit(tops[bare], count[bare])
    low = np.full(len(cells) + 1, np.nan)
    high = np.full(len(cells) + 1, np.nan)
    bad = np.zeros(len(cells) + 1, dtype=bool)
    for place, cell in enumerate(cells):
        if cell is None:
            bad[place] = not is_blank_cell(distinct[place])
            continue
        hundred = 100 if cell.signed or (cell.bare and found == "percent") else 1
        low[place] = float((cell.low or Decimal(0)) / hundred)
        high[place] = 1.0 if cell.high is None else float(cell.high / hundred)
    return Shares(low[codes], high[codes], bad[codes], found, bool(bare.any() and signed.any()))


def _top(cell: _Share | None) -> float:
    if cell is None:
        return np.nan
    return float(max(value for value in (cell.low, cell.high) if value is not None))


def _share_unit(tops: np.ndarray, count: np.ndarray) -> Literal["percent", "fraction"] | None:
    if not tops.size:
        return None
    above = tops > 1
    if not above.any():
        return "fraction"
    few = count[above].sum() * 5 < count.sum()
    return "fraction" if few or bool((tops[above] < 2).all()) else "percent"


def _share(value: Any) -> _Share | None:
    if isinstance(value, (bool, np.bool_)):
        return None
    if isinstance(value, (int, float, np.integer, np.floating)):
        if not np.isfinite(value):
            return None
        number = Decimal(repr(float(value)))
        return _Share(number, number, False, True)
    if not isinstance(value, str):
        return None
    text = _fold(value)
    if text in ("全部", "全资"):
        return _Share(Decimal(100), Decimal(100), True, False)
    if match := _ONE.match(text):
        return _interval(match[1], match[1], match[2], match[2])
    if match := _RANGE.match(text):
        return _interval(match[1], match[3], match[2] or match[4], match[4] or match[2])
    if match := _RATIO.match(text):
        low = Decimal(match[1]) / Decimal(match[2]) if Decimal(match[2]) else None
        return None if low is None else _Share(low, low, False, False)
    for pattern in (_ABOVE, _ABOVE_AFTER):
        if match := pattern.match(text):
            return _interval(match[1], None, match[2], None)
    for pattern in (_BELOW, _BELOW_AFTER):
        if match := pattern.match(text):
            return _interval("0", match[1], match[2], match[2])
    if match := _HAN_PERCENT.match(text):
        percent = _han_number(match[1])
        return None if percent is None else _Share(percent, percent, True, False)
    return None


def _interval(low: str, high: str | None, low_sign: str | None, high_sign: str | None) -> _Share | None:
    bottom, top = _decimal(low), None if high is None else _decimal(high)
    if bottom is None or (high is not None and top is None):
        return None
    signed = bool(low_sign or high_sign)
    return _Share(bottom, top, signed, not signed)


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None


def _han_number(text: str) -> Decimal | None:
    """Chinese numerals up to one hundred, with 点 decimals."""
    whole, point, rest = text.partition("点")
    if point and not (rest and all(char in _HAN_DIGITS for char in rest)):
        return None
    if whole in ("百", "一百"):
        number = 100
    else:
        tens, ten, ones = whole.rpartition("十")
        if any(len(part) > 1 or part not in ({"", *_HAN_DIGITS}) for part in (tens, ones)) or not whole:
            return None
        number = (_HAN_DIGITS.get(tens, 1) * 10 if ten else 0) + _HAN_DIGITS.get(ones, 0)
    digits = "".join(str(_HAN_DIGITS[char]) for char in rest)
    return Decimal(f"{number}.{digits}" if digits else number)


# -- money -----------------------------------------------------------------------------------------------------------

_SCALES = {"": 1, "十": 10, "百": 100, "千": 1000, "万": 10_000, "十万": 100_000, "百万": 1_000_000, "千万": 10_000_000}
_SCALES |= {"亿": 10**8, "十亿": 10**9, "百亿": 10**10, "千亿": 10**11, "万亿": 10**12}
_SCALES |= {"k": 1000, "thousand": 1000, "m": 10**6, "mn": 10**6, "million": 10**6, "bn": 10**9, "billion": 10**9}
_CNY = frozenset({"", "元", "圆", "人民币", "元人民币", "人民币元", "rmb", "cny", "¥", "￥", "yuan", "元整", "圆整"})
_CURRENCY = re.compile(
    r"^元?\(?(美元|美金|港元|港币|港幣|欧元|日元|日圆|英镑|新加坡元|新台币|台币|韩元|韩圆|澳元|澳大利亚元|加元|加拿大元|瑞士法郎|瑞郎|"
    r"澳门元|卢布|泰铢|法国法郎|德国马克|马克|usd|us\$|hkd|hk\$|eur|€|jpy|gbp|£|sgd|twd|krw|aud|cad|chf|mop|rub|thb|\$)\)?$"
)
_MONEY = re.compile(
    r"^(?P<before>[^\d.+-]*?)\s*(?P<number>[+-]?(?:\d+(?:,\d{3})+|\d+)?(?:\.\d+)?(?:e[+-]?\d{1,3})?)\s*"
    r"(?P<scale>万亿|[十百千]?[万亿]|[十百千](?=元|美|港|欧|$)|(?:k|mn?|bn|thousand|million|billion)\b)?\s*(?P<after>\D*)$"
)


def parse_money(values: pd.Series, *, unit: float = 1.0) -> Money:
    """Amounts in CNY: ``600万元人民币``, ``800.000000万元``, ``1.2亿元``, ``6,000,000``; ``500万美元`` is foreign.

    Parameters
    ----------
    unit
        What a bare number counts, 10,000 when the header says 万元.

    Examples
    --------
    >>> import pandas as pd
    >>> money = parse_money(pd.Series(["600万元人民币", "1.2亿元", "6,000,000", "500万美元", "a lot"]))
    >>> money.amount.tolist(), money.foreign.tolist(), money.bad.tolist()[-1]
    ([6000000.0, 120000000.0, 6000000.0, nan, nan], [False, False, False, True, False], True)
    """
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers = values.to_numpy(dtype=float, na_value=np.nan) * unit
        return Money(numbers, np.isinf(numbers), np.zeros(len(values), dtype=bool))
    read = _distinct(values, lambda value: _money(value, unit), object)
    amount = np.array([cell if isinstance(cell, float) else np.nan for cell in read], dtype=float)
    return Money(amount, read == "bad", read == "foreign")


def _money(value: Any, unit: float) -> Any:
    if is_blank_cell(value):
        return np.nan
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        return float(value) * unit if np.isfinite(value) else "bad"
    if not isinstance(value, str):
        return "bad"
    text = _fold(value).lower().replace(" ", "")
    match = _MONEY.match(text)
    if match is None or not match["number"] or (number := _decimal(match["number"])) is None:
        return "bad"
    before, after = match["before"].strip("():"), match["after"].strip("()")
    if _CURRENCY.match(before) or _CURRENCY.match(after):
        return "foreign"
    if before not in _CNY or after not in _CNY:
        return "bad"
    scale = match["scale"] or ""
    bare = not scale and not after and not before
    amount = float(number * (Decimal(repr(unit)) if bare else _SCALES[scale]))
    return amount if np.isfinite(amount) else "bad"


# -- dates -----------------------------------------------------------------------------------------------------------

_DAY = re.compile(
    r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T\s]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:Z|[+-]\d{2}:?\d{2})?)?$"
)
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:\.0)?$")
_MONTH = re.compile(r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?$")
_YEAR = re.compile(r"^(\d{4})\s*年?$")
_EXCEL_DAY_ZERO = np.datetime64("1899-12-30", "D")


def parse_dates(values: pd.Series, *, excel: bool = False) -> Dates:
    """Days: ``2016年6月6日``, ``2016/6/6``, ``20160606``, ``2016.6.6``; ``长期``, ``至今`` are open.

    Parameters
    ----------
    excel
        Whether bare numbers such as 42527 are day serials of a workbook.

    Examples
    --------
    >>> import pandas as pd
    >>> dates = parse_dates(pd.Series(["2016年6月6日", "2016/6/6", "20160606", "2016年6月", "长期", "2016-02-30"]))
    >>> dates.days.astype(str).tolist()
    ['2016-06-06', '2016-06-06', '2016-06-06', '2016-06-01', 'NaT', 'NaT']
    >>> dates.bad.tolist()[-1], dates.rough.tolist()[3]
    (True, True)
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        plain = values.dt.tz_localize(None) if isinstance(values.dtype, pd.DatetimeTZDtype) else values
        none = np.zeros(len(values), dtype=bool)
        return Dates(plain.to_numpy().astype("datetime64[D]"), none, none)
    codes, distinct = pd.factorize(values.astype(object))
    read = [*(_date(value, excel) for value in distinct), np.datetime64("NaT", "D")]
    rough = np.array([isinstance(cell, tuple) for cell in read], dtype=bool)
    bad = np.array([cell is False for cell in read], dtype=bool)
    days = np.full(len(read), np.datetime64("NaT"), dtype="datetime64[D]")
    for place, cell in enumerate(read):
        if cell is not False:
            days[place] = cell[0] if isinstance(cell, tuple) else cell
    return Dates(days[codes], bad[codes], rough[codes])


def _date(value: Any, excel: bool) -> Any:
    """A day, a one-tuple of the first day of a month or year, NaT when open, False when it is no date."""
    nat = np.datetime64("NaT", "D")
    if is_blank_cell(value):
        return nat
    if isinstance(value, (bool, np.bool_)):
        return False
    if isinstance(value, (int, float, np.integer, np.floating)):
        if not float(value).is_integer():
            return _EXCEL_DAY_ZERO + int(value) if excel and 10_000 <= value < 100_000 else False
        if excel and 10_000 <= value < 100_000:
            return _EXCEL_DAY_ZERO + int(value)
        value = str(int(value))
    if not isinstance(value, str):
        try:
            return np.datetime64(pd.Timestamp(value).date(), "D")
        except (ValueError, TypeError, OverflowError):
            return False
    text = _fold(value)
    if text in OPEN_ENDS:
        return nat
    if match := _DAY.match(text) or _COMPACT.match(text):
        return _day(match[1], match[2], match[3])
    if match := _MONTH.match(text):
        day = _day(match[1], match[2], "1")
        return False if day is False else (day,)
    if match := _YEAR.match(text):
        day = _day(match[1], "1", "1")
        return False if day is False else (day,)
    return False


def _day(year: str, month: str, day: str) -> Any:
    try:
        found = np.datetime64(f"{int(year):04d}-{int(month):02d}-{int(day):02d}", "D")
    except ValueError:
        return False
    return np.datetime64("NaT", "D") if int(year) >= 9000 else (found if int(year) >= 1000 else False)
