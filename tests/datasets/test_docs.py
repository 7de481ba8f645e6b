"""The page on data sets names what is there."""

from pathlib import Path

from riskgraph import datasets

PAGE = Path(__file__).parents[2] / "docs" / "datasets.md"


def test_every_public_name_is_mentioned():
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in datasets.__all__ if f"{name}" not in text] == []
