"""The same mathematics on Spark: a graph of Spark DataFrames, for tables that live on a cluster.

>>> from riskgraph.spark import SparkGraph
>>> SparkGraph.from_tables.__name__
'from_tables'
"""

from __future__ import annotations

from riskgraph.spark.graph import SparkGraph

__all__ = ["SparkGraph"]
