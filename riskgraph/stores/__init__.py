"""Keep graphs in a database: one contract, three stores.

===============  =====================================================================================
`MemoryStore`    holds the graph itself; the reference the others are tested against
`DuckDBStore`    one file, no server; the default
`Neo4jStore`     a Neo4j server that others look at too
===============  =====================================================================================
"""

from __future__ import annotations

from riskgraph.stores.base import Store
from riskgraph.stores.duckdb import DuckDBStore
from riskgraph.stores.memory import MemoryStore
from riskgraph.stores.neo4j import Neo4jStore
from riskgraph.stores.neo4j_bulk import write_neo4j_import

__all__ = ["DuckDBStore", "MemoryStore", "Neo4jStore", "Store", "write_neo4j_import"]
