"""The gateway's own database fails around a write: what was done at the providers is still told."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.simulator import Simulator
from tests.conftest import Gateway
from tests.failures.outcomes import (
    CREATE,
    DELETE,
    PERSON,
    PROVIDERS,
    REMOTE_IDS,
    UPDATE,
    assert_fit_for_people,
    contact_id,
    everything_received,
    operations,
    simulator_of,
    success_result,
)

StartGateway = Callable[..., Gateway]


def _break(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "gateway.db", timeout=5)
    connection.executescript(";".join(statements))
    connection.close()


DROPPED = ("DROP TABLE links", "DROP TABLE aliases")
READ_ONLY = tuple(
    f"CREATE TRIGGER no_{event}_{table} BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, 'read-only'); END"
    for table in ("links", "aliases")
    for event in ("INSERT", "UPDATE", "DELETE")
)


def _assert_ids_arrived(answer: dict[str, Any], field: str, *providers: str) -> None:
    """Status, ids and results are there; at most the contact carries a masked error."""
    payload = answer["data"][field]
    assert payload is not None, answer
    assert payload["status"] == "SUCCEEDED"
    assert [(result["provider"], result["outcome"]) for result in payload["results"]] == [
        (provider, "APPLIED") for provider in providers
    ]
    assert all(result["record"]["remoteId"] for result in payload["results"])
    for error in answer.get("errors", []):
        assert error["path"] == [field, "contact"]
        # Whoever repeats the creation because of it would double it.
        assert error["extensions"] == {"code": "STORE_UNAVAILABLE", "retryable": False}
        assert_fit_for_people(error["message"])


@pytest.mark.parametrize("damage", [DROPPED, READ_ONLY], ids=["dropped", "read-only"])
@pytest.mark.parametrize("providers", [PROVIDERS, ("KLEN",)], ids=["three", "one"])
def test_a_database_that_fails_after_a_creation_does_not_lose_the_ids(
    providers: tuple[str, ...],
    damage: tuple[str, ...],
    start_gateway: StartGateway,
    sandbox: Sandbox,
    tmp_path: Path,
) -> None:
    gateway = start_gateway()
    _break(tmp_path, *damage)
    answer = gateway.send(CREATE, input={**PERSON, "providers": list(providers)})
    _assert_ids_arrived(answer, "createContact", *providers)
    sent = [operations(simulator_of(sandbox, provider)) for provider in providers]
    assert sent == [["create"]] * len(providers)


def _broken_while(
    simulator: Simulator, operation: str, monkeypatch: pytest.MonkeyPatch, folder: Path, *damage: str
) -> None:
    """The database breaks while the provider is at work."""
    original = simulator.answer

    def answer(received: Any) -> Any:
        if simulator.operation_of(received) == operation:
            _break(folder, *damage)
        return original(received)

    monkeypatch.setattr(simulator, "answer", answer)


def test_a_database_that_fails_during_an_update_does_not_hide_that_it_was_applied(
    start_gateway: StartGateway, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = start_gateway()
    _broken_while(sandbox.gately, "update", monkeypatch, tmp_path, *DROPPED)
    answer = gateway.send(UPDATE, input={"id": contact_id("GATELY"), "company": "Aalto Oy"})
    _assert_ids_arrived(answer, "updateContact", "GATELY")
    assert operations(sandbox.gately) == ["update"]


def test_a_database_that_fails_during_a_deletion_does_not_hide_that_it_was_applied(
    start_gateway: StartGateway, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = start_gateway()
    _broken_while(sandbox.gately, "delete", monkeypatch, tmp_path, *DROPPED)
    payload = gateway.data(DELETE, input={"id": contact_id("GATELY")})["deleteContact"]
    assert payload == {
        "status": "SUCCEEDED",
        "deletedId": contact_id("GATELY"),
        "results": [success_result("GATELY", "DELETED", REMOTE_IDS["GATELY"])],
    }


def test_a_database_that_cannot_take_a_replaced_id_costs_the_update_nothing(
    start_gateway: StartGateway, sandbox: Sandbox, tmp_path: Path
) -> None:
    gateway = start_gateway()
    _break(tmp_path, *READ_ONLY)
    answer = gateway.send(UPDATE, input={"id": contact_id("COMETLY", "48094"), "phones": [{"number": "+358400000001"}]})
    assert "errors" not in answer
    _assert_ids_arrived(answer, "updateContact", "COMETLY")
    assert answer["data"]["updateContact"]["results"][0]["record"] == {"remoteId": REMOTE_IDS["COMETLY"]}


def test_a_database_that_fails_before_an_update_is_said_and_nobody_is_called(
    start_gateway: StartGateway, sandbox: Sandbox, tmp_path: Path
) -> None:
    gateway = start_gateway()
    _break(tmp_path, *DROPPED)
    answer = gateway.send(UPDATE, input={"id": contact_id("GATELY"), "company": "Aalto Oy"})
    (error,) = answer["errors"]
    assert (answer["data"], error["path"]) == ({"updateContact": None}, ["updateContact"])
    assert error["extensions"] == {"code": "STORE_UNAVAILABLE", "retryable": True, "retryAfterMs": 1000}
    assert_fit_for_people(error["message"])
    assert everything_received(sandbox) == []
