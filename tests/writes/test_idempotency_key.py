"""Where a key comes from: the input, or the header, which is one key for one write."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.failures.outcomes import contact_id
from tests.writes.rig import CREATE, PERSON, PROVIDERS, Bench, Store, forget_requests, keyed, sent, told, writes_sent

PATH = ["input", "idempotencyKey"]
Headers = list[tuple[str, str | bytes]]


def _post(bench: Bench, document: str, headers: list[tuple[str, Any]], **variables: Any) -> Any:
    body = {"query": document, "variables": variables}
    return bench.gateway.request("POST", "/graphql", json=body, headers=headers)


def _with_header(bench: Bench, header: str, **fields: Any) -> dict[str, Any]:
    reply = _post(bench, CREATE, [("Idempotency-Key", header)], input={**PERSON, **fields})
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def _only_problem(answer: dict[str, Any]) -> tuple[str, list[str], str]:
    (error,) = answer["errors"]
    (problem,) = error["extensions"]["fields"]
    return error["extensions"]["code"], problem["path"], problem["code"]


def test_header_and_input_are_the_same_key(bench: Bench, sandbox: Sandbox) -> None:
    first = bench.create(key="k-1")
    forget_requests(sandbox)
    for header in ("k-1", '"k-1"', "  k-1  "):
        payload = _with_header(bench, header)["data"]["createContact"]
        assert payload["operationId"] == first["operationId"]
        assert told(payload) == [(name, "APPLIED", "REPLAYED") for name in PROVIDERS]
    both = _with_header(bench, '"k-1"', idempotencyKey="k-1")["data"]["createContact"]
    assert both["operationId"] == first["operationId"]
    assert sent(sandbox) == {}


def test_escapes_in_a_quoted_header_are_read(bench: Bench, store: Store) -> None:
    bench.create(key='a "b" \\c')
    answer = _with_header(bench, r'"a \"b\" \\c"')
    assert told(answer["data"]["createContact"]) == [(name, "APPLIED", "REPLAYED") for name in PROVIDERS]
    assert [one["idempotency_key"] for one in store.operations()] == ['a "b" \\c']


def test_null_in_the_input_leaves_the_header_its_say(bench: Bench, store: Store) -> None:
    _with_header(bench, "k-1", idempotencyKey=None)
    assert [one["idempotency_key"] for one in store.operations()] == ["k-1"]


def test_two_different_keys_are_refused(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    answer = _with_header(bench, "k-1", idempotencyKey="k-2")
    assert _only_problem(answer) == ("INVALID_INPUT", PATH, "KEYS_DIFFER")
    assert (store.operations(), sent(sandbox)) == ([], {})


def test_keys_differ_in_case(bench: Bench, store: Store) -> None:
    bench.create(key="k-1")
    bench.create(key="K-1", emails=[{"address": "bo@ek.test"}])
    assert [one["idempotency_key"] for one in store.operations()] != ["k-1"]
    assert len(store.operations()) == 2


WRONG_HEADERS: dict[str, list[tuple[str, Any]]] = {
    "two": [("Idempotency-Key", "k-1"), ("Idempotency-Key", "k-2")],
    "two that are equal": [("Idempotency-Key", "k-1"), ("Idempotency-Key", "k-1")],
    "nothing": [("Idempotency-Key", "")],
    "blanks": [("Idempotency-Key", "   ")],
    "nothing in quotes": [("Idempotency-Key", '""')],
    "an open quote": [("Idempotency-Key", '"k-1')],
    "a quote within quotes": [("Idempotency-Key", '"k"1"')],
    "something after the quotes": [("Idempotency-Key", '"k-1"; a=b')],
    "a tab": [("Idempotency-Key", "k\t1")],
    "a control character": [("Idempotency-Key", b"k\x011")],
    "a delete character": [("Idempotency-Key", b"k\x7f1")],
    "a letter beyond ASCII": [("Idempotency-Key", "käse".encode("latin-1"))],
}


def test_a_header_that_is_no_key_is_a_bad_request(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    replies = {name: _post(bench, CREATE, headers, input=PERSON) for name, headers in WRONG_HEADERS.items()}
    answers = {
        name: (reply.status_code, [error["extensions"] for error in reply.json()["errors"]])
        for name, reply in replies.items()
    }
    assert answers == dict.fromkeys(WRONG_HEADERS, (400, [{"code": "BAD_REQUEST"}]))
    assert (store.operations(), sent(sandbox)) == ([], {})


@pytest.mark.parametrize("place", ["input", "header"])
def test_a_key_has_at_most_255_characters(place: str, bench: Bench, store: Store, sandbox: Sandbox) -> None:
    def create(key: str) -> dict[str, Any]:
        if place == "header":
            return _with_header(bench, key)
        return bench.gateway.send(CREATE, input=keyed(key, **PERSON))

    assert _only_problem(create("k" * 256)) == ("INVALID_INPUT", PATH, "MALFORMED_KEY")
    assert (store.operations(), sent(sandbox)) == ([], {})
    longest = create("k" * 255)["data"]["createContact"]
    assert create("k" * 255)["data"]["createContact"]["operationId"] == longest["operationId"]
    assert [one["idempotency_key"] for one in store.operations()] == ["k" * 255]


def test_a_text_in_the_input_that_is_no_key_is_refused(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    wrong = ("", " ", "k\n1", "k\u0000", "k\x7f", "käse", "\u2028", "😀")
    answers = {key: _only_problem(bench.gateway.send(CREATE, input=keyed(key, **PERSON))) for key in wrong}
    assert answers == dict.fromkeys(wrong, ("INVALID_INPUT", PATH, "MALFORMED_KEY"))
    assert (store.operations(), sent(sandbox)) == ([], {})


TWO = """mutation ($one: CreateContactInput!, $two: CreateContactInput!, $no: Boolean = false) {
  %s
}
fragment Second on Mutation { two: createContact(input: $two) { status } }"""
SEVERAL = {
    "aliases": "one: createContact(input: $one) { status } two: createContact(input: $two) { status }",
    "a fragment": "one: createContact(input: $one) { status } ...Second",
    "an inline fragment": "one: createContact(input: $one) { status }"
    " ... on Mutation { two: createContact(input: $two) { status } }",
    "skip that does not hold": "one: createContact(input: $one) { status }"
    " two: createContact(input: $two) @skip(if: $no) { status }",
}


def _two(selection: str) -> str:
    """A document must not declare what it does not use."""
    document = TWO % selection
    if "...Second" not in selection:
        document = document[: document.index("fragment")]
    if "$two)" not in document:
        document = document.replace(", $two: CreateContactInput!", "")
    return document if "$no)" in document else document.replace(", $no: Boolean = false", "")


def _inputs(**keys: str) -> dict[str, Any]:
    return {
        name: keyed(keys.get(name), **{**PERSON, "emails": [{"address": f"{name}@aalto.test"}], "providers": ["KLEN"]})
        for name in ("one", "two")
    }


def test_one_header_cannot_mean_two_writes(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    for name, selection in SEVERAL.items():
        answer = _post(bench, _two(selection), [("Idempotency-Key", "k-1")], **_inputs()).json()
        assert answer["data"] == {"one": None, "two": None}, name
        problems = [(error["path"], error["extensions"]["fields"]) for error in answer["errors"]]
        assert [(path, one["path"], one["code"]) for path, (one,) in problems] == [
            (["one"], PATH, "KEY_FOR_SEVERAL"),
            (["two"], PATH, "KEY_FOR_SEVERAL"),
        ]
    assert (store.operations(), sent(sandbox)) == ([], {})


ONLY_ONE = {
    "skip": "one: createContact(input: $one) { status } two: createContact(input: $two) @skip(if: true) { status }",
    "include by variable": "one: createContact(input: $one) { status }"
    " two: createContact(input: $two) @include(if: $no) { status }",
    "a skipped fragment": "one: createContact(input: $one) { status } ...Second @include(if: $no)",
    "the same field twice": "one: createContact(input: $one) { status }"
    " one: createContact(input: $one) { operationId }",
    "a field that takes no key": "one: createContact(input: $one) { status } __typename",
}


def test_what_is_not_executed_does_not_count(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    for key, selection in ONLY_ONE.items():
        answer = _post(bench, _two(selection), [("Idempotency-Key", key)], **_inputs()).json()
        assert "errors" not in answer, answer
        assert answer["data"]["one"]["status"] == "SUCCEEDED"
    assert sorted(one["idempotency_key"] for one in store.operations()) == sorted(ONLY_ONE)
    assert sent(sandbox) == {"KLEN": ["create"] * len(ONLY_ONE)}


def test_with_keys_of_their_own_several_writes_need_no_header(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    document = _two(SEVERAL["aliases"])
    for _ in range(2):
        answer = bench.gateway.data(document, **_inputs(one="k-1", two="k-2"))
        assert answer == {"one": {"status": "SUCCEEDED"}, "two": {"status": "SUCCEEDED"}}
    assert sorted(one["idempotency_key"] for one in store.operations()) == ["k-1", "k-2"]
    assert writes_sent(sandbox) == {"KLEN": ["create", "create"]}


def test_an_update_and_a_deletion_take_the_header_too(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    update = f'mutation {{ updateContact(input: {{id: "{contact_id("GATELY")}", company: "A"}}) {{ operationId }} }}'
    delete = f'mutation {{ deleteContact(input: {{id: "{contact_id("GATELY")}"}}) {{ operationId deletedId }} }}'
    for document, key in ((update, "k-1"), (delete, "k-2")):
        first = _post(bench, document, [("Idempotency-Key", key)]).json()
        assert "errors" not in first
        assert _post(bench, document, [("Idempotency-Key", key)]).json() == first
    assert sorted(one["idempotency_key"] for one in store.operations()) == ["k-1", "k-2"]
    assert writes_sent(sandbox) == {"GATELY": ["update", "delete"]}
