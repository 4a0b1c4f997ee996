"""The identity provider changes its keys, falls silent or talks nonsense; seen through the whole gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.access import key_set
from gateway.access.key_set import Pace
from tests.access.conftest import ask, data_of
from tests.access.issuer import Issuer, private_key, public_jwk, token
from tests.access.test_answers import assert_wrong
from tests.conftest import Gateway

TYPENAME = {"__typename": "Query"}
NEW = ("RSA", "rotated")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys may be fetched again at once."""
    monkeypatch.setattr(
        key_set.KeySet.__init__, "__kwdefaults__", {**key_set.KeySet.__init__.__kwdefaults__, "pace": Pace(pause=0.0)}
    )


def test_a_new_key_counts_without_a_restart_and_a_withdrawn_one_no_more(
    impatient: None, trusting: Gateway, issuer: Issuer
) -> None:
    assert data_of(ask(trusting, token())) == TYPENAME

    issuer.keys = [public_jwk(private_key(*NEW), "rotated")]

    assert data_of(ask(trusting, token(key=private_key(*NEW), kid="rotated"))) == TYPENAME
    assert_wrong(ask(trusting, token()))


def test_keys_are_fetched_once_for_many_requests(trusting: Gateway, issuer: Issuer) -> None:
    for _ in range(5):
        assert data_of(ask(trusting, token())) == TYPENAME

    assert issuer.fetches == 1


def test_made_up_key_ids_do_not_make_us_fetch_each_time(trusting: Gateway, issuer: Issuer) -> None:
    for number in range(20):
        assert_wrong(ask(trusting, token(kid=f"made-up-{number}")))

    assert issuer.fetches == 1
    assert data_of(ask(trusting, token())) == TYPENAME


@pytest.mark.parametrize("failure", ["status", "nonsense", "too large", "redirect", "no keys", "secrets only"])
def test_a_fetch_that_fails_keeps_the_old_keys(
    impatient: None, trusting: Gateway, issuer: Issuer, failure: str
) -> None:
    assert data_of(ask(trusting, token())) == TYPENAME
    _break(issuer, failure)

    assert_wrong(ask(trusting, token(kid="unknown")))
    assert issuer.fetches == 2
    assert data_of(ask(trusting, token())) == TYPENAME


@pytest.mark.parametrize("failure", ["status", "nonsense", "too large", "redirect", "no keys", "secrets only"])
def test_without_any_keys_yet_the_answer_is_503(trusting: Gateway, issuer: Issuer, failure: str) -> None:
    _break(issuer, failure)

    reply = ask(trusting, token())

    message = "The keys of the identity provider cannot be fetched, so no token can be checked."
    extensions = {"code": "IDENTITY_PROVIDER_UNAVAILABLE", "retryable": True, "retryAfterMs": 10_000}
    assert reply.json() == {"errors": [{"message": message, "extensions": extensions}]}
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "10")
    assert "www-authenticate" not in reply.headers


def test_an_identity_provider_that_is_not_there_is_503_too(
    start_gateway: Callable[..., Gateway], issuer: Issuer
) -> None:
    from tests.ports import lasting_port

    gateway = start_gateway(
        authentication="required", **{**issuer.settings, "jwt_jwks_url": f"http://127.0.0.1:{lasting_port()}/keys"}
    )

    assert ask(gateway, token()).status_code == 503
    assert_wrong(ask(gateway, token("RS256", kid=None)))


def _break(issuer: Issuer, failure: str) -> None:
    good: Any = issuer.document
    match failure:
        case "status":
            issuer.status = 500
        case "nonsense":
            issuer.body = b"<html>"
        case "too large":
            issuer.body = good + b" " * 262_144
        case "redirect":
            issuer.status, issuer.headers = 302, {"Location": "/keys"}
        case "no keys":
            issuer.body = b'{"keys": []}'
        case _:
            issuer.body = b'{"keys": [{"kty": "oct", "kid": "rsa", "k": "c2VjcmV0"}, {"kid": "rsa"}, 7]}'
