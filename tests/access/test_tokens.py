"""Bearer tokens of an identity provider: which of them count, and every way to be fooled by one."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Callable
from datetime import datetime, timezone
from hashlib import sha256
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from gateway.access.key_set import KeySet
from gateway.access.tokens import Tokens
from gateway.sandbox.sandbox import Sandbox
from tests.access.conftest import ask, data_of
from tests.access.issuer import AUDIENCE, ISSUER, Issuer, claims, private_key, public_jwk, token
from tests.access.test_answers import NOT_VALID, assert_wrong
from tests.conftest import Gateway

TYPENAME = {"__typename": "Query"}


def segment(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def signed_with_the_public_key_as_a_secret(form: str) -> str:
    """The classic: the verifier's public key, as everybody can have it, taken for an HMAC secret."""
    key = private_key("RSA").public_key()
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    secret = {"pem": pem, "jwk": json.dumps(public_jwk(private_key("RSA"), "rsa")).encode()}[form]
    signing_input = f"{segment({'alg': 'HS256', 'typ': 'JWT', 'kid': 'rsa'})}.{segment(claims())}"
    return f"{signing_input}.{segment(hmac.new(secret, signing_input.encode(), sha256).digest())}"


def unsigned(algorithm: str) -> str:
    return f"{segment({'alg': algorithm, 'kid': 'rsa'})}.{segment(claims())}."


def resigned_payload(**changes: Any) -> str:
    """A good signature over something else."""
    header, _, signature = token().split(".")
    return f"{header}.{segment(claims(**changes))}.{signature}"


NOW = int(time.time())
COUNT: dict[str, Callable[[], str]] = {
    "RS256": lambda: token(),
    "PS256 with a key that names no algorithm": lambda: token("PS256", kid="any-rsa"),
    "RS512 with a key that names no algorithm": lambda: token("RS512", kid="any-rsa"),
    "ES256": lambda: token("ES256", kid="ec"),
    "EdDSA": lambda: token("EdDSA", kid="okp"),
    "one of several audiences": lambda: token(aud=["another", AUDIENCE]),
    "expired within the clock skew": lambda: token(exp=int(time.time()) - 5),
    "valid in a moment, within the clock skew": lambda: token(nbf=int(time.time()) + 5, iat=int(time.time()) + 5),
    "without iat": lambda: token(iat=None),
    "scp as a list": lambda: token(scope=None, scp=["contacts:read", "other"]),
    "scp as a text": lambda: token(scope=None, scp="other contacts:read"),
    "at+jwt": lambda: token(headers={"typ": "at+jwt"}),
    "never expiring": lambda: token(exp=10**15),
}
DO_NOT_COUNT: dict[str, Callable[[], str]] = {
    "alg none": lambda: unsigned("none"),
    "alg None": lambda: unsigned("None"),
    "alg nOnE with a signature": lambda: unsigned("nOnE") + "AAAA",
    "alg none with a signature": lambda: unsigned("none") + "AAAA",
    "HS256 with the public key (PEM) as secret": lambda: signed_with_the_public_key_as_a_secret("pem"),
    "HS256 with the public key (JWK) as secret": lambda: signed_with_the_public_key_as_a_secret("jwk"),
    "an algorithm that the key is not for": lambda: token("RS512"),
    "an algorithm of another kind of key": lambda: token("ES256", kid="rsa"),
    "the id of another key": lambda: token(kid="ec"),
    "a key of somebody else": lambda: token(key=private_key("RSA", "foreign")),
    "a key of somebody else that it brings along": lambda: token(
        key=private_key("RSA", "foreign"), headers={"jwk": public_jwk(private_key("RSA", "foreign"), "rsa")}
    ),
    "a payload that was changed": lambda: resigned_payload(sub="somebody else"),
    "not yet valid": lambda: token(nbf=NOW + 3600),
    "issued in the future": lambda: token(iat=NOW + 3600),
    "another audience": lambda: token(aud="another"),
    "another issuer": lambda: token(iss="https://login.evil.test/"),
    "an issuer that begins alike": lambda: token(iss=ISSUER + "x"),
    "no audience": lambda: token(aud=None),
    "no issuer": lambda: token(iss=None),
    "no subject": lambda: token(sub=None),
    "an empty subject": lambda: token(sub=""),
    "a subject that is a number": lambda: jwt_with(sub=7),
    "no expiry": lambda: token(exp=None),
    "an expiry that is no number": lambda: jwt_with(exp="soon"),
    "an expiry that is no number of JSON": lambda: jwt_with(exp=float("inf")),
    "no key id": lambda: token(kid=None),
    "a key id that is a number": lambda: rewritten_header(kid=7),
    "a key id that is unknown": lambda: token(kid="unknown"),
    "a key id that is a path": lambda: token(kid="../../etc/passwd"),
    "a critical extension": lambda: token(headers={"crit": ["exp"], "exp": NOW + 600}),
    "a header that is no object": lambda: f"{segment([])}.{segment(claims())}.AAAA",
    "a header that nests deep": lambda: f"{segment(b'[' * 3000)}.{segment(claims())}.AAAA",
    "a payload that is no object": lambda: signed_text(b"[]"),
    "a payload that is no JSON": lambda: signed_text(b"\xff\xfe"),
    "a payload that nests deep": lambda: signed_text(b"[" * 3000),
    "no signature": lambda: ".".join(token().split(".")[:2]) + ".",
    "four parts": lambda: token() + ".AAAA",
    "encrypted in form": lambda: ".".join(["e30"] * 5),
}


