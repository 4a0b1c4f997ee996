"""Ids are made of the provider and its own id, so that they work without a database (design section 3)."""

from base64 import b64encode

import pytest

from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import MERGED_AWAY_COMETLY_ID, SURVIVING_COMETLY_ID
from tests.conftest import Gateway
from tests.graphql.ids import (
    ADA,
    ADA_CONTACTS,
    ADA_RECORDS,
    GATELY_ID,
    UNKNOWN_GATELY_ID,
    contact_id,
    record_id,
    spell_out,
)
from tests.graphql.traffic import NOBODY, Traffic

CONTACT = "query($id: ID!) { contact(id: $id) { id name records { id provider remoteId } } }"
IDS_ONLY = "query($id: ID!) { contact(id: $id) { id records { id provider remoteId contact { id } } } }"


@pytest.mark.parametrize("provider", ADA)
def test_every_id_works_with_an_empty_database(gateway: Gateway, provider: str) -> None:
    assert gateway.data(CONTACT, id=ADA_CONTACTS[provider]) == {
        "contact": {
            "id": ADA_CONTACTS[provider],
            "name": "Ada Winter",
            "records": [
                {"id": ADA_RECORDS[provider], "provider": provider.upper(), "remoteId": str(ADA[provider])},
            ],
        }
    }


@pytest.mark.parametrize("provider", ADA)
def test_a_records_id_leads_to_the_contact_that_it_belongs_to(gateway: Gateway, provider: str) -> None:
    by_record = gateway.data(CONTACT, id=ADA_RECORDS[provider])

    assert by_record == gateway.data(CONTACT, id=ADA_CONTACTS[provider])


def test_created_contacts_have_relay_ids_of_provider_and_remote_id(gateway: Gateway, sandbox: Sandbox) -> None:
    created = gateway.data(
        """mutation { createContact(input: {providers: [KLEN], firstName: "Eva"}) {
             contact { id records { id remoteId } } } }"""
    )["createContact"]["contact"]

    newest = max(sandbox.klen.contacts)
    assert spell_out(created["id"]) == f"Contact:klen:{newest}"
    assert [spell_out(record["id"]) for record in created["records"]] == [f"ContactRecord:klen:{newest}"]


@pytest.mark.parametrize("id", [contact_id("gately", UNKNOWN_GATELY_ID), *ADA_CONTACTS.values(), *ADA_RECORDS.values()])
def test_what_an_id_says_itself_is_answered_without_asking_anybody(gateway: Gateway, traffic: Traffic, id: str) -> None:
    provider, remote_id = spell_out(id).split(":")[1:]

    answer = gateway.data(IDS_ONLY, id=id)

    contact = contact_id(provider, remote_id)
    record = {
        "id": record_id(provider, remote_id),
        "provider": provider.upper(),
        "remoteId": remote_id,
        "contact": {"id": contact},
    }
    assert answer == {"contact": {"id": contact, "records": [record]}}
    assert traffic.calls == NOBODY


def test_a_contact_whose_records_are_all_gone_is_null_without_an_error(gateway: Gateway) -> None:
    assert gateway.data(CONTACT, id=contact_id("gately", UNKNOWN_GATELY_ID)) == {"contact": None}


MALFORMED = {
    "empty": "",
    "blank": " ",
    "not base64": "Ada Winter",
    "not text": b64encode(b"\xff\xfe\xfd").decode(),
    "without colons": b64encode(b"Contact").decode(),
    "without a remote id": contact_id("gately", ""),
    "of another type": b64encode(f"Person:gately:{GATELY_ID}".encode()).decode(),
    "of an unknown provider": contact_id("salesforce", 1),
    "in capitals": contact_id("GATELY", GATELY_ID),
    "without its padding": ADA_CONTACTS["klen"].rstrip("="),
    "with a line break": ADA_CONTACTS["klen"] + "\n",
    "url-safe": b64encode(b"Contact:gately:>>>???").decode().replace("+", "-").replace("/", "_"),
    "with a control character": contact_id("gately", "a\x00b"),
    "with a path": contact_id("gately", "../members"),
    "with a path already encoded": contact_id("gately", "%2e%2e%2fmembers"),
    "with a query": contact_id("gately", "a?admin=1"),
    "of another Gately resource": contact_id("gately", "tags"),
    "with a letter for Klen": contact_id("klen", "9001a"),
    "with a leading zero": contact_id("klen", "09001"),
    "with a sign": contact_id("cometly", "-48001"),
    "with foreign digits": contact_id("cometly", "٤٨٠٠١"),
    "too long": contact_id("gately", "a" * 201),
    "enormous": "Q" * 20_000,
    "emoji": "🦆",
    "a null word": "null",
}


