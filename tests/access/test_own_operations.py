"""Whose a write is: keys of two callers never meet, and what is another caller's is as unknown as nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from gateway.clock import now_ms
from gateway.sandbox.sandbox import Sandbox
from tests.access.conftest import MakeKey, ask, data_of, in_database
from tests.access.issuer import Issuer, token
from tests.conftest import Gateway
from tests.writes.rig import (
    CREATE,
    PERSON,
    RECONCILE,
    RETRY,
    Store,
    each,
    fail,
    forget_requests,
    holders,
    refuse,
    sent,
    told,
    until,
    writes_sent,
)

AT_KLEN = {**PERSON, "providers": ["KLEN"], "idempotencyKey": "k-1"}


@pytest.fixture
def gateway(start: Callable[..., Gateway], make_key: MakeKey) -> Gateway:
    make_key("contacts:read")
    return start()


@pytest.fixture
def store(database_url: str) -> Store:
    return Store(database_url)


def create(gateway: Gateway, credential: str, **changes: Any) -> dict[str, Any]:
    payload: dict[str, Any] = data_of(ask(gateway, credential, CREATE, {"input": {**AT_KLEN, **changes}}))[
        "createContact"
    ]
    return payload


def test_one_key_of_two_callers_is_two_writes(
    gateway: Gateway, make_key: MakeKey, sandbox: Sandbox, store: Store
) -> None:
    one, other = make_key("contacts:write"), make_key("contacts:write")

    first, second = create(gateway, one.text), create(gateway, other.text)

    assert first["operationId"] != second["operationId"]
    assert told(first) == told(second) == [("KLEN", "APPLIED", "CREATED")]
    assert writes_sent(sandbox) == {"KLEN": ["create", "create"]}
    assert len(holders(sandbox)["KLEN"]) == 2
    assert {row["caller"] for row in store.operations()} == {f"key:{one.stored.id}", f"key:{other.stored.id}"}


def test_another_input_under_the_key_of_another_caller_is_no_mismatch(gateway: Gateway, make_key: MakeKey) -> None:
    one, other = make_key("contacts:write"), make_key("contacts:write")
    create(gateway, one.text)

    assert told(create(gateway, other.text, firstName="Bo")) == [("KLEN", "APPLIED", "CREATED")]
    reply = ask(gateway, one.text, CREATE, {"input": {**AT_KLEN, "firstName": "Bo"}})
    assert [error["extensions"]["code"] for error in reply.json()["errors"]] == ["IDEMPOTENCY_KEY_MISMATCH"]


def test_the_same_caller_with_the_same_key_is_one_write(gateway: Gateway, make_key: MakeKey, sandbox: Sandbox) -> None:
    key = make_key("contacts:write")

    first, second = create(gateway, key.text), create(gateway, key.text)

    assert first["operationId"] == second["operationId"]
    assert told(second) == [("KLEN", "APPLIED", "REPLAYED")]
    assert writes_sent(sandbox) == {"KLEN": ["create"]}


def test_no_key_that_can_be_sent_is_what_another_ones_key_became(
    gateway: Gateway, start: Any, make_key: MakeKey, store: Store
) -> None:
    create(gateway, make_key("contacts:write").text)
    (kept,) = [row["idempotency_key"] for row in store.operations()]

    reply = ask(start(authentication="off"), None, CREATE, {"input": {**AT_KLEN, "idempotencyKey": kept}})

    (error,) = reply.json()["errors"]
    assert [problem["code"] for problem in error["extensions"]["fields"]] == ["MALFORMED_KEY"]


@pytest.mark.parametrize("document", [RETRY, RECONCILE], ids=["retryWrite", "reconcileWrite"])
def test_an_operation_of_another_caller_is_answered_as_an_unknown_one(
    gateway: Gateway, make_key: MakeKey, sandbox: Sandbox, document: str
) -> None:
    one, other = make_key("contacts:write"), make_key("contacts:write")
    refuse(sandbox, "KLEN")
    refused = ask(gateway, one.text, CREATE, {"input": AT_KLEN}).json()
    operation_id = refused["errors"][0]["extensions"]["operationId"]
    forget_requests(sandbox)

    of_another = ask(gateway, other.text, document, {"id": operation_id}).json()
    of_nobody = ask(gateway, other.text, document, {"id": str(uuid4())}).json()

    assert of_another == of_nobody
    (error,) = of_another["errors"]
    assert [problem["code"] for problem in error["extensions"]["fields"]] == ["UNKNOWN_OPERATION"]
    assert sent(sandbox) == {}
    mine = ask(gateway, one.text, document, {"id": operation_id}).json()
    assert "errors" not in mine


def test_what_was_written_before_callers_were_known_belongs_to_anybody(
    start: Any, make_key: MakeKey, sandbox: Sandbox, store: Store
) -> None:
    key = make_key("contacts:write")
    open_gateway, closed = start(authentication="off"), start()
    first = data_of(ask(open_gateway, None, CREATE, {"input": AT_KLEN}))["createContact"]

    assert [(row["caller"], row["idempotency_key"]) for row in store.operations()] == [("anybody", "k-1")]
    assert told(create(closed, key.text)) == [("KLEN", "APPLIED", "CREATED")]
    reply = ask(closed, key.text, RECONCILE, {"id": first["operationId"]}).json()
    assert reply["errors"][0]["extensions"]["code"] == "INVALID_INPUT"


def test_a_retry_may_call_only_what_its_caller_may(trusting: Gateway, issuer: Issuer, sandbox: Sandbox) -> None:
    """The scopes of one caller can change from token to token."""
    wide, narrow = token(scope="contacts:write"), token(scope="contacts:read contacts:write:klen")
    for provider in ("GATELY", "KLEN", "COMETLY"):
        refuse(sandbox, provider)
    refused = ask(trusting, wide, CREATE, {"input": PERSON}).json()
    operation_id = refused["errors"][0]["extensions"]["operationId"]
    forget_requests(sandbox)

    some = data_of(ask(trusting, narrow, RETRY, {"id": operation_id}))["retryWrite"]

    assert told(some) == [
        ("GATELY", "NOT_APPLIED", "FORBIDDEN"),
        ("KLEN", "APPLIED", "CREATED"),
        ("COMETLY", "NOT_APPLIED", "FORBIDDEN"),
    ]
    assert writes_sent(sandbox) == {"KLEN": ["create"]}
    all_of_it = data_of(ask(trusting, wide, RETRY, {"id": operation_id}))["retryWrite"]
    assert [outcome for _, outcome, _ in told(all_of_it)] == ["APPLIED"] * 3
    assert writes_sent(sandbox) == each("create")


def test_a_subject_is_one_caller_whatever_token_it_brings_and_is_not_kept_in_clear(
    trusting: Gateway, issuer: Issuer, sandbox: Sandbox, tmp_path: Any
) -> None:
    first = create(trusting, token())
    second = create(trusting, token("ES256", kid="ec", jti="another"))
    other = create(trusting, token(sub="somebody else"))

    assert first["operationId"] == second["operationId"] != other["operationId"]
    rows = Store(f"sqlite:///{tmp_path}/gateway.db").operations()
    assert all(row["caller"].startswith("jwt:") and "@" not in row["caller"] for row in rows)


def test_the_gateways_own_looks_are_held_back_by_nobodys_scopes(
    start: Any, make_key: MakeKey, sandbox: Sandbox, store: Store, database_url: str
) -> None:
    """Whoever asked for the write may do nothing any more, and yet what became of it is found out."""
    key = make_key("contacts:write:klen")
    gateway = start(settling_seconds=0)
    fail(sandbox, "KLEN", "drop_after")
    payload = create(gateway, key.text)
    assert payload["status"] == "UNKNOWN"

    in_database(database_url, lambda keys: keys.revoke(key.stored.id, now=now_ms()))

    until(lambda: store.outcomes()["KLEN"][0] == "APPLIED", seconds=20)
