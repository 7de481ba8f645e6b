"""Keyword screening on Spark: every occurrence of the catalogue's words, by folding and searching texts in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from riskgraph._optional import import_optional
from riskgraph.errors import InvalidParameter
from riskgraph.spark._engine import Engine, Frame, expr
from riskgraph.spark._tables import Tables
from riskgraph.supervision._automaton import fold

__all__ = ["occurrences"]

_SENTENCE = "[;；。()（）\\n]"
_FIRMS = "'company', 'product', 'unknown'"


def occurrences(engine: Engine, tables: Tables, catalogue: Any, lists: Iterable[str] | None) -> Frame:
    """``entity, list, field, word, start, stop, negated`` as :func:`riskgraph.supervision.keyword_hits`."""
    wanted = list(catalogue.keywords) if lists is None else list(lists)
    for name in wanted:
        if name not in catalogue.keywords:
            raise InvalidParameter(f"'lists' must name keyword lists ({', '.join(catalogue.keywords)}); got {name!r}")
    traditional = catalogue.section("traditional")
    chosen = {name: catalogue.keywords[name] for name in wanted}
    rows = [
        (name, field, word, fold(word, traditional), bool(entry.get("negation")) and field == "scope")
        for name, entry in chosen.items()
        for field in entry.get("fields", ["name"])
        for word in dict.fromkeys(entry["words"])
    ]
    words = engine.rows(rows, "list string, of string, word string, folded string, negates boolean")
    texts = _texts(engine, tables, {row[1] for row in rows})
    texts = _folded(engine, texts, traditional)
    # the place of every letter: a word begins where the folded text goes on with it
    hits = texts.join(words, expr("field = of and contains(plain, folded)"))
    hits = hits.selectExpr(
        "*",
        "explode(filter(sequence(1, greatest(1, length(plain) - length(folded) + 1)), "
        "i -> substring(plain, i, length(folded)) = folded)) as i",
    )
    hits = hits.selectExpr(
        "entity", "list", "field", "word", "text", "negates", "element_at(origin, i) as start",
        "element_at(origin, i + length(folded) - 1) + 1 as stop",
    )  # fmt: skip
    hits = hits.selectExpr("*", f"{_negated(catalogue.section('negations'))} as negated")
    return engine.cut(
        hits.selectExpr(
            "entity", "list", "field", "word", "cast(start as bigint) as start", "cast(stop as bigint) as stop",
            "negates and negated as negated",
        )
    )  # fmt: skip


def _texts(engine: Engine, tables: Tables, fields: set[str]) -> Frame:
    """``entity, field, text``; persons, accounts and addresses are not searched."""
    firms = tables.entities.where(f"kind in ({_FIRMS}) and not ended")
    found = engine.rows([], "entity string, field string, text string")
    for field in sorted(fields):
        if field in ("name", "scope"):
            rows = firms.where(f"{field} is not null").selectExpr(
                "id as entity", f"'{field}' as field", f"{field} as text"
            )
        else:
            rows = tables.facts.where(expr(f"fact = '{field}'")).selectExpr(
                "entity", "fact as field", "cast(value as string) as text"
            )
        found = found.union(rows)
    return found


def _folded(engine: Engine, texts: Frame, traditional: Any) -> Frame:
    """Texts with ``plain``, all spellings levelled, and ``origin``: for each letter of it its place in the text."""
    letters = [
        (chr(code), fold(chr(code), traditional))
        for code in range(0x10000)
        if not 0xD800 <= code < 0xE000 and fold(chr(code), traditional) != chr(code)
    ]
    single = {a: b for a, b in letters if len(b) == 1}
    several = {a: b for a, b in letters if len(b) > 1}
    # letters that become one: translate() in one pass; those that become several are rare and spelled out
    single_from, single_to = "".join(single), "".join(single.values())
    F = import_optional("pyspark.sql.functions", extra="spark")
    texts = texts.withColumn("one", F.translate("text", single_from, single_to))
    odd = engine.rows(several.items(), "letter string, form string")
    mapping = odd.agg(expr("map_from_entries(collect_list(struct(letter, form))) as forms"))
    texts = texts.withColumn("strange", F.col("one").rlike("[" + "".join(f"\\x{{{ord(c):x}}}" for c in several) + "]"))
    plain = texts.where("not strange").selectExpr(
        "entity", "field", "text", "one as plain", "sequence(0, greatest(length(one), 1) - 1) as origin"
    )
    rare = (
        texts.where("strange")
        .join(mapping, expr("true"), "cross")
        .selectExpr(
            "entity", "field", "text", "transform(split(one, ''), c -> coalesce(element_at(forms, c), c)) as parts"
        )
    )
    rare = rare.selectExpr(
        "entity", "field", "text", "array_join(parts, '') as plain",
        "flatten(transform(parts, (c, i) -> array_repeat(i, length(c)))) as origin",
    )  # fmt: skip
    return engine.cut(plain.union(rare))


def _negated(negations: list[str]) -> str:
    """SQL for whether the sentence a word stands in rules it out."""
    split = f"split({{}}, '{_SENTENCE}', -1)"
    before = f"element_at({split.format('substring(text, 1, start)')}, -1)"
    after = f"element_at({split.format('substring(text, start + 1)')}, 1)"
    tests = [f"contains({before}, '{word}')" for word in negations if word != "除外"]
    if "除外" in negations:
        tests.append(f"endswith({after}, '除外')")
    return f"({' or '.join(tests) or 'false'})"
