"""deleteContact: for good where a provider can, and said plainly where it cannot (design sections 6 and 7)."""

from collections.abc import Callable

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway
from tests.graphql.ids import ADA_CONTACTS, ADA_RECORDS, COMETLY_ID, GATELY_ID, KLEN_ID, contact_id, record_id
from tests.graphql.traffic import NOBODY, Traffic

DELETE = """mutation($input: DeleteContactInput!) { deleteContact(input: $input) {
  status deletedId
  results {
    provider outcome
    ... on ProviderWriteSuccess { action record { id } }
    ... on ProviderWriteFailure { error { code retryable } }
  }
} }"""
SECOND_GATELY_ID = "6f3d0001-0000-4000-8000-000000000002"
UNSUPPORTED = {"outcome": "NOT_APPLIED", "error": {"code": "UNSUPPORTED_OPERATION", "retryable": False}}


@pytest.mark.parametrize("ids", [ADA_CONTACTS, ADA_RECORDS], ids=["by its contact", "by its record"])
def test_a_gately_contact_is_gone_for_good(
    gateway: Gateway, sandbox: Sandbox, traffic: Traffic, ids: dict[str, str]
) -> None:
    payload = gateway.data(DELETE, input={"id": ids["gately"]})["deleteContact"]

    assert payload == {
        "status": "SUCCEEDED",
        "deletedId": ids["gately"],
        "results": [
            {
                "provider": "GATELY",
                "outcome": "APPLIED",
                "action": "DELETED",
                "record": {"id": ADA_RECORDS["gately"]},
            }
        ],
    }
    assert GATELY_ID not in sandbox.gately.contacts
    assert traffic.calls == {"gately": [f"DELETE /contacts/{GATELY_ID}"]}


def test_what_was_deleted_reads_as_gone(gateway: Gateway) -> None:
    gateway.data(DELETE, input={"id": ADA_CONTACTS["gately"]})

    query = """query($id: ID!, $record: ID!) {
      contact(id: $id) { id name } node(id: $record) { id ... on ContactRecord { name } } }"""
    assert gateway.data(query, id=ADA_CONTACTS["gately"], record=ADA_RECORDS["gately"]) == {
        "contact": None,
        "node": None,
    }


def test_the_payloads_query_knows_it_already(gateway: Gateway, ada: str) -> None:
    mutation = """mutation($id: ID!) { deleteContact(input: {id: $id}) {
      results { ... on ProviderWriteSuccess { record { id name } } }
      query { contact(id: $id) { name records { provider } sources { provider state } } } } }"""

    payload = gateway.data(mutation, id=ada)["deleteContact"]

    assert payload["results"][0] == {"record": {"id": ADA_RECORDS["gately"], "name": None}}
    assert payload["query"]["contact"] == {
        "name": "Ada Winter",
        "records": [None, {"provider": "KLEN"}, {"provider": "COMETLY"}],
        "sources": [
            {"provider": "GATELY", "state": "NOT_FOUND"},
            {"provider": "KLEN", "state": "OK"},
            {"provider": "COMETLY", "state": "OK"},
        ],
    }


def test_who_cannot_delete_says_so_and_the_others_go_on(
    gateway: Gateway, sandbox: Sandbox, ada: str, traffic: Traffic
) -> None:
    payload = gateway.data(DELETE, input={"id": ada})["deleteContact"]

    assert payload == {
        "status": "PARTIAL",
        "deletedId": None,
        "results": [
            {
                "provider": "GATELY",
                "outcome": "APPLIED",
                "action": "DELETED",
                "record": {"id": ADA_RECORDS["gately"]},
            },
            {"provider": "KLEN", **UNSUPPORTED},
            {"provider": "COMETLY", **UNSUPPORTED},
        ],
    }
    assert traffic.calls == {"gately": [f"DELETE /contacts/{GATELY_ID}"]}
    assert KLEN_ID in sandbox.klen.contacts
    assert COMETLY_ID in sandbox.cometly.contacts


@pytest.mark.parametrize("provider", ["klen", "cometly"])
def test_a_deletion_that_nobody_can_carry_out_is_one_error(
    gateway: Gateway, sandbox: Sandbox, traffic: Traffic, provider: str
) -> None:
    answer = gateway.send(DELETE, input={"id": ADA_CONTACTS[provider]})

    (error,) = answer["errors"]
    assert answer["data"] == {"deleteContact": None}
    assert (error["path"], error["extensions"]["code"]) == (["deleteContact"], "UNSUPPORTED_OPERATION")
    assert [fault["provider"] for fault in error["extensions"]["providers"]] == [provider.upper()]
    assert traffic.calls == NOBODY


