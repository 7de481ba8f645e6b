"""What is asked of a Neo4j server: fixed texts; every value travels as a parameter.

Properties that begin with ``_`` are the store's own: ``_key``, ``_generation``, ``_row``, ``_table``.
"""

from __future__ import annotations

from riskgraph.schema import RELATION_KINDS

CONSTRAINTS = (
    "CREATE CONSTRAINT riskgraph_entity IF NOT EXISTS FOR (n:RiskgraphEntity) REQUIRE n._key IS UNIQUE",
    "CREATE CONSTRAINT riskgraph_record IF NOT EXISTS FOR (n:RiskgraphRecord) REQUIRE n._key IS UNIQUE",
    "CREATE CONSTRAINT riskgraph_rows IF NOT EXISTS FOR (n:RiskgraphRows) REQUIRE n._key IS UNIQUE",
    "CREATE CONSTRAINT riskgraph_run IF NOT EXISTS FOR (n:RiskgraphRun) REQUIRE n.name IS UNIQUE",
    "CREATE CONSTRAINT riskgraph_store IF NOT EXISTS FOR (n:RiskgraphStore) REQUIRE n.name IS UNIQUE",
)

# -- the graph -------------------------------------------------------------------------------------------------------

READ_STATE = """
MATCH (s:RiskgraphStore {name: 'graph'}) WHERE s.generation IS NOT NULL
RETURN s.generation AS generation, s.columns AS columns, s.latest AS latest
"""
WRITE_ENTITIES = """
UNWIND $rows AS row
MERGE (n:RiskgraphEntity {_key: row.key}) SET n = row.values, n._key = row.key, n._generation = $generation
"""
WRITE_RECORDS = """
UNWIND $rows AS row
MATCH (e:RiskgraphEntity {_key: row.entity})
MERGE (n:RiskgraphRecord {_key: row.key})
SET n = row.values, n._key = row.key, n._generation = $generation, n._table = $table
MERGE (e)-[:HAS_RECORD]->(n)
"""
#: one text a relation kind: a type cannot be a parameter, and the vocabulary is closed
WRITE_RELATIONS = {
    kind: f"""
UNWIND $rows AS row
MATCH (a:RiskgraphEntity {{_key: row.source}}) MATCH (b:RiskgraphEntity {{_key: row.target}})
MERGE (a)-[r:{kind.upper()} {{_key: row.key}}]->(b)
SET r = row.values, r._key = row.key, r._generation = $generation
"""
    for kind in RELATION_KINDS
}
#: how many rows of every group of batches a generation has
READ_PRESENT = """
MATCH (n:RiskgraphEntity) WHERE n._generation = $generation RETURN 'entities' AS name, count(n) AS rows
UNION ALL
MATCH (:RiskgraphEntity)-[r]->(:RiskgraphEntity) WHERE r._generation = $generation
RETURN type(r) AS name, count(r) AS rows
UNION ALL
MATCH (n:RiskgraphRecord) WHERE n._generation = $generation RETURN n._table AS name, count(n) AS rows
"""
#: makes a generation the current one if it is whole; the first line takes the lock that CLEAN takes too
SWITCH = """
MERGE (s:RiskgraphStore {name: 'graph'}) SET s.writing = true
WITH s,
  COUNT { MATCH (n:RiskgraphEntity) WHERE n._generation = $generation } AS entities,
  COUNT { MATCH (:RiskgraphEntity)-[r]->(:RiskgraphEntity) WHERE r._generation = $generation } AS relations,
  COUNT { MATCH (n:RiskgraphRecord) WHERE n._generation = $generation } AS records
WHERE entities = $entities AND relations = $relations AND records = $records
SET s.generation = $generation, s.columns = $columns, s.latest = $latest
REMOVE s.writing
RETURN count(*) AS done
"""
_CURRENT = """
MATCH (s:RiskgraphStore {name: 'graph'}) SET s.writing = true
WITH s WHERE s.generation = $generation REMOVE s.writing WITH s
"""
#: removes what other generations left, as long as this one is the current one
CLEAN = tuple(
    f"{_CURRENT} MATCH {pattern} WHERE {name}._generation <> $generation WITH {name} LIMIT $batch "
    f"DETACH DELETE {name} RETURN count(*) AS gone"
    for name, pattern in (
        ("r", "(:RiskgraphEntity)-[r]->(:RiskgraphEntity)"),
        ("n", "(n:RiskgraphRecord)"),
        ("n", "(n:RiskgraphEntity)"),
    )
)
READ_ENTITIES = "MATCH (n:RiskgraphEntity) WHERE n._generation = $generation RETURN properties(n) AS row"
READ_RELATIONS = (
    "MATCH (:RiskgraphEntity)-[r]->(:RiskgraphEntity) WHERE r._generation = $generation RETURN properties(r) AS row"
)
READ_RECORDS = (
    "MATCH (n:RiskgraphRecord) WHERE n._generation = $generation AND n._table = $table RETURN properties(n) AS row"
)

# -- the part of it around one entity --------------------------------------------------------------------------------

#: one step of the walk, over relations in force on a day and known by a day; both ways
STEP = """
UNWIND $keys AS key
MATCH (:RiskgraphEntity {_key: key})-[r]-(other:RiskgraphEntity)
WHERE r._generation = $generation
  AND ($day IS NULL OR ((r.start IS NULL OR r.start <= $day) AND (r.end IS NULL OR r.end > $day)))
  AND ($known IS NULL OR r.known_from IS NULL OR r.known_from <= $known)
RETURN DISTINCT other._key AS key
"""
READ_SOME_ENTITIES = "UNWIND $keys AS key MATCH (n:RiskgraphEntity {_key: key}) RETURN properties(n) AS row"
READ_SOME_RELATIONS = """
UNWIND $keys AS key MATCH (:RiskgraphEntity {_key: key})-[r]->(b:RiskgraphEntity)
WHERE r._generation = $generation AND b._key IN $keys
RETURN properties(r) AS row
"""
READ_SOME_RECORDS = """
UNWIND $keys AS key MATCH (:RiskgraphEntity {_key: key})-[:HAS_RECORD]->(n:RiskgraphRecord) WHERE n._table = $table
RETURN properties(n) AS row
"""

# -- results: rows as text, to be read back whole; values as properties, for people who query the database ------------

WRITE_ROWS = "MERGE (n:RiskgraphRows {_key: $key}) SET n.run = $run, n.token = $token, n.place = $place, n.rows = $rows"
WRITE_RUN = "MERGE (r:RiskgraphRun {name: $run}) SET r.token = $token, r.columns = $columns, r.size = $size"
CLEAN_ROWS = "MATCH (n:RiskgraphRows {run: $run}) WHERE n.token <> $token DELETE n"
READ_RUNS = "MATCH (r:RiskgraphRun) RETURN r.name AS run"
READ_RUN = "MATCH (r:RiskgraphRun {name: $run}) RETURN r.token AS token, r.columns AS columns, r.size AS size"
READ_ROWS = "MATCH (n:RiskgraphRows {run: $run, token: $token}) RETURN n.rows AS rows ORDER BY n.place"
MARK = "UNWIND $rows AS row MATCH (n:RiskgraphEntity {_key: row.key}) SET n += row.values"
UNMARK = """
MATCH (n:RiskgraphEntity) WHERE n._generation = $generation AND any(name IN $names WHERE n[name] IS NOT NULL)
WITH n LIMIT $batch SET n += $blank RETURN count(*) AS gone
"""
