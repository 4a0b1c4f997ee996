"""The table of outcomes (design section 6) as data, and the operations that it is held against."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import COMETLY_KEY, GATELY_KEY, GATELY_PROJECT_ID, KLEN_KEY, Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_COMETLY_ID, EVERYWHERE_GATELY_ID, EVERYWHERE_KLEN_ID
from gateway.sandbox.simulator import RecordedRequest, Simulator
from tests.conftest import Gateway

PROVIDERS = ("GATELY", "KLEN", "COMETLY")
# Those that can look an email up.
FINDERS = ("GATELY", "KLEN")
REMOTE_IDS = {
    "GATELY": EVERYWHERE_GATELY_ID,
    "KLEN": str(EVERYWHERE_KLEN_ID),
    "COMETLY": str(EVERYWHERE_COMETLY_ID),
}
KEYS = (GATELY_KEY, COMETLY_KEY, KLEN_KEY, GATELY_PROJECT_ID)

FAULT = "{ code message provider retryable retryAfterMs upstreamStatus upstreamCode field }"
RESULTS = f"""results {{
  __typename provider outcome
  ... on ProviderWriteSuccess {{ action record {{ remoteId }} }}
  ... on ProviderWriteFailure {{ error {FAULT} existing {{ remoteId }} }}
}}"""
CREATE = f"""mutation ($input: CreateContactInput!) {{
  createContact(input: $input) {{ status contact {{ id }} {RESULTS} }}
}}"""
UPDATE = f"""mutation ($input: UpdateContactInput!) {{
  updateContact(input: $input) {{ status contact {{ id }} {RESULTS} }}
}}"""
DELETE = f"""mutation ($input: DeleteContactInput!) {{
  deleteContact(input: $input) {{ status deletedId {RESULTS} }}
}}"""
READ = f"query ($id: ID!) {{ contact(id: $id) {{ name sources {{ provider state error {FAULT} }} }} }}"
LIST = f"""query ($providers: [Provider!]) {{
  contacts(first: 2, providers: $providers) {{
    edges {{ node {{ id }} }} totalCount pageInfo {{ hasNextPage }} sources {{ provider state error {FAULT} }}
  }}
}}"""
BY_EMAIL = f"""query ($email: String!, $providers: [Provider!]) {{
  contactsByEmail(email: $email, providers: $providers) {{
    contacts {{ id }} sources {{ provider state error {FAULT} }}
  }}
}}"""

PERSON: dict[str, Any] = {
    "name": "Ines Aalto",
    "firstName": "Ines",
    "lastName": "Aalto",
    "emails": [{"address": "ines@aalto.test"}],
}
# Each provider takes its change without being read first, and none looks for a duplicate because of it.
CHANGES: dict[str, dict[str, Any]] = {
    "GATELY": {"company": "Aalto Oy"},
    "KLEN": {"company": "Aalto Oy"},
    "COMETLY": {"emails": [{"address": "ines@aalto.test"}]},
}

Outcome = Literal["APPLIED", "NOT_APPLIED", "UNKNOWN"]
Operation = Literal["create", "read", "update", "delete", "list", "find"]
WRITES = ("create", "update", "delete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event and what it means. `repeats` says whether a read, and whether a write, may be sent again."""

    event: str
    fault: Fault
    code: str
    read_repeats: bool
    write_repeats: bool
    outcome: Outcome
    retry_after_ms: int | None = None
    endless: bool = False

    def __str__(self) -> str:
        return self.event

    def fault_at(self, provider: str, operation: Operation) -> dict[str, Any]:
        """The ProviderFault, its message left out."""
        return {
            "code": self.code,
            "provider": provider,
            "retryable": self.write_repeats if operation in WRITES else self.read_repeats,
            "retryAfterMs": self.retry_after_ms,
            "upstreamStatus": self._status(operation),
            "upstreamCode": self.fault.code if provider == "KLEN" else None,
            "field": None,
        }

    def _status(self, operation: Operation) -> int | None:
        if self.fault.kind == "status":
            return self.fault.status
        if self.fault.kind == "redirect":
            return 302
        if self.code == "PROVIDER_BAD_RESPONSE":
            return 201 if operation == "create" else 200
        return None