def test_a_record_of_a_linked_contact_is_deleted_alone(gateway: Gateway, sandbox: Sandbox, ada: str) -> None:
    payload = gateway.data(DELETE, input={"id": ADA_RECORDS["gately"]})["deleteContact"]

    assert (payload["status"], payload["deletedId"]) == ("SUCCEEDED", ADA_RECORDS["gately"])
    assert [result["provider"] for result in payload["results"]] == ["GATELY"]
    read = gateway.data("query($id: ID!) { contact(id: $id) { id name records { provider } } }", id=ada)
    assert read["contact"] == {
        "id": ada,
        "name": "Ada Winter",
        "records": [None, {"provider": "KLEN"}, {"provider": "COMETLY"}],
    }


def test_named_providers_alone_delete(gateway: Gateway, sandbox: Sandbox, ada: str, traffic: Traffic) -> None:
    payload = gateway.data(DELETE, input={"id": ada, "providers": ["GATELY"]})["deleteContact"]

    assert (payload["status"], payload["deletedId"]) == ("SUCCEEDED", None)
    assert traffic.calls == {"gately": [f"DELETE /contacts/{GATELY_ID}"]}


def test_the_links_of_a_contact_that_is_gone_are_forgotten(gateway: Gateway, link: Callable[..., str]) -> None:
    linked = link(ADA_CONTACTS["gately"], contact_id("gately", SECOND_GATELY_ID))

    assert gateway.data(DELETE, input={"id": linked})["deleteContact"]["deletedId"] == linked

    second = gateway.data("query($id: ID!) { contact(id: $id) { id } }", id=contact_id("gately", SECOND_GATELY_ID))
    assert second["contact"]["id"] == contact_id("gately", SECOND_GATELY_ID)


def test_records_deleted_one_by_one_leave_no_link_either(gateway: Gateway, link: Callable[..., str]) -> None:
    linked = link(ADA_CONTACTS["gately"], contact_id("gately", SECOND_GATELY_ID))

    for remote_id in (GATELY_ID, SECOND_GATELY_ID):
        gateway.data(DELETE, input={"id": record_id("gately", remote_id)})

    assert gateway.data("query($id: ID!) { contact(id: $id) { id name } }", id=linked) == {"contact": None}


def test_deleting_twice_is_not_found_the_second_time(gateway: Gateway) -> None:
    gateway.data(DELETE, input={"id": ADA_CONTACTS["gately"]})

    error = gateway.error(DELETE, input={"id": ADA_CONTACTS["gately"]})

    assert (error["path"], error["extensions"]["code"]) == (["deleteContact"], "NOT_FOUND")


def test_a_deletion_whose_answer_was_lost_is_unknown(gateway: Gateway, sandbox: Sandbox) -> None:
    sandbox.gately.faults.add(Fault(kind="drop_after", operation="delete"))

    payload = gateway.data(DELETE, input={"id": ADA_CONTACTS["gately"]})["deleteContact"]

    assert payload == {
        "status": "UNKNOWN",
        "deletedId": None,
        "results": [
            {"provider": "GATELY", "outcome": "UNKNOWN", "error": {"code": "PROVIDER_TIMEOUT", "retryable": False}}
        ],
    }


def test_an_id_that_is_none_is_invalid_input(gateway: Gateway, traffic: Traffic) -> None:
    error = gateway.error(DELETE, input={"id": "rubbish"})

    assert (error["path"], error["extensions"]["code"]) == (["deleteContact"], "INVALID_INPUT")
    assert [wrong["path"] for wrong in error["extensions"]["fields"]] == [["input", "id"]]
    assert traffic.calls == NOBODY


class TestInLists:
    """A contact whose anchor record was deleted still exists: it must not vanish (design sections 3, 5 and 8)."""

    IDS = "{ contacts(first: 100, providers: [GATELY, KLEN]) { nodes { id } totalCount } }"

    def test_what_is_left_of_a_contact_is_still_listed(self, gateway: Gateway, ada: str) -> None:
        gateway.data(DELETE, input={"id": ADA_RECORDS["gately"]})

        listed = gateway.data(self.IDS)["contacts"]["nodes"]

        assert {"id": ada} in listed

    def test_and_still_counted(self, gateway: Gateway, ada: str) -> None:
        before = gateway.data(self.IDS)["contacts"]["totalCount"]

        gateway.data(DELETE, input={"id": ADA_RECORDS["gately"]})

        assert gateway.data(self.IDS)["contacts"]["totalCount"] == before


def test_an_update_goes_to_the_records_that_are_left(gateway: Gateway, ada: str, traffic: Traffic) -> None:
    gateway.data(DELETE, input={"id": ADA_RECORDS["gately"]})
    traffic.forget()

    update = "mutation($id: ID!) { updateContact(input: {id: $id, lastName: null}) { status results { provider } } }"
    payload = gateway.data(update, id=ada)["updateContact"]

    assert payload == {"status": "SUCCEEDED", "results": [{"provider": "KLEN"}, {"provider": "COMETLY"}]}
    assert "gately" not in traffic.calls
