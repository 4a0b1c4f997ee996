"""Credentials appear in no answer and in no log, whatever is wrong with them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from tests.access.conftest import MakeKey, ask
from tests.access.issuer import Issuer, token
from tests.conftest import Gateway
from tests.writes.rig import CREATE, PERSON, Store


def secrets_of(credential: str) -> list[str]:
    """What must not be seen of it, piece by piece."""
    return [piece for piece in credential.replace("_", ".").split(".") if len(piece) > 12]


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Everything that is logged, at every level, by us and by every library."""
    caplog.set_level(logging.DEBUG)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory())

    def read() -> str:
        printed = capfd.readouterr()
        return printed.out + printed.err + caplog.text

    return read


def test_of_an_api_key(
    start: Any, make_key: MakeKey, database_url: str, logged: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    key = make_key("contacts:write")
    gateway: Gateway = start()
    # The statement that made the key, which a library shows at DEBUG, is not of the gateway.
    caplog.clear()
    wrong = key.text[:-1] + ("0" if key.text[-1] != "0" else "1")
    replies = [
        ask(gateway, key.text, CREATE, {"input": PERSON}),
        ask(gateway, wrong),
        ask(gateway, key.text + "!"),
        ask(gateway, None, Authorization=f"Basic {key.text}"),
    ]
    with Store(database_url).without("api_keys"):
        # The right key is remembered for a moment; an id that nobody has asked for is not.
        replies.append(ask(gateway, f"cgw_{'a' * 16}_{key.text[-64:]}"))

    assert [reply.status_code for reply in replies] == [200, 401, 401, 401, 503]
    seen = logged() + "".join(reply.text + repr(reply.headers) for reply in replies)
    secret = key.text.split("_")[2]
    assert "key_not_looked_up" in seen
    assert secret not in seen
    assert secret[:-1] not in seen
    assert key.stored.digest not in seen


def test_of_a_token(trusting: Gateway, issuer: Issuer, logged: Callable[[], str]) -> None:
    tokens = [token(), token(exp=1), token(kid="unknown"), token(aud="another"), token(scope="none of ours")]

    replies = [ask(trusting, one) for one in tokens]
    issuer.status = 500
    replies.append(ask(trusting, token(kid="unknown too")))

    assert [reply.status_code for reply in replies] == [200, 401, 401, 401, 403, 401]
    seen = logged() + "".join(reply.text + repr(reply.headers) for reply in replies)
    assert [piece for one in tokens for piece in secrets_of(one) if piece in seen] == []
    assert "ines.aalto@customer.test" not in seen
    assert issuer.url not in "".join(reply.text for reply in replies)
