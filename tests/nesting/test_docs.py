"""The page on nesting names what is there."""

from pathlib import Path

from riskgraph import nesting

PAGE = Path(__file__).parents[2] / "docs" / "nesting.md"


def test_every_public_name_is_mentioned():
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in nesting.__all__ if name not in text] == []
