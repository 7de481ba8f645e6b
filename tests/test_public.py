"""The public surface: complete, sorted, documented, with examples; and cheap to import."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import riskgraph as rg

ROOT = Path(__file__).parent.parent
PACKAGES = (
    "riskgraph",
    "riskgraph.datasets",
    "riskgraph.evidence",
    "riskgraph.identity",
    "riskgraph.learning",
    "riskgraph.nesting",
    "riskgraph.ownership",
    "riskgraph.plot",
    "riskgraph.privacy",
    "riskgraph.readers",
    "riskgraph.report",
    "riskgraph.risk",
    "riskgraph.spark",
    "riskgraph.stores",
    "riskgraph.supervision",
)
NAMES = [(package, name) for package in PACKAGES for name in importlib.import_module(package).__all__]


@pytest.mark.parametrize("package", PACKAGES)
def test_all_is_sorted_and_there(package):
    module = importlib.import_module(package)
    assert list(module.__all__) == sorted(module.__all__)
    assert module.__doc__
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize(("package", "name"), NAMES)
def test_public_names_are_documented(package, name):
    thing = getattr(importlib.import_module(package), name)
    if not (inspect.isfunction(thing) or inspect.isclass(thing)):
        return
    text = inspect.getdoc(thing) or ""
    assert text, f"{package}.{name} has no docstring"
    first = text.splitlines()[0]
    assert len(first) > 10, f"the first line of {package}.{name} defines nothing: {first!r}"
    if inspect.isfunction(thing):
        assert ">>>" in text, f"{package}.{name} has no example"


def test_every_public_name_is_in_the_docs():
    pages = "\n".join(path.read_text("utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    words = set(re.findall(r"\w+", pages))
    missing = sorted({f"{package}.{name}" for package, name in NAMES if name not in words})
    assert not missing, f"not mentioned in README or docs: {', '.join(missing)}"


def test_import_is_cheap():
    """`import riskgraph` loads no database, no plotting, no models, no networkx."""
    heavy = "matplotlib neo4j duckdb networkx pyspark sklearn tqdm yaml openpyxl pyarrow.parquet".split()  # noqa: SIM905
    code = f"import sys, riskgraph; print([name for name in {heavy!r} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_sub_packages_load_when_used():
    assert rg.datasets.toy_chain
    assert "ownership" in dir(rg)
    with pytest.raises(AttributeError, match="module 'riskgraph' has no attribute 'nothing'"):
        _ = rg.nothing


def test_errors_are_what_a_caller_would_catch():
    tree = {
        rg.InvalidTable: ValueError,
        rg.InvalidParameter: ValueError,
        rg.UnknownEntity: KeyError,
        rg.NotConverged: RuntimeError,
        rg.MissingDependency: ImportError,
        rg.StoreUnavailable: ConnectionError,
        rg.LeakageError: ValueError,
    }
    for error, builtin in tree.items():
        assert issubclass(error, rg.RiskGraphError)
        assert issubclass(error, builtin)
    assert str(rg.UnknownEntity("no such firm")) == "no such firm"


def test_nothing_names_this_machine():
    """No tracked text holds a path of a home or work folder, or the host of a package registry."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    bad = re.compile(r"/(?:home|root|Users|work)/|pypi\.org|pythonhosted|registry\.npmjs|repo\.maven|repo1\.maven")
    for name in listed.stdout.split():
        path = ROOT / name
        if (
            path.suffix in {".py", ".md", ".toml", ".cfg", ".yaml", ".ipynb", ".js", ".css"}
            and path.name != "test_public.py"
        ):
            found = bad.search(path.read_text("utf-8"))
            assert not found, f"{name}: {found.group(0)}"
