"""Writes seen from all sides: what the caller is told, what the store holds, what the providers got and hold."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from gateway.clock import now_ms
from gateway.contacts.caretaker import Caretaker
from gateway.sandbox.faults import Fault, FaultKind
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.simulator import Simulator
from tests.conftest import Gateway

T = TypeVar("T")

PROVIDERS = ("GATELY", "KLEN", "COMETLY")
# Those that take two contacts with one address.
LENIENT = ("KLEN", "COMETLY")
WRITE_OPERATIONS = frozenset({"create", "update", "delete", "unsubscribe", "resubscribe", "merge_custom_fields"})
SETTLING_MS = 60_000
LONGEST_WAIT_SECONDS = 10
DAY_MS = 24 * 3_600_000
EMAIL = "ines@aalto.test"
PERSON: dict[str, Any] = {
    "name": "Ines Aalto",
    "firstName": "Ines",
    "lastName": "Aalto",
    "emails": [{"address": EMAIL}],
}

_RESULTS = """results { __typename provider outcome
  ... on ProviderWriteSuccess { action record { remoteId } }
  ... on ProviderWriteFailure { error { code message retryable retryAfterMs } existing { remoteId } } }"""
_PAYLOAD = f"operationId status contact {{ id records {{ provider remoteId }} }} {_RESULTS}"
CREATE = f"mutation ($input: CreateContactInput!) {{ createContact(input: $input) {{ {_PAYLOAD} }} }}"
UPDATE = f"mutation ($input: UpdateContactInput!) {{ updateContact(input: $input) {{ {_PAYLOAD} }} }}"
DELETE = f"""mutation ($input: DeleteContactInput!) {{
  deleteContact(input: $input) {{ operationId status deletedId {_RESULTS} }} }}"""
RETRY = f"mutation ($id: ID!) {{ retryWrite(input: {{operationId: $id}}) {{ {_PAYLOAD} }} }}"
RECONCILE = f"mutation ($id: ID!) {{ reconcileWrite(input: {{operationId: $id}}) {{ {_PAYLOAD} }} }}"


class ManualClock:
    """Milliseconds since 1970 that stand still until a test moves them."""

    def __init__(self) -> None:
        self.now = now_ms()

    def __call__(self) -> int:
        return self.now

    def advance(self, milliseconds: int) -> None:
        self.now += milliseconds


class Bench:
    """A gateway, and its caretaker, who works only when called."""

    def __init__(self, gateway: Gateway, caretaker: Caretaker) -> None:
        self.gateway = gateway
        self._caretaker = caretaker

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self.gateway._run(call)

    def round(self) -> None:
        self.run(self._caretaker.round())

    def create(self, key: str | None = None, **changes: Any) -> dict[str, Any]:
        """The payload of an answer that has no errors."""
        payload: dict[str, Any] = self.gateway.data(CREATE, input=keyed(key, **{**PERSON, **changes}))["createContact"]
        return payload

    def update(self, key: str | None = None, **changes: Any) -> dict[str, Any]:
        payload: dict[str, Any] = self.gateway.data(UPDATE, input=keyed(key, **changes))["updateContact"]
        return payload

    def delete(self, key: str | None = None, **changes: Any) -> dict[str, Any]:
        payload: dict[str, Any] = self.gateway.data(DELETE, input=keyed(key, **changes))["deleteContact"]
        return payload

    def retry(self, operation_id: str) -> dict[str, Any]:
        payload: dict[str, Any] = self.gateway.data(RETRY, id=operation_id)["retryWrite"]
        return payload

    def reconcile(self, operation_id: str) -> dict[str, Any]:
        payload: dict[str, Any] = self.gateway.data(RECONCILE, id=operation_id)["reconcileWrite"]
        return payload

    def refused(self, document: str, **variables: Any) -> dict[str, Any]:
        """The extensions of the only error; there is no data then."""
        answer = self.gateway.send(document, **variables)
        (error,) = answer["errors"]
        assert list(answer["data"].values()) == [None]
        extensions: dict[str, Any] = error["extensions"]
        return extensions


def keyed(key: str | None, **fields: Any) -> dict[str, Any]:
    return fields if key is None else {**fields, "idempotencyKey": key}


class Store:
    """The database behind the gateway's back."""

    def __init__(self, url: str) -> None:
        plain = make_url(url)
        self.is_sqlite = plain.get_backend_name() == "sqlite"
        self.path = plain.database
        self._engine = create_engine(plain.set(drivername="sqlite") if self.is_sqlite else plain, poolclass=NullPool)

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(statement), values).mappings()]

    def execute(self, *statements: str, **values: Any) -> None:
        with self._engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement), values)

    def operations(self) -> list[dict[str, Any]]:
        return [
            {**row, "finished": bool(row["finished"])}
            for row in self.rows("SELECT * FROM operations ORDER BY created_at, id")
        ]

    def operation(self, operation_id: str) -> dict[str, Any]:
        (row,) = [row for row in self.operations() if row["id"] == operation_id]
        return row

    def targets(self, operation_id: str | None = None) -> list[dict[str, Any]]:
        rows = self.rows("SELECT * FROM operation_targets ORDER BY operation_id, position")
        return [row for row in rows if operation_id in (None, row["operation_id"])]

    def outcomes(self, operation_id: str | None = None) -> dict[str, tuple[str, str | None]]:
        """What is known at each provider, and of which record."""
        return {row["provider"].upper(): (row["outcome"], row["remote_id"]) for row in self.targets(operation_id)}

    def links(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Each linked record and the anchor of its contact."""
        return {
            (row["provider"].upper(), row["remote_id"]): (row["anchor_provider"].upper(), row["anchor_remote_id"])
            for row in self.rows("SELECT * FROM links")
        }

    def everything(self) -> str:
        """Every value of every row of every table."""
        tables = ("operations", "operation_targets", "links", "aliases", "locks")
        return repr([self.rows(f"SELECT * FROM {table}") for table in tables])

    def as_if_killed(self, operation_id: str, *, intent: str, owner: str, lease_until: int) -> None:
        """The rows as they are while the calls are out: the process ended before it noted any answer."""
        self.execute(
            "UPDATE operations SET owner = :owner, lease_until = :lease, finished = false, look_at = NULL, looks = 0,"
            " intent = :intent WHERE id = :id",
            "UPDATE operation_targets SET outcome = 'UNKNOWN', action = NULL, failure = NULL, unknown_since = NULL,"
            " warnings = '[]', remote_id = CASE WHEN creates THEN NULL ELSE remote_id END WHERE operation_id = :id",
            "DELETE FROM links",
            id=operation_id,
            intent=intent,
            owner=owner,
            lease=lease_until,
        )

    @contextmanager
    def without(self, table: str) -> Iterator[None]:
        """Nothing that needs the table works meanwhile."""
        self.execute(f"ALTER TABLE {table} RENAME TO {table}_elsewhere")
        try:
            yield
        finally:
            self.execute(f"ALTER TABLE {table}_elsewhere RENAME TO {table}")


class HeldAnswers:
    """Applies the next requests of one kind at once, and keeps the answers back until they are let go."""

    def __init__(self, simulator: Simulator, operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._let_go = threading.Event()
        self._simulator = simulator
        simulator.faults.add(Fault(kind="slow", operation=operation, count=1))

        async def wait(_: float) -> None:
            await asyncio.to_thread(self._let_go.wait, LONGEST_WAIT_SECONDS)

        monkeypatch.setattr(simulator, "sleep", wait)

    def let_go(self) -> None:
        self._let_go.set()

    def arrived(self) -> bool:
        return any(request.fault == "slow" for request in self._simulator.requests)


@contextmanager
def in_background(call: Callable[[], T]) -> Iterator[Future[T]]:
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool.submit(call)


def until(condition: Callable[[], bool], *, seconds: float = LONGEST_WAIT_SECONDS) -> None:
    """Fails when it does not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.005)