@pytest.mark.parametrize("field", ["contact", "node"])
@pytest.mark.parametrize("id", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_id_is_invalid_input_at_its_field(gateway: Gateway, traffic: Traffic, field: str, id: str) -> None:
    error = gateway.error(f"query($id: ID!) {{ {field}(id: $id) {{ id ... on ContactFields {{ name }} }} }}", id=id)

    assert error["path"] == [field]
    assert error["extensions"]["code"] == "INVALID_INPUT"
    assert [(wrong["path"], wrong["code"]) for wrong in error["extensions"]["fields"]] == [(["id"], "MALFORMED_ID")]
    assert traffic.calls == NOBODY


class TestMergedAway:
    """Cometly merged 48094 into 48001; the old id keeps working (design section 3)."""

    OLD, NEW = (contact_id("cometly", remote_id) for remote_id in (MERGED_AWAY_COMETLY_ID, SURVIVING_COMETLY_ID))

    def test_the_surviving_profile_answers_under_its_own_id(self, gateway: Gateway) -> None:
        assert gateway.data(CONTACT, id=self.OLD) == {
            "contact": {
                "id": self.NEW,
                "name": "Ada Winter",
                "records": [{"id": record_id("cometly", 48001), "provider": "COMETLY", "remoteId": "48001"}],
            }
        }

    def test_the_alias_is_stored_and_spares_the_detour(self, gateway: Gateway, traffic: Traffic) -> None:
        gateway.data(CONTACT, id=self.OLD)
        traffic.forget()

        assert gateway.data(CONTACT, id=self.OLD)["contact"]["id"] == self.NEW
        assert traffic.calls == {"cometly": ["GET /contacts/48001"]}

    def test_once_stored_the_old_id_leads_to_the_new_one_without_a_call(
        self, gateway: Gateway, traffic: Traffic
    ) -> None:
        gateway.data(CONTACT, id=self.OLD)
        traffic.forget()

        assert gateway.data("query($id: ID!) { contact(id: $id) { id } }", id=self.OLD) == {"contact": {"id": self.NEW}}
        assert traffic.calls == NOBODY

    def test_links_of_the_old_id_stay_with_the_surviving_record(self, gateway: Gateway) -> None:
        gateway.data(
            "mutation($ids: [ID!]!) { linkContacts(input: {ids: $ids}) { contact { id } } }",
            ids=[ADA_CONTACTS["gately"], self.OLD],
        )

        read = gateway.data(CONTACT, id=ADA_CONTACTS["gately"])["contact"]
        again = gateway.data(CONTACT, id=self.OLD)["contact"]

        records = [spell_out(record["id"]) for record in read["records"]]
        assert records == [f"ContactRecord:gately:{GATELY_ID}", "ContactRecord:cometly:48001"]
        assert again == read

    def test_an_update_by_the_old_id_changes_the_surviving_profile(self, gateway: Gateway, sandbox: Sandbox) -> None:
        payload = gateway.data(
            """mutation($id: ID!) { updateContact(input: {id: $id, phones: null}) {
                 status contact { id } results { ... on ProviderWriteSuccess { record { id remoteId } } } } }""",
            id=self.OLD,
        )["updateContact"]

        assert payload == {
            "status": "SUCCEEDED",
            "contact": {"id": self.NEW},
            "results": [{"record": {"id": record_id("cometly", 48001), "remoteId": "48001"}}],
        }
        assert sandbox.cometly.contacts[48001].phones.oldest_first == []
        assert gateway.data("query($id: ID!) { contact(id: $id) { id } }", id=self.OLD) == {"contact": {"id": self.NEW}}
