"""What a caller may do at which provider: one refusal, seen in reads, lists, writes, dry runs and links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.access.scopes import SCOPES, caller_with
from gateway.domain.contact import Provider
from gateway.domain.exchange import CallKind
from gateway.sandbox.sandbox import Sandbox
from tests.access.conftest import MakeKey, ask, data_of
from tests.conftest import Gateway
from tests.graphql.ids import ADA_CONTACTS, ADA_RECORDS
from tests.writes.rig import CREATE, PERSON, UPDATE, sent, told, writes_sent

Ask = Callable[..., Any]
SOURCES = "sources { provider state error { code retryable } }"
BY_EMAIL = f'{{ contactsByEmail(email: "ada.winter@northwind.example") {{ contacts {{ name }} {SOURCES} }} }}'
REFUSED = {"code": "FORBIDDEN", "retryable": False}


def refusal(provider: str, what: str) -> dict[str, Any]:
    scope = f"contacts:{what}:{provider.lower()}"
    return {
        "code": "FORBIDDEN",
        "message": f"Your credential does not permit this; it needs the scope {scope}.",
        "provider": provider,
        "retryable": False,
        "retryAfterMs": None,
        "upstreamStatus": None,
        "upstreamCode": None,
        "field": None,
    }


@pytest.fixture
def database_url(tmp_path: Any) -> str:
    return f"sqlite:///{tmp_path}/gateway.db"


@pytest.fixture
def asking(start: Callable[..., Gateway], make_key: MakeKey) -> Callable[..., Ask]:
    """Somebody with these scopes, who asks."""

    def as_one_with(*scopes: str) -> Ask:
        key, gateway = make_key(*scopes), start()
        return lambda document, **variables: ask(gateway, key.text, document, variables)

    return as_one_with


class TestOfACaller:
    @pytest.mark.parametrize("scope", SCOPES)
    def test_a_scope_means_what_it_says(self, scope: str) -> None:
        _, what, *one = scope.split(":")
        where = {Provider(one[0])} if one else set(Provider)

        caller = caller_with([scope], id="x", expires_at=None)

        assert caller.may_read == where
        assert caller.may_write == (where if what == "write" else set())

    def test_scopes_add_up_and_foreign_ones_add_nothing(self) -> None:
        given = [
            "contacts:read:klen",
            "contacts:write:gately",
            "contacts:write:",
            "contacts:admin",
            "",
            "contacts:write:x",
        ]

        caller = caller_with(given, id="x", expires_at=None)

        assert caller.may_read == {Provider.KLEN, Provider.GATELY}
        assert caller.may_write == {Provider.GATELY}

    @pytest.mark.parametrize("kind", CallKind)
    def test_every_kind_of_call_is_either_read_or_written(self, kind: CallKind) -> None:
        reader = caller_with(["contacts:read:klen"], id="x", expires_at=None)
        writer = caller_with(["contacts:write:klen"], id="x", expires_at=None)
        writes = kind in (CallKind.CREATE, CallKind.UPDATE, CallKind.DELETE)

        assert (reader.may(kind, Provider.KLEN), writer.may(kind, Provider.KLEN)) == (not writes, True)
        assert not writer.may(kind, Provider.GATELY)


class TestReading:
    def test_a_provider_that_may_not_be_read_stands_in_the_sources(self, asking: Any, sandbox: Sandbox) -> None:
        found = data_of(asking("contacts:read:gately")(BY_EMAIL))["contactsByEmail"]

        assert found == {
            "contacts": [{"name": "Ada Winter"}],
            "sources": [
                {"provider": "GATELY", "state": "OK", "error": None},
                {"provider": "KLEN", "state": "FAILED", "error": REFUSED},
                {
                    "provider": "COMETLY",
                    "state": "SKIPPED",
                    "error": {"code": "UNSUPPORTED_OPERATION", "retryable": False},
                },
            ],
        }
        assert set(sent(sandbox)) == {"GATELY"}

    def test_a_contact_of_such_a_provider_is_not_told(self, asking: Any, sandbox: Sandbox) -> None:
        query = "query ($id: ID!) { contact(id: $id) { name } }"

        reply = asking("contacts:read:gately")(query, id=ADA_CONTACTS["klen"])

        (error,) = reply.json()["errors"]
        assert (reply.status_code, reply.json()["data"]) == (200, {"contact": {"name": None}})
        assert error["extensions"] == refusal("KLEN", "read")
        assert sent(sandbox) == {}

    def test_a_list_leaves_them_out_with_one_error_and_comes_to_an_end(self, asking: Any, sandbox: Sandbox) -> None:
        query = f"""query ($after: String) {{ contacts(first: 100, after: $after) {{
          edges {{ node {{ records {{ provider }} }} }} pageInfo {{ hasNextPage endCursor }} {SOURCES} }} }}"""
        listing = asking("contacts:read:klen")
        after, pages = None, 0
        while True:
            answer = listing(query, after=after).json()
            page = answer["data"]["contacts"]
            pages += 1
            assert {error["extensions"]["code"] for error in answer["errors"]} == {"FORBIDDEN"}
            assert {one["provider"]: one["state"] for one in page["sources"]} == {
                "GATELY": "FAILED",
                "KLEN": "OK",
                "COMETLY": "FAILED",
            }
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"] or pages > 20:
                break

        assert pages < 20
        assert set(sent(sandbox)) == {"KLEN"}


class TestWriting:
    def test_only_where_it_may_be_written_it_is(self, asking: Any, sandbox: Sandbox) -> None:
        payload = data_of(asking("contacts:read", "contacts:write:klen")(CREATE, input=PERSON))["createContact"]

        assert payload["status"] == "PARTIAL"
        assert told(payload) == [
            ("GATELY", "NOT_APPLIED", "FORBIDDEN"),
            ("KLEN", "APPLIED", "CREATED"),
            ("COMETLY", "NOT_APPLIED", "FORBIDDEN"),
        ]
        assert set(writes_sent(sandbox)) == {"KLEN"}

    def test_nowhere_is_one_error(self, asking: Any, sandbox: Sandbox) -> None:
        reply = asking("contacts:read", "contacts:write:klen")(CREATE, input={**PERSON, "providers": ["GATELY"]})

        (error,) = reply.json()["errors"]
        assert (reply.status_code, reply.json()["data"]) == (200, {"createContact": None})
        operation_id = error["extensions"]["operationId"]
        fault = refusal("GATELY", "write")
        assert error["extensions"] == {**fault, "operationId": operation_id, "providers": [fault]}
        assert writes_sent(sandbox) == {}

    def test_an_update_reads_nothing_where_it_may_not_write(self, asking: Any, sandbox: Sandbox) -> None:
        change = {"id": ADA_CONTACTS["gately"], "name": "Ada Summer"}
        reply = asking("contacts:read:klen", "contacts:write:klen")(UPDATE, input=change)

        assert reply.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert sent(sandbox) == {}

    def test_a_dry_run_says_so_too(self, asking: Any, sandbox: Sandbox) -> None:
        preview = """mutation ($input: CreateContactInput!) { createContact(input: $input) { status results {
          provider outcome ... on ProviderWriteFailure { error { code } } } } }"""

        payload = data_of(asking("contacts:read", "contacts:write:klen")(preview, input={**PERSON, "dryRun": True}))

        assert payload["createContact"] == {
            "status": "PREVIEWED",
            "results": [
                {"provider": "GATELY", "outcome": "NOT_APPLIED", "error": {"code": "FORBIDDEN"}},
                {"provider": "KLEN", "outcome": "NOT_APPLIED"},
                {"provider": "COMETLY", "outcome": "NOT_APPLIED", "error": {"code": "FORBIDDEN"}},
            ],
        }

    def test_linking_needs_write_at_each_provider_of_what_is_linked(self, asking: Any) -> None:
        link = "mutation ($ids: [ID!]!) { linkContacts(input: {ids: $ids}) { contact { id } } }"
        ids = [ADA_CONTACTS["gately"], ADA_CONTACTS["klen"]]

        refused = asking("contacts:read", "contacts:write:klen")(link, ids=ids)
        linked = asking("contacts:write:gately", "contacts:write:klen")(link, ids=ids)

        assert [error["extensions"] for error in refused.json()["errors"]] == [refusal("GATELY", "write")]
        assert data_of(linked) == {"linkContacts": {"contact": {"id": ADA_CONTACTS["gately"]}}}

    def test_unlinking_does_too(self, asking: Any) -> None:
        link = "mutation ($ids: [ID!]!) { linkContacts(input: {ids: $ids}) { contact { id } } }"
        unlink = "mutation ($id: ID!) { unlinkRecord(input: {recordId: $id}) { separated { id } } }"
        data_of(asking("contacts:write")(link, ids=[ADA_CONTACTS["gately"], ADA_CONTACTS["klen"]]))

        refused = asking("contacts:write:klen")(unlink, id=ADA_RECORDS["klen"])

        assert [error["extensions"] for error in refused.json()["errors"]] == [refusal("GATELY", "write")]
        assert data_of(asking("contacts:write")(unlink, id=ADA_RECORDS["klen"]))
