"""Which records are one contact: created together, linked by hand, separated again (design section 3)."""

from collections.abc import Callable

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway
from tests.graphql.ids import (
    ADA_CONTACTS,
    ADA_RECORDS,
    COMETLY_ID,
    GATELY_ID,
    KLEN_ID,
    contact_id,
    record_id,
    spell_out,
)
from tests.graphql.traffic import NOBODY, Traffic

CREATE = """mutation($providers: [Provider!]) {
  createContact(input: {providers: $providers, name: "Eva Sommer", emails: [{address: "eva@sommer.test"}]}) {
    status contact { id records { id provider } } results { provider outcome }
  }
}"""
FAMILY = "query($id: ID!) { contact(id: $id) { id records { id } } }"
LINK = "mutation($ids: [ID!]!) { linkContacts(input: {ids: $ids}) { contact { id records { id } } } }"
UNLINK = """mutation($id: ID!) { unlinkRecord(input: {recordId: $id}) {
  contact { id records { id } } separated { id records { id } }
} }"""


def family(gateway: Gateway, id: str) -> tuple[str, list[str]]:
    contact = gateway.data(FAMILY, id=id)["contact"]
    return spell_out(contact["id"]), [spell_out(record["id"]) for record in contact["records"]]


WHOLE_ADA = (
    f"Contact:gately:{GATELY_ID}",
    [f"ContactRecord:gately:{GATELY_ID}", f"ContactRecord:klen:{KLEN_ID}", f"ContactRecord:cometly:{COMETLY_ID}"],
)


class TestCreation:
    def test_records_created_together_are_one_contact_in_order_of_precedence(self, gateway: Gateway) -> None:
        created = gateway.data(CREATE)["createContact"]

        contact = created["contact"]
        assert created["status"] == "SUCCEEDED"
        assert [record["provider"] for record in contact["records"]] == ["GATELY", "KLEN", "COMETLY"]
        assert [result["provider"] for result in created["results"]] == ["GATELY", "KLEN", "COMETLY"]
        anchor = spell_out(contact["records"][0]["id"])
        assert spell_out(contact["id"]) == anchor.replace("ContactRecord", "Contact")

    def test_every_member_leads_to_the_whole_contact(self, gateway: Gateway) -> None:
        contact = gateway.data(CREATE)["createContact"]["contact"]
        whole = family(gateway, contact["id"])

        for record in contact["records"]:
            provider, remote_id = spell_out(record["id"]).split(":")[1:]
            assert family(gateway, record["id"]) == whole
            assert family(gateway, contact_id(provider, remote_id)) == whole

    def test_the_named_providers_order_the_results_but_not_the_precedence(self, gateway: Gateway) -> None:
        created = gateway.data(CREATE, providers=["COMETLY", "KLEN", "COMETLY"])["createContact"]

        assert [result["provider"] for result in created["results"]] == ["COMETLY", "KLEN"]
        assert [record["provider"] for record in created["contact"]["records"]] == ["KLEN", "COMETLY"]
        assert spell_out(created["contact"]["id"]).startswith("Contact:klen:")

    def test_the_anchor_is_the_first_provider_that_applied(self, gateway: Gateway, sandbox: Sandbox) -> None:
        sandbox.gately.faults.add(Fault(kind="status", status=429, operation="create"))

        created = gateway.data(CREATE)["createContact"]

        assert created["status"] == "PARTIAL"
        assert spell_out(created["contact"]["id"]).startswith("Contact:klen:")
        assert [record["provider"] for record in created["contact"]["records"]] == ["KLEN", "COMETLY"]

    def test_precedence_is_a_setting(self, start_gateway: Callable[..., Gateway]) -> None:
        gateway = start_gateway(environment={"GATEWAY_PRECEDENCE": "cometly, KLEN"})

        created = gateway.data(CREATE)["createContact"]

        assert [record["provider"] for record in created["contact"]["records"]] == ["COMETLY", "KLEN", "GATELY"]
        assert spell_out(created["contact"]["id"]).startswith("Contact:cometly:")

    def test_links_stand_in_the_database_for_every_process(self, start_gateway: Callable[..., Gateway]) -> None:
        first = start_gateway()
        created = first.data(CREATE)["createContact"]["contact"]

        assert family(start_gateway(), created["records"][2]["id"]) == family(first, created["id"])


