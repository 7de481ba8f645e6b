"""The layer rule of CRE60 for funds within funds."""

from __future__ import annotations

import pytest

import riskgraph as rg
from riskgraph.nesting import allowed_approaches


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("look_through", ("look_through", "fall_back")),
        ("mandate_based", ("fall_back",)),
        ("fall_back", ("fall_back",)),
    ],
)
def test_no_layer_is_seen_better_than_the_one_above(above, below):
    assert allowed_approaches(above) == below


def test_other_approaches_are_refused():
    with pytest.raises(
        rg.InvalidParameter, match="'above' must be one of look_through, mandate_based, fall_back; got 'LTA'"
    ):
        allowed_approaches("LTA")