def jwt_with(**changes: Any) -> str:
    return signed_text(json.dumps({**claims(), **changes}).encode())


def signed_text(payload: bytes) -> str:
    return jwt.PyJWS().encode(payload, private_key("RSA"), algorithm="RS256", headers={"kid": "rsa"})


def rewritten_header(**changes: Any) -> str:
    _, payload, signature = token().split(".")
    return f"{segment({'alg': 'RS256', 'typ': 'JWT', **changes})}.{payload}.{signature}"


@pytest.fixture(scope="module")
def module_issuer() -> Any:
    from tests.access.issuer import running_issuer

    with running_issuer() as running:
        running.keys.append(public_jwk(private_key("RSA"), "any-rsa"))
        yield running


@pytest.fixture
def issuer(module_issuer: Issuer) -> Issuer:
    return module_issuer


@pytest.mark.parametrize("name", COUNT)
def test_a_token_counts(trusting: Gateway, name: str) -> None:
    assert data_of(ask(trusting, COUNT[name]())) == TYPENAME


@pytest.mark.parametrize("name", DO_NOT_COUNT)
def test_a_token_does_not_count(trusting: Gateway, name: str, sandbox: Sandbox) -> None:
    assert_wrong(ask(trusting, DO_NOT_COUNT[name](), "{ contacts(first: 1) { nodes { id } } }"))
    assert [simulator.requests for simulator in sandbox.simulators] == [[], [], []]


@pytest.mark.parametrize(
    "name",
    [
        "alg none",
        "alg none with a signature",
        "HS256 with the public key (PEM) as secret",
        "no key id",
        "a key id that is a number",
        "a critical extension",
        "a header that is no object",
        "four parts",
    ],
)
def test_for_what_cannot_count_no_keys_are_fetched(trusting: Gateway, issuer: Issuer, name: str) -> None:
    before = issuer.fetches

    assert_wrong(ask(trusting, DO_NOT_COUNT[name]()))
    assert issuer.fetches == before


def test_an_expired_token_says_so_because_its_bearer_can_do_something_about_it(trusting: Gateway) -> None:
    assert_wrong(ask(trusting, token(exp=NOW - 3600)), "The token has expired.")


def test_of_an_expired_token_that_was_forged_nobody_is_told_that_it_has_expired(trusting: Gateway) -> None:
    assert_wrong(ask(trusting, token(exp=NOW - 3600, key=private_key("RSA", "foreign"))), NOT_VALID)


@pytest.mark.parametrize(("skew", "counts"), [(0, False), (300, True)])
def test_the_clock_skew_is_a_setting(
    start_gateway: Callable[..., Gateway], issuer: Issuer, skew: int, counts: bool
) -> None:
    gateway = start_gateway(authentication="required", jwt_clock_skew_seconds=skew, **issuer.settings)

    reply = ask(gateway, token(exp=int(time.time()) - 60))

    assert reply.status_code == (200 if counts else 401)


def test_a_token_without_a_scope_of_ours_may_do_nothing(trusting: Gateway) -> None:
    reply = ask(trusting, token(scope="openid profile"))

    assert (reply.status_code, reply.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")


def test_without_an_identity_provider_in_the_settings_no_token_counts(
    start_gateway: Callable[..., Gateway], issuer: Issuer, tmp_path: Any
) -> None:
    from gateway.access.api_keys import new_key
    from gateway.clock import now_ms
    from tests.access.conftest import in_database

    url = f"sqlite:///{tmp_path}/gateway.db"
    key = new_key("a test", ("contacts:read",), now=now_ms())
    in_database(url, lambda store: store.add(key.stored))
    gateway = start_gateway(authentication="required", database_url=url)

    assert_wrong(ask(gateway, token()))
    assert data_of(ask(gateway, key.text)) == TYPENAME


def test_a_token_within_the_clock_skew_is_good_for_as_long_as_it_is_taken() -> None:
    """A stream lives until its caller's credential ends: it may not end before the next request would be refused."""

    async def published() -> bytes:
        return json.dumps({"keys": [public_jwk(private_key("RSA"), "rsa")]}).encode()

    tokens = Tokens(keys=KeySet(published), issuer=ISSUER, audience=AUDIENCE, clock_skew_seconds=30)
    ended = int(time.time()) - 5

    caller = asyncio.run(tokens.caller(token(exp=ended)))

    assert caller.expires_at == datetime.fromtimestamp(ended + 30, timezone.utc)
