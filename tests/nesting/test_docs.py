"""The page on nesting shows what comes out."""

import doctest
from pathlib import Path

from riskgraph import nesting

PAGE = Path(__file__).parents[2] / "docs" / "nesting.md"


def test_examples_run():
    failed, tried = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert tried > 25
    assert failed == 0


def test_every_public_name_is_mentioned():
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in nesting.__all__ if name not in text] == []