def simulator_of(sandbox: Sandbox, provider: str) -> Simulator:
    found: Simulator = getattr(sandbox, provider.lower())
    return found


def fail(
    sandbox: Sandbox, provider: str, kind: FaultKind, operation: str = "create", count: int | None = 1, **rest: Any
) -> None:
    simulator_of(sandbox, provider).faults.add(Fault(kind=kind, operation=operation, count=count, **rest))


def refuse(sandbox: Sandbox, provider: str, operation: str = "create", count: int | None = 1) -> None:
    """Too many calls: surely nothing happened."""
    fail(sandbox, provider, "status", operation, count, status=429, retry_after_seconds=30)


def sent(sandbox: Sandbox) -> dict[str, list[str | None]]:
    """What each provider was asked to do, in order; who was not asked is left out."""
    asked = {name: [one.operation for one in simulator_of(sandbox, name).requests] for name in PROVIDERS}
    return {name: operations for name, operations in asked.items() if operations}


def writes_sent(sandbox: Sandbox) -> dict[str, list[str | None]]:
    found: dict[str, list[str | None]] = {
        name: [one for one in operations if one in WRITE_OPERATIONS] for name, operations in sent(sandbox).items()
    }
    return {name: operations for name, operations in found.items() if operations}


def each(*operations: str) -> dict[str, list[str]]:
    """The same at each provider."""
    return {name: [*operations] for name in PROVIDERS}


def forget_requests(sandbox: Sandbox) -> None:
    for simulator in sandbox.simulators:
        simulator.requests.clear()


def holders(sandbox: Sandbox, address: str = EMAIL) -> dict[str, list[str]]:
    """The ids of the records with an email address, oldest first, at each provider that has any."""
    found = {}
    for name in PROVIDERS:
        simulator: Any = simulator_of(sandbox, name)
        described = zip(list(simulator.contacts), simulator.describe_contacts(), strict=True)
        if ids := [str(key) for key, shown in described if address in json.dumps(shown)]:
            found[name] = ids
    return found


def told(payload: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Provider, outcome, and the action or the code of the error."""
    return [
        (one["provider"], one["outcome"], one["action"] if "action" in one else one["error"]["code"])
        for one in payload["results"]
    ]


def ids_told(payload: dict[str, Any]) -> dict[str, list[str]]:
    return {one["provider"]: [one["record"]["remoteId"]] for one in payload["results"] if "record" in one}


def records_of(payload: dict[str, Any]) -> dict[str, list[str]]:
    """The records of the contact in a payload."""
    return {one["provider"]: [one["remoteId"]] for one in payload["contact"]["records"]}


def result_at(payload: dict[str, Any], provider: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = [one for one in payload["results"] if one["provider"] == provider]
    return found


def one_contact(records: dict[str, list[str]]) -> dict[tuple[str, str], tuple[str, str]]:
    """The links of these records, the first of them in the order of precedence being the anchor."""
    keys = [(name, records[name][0]) for name in PROVIDERS if name in records]
    return dict.fromkeys(keys, keys[0]) if len(keys) > 1 else {}
