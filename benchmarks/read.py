"""Registers as streams: the UK register, FollowTheMoney and GLEIF (XML) into graphs, and by hand into frames."""

from __future__ import annotations

import concurrent.futures
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from timing import arguments, keep

import riskgraph as rg

XML = {"LEIRecord": ["LEI", "LegalName", "Country", "EntityStatus"]}
BANDS = ("25-to-50", "50-to-75", "75-to-100")


def psc(count: int, rng: np.random.Generator) -> Iterator[str]:
    """Lines as in the snapshot of people with significant control; names and numbers are drawn."""
    company = 0
    for draw in rng.integers(0, 1 << 30, (count, 6)).tolist():
        company += draw[0] % 8 < 5
        band, number = BANDS[draw[1] % 3], f"{company:08d}"
        kind = "corporate-entity" if draw[2] % 10 == 0 else "individual"
        data: dict[str, Any] = {
            "address": {
                "address_line_1": f"{draw[3] % 200} Example Street",
                "locality": "Sampleton",
                "country": "England",
            },
            "etag": f"{draw[4]:040x}",
            "kind": f"{kind}-person-with-significant-control",
            "links": {"self": f"/company/{number}/persons-with-significant-control/{kind}/{draw[5]:027x}"},
            "name": f"Ms Ann{draw[3] % 997} Middle{draw[4] % 31} Example{draw[5] % 9973}",
            "natures_of_control": [f"ownership-of-shares-{band}-percent", f"voting-rights-{band}-percent"],
            "notified_on": f"20{16 + draw[1] % 8}-{1 + draw[2] % 12:02d}-{1 + draw[3] % 28:02d}",
        }
        if kind == "individual":
            data |= {
                "country_of_residence": "England",
                "date_of_birth": {"month": 1 + draw[4] % 12, "year": 1940 + draw[5] % 60},
                "nationality": "British",
            }
        else:
            data["identification"] = {
                "country_registered": "England",
                "legal_form": "Private Limited Company",
                "registration_number": f"{draw[5] % (count + 1):08d}",
            }
        yield json.dumps({"company_number": number, "data": data})


def ftm(count: int, rng: np.random.Generator) -> Iterator[str]:
    """FollowTheMoney: of every five lines two persons, a company, a holding and a post."""
    for place, draw in enumerate(rng.integers(0, 1 << 30, (count, 3)).tolist()):
        group, what = divmod(place, 5)
        if what < 3:
            schema = "Company" if what == 2 else "Person"
            properties = {
                "name": [f"Name{draw[0] % 9973} Example{draw[1]}"],
                "country": ["xx"],
                "sourceUrl": ["https://example.org"],
            }
            item = {"id": f"ex-{group:032x}{what}", "schema": schema, "properties": properties}
        else:
            ends = ("owner", "asset") if what == 3 else ("director", "organization")
            properties = {
                ends[0]: [f"ex-{group:032x}{what - 3}"],
                ends[1]: [f"ex-{group:032x}2"],
                "startDate": ["2016-04-06"],
            }
            schema = "Ownership" if what == 3 else "Directorship"
            item = {"id": f"ex-{draw[2]:032x}", "schema": schema, "properties": properties}
        yield json.dumps(item)


def gleif(count: int, rng: np.random.Generator) -> Iterator[str]:
    """Level 1 records as XML, a record a line."""
    yield '<?xml version="1.0" encoding="UTF-8"?><lei:LEIData xmlns:lei="http://www.gleif.org/data/schema/leidata/2016">'
    yield "<lei:LEIRecords>"
    for place, draw in enumerate(rng.integers(0, 1 << 30, (count, 2)).tolist()):
        yield (
            f"<lei:LEIRecord><lei:LEI>213800{place:014d}</lei:LEI><lei:Entity>"
            f'<lei:LegalName xml:lang="en">Example {draw[0]} Limited</lei:LegalName>'
            f'<lei:LegalAddress xml:lang="en"><lei:FirstAddressLine>{draw[1] % 99} Street'
            "</lei:FirstAddressLine><lei:City>Sampleton</lei:City><lei:Country>GB</lei:Country></lei:LegalAddress>"
            f"<lei:RegistrationAuthority><lei:RegistrationAuthorityEntityID>{draw[1] % 10**8:08d}"
            "</lei:RegistrationAuthorityEntityID></lei:RegistrationAuthority><lei:LegalJurisdiction>GB</lei:LegalJurisdiction>"
            "<lei:EntityCategory>GENERAL</lei:EntityCategory><lei:EntityStatus>ACTIVE</lei:EntityStatus></lei:Entity>"
            "<lei:Registration><lei:InitialRegistrationDate>2014-01-01T00:00:00Z</lei:InitialRegistrationDate>"
            "<lei:RegistrationStatus>ISSUED</lei:RegistrationStatus></lei:Registration></lei:LEIRecord>"
        )
    yield "</lei:LEIRecords></lei:LEIData>"


def by_hand(path: Path) -> int:
    """What a notebook does: every line parsed, all of them one frame; of XML the records."""
    if path.suffix == ".xml":
        return len(pd.read_xml(path, iterparse=XML, parser="etree"))
    with open(path, encoding="utf-8") as lines:
        return len(pd.json_normalize([json.loads(line) for line in lines]))


def ours(path: Path) -> int:
    """The graph with its report."""
    graph = rg.read(path)
    assert not graph.rejected
    return len(graph) + len(graph.columns)


def watched(way: Callable[[Path], int], path: Path) -> tuple[int, float, float]:
    """Run one way in a process of its own; what it made, processor seconds, and most memory beyond the start."""
    import riskgraph.readers  # noqa: F401 (loaded before the start is taken)

    before = resource.getrusage(resource.RUSAGE_SELF)
    made = way(path)
    after = resource.getrusage(resource.RUSAGE_SELF)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return made, seconds, (after.ru_maxrss - before.ru_maxrss) * 1024


def alone(way: Callable[[Path], int], path: Path) -> tuple[int, float, float]:
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(watched, way, path).result()


def main() -> None:
    options = arguments(__doc__ or "")
    size, figures = int(options.size), []
    for make, ending in ((psc, ".jsonl"), (ftm, ".ftm.json"), (gleif, ".xml")):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{make.__name__}{ending}"
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in make(size, np.random.default_rng(0)))
            began = time.perf_counter()
            figure: dict[str, Any] = {
                "title": f"{make.__name__}, {size:,} records",
                "megabytes": path.stat().st_size / 1e6,
            }
            print(f"\n{figure['title']}, {figure['megabytes']:,.0f} MB")
            for way in (ours, by_hand):
                made, seconds, memory = alone(way, path)
                name = "riskgraph: graph" if way is ours else "by hand: frame"
                print(f"  {name:<18} {made:>11,} rows {seconds:>8.1f} s of processor", end="")
                print(f" {memory / size:>7,.0f} bytes of peak a record")
                figure[name] = {"rows": made, "seconds": seconds, "bytes_a_record": memory / size}
            figure["wall_seconds"] = time.perf_counter() - began
            figures.append(figure)
    keep(options.json, figures)


if __name__ == "__main__":
    main()
