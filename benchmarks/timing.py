"""Time several ways of doing the same thing in one run: interleaved rounds, medians, ratios, peak memory."""

from __future__ import annotations

import argparse
import gc
import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def arguments(about: str) -> argparse.Namespace:
    """--size and --rounds, the same for every script."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--size", type=float, default=1e4, help="companies (1e4, 1e5, 1e6)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="also keep the figures here")
    return parser.parse_args()


def interleaved(
    ways: dict[str, Callable[[], Any]], rounds: int, processor: dict[str, float] | None = None
) -> dict[str, float]:
    """Median seconds of every way; the ways take turns, so that a busy minute hits all of them.

    Median processor seconds, of all threads, go into ``processor`` where it is given.
    """
    clock: dict[str, list[float]] = {name: [] for name in ways}
    worked: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            gc.collect()
            began, idle = time.perf_counter(), time.process_time()
            way()
            clock[name].append(time.perf_counter() - began)
            worked[name].append(time.process_time() - idle)
    if processor is not None:
        processor.update({name: float(np.median(values)) for name, values in worked.items()})
    return {name: float(np.median(values)) for name, values in clock.items()}


def peak_megabytes(way: Callable[[], Any]) -> float:
    """Most memory that Python and numpy held beyond the start while ``way`` ran."""
    gc.collect()
    tracemalloc.start()
    way()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def table(
    title: str, seconds: dict[str, float], ours: str, processor: dict[str, float] | None = None, **more: Any
) -> dict[str, Any]:
    """Print a table with ratios to ours, and return what was printed."""
    print(f"\n{title}")
    for name, value in seconds.items():
        line = f"  {name:<34} {value:>10.3f} s   {value / seconds[ours]:>8.2f} x"
        if processor:
            line += f"   processor {processor[name]:>8.3f} s   {processor[name] / processor[ours]:>8.2f} x"
        print(line)
    for name, value in more.items():
        print(f"  {name.replace('_', ' '):<34} {value:>10,.4g}")
    return {"title": title, "seconds": seconds, "ours": ours, **({"processor": processor} if processor else {}), **more}


def keep(path: Path | None, figures: list[dict[str, Any]]) -> None:
    """Write the figures as JSON where asked."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=1, ensure_ascii=False))
