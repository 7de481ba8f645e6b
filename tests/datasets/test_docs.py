"""The page on data sets shows what comes out."""

import doctest
from pathlib import Path

from riskgraph import datasets

PAGE = Path(__file__).parents[2] / "docs" / "datasets.md"


def test_examples_run():
    failed, tried = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert tried > 12
    assert failed == 0


def test_every_public_name_is_mentioned():
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in datasets.__all__ if f"{name}" not in text] == []
