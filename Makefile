# Two commands do all: `make demo` and `make test`. `make` alone lists the rest.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
export MPLBACKEND := Agg

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lowest coverage notebooks bench data docs-pictures clean

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("riskgraph needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip setuptools
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

setup: $(VENV)/.ready  ## make the virtual environment (done by the others when needed)

demo: setup  ## run the main job on the shipped county; pictures, tables and the page go to demo-output/
	$(BIN)/riskgraph demo --out demo-output

test: check  ## everything CI runs: lint, types, import contracts, tests, doctests, notebooks
	$(BIN)/python -m pytest -n 2 --dist loadgroup

check: setup  ## lint, types and import contracts only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports

lowest:  ## run the tests with the lowest versions that pyproject.toml allows
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip setuptools
	.venv-lowest/bin/python tests/trust/lowest.py test > .venv-lowest/requirements.txt
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check -r .venv-lowest/requirements.txt --no-build-isolation --editable .
	.venv-lowest/bin/python -m pytest -n 2 --dist loadgroup -o filterwarnings=default -o cache_dir=.venv-lowest/.pytest_cache

# what takes long under a tracer and runs few lines of its own is left out: Spark, databases, notebooks, benchmarks, faults
UNTRACED := tests/spark tests/stores tests/trust tests/test_notebooks.py tests/test_benchmarks.py riskgraph/spark

coverage: setup  ## lines and branches that the quick tests reach, by package
	$(BIN)/coverage run -m pytest -p no:xdist $(addprefix --ignore=,$(UNTRACED))
	$(BIN)/coverage json -q -o build/coverage.json
	$(BIN)/python tests/trust/covered.py build/coverage.json

notebooks: setup  ## run every notebook from top to bottom
	$(BIN)/python -m pytest -n 2 --dist loadgroup tests/test_notebooks.py

data: setup  ## write datasets/county again from its seed
	$(BIN)/python -m riskgraph.datasets.county datasets/county

bench: setup  ## measure against peers in one run; prints ratios (SIZE=1e5)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python benchmarks/run.py --size $(or $(SIZE),1e5)

docs-pictures: setup  ## draw the pictures of README and docs again
	$(BIN)/python docs/make_pictures.py

clean:  ## remove what the commands made
	rm -rf demo-output build .coverage *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
