"""Spellings of one name have one key; rare names have a small chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskgraph import identity
from riskgraph.identity._chance import name_chance, name_key


def test_names_compare_over_spellings():
    names = pd.Series(
        ["臺灣（甲）有限公司", "台湾(甲)有限公司", "Ａcme Ltd", "ACME LTD.", "Martín Peña", "martin pena", None]
    )
    keys = identity.compare_key(names, simplify=True)
    assert keys[0] == keys[1]
    assert keys[2] == keys[3]
    assert keys[4] == keys[5]
    assert keys[6] is None
    assert identity.core_name(pd.Series(["甲(集团)股份有限公司", "公司", "Acme Holdings Co., Ltd."])).tolist() == [
        "甲", "公司", "Acme Holdings",
    ]  # fmt: skip


def test_marks_of_other_scripts_are_letters():
    thai = pd.Series(["บริษัท", "บรษท"])
    assert identity.compare_key(thai).nunique() == 2


@given(st.text(max_size=20))
def test_a_key_is_its_own_key(text):
    key = identity.compare_key(pd.Series([text]), simplify=False)[0]
    if key:
        assert identity.compare_key(pd.Series([key]), simplify=False)[0] == key


def test_latin_names_in_any_order():
    plain = pd.Series(["Smith, John", "John Smith", "王 伟", "王伟"])
    keys = name_key(plain, identity.compare_key(plain))
    assert keys[0] == keys[1]
    assert keys[2] == keys[3]


def test_chance_is_the_product_of_frequencies():
    keys = pd.Series(["王伟"] * 6 + ["王芳"] * 2 + ["李伟"] * 2)
    chance = pd.Series(name_chance(keys), index=keys).groupby(level=0).first()
    assert chance["王伟"] == pytest.approx(0.8 * 0.8)
    assert chance["李伟"] == pytest.approx(0.2 * 0.8)
    # never below one in fifty times the number of names
    assert name_chance(pd.Series([f"{a}{b}" for a in "甲乙丙丁戊己庚辛" for b in "子丑寅卯辰巳午未"])).min() >= 1 / (
        50 * 64
    )


def test_chance_of_names_drawn_from_parts_is_their_frequency():
    rng = np.random.default_rng(0)
    names = pd.Series(
        np.char.add(rng.choice(list("王李张"), 20_000, p=[0.5, 0.3, 0.2]), rng.choice(list("伟芳娜敏"), 20_000))
    )
    seen = names.value_counts(normalize=True)
    said = pd.Series(name_chance(names), index=names).groupby(level=0).first()
    assert np.abs(said / seen - 1).max() < 0.1
