"""The page docs/ownership.md shows what its code prints."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "ownership.md").read_text(encoding="utf-8")


def test_the_page_shows_what_its_code_prints():
    names: dict[str, Any] = {}
    steps = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", PAGE, re.DOTALL)
    assert len(steps) == 6
    for code, expected in steps:
        printed = []
        for node in ast.parse(code).body:
            if isinstance(node, ast.Expr):
                printed.append(str(eval(compile(ast.Expression(node.value), "page", "eval"), names)))
            else:
                exec(compile(ast.Module([node], []), "page", "exec"), names)
        assert "\n".join(printed).split() == expected.split()
