"""Sound trees with one node replaced: what is read as YAML or JSON is answered or refused, wherever it is wrong."""

from __future__ import annotations

import copy
import datetime as dt
import json
import warnings

import pytest
import yaml

import riskgraph as rg

from ._targets import TREES, targets

#: what may stand where something else belongs; the date is for YAML only
ODD = [None, "x", -1, True, ["x"], {"x": "y"}, [None], dt.date(2016, 1, 1)]
TARGETS = targets()


def places(tree, at=()):
    """Way to every node."""
    yield at
    for key in tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield from places(tree[key], (*at, key))


def replaced(tree, at, value):
    if not at:
        return value
    tree = copy.deepcopy(tree)
    inner = tree
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return tree


def written(tree, how):
    if how == "yaml":
        return yaml.safe_dump(tree, allow_unicode=True).encode()
    items = tree if how == "lines" and isinstance(tree, list) else [tree]
    return "\n".join(json.dumps(item) for item in items).encode()


@pytest.mark.parametrize("name", TREES)
def test_one_node_replaced_is_answered_or_refused(tmp_path, name):
    """Of the odd values each node gets some, and the next node the next ones."""
    tree, how = TREES[name]
    odd, some = (ODD, 3) if how == "yaml" else (ODD[:-1], 1)
    refused = asked = 0
    for number, at in enumerate(places(tree)):
        for value in (odd[(some * number + more) % len(odd)] for more in range(some)):
            folder = tmp_path / str(asked)
            folder.mkdir()
            asked += 1
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    TARGETS[name].feed(written(replaced(tree, at, value), how), folder)
            except rg.RiskGraphError:
                refused += 1
            except Exception as error:
                raise AssertionError(f"{name}: {value!r} at {at} ends in {type(error).__name__}: {error}") from error
    assert 0 < refused < asked
