"""API keys: which of them let a caller in, and what the database holds of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from gateway.access import api_keys
from gateway.access.api_keys import REMEMBERED_SECONDS, ApiKeys, new_key
from gateway.clock import now_ms
from gateway.domain.caller import Caller
from gateway.domain.contact import Provider
from gateway.store.keys import KeyStore, StoredKey
from tests.access.conftest import MakeKey, ask, data_of, in_database
from tests.access.test_answers import assert_wrong
from tests.conftest import Gateway
from tests.writes.rig import Store

TYPENAME = {"__typename": "Query"}
EVERYWHERE = frozenset(Provider)


class TestThroughTheGateway:
    def test_a_key_lets_its_bearer_in(self, start: Any, make_key: MakeKey) -> None:
        key = make_key("contacts:read")

        assert data_of(ask(start(), key.text)) == TYPENAME

    def test_the_database_holds_a_hash_and_nothing_of_the_secret(self, make_key: MakeKey, database_url: str) -> None:
        key = make_key("contacts:read", "contacts:write:klen")
        prefix, key_id, secret = key.text.split("_")

        (row,) = Store(database_url).rows("SELECT * FROM api_keys")

        assert row["created_at"] <= now_ms()
        assert row == {
            "id": key_id,
            "name": "a test",
            "digest": sha256(secret.encode()).hexdigest(),
            "scopes": "contacts:read contacts:write:klen",
            "created_at": row["created_at"],
            "expires_at": None,
            "revoked_at": None,
        }
        assert (prefix, len(bytes.fromhex(secret)), len(key_id)) == ("cgw", 32, 16)
        assert secret not in repr(row) + repr(key) + repr(key.stored)

    def test_a_wrong_secret_an_unknown_id_and_a_key_of_another_gateway_are_answered_alike(
        self, start: Any, make_key: MakeKey
    ) -> None:
        key = make_key("contacts:read")
        gateway = start()
        foreign = new_key("another gateway", ("contacts:read",), now=now_ms()).text
        wrong_end = key.text[:-1] + ("0" if key.text[-1] != "0" else "1")
        other_id = "cgw_" + "0" * 16 + key.text[20:]

        for text in (foreign, wrong_end, other_id, key.text + "0", key.text[:-1], key.text.upper()):
            assert_wrong(ask(gateway, text))
        assert data_of(ask(gateway, key.text)) == TYPENAME

    def test_the_hash_in_the_database_is_no_key(self, start: Any, make_key: MakeKey) -> None:
        key = make_key("contacts:read")

        assert_wrong(ask(start(), f"cgw_{key.stored.id}_{key.stored.digest}"))

    def test_a_revoked_key_and_an_expired_one_are_not_valid(
        self, start: Any, make_key: MakeKey, database_url: str
    ) -> None:
        make_key("contacts:read")
        revoked, expired = make_key("contacts:read"), make_key("contacts:read", expires_in=-1)
        in_database(database_url, lambda store: store.revoke(revoked.stored.id, now=now_ms()))
        gateway = start()

        assert_wrong(ask(gateway, revoked.text))
        assert_wrong(ask(gateway, expired.text))

    def test_a_revocation_counts_in_a_running_gateway(
        self, start: Any, make_key: MakeKey, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api_keys, "REMEMBERED_SECONDS", 0.0)
        key = make_key("contacts:read")
        gateway = start()
        assert data_of(ask(gateway, key.text)) == TYPENAME

        in_database(database_url, lambda store: store.revoke(key.stored.id, now=now_ms()))

        assert_wrong(ask(gateway, key.text))

    def test_a_key_that_is_made_while_the_gateway_runs_counts_at_once(self, start: Any, make_key: MakeKey) -> None:
        make_key("contacts:read")
        gateway = start()

        assert data_of(ask(gateway, make_key("contacts:read").text)) == TYPENAME

    def test_a_database_that_does_not_answer_is_503_and_says_nothing_against_the_key(
        self, start: Any, make_key: MakeKey, database_url: str
    ) -> None:
        key = make_key("contacts:read")
        gateway = start()

        with Store(database_url).without("api_keys"):
            reply = ask(gateway, key.text)

        extensions = {"code": "STORE_UNAVAILABLE", "retryable": True, "retryAfterMs": 1000}
        message = "The gateway's own database does not answer."
        assert reply.json() == {"errors": [{"message": message, "extensions": extensions}]}
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
        assert "www-authenticate" not in reply.headers
        assert data_of(ask(gateway, key.text)) == TYPENAME

    def test_two_gateways_on_one_database_take_the_same_key(self, start: Any, make_key: MakeKey) -> None:
        key = make_key("contacts:read")
        gateways: list[Gateway] = [start(), start()]

        assert [data_of(ask(gateway, key.text)) for gateway in gateways] == [TYPENAME] * 2


class Counted(KeyStore):
    """A store in memory that counts how often it is asked, and fails when told to."""

    def __init__(self, *keys: StoredKey) -> None:
        self.keys = {key.id: key for key in keys}
        self.asked = 0
        self.broken = False

    async def by_id(self, key_id: str) -> StoredKey | None:
        self.asked += 1
        if self.broken:
            raise OperationalError("select", None, Exception())
        return self.keys.get(key_id)


class TestRemembering:
    def setup_method(self) -> None:
        self.made = new_key("a test", ("contacts:write:klen",), now=0, expires_at=1_000_000)
        self.store = Counted(self.made.stored)
        self.seconds, self.now = 0.0, 0
        self.keys = ApiKeys(self.store, clock=lambda: self.now, monotonic=lambda: self.seconds)

    def caller(self, text: str | None = None) -> Caller | None:
        return asyncio.run(self.keys.caller(text or self.made.text))

    def test_a_key_is_looked_up_once_in_a_while(self) -> None:
        callers = [self.caller() for _ in range(5)]

        assert self.store.asked == 1
        assert len({repr(caller) for caller in callers}) == 1
        klen = frozenset({Provider.KLEN})
        assert callers[0] == Caller(
            id=f"key:{self.made.stored.id}",
            may_read=klen,
            may_write=klen,
            expires_at=callers[0] and callers[0].expires_at,
        )
        assert callers[0].expires_at is not None
        assert callers[0].expires_at.timestamp() == 1_000

    def test_a_revocation_counts_once_that_while_is_over(self) -> None:
        assert self.caller()
        self.store.keys[self.made.stored.id] = replace(self.made.stored, revoked_at=1)

        self.seconds = REMEMBERED_SECONDS - 0.01
        assert self.caller()
        self.seconds = REMEMBERED_SECONDS
        assert self.caller() is None

    def test_an_expiry_counts_at_once(self) -> None:
        assert self.caller()
        self.now = 999_999
        assert self.caller()
        self.now = 1_000_000

        assert self.caller() is None

    def test_a_wrong_secret_is_wrong_also_when_the_key_is_remembered(self) -> None:
        assert self.caller()

        assert self.caller(self.made.text[:-1] + ("0" if self.made.text[-1] != "0" else "1")) is None

    def test_ids_that_are_made_up_leave_nothing_behind(self) -> None:
        for number in range(50):
            assert self.caller(f"cgw_{number:016x}_{'0' * 64}") is None

        assert (self.store.asked, len(self.keys._remembered)) == (50, 0)

    def test_what_is_remembered_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(api_keys, "_MAX_REMEMBERED", 3)
        made = [new_key("one of many", ("contacts:read",), now=0) for _ in range(10)]
        self.store.keys |= {key.stored.id: key.stored for key in made}

        assert all(self.caller(key.text) for key in made)
        assert list(self.keys._remembered) == [key.stored.id for key in made[-3:]]

    def test_a_database_that_fails_is_not_taken_for_a_wrong_key(self) -> None:
        assert self.caller()
        self.store.broken = True
        assert self.caller()
        self.seconds = REMEMBERED_SECONDS

        with pytest.raises(OperationalError):
            self.caller()

    def test_secrets_are_compared_in_constant_time_also_for_an_unknown_id(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared: list[tuple[str, str]] = []

        def compare(one: str, other: str) -> bool:
            compared.append((one, other))
            return one == other

        monkeypatch.setattr(api_keys, "compare_digest", compare)
        self.caller()
        self.caller(f"cgw_{'0' * 16}_{'0' * 64}")

        right = self.made.stored.digest
        assert compared == [(right, right), (sha256(("0" * 64).encode()).hexdigest(), "-" * 64)]
