"""How loops are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

__all__ = ["compiled"]

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function compiled on its first call, and kept on disk where there is room for it."""
    try:
        found: F = numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # neither beside this file nor in the user's cache can anything be written
        found = numba.njit(error_model="numpy")(function)
    return found
