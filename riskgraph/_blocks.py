"""Diagonal blocks ``I - W`` of a walk: plain levels, small components, dense ones, iterated ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse import csc_array, csr_array, tril
from scipy.sparse import eye_array as identity
from scipy.sparse.linalg import LinearOperator, bicgstab, splu

__all__ = ["BLOCKS", "Block"]


class Block:
    """A diagonal block ``I - W`` and its solutions."""

    residual = 0.0

    def __init__(self, part: csr_array) -> None:
        self.part = part

    def solve(self, right: np.ndarray, transposed: bool) -> np.ndarray:
        raise NotImplementedError

    def _measure(self, x: np.ndarray, right: np.ndarray, transposed: bool) -> np.ndarray:
        rest = right - x + ((self.part.T if transposed else self.part) @ x)
        self.residual = float(np.abs(rest).max(initial=0.0))
        return rest


class _Plain(Block):
    """Nodes without relations among them, but for what they hold of themselves."""

    def __init__(self, part: csr_array) -> None:
        super().__init__(part)
        self.scale = None if part.nnz == 0 else 1.0 / (1.0 - part.diagonal())

    def solve(self, right: np.ndarray, transposed: bool) -> np.ndarray:
        if self.scale is None:
            return right
        return right * (self.scale if right.ndim == 1 else self.scale[:, None])


class _Sparse(Block):
    """Small components and thin levels in topological order: eliminating in that order fills in components only."""

    def __init__(self, part: csr_array) -> None:
        super().__init__(part)
        M = csc_array(identity(part.shape[0], format="csc") - part)
        self.factor = splu(M, permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": False})

    def solve(self, right: np.ndarray, transposed: bool) -> np.ndarray:
        x = self.factor.solve(np.ascontiguousarray(right), trans="T" if transposed else "N")
        self._measure(x, right, transposed)
        return x


class _Dense(Block):
    """A component small enough for a dense factorisation."""

    def __init__(self, part: csr_array) -> None:
        super().__init__(part)
        self.factor = lu_factor(np.eye(part.shape[0]) - part.toarray(), overwrite_a=True, check_finite=False)

    def solve(self, right: np.ndarray, transposed: bool) -> np.ndarray:
        x = lu_solve(self.factor, right, trans=1 if transposed else 0, check_finite=False)
        self._measure(x, right, transposed)
        return x


class _Iterated(Block):
    """A component too large for a dense factorisation: iterated and refined until the residual is rounding."""

    #: a residual of this, relative to the right side, is at rounding level
    GOAL = 1e-14

    def __init__(self, part: csr_array) -> None:
        super().__init__(part)
        self.M = csc_array(identity(part.shape[0], format="csc") - part)
        # one Gauss–Seidel sweep as the preconditioner: its triangle is its own factor, while incomplete factors of a
        # random core of 30,000 nodes take ten seconds
        self.rough = splu(csc_array(tril(self.M)), permc_spec="NATURAL", diag_pivot_thresh=0.0)

    @cached_property
    def exact(self) -> Any:
        return splu(self.M)

    def solve(self, right: np.ndarray, transposed: bool) -> np.ndarray:
        if right.ndim == 2:
            columns = [self._column(right[:, k], transposed) for k in range(right.shape[1])]
            x = np.column_stack(columns) if columns else right
        else:
            x = self._column(right, transposed)
        self._measure(x, right, transposed)
        return x

    def _column(self, right: np.ndarray, transposed: bool) -> np.ndarray:
        scale = float(np.abs(right).max(initial=0.0))
        if scale == 0.0:
            return np.zeros_like(right)
        trans = "T" if transposed else "N"
        M = self.M.T if transposed else self.M
        rough: Callable[[np.ndarray], np.ndarray] = lambda r: self.rough.solve(r, trans=trans)  # noqa: E731
        near = LinearOperator(self.M.shape, matvec=rough, dtype=np.float64)
        x = rough(right)
        rest = right - M @ x
        for _ in range(20):
            size = float(np.abs(rest).max())
            if size <= self.GOAL * max(scale, float(np.abs(x).max())):
                return x
            step, _ = bicgstab(M, rest, rtol=1e-8, atol=0.0, maxiter=200, M=near)
            better = x + step
            new = right - M @ better
            if not np.isfinite(new).all() or np.abs(new).max() > 0.5 * size:
                break
            x, rest = better, new
        return self.exact.solve(right, trans=trans)


BLOCKS: dict[str, Callable[[csr_array], Block]] = {
    "plain": _Plain,
    "sparse": _Sparse,
    "dense": _Dense,
    "iterate": _Iterated,
}
