"""Identifiers of firms and of persons are told apart; forms and check digits agree with python-stdnum."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import lei as stdnum_lei
from stdnum.cn import ric, uscc

import riskgraph as rg
from riskgraph import identity

ORGANISATION = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
digits = st.text("0123456789", min_size=1)


def credit_code(prefix, place, organisation):
    """A code that keeps every rule, built from the standards' formulas."""
    values = [int(letter) if letter.isdigit() else ord(letter) - 55 for letter in organisation]
    rest = 11 - sum(w * v for w, v in zip(WEIGHTS, values, strict=True)) % 11
    body = prefix + place + organisation + {10: "X", 11: "0"}.get(rest, str(rest))
    return body + uscc.calc_check_digit(body)


codes = st.builds(
    credit_code,
    st.sampled_from(["91", "92", "93", "11", "12", "13", "51", "52", "53", "N1", "Y1", "A1"][:9]),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(ORGANISATION, min_size=8, max_size=8),
)
cards = st.builds(
    lambda place, born, number: (lambda body: body + ric.calc_check_digit(body + "0"))(
        f"{place}{born:%Y%m%d}{number:03d}"
    ),
    st.builds(
        lambda province, rest: province + rest,
        st.sampled_from(["11", "12", "13", "33", "51", "52", "53", "54", "62"]),
        st.text("0123456789", min_size=4, max_size=4),
    ),
    st.dates(datetime.date(1900, 1, 1), datetime.date(2020, 12, 31)),
    st.integers(0, 999),
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("91110000600037341L", "uscc"),
        (" 91110000-600037341l", "uscc"),
        ("９１１１００００６０００３７３４１Ｌ", "uscc"),  # full-width
        ("91110000600037341M", "unknown"),  # wrong check digit
        ("110101199003074514", "cn_id_card"),  # eighteen digits, but of a person
        ("213800KUD8LAJWSQ9D15", "lei"),
        ("213800KUD8LAJWSQ9D16", "unknown"),
        ("09361466", "uk"),
        ("SC123456", "uk"),
        ("", "unknown"),
    ],
)
def test_identifiers(text, kind):
    assert identity.kind_of_identifier(text) == kind


@given(codes)
@settings(max_examples=300, deadline=None)
def test_credit_codes_pass_and_one_wrong_letter_does_not(code):
    assert uscc.is_valid(code)
    if identity.kind_of_identifier(code) == "cn_id_card":
        return  # fits the card's date and check digit too: see the test on cards
    assert identity.check_uscc(code)
    at = 9
    wrong = code[:at] + ORGANISATION[(ORGANISATION.index(code[at]) + 1) % 31] + code[at + 1 :]
    assert not identity.check_uscc(wrong)


@given(cards)
@settings(max_examples=500, deadline=None)
def test_an_identity_card_is_never_a_firm(card):
    assert not identity.check_uscc(card)
    assert identity.kind_of_identifier(card) == "cn_id_card"


def test_cards_that_pass_the_check_digit_of_a_credit_code_exist_and_are_refused():
    """python-stdnum alone takes about one card in thirty-one for a firm: its prefix and dates are not looked at."""
    taken = [card for number in range(1000) if uscc.is_valid(card := _card(number))]
    assert len(taken) > 10
    assert not any(identity.check_uscc(card) for card in taken)


def _card(number):
    body = f"51010119900307{number:03d}"
    return body + ric.calc_check_digit(body + "0")


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=18, max_size=18))
@settings(max_examples=200, deadline=None)
def test_lei_agrees_with_stdnum(body):
    values = "".join(str(int(letter, 36)) for letter in body + "00")
    code = f"{body}{98 - int(values) % 97:02d}"
    assert stdnum_lei.is_valid(code)
    assert identity.check_lei(code)
    assert not identity.check_lei(code[:-1] + str((int(code[-1]) + 1) % 10))


@given(st.text(max_size=25))
@settings(max_examples=300, deadline=None)
def test_identifiers_take_any_text(text):
    kind = identity.kind_of_identifier(text)
    assert kind in {"uscc", "lei", "uk", "cn_id_card", "unknown"}
    assert identity.check_uscc(text) == (kind == "uscc")
    assert identity.check_lei(text) == (kind == "lei")
    padded = identity.pad_uk_number(text)
    assert padded == identity.pad_uk_number(padded)


@given(st.integers(1, 99_999_999), st.sampled_from(["", "SC", "NI", "OC", "FC"]))
def test_uk_numbers_get_their_zeros_back(number, prefix):
    if prefix and number > 999_999:
        number %= 1_000_000
    padded = identity.pad_uk_number(f"{prefix}{number}")
    assert len(padded) == 8
    assert padded == prefix + str(number).zfill(8 - len(prefix))
    assert identity.kind_of_identifier(padded) == "uk"


def test_uk_numbers_by_example():
    assert [identity.pad_uk_number(text) for text in ("153", "NI12", "00000153", "R0000012", "twelve")] == [
        "00000153", "NI000012", "00000153", "R0000012", "twelve",
    ]  # fmt: skip


def test_codes_of_the_county_are_well_formed():
    found = rg.datasets.load_county().graph.entities["uscc"].dropna()
    assert len(found) > 500
    assert found.map(identity.check_uscc).all()
