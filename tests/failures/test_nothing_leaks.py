"""What a provider says in its errors, what it is asked with, and where our code stands stay in this house."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from gateway.connectors.gately.connector import GatelyConnector
from gateway.connectors.klen.connector import KlenConnector
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import COMETLY_KEY, GATELY_KEY, KLEN_KEY, Sandbox
from gateway.store.links import LinkStore
from tests.conftest import Gateway
from tests.failures.outcomes import (
    CREATE,
    DISTINCT_ROWS,
    KEYS,
    LIST,
    PERSON,
    PROVIDERS,
    READ,
    Row,
    contact_id,
    record_id,
    simulator_of,
)
from tests.failures.scripted_provider import ScriptedProvider, http_reply, json_reply

GatewayFor = Callable[[bool], Gateway]
Scripted = tuple[Gateway, ScriptedProvider]
KEY_OF = {"GATELY": GATELY_KEY, "KLEN": KLEN_KEY, "COMETLY": COMETLY_KEY}

# In a provider's words: what may never be repeated. None of it is part of any message of ours.
SECRET = "marmalade-7f3a"
# What a stack, a file or a class of this program looks like.
INTERNALS = re.compile(
    r"Traceback|File \"|\.py\b|/gateway/|site-packages|httpx|httpcore|msgspec|sqlalchemy|sqlite3|aiodataloader|anyio"
    r"|KeyError|[a-z]Error\b|Exception|<html|<!doctype|object at 0x",
    re.IGNORECASE,
)
PERSONAL = ("Ines", "Aalto", "ines@aalto.test", "ada.winter@northwind.example")


def assert_nothing_leaked(answer: dict[str, Any], logged: str, *, secrets: tuple[str, ...] = (SECRET,)) -> None:
    said = json.dumps([answer.get("errors", []), _faults(answer.get("data"))], ensure_ascii=False)
    for place, text in (("answer", json.dumps(answer, ensure_ascii=False)), ("log", logged)):
        for secret in (*KEYS, *secrets):
            assert secret not in text, f"{secret} in the {place}: {text}"
    assert not INTERNALS.search(said), INTERNALS.search(said)
    for one in PERSONAL:
        assert one not in logged, f"{one} in the log: {logged}"


def _faults(value: Any) -> list[Any]:
    """Everything in an answer that tells of a failure."""
    if isinstance(value, list):
        return [fault for item in value for fault in _faults(item)]
    if not isinstance(value, dict):
        return []
    own = [value["error"]] if isinstance(value.get("error"), dict) else []
    return own + [fault for inner in value.values() for fault in _faults(inner)]


def _with_secret(row: Row) -> Fault:
    """The same fault, the provider telling more than it should."""
    if row.fault.kind != "status":
        return row.fault
    fields = {name: getattr(row.fault, name) for name in row.fault.__struct_fields__}
    return Fault(**{**fields, "message": f"{SECRET} {GATELY_KEY} {COMETLY_KEY} {KLEN_KEY} for ines@aalto.test"})


# Events in which the provider says something.
TALKATIVE = [row for row in DISTINCT_ROWS if row.fault.kind in ("status", "html", "cut_json", "wrong_shape")]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("row", TALKATIVE, ids=str)
def test_no_fault_repeats_what_the_provider_said(
    row: Row, provider: str, sandbox: Sandbox, gateway: Gateway, capfd: pytest.CaptureFixture[str]
) -> None:
    simulator_of(sandbox, provider).faults.add(_with_secret(row))
    for answer in (
        gateway.send(CREATE, input={**PERSON, "providers": [provider]}),
        gateway.send(READ, id=contact_id(provider)),
        gateway.send(LIST, providers=[provider]),
    ):
        assert_nothing_leaked(answer, "")
    captured = capfd.readouterr()
    assert_nothing_leaked({}, captured.out + captured.err)


@pytest.mark.parametrize("kind", ["hang", "drip", "drop_before", "drop_after", "huge", "redirect"])
def test_no_silence_tells_more_than_that(
    kind: Any, sandbox: Sandbox, impatient: Gateway, capfd: pytest.CaptureFixture[str]
) -> None:
    for simulator in sandbox.simulators:
        simulator.faults.add(Fault(kind=kind, delay_ms=60))
    answer = impatient.send(CREATE, input=PERSON)
    captured = capfd.readouterr()
    assert_nothing_leaked(answer, captured.out + captured.err)


# Every status that makes us quote the provider.
REFUSALS = [("GATELY", 422), ("KLEN", 400), ("COMETLY", 409), ("COMETLY", 422)]
UNFIT = {
    "our-key": "The key {key} may not do this",
    "a-header": "Authorization: Bearer {key} was refused",
    "a-page": "<html><body>marmalade-7f3a</body></html>",
    "a-stack": 'Traceback (most recent call last):\n  File "marmalade-7f3a.py", line 3, in create\nKeyError: 1',
    "a-path": "marmalade-7f3a is not in /srv/app/contacts",
    "a-windows-path": "marmalade-7f3a is not in C:\\app",
    "json": '{"marmalade-7f3a": true}',
    "too-long": "marmalade-7f3a " * 40,
    "several-lines": "marmalade-7f3a\nis wrong",
    "a-file": "KeyError in marmalade-7f3a.py line 3",
    "a-class": "marmalade-7f3a: org.hibernate.exception.ConstraintViolationException",
}


@pytest.mark.parametrize(("provider", "status"), REFUSALS)
@pytest.mark.parametrize("unfit", UNFIT)
def test_a_refusal_is_quoted_only_when_it_is_a_sentence_for_people(
    unfit: str, status: int, provider: str, sandbox: Sandbox, gateway: Gateway, capfd: pytest.CaptureFixture[str]
) -> None:
    message = UNFIT[unfit].format(key=KEY_OF[provider]) if "{key}" in UNFIT[unfit] else UNFIT[unfit]
    simulator_of(sandbox, provider).faults.add(Fault(kind="status", status=status, message=message))
    answer = gateway.send(CREATE, input={**PERSON, "providers": [provider]})
    captured = capfd.readouterr()
    assert_nothing_leaked(answer, captured.out + captured.err)
    assert len(answer["errors"][0]["message"]) < 400


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_key_in_the_place_of_a_machine_code_is_not_repeated(provider: str, scripted: Scripted) -> None:
    gateway, upstream = scripted
    key = KEY_OF[provider]
    upstream.always(json_reply(403, {"error": key, "code": key, "message": "No"}))
    assert_nothing_leaked(gateway.send(CREATE, input={**PERSON, "providers": [provider]}), "")


@pytest.mark.parametrize(
    ("provider", "status"),
    [("GATELY", 200), ("KLEN", 200), ("COMETLY", 200), ("GATELY", 400), ("KLEN", 500), ("COMETLY", 422)],
)
@pytest.mark.parametrize(
    "body",
    [
        f"<html><title>{SECRET}</title></html>".encode(),
        f'{{"{SECRET}": "{SECRET}", "id": {{}}, "contacts": {{"{SECRET}": []}}}}'.encode(),
        f'{{"{SECRET}'.encode(),
        SECRET.encode(),
        b"\xff" + SECRET.encode(),
        f'"{SECRET}"'.encode(),
    ],
    ids=["page", "wrong-shape", "cut", "text", "bytes", "string"],
)
def test_no_raw_body_is_repeated(
    body: bytes, status: int, provider: str, scripted: Scripted, capfd: pytest.CaptureFixture[str]
) -> None:
    gateway, upstream = scripted
    upstream.always(http_reply(status, body))
    answers = [
        gateway.send(CREATE, input={**PERSON, "providers": [provider]}),
        gateway.send(READ, id=contact_id(provider)),
    ]
    captured = capfd.readouterr()
    for answer in answers:
        assert_nothing_leaked(answer, captured.out + captured.err)


async def _stumble(*_: object, **__: object) -> None:
    _stumble_at_once()


def _stumble_at_once(*_: object) -> None:
    raise KeyError(f"{SECRET} {KLEN_KEY} ines@aalto.test")


def _assert_masked(answer: dict[str, Any], path: list[Any], logged: str) -> None:
    (error,) = answer["errors"]
    assert error["path"] == path
    request_id = error["extensions"]["requestId"]
    assert error["extensions"] == {"code": "INTERNAL_ERROR", "requestId": request_id}
    assert_nothing_leaked(answer, logged)
    # The log leads from the request id to the place in the code.
    lines = [line for line in logged.splitlines() if request_id in line]
    assert len(lines) == 1
    assert "KeyError" in lines[0]
    assert "test_nothing_leaks.py" in lines[0]


def test_a_mistake_in_a_query_is_masked_with_a_request_id_that_the_log_knows(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(LinkStore, "family_at_once", _stumble_at_once)
    answer = gateway.send("query ($id: ID!) { contact(id: $id) { name } }", id=contact_id("KLEN"))
    captured = capfd.readouterr()
    assert answer["data"] == {"contact": None}
    _assert_masked(answer, ["contact"], captured.out + captured.err)


def test_a_mistake_in_a_mutation_is_masked_with_a_request_id_that_the_log_knows(
    gateway: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(LinkStore, "link", _stumble)
    document = "mutation ($ids: [ID!]!) { linkContacts(input: {ids: $ids}) { contact { id } } }"
    answer = gateway.send(document, ids=[record_id("GATELY"), record_id("KLEN")])
    captured = capfd.readouterr()
    assert answer["data"] == {"linkContacts": None}
    _assert_masked(answer, ["linkContacts"], captured.out + captured.err)


def test_a_mistake_in_the_middle_of_a_write_is_logged_without_what_it_says(
    gateway: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(KlenConnector, "create", _stumble)
    answer = gateway.send(CREATE, input={**PERSON, "providers": ["KLEN"]})
    captured = capfd.readouterr()
    logged = captured.out + captured.err
    assert answer["data"]["createContact"]["status"] == "UNKNOWN"
    assert_nothing_leaked(answer, logged)
    assert "KeyError" in logged
    assert "test_nothing_leaks.py" in logged


def test_the_request_id_of_the_answer_is_that_of_its_header(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LinkStore, "family_at_once", _stumble_at_once)
    variables = {"id": contact_id("KLEN")}
    document = "query ($id: ID!) { contact(id: $id) { name } }"
    reply = gateway.request("POST", "/graphql", json={"query": document, "variables": variables})
    assert reply.json()["errors"][0]["extensions"]["requestId"] == reply.headers["x-request-id"]


def test_a_mistake_at_one_record_does_not_mask_the_provider_failure_at_another(
    gateway: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GatelyConnector, "read", _stumble)
    sandbox.klen.faults.add(Fault(kind="status", status=403))
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on ContactRecord { name } } }"
    answer = gateway.send(document, ids=[record_id("GATELY"), record_id("KLEN"), record_id("COMETLY")])
    assert_nothing_leaked(answer, "")
    codes = {tuple(error["path"]): error["extensions"]["code"] for error in answer["errors"]}
    assert codes == {("nodes", 0): "PROVIDER_ERROR", ("nodes", 1): "PROVIDER_FORBIDDEN"}
    assert answer["data"]["nodes"] == [None, None, {"name": "Ada Winter"}]


@pytest.mark.parametrize("path", ["/graphql", "/health/ready", "/health/live", "/"])
def test_no_page_of_the_gateway_shows_a_key(path: str, gateway: Gateway) -> None:
    reply = gateway.request("GET", path)
    shown = reply.text + str(reply.headers)
    assert not any(key in shown for key in KEYS)