def _status(status: int, code: str, *, repeats: bool = False, outcome: Outcome = "NOT_APPLIED", **fault: Any) -> Row:
    described = Fault(kind="status", status=status, code="sandbox_code", **fault)
    seconds = described.retry_after_seconds
    name = f"{status}" if seconds is None else f"{status}-retry-after-{described.retry_after_form}"
    return Row(
        event=name + ("-applied" if described.applied else ""),
        fault=described,
        code=code,
        read_repeats=repeats or status >= 500,
        write_repeats=repeats,
        outcome=outcome,
        retry_after_ms=None if seconds is None or code == "PROVIDER_ERROR" else seconds * 1000,
    )


def _unknown(kind: Any, code: str, *, endless: bool = False, read_repeats: bool = False, **fault: Any) -> Row:
    return Row(
        event=kind,
        fault=Fault(kind=kind, **fault),
        code=code,
        read_repeats=read_repeats,
        write_repeats=False,
        outcome="UNKNOWN",
        endless=endless,
    )


def _lost(kind: Any, *, endless: bool = False, **fault: Any) -> Row:
    return _unknown(kind, "PROVIDER_TIMEOUT", endless=endless, read_repeats=True, **fault)


# Statuses that mean the same as one of these are held against the table in tests/upstream.
# 400, 404, 409, 410, 422 and a Retry-After in the form of a date mean different things to different
# operations or need their own comparison; they stand in test modules of their own.
ROWS = (
    _status(401, "PROVIDER_UNAUTHENTICATED"),
    _status(403, "PROVIDER_FORBIDDEN"),
    _status(402, "PROVIDER_ERROR"),
    _status(418, "PROVIDER_ERROR"),
    _status(408, "PROVIDER_TIMEOUT", repeats=True),
    _status(429, "RATE_LIMITED", repeats=True),
    _status(429, "RATE_LIMITED", repeats=True, retry_after_seconds=30),
    _status(503, "PROVIDER_UNAVAILABLE", repeats=True, retry_after_seconds=7),
    _status(503, "PROVIDER_ERROR", outcome="UNKNOWN"),
    _status(500, "PROVIDER_ERROR", outcome="UNKNOWN"),
    _status(500, "PROVIDER_ERROR", outcome="UNKNOWN", applied=True),
    _status(500, "PROVIDER_ERROR", outcome="UNKNOWN", retry_after_seconds=5),
    _status(502, "PROVIDER_ERROR", outcome="UNKNOWN"),
    _status(301, "PROVIDER_BAD_RESPONSE"),
    Row(
        event="redirect",
        fault=Fault(kind="redirect"),
        code="PROVIDER_BAD_RESPONSE",
        read_repeats=False,
        write_repeats=False,
        outcome="NOT_APPLIED",
    ),
    _lost("hang", endless=True),
    _lost("slow", endless=True, delay_ms=20_000),
    _lost("drip", endless=True, delay_ms=50),
    _lost("drop_before"),
    _lost("drop_after"),
    _unknown("html", "PROVIDER_BAD_RESPONSE"),
    _unknown("cut_json", "PROVIDER_BAD_RESPONSE"),
    _unknown("wrong_shape", "PROVIDER_BAD_RESPONSE"),
    _unknown("no_id", "PROVIDER_BAD_RESPONSE"),
    _unknown("huge", "PROVIDER_BAD_RESPONSE"),
)


# One row of each kind, where what a status means was decided in one place anyway.
_SAME_AGAIN = ("402", "429", "500-applied", "502", "slow", "drip")
DISTINCT_ROWS = tuple(row for row in ROWS if row.event not in _SAME_AGAIN)


def a_fault(provider: str, code: str, status: int | None = None, **known: Any) -> dict[str, Any]:
    """A ProviderFault, its message left out; `known` are the fields that differ from the usual."""
    return {
        "code": code,
        "provider": provider,
        "retryable": False,
        "retryAfterMs": None,
        "upstreamStatus": status,
        "upstreamCode": None,
        "field": None,
        **known,
    }


