"""The schemata, properties and topics of FollowTheMoney that the graph has words for, to read and to write."""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

__all__ = [
    "CASE_TOPICS",
    "EDGES",
    "ENTITY_PROPERTIES",
    "KINDS",
    "KIND_TAG",
    "LEGAL",
    "SCHEMATA",
    "TOPIC_CASES",
    "Edge",
]

#: schema of a node → entity kind
KINDS = MappingProxyType(
    {
        "Person": "person",
        "Company": "company",
        "Organization": "company",
        "LegalEntity": "unknown",
        "PublicBody": "state",
        "Security": "product",
        "Asset": "product",
        "BankAccount": "account",
        "CryptoWallet": "account",
        "Address": "address",
        "Trust": "trust",
    }
)
#: entity kind → the schema it is written as; kinds that share one are told apart by a keyword
SCHEMATA = MappingProxyType(
    {
        "company": "Company",
        "person": "Person",
        "product": "Security",
        "account": "BankAccount",
        "website": "Asset",
        "advertisement": "Asset",
        "trust": "LegalEntity",
        "state": "PublicBody",
        "address": "Address",
        "unknown": "LegalEntity",
    }
)
#: how such a keyword begins
KIND_TAG = "kind:"

LEGAL = frozenset({"Person", "Company", "Organization", "LegalEntity", "PublicBody"})
_ORGANIZATIONS = frozenset({"Company", "Organization", "PublicBody"})
_VEHICLES = ("Vehicle", "Vessel", "Airplane", "Train")
_ASSETS = frozenset({"Company", "Asset", "Security", "BankAccount", *_VEHICLES})
_PERSONS = frozenset({"Person"})

_OF_LEGAL = {
    "status": "status",
    "sector": "sector",
    "uscc": "uscCode",
    "lei": "leiCode",
    "registration_number": "registrationNumber",
    "start": "incorporationDate",
    "end": "dissolutionDate",
}
#: schema → column → the property that holds it, besides those of every Thing
ENTITY_PROPERTIES = MappingProxyType(
    {
        **dict.fromkeys(LEGAL, _OF_LEGAL),
        "Person": {**_OF_LEGAL, "birth_date": "birthDate"},
        "Company": {**_OF_LEGAL, "capital": "capital"},
        "Security": {"registration_number": "registrationNumber", "start": "issueDate", "end": "maturityDate"},
        "BankAccount": {"start": "openingDate", "end": "closingDate"},
        **{schema: {"registration_number": "registrationNumber"} for schema in _VEHICLES},
    }
)


class Edge(NamedTuple):
    """A schema that links two entities: its ends, what it means, and the properties that hold its cells."""

    source: str
    target: str
    kind: str
    #: role of a link that states none
    role: str | None = None
    role_property: str | None = "role"
    #: schemata that may stand at the ends; None for any
    ends: tuple[frozenset[str] | None, frozenset[str] | None] = (None, None)
    #: amount and its currency
    money: tuple[str, str] | None = None
    dated: bool = True


_CASH = ("amount", "currency")
EDGES = MappingProxyType(
    {
        "Ownership": Edge("owner", "asset", "owns", ends=(LEGAL, _ASSETS), money=("sharesValue", "sharesCurrency")),
        "Control": Edge("controller", "controlled", "controls", ends=(LEGAL, LEGAL)),
        "Directorship": Edge("director", "organization", "officer", "director", ends=(LEGAL, _ORGANIZATIONS)),
        "Employment": Edge("employee", "employer", "officer", "employee", ends=(_PERSONS, _ORGANIZATIONS)),
        "Membership": Edge("member", "organization", "officer", "member", ends=(LEGAL, _ORGANIZATIONS)),
        "Representation": Edge("agent", "client", "officer", "representative", ends=(LEGAL, LEGAL)),
        "Family": Edge("person", "relative", "kin", None, "relationship", ends=(_PERSONS, _PERSONS)),
        "Associate": Edge("person", "associate", "cooperates", "associate", "relationship", (_PERSONS, _PERSONS)),
        "UnknownLink": Edge("subject", "object", "cooperates", "unknown link", "description"),
        "Debt": Edge("creditor", "debtor", "lends", None, None, (LEGAL, LEGAL), _CASH),
        "Payment": Edge("payer", "beneficiary", "pays", None, None, (LEGAL, LEGAL), _CASH),
        "Similar": Edge("candidate", "match", "same_as", None, None, dated=False),
    }
)
#: topic → case type; topics that follow from others (sanction.linked …) are kept on the entity and make no case
TOPIC_CASES = MappingProxyType(
    {
        "sanction": "sanctioned",
        "debarment": "banned",
        "corp.disqual": "banned",
        "reg.action": "order",
        "reg.warn": "abnormal",
        "crime": "criminal_record",
    }
)
#: case type → the topic an entity under such a case gets. A penalty of an authority is no entry of a sanctions list.
CASE_TOPICS = MappingProxyType(
    {
        "banned": "debarment",
        "revoked": "reg.action",
        "illegal_fundraising": "crime.fin",
        "unlicensed_finance": "reg.action",
        "sanctioned": "reg.action",
        "abnormal": "reg.warn",
        "criminal_record": "crime",
        "order": "reg.action",
    }
)
