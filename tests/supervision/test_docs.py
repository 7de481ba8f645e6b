"""The pages on supervision name what is there."""

import ast
import re
from pathlib import Path

import riskgraph.supervision as supervision

ROOT = Path(__file__).parents[2]


def test_every_public_name_is_mentioned():
    text = (ROOT / "docs" / "supervision.md").read_text(encoding="utf-8")
    words = set(re.findall(r"\w+", text))
    assert [name for name in supervision.__all__ if name not in words] == []


def test_every_row_has_its_test():
    text = (ROOT / "docs" / "supervision-systems.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| [A-Z].*?\| `(test_\w+)` \|", text, flags=re.M)
    written = [
        node.name
        for path in Path(__file__).parent.glob("test_rows_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert len(named) == len(set(named)) == 77
    assert set(named) <= set(written)
    assert set(written) - set(named) == {"test_level_is_checked"}
