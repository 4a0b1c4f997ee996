"""Who is called, and how often: only providers that can hold a selected field, once per record and request."""

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway
from tests.graphql.ids import ADA_CONTACTS, ADA_RECORDS, COMETLY_ID, GATELY_ID, KLEN_ID, contact_id
from tests.graphql.traffic import NOBODY, Traffic

READ = {
    "gately": [f"GET /contacts/{GATELY_ID}"],
    "cometly": [f"GET /contacts/{COMETLY_ID}"],
    "klen": [f"GET /contacts/{KLEN_ID}"],
}


def of(*providers: str) -> dict[str, list[str]]:
    return {provider: calls for provider, calls in READ.items() if provider in providers}


class TestContact:
    @pytest.mark.parametrize(
        ("selection", "providers"),
        [
            ("id", ()),
            ("__typename", ()),
            ("id records { id provider remoteId contact { id } }", ()),
            ("records { fetchedAt }", ()),
            ("name", ("gately", "cometly", "klen")),
            ("firstName", ("gately", "klen")),
            ("emails { address }", ("gately", "cometly", "klen")),
            ("company", ("gately", "klen")),
            ("website", ("klen",)),
            ("status", ("gately", "klen")),
            ("stage", ("klen",)),
            ("tags", ("gately", "klen")),
            ("notes", ("gately", "klen")),
            ("customFields", ("gately", "cometly", "klen")),
            ("unsubscribed", ("gately",)),
            ("externalId", ("gately",)),
            ("createdAt", ("gately", "klen")),
            ("updatedAt", ("gately",)),
            ("lastContactedAt", ("gately", "klen")),
            ("unsubscribed stage", ("gately", "klen")),
            ("stage sources { provider }", ("klen",)),
            ("sources { provider }", ("gately", "cometly", "klen")),
            ("records { stage }", ("klen",)),
            ("records { providerStatus }", ("gately", "klen")),
            ("records { raw }", ("gately", "cometly", "klen")),
            ("id @skip(if: false) name @skip(if: true)", ()),
            ("id website @include(if: true) name @include(if: false)", ("klen",)),
            ("... on ContactFields { stage } ... on Node { id }", ("klen",)),
            ("... @include(if: false) { name }", ()),
        ],
    )
    def test_only_those_are_asked_who_can_hold_what_is_selected(
        self, gateway: Gateway, ada: str, traffic: Traffic, selection: str, providers: tuple[str, ...]
    ) -> None:
        gateway.data(f"query($id: ID!) {{ contact(id: $id) {{ {selection} }} }}", id=ada)

        assert traffic.calls == of(*providers)

    def test_conditions_by_variables_count(self, gateway: Gateway, ada: str, traffic: Traffic) -> None:
        query = "query($id: ID!, $all: Boolean!) { contact(id: $id) { stage name @include(if: $all) } }"

        gateway.data(query, id=ada, all=False)

        assert traffic.calls == of("klen")

    def test_each_record_is_read_once_however_it_is_asked_for(
        self, gateway: Gateway, ada: str, traffic: Traffic
    ) -> None:
        query = """query($id: ID!, $klen: ID!, $klenRecord: ID!) {
          first: contact(id: $id) { ...Everything again: name }
          second: contact(id: $klen) { ...Everything }
          node(id: $klenRecord) { ... on ContactRecord { name raw contact { name tags } } }
        }
        fragment Everything on Contact {
          name firstName emails { address } phones { number } tags sources { latencyMs }
          records { name tags raw providerStatus stage contact { name } }
        }"""

        gateway.data(query, id=ada, klen=ADA_CONTACTS["klen"], klenRecord=ADA_RECORDS["klen"])

        assert traffic.calls == READ

    def test_the_same_node_twenty_times_is_one_read(self, gateway: Gateway, traffic: Traffic) -> None:
        query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on ContactFields { name } } }"

        nodes = gateway.data(query, ids=[ADA_CONTACTS["klen"], ADA_RECORDS["klen"]] * 10)["nodes"]

        assert nodes == [{"name": "Ada Winter"}] * 20
        assert traffic.calls == of("klen")

    def test_a_second_request_reads_again(self, gateway: Gateway, traffic: Traffic) -> None:
        for _ in range(2):
            gateway.data("query($id: ID!) { contact(id: $id) { name } }", id=ADA_CONTACTS["klen"])

        assert traffic.calls == {"klen": READ["klen"] * 2}


