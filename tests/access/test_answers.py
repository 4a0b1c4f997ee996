"""What a caller without a credential that counts is told, exactly."""

from __future__ import annotations

import pytest

from gateway.access.authentication import MAX_HEADER_CHARACTERS
from gateway.sandbox.sandbox import Sandbox
from tests.access.conftest import MakeKey, ask, data_of
from tests.access.issuer import Issuer, token
from tests.conftest import Gateway
from tests.writes.rig import sent

REALM = 'Bearer realm="contact-gateway"'
NOT_VALID = "The credential is not valid."
CONTACTS = "{ contacts(first: 1) { nodes { id } } }"


@pytest.fixture
def database_url(tmp_path) -> str:  # type: ignore[no-untyped-def]
    return f"sqlite:///{tmp_path}/gateway.db"


@pytest.fixture
def gateway(start, make_key: MakeKey) -> Gateway:  # type: ignore[no-untyped-def]
    make_key("contacts:read")
    return start()


def assert_wrong(reply, description: str = NOT_VALID) -> None:  # type: ignore[no-untyped-def]
    assert reply.json() == {"errors": [{"message": description, "extensions": {"code": "UNAUTHENTICATED"}}]}
    assert reply.status_code == 401
    expected = f'{REALM}, error="invalid_token", error_description="{description}"'
    assert reply.headers.get_list("www-authenticate") == [expected]


@pytest.mark.parametrize("accept", ["application/graphql-response+json", "application/json", "*/*"])
def test_without_a_credential_the_answer_is_401_in_the_media_type_that_was_asked_for(
    gateway: Gateway, accept: str
) -> None:
    reply = ask(gateway, None, Accept=accept)

    message = "This gateway wants to know who calls: send `Authorization: Bearer <key or token>`."
    assert reply.json() == {"errors": [{"message": message, "extensions": {"code": "UNAUTHENTICATED"}}]}
    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, REALM)
    expected = accept if "+" in accept else "application/json"
    assert reply.headers["content-type"].split(";")[0] == expected


@pytest.mark.parametrize("header", ["", "Basic dXNlcjpwYXNz", "Token abc", "Bearertoken", 'Digest username="a"'])
def test_another_scheme_is_no_credential(gateway: Gateway, header: str) -> None:
    reply = ask(gateway, None, Authorization=header)

    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, REALM)


@pytest.mark.parametrize(
    "credential",
    ["", "x", "abc.def", "cgw_", "cgw_0123456789abcdef_", "a b", "a, Bearer b", "ä", 'a"b', "....", "cgw_" + "0" * 81],
)
def test_what_has_the_form_of_no_credential_is_not_valid(gateway: Gateway, credential: str) -> None:
    header = f"Bearer {credential}".encode()

    reply = gateway.request(
        "POST",
        "/graphql",
        json={"query": "{ __typename }"},
        headers=[(b"authorization", header), (b"accept", b"application/graphql-response+json")],
    )

    assert_wrong(reply)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_read_in_upper_and_lower_case(start, make_key: MakeKey, scheme: str) -> None:  # type: ignore[no-untyped-def]
    key = make_key("contacts:read")
    reply = ask(start(), None, Authorization=f"{scheme} {key.text}")

    assert data_of(reply) == {"__typename": "Query"}


def test_a_key_elsewhere_than_in_the_header_is_not_looked_at(start, make_key: MakeKey) -> None:  # type: ignore[no-untyped-def]
    key = make_key("contacts:read")
    gateway = start()

    replies = [
        gateway.request("POST", f"/graphql?access_token={key.text}", json={"query": "{ __typename }"}),
        gateway.request("POST", "/graphql", json={"query": "{ __typename }", "access_token": key.text}),
        ask(gateway, None, Cookie=f"Authorization={key.text}"),
        ask(gateway, None, **{"X-Api-Key": key.text}),
    ]

    assert [reply.status_code for reply in replies] == [401] * 4


def test_a_huge_header_is_refused_without_a_look_at_it(trusting: Gateway, issuer: Issuer) -> None:
    good = token()
    huge = token(padding="x" * MAX_HEADER_CHARACTERS)
    assert ask(trusting, good).status_code == 200
    fetched = issuer.fetches

    assert_wrong(ask(trusting, huge))
    assert_wrong(ask(trusting, token(kid="unknown", padding="x" * MAX_HEADER_CHARACTERS)))
    assert issuer.fetches == fetched == 1


def test_whoever_is_not_let_in_gets_nothing_done(gateway: Gateway, sandbox: Sandbox) -> None:
    reply = ask(gateway, None, CONTACTS)
    malformed = gateway.request("POST", "/graphql", content=b"{", headers={"Content-Type": "application/json"})

    assert (reply.status_code, malformed.status_code) == (401, 401)
    assert sent(sandbox) == {}


def test_get_is_asked_too(gateway: Gateway) -> None:
    reply = gateway.request("GET", "/graphql?query={__typename}", headers={"Accept": "application/json"})

    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, REALM)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_is_open(gateway: Gateway, path: str) -> None:
    reply = gateway.request("GET", path)

    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})


def test_a_credential_without_a_scope_that_is_known_here_may_do_nothing(start, make_key: MakeKey) -> None:  # type: ignore[no-untyped-def]
    key = make_key("mail:send", "contacts", "contacts:write:nobody", "CONTACTS:READ")

    reply = ask(start(), key.text)

    message = "This needs the scope contacts:read."
    assert reply.json() == {
        "errors": [{"message": message, "extensions": {"code": "FORBIDDEN", "scope": "contacts:read"}}]
    }
    expected = f'{REALM}, error="insufficient_scope", scope="contacts:read"'
    assert (reply.status_code, reply.headers["www-authenticate"]) == (403, expected)


def test_whoever_may_do_nothing_is_told_so_before_anything_is_read(start, make_key: MakeKey) -> None:  # type: ignore[no-untyped-def]
    key = make_key("mail:send")

    reply = start().request("POST", "/graphql", content=b"{", headers={"Authorization": f"Bearer {key.text}"})

    assert (reply.status_code, reply.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")


def test_two_credentials_joined_by_a_proxy_are_none(start, make_key: MakeKey) -> None:  # type: ignore[no-untyped-def]
    key, other = make_key("contacts:read"), make_key("contacts:read")

    assert_wrong(ask(start(), f"{key.text}, Bearer {other.text}"))


def test_a_mutation_of_a_reader_is_403_as_a_whole(start, make_key: MakeKey, sandbox: Sandbox) -> None:  # type: ignore[no-untyped-def]
    key = make_key("contacts:read")
    mutation = 'mutation { createContact(input: {name: "Bo Ek", emails: [{address: "bo@ek.test"}]}) { status } }'

    reply = ask(start(), key.text, mutation)

    extensions = {"code": "FORBIDDEN", "scope": "contacts:write"}
    assert reply.json() == {"errors": [{"message": "This needs the scope contacts:write.", "extensions": extensions}]}
    expected = f'{REALM}, error="insufficient_scope", scope="contacts:write"'
    assert (reply.status_code, reply.headers["www-authenticate"]) == (403, expected)
