"""What is shipped and what it stands on: the wheel, its installation in an empty environment, licences, imports."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from .lowest import pins

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "riskgraph"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
#: what may be linked or imported by an Apache-2.0 program without binding it
PERMISSIVE = {"MIT", "BSD", "APACHE", "PSF", "PYTHON", "ISC", "ZLIB", "0BSD", "CC0", "HPND", "UNLICENSE"}
#: weak copyleft binds changes to the library itself; riskgraph imports these unchanged
WEAK = {"tqdm": "MPL-2.0", "python-stdnum": "LGPL-2.1-or-later"}
#: licences that the metadata of a package does not name; read in the file LICENSE that it ships
READ = {"skops": "MIT"}
#: used by tests, benchmarks or checks, neither imported nor shipped by the package
TOOLS_ONLY = {"igraph", "hypothesis", "codespell"}
#: imported without being declared: a declared package cannot be installed without it
BROUGHT_BY = {"fonttools": "matplotlib", "threadpoolctl": "scikit-learn"}


def sources():
    return sorted(path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy so that nothing of an earlier build gets in; no network is needed."""
    place = tmp_path_factory.mktemp("wheel")
    copy = place / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    shutil.copytree(PACKAGE, copy / "riskgraph", ignore=shutil.ignore_patterns("__pycache__"))
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", place, copy)
    (made,) = place.glob("*.whl")
    return made


def pip(*words):
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *map(str, words)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_wheel_carries_the_package_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    about = f"riskgraph-{PROJECT['version']}.dist-info/"
    assert {name for name in names if name.startswith("riskgraph/")} == {
        path.relative_to(ROOT).as_posix() for path in sources()
    }
    assert {name for name in names if not name.startswith("riskgraph/")} == {
        about + name
        for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "top_level.txt")
    }
    assert wheel.stat().st_size < 2_000_000


def test_data_files_are_of_the_kinds_that_are_shipped():
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    endings = {pattern.removeprefix("**/*") for pattern in patterns["riskgraph"]} | {".py"}
    assert [path.name for path in sources() if not path.name.endswith(tuple(endings))] == []


@pytest.fixture(scope="module")
def empty(wheel, tmp_path_factory):
    """An environment with the wheel alone; its dependencies are lent from the running one, so no network is needed."""
    place = tmp_path_factory.mktemp("empty")
    venv.create(place, with_pip=False)
    python = place / ("Scripts" if os.name == "nt" else "bin") / Path(sys.executable).name
    if not python.exists():
        python = python.with_name("python")
    pip("--python", python, "install", "--no-deps", "--no-index", wheel)
    home = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    lent = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    # a path in a .pth file lends packages, but not the .pth files beside them: the checkout stays out of sight
    Path(home.stdout.strip(), "lent.pth").write_text("\n".join(lent) + "\n", encoding="utf-8")
    return python


