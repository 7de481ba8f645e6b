"""Compiled loops for large graphs: the same results as the numpy forms beside them, in less time and memory.

This package needs numba and is imported late, by :func:`riskgraph._optional.kernels` alone. Index arrays are unsigned:
a signed index is checked for counting from the end, which costs half the time of a loop like these. Some loops write
into arrays of fixed room and end once they have written so much: an array replaced within a loop is looked up anew in
every turn, which costs more than the turn. One more start always fits in.
"""

from riskgraph._kernels.control import gather
from riskgraph._kernels.messages import arrived, certify, climb, lay_out, settle, to_logs
from riskgraph._kernels.neighbors import near
from riskgraph._kernels.shares import descend
from riskgraph._kernels.walks import apart, conjugate, halve

__all__ = [
    "apart",
    "arrived",
    "certify",
    "climb",
    "conjugate",
    "descend",
    "gather",
    "halve",
    "lay_out",
    "near",
    "settle",
    "to_logs",
]