def contact_id(provider: str, remote_id: str | None = None) -> str:
    return _global_id("Contact", provider, remote_id)


def record_id(provider: str, remote_id: str | None = None) -> str:
    return _global_id("ContactRecord", provider, remote_id)


def _global_id(kind: str, provider: str, remote_id: str | None) -> str:
    return b64encode(f"{kind}:{provider.lower()}:{remote_id or REMOTE_IDS[provider]}".encode()).decode()


LINK = "mutation ($ids: [ID!]!) { linkContacts(input: {ids: $ids}) { contact { id } } }"


def linked(gateway: Gateway) -> str:
    """Ada Winter's three records as one contact, and its id."""
    gateway.data(LINK, ids=[record_id(provider) for provider in PROVIDERS])
    return contact_id("GATELY")


def simulator_of(sandbox: Sandbox, provider: str) -> Simulator:
    found: Simulator = getattr(sandbox, provider.lower())
    return found


def operations(simulator: Simulator) -> list[str | None]:
    """What the provider was asked to do, in order."""
    return [request.operation for request in simulator.requests]


def everything_received(sandbox: Sandbox) -> list[RecordedRequest]:
    return [request for simulator in sandbox.simulators for request in simulator.requests]


_MARKUP_OR_PATH = re.compile(
    r"<[a-z!/]|\{['\"]|\\|/\w|\.py\b|Traceback|httpx|httpcore|msgspec|sqlalchemy|Error[:(]", re.I
)


def without_message(fault: dict[str, Any]) -> dict[str, Any]:
    """The rest of a fault, its message having been found fit for people."""
    message = fault["message"]
    assert_fit_for_people(message)
    return {name: value for name, value in fault.items() if name != "message"}


def assert_fit_for_people(message: str) -> None:
    assert message.strip()
    assert len(message) < 500
    found = _MARKUP_OR_PATH.search(message)
    assert found is None, message
    assert not any(key in message for key in KEYS), message


def assert_failed(answer: dict[str, Any], field: str, *faults: dict[str, Any], code: str | None = None) -> None:
    """Nobody applied the write: one error at the root field that carries every provider's fault."""
    (error,) = answer["errors"]
    assert answer["data"] == {field: None}
    assert error["path"] == [field]
    assert_fit_for_people(error["message"])
    extensions = dict(error["extensions"])
    assert UUID(extensions.pop("operationId")), "what retryWrite takes"
    assert [without_message(fault) for fault in extensions.pop("providers")] == list(faults)
    if len(faults) == 1:
        assert without_message(extensions) == faults[0]
    else:
        retryable = all(fault["retryable"] for fault in faults)
        waits = [fault["retryAfterMs"] for fault in faults if fault["retryAfterMs"] is not None]
        longest = {"retryAfterMs": max(waits)} if waits else {}
        assert extensions == {"code": code, "retryable": retryable, **longest}


def assert_read_failed(answer: dict[str, Any], path: list[str | int], fault: dict[str, Any]) -> None:
    """One error, at the place of the value that could not be had."""
    (error,) = answer["errors"]
    assert error["path"] == path
    assert error["message"] == error["extensions"]["message"]
    assert without_message(error["extensions"]) == fault


def failure_result(fault: dict[str, Any], outcome: Outcome, *, existing: str | None = None) -> dict[str, Any]:
    return {
        "__typename": "ProviderWriteFailure",
        "provider": fault["provider"],
        "outcome": outcome,
        "error": fault,
        "existing": {"remoteId": existing} if existing else None,
    }


def success_result(provider: str, action: str, remote_id: str) -> dict[str, Any]:
    return {
        "__typename": "ProviderWriteSuccess",
        "provider": provider,
        "outcome": "APPLIED",
        "action": action,
        "record": {"remoteId": remote_id},
    }


def results_without_messages(payload: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**result, "error": without_message(result["error"])} if "error" in result else result
        for result in payload["results"]
    ]


def source(provider: str, state: str, fault: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"provider": provider, "state": state, "error": fault}


def sources_without_messages(shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**one, "error": one["error"] and without_message(one["error"])} for one in shown]
