"""FollowTheMoney, BODS, the UK register, GLEIF and Offshore Leaks, all on invented records."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import riskgraph as rg
from riskgraph.readers import detect, read_bods, read_ftm, read_gleif, read_icij, read_psc
from riskgraph.readers.icij import _day


def lines(*records):
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records) + "\n"


def rows(graph, *columns, kind=None):
    relations = graph.known("relations")
    if kind is not None:
        relations = relations[relations["kind"] == kind]
    frame = relations[list(columns) or ["source", "target", "kind"]].astype(object)
    return frame.where(frame.notna(), None).to_numpy().tolist()


# -- FollowTheMoney --------------------------------------------------------------------------------------------------


def ftm(id, schema, **properties):
    return {
        "id": id,
        "schema": schema,
        "properties": {key: [value] if isinstance(value, str) else value for key, value in properties.items()},
    }


def test_ftm(folder):
    place = folder(
        {
            "a.ftm.json": lines(
                ftm("ann", "Person", name="Ann Example", topics=["sanction", "role.pep"], country="xx"),
                ftm("bob", "Person", name="Bob Example", topics=["sanction.linked"]),
                ftm(
                    "mine",
                    "Company",
                    name=["Mine Ltd", "Mine Limited"],
                    incorporationDate="2010-05",
                    uscCode="91320500AAAAAAAAAA",
                ),
                ftm("shop", "Company", name="Shop Ltd", topics="debarment"),
                ftm("mine", "Company", alias="Mine & Co"),
                ftm("o1", "Ownership", owner=["ann", "bob"], asset="mine", percentage="25-50", startDate="2015-01-01"),
                ftm("o2", "Ownership", owner="mine", asset="shop", percentage="most of it"),
                ftm("d", "Directorship", director="bob", organization="shop", role="Director", endDate="2016-01-01"),
                ftm("f", "Family", person="ann", relative="bob", relationship="sister"),
                ftm("p", "Payment", payer="mine", beneficiary="shop", amountEur="100", date="2015-03-01"),
                ftm("l", "Debt", creditor="shop", debtor="mine", amount="5000", currency="CNY"),
                ftm("s", "Similar", candidate="ann", match="bob", confidenceScore="0.4"),
                ftm("x", "Succession", predecessor="mine", successor="shop"),
                ftm("t", "Sanction", entity="ann", authority="Office", program="Test", startDate="2014-01-01"),
                {"id": "bad"},
            )
            + "{not json\n"
        }
    )
    assert detect(place) == "ftm"
    graph = read_ftm(place)
    assert rows(graph) == [
        ["ann", "mine", "owns"],
        ["bob", "mine", "owns"],
        ["mine", "shop", "owns"],
        ["bob", "shop", "officer"],
        ["ann", "bob", "kin"],
        ["mine", "shop", "pays"],
        ["shop", "mine", "lends"],
        ["ann", "bob", "same_as"],
    ]
    assert rows(graph, "id", "share_min", "share_max", kind="owns") == [
        ["o1#0", 0.25, 0.5],
        ["o1#1", 0.25, 0.5],
        ["o2", None, None],
    ]
    assert rows(graph, "amount", "amount_given", kind="pays") == [[None, "100 EUR"]]
    assert rows(graph, "amount", kind="lends") == [[5000.0]]
    assert rows(graph, "confidence", kind="same_as") == [[0.4]]
    entity = graph.entities.set_index("id").loc["mine"]
    assert entity["aliases"] == "Mine Ltd;Mine Limited;Mine & Co"
    assert str(entity["start"])[:10] == "2010-05-01"
    # the sanction is one case, not a second one for the topic; being linked to somebody sanctioned is no case
    assert graph.known("cases")[["entity", "type", "authority"]].to_numpy().tolist()[1:] == [
        ["ann", "sanctioned", "Office"]
    ]
    assert graph.seeds().index.tolist() == ["ann", "shop"]
    assert len(graph.rejected["entities"]) == 2
    assert graph.rejected["relations"].index.tolist() == ["a.ftm.json:13"]
    with pytest.raises(rg.InvalidTable, match="no relation kind stands for Succession"):
        read_ftm(place, on_error="raise")


@pytest.mark.parametrize("reader", [read_ftm, read_bods, read_psc, read_gleif])
def test_files_that_hold_nothing_of_the_kind(folder, reader):
    with pytest.raises(rg.InvalidTable):
        reader(folder({"a.json": "[1, 2"}))
    with pytest.raises(rg.InvalidTable):
        reader(folder({"a.json": "[" * 100_000}))


# -- BODS ------------------------------------------------------------------------------------------------------------


def entity(record, name, day="2020-01-01", **details):
    return statement(
        f"s-{record}", record, "entity", day, name=name, entityType={"type": "registeredEntity"}, **details
    )


def person(record, name, day="2020-01-01"):
    return statement(f"s-{record}", record, "person", day, personType="knownPerson", names=[{"fullName": name}])


def statement(id, record, kind, day, status="new", **details):
    return {
        "statementId": id,
        "recordId": record,
        "recordType": kind,
        "recordStatus": status,
        "statementDate": day,
        "declarationSubject": "c",
        "recordDetails": details,
    }


def held(low=None, high=None, exact=None, type="shareholding", **more):
    share = {key: value for key, value in (("minimum", low), ("maximum", high), ("exact", exact)) if value is not None}
    return {"type": type, **({"share": share} if share else {}), **more}


def test_bods_0_4(folder):
    place = folder(
        {
            "a.json": json.dumps(
                [
                    entity("c", "Mine Ltd", identifiers=[{"scheme": "XI-LEI", "id": "213800AAAAAAAAAAAA11"}]),
                    entity("h", "Holding Ltd"),
                    person("p", "Ann Example"),
                    statement(
                        "r1",
                        "r",
                        "relationship",
                        "2020-01-01",
                        subject="h",
                        interestedParty="p",
                        interests=[held(low=25, high=50), held(exact=60, type="votingRights"), {"type": "boardChair"}],
                    ),
                    statement(
                        "q1",
                        "q",
                        "relationship",
                        "2020-01-01",
                        subject="c",
                        interestedParty="h",
                        interests=[held(exact=100, startDate="2019-01-01")],
                    ),
                    # the record is revised in 2021 and closed in 2022
                    statement(
                        "q2",
                        "q",
                        "relationship",
                        "2021-01-01",
                        "updated",
                        subject="c",
                        interestedParty="h",
                        interests=[held(exact=80, startDate="2019-01-01")],
                    ),
                    statement("q3", "q", "relationship", "2022-01-01", "closed", subject="c", interestedParty="h"),
                    # what the chain says in full, and what nobody says
                    statement(
                        "i1",
                        "i",
                        "relationship",
                        "2020-01-01",
                        subject="c",
                        interestedParty="p",
                        interests=[held(exact=30, directOrIndirect="indirect")],
                    ),
                    statement(
                        "u1",
                        "u",
                        "relationship",
                        "2020-01-01",
                        subject="c",
                        interestedParty={"reason": "interestedPartyHasNotProvidedInformation"},
                    ),
                    statement(
                        "w1",
                        "w",
                        "relationship",
                        "2020-01-01",
                        subject="c",
                        interestedParty="p",
                        interests=[{"type": "appointmentOfBoard"}, {"type": "otherInfluenceOrControl"}],
                    ),
                    statement("z1", "z", "relationship", "2020-01-01", subject="c", interestedParty="nobody"),
                    {"statementId": "n"},
                ]
            )
        }
    )
    assert detect(place) == "bods"
    graph = read_bods(place)
    assert rows(graph, "source", "target", "share_min", "share_max", "votes_min", "role", kind="owns") == [
        ["p", "h", 0.25, 0.5, 0.6, None],
        ["h", "c", 1.0, 1.0, None, None],
        ["h", "c", 0.8, 0.8, None, None],
        ["p", "c", None, None, None, "otherInfluenceOrControl"],
    ]
    assert rows(graph, "source", "target", "role", kind="controls") == [["p", "c", "appointmentOfBoard"]]
    assert rows(graph, "source", "target", "role", kind="officer") == [["p", "h", "chairman"]]

    def share(day, known=None):
        frame = graph.at(day, known=known).relations
        return frame[(frame["source"] == "h") & (frame["kind"] == "owns")]["share_min"].tolist()

    assert [share("2020-06-01"), share("2021-06-01"), share("2022-06-01")] == [[1.0], [0.8], []]
    facts = graph.known("facts")
    assert facts[["entity", "fact", "value"]].to_numpy().tolist() == [
        ["c", "undisclosed_owner", "interestedPartyHasNotProvidedInformation"]
    ]
    assert graph.entities["lei"].tolist()[0] == "213800AAAAAAAAAAAA11"
    actions = graph.quality.set_index("row")["action"]
    assert actions["a.json[8]"] == "repaired"
    assert actions[["a.json[11]", "a.json[12]"]].tolist() == ["rejected", "rejected"]


@pytest.mark.parametrize("version", ["0.2", "0.3"])
def test_bods_of_earlier_versions(folder, version):
    def old(id, kind, **more):
        return {
            "statementID": id,
            "statementType": kind,
            "statementDate": "2019-01-01",
            "publicationDetails": {"bodsVersion": version},
            **more,
        }

    place = folder(
        {
            "a.json": json.dumps(
                [
                    old("e1", "entityStatement", entityType="registeredEntity", name="Mine Ltd"),
                    {
                        **old(
                            "e2",
                            "entityStatement",
                            entityType="registeredEntity",
                            name="Mine Renamed Ltd",
                            replacesStatements=["e1"],
                        ),
                        "statementDate": "2020-01-01",
                    },
                    old(
                        "p1",
                        "personStatement",
                        personType="knownPerson",
                        names=[{"givenName": "Ann", "familyName": "Example"}],
                    ),
                    old(
                        "o1",
                        "ownershipOrControlStatement",
                        subject={"describedByEntityStatement": "e1"},
                        interestedParty={"describedByPersonStatement": "p1"},
                        interests=[{"type": "voting-rights", "share": {"exclusiveMinimum": 25, "maximum": 50}}],
                    ),
                    old(
                        "o2",
                        "ownershipOrControlStatement",
                        subject={"describedByEntityStatement": "e2"},
                        interestedParty={"unspecified": {"reason": "unknown"}},
                    ),
                ]
            )
        }
    )
    graph = read_bods(place)
    assert graph.entities[["id", "name"]].to_numpy().tolist() == [["e2", "Mine Renamed Ltd"], ["p1", "Ann Example"]]
    assert rows(graph, "source", "target", "votes_min", "votes_max", "votes_exclusive") == [
        ["p1", "e2", 0.25, 0.5, "low"]
    ]
    assert graph.known("facts")["value"].tolist() == ["unknown"]


# -- people with significant control ---------------------------------------------------------------------------------


def psc(number, kind, *natures, **data):
    return {
        "company_number": number,
        "data": {"kind": kind, "natures_of_control": list(natures), "notified_on": "2016-04-06", **data},
    }


ANN = {"name": "Ms Ann Example", "date_of_birth": {"year": 1970, "month": 1}}
INDIVIDUAL = "individual-person-with-significant-control"
CORPORATE = "corporate-entity-person-with-significant-control"


def test_psc(folder):
    place = folder(
        {
            "psc.jsonl": lines(
                psc(
                    "123456",
                    INDIVIDUAL,
                    "ownership-of-shares-25-to-50-percent",
                    "voting-rights-50-to-75-percent",
                    "right-to-appoint-and-remove-directors",
                    **ANN,
                ),
                psc(
                    "123456",
                    CORPORATE,
                    "ownership-of-shares-25-to-50-percent",
                    "ownership-of-shares-25-to-50-percent-as-trust",
                    name="Holding Ltd",
                    identification={"registration_number": "654321", "country_registered": "England"},
                ),
                psc("00654321", INDIVIDUAL, "significant-influence-or-control", ceased_on="2018-01-01", **ANN),
                psc(
                    "OE000001", INDIVIDUAL, "ownership-of-shares-more-than-25-percent-registered-overseas-entity", **ANN
                ),
                psc(
                    "00654321", "persons-with-significant-control-statement", statement="psc-exists-but-not-identified"
                ),
                psc("00654321", "super-secure-person-with-significant-control", etag="e"),
                {"data": {"kind": "totals#persons-of-significant-control-snapshot"}},
                psc("00654321", "unheard-of-kind"),
                psc(None, INDIVIDUAL),
            )
        }
    )
    assert detect(place) == "psc"
    graph = read_psc(place)
    ann = "person:Ms Ann Example (1970-01)@"
    assert rows(graph, "source", "target", "kind", "share_min", "share_max", "votes_min", "votes_max") == [
        [f"{ann}00123456", "00123456", "owns", 0.25, 0.5, 0.5, 0.75],
        [f"{ann}00123456", "00123456", "controls", None, None, None, None],
        # as owner and as trustee: at least a quarter, at most both halves
        ["00654321", "00123456", "owns", 0.25, 1.0, None, None],
        [f"{ann}00654321", "00654321", "owns", None, None, None, None],
        [f"{ann}OE000001", "OE000001", "owns", 0.25, 1.0, None, None],
        ["unnamed:e@00654321", "00654321", "owns", None, None, None, None],
    ]
    assert graph.at("2018-06-01").history["target"].tolist() == ["00654321"]
    assert graph.known("facts")["value"].tolist() == ["psc-exists-but-not-identified"]
    # the corporate owner is the company of that number, and knows its name
    assert graph.entities.set_index("id").loc["00654321", ["kind", "name"]].tolist() == ["company", "Holding Ltd"]
    assert len(graph.rejected["relations"]) == 2
    with pytest.raises(rg.InvalidParameter, match="'at_75' must be"):
        read_psc(place, at_75="both")


@pytest.mark.parametrize(("at_75", "exclusive"), [("upper", None), ("lower", "low")])
def test_the_band_that_holds_75_percent(folder, at_75, exclusive):
    place = folder({"p.jsonl": lines(psc("1", INDIVIDUAL, "ownership-of-shares-75-to-100-percent", **ANN))})
    assert rows(read_psc(place, at_75=at_75), "share_min", "share_exclusive") == [[0.75, exclusive]]


# -- GLEIF -----------------------------------------------------------------------------------------------------------

L1, L2 = "213800AAAAAAAAAAAA11", "213800BBBBBBBBBBBB22"
LEVEL1 = {
    "LEI": {"$": L1},
    "Entity": {
        "LegalName": {"@xml:lang": "en", "$": "Mine Ltd"},
        "EntityCategory": {"$": "FUND"},
        "EntityCreationDate": {"$": "2012-05-29T08:00:00+02:00"},
        "EntityStatus": {"$": "ACTIVE"},
    },
    "Registration": {"RegistrationStatus": {"$": "ISSUED"}},
}


def relation(kind="IS_DIRECTLY_CONSOLIDATED_BY", status="ACTIVE", registration="PUBLISHED", periods=()):
    return {
        "Relationship": {
            "StartNode": {"NodeID": L1, "NodeIDType": "LEI"},
            "EndNode": {"NodeID": L2, "NodeIDType": "LEI"},
            "RelationshipType": kind,
            "RelationshipPeriods": list(periods),
            "RelationshipStatus": status,
        },
        "Registration": {"RegistrationStatus": registration, "LastUpdateDate": "2020-01-01T00:00:00Z"},
    }


PERIODS = (
    {"StartDate": "2011-01-01T00:00:00Z", "PeriodType": "ACCOUNTING_PERIOD"},
    {"StartDate": "2012-11-29T00:00:00Z", "EndDate": "2019-01-01T00:00:00Z", "PeriodType": "RELATIONSHIP_PERIOD"},
)


def test_gleif_json(folder):
    place = folder(
        {
            "l1.json": json.dumps({"records": [LEVEL1]}),
            "rr.json": json.dumps(
                [
                    relation(periods=PERIODS),
                    relation("IS_FUND-MANAGED_BY"),
                    relation("IS_FEEDER_TO"),
                    relation("IS_SUBFUND_OF", status="INACTIVE"),
                    relation(registration="ANNULLED"),
                    relation("IS_COUSIN_OF"),
                ]
            ),
            "repex.json": json.dumps(
                [
                    {
                        "LEI": L2,
                        "ExceptionCategory": "ULTIMATE_ACCOUNTING_CONSOLIDATION_PARENT",
                        "ExceptionReason": "NO_KNOWN_PERSON",
                    }
                ]
            ),
        }
    )
    assert detect(place) == "gleif"
    graph = read_gleif(place)
    frame = graph.known("relations")
    assert frame[["source", "target", "kind"]].to_numpy().tolist() == [
        [L2, L1, "controls"],
        [L2, L1, "manages"],
        [L1, L2, "invests"],
        [L1, L2, "branch_of"],
    ]
    assert str(frame["start"].iloc[0])[:10] == "2012-11-29"
    assert [str(day)[:10] for day in frame["end"]] == ["2019-01-01", "NaT", "NaT", "2020-01-01"]
    # consolidation is no share
    assert frame["share_min"].isna().all()
    assert graph.entities.set_index("id")["kind"].to_dict() == {L1: "product", L2: "company"}
    assert graph.facts[["entity", "value"]].to_numpy().tolist() == [[L2, "NO_KNOWN_PERSON"]]
    assert len(graph.rejected["relations"]) == 2


def api(kind, **attributes):
    return {"type": kind, "id": "1", "attributes": attributes, "relationships": {"x": {"links": {}}}}


def test_gleif_answers_of_the_api(folder):
    consolidated = api(
        "relationship-records",
        relationship={
            "startNode": {"id": L1, "type": "LEI"},
            "endNode": {"id": L2, "type": "LEI"},
            "type": "IS_DIRECTLY_CONSOLIDATED_BY",
            "status": "ACTIVE",
            "periods": [
                {"startDate": "2011-01-01T00:00:00Z", "endDate": "2011-12-31T00:00:00Z", "type": "ACCOUNTING_PERIOD"},
                {"startDate": "2012-11-29T00:00:00Z", "type": "RELATIONSHIP_PERIOD"},
            ],
        },
        registration={"status": "PUBLISHED", "initialRegistrationDate": "2013-01-01T00:00:00Z"},
    )
    firm = api("lei-records", lei=L1, entity={"legalName": {"name": "Mine Ltd"}, "category": "FUND"}, registration={})
    exception = api("reporting-exceptions", lei=L2, category="ULTIMATE", reason="NATURAL_PERSONS", reference=None)
    place = folder(
        {
            "one.json": json.dumps({"meta": {}, "data": firm}),
            "children.json": json.dumps({"meta": {}, "data": [consolidated, consolidated]}),
            "exception.json": json.dumps({"data": exception}),
        }
    )
    assert [detect(place / name) for name in ("one.json", "children.json", "exception.json")] == ["gleif"] * 3
    graph = read_gleif(place, on_error="raise")
    assert rows(graph, "source", "target", "kind") == [[L2, L1, "controls"]]
    assert str(graph.known("relations")["start"].iloc[0])[:10] == "2012-11-29"
    assert graph.entities.set_index("id")["kind"].to_dict() == {L1: "product", L2: "company"}
    assert graph.known("facts")["value"].tolist() == ["NATURAL_PERSONS"]
    # the same record twice is one relation, and is said
    assert graph.quality["row"].tolist() == ["children.json[2]", "children.json[1]"]
    with pytest.raises(rg.InvalidTable, match="holds no GLEIF record"):
        read_gleif(folder({"empty.json": json.dumps({"meta": {}, "data": []})}) / "empty.json")


def test_gleif_xml_and_csv_say_the_same(folder):
    xml = (
        '<lei:LEIData xmlns:lei="http://www.gleif.org/data/schema/leidata/2016"><lei:LEIRecords><lei:LEIRecord>'
        f'<lei:LEI>{L1}</lei:LEI><lei:Entity><lei:LegalName xml:lang="en">Mine Ltd</lei:LegalName>'
        "<lei:EntityCategory>FUND</lei:EntityCategory></lei:Entity></lei:LEIRecord></lei:LEIRecords></lei:LEIData>"
    )
    table = f'LEI,Entity.LegalName,Entity.EntityCategory\n{L1},"Mine Ltd",FUND\n'
    place = folder({"a.xml": xml, "b.csv": table})
    graphs = [read_gleif(place / name) for name in ("a.xml", "b.csv")]
    pd.testing.assert_frame_equal(*(graph.entities for graph in graphs))
    with pytest.raises(rg.InvalidTable, match="declares a document type"):
        read_gleif(folder({"a.xml": f'<!DOCTYPE x [<!ENTITY a "b">]>{xml}'}) / "a.xml")
    with pytest.raises(rg.InvalidTable, match="is no XML that can be read"):
        read_gleif(folder({"a.xml": xml[:200]}) / "a.xml")


# -- Offshore Leaks --------------------------------------------------------------------------------------------------


def test_icij(folder):
    place = folder(
        {
            "nodes-entities.csv": "node_id,name,jurisdiction,incorporation_date,inactivation_date\n"
            "1,EXAMPLE LIMITED,SAM,23-MAR-2006,18-Feb-13\n2,SAMPLE CORP.,BVI,,\n",
            "nodes-officers.csv": "node_id,name,countries\n3,Ann Example,X\n4,HOLDING LIMITED,X\n",
            "nodes-intermediaries.csv": "node_id,name\n5,AGENT & CO.\n",
            "nodes-addresses.csv": 'node_id,address\n6,"1 Street, Town"\n',
            "relationships.csv": "node_id_start,node_id_end,rel_type,link,start_date,end_date\n"
            "3,1,officer_of,shareholder of,23-MAR-2006,\n"
            "3,1,officer_of,director of,2006-03-23,2010-01-01\n"
            "4,1,officer_of,nominee shareholder of,,\n"
            "5,1,intermediary_of,intermediary of,,\n"
            "1,6,registered_address,registered address,,\n"
            "1,2,similar,similar name and address as,,\n"
            "3,2,officer_of,cousin twice removed,,\n"
            "9,2,officer_of,shareholder of,,\n",
        }
    )
    assert detect(place) == "icij"
    graph = read_icij(place)
    assert rows(graph, "source", "target", "kind", "role") == [
        ["3", "1", "owns", "shareholder"],
        ["3", "1", "officer", "director"],
        ["4", "1", "officer", "nominee"],
        ["5", "1", "officer", "intermediary"],
        ["1", "6", "located_at", None],
        ["1", "2", "same_as", None],
    ]
    assert graph.entities["kind"].tolist() == ["address", "company", "company", "company", "person", "company"]
    # no share is stated, so none is known
    assert graph.known("relations")["share_min"].isna().all()
    assert len(graph.rejected["relations"]) == 2


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("23-MAR-2006", "2006-03-23"),
        ("23-Mar-06", "2006-03-23"),
        ("23-Mar-56", "1956-03-23"),
        ("Mar 23, 2006", "2006-03-23"),
        ("2008-09-01 00:00:00", "2008-09-01"),
        ("23/03/2006", "2006-03-23"),
        ("2006", "2006-01-01"),
        ("31-FEB-2006", "NaT"),
        ("soon", "NaT"),
    ],
)
def test_dates_of_the_leaks(text, day):
    assert str(_day(text)) == day
    assert isinstance(_day(text), np.datetime64)


def test_the_layout_of_2016(folder):
    place = folder(
        {
            "Entities.csv": "name,node_id\nEXAMPLE LIMITED,1\n",
            "Officers.csv": "name,node_id\nAnn Example,3\n",
            "all_edges.csv": "node_1,rel_type,node_2\n3,Shareholder of,1\n",
        }
    )
    assert rows(read_icij(place)) == [["3", "1", "owns"]]
    with pytest.raises(rg.InvalidTable, match="needs a table of nodes"):
        read_icij(place / "Entities.csv")
