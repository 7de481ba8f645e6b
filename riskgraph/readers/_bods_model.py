"""Entity types and interests of the Beneficial Ownership Data Standard that the graph has words for."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Any

from riskgraph.schema import ROLES

__all__ = ["ENTITY_TYPES", "INTERESTS", "REASONS", "TYPES", "interest", "meaning"]

#: entity type in small letters → entity kind
ENTITY_TYPES = MappingProxyType(
    {
        "registeredentity": "company",
        "legalentity": "company",
        "arrangement": "trust",
        "anonymousentity": "unknown",
        "unknownentity": "unknown",
        "state": "state",
        "statebody": "state",
    }
)
#: entity kind → the type it is written as
TYPES = MappingProxyType(
    {"company": "registeredEntity", "trust": "arrangement", "unknown": "unknownEntity", "state": "state"}
)
#: every type of interest of version 0.4 that is a holding, a post or a right to control
INTERESTS = (
    "shareholding", "votingRights", "appointmentOfBoard", "otherInfluenceOrControl", "seniorManagingOfficial",
    "settlor", "trustee", "protector", "beneficiaryOfLegalArrangement", "rightsToSurplusAssetsOnDissolution",
    "rightsToProfitOrIncome", "rightsGrantedByContract", "conditionalRightsGrantedByContract",
    "controlViaCompanyRulesOrArticles", "controlByLegalFramework", "boardMember", "boardChair", "unknownInterest",
    "unpublishedInterest", "enjoymentAndUseOfAssets", "rightToProfitOrIncomeFromAssets", "nominee", "nominator",
)  # fmt: skip
#: why a party is not named
REASONS = (
    "noBeneficialOwners", "subjectUnableToConfirmOrIdentifyBeneficialOwner", "interestedPartyHasNotProvidedInformation",
    "subjectExemptFromDisclosure", "interestedPartyExemptFromDisclosure", "unknown", "informationUnknownToPublisher",
)  # fmt: skip
#: rights that give full control, posts; every other interest is a holding of unknown size
_CONTROLS = ("appointmentofboard", "controlviacompanyrulesorarticles", "controlbylegalframework", "nominator")
_POSTS = {
    "boardmember": "director",
    "boardchair": "chairman",
    "seniormanagingofficial": "senior_manager",
    "nominee": "nominee",
    "settlor": "settlor",
    "trustee": "trustee",
    "protector": "protector",
}
_TYPE_OF_POST = {role: next(word for word in INTERESTS if word.lower() == plain) for plain, role in _POSTS.items()}
_OF_TRUSTS = frozenset({"settlor", "trustee", "protector"})
_OF_NOMINATIONS = frozenset({"nominee", "nominator"})
#: the details of an interest that only a relation of the graph can say: its kind, and its role if it has one
_SAID = re.compile(r"^(owns|controls|officer)(?:: (.+))?$", re.DOTALL)


def meaning(word: str, details: Any = None) -> tuple[str, str | None]:
    """Relation kind and role of an interest; ``details`` may say them in the graph's own words.

    Examples
    --------
    >>> meaning("boardChair"), meaning("appointmentOfBoard"), meaning("rightsToProfitOrIncome")
    (('officer', 'chairman'), ('controls', 'appointmentOfBoard'), ('owns', 'rightsToProfitOrIncome'))
    >>> meaning("seniorManagingOfficial", "officer: supervisor"), meaning("seniorManagingOfficial", "Chief of staff")
    (('officer', 'supervisor'), ('officer', 'senior_manager'))
    """
    if isinstance(details, str) and (said := _SAID.match(details)):
        return said[1], said[2]
    plain = word.replace("-", "").lower()
    post = next((role for name, role in _POSTS.items() if plain.startswith(name)), None)
    if post is not None:
        return "officer", post
    return ("controls" if plain in _CONTROLS else "owns"), word


def interest(kind: str, role: str | None, *, trust: bool = False) -> dict[str, str]:
    """The interest in a firm or, if so said, a trust that :func:`meaning` reads as a relation of that kind and role.

    The standard keeps some interests to trusts and some to nominations; elsewhere the details say them.

    Examples
    --------
    >>> interest("officer", "director"), interest("officer", "supervisor"), interest("controls", None)
    ({'type': 'boardMember'},
     {'type': 'seniorManagingOfficial', 'details': 'officer: supervisor'},
     {'type': 'rightsGrantedByContract', 'details': 'controls'})
    """
    for word in (_TYPE_OF_POST.get(str(role)), role):
        fits = word not in _OF_NOMINATIONS and (trust or word not in _OF_TRUSTS)
        if word in INTERESTS and fits and meaning(str(word)) == (kind, role):
            return {"type": str(word)}
    managing = role in ROLES and kind == "officer"
    other = {"owns": "shareholding", "controls": "rightsGrantedByContract", "officer": "otherInfluenceOrControl"}[kind]
    details = kind if role is None else f"{kind}: {role}"
    return {"type": "seniorManagingOfficial" if managing else other, "details": details}
