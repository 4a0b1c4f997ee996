"""Answers that no simulator gives: empty, cut, redirecting in circles, or not HTTP at all."""

from __future__ import annotations

import pytest

from tests.conftest import Gateway
from tests.failures.outcomes import (
    CHANGES,
    CREATE,
    PERSON,
    PROVIDERS,
    READ,
    REMOTE_IDS,
    UPDATE,
    a_fault,
    assert_failed,
    contact_id,
    results_without_messages,
    success_result,
)
from tests.failures.scripted_provider import ScriptedProvider, http_reply

Scripted = tuple[Gateway, ScriptedProvider]
providers = pytest.mark.parametrize("provider", PROVIDERS)


@providers
@pytest.mark.parametrize("status", [200, 204])
def test_a_creation_without_a_body_may_have_happened(status: int, provider: str, scripted: Scripted) -> None:
    gateway, upstream = scripted
    upstream.always(http_reply(status))
    payload = gateway.data(CREATE, input={**PERSON, "providers": [provider]})["createContact"]
    (result,) = results_without_messages(payload)
    assert (payload["status"], result["outcome"]) == ("UNKNOWN", "UNKNOWN")
    assert result["error"] == a_fault(provider, "PROVIDER_BAD_RESPONSE", status)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(("status", "body"), [(200, b""), (204, b""), (202, b" \n"), (200, b"{}"), (200, b'{"ok": 1}')])
def test_klens_update_is_applied_with_any_object_or_an_empty_body(status: int, body: bytes, scripted: Scripted) -> None:
    gateway, upstream = scripted
    upstream.always(http_reply(status, body))
    payload = gateway.data(UPDATE, input={**CHANGES["KLEN"], "id": contact_id("KLEN")})["updateContact"]
    assert payload == {
        "status": "SUCCEEDED",
        "contact": {"id": contact_id("KLEN")},
        "results": [success_result("KLEN", "UPDATED", REMOTE_IDS["KLEN"])],
    }


@pytest.mark.parametrize("body", [b"[]", b'"done"', b"null", b"true", b"<html>ok</html>", b"{", b"\xff\xfe{}"])
def test_klens_update_is_unknown_with_anything_else(body: bytes, scripted: Scripted) -> None:
    gateway, upstream = scripted
    upstream.always(http_reply(200, body))
    payload = gateway.data(UPDATE, input={**CHANGES["KLEN"], "id": contact_id("KLEN")})["updateContact"]
    (result,) = results_without_messages(payload)
    assert (payload["status"], result["error"]) == ("UNKNOWN", a_fault("KLEN", "PROVIDER_BAD_RESPONSE", 200))


@providers
@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_never_followed(status: int, provider: str, scripted: Scripted) -> None:
    gateway, upstream = scripted
    upstream.always(http_reply(status, location=f"{upstream.base_url}/elsewhere"))
    answer = gateway.send(CREATE, input={**PERSON, "providers": [provider]})
    assert_failed(answer, "createContact", a_fault(provider, "PROVIDER_BAD_RESPONSE", status))
    assert len(upstream.requests) == 1
    read = gateway.send(READ, id=contact_id(provider))
    assert [error["extensions"]["code"] for error in read["errors"]] == ["PROVIDER_BAD_RESPONSE"]
    assert len(upstream.requests) == 2


@providers
@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (http_reply(600, b"{}"), "UNKNOWN"),
        (http_reply(999, b"{}"), "UNKNOWN"),
        (http_reply(304), "NOT_APPLIED"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", "UNKNOWN"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "UNKNOWN"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", "UNKNOWN"),
        (b"not even HTTP\r\n\r\n", "UNKNOWN"),
        (b"HTTP/1.1 200", "UNKNOWN"),
        (b"", "UNKNOWN"),
    ],
    ids=["600", "999", "304", "short", "bad-chunk", "bad-gzip", "not-http", "half-a-line", "nothing"],
)
def test_whatever_bytes_come_back_the_outcome_is_told(
    reply: bytes, outcome: str, provider: str, scripted: Scripted
) -> None:
    gateway, upstream = scripted
    upstream.always(reply)
    answer = gateway.send(CREATE, input={**PERSON, "providers": [provider]})
    if outcome == "NOT_APPLIED":
        (error,) = answer["errors"]
        assert (error["path"], answer["data"]) == (["createContact"], {"createContact": None})
    else:
        payload = answer["data"]["createContact"]
        assert "errors" not in answer
        assert [result["outcome"] for result in payload["results"]] == [outcome]
        assert payload["results"][0]["error"]["retryable"] is False
    assert len(upstream.requests) == 1


@providers
@pytest.mark.parametrize("status", [400, 409, 500])
def test_the_body_of_an_error_may_be_cut_or_huge(status: int, provider: str, scripted: Scripted) -> None:
    gateway, upstream = scripted
    cut = f"HTTP/1.1 {status} Odd\r\nContent-Length: 900000000\r\n\r\n".encode()
    for body in (b"", b'{"message": "', b"x" * 200_000):
        upstream.always(cut + body)
        answer = gateway.send(UPDATE, input={**CHANGES[provider], "id": contact_id(provider)})
        faults = [
            *(error["extensions"] for error in answer.get("errors", [])),
            *(result["error"] for result in (answer["data"]["updateContact"] or {}).get("results", [])),
        ]
        assert [fault["upstreamStatus"] for fault in faults] == [status]
        codes = {400: "INVALID_INPUT", 409: "DUPLICATE", 500: "PROVIDER_ERROR"}
        assert [fault["code"] for fault in faults] == [codes[status]]
