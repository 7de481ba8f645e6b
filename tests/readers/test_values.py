"""Shares, money and dates as people write them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskgraph.readers._values import is_blank, parse_dates, parse_money, parse_shares


def series(*cells):
    return pd.Series(list(cells), dtype=object)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("65.00%", 0.65, 0.65),
        ("６５％", 0.65, 0.65),
        ("33.33%", 0.3333, 0.3333),
        ("25-50%", 0.25, 0.5),
        ("25%-50%", 0.25, 0.5),
        ("50%~75%", 0.5, 0.75),
        ("25%至50%", 0.25, 0.5),
        ("0.25-0.5", 0.25, 0.5),
        ("25%以上", 0.25, 1.0),
        ("25%（含）以上", 0.25, 1.0),
        ("25%以上(含)", 0.25, 1.0),
        ("不低于30%", 0.3, 1.0),
        ("5%以下", 0.0, 0.05),
        ("≥75%", 0.75, 1.0),
        ("<25%", 0.0, 0.25),
        ("1/3", 1 / 3, 1 / 3),
        ("百分之六十五", 0.65, 0.65),
        ("百分之十点五", 0.105, 0.105),
        ("百分之百", 1.0, 1.0),
        ("全部", 1.0, 1.0),
        ("1,000%", 10.0, 10.0),
    ],
)
def test_one_share(text, low, high):
    read = parse_shares(series(text))
    assert (read.low[0], read.high[0]) == (low, high)
    assert not read.bad[0]


@pytest.mark.parametrize("text", ["much", "%", "6 5", "1/0", "65%%", "百分之", "1.2.3", "12%-", "∞", True])
def test_what_is_no_share(text):
    assert parse_shares(series(text)).bad.tolist() == [True]


def test_blank_shares_are_missing_and_no_error():
    read = parse_shares(series(None, "", "-", "\\N", "无", np.nan, "65%"))
    assert not read.bad.any()
    assert np.isnan(read.low[:6]).all()
    assert read.low[6] == 0.65


@pytest.mark.parametrize(
    ("cells", "unit", "low"),
    [
        (("0.65", "0.35", "1"), "fraction", [0.65, 0.35, 1.0]),
        (("65", "35"), "percent", [0.65, 0.35]),
        (("0.5", "65", "34.5"), "percent", [0.005, 0.65, 0.345]),
        ((65.0, 0.5), "percent", [0.65, 0.005]),
        # an error in a column of fractions does not turn the others into hundredths of themselves
        (("0.6", "0.5", "1.4"), "fraction", [0.6, 0.5, 1.4]),
        (("0.1",) * 9 + ("65",), "fraction", [0.1] * 9 + [65.0]),
        # cells with a sign speak for themselves
        (("65%", "0.35"), "fraction", [0.65, 0.35]),
        (("65%", "35"), "percent", [0.65, 0.35]),
        (("65%", "35%"), None, [0.65, 0.35]),
    ],
)
def test_bare_numbers_are_decided_for_the_whole_column(cells, unit, low):
    read = parse_shares(series(*cells))
    assert read.unit == unit
    assert read.low.tolist() == low
    assert read.mixed == (any("%" in str(cell) for cell in cells) and unit is not None)


def test_a_stated_unit_goes_before_the_guess():
    assert parse_shares(series("0.5", "0.25"), unit="percent").low.tolist() == [0.005, 0.0025]
    assert parse_shares(series("65", "35"), unit="fraction").low.tolist() == [65.0, 35.0]


@given(st.lists(st.integers(min_value=0, max_value=10_000), min_size=1, max_size=30))
def test_percent_text_is_decimal_exact(hundredths):
    read = parse_shares(series(*(f"{value // 100}.{value % 100:02d}%" for value in hundredths)))
    assert read.low.tolist() == [float(f"{value / 10_000:.4f}") for value in hundredths]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("600万元人民币", 6e6),
        ("600万元", 6e6),
        ("600万人民币", 6e6),
        ("800.000000万元", 8e6),
        ("1.2亿元", 1.2e8),
        ("6,000,000", 6e6),
        ("6,000,000元", 6e6),
        ("人民币600万元", 6e6),
        ("￥1,500.50", 1500.5),
        ("５００万元", 5e6),
        ("3000元整", 3000.0),
        ("2千万元", 2e7),
        ("1.5 million", 1.5e6),
        ("0", 0.0),
    ],
)
def test_one_amount(text, amount):
    read = parse_money(series(text))
    assert read.amount.tolist() == [amount]
    assert not read.bad.any()
    assert not read.foreign.any()


@pytest.mark.parametrize("text", ["500万美元", "1,000 USD", "HK$200", "300万港元", "100万元(美元)", "20万欧元", "$5"])
def test_other_currencies_are_seen_and_not_converted(text):
    read = parse_money(series(text))
    assert read.foreign.tolist() == [True]
    assert np.isnan(read.amount[0])
    assert not read.bad[0]


@pytest.mark.parametrize("text", ["a lot", "万元", "6万斤", "1e999", "1,00,0", True])
def test_what_is_no_amount(text):
    assert parse_money(series(text)).bad.tolist() == [True]


def test_the_unit_of_the_header_counts_for_bare_numbers_only():
    assert parse_money(series("600", "600万元", "7元"), unit=10_000).amount.tolist() == [6e6, 6e6, 7.0]
    assert parse_money(pd.Series([600.0, np.nan]), unit=10_000).amount.tolist()[0] == 6e6


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2016年6月6日", "2016-06-06"),
        ("2016/6/6", "2016-06-06"),
        ("2016-6-06", "2016-06-06"),
        ("20160606", "2016-06-06"),
        (20160606, "2016-06-06"),
        (20160606.0, "2016-06-06"),
        ("2016-06-06 00:00:00", "2016-06-06"),
        ("2016-06-06T10:11:12Z", "2016-06-06"),
        ("2016.6.6", "2016-06-06"),
        ("２０１６年６月６日", "2016-06-06"),
        (pd.Timestamp("2016-06-06 09:00"), "2016-06-06"),
        ("长期", "NaT"),
        ("至今", "NaT"),
        ("0000-00-00", "NaT"),
        ("9999-12-31", "NaT"),
        ("-", "NaT"),
    ],
)
def test_one_date(text, day):
    read = parse_dates(series(text))
    assert read.days.astype(str).tolist() == [day]
    assert not read.bad.any()
    assert not read.rough.any()


def test_a_month_or_a_year_is_its_first_day_and_said_to_be_rough():
    read = parse_dates(series("2016年6月", "2016-06", "2016年", "2016-06-06"))
    assert read.days.astype(str).tolist() == ["2016-06-01", "2016-06-01", "2016-01-01", "2016-06-06"]
    assert read.rough.tolist() == [True, True, True, False]


@pytest.mark.parametrize("text", ["2016-02-30", "soon", "2016-13-01", "16-06-06", "42527", True, 42527])
def test_what_is_no_date(text):
    assert parse_dates(series(text)).bad.tolist() == [True]


def test_day_serials_count_in_workbooks_only():
    assert parse_dates(series(42527), excel=True).days.astype(str).tolist() == ["2016-06-06"]
    assert parse_dates(series(2016), excel=True).days.astype(str).tolist() == ["2016-01-01"]


def test_blanks_are_spellings_not_words():
    cells = series("\\N", "-", "--", "无", "NULL", "nan", " ", None, "无锡", "0", "none of them")
    assert is_blank(cells).tolist() == [True] * 8 + [False] * 3


@pytest.mark.parametrize(
    "text",
    ["2016.41e3092527", "1e9999999999", "1e9999999999元", "1/" + "9" * 5000, "9" * 5000 + "/1", "9" * 5000 + "%"],
)
def test_numbers_beyond_all_numbers_are_bad_or_out_of_bounds(text):
    cells = pd.Series([text, "65%"], dtype=object)
    shares = parse_shares(cells)
    assert shares.bad[0] or not 0 < shares.high[0] <= 1
    assert shares.low[1] == 0.65
    assert len(parse_money(cells).bad) == len(cells)
