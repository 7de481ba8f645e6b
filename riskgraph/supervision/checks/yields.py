"""Checks on yields: far above the peers, or above what the project earns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from riskgraph.supervision._view import View
from riskgraph.supervision.catalogue import Rule
from riskgraph.supervision.findings import Finding, Say, check
from riskgraph.supervision.sectors import product_sector

__all__ = ["high_yields", "robust_z"]


def _rate(value: float) -> float:
    """Read a yield as a fraction; 18 means 18 %."""
    return value / 100 if abs(value) > 1 else value


def high_yields(seen: View) -> dict[int, tuple[float | None, float | None, tuple[str, ...]]]:
    """(robust z or None, gap to the project's return or None, fact ids) of the yields that stand out."""
    if "FUND-YIELD-ANOMALY" not in seen.catalogue:
        return {}
    if "yields" not in seen._kept:
        seen._kept["yields"] = _high_yields(seen, seen.catalogue["FUND-YIELD-ANOMALY"])
    result: dict[int, tuple[float | None, float | None, tuple[str, ...]]] = seen._kept["yields"]
    return result


def _high_yields(seen: View, rule: Rule) -> dict[int, tuple[float | None, float | None, tuple[str, ...]]]:
    product = seen.is_kind("product")
    given: dict[int, tuple[float, str]] = {}
    for name in ("promised_yield", "actual_yield"):
        for code, values in seen.numbers(name).items():
            best = max((_rate(value), fact) for value, fact in values)
            given[code] = max(given.get(code, best), best)
    peers: dict[tuple[bool, str], list[int]] = {}
    for code in given:
        sector = product_sector(seen, code) if product[code] else next(iter(seen.sectors(code)), "")
        peers.setdefault((bool(product[code]), sector), []).append(code)
    found: dict[int, tuple[float | None, float | None, tuple[str, ...]]] = {}
    for group in peers.values():
        rates = np.array([given[code][0] for code in group])
        z = robust_z(rates) if len(group) >= int(rule["peers"]) else np.full(len(group), np.nan)
        for code, score in zip(group, z, strict=True):
            project, facts = seen.number("project_return", code)
            gap = None if project is None else given[code][0] - _rate(project)
            if score > rule["z0"] or (gap is not None and gap > rule["g0"] + 1e-12):
                found[code] = (None if np.isnan(score) else float(score), gap, (given[code][1], *facts))
    return found


def robust_z(values: np.ndarray) -> np.ndarray:
    """Distance from the median in robust standard deviations (Iglewicz and Hoaglin 1993).

    Where more than half of the values agree, the mean absolute deviation takes the place of the median one; where all
    agree, every score is 0.

    Examples
    --------
    >>> robust_z(np.array([0.08, 0.08, 0.08])).tolist()
    [0.0, 0.0, 0.0]
    """
    away = values - np.median(values)
    scale = 1.4826 * float(np.median(np.abs(away)))
    if scale <= 1e-12:
        scale = 1.2533 * float(np.mean(np.abs(away)))
    return np.zeros(len(values)) if scale <= 1e-12 else away / scale


@check("FUND-YIELD-ANOMALY")
def yields(seen: View, rule: Rule, say: Say) -> Iterator[Finding]:
    """Promised or actual yield far above the peers' or the project's return, on the product and its manager."""
    for code, (score, gap, facts) in high_yields(seen).items():
        zh = "；".join(
            [
                *([f"z={score:.2f}"] if score is not None else []),
                *([f"高出项目回报{gap:.4g}"] if gap is not None else []),
            ]
        )
        en = "; ".join(
            [
                *([f"z={score:.2f}"] if score is not None else []),
                *([f"{gap:.4g} above the project"] if gap is not None else []),
            ]
        )
        yield Finding(code, facts, say(f"收益率过高：{zh}", f"yield too high: {en}"))
        for step in seen.into("manages", code):
            yield Finding(
                int(seen.cols.source[step]),
                (*facts, *seen.relation(step)),
                say(f"产品{seen.name(code)}收益率过高：{zh}", f"yield of {seen.name(code)} too high: {en}"),
            )
