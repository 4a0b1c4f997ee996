"""A record that was read lately is answered without a call, to whoever may read it, until somebody writes to it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_EMAIL, MERGED_AWAY_COMETLY_ID, SURVIVING_COMETLY_ID
from tests.access.conftest import ask, data_of, in_database
from tests.conftest import Gateway
from tests.graphql.ids import ADA_CONTACTS, ADA_RECORDS, COMETLY_ID, GATELY_ID, KLEN_ID, contact_id, record_id
from tests.graphql.traffic import NOBODY, Traffic
from tests.reading.bench import FakeTime, Providers

KLEN = ADA_CONTACTS["klen"]
READ_KLEN = {"klen": [f"GET /contacts/{KLEN_ID}"]}
COMPANY = """query($id: ID!, $age: Int) { contact(id: $id, maxAgeSeconds: $age) {
  company sources { provider state ageSeconds error { code } } } }"""
UPDATE = "mutation($input: UpdateContactInput!) { updateContact(input: $input) { status contact { company } } }"


def source(provider: str = "KLEN", *, age: int | None = None) -> dict[str, Any]:
    return {"provider": provider, "state": "OK", "ageSeconds": age, "error": None}


def company(gateway: Gateway, id: str = KLEN, **variables: Any) -> tuple[str, list[dict[str, Any]]]:
    contact = gateway.data(COMPANY, id=id, **variables)["contact"]
    return contact["company"], contact["sources"]


def is_asked(gateway: Gateway, traffic: Traffic, id: str = KLEN, **variables: Any) -> bool:
    traffic.forget()
    company(gateway, id, **variables)
    return traffic.calls != NOBODY


class TestAge:
    def test_a_second_request_needs_no_call(self, gateway: Gateway, traffic: Traffic, time: FakeTime) -> None:
        name, first = company(gateway)
        time.advance(3.9)

        assert first == [source()]
        assert company(gateway) == (name, [source(age=3)])
        assert traffic.calls == READ_KLEN

    def test_it_tells_when_it_was_really_fetched_and_that_it_took_no_time(
        self, gateway: Gateway, time: FakeTime
    ) -> None:
        query = "query($id: ID!) { contact(id: $id) { records { name raw fetchedAt } sources { latencyMs } } }"
        first = gateway.data(query, id=KLEN)["contact"]
        time.advance(5)

        assert gateway.data(query, id=KLEN)["contact"] == {**first, "sources": [{"latencyMs": 0}]}

    def test_after_its_time_the_provider_is_asked_again(
        self, gateway: Gateway, traffic: Traffic, time: FakeTime
    ) -> None:
        company(gateway)
        time.advance(10)
        assert not is_asked(gateway, traffic)

        time.advance(0.1)
        assert company(gateway)[1] == [source()]

    @pytest.mark.parametrize(
        ("age", "asks"), [(0, True), (2, True), (3, False), (10, False), (86_400, False), (None, False)]
    )
    def test_the_caller_says_how_old_it_may_be(
        self, gateway: Gateway, traffic: Traffic, time: FakeTime, age: int | None, asks: bool
    ) -> None:
        company(gateway)
        time.advance(3)

        assert is_asked(gateway, traffic, age=age) == asks

    def test_never_older_than_the_setting(self, gateway: Gateway, traffic: Traffic, time: FakeTime) -> None:
        company(gateway)
        time.advance(11)

        assert is_asked(gateway, traffic, age=86_400)

    def test_what_was_asked_for_anew_is_kept_for_the_others(
        self, gateway: Gateway, sandbox: Sandbox, traffic: Traffic
    ) -> None:
        company(gateway)
        sandbox.klen.contacts[KLEN_ID].company = "Elsewhere"
        assert company(gateway)[0] != "Elsewhere"

        company(gateway, age=0)

        assert company(gateway)[0] == "Elsewhere"
        assert traffic.calls == {"klen": READ_KLEN["klen"] * 2}

    def test_two_ages_in_one_request_are_not_mixed(self, gateway: Gateway, traffic: Traffic, time: FakeTime) -> None:
        company(gateway)
        traffic.forget()
        time.advance(3)
        query = """query($id: ID!) {
          any: contact(id: $id) { ...Told }  new: contact(id: $id, maxAgeSeconds: 0) { ...Told }
          again: contact(id: $id, maxAgeSeconds: 0) { records { contact { ...Told } } }
        }
        fragment Told on Contact { company sources { provider state ageSeconds error { code } } }"""

        data = gateway.data(query, id=KLEN)

        assert data["any"]["sources"] == [source(age=3)]
        assert data["new"]["sources"] == [source()]
        assert data["again"]["records"][0]["contact"]["sources"] == [source()]
        assert traffic.calls == READ_KLEN

    def test_switched_off_nothing_is_kept(self, start_keeping: Callable[..., Gateway], traffic: Traffic) -> None:
        gateway = start_keeping(read_cache_seconds=0)
        company(gateway)

        assert is_asked(gateway, traffic)

    @pytest.mark.parametrize("field", ["nodes", "edges"])
    def test_details_of_a_list_come_from_what_is_kept_and_the_list_does_not(
        self, gateway: Gateway, traffic: Traffic, field: str
    ) -> None:
        query = "query($age: Int) { contacts(first: 1, providers: [KLEN], maxAgeSeconds: $age) { nodes { website } } }"
        gateway.data(query)
        _, details = traffic.calls["klen"]

        gateway.data(query)
        gateway.data(query, age=0)

        assert traffic.calls == {"klen": ["GET /contacts", details, "GET /contacts", "GET /contacts", details]}

    def test_details_of_what_was_found_by_an_address_too(self, gateway: Gateway, traffic: Traffic) -> None:
        query = """query($email: String!, $age: Int) {
          contactsByEmail(email: $email, providers: [KLEN], maxAgeSeconds: $age) { contacts { website } } }"""
        for age in (None, None, 0):
            gateway.data(query, email=EVERYWHERE_EMAIL, age=age)

        find, read = "GET /contacts", READ_KLEN["klen"][0]
        assert traffic.calls == {"klen": [find, read, find, find, read]}


@pytest.mark.parametrize(
    ("argument", "value", "path", "most"),
    [
        ("maxAgeSeconds", -1, "maxAgeSeconds", 86_400),
        ("maxAgeSeconds", 86_401, "maxAgeSeconds", 86_400),
        ("maxWaitMs", -1, "maxWaitMs", 600_000),
        ("maxWaitMs", 600_001, "maxWaitMs", 600_000),
    ],
)
@pytest.mark.parametrize(
    ("field", "others", "selection"),
    [
        ("contact", f'id: "{KLEN}"', "{ name }"),
        ("contacts", "first: 1", "{ nodes { name } }"),
        ("contactsByEmail", f'email: "{EVERYWHERE_EMAIL}"', "{ contacts { name } }"),
    ],
)
def test_terms_that_make_no_sense_are_refused(
    gateway: Gateway,
    traffic: Traffic,
    field: str,
    others: str,
    selection: str,
    argument: str,
    value: int,
    path: str,
    most: int,
) -> None:
    error = gateway.error(f"{{ {field}({others}, {argument}: {value}) {selection} }}")

    message = f"must be 0 to {most}, or left out"
    assert error["path"] == [field]
    assert error["extensions"] == {
        "code": "INVALID_INPUT",
        "fields": [{"path": [path], "code": "OUT_OF_RANGE", "message": message, "provider": None}],
    }
    assert traffic.calls == NOBODY


class TestOthers:
    def test_a_caller_without_the_scope_is_refused_what_is_kept(
        self, start_keeping: Callable[..., Gateway], traffic: Traffic, tmp_path: Any
    ) -> None:
        from gateway.access.api_keys import new_key
        from gateway.clock import now_ms

        url = f"sqlite:///{tmp_path}/callers.db"
        may, may_not = (
            new_key("a test", [scope], now=now_ms(), expires_at=None)
            for scope in ("contacts:read:klen", "contacts:read:gately")
        )
        for key in (may, may_not):
            in_database(url, lambda store, key=key: store.add(key.stored))
        gateway = start_keeping(authentication="required", database_url=url)
        assert data_of(ask(gateway, may.text, COMPANY, {"id": KLEN}))["contact"]["sources"] == [source()]
        assert data_of(ask(gateway, may.text, COMPANY, {"id": KLEN}))["contact"]["sources"] == [source(age=0)]
        traffic.forget()

        refused = ask(gateway, may_not.text, COMPANY, {"id": KLEN}).json()

        (error,) = refused["errors"]
        assert (error["path"], error["extensions"]["code"]) == (["contact", "company"], "FORBIDDEN")
        assert refused["data"]["contact"] == {
            "company": None,
            "sources": [{"provider": "KLEN", "state": "FAILED", "ageSeconds": None, "error": {"code": "FORBIDDEN"}}],
        }
        assert traffic.calls == NOBODY

    def test_two_gateways_with_two_credentials_share_nothing(
        self, start_keeping: Callable[..., Gateway], traffic: Traffic
    ) -> None:
        one, other = start_keeping(), start_keeping({"KLEN_API_KEY": "of-somebody-else"})
        company(one)
        traffic.forget()

        error = other.error("query($id: ID!) { contact(id: $id) { company } }", id=KLEN)

        assert error["extensions"]["code"] == "PROVIDER_UNAUTHENTICATED"
        assert traffic.calls == READ_KLEN
        assert company(one)[1] == [source(age=0)]


class TestWrites:
    def test_after_an_applied_write_the_new_state_is_shown(self, gateway: Gateway, traffic: Traffic) -> None:
        company(gateway)

        payload = gateway.data(UPDATE, input={"id": KLEN, "company": "Harbour Ltd"})["updateContact"]

        assert payload == {"status": "SUCCEEDED", "contact": {"company": "Harbour Ltd"}}
        # The read back of the payload is the first one after the write.
        assert company(gateway) == ("Harbour Ltd", [source(age=0)])

    @pytest.mark.parametrize(
        ("fault", "code"),
        [
            (Fault(kind="status", status=400, operation="update"), "INVALID_INPUT"),
            (Fault(kind="redirect", operation="update"), "PROVIDER_BAD_RESPONSE"),
        ],
    )
    def test_a_write_that_was_refused_drops_the_record(
        self, gateway: Gateway, sandbox: Sandbox, traffic: Traffic, fault: Fault, code: str
    ) -> None:
        company(gateway)
        sandbox.klen.faults.add(fault)

        assert gateway.error(UPDATE, input={"id": KLEN, "company": "X"})["extensions"]["code"] == code

        sandbox.klen.faults.clear()
        assert is_asked(gateway, traffic)

    def test_after_a_write_without_an_answer_nothing_is_kept_until_it_can_no_longer_come_through(
        self, gateway: Gateway, sandbox: Sandbox, traffic: Traffic, time: FakeTime
    ) -> None:
        company(gateway)
        sandbox.klen.faults.add(Fault(kind="drop_after", operation="update", count=1))

        payload = gateway.data(UPDATE, input={"id": KLEN, "company": "Harbour Ltd"})["updateContact"]

        assert payload["status"] == "UNKNOWN"
        assert company(gateway)[0] == "Harbour Ltd"
        assert is_asked(gateway, traffic)
        time.advance(60)
        assert [is_asked(gateway, traffic) for _ in range(2)] == [True, False]

    def test_a_deletion_drops_the_record(self, gateway: Gateway, sandbox: Sandbox, traffic: Traffic) -> None:
        gately = ADA_CONTACTS["gately"]
        company(gateway, gately)
        gateway.data("mutation($id: ID!) { deleteContact(input: {id: $id}) { status } }", id=gately)

        traffic.forget()
        assert gateway.data(COMPANY, id=gately) == {"contact": None}
        assert traffic.calls == {"gately": [f"GET /contacts/{GATELY_ID}"]}

    def test_a_merged_record_is_dropped_under_its_new_id_too(self, gateway: Gateway, traffic: Traffic) -> None:
        query = "query($id: ID!) { node(id: $id) { ... on ContactRecord { emails { address } remoteId } } }"
        surviving, merged_away = (record_id("cometly", one) for one in (SURVIVING_COMETLY_ID, MERGED_AWAY_COMETLY_ID))
        gateway.data(query, id=surviving)

        gateway.data(
            "mutation($input: UpdateContactInput!) { updateContact(input: $input) { status } }",
            input={"id": merged_away, "emails": [{"address": "ada@summer.test"}]},
        )

        traffic.forget()
        assert gateway.data(query, id=surviving)["node"] == {
            "emails": [{"address": "ada@summer.test"}],
            "remoteId": str(COMETLY_ID),
        }
        assert traffic.calls == {"cometly": [f"GET /contacts/{COMETLY_ID}"]}

    def test_a_read_that_began_before_a_write_and_ends_after_it_is_not_kept(
        self, gateway: Gateway, providers: Providers, sandbox: Sandbox
    ) -> None:
        before = sandbox.klen.contacts[KLEN_ID].company
        providers["KLEN"].hold()
        seen: list[str] = []
        reader = threading.Thread(target=lambda: seen.append(company(gateway)[0]))
        reader.start()
        providers["KLEN"].wait_for_answer()
        gateway.data(
            "mutation($input: UpdateContactInput!) { updateContact(input: $input) { status } }",
            input={"id": KLEN, "company": "Harbour Ltd"},
        )

        providers["KLEN"].let_go()
        reader.join()

        assert seen == [before]
        assert company(gateway) == ("Harbour Ltd", [source()])

    def test_what_a_write_reads_before_it_is_never_what_is_kept(
        self, gateway: Gateway, sandbox: Sandbox, traffic: Traffic
    ) -> None:
        company(gateway)
        traffic.forget()

        gateway.data(
            "mutation($input: UpdateContactInput!) { updateContact(input: $input) { status } }",
            input={"id": KLEN, "tags": {"add": ["Fresh"]}},
        )

        assert traffic.calls == {"klen": [*READ_KLEN["klen"], f"PATCH /contacts/{KLEN_ID}/update"]}

    def test_nor_is_the_time_of_its_last_change(self, gateway: Gateway, sandbox: Sandbox, traffic: Traffic) -> None:
        gately = ADA_CONTACTS["gately"]
        query = "query($id: ID!) { contact(id: $id) { updatedAt } }"
        seen = gateway.data(query, id=gately)["contact"]["updatedAt"]
        traffic.forget()
        update = "mutation($input: UpdateContactInput!) { updateContact(input: $input) { status } }"

        gateway.data(update, input={"id": gately, "company": "X", "ifUnmodifiedSince": seen})

        assert traffic.calls["gately"][0] == f"GET /contacts/{GATELY_ID}"

    def test_a_look_for_a_lost_write_asks_the_provider(
        self, gateway: Gateway, sandbox: Sandbox, traffic: Traffic
    ) -> None:
        sandbox.klen.faults.add(Fault(kind="drop_after", operation="update", count=1))
        written = gateway.data(
            "mutation($input: UpdateContactInput!) { updateContact(input: $input) { operationId } }",
            input={"id": KLEN, "company": "Harbour Ltd"},
        )
        company(gateway)
        traffic.forget()

        payload = gateway.data(
            "mutation($id: ID!) { reconcileWrite(input: {operationId: $id}) { status contact { company } } }",
            id=written["updateContact"]["operationId"],
        )["reconcileWrite"]

        assert payload == {"status": "SUCCEEDED", "contact": {"company": "Harbour Ltd"}}
        assert traffic.calls["klen"][0] == READ_KLEN["klen"][0]


def test_a_record_that_is_gone_is_kept_no_longer(gateway: Gateway, sandbox: Sandbox, time: FakeTime) -> None:
    """Nor does it come back while its provider is down."""
    company(gateway)
    del sandbox.klen.contacts[KLEN_ID]
    assert gateway.data(COMPANY, id=KLEN, age=0) == {"contact": None}

    sandbox.klen.faults.add(Fault(kind="status", status=503))

    error = gateway.error("query($id: ID!) { contact(id: $id) { company } }", id=KLEN)
    assert (error["path"], error["extensions"]["code"]) == (["contact", "company"], "PROVIDER_ERROR")


def test_a_record_that_was_read_as_a_node_is_kept_too(gateway: Gateway, traffic: Traffic) -> None:
    node = "query($id: ID!) { node(id: $id) { ... on ContactRecord { company } } }"
    gateway.data(node, id=ADA_RECORDS["klen"])

    assert not is_asked(gateway, traffic)
    assert contact_id("klen", KLEN_ID) == KLEN