class TestLinking:
    def test_contacts_become_one_named_by_the_record_of_highest_precedence(
        self, gateway: Gateway, traffic: Traffic
    ) -> None:
        ids = [ADA_CONTACTS["cometly"], ADA_CONTACTS["klen"], ADA_CONTACTS["gately"]]

        linked = gateway.data(LINK, ids=ids)["linkContacts"]["contact"]

        assert linked == {"id": ADA_CONTACTS["gately"], "records": [{"id": record} for record in ADA_RECORDS.values()]}
        assert traffic.calls == NOBODY

    def test_it_is_transitive(self, gateway: Gateway) -> None:
        gateway.data(LINK, ids=[ADA_CONTACTS["cometly"], ADA_CONTACTS["klen"]])
        gateway.data(LINK, ids=[ADA_CONTACTS["cometly"], ADA_CONTACTS["gately"]])

        assert [family(gateway, one) for one in ADA_CONTACTS.values()] == [WHOLE_ADA] * 3

    def test_two_whole_contacts_become_one(self, gateway: Gateway) -> None:
        gateway.data(LINK, ids=[ADA_CONTACTS["gately"], ADA_CONTACTS["cometly"]])
        gateway.data(LINK, ids=[ADA_CONTACTS["klen"], contact_id("klen", 9002)])

        linked = gateway.data(LINK, ids=[ADA_CONTACTS["cometly"], contact_id("klen", 9002)])["linkContacts"]["contact"]

        assert linked["id"] == ADA_CONTACTS["gately"]
        assert [spell_out(record["id"]) for record in linked["records"]] == [
            f"ContactRecord:gately:{GATELY_ID}",
            f"ContactRecord:klen:{KLEN_ID}",
            "ContactRecord:klen:9002",
            f"ContactRecord:cometly:{COMETLY_ID}",
        ]

    def test_records_link_as_well_as_contacts(self, gateway: Gateway) -> None:
        gateway.data(LINK, ids=[ADA_RECORDS["klen"], ADA_CONTACTS["gately"], ADA_RECORDS["cometly"]])

        assert family(gateway, ADA_RECORDS["klen"]) == WHOLE_ADA

    def test_linking_twice_changes_nothing(self, gateway: Gateway, ada: str) -> None:
        assert gateway.data(LINK, ids=[ada, ADA_RECORDS["klen"]])["linkContacts"]["contact"]["id"] == ada
        assert family(gateway, ada) == WHOLE_ADA

    @pytest.mark.parametrize(
        "ids",
        [
            [],
            [ADA_CONTACTS["klen"]],
            [ADA_CONTACTS["klen"], ADA_CONTACTS["klen"]],
            [ADA_CONTACTS["klen"], ADA_RECORDS["klen"]],
            [contact_id("klen", number) for number in range(1, 52)],
        ],
        ids=["none", "one", "one twice", "a contact and its own record", "too many"],
    )
    def test_it_takes_two_to_fifty_different_ones(self, gateway: Gateway, ids: list[str]) -> None:
        error = gateway.error(LINK, ids=ids)

        assert (error["path"], error["extensions"]["code"]) == (["linkContacts"], "INVALID_INPUT")
        assert [wrong["path"] for wrong in error["extensions"]["fields"]] == [["input", "ids"]]

    def test_a_bad_id_is_named_by_its_place(self, gateway: Gateway) -> None:
        error = gateway.error(LINK, ids=[ADA_CONTACTS["klen"], "rubbish", ADA_CONTACTS["gately"]])

        assert error["extensions"]["code"] == "INVALID_INPUT"
        assert [wrong["path"] for wrong in error["extensions"]["fields"]] == [["input", "ids", "1"]]
        assert family(gateway, ADA_CONTACTS["klen"]) == (f"Contact:klen:{KLEN_ID}", [f"ContactRecord:klen:{KLEN_ID}"])


