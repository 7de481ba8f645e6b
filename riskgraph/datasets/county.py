"""An invented county in the internet-finance rectification of 2016: shipped tables, planted schemes, labels.

``python -m riskgraph.datasets.county datasets/county`` writes the files anew, byte for byte.
"""

from __future__ import annotations

import os
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from riskgraph.datasets._county_credit import settle_credit
from riskgraph.datasets._county_files import FOLDER, describe, frames, read_county, write_county
from riskgraph.datasets._county_funds import plant_funds
from riskgraph.datasets._county_ordinary import (
    settle_licensed,
    settle_namesakes,
    settle_plain,
    settle_shops,
    settle_traders,
)
from riskgraph.datasets._county_owners import plant_owners
from riskgraph.datasets._county_products import settle_products
from riskgraph.datasets._county_sectors import settle_sectors
from riskgraph.datasets._county_world import World
from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph

__all__ = ["Dataset", "load_county", "make_county"]

#: people who own and run ordinary firms, and people who only put money in
LOCALS, SAVERS = 200, 400
#: characters of the brands of shops
_SHOP_BRANDS = (
    "福顺祥瑞兴旺隆昌裕丰恒久鼎盛宏泰永和义信嘉万广聚同庆鸿锦华新长乐",
    "吉发达源记春德仁美佳康宁安友邻居坊铺园庄堂斋轩阁苑馆楼台亭井",
)


@dataclass(frozen=True, repr=False)
class Dataset:
    """A shipped data set: a graph, the truth about it, and its story.

    Attributes
    ----------
    graph
        The entities, relations, cases, licences and facts.
    labels
        Frame ``entity, typology``: which entity shows which planted scheme, ``plain`` for clean firms.
    schemes
        Frame ``scheme, typology, entity, part, labelled``: every member of every planted scheme and its part in it.
    DESCR
        The story, the columns, how each scheme shows, and the licence, as Markdown.
    """

    graph: EntityGraph
    labels: pd.DataFrame
    schemes: pd.DataFrame
    DESCR: str

    def __repr__(self) -> str:
        """Say what is in it, on one line."""
        return f"Dataset: {self.graph!r}; {len(self.labels)} labels of {self.labels['typology'].nunique()} typologies"


def load_county() -> Dataset:
    """Invented county with planted schemes and their labels: the data set of the tutorials.

    Reads ``county`` below the folder of the environment variable ``RISKGRAPH_DATA``, else ``datasets/county`` of the
    source checkout; where neither is there the same tables are generated. Every firm, person and place is invented.

    Raises
    ------
    InvalidTable
        A file of the folder is not the one its manifest names.

    Examples
    --------
    >>> county = load_county()
    >>> county
    Dataset: EntityGraph: 4,251 entities, ... at 2017-01-11, the newest date in its tables; 165 labels of 14 typologies
    >>> county.labels["typology"].value_counts().head(3).to_dict()
    {'plain': 90, 'guarantee_ring': 15, 'multi_layer_nesting': 12}
    """
    roots = [Path(os.environ["RISKGRAPH_DATA"])] if os.environ.get("RISKGRAPH_DATA") else []
    roots.append(Path(__file__).parents[2] / "datasets")
    folder = next((root / FOLDER for root in roots if (root / FOLDER / "manifest.json").is_file()), None)
    tables = make_county() if folder is None else read_county(folder)
    labels, schemes = tables.pop("labels"), tables.pop("schemes")
    return Dataset(EntityGraph.from_tables(**tables), labels, schemes, describe({**tables, "labels": labels}))


def make_county(*, shops: int = 900, random_state: int = 2016) -> dict[str, pd.DataFrame]:
    """Tables of the county, written by code from a seed; no file is read.

    Parameters
    ----------
    shops
        How many ordinary shops and workshops, at most 960, stand besides the 618 firms of finance, of the schemes and
        of their surroundings; they change no row of those.
    random_state
        The shipped county is that of 2016; another seed gives another county with the same schemes.

    Returns
    -------
    dict
        ``entities, relations, cases, licences, facts`` as :meth:`EntityGraph.from_tables` takes them, and ``labels``
        and ``schemes``. Dates are ISO texts, as in the files.

    Raises
    ------
    InvalidParameter
        ``shops`` is not a whole number from 0 to 960.

    Examples
    --------
    >>> tables = make_county()
    >>> {name: len(table) for name, table in tables.items()}
    {'entities': 4251, 'relations': 10039, 'cases': 92, 'licences': 91, 'facts': 1541, 'labels': 165, 'schemes': 411}
    """
    most = len(_SHOP_BRANDS[0]) * len(_SHOP_BRANDS[1])
    if isinstance(shops, bool) or not isinstance(shops, int) or not 0 <= shops <= most:
        raise InvalidParameter(f"'shops' must be a whole number from 0 to {most}; got {shops!r}")
    world = World(random.Random(random_state))
    world.locals = [world.person() for _ in range(LOCALS)]
    world.savers = [world.person() for _ in range(SAVERS)]
    settle_licensed(world)
    settle_traders(world)
    settle_credit(world)
    settle_sectors(world)
    settle_namesakes(world)
    plant_owners(world)
    plant_funds(world)
    settle_plain(world)
    # a stream of its own: what is drawn here moves no row and no id of what stands above
    world.rng = random.Random(f"ordinary products {random_state}")
    world.batch += 1
    settle_products(world)
    if shops:
        world.rng = random.Random(f"shops {random_state}")
        world.batch += 1
        world.name_more(_SHOP_BRANDS, 2 * shops)
        settle_shops(world, shops)
    return frames(world)


if __name__ == "__main__":
    write_county(make_county(), Path(sys.argv[1] if len(sys.argv) > 1 else "datasets/county"))
