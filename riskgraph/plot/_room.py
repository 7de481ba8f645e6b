"""Where a label still fits: rectangles taken on a sheet."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

__all__ = ["Room"]


class Room:
    """Rectangles ``left, bottom, right, top`` that are taken.

    >>> room = Room()
    >>> room.place((1, 1), [(0, 0), (2, 0)])
    0
    >>> room.place((1, 1), [(0.5, 0), (2, 0)])
    1
    >>> room.place((1, 1), [(0.5, 0), (1.5, 0)]) is None
    True
    """

    def __init__(self, bounds: tuple[float, float, float, float] | None = None) -> None:
        """With ``bounds`` nothing may reach out of that rectangle."""
        self._taken = np.empty((0, 4))
        self._bounds = bounds

    def take(self, x: float, y: float, width: float, height: float) -> None:
        """Take a rectangle around a centre."""
        self._taken = np.vstack([self._taken, _box(x, y, width, height)])

    def free(self, x: float, y: float, width: float, height: float) -> bool:
        """Whether a rectangle around a centre meets nothing."""
        left, bottom, right, top = _box(x, y, width, height)
        if self._bounds is not None:
            a, b, c, d = self._bounds
            if left < a or bottom < b or right > c or top > d:
                return False
        taken = self._taken
        meets = (taken[:, 0] < right) & (taken[:, 2] > left) & (taken[:, 1] < top) & (taken[:, 3] > bottom)
        return not meets.any()

    def reach(self) -> tuple[float, float, float, float]:
        """Least rectangle around all that is taken."""
        taken = self._taken if len(self._taken) else np.zeros((1, 4))
        left, bottom = taken[:, :2].min(axis=0).tolist()
        right, top = taken[:, 2:].max(axis=0).tolist()
        return left, bottom, right, top

    def place(self, size: tuple[float, float], centres: Iterable[tuple[float, float]]) -> int | None:
        """Take the first of several centres where a rectangle of this size is free; its number, or None."""
        for number, (x, y) in enumerate(centres):
            if self.free(x, y, *size):
                self.take(x, y, *size)
                return number
        return None


def _box(x: float, y: float, width: float, height: float) -> np.ndarray:
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
