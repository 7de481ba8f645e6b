"""Fixed functions that bring each component into [0, 1], and the weights that put them together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import yaml

from riskgraph.errors import InvalidParameter, InvalidTable
from riskgraph.nesting._components import COMPONENTS

__all__ = ["INVESTOR_LIMIT", "check_weights", "default_weights", "scale"]

#: more ultimate investors than this make an offering public
INVESTOR_LIMIT = 200


def scale(component: str, values: np.ndarray) -> np.ndarray:
    """Component in [0, 1], never falling as the value grows, 0 where there is nothing to see.

    ``layers``: ``1 - 2^-(layers - 1)``, so one layer is 0, two 1/2, endless 1. ``sectors, leads, licences``:
    ``1 - 1/n``. ``crossings``: ``1 - 1/(1 + n)``. ``returns``: ``1 - 2^-n``. ``investors``: 0 up to 200, ``1 - 100/n``
    beyond, a step of 1/2 at the line because the law draws one.
    ``opacity, circularity, unlicensed_share`` are parts of a whole already.

    Examples
    --------
    >>> scale("layers", np.array([0, 1, 2, 3, np.inf])).tolist()
    [0.0, 0.0, 0.5, 0.75, 1.0]
    >>> scale("investors", np.array([200, 250])).tolist()
    [0.0, 0.6]
    """
    values = np.asarray(values, dtype=np.float64)
    if component == "layers":
        return 1 - np.exp2(-np.maximum(values - 1, 0))
    if component in ("sectors", "leads", "licences"):
        return 1 - 1 / np.maximum(values, 1)
    if component == "crossings":
        return 1 - 1 / (1 + values)
    if component == "returns":
        return 1 - np.exp2(-values)
    if component == "investors":
        return np.where(values > INVESTOR_LIMIT, 1 - INVESTOR_LIMIT / 2 / np.maximum(values, 1), 0.0)
    return np.clip(values, 0.0, 1.0)


@lru_cache(maxsize=1)
def default_weights() -> Mapping[str, float]:
    """Weights of ``weights.yaml``.

    Examples
    --------
    >>> default_weights()["layers"]
    0.17
    """
    text = Path(__file__).with_name("weights.yaml").read_text(encoding="utf-8")
    table = yaml.safe_load(text)
    if set(table) != set(COMPONENTS) or not all(entry.get("reason") for entry in table.values()):
        raise InvalidTable(f"weights.yaml must give a weight and a reason for each of {', '.join(COMPONENTS)}")
    return MappingProxyType(check_weights({name: table[name]["weight"] for name in COMPONENTS}))


def check_weights(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights of all components, 0 for those left out.

    Raises
    ------
    InvalidParameter
        An unknown component, a weight that is negative or no number, or a sum other than 1.
    """
    if not isinstance(weights, Mapping):
        raise InvalidParameter(f"'weights' must be a mapping of component to weight; got {weights!r}")
    unknown = [name for name in weights if name not in COMPONENTS]
    if unknown:
        raise InvalidParameter(f"'weights' must name only {', '.join(COMPONENTS)}; got {unknown[0]!r}")
    for name, weight in weights.items():
        number = isinstance(weight, (int, float, np.number)) and not isinstance(weight, bool)
        if not number or not 0 <= float(weight) < np.inf:
            raise InvalidParameter(f"'weights' must be 0 or more; got {weight!r} for {name!r}")
    total = float(sum(weights.values()))
    if abs(total - 1) > 1e-9:
        raise InvalidParameter(f"'weights' must sum to 1; got {total:g}")
    return {name: float(weights.get(name, 0.0)) for name in COMPONENTS}
