"""An answer that does not wait for everybody: what has arrived is shown, the rest is PENDING and arrives later."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any

import pytest

from gateway.sandbox.seed.landmarks import EVERYWHERE_EMAIL
from tests.conftest import Gateway
from tests.graphql.ids import ADA_CONTACTS, KLEN_ID
from tests.graphql.traffic import NOBODY, Traffic
from tests.reading.bench import LONGEST_WAIT_SECONDS, FakeTime, Providers

KLEN = ADA_CONTACTS["klen"]
SOURCES = "sources { provider state error { code retryable } }"
CONTACT = f"""query($id: ID!, $wait: Int) {{ contact(id: $id, maxWaitMs: $wait) {{
  id name company website stage records {{ provider company }} {SOURCES} }} }}"""
ERROR = {"code": "DEADLINE_EXCEEDED", "retryable": True}


def source(provider: str, state: str = "OK") -> dict[str, Any]:
    return {"provider": provider, "state": state, "error": ERROR if state == "PENDING" else None}


def places(answer: dict[str, Any]) -> list[tuple[list[Any], str]]:
    return sorted(((error["path"], error["extensions"]["code"]) for error in answer["errors"]), key=str)


class Asking(threading.Thread):
    """A query under way; `answer` waits for its end."""

    def __init__(self, gateway: Gateway, document: str, **variables: Any) -> None:
        super().__init__(daemon=True)
        self._send = lambda: gateway.send(document, **variables)
        self._answer: dict[str, Any] = {}
        self.start()

    def run(self) -> None:
        self._answer = self._send()

    def answer(self) -> dict[str, Any]:
        self.join(LONGEST_WAIT_SECONDS)
        assert not self.is_alive()
        return self._answer


def test_what_has_arrived_is_shown_and_the_rest_is_pending(
    gateway: Gateway, ada: str, providers: Providers, time: FakeTime, traffic: Traffic
) -> None:
    whole = gateway.data(CONTACT.replace("(id: $id,", "(id: $id, maxAgeSeconds: 0,"), id=ada)["contact"]
    time.advance(301)
    traffic.forget()
    providers.forget()
    providers["KLEN"].hold()
    asking = Asking(gateway, CONTACT, id=ada, wait=500)
    providers["KLEN"].wait_for_answer()
    providers.wait_for_arrival("GATELY", "COMETLY")
    time.advance(0.5)

    answer = asking.answer()

    assert answer["data"]["contact"] == {
        **whole,
        "website": None,
        "stage": None,
        "records": [whole["records"][0], None, whole["records"][2]],
        "sources": [source("GATELY"), source("KLEN", "PENDING"), source("COMETLY")],
    }
    assert places(answer) == [
        (["contact", "records", 1], "DEADLINE_EXCEEDED"),
        (["contact", "stage"], "DEADLINE_EXCEEDED"),
        (["contact", "website"], "DEADLINE_EXCEEDED"),
    ]

    providers["KLEN"].let_go()
    traffic.forget()
    assert gateway.data(CONTACT, id=ada)["contact"] == whole
    assert traffic.calls == NOBODY


def test_without_waiting_only_what_is_known_at_once_is_shown(
    gateway: Gateway, ada: str, providers: Providers, traffic: Traffic
) -> None:
    whole = gateway.data(CONTACT, id=ada)["contact"]
    traffic.forget()

    assert gateway.data(CONTACT, id=ada, wait=0)["contact"] == whole
    assert traffic.calls == NOBODY


def test_a_contact_of_which_nothing_has_arrived_is_not_null(
    gateway: Gateway, providers: Providers, traffic: Traffic
) -> None:
    providers["KLEN"].hold()

    answer = gateway.send(CONTACT, id=KLEN, wait=0)

    assert answer["data"]["contact"] == {
        "id": KLEN,
        "name": None,
        "company": None,
        "website": None,
        "stage": None,
        "records": [None],
        "sources": [source("KLEN", "PENDING")],
    }
    assert [path for path, _ in places(answer)] == [
        ["contact", "company"],
        ["contact", "name"],
        ["contact", "records", 0],
        ["contact", "stage"],
        ["contact", "website"],
    ]
    providers["KLEN"].wait_for_answer()
    providers["KLEN"].let_go()
    assert gateway.data(CONTACT, id=KLEN, wait=0)["contact"]["sources"] == [source("KLEN")]
    assert traffic.calls == {"klen": [f"GET /contacts/{KLEN_ID}"]}


def test_a_call_that_goes_on_keeps_the_deadline_of_its_operation(
    start_keeping: Callable[..., Gateway], providers: Providers
) -> None:
    gateway = start_keeping(query_deadline_seconds=100)
    providers["KLEN"].hold()
    gateway.send(CONTACT, id=KLEN, wait=0)
    providers["KLEN"].wait_for_answer()

    providers["KLEN"].let_go()

    (left,) = providers["KLEN"].seconds_left
    assert left is not None
    assert 0 < left < 100


def test_a_time_that_is_long_enough_changes_nothing(gateway: Gateway, ada: str) -> None:
    assert gateway.data(CONTACT, id=ada, wait=600_000)["contact"]["sources"] == [
        source("GATELY"),
        source("KLEN"),
        source("COMETLY"),
    ]


def test_what_is_asked_for_late_in_an_answer_has_no_more_time(
    gateway: Gateway, providers: Providers, time: FakeTime
) -> None:
    """A list asks for details only after its page has come; the time counts from the beginning of the field."""
    query = """{ contacts(first: 1, providers: [KLEN], maxWaitMs: 500) {
      nodes { id name website } pageInfo { hasNextPage } sources { provider state } } }"""
    newest = gateway.data("{ contacts(first: 1, providers: [KLEN]) { nodes { id name } } }")["contacts"]["nodes"][0]
    connector = providers["KLEN"]
    read = connector.read

    async def read_late(remote_id: str) -> Any:
        connector.hold()
        return await read(remote_id)

    connector.read = read_late  # type: ignore[method-assign]
    asking = Asking(gateway, query)
    connector.wait_for_answer()
    time.advance(0.5)

    answer = asking.answer()

    assert answer["data"]["contacts"] == {
        "nodes": [{**newest, "website": None}],
        "pageInfo": {"hasNextPage": True},
        "sources": [{"provider": "KLEN", "state": "OK"}],
    }
    assert places(answer) == [(["contacts", "nodes", 0, "website"], "DEADLINE_EXCEEDED")]


class TestLists:
    QUERY = f"""query($after: String, $wait: Int) {{
      contacts(first: 3, after: $after, providers: [GATELY, KLEN], maxWaitMs: $wait) {{
        nodes {{ records {{ provider }} }} edges {{ cursor }} totalCount
        pageInfo {{ hasNextPage endCursor }} {SOURCES} }} }}"""

    def test_a_page_that_has_not_arrived_leaves_no_edge_and_is_taken_up_again(
        self, gateway: Gateway, providers: Providers, time: FakeTime
    ) -> None:
        providers["KLEN"].hold()
        asking = Asking(gateway, self.QUERY, wait=500)
        providers["KLEN"].wait_for_answer()
        providers.wait_for_arrival("GATELY")
        time.advance(0.5)

        first = asking.answer()

        assert "errors" not in first
        page = first["data"]["contacts"]
        assert names(page) == ["GATELY", "GATELY", "GATELY"]
        assert (len(page["edges"]), page["totalCount"], page["pageInfo"]["hasNextPage"]) == (3, None, True)
        assert page["sources"] == [source("GATELY"), source("KLEN", "PENDING")]

        providers["KLEN"].let_go()
        following = gateway.data(self.QUERY, after=page["pageInfo"]["endCursor"])["contacts"]
        assert names(following) == ["KLEN", "GATELY", "KLEN"]
        assert following["sources"] == [source("GATELY"), source("KLEN")]
        assert following["totalCount"] == gateway.data(self.QUERY)["contacts"]["totalCount"] > 3

    def test_where_nothing_has_arrived_the_list_is_empty_and_goes_on_from_the_beginning(
        self, gateway: Gateway, providers: Providers
    ) -> None:
        whole = gateway.data(self.QUERY)["contacts"]
        for name in ("GATELY", "KLEN"):
            providers[name].hold()

        page = gateway.data(self.QUERY, wait=0)["contacts"]

        assert (page["nodes"], page["edges"], page["totalCount"]) == ([], [], None)
        assert [one["state"] for one in page["sources"]] == ["PENDING"] * 2
        assert page["pageInfo"]["hasNextPage"]
        for name in ("GATELY", "KLEN"):
            providers[name].wait_for_answer()
            providers[name].let_go()
        assert gateway.data(self.QUERY, after=page["pageInfo"]["endCursor"])["contacts"] == whole


def test_a_look_up_that_has_not_arrived_is_pending(
    gateway: Gateway, providers: Providers, time: FakeTime, traffic: Traffic
) -> None:
    query = """query($email: String!) { contactsByEmail(email: $email, maxWaitMs: 500) {
      contacts { records { provider } } sources { provider state error { code retryable } } } }"""
    providers["KLEN"].hold()
    asking = Asking(gateway, query, email=EVERYWHERE_EMAIL)
    providers["KLEN"].wait_for_answer()
    providers.wait_for_arrival("GATELY")
    time.advance(0.5)

    answer = asking.answer()

    assert answer == {
        "data": {
            "contactsByEmail": {
                "contacts": [{"records": [{"provider": "GATELY"}]}],
                "sources": [
                    source("GATELY"),
                    source("KLEN", "PENDING"),
                    {
                        "provider": "COMETLY",
                        "state": "SKIPPED",
                        "error": {"code": "UNSUPPORTED_OPERATION", "retryable": False},
                    },
                ],
            }
        }
    }
    providers["KLEN"].let_go()


def leave_while_held(gateway: Gateway, providers: Providers, query: str, **variables: Any) -> None:
    """Asks Klen AI and Gately, goes away before they have answered, and waits until both calls are broken off."""
    for name in ("KLEN", "GATELY"):
        providers[name].hold()
    request = gateway._client.request("POST", "/graphql", json={"query": query, "variables": variables})
    asking = asyncio.run_coroutine_threadsafe(request, gateway._loop)
    for name in ("KLEN", "GATELY"):
        providers[name].wait_for_answer()

    asking.cancel()

    with pytest.raises(CancelledError):
        asking.result(LONGEST_WAIT_SECONDS)
    for name in ("KLEN", "GATELY"):
        assert providers[name].broken_off.wait(LONGEST_WAIT_SECONDS)


class TestNobodyWaits:
    def test_a_client_that_goes_away_before_the_answer_ends_every_call_even_a_pending_one(
        self, gateway: Gateway, providers: Providers
    ) -> None:
        query = """query($klen: ID!, $gately: ID!) {
          pending: contact(id: $klen, maxWaitMs: 0) { name }  waited: contact(id: $gately) { name } }"""
        leave_while_held(gateway, providers, query, klen=KLEN, gately=ADA_CONTACTS["gately"])

    @pytest.mark.parametrize(
        "field",
        [
            "a: contacts(providers: [KLEN]) { nodes { name } }  b: contacts(providers: [GATELY]) { nodes { name } }",
            "contacts(providers: [KLEN, GATELY]) { nodes { name } }",
            'contactsByEmail(email: "ada@everywhere.example", providers: [KLEN, GATELY]) { contacts { name } }',
        ],
        ids=["lists-of-one", "list-of-both", "search"],
    )
    def test_a_client_that_goes_away_ends_the_calls_of_lists_and_searches(
        self, gateway: Gateway, providers: Providers, field: str
    ) -> None:
        leave_while_held(gateway, providers, f"{{ {field} }}")

    def test_a_gateway_that_closes_does_not_leave_them_behind(
        self, start_keeping: Callable[..., Gateway], providers: Providers
    ) -> None:
        gateway = start_keeping()
        providers["KLEN"].hold()
        gateway.send(CONTACT, id=KLEN, wait=0)
        providers["KLEN"].wait_for_answer()

        gateway._run(gateway._lifespan.__aexit__(None, None, None))

        assert providers["KLEN"].broken_off.is_set()
        gateway._lifespan = Closed()  # type: ignore[assignment]


class Closed:
    """In the place of a lifespan that has ended."""

    async def __aexit__(self, *_: object) -> None:
        pass


def names(page: dict[str, Any]) -> list[str]:
    return [node["records"][0]["provider"] for node in page["nodes"]]
