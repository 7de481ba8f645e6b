"""The lowest versions that pyproject.toml allows, as pinned requirements: ``python lowest.py [EXTRA …]``.

``make lowest`` installs them in an environment of their own and runs the tests there. The standard library suffices.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LOWEST = re.compile(r"(?P<name>[A-Za-z0-9._-]+)>=(?P<version>[0-9.]+)")
_EXTRAS = re.compile(r"riskgraph\[(?P<names>[a-z,]+)\]")


def pins(extras: list[str], text: str) -> list[str]:
    """``name==version`` of every dependency and of those of the extras; of two bounds the higher one counts."""
    project = tomllib.loads(text)["project"]
    given = list(project["dependencies"])
    waiting, seen = list(extras), set()
    while waiting:
        extra = waiting.pop()
        if extra in seen:
            continue
        seen.add(extra)
        for requirement in project["optional-dependencies"][extra]:
            nested = _EXTRAS.fullmatch(requirement)
            waiting += nested["names"].split(",") if nested else []
            given += [] if nested else [requirement]
    bounds: dict[str, str] = {}
    for requirement in given:
        match = _LOWEST.fullmatch(requirement)
        if match is None:
            raise ValueError(f"{requirement!r} has no lower bound of the form name>=version")
        name, version = match["name"].lower(), match["version"]
        bounds[name] = max(bounds.get(name, version), version, key=lambda text: [*map(int, text.split("."))])
    return [f"{name}=={version}" for name, version in sorted(bounds.items())]


if __name__ == "__main__":
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    sys.stdout.write("\n".join(pins(sys.argv[1:] or ["test"], text)) + "\n")
