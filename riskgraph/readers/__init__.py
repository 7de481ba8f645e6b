"""Readers of public formats, one a file, each of which returns a graph with its quality report; and a writer of tables.

:func:`read` recognises the format from the content: tables of riskgraph's own columns, Chinese registry exports,
FollowTheMoney, BODS, GLEIF, the UK register of people with significant control, ICIJ Offshore Leaks.
"""

from __future__ import annotations

from riskgraph.readers.bods import read_bods
from riskgraph.readers.bods_writer import write_bods
from riskgraph.readers.detect import detect, read
from riskgraph.readers.ftm import read_ftm
from riskgraph.readers.ftm_writer import write_ftm
from riskgraph.readers.gleif import read_gleif
from riskgraph.readers.graphml import write_graphml
from riskgraph.readers.icij import read_icij
from riskgraph.readers.psc import read_psc
from riskgraph.readers.registry_cn import read_registry_cn
from riskgraph.readers.tables import read_tables
from riskgraph.readers.write import write_tables

__all__ = [
    "detect",
    "read",
    "read_bods",
    "read_ftm",
    "read_gleif",
    "read_icij",
    "read_psc",
    "read_registry_cn",
    "read_tables",
    "write_bods",
    "write_ftm",
    "write_graphml",
    "write_tables",
]
