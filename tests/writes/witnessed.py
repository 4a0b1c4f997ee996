"""What a write did, as the caller and as every provider saw it; no code of the gateway."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, TypeVar

from sqlalchemy import NullPool, create_engine, make_url, text

from gateway.sandbox.sandbox import Sandbox

T = TypeVar("T")

FAULT = "code retryable upstreamStatus field"
RESULTS = f"""results {{
  __typename provider outcome warnings {{ code field }}
  ... on ProviderWriteSuccess {{ action record {{ remoteId }} }}
  ... on ProviderWriteFailure {{ error {{ {FAULT} }} existing {{ remoteId }} candidates {{ provider remoteId }} }}
  ... on ProviderWritePreview {{
    requests {{ method path body }} target {{ remoteId }} collisions {{ provider remoteId }}
  }}
}}"""
PAYLOAD = f"status operationId contact {{ id records {{ provider remoteId }} }} {RESULTS}"
CREATE = f"mutation ($input: CreateContactInput!) {{ createContact(input: $input) {{ {PAYLOAD} }} }}"
UPDATE = f"mutation ($input: UpdateContactInput!) {{ updateContact(input: $input) {{ {PAYLOAD} }} }}"
UPSERT = f"""mutation ($input: CreateContactInput!, $on: [MatchKey!]! = [EMAIL]) {{
  upsertContact(input: $input, matchOn: $on) {{ {PAYLOAD} }}
}}"""
RETRY = f"mutation ($id: ID!) {{ retryWrite(input: {{operationId: $id}}) {{ {PAYLOAD} }} }}"
LINK = "mutation ($ids: [ID!]!) { linkContacts(input: {ids: $ids}) { contact { id } } }"

# The gateway's own looks at what is unknown would call providers in the middle of a test.
QUIET: dict[str, Any] = {"settling_seconds": 86_400}


def sent(sandbox: Sandbox) -> dict[str, list[tuple[str, str, Any]]]:
    """The writes that reached each provider: method, path below the base path, body. Nobody with none is named."""
    every = {
        simulator.provider: [
            (request.method, request.path.removeprefix(simulator.base_path), request.body)
            for request in simulator.requests
            if request.method != "GET"
        ]
        for simulator in sandbox.simulators
    }
    return {provider: writes for provider, writes in every.items() if writes}


def asked(sandbox: Sandbox) -> dict[str, list[str]]:
    """Every request, reads too, as method and path below the base path."""
    every = {
        simulator.provider: [
            f"{request.method} {request.path.removeprefix(simulator.base_path)}" for request in simulator.requests
        ]
        for simulator in sandbox.simulators
    }
    return {provider: calls for provider, calls in every.items() if calls}


def forget(sandbox: Sandbox) -> None:
    for simulator in sandbox.simulators:
        simulator.requests.clear()


def held(sandbox: Sandbox) -> dict[str, str]:
    """Everything that each provider holds, as text: what is compared may not change later."""
    return {one.provider: json.dumps(one.describe_contacts(), sort_keys=True) for one in sandbox.simulators}


def counts(sandbox: Sandbox) -> dict[str, int]:
    return {simulator.provider: len(simulator.describe_contacts()) for simulator in sandbox.simulators}


def spelt_out(global_id: str) -> str:
    return b64decode(global_id).decode()


def warning(code: str, *path: str) -> dict[str, Any]:
    return {"code": code, "field": ["input", *path]}


def success(provider: str, action: str, remote_id: object, *warnings: dict[str, Any]) -> dict[str, Any]:
    return {
        "__typename": "ProviderWriteSuccess",
        "provider": provider,
        "outcome": "APPLIED",
        "warnings": list(warnings),
        "action": action,
        "record": {"remoteId": str(remote_id)},
    }


def failure(
    provider: str,
    code: str,
    *warnings: dict[str, Any],
    status: int | None = None,
    retryable: bool = False,
    field: list[str] | None = None,
    outcome: str = "NOT_APPLIED",
    existing: object = None,
    candidates: Iterable[object] = (),
) -> dict[str, Any]:
    return {
        "__typename": "ProviderWriteFailure",
        "provider": provider,
        "outcome": outcome,
        "warnings": list(warnings),
        "error": {"code": code, "retryable": retryable, "upstreamStatus": status, "field": field},
        "existing": None if existing is None else {"remoteId": str(existing)},
        "candidates": [{"provider": provider, "remoteId": str(one)} for one in candidates],
    }


def rows(url: str, statement: str, **values: Any) -> list[Any]:
    """What one statement answers, beside the gateway."""
    engine = create_engine(make_url(url), poolclass=NullPool)
    with closing(engine.connect()) as connection, connection.begin():
        answer = connection.execute(text(statement), values)
        return [tuple(row) for row in answer] if answer.returns_rows else []


def at_once(calls: Iterable[Callable[[], T]]) -> list[T]:
    """The answers of calls that all start together, in the order of the calls."""
    every = list(calls)
    with ThreadPoolExecutor(len(every)) as pool:
        return [future.result() for future in [pool.submit(call) for call in every]]