class TestUnlinking:
    def test_the_anchor_leaves_and_the_next_record_names_what_remains(
        self, gateway: Gateway, ada: str, traffic: Traffic
    ) -> None:
        assert gateway.data(UNLINK, id=ADA_RECORDS["gately"])["unlinkRecord"] == {
            "contact": {
                "id": ADA_CONTACTS["klen"],
                "records": [{"id": ADA_RECORDS["klen"]}, {"id": ADA_RECORDS["cometly"]}],
            },
            "separated": {"id": ADA_CONTACTS["gately"], "records": [{"id": ADA_RECORDS["gately"]}]},
        }
        assert traffic.calls == NOBODY

    def test_another_record_leaves_and_the_contact_keeps_its_id(self, gateway: Gateway, ada: str) -> None:
        assert gateway.data(UNLINK, id=ADA_RECORDS["klen"])["unlinkRecord"] == {
            "contact": {"id": ada, "records": [{"id": ADA_RECORDS["gately"]}, {"id": ADA_RECORDS["cometly"]}]},
            "separated": {"id": ADA_CONTACTS["klen"], "records": [{"id": ADA_RECORDS["klen"]}]},
        }

    def test_afterwards_every_id_leads_where_it_now_belongs(self, gateway: Gateway, ada: str) -> None:
        gateway.data(UNLINK, id=ADA_RECORDS["gately"])

        rest = (f"Contact:klen:{KLEN_ID}", [f"ContactRecord:klen:{KLEN_ID}", f"ContactRecord:cometly:{COMETLY_ID}"])
        assert family(gateway, ada) == (f"Contact:gately:{GATELY_ID}", [f"ContactRecord:gately:{GATELY_ID}"])
        assert family(gateway, ADA_CONTACTS["klen"]) == rest
        assert family(gateway, ADA_CONTACTS["cometly"]) == rest

    def test_two_records_part_into_two_contacts(self, gateway: Gateway, link: Callable[..., str]) -> None:
        link(ADA_CONTACTS["klen"], ADA_CONTACTS["cometly"])

        gateway.data(UNLINK, id=ADA_RECORDS["klen"])

        for provider in ("klen", "cometly"):
            assert gateway.data(FAMILY, id=ADA_CONTACTS[provider])["contact"]["id"] == ADA_CONTACTS[provider]

    def test_what_was_separated_can_be_linked_again(self, gateway: Gateway, ada: str) -> None:
        gateway.data(UNLINK, id=ADA_RECORDS["gately"])
        gateway.data(LINK, ids=[ADA_RECORDS["gately"], ADA_RECORDS["cometly"]])

        assert family(gateway, ADA_CONTACTS["klen"]) == WHOLE_ADA

    @pytest.mark.parametrize(
        ("id", "code"),
        [
            (ADA_RECORDS["klen"], "NOT_LINKED"),
            (ADA_CONTACTS["klen"], "NOT_A_RECORD"),
            ("rubbish", "MALFORMED_ID"),
            (record_id("klen", "nine"), "MALFORMED_ID"),
        ],
    )
    def test_what_cannot_be_separated_is_invalid_input(self, gateway: Gateway, id: str, code: str) -> None:
        error = gateway.error(UNLINK, id=id)

        assert (error["path"], error["extensions"]["code"]) == (["unlinkRecord"], "INVALID_INPUT")
        assert [(wrong["path"], wrong["code"]) for wrong in error["extensions"]["fields"]] == [
            (["input", "recordId"], code)
        ]