def run(python, folder, *words):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    clean |= {"MPLBACKEND": "Agg", "MPLCONFIGDIR": str(folder)}
    done = subprocess.run(
        [python, *map(str, words)], cwd=folder, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_wheel_imports_and_runs_the_demo(empty, tmp_path):
    where = run(empty, tmp_path, "-c", "import riskgraph; print(riskgraph.__file__)").strip()
    assert Path(where).is_relative_to(empty.parent.parent)
    command = empty.with_name("riskgraph")
    assert PROJECT["version"] in run(command, tmp_path, "--version")
    run(command, tmp_path, "demo", "--out", "made", "--lang", "en")
    made = {path.name: path.stat().st_size for path in (tmp_path / "made").iterdir()}
    assert {"risk.csv", "nesting.csv", "county.html", "ownership_tree.png"} <= set(made)
    assert min(made[name] for name in made if name != "quality.csv") > 2000


def test_every_module_of_the_wheel_imports(empty, tmp_path):
    """Also those with optional packages, which are lent."""
    script = (
        "import importlib, pkgutil, riskgraph\n"
        "names = [m.name for m in pkgutil.walk_packages(riskgraph.__path__, 'riskgraph.')]\n"
        "[importlib.import_module(name) for name in names if not name.endswith('__main__')]\n"
        "print(len(names))"
    )
    modules = [path for path in sources() if path.suffix == ".py" and path != PACKAGE / "__init__.py"]
    assert int(run(empty, tmp_path, "-c", script)) == len(modules)


# -- what it stands on -------------------------------------------------------------------------------------------------


def requirements():
    """Name → the extras that ask for it; the empty text where everybody needs it."""
    found: dict[str, set[str]] = {}
    groups = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    for extra, wanted in groups.items():
        for text in wanted:
            name = re.match(r"[A-Za-z0-9._-]+", text)[0].lower()
            if name != "riskgraph":
                found.setdefault(name, set()).add(extra)
    return found


def licence(name):
    about = metadata.metadata(name)
    if name in READ:
        texts = [str(path.locate()) for path in metadata.files(name) if path.name.upper().startswith("LICEN")]
        assert any("MIT License" in Path(text).read_text("utf-8") for text in texts), name
        return READ[name]
    classes = [text.split("::")[-1] for text in about.get_all("Classifier") or [] if text.startswith("License")]
    return about.get("License-Expression") or " ".join(classes) or about.get("License") or ""


def test_licences_of_what_the_package_imports():
    needed = {name for name, extras in requirements().items() if extras - {"test", "dev", "bench"}}
    assert len(needed) > 15
    odd = {}
    for name in sorted(needed):
        text = licence(name)
        known = {word for word in PERMISSIVE if word in text.upper()}
        if not known or re.search(r"GPL|MPL|General Public|EUPL|SSPL|BUSL", text, re.IGNORECASE):
            odd[name] = text
    assert set(odd) == set(WEAK), odd


def test_tools_under_a_strong_licence_are_not_imported():
    strong = {
        name
        for name in requirements()
        if re.search(r"(?<!L)GPL|(?<!Lesser )General Public", _licence_where_installed(name), re.IGNORECASE)
    }
    assert {"igraph"} <= strong <= TOOLS_ONLY
    assert not {"igraph", "hypothesis"} & imported()


def _licence_where_installed(name):
    try:
        return licence(name)
    except metadata.PackageNotFoundError:
        return ""


def imported():
    """Top-level modules that the package imports, wherever in its files, and those it names to ``import_optional``."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_optional":
                found.add(ast.literal_eval(node.args[0]).split(".")[0])
    return found - set(sys.stdlib_module_names) - {"riskgraph"}


def test_every_import_is_declared():
    homes = metadata.packages_distributions()
    declared = {name.replace("_", "-") for name, extras in requirements().items() if extras - {"test", "dev", "bench"}}
    used = {module: {home.lower().replace("_", "-") for home in homes.get(module, ["nobody"])} for module in imported()}
    assert len(used) > 12
    undeclared = set().union(*(homes for homes in used.values() if not homes & declared))
    assert undeclared == set(BROUGHT_BY)
    for name, parent in BROUGHT_BY.items():
        assert any(re.match(rf"{name}\b(?!.*extra ==)", text, re.IGNORECASE) for text in metadata.requires(parent))


def test_the_lowest_versions_are_the_bounds():
    text = """[project]
    dependencies = ["numpy>=2.0", "PyYAML>=6.0"]
    [project.optional-dependencies]
    fast = ["numba>=0.61", "numpy>=2.10"]
    all = ["riskgraph[fast]"]
    """
    assert pins(["all"], text) == ["numba==0.61", "numpy==2.10", "pyyaml==6.0"]
    assert pins([], text) == ["numpy==2.0", "pyyaml==6.0"]
    with pytest.raises(ValueError, match="'numpy' has no lower bound"):
        pins([], '[project]\ndependencies = ["numpy"]\noptional-dependencies = {}')
    bounds = pins(["test"], (ROOT / "pyproject.toml").read_text("utf-8"))
    assert len(bounds) > len(PROJECT["dependencies"])
