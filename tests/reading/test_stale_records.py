"""While a provider is down, an older record stands in for it: shown, marked with its age, without an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway
from tests.graphql.ids import ADA_CONTACTS, KLEN_ID
from tests.reading.bench import FakeTime

KLEN = ADA_CONTACTS["klen"]
QUERY = """query($id: ID!, $age: Int) { contact(id: $id, maxAgeSeconds: $age) {
  company stage records { company fetchedAt } sources { provider state ageSeconds error { code retryable } } } }"""


@pytest.fixture
def before(gateway: Gateway) -> dict[str, Any]:
    contact: dict[str, Any] = gateway.data(QUERY, id=KLEN)["contact"]
    return contact


def stale(before: dict[str, Any], *, age: int, code: str, retryable: bool = True) -> dict[str, Any]:
    error = {"code": code, "retryable": retryable}
    return {**before, "sources": [{"provider": "KLEN", "state": "STALE", "ageSeconds": age, "error": error}]}


@pytest.mark.parametrize(
    ("fault", "code", "retryable"),
    [
        (Fault(kind="status", status=500), "PROVIDER_ERROR", True),
        (Fault(kind="status", status=503, retry_after_seconds=30), "PROVIDER_UNAVAILABLE", True),
        (Fault(kind="status", status=429, retry_after_seconds=30), "RATE_LIMITED", True),
        (Fault(kind="status", status=408), "PROVIDER_TIMEOUT", True),
        (Fault(kind="drop_before"), "PROVIDER_TIMEOUT", True),
        (Fault(kind="html"), "PROVIDER_BAD_RESPONSE", False),
        (Fault(kind="redirect"), "PROVIDER_BAD_RESPONSE", False),
    ],
    ids=lambda one: f"{one.kind}-{one.status}" if isinstance(one, Fault) else str(one),
)
def test_an_older_record_stands_in_for_a_provider_that_is_down(
    gateway: Gateway,
    sandbox: Sandbox,
    time: FakeTime,
    before: dict[str, Any],
    fault: Fault,
    code: str,
    retryable: bool,
) -> None:
    time.advance(60)
    sandbox.klen.faults.add(fault)

    assert gateway.data(QUERY, id=KLEN)["contact"] == stale(before, age=60, code=code, retryable=retryable)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "PROVIDER_UNAUTHENTICATED"),
        (403, "PROVIDER_FORBIDDEN"),
        (418, "PROVIDER_ERROR"),
    ],
)
def test_a_refusal_is_no_reason_to_show_what_was_kept(
    gateway: Gateway, sandbox: Sandbox, time: FakeTime, before: dict[str, Any], status: int, code: str
) -> None:
    time.advance(60)
    sandbox.klen.faults.add(Fault(kind="status", status=status))

    assert_failed(gateway, code)


@pytest.mark.parametrize("age", [0, 59])
def test_whoever_wants_it_newer_gets_the_failure(
    gateway: Gateway, sandbox: Sandbox, time: FakeTime, before: dict[str, Any], age: int
) -> None:
    time.advance(60)
    sandbox.klen.faults.add(Fault(kind="status", status=500))

    assert_failed(gateway, "PROVIDER_ERROR", age=age)


def test_it_stands_in_for_so_long_and_no_longer(
    gateway: Gateway, sandbox: Sandbox, time: FakeTime, before: dict[str, Any]
) -> None:
    sandbox.klen.faults.add(Fault(kind="status", status=500))
    time.advance(299)
    assert gateway.data(QUERY, id=KLEN)["contact"] == stale(before, age=299, code="PROVIDER_ERROR")

    time.advance(2)
    assert_failed(gateway, "PROVIDER_ERROR")


def test_the_provider_is_shown_again_as_soon_as_it_answers(
    gateway: Gateway, sandbox: Sandbox, time: FakeTime, before: dict[str, Any]
) -> None:
    time.advance(60)
    sandbox.klen.faults.add(Fault(kind="status", status=500, count=1))
    gateway.data(QUERY, id=KLEN)
    sandbox.klen.contacts[KLEN_ID].company = "Elsewhere"

    contact = gateway.data(QUERY, id=KLEN)["contact"]

    assert contact["company"] == "Elsewhere"
    assert contact["sources"] == [{"provider": "KLEN", "state": "OK", "ageSeconds": None, "error": None}]


def test_what_a_write_may_have_changed_never_stands_in(
    gateway: Gateway, sandbox: Sandbox, before: dict[str, Any]
) -> None:
    sandbox.klen.faults.add(Fault(kind="status", status=500))
    update = "mutation($input: UpdateContactInput!) { updateContact(input: $input) { status contact { company } } }"

    answer = gateway.send(update, input={"id": KLEN, "company": "Harbour Ltd"})

    assert answer["data"] == {"updateContact": {"status": "UNKNOWN", "contact": {"company": None}}}
    assert [error["path"] for error in answer["errors"]] == [["updateContact", "contact", "company"]]
    assert_failed(gateway, "PROVIDER_ERROR")


def test_switched_off_nothing_stands_in(
    start_keeping: Callable[..., Gateway], sandbox: Sandbox, time: FakeTime
) -> None:
    gateway = start_keeping(stale_if_error_seconds=0)
    gateway.data(QUERY, id=KLEN)
    time.advance(11)
    sandbox.klen.faults.add(Fault(kind="status", status=500))

    assert_failed(gateway, "PROVIDER_ERROR")


def test_records_may_stand_in_that_are_never_fresh(
    start_keeping: Callable[..., Gateway], sandbox: Sandbox, time: FakeTime
) -> None:
    gateway = start_keeping(read_cache_seconds=0)
    before = gateway.data(QUERY, id=KLEN)["contact"]
    time.advance(1)
    sandbox.klen.faults.add(Fault(kind="status", status=500))

    assert gateway.data(QUERY, id=KLEN)["contact"] == stale(before, age=1, code="PROVIDER_ERROR")


def test_the_others_of_a_contact_are_new(gateway: Gateway, ada: str, sandbox: Sandbox, time: FakeTime) -> None:
    query = "query($id: ID!) { contact(id: $id) { name stage sources { provider state ageSeconds } } }"
    before = gateway.data(query, id=ada)["contact"]
    time.advance(60)
    sandbox.klen.faults.add(Fault(kind="status", status=500))

    assert gateway.data(query, id=ada)["contact"] == {
        **before,
        "sources": [
            {"provider": "GATELY", "state": "OK", "ageSeconds": None},
            {"provider": "KLEN", "state": "STALE", "ageSeconds": 60},
            {"provider": "COMETLY", "state": "OK", "ageSeconds": None},
        ],
    }


def assert_failed(gateway: Gateway, code: str, age: int | None = None) -> None:
    query = """query($id: ID!, $age: Int) { contact(id: $id, maxAgeSeconds: $age) {
      company sources { state ageSeconds error { code } } } }"""
    answer = gateway.send(query, id=KLEN, age=age)
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["contact", "company"], code)
    failed = {"state": "FAILED", "ageSeconds": None, "error": {"code": code}}
    assert answer["data"]["contact"] == {"company": None, "sources": [failed]}