class TestList:
    def test_a_list_of_what_summaries_tell_is_one_call_per_provider(self, gateway: Gateway, traffic: Traffic) -> None:
        gateway.data("{ contacts(first: 12) { edges { node { id name emails { address primary } } } totalCount } }")

        assert traffic.calls == {provider: ["GET /contacts"] for provider in READ}

    @pytest.mark.parametrize(
        ("selection", "flags"),
        [
            ("name", set()),
            ("emails { address }", {"include_all_emails"}),
            ("customFields", {"include_custom_fields"}),
            ("records { emails { address } }", {"include_all_emails"}),
            ("name emails { address } customFields", {"include_all_emails", "include_custom_fields"}),
        ],
    )
    def test_cometly_is_asked_for_more_only_when_it_is_selected(
        self, gateway: Gateway, traffic: Traffic, selection: str, flags: set[str]
    ) -> None:
        gateway.data(f"{{ contacts(first: 3, providers: [COMETLY]) {{ nodes {{ {selection} }} }} }}")

        (query,) = traffic.queries("cometly")
        assert {name for name, value in query.items() if name.startswith("include_") and value == "1"} == flags
        assert traffic.calls == {"cometly": ["GET /contacts"]}

    @pytest.mark.parametrize("provider", READ)
    def test_items_are_shown_as_they_were_sent_without_another_call(
        self, gateway: Gateway, traffic: Traffic, provider: str
    ) -> None:
        query = (
            f"{{ contacts(first: 3, providers: [{provider.upper()}]) {{ nodes {{ records {{ remoteId raw }} }} }} }}"
        )

        records = [node["records"][0] for node in gateway.data(query)["contacts"]["nodes"]]

        assert [str(record["raw"]["id"]) for record in records] == [record["remoteId"] for record in records]
        assert traffic.calls == {provider: ["GET /contacts"]}

    def test_details_are_read_only_for_what_a_summary_lacks(
        self, gateway: Gateway, sandbox: Sandbox, traffic: Traffic
    ) -> None:
        gateway.data("{ contacts(first: 2, providers: [KLEN]) { nodes { name website phones { number } } } }")

        newest = sorted((one.id for one in sandbox.klen.contacts.values() if one.team_id != 9), reverse=True)[:2]
        assert traffic.calls["klen"][0] == "GET /contacts"
        assert sorted(traffic.calls["klen"][1:]) == sorted(f"GET /contacts/{number}" for number in newest)

    def test_a_fields_provider_is_read_for_linked_records_alone(
        self, gateway: Gateway, ada: str, traffic: Traffic
    ) -> None:
        """Ada is the oldest Gately record, and the only one that Klen could add a stage to; her name is known."""
        query = """{ contacts(first: 100, providers: [GATELY]) { nodes { name stage } } }"""

        nodes = gateway.data(query)["contacts"]["nodes"]

        assert nodes[-1] == {"name": "Ada Winter", "stage": "prospect"}
        assert [node["stage"] for node in nodes[:-1]] == [None] * 37
        assert traffic.calls == {
            "gately": ["GET /contacts"],
            "klen": [f"GET /contacts/{KLEN_ID}"],
        }


class TestAfterWrites:
    def test_the_query_of_a_payload_sees_what_was_written(self, gateway: Gateway, ada: str) -> None:
        mutation = """mutation($id: ID!) {
          updateContact(input: {id: $id, company: "Harbour Ltd", tags: {set: ["Fresh"]}}) {
            contact { company tags records { company } }
            query { contact(id: $id) { company tags records { company tags } } }
          }
        }"""

        payload = gateway.data(mutation, id=ada)["updateContact"]

        told = {"company": "Harbour Ltd", "tags": ["Fresh"]}
        assert payload["query"]["contact"] == {
            **told,
            "records": [told, told, {"company": None, "tags": None}],
        }
        assert payload["contact"] == {
            **told,
            "records": [{"company": "Harbour Ltd"}, {"company": "Harbour Ltd"}, {"company": None}],
        }

    def test_two_mutations_of_one_operation_run_in_order_each_with_its_own_payload(
        self, gateway: Gateway, traffic: Traffic
    ) -> None:
        mutation = """mutation($id: ID!) {
          first: updateContact(input: {id: $id, company: "One"}) { ...Told }
          second: updateContact(input: {id: $id, company: "Two"}) { ...Told }
          third: updateContact(input: {id: $id, phones: null}) { ...Told }
          fourth: updateContact(input: {id: $id, company: "Three"}) { ...Told }
        }
        fragment Told on UpdateContactPayload { status contact { company } query { contact(id: $id) { company } } }"""

        answer = gateway.send(mutation, id=ADA_RECORDS["klen"])

        def told(company: str) -> dict[str, object]:
            return {
                "status": "SUCCEEDED",
                "contact": {"company": company},
                "query": {"contact": {"company": company}},
            }

        assert answer["data"] == {
            "first": told("One"),
            "second": told("Two"),
            "third": None,
            "fourth": told("Three"),
        }
        (error,) = answer["errors"]
        assert (error["path"], error["extensions"]["code"]) == (["third"], "UNSUPPORTED_CLEAR")
        assert [body["company"] for body in traffic.bodies("klen")] == ["One", "Two", "Three"]

    def test_a_created_contact_is_read_only_where_its_answer_lacks_a_field(
        self, gateway: Gateway, sandbox: Sandbox, traffic: Traffic
    ) -> None:
        mutation = """mutation { createContact(input: {
            providers: [COMETLY, KLEN], name: "Eva Sommer", emails: [{address: "eva@sommer.test"}]
          }) { contact { name emails { address } } } }"""

        assert gateway.data(mutation)["createContact"]["contact"] == {
            "name": "Eva Sommer",
            "emails": [{"address": "eva@sommer.test"}],
        }
        created = max(sandbox.klen.contacts)
        assert traffic.calls == {
            "cometly": ["POST /contacts"],
            "klen": ["POST /contacts/create", f"GET /contacts/{created}"],
        }

    def test_nothing_is_read_when_only_the_result_is_selected(self, gateway: Gateway, traffic: Traffic) -> None:
        mutation = """mutation { createContact(input: {
            name: "Eva Sommer", emails: [{address: "eva@sommer.test"}]
          }) { status operationId contact { id records { id } } results { provider outcome } } }"""

        gateway.data(mutation)

        assert traffic.calls == {
            "gately": ["POST /contacts"],
            "cometly": ["POST /contacts"],
            "klen": ["POST /contacts/create"],
        }


def test_a_foreign_record_that_nobody_linked_is_never_read(gateway: Gateway, traffic: Traffic) -> None:
    gateway.data("query($id: ID!) { contact(id: $id) { name stage } }", id=contact_id("gately", GATELY_ID))

    assert traffic.calls == of("gately")


def test_the_capabilities_are_told_without_a_call(gateway: Gateway, traffic: Traffic) -> None:
    gateway.data("{ providers { provider operations fields { field } } }")

    assert traffic.calls == NOBODY
