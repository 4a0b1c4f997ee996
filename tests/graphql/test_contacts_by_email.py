"""contactsByEmail: exact, without regard to case, and honest about who could say so (design section 8)."""

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.gately.contact import GatelyContact
from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway
from tests.graphql.ids import ADA_CONTACTS, ADA_RECORDS, GATELY_ID, KLEN_ID
from tests.graphql.traffic import NOBODY, Traffic

QUERY = """query($email: String!, $providers: [Provider!]) {
  contactsByEmail(email: $email, providers: $providers) {
    contacts { id name records { provider } } sources { provider state error { code } } } }"""
ANSWERED = [
    {"provider": "GATELY", "state": "OK", "error": None},
    {"provider": "KLEN", "state": "OK", "error": None},
    {"provider": "COMETLY", "state": "SKIPPED", "error": {"code": "UNSUPPORTED_OPERATION"}},
]


@pytest.mark.parametrize(
    "email", ["ada.winter@northwind.example", "ADA.Winter@Northwind.EXAMPLE", "  ada.winter@northwind.example "]
)
def test_upper_and_lower_case_are_equal(gateway: Gateway, traffic: Traffic, email: str) -> None:
    assert gateway.data(QUERY, email=email)["contactsByEmail"] == {
        "contacts": [
            {"id": ADA_CONTACTS["gately"], "name": "Ada Winter", "records": [{"provider": "GATELY"}]},
            {"id": ADA_CONTACTS["klen"], "name": "Ada Winter", "records": [{"provider": "KLEN"}]},
        ],
        "sources": ANSWERED,
    }
    assert traffic.calls == {"gately": ["GET /contacts"], "klen": ["GET /contacts"]}


@pytest.mark.parametrize("part", ["ada.winter", "winter@northwind.example", "northwind.example", "ada.winter@"])
def test_a_part_of_an_address_matches_nobody(gateway: Gateway, part: str) -> None:
    assert gateway.data(QUERY, email=part)["contactsByEmail"] == {"contacts": [], "sources": ANSWERED}


def test_linked_records_are_one_match(gateway: Gateway, ada: str) -> None:
    matches = gateway.data(QUERY, email="ada.winter@northwind.example")["contactsByEmail"]["contacts"]

    assert [(match["id"], len(match["records"])) for match in matches] == [(ada, 3)]


def test_a_match_at_another_record_leads_to_the_whole_contact(gateway: Gateway, sandbox: Sandbox, ada: str) -> None:
    sandbox.klen.contacts[KLEN_ID].email = "ada@elsewhere.test"

    matches = gateway.data(QUERY, email="ada@elsewhere.test")["contactsByEmail"]["contacts"]

    assert [match["id"] for match in matches] == [ada]


def test_more_matches_than_a_page_holds_are_all_found(gateway: Gateway, sandbox: Sandbox, traffic: Traffic) -> None:
    """Klen keeps addresses more than once; everything that merely holds the address is left out."""
    person = sandbox.klen.contacts[KLEN_ID]
    for number in range(150):
        copy = type(person)(20_000 + number, "Ada", person.created_date, email="twin@winter.test")
        sandbox.klen.contacts[copy.id] = copy
    sandbox.klen.contacts[20_007].email = "not-twin@winter.test"

    matches = gateway.data(QUERY, email="twin@winter.test", providers=["KLEN"])["contactsByEmail"]

    assert len(matches["contacts"]) == 149
    assert traffic.calls == {"klen": ["GET /contacts"] * 2}


def test_a_failed_provider_stands_in_the_sources_without_an_error(gateway: Gateway, sandbox: Sandbox) -> None:
    sandbox.gately.faults.add(Fault(kind="status", status=401))

    matches = gateway.data(QUERY, email="ada.winter@northwind.example")["contactsByEmail"]

    assert [match["id"] for match in matches["contacts"]] == [ADA_CONTACTS["klen"]]
    assert matches["sources"][0] == {
        "provider": "GATELY",
        "state": "FAILED",
        "error": {"code": "PROVIDER_UNAUTHENTICATED"},
    }


def test_named_providers_alone_are_asked(gateway: Gateway, traffic: Traffic) -> None:
    matches = gateway.data(QUERY, email="ada.winter@northwind.example", providers=["COMETLY", "KLEN"])

    assert [source["provider"] for source in matches["contactsByEmail"]["sources"]] == ["COMETLY", "KLEN"]
    assert traffic.calls == {"klen": ["GET /contacts"]}


@pytest.mark.parametrize("email", ["", " ", "\t"])
def test_a_blank_address_is_invalid_input(gateway: Gateway, traffic: Traffic, email: str) -> None:
    error = gateway.error(QUERY, email=email)

    assert (error["path"], error["extensions"]["code"]) == (["contactsByEmail"], "INVALID_INPUT")
    assert [(wrong["path"], wrong["code"]) for wrong in error["extensions"]["fields"]] == [(["email"], "BLANK")]
    assert traffic.calls == NOBODY


def test_gatelys_records_are_known_by_the_whole_address(gateway: Gateway, sandbox: Sandbox) -> None:
    """A search finds what merely contains the address."""
    person = sandbox.gately.contacts[GATELY_ID]
    longer = GatelyContact(
        "0d6f2c1e-0000-4000-8000-000000000001", "X", f"x{person.email}", person.created_at, person.updated_at
    )
    sandbox.gately.contacts[longer.id] = longer

    matches = gateway.data(QUERY, email=person.email, providers=["GATELY"])["contactsByEmail"]["contacts"]

    assert [match["id"] for match in matches] == [ADA_CONTACTS["gately"]]


def test_records_are_told_apart_from_contacts(gateway: Gateway) -> None:
    query = """{ contactsByEmail(email: "ada.winter@northwind.example", providers: [KLEN]) {
      contacts { records { id emails { address primary } } } } }"""

    assert gateway.data(query)["contactsByEmail"]["contacts"] == [
        {
            "records": [
                {
                    "id": ADA_RECORDS["klen"],
                    "emails": [{"address": "ada.winter@northwind.example", "primary": True}],
                }
            ]
        }
    ]
