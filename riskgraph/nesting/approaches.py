"""Which Basel approach a fund within a fund may be measured by: no layer is seen better than the one above."""

from __future__ import annotations

from riskgraph.errors import InvalidParameter

__all__ = ["allowed_approaches"]

#: approach of the fund above -> approaches open to the fund it invests in, the most exact first
_NEXT = {
    "look_through": ("look_through", "fall_back"),
    "mandate_based": ("fall_back",),
    "fall_back": ("fall_back",),
}


def allowed_approaches(above: str) -> tuple[str, ...]:
    """Approaches by which a bank may measure a fund held by another fund, from that used for the fund above.

    Only under a look-through (LTA) of the upper fund may the lower one be looked through too; under the mandate-based
    approach (MBA), which reads the upper fund's mandate alone, and under the fall-back (FBA) it falls back, at a risk
    weight of 1,250 %.

    Parameters
    ----------
    above
        ``"look_through"``, ``"mandate_based"`` or ``"fall_back"``.

    Raises
    ------
    InvalidParameter
        Another approach.

    References
    ----------
    Basel Committee on Banking Supervision, CRE60: equity investments in funds.

    Examples
    --------
    >>> allowed_approaches("look_through"), allowed_approaches("mandate_based")
    (('look_through', 'fall_back'), ('fall_back',))
    """
    if above not in _NEXT:
        raise InvalidParameter(f"'above' must be one of {', '.join(_NEXT)}; got {above!r}")
    return _NEXT[above]
