"""Which place is in charge of a firm, and which assists."""

from __future__ import annotations

from riskgraph.supervision._view import View
from riskgraph.supervision.regions import city_of

__all__ = ["places_of"]

#: sectors whose plans put the registered place in charge; elsewhere it is the operating place
_BY_REGISTRATION = {"equity_crowdfunding", "asset_management", "insurance"}


def places_of(seen: View, code: int) -> tuple[str, str]:
    """Place in charge and place that assists."""
    registered = seen.registered[code]
    operating = [place for place in seen.operating[code] if place]
    home = seen.catalogue.home_province
    here = [place for place in operating if place[:2] == home] or operating
    if not here:
        return registered, ""
    if not registered:
        return here[0], ""
    sectors = {sector for sector, _, _ in seen.labels.get(code, [])}
    away = registered[:2] != home
    by_registration = bool(sectors) and sectors <= _BY_REGISTRATION
    if city_of(registered) in {city_of(place) for place in operating} and not away:
        return (registered if by_registration else here[0]), ""
    return (registered, here[0]) if by_registration and not away else (here[0], registered)
