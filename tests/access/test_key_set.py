"""When the keys of the identity provider are fetched, and which of them are taken; with a clock of the test's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from gateway.access.key_set import KeySet, KeysUnavailable, Pace, UnusableKeys, read_keys
from gateway.upstream.key_document import KeyDocumentUnavailable
from tests.access.issuer import private_key, public_jwk

PACE = Pace(pause=10.0, fresh=300.0)


class Source:
    """Where the keys come from: `ids` are those it tells; it can be slow, or silent."""

    def __init__(self, *ids: str) -> None:
        self.ids = ids
        self.fetches = 0
        self.silent = False
        self.gate: asyncio.Event | None = None
        self.now = 1_000.0
        self.keys = KeySet(self.fetch, pace=PACE, clock=lambda: self.now)

    async def fetch(self) -> bytes:
        self.fetches += 1
        if self.gate:
            await self.gate.wait()
        if self.silent:
            raise KeyDocumentUnavailable("silence")
        return json.dumps({"keys": [public_jwk(private_key("EC"), kid) for kid in self.ids]}).encode()

    async def knows(self, kid: str) -> bool:
        return await self.keys.find(kid, "ES256") is not None


def run(work: Callable[[Source], Coroutine[Any, Any, None]], *ids: str) -> None:
    async def in_time() -> None:
        # Whoever waits for what never comes fails rather than hangs.
        async with asyncio.timeout(10):
            await work(Source(*ids))

    asyncio.run(in_time())


def test_an_unknown_id_fetches_at_most_once_in_ten_seconds() -> None:
    async def work(source: Source) -> None:
        assert await source.knows("a")
        source.ids = ("a", "b")
        source.now += 9.9
        assert not await source.knows("b")
        assert source.fetches == 1
        source.now += 0.1
        assert await source.knows("b")
        assert source.fetches == 2

    run(work, "a")


def test_many_who_need_the_keys_at_once_fetch_once() -> None:
    async def work(source: Source) -> None:
        source.gate = asyncio.Event()
        asking = [asyncio.create_task(source.knows("a")) for _ in range(20)]
        await asyncio.sleep(0)
        asking[0].cancel()
        source.gate.set()
        answers = await asyncio.gather(*asking, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError)
        assert answers[1:] == [True] * 19
        assert source.fetches == 1

    run(work, "a")


def test_a_fetch_that_takes_longer_than_the_pause_is_still_the_only_one() -> None:
    async def work(source: Source) -> None:
        source.gate = asyncio.Event()
        first = asyncio.create_task(source.knows("a"))
        await asyncio.sleep(0)
        source.now += PACE.pause
        second = asyncio.create_task(source.knows("a"))
        await asyncio.sleep(0)
        source.gate.set()
        assert (await first, await second, source.fetches) == (True, True, 1)

    run(work, "a")


def test_keys_that_are_half_old_are_renewed_while_nobody_waits() -> None:
    async def work(source: Source) -> None:
        assert await source.knows("a")
        source.ids, source.gate = ("b",), asyncio.Event()
        source.now += 149
        assert await source.knows("a")
        assert source.fetches == 1
        source.now += 1
        assert await source.knows("a")
        source.gate.set()
        assert source.keys._fetching is not None
        await source.keys._fetching
        assert (source.fetches, await source.knows("a"), await source.knows("b")) == (2, False, True)

    run(work, "a")


def test_a_key_that_was_withdrawn_does_not_count_once_the_keys_are_old() -> None:
    async def work(source: Source) -> None:
        assert await source.knows("a")
        source.ids = ("b",)
        source.now += 300
        assert not await source.knows("a")
        assert source.fetches == 2

    run(work, "a")


def test_a_provider_that_is_down_keeps_nobody_waiting_for_old_keys() -> None:
    async def work(source: Source) -> None:
        assert await source.knows("a")
        source.silent = True
        source.now += 300
        assert await source.knows("a")
        source.now += 10
        source.gate = asyncio.Event()
        assert await source.knows("a")
        assert source.keys._fetching is not None
        source.silent = False
        source.gate.set()
        await source.keys._fetching
        assert (source.fetches, source.keys._has_failed) == (3, False)

    run(work, "a")


def test_a_fetch_that_fails_keeps_the_old_keys_and_is_not_repeated_at_once() -> None:
    async def work(source: Source) -> None:
        assert await source.knows("a")
        source.silent = True
        source.now += 1_000
        assert not await source.knows("b")
        assert not await source.knows("c")
        assert await source.knows("a")
        assert source.fetches == 2

    run(work, "a")


def test_without_any_keys_it_says_when_to_ask_again() -> None:
    async def work(source: Source) -> None:
        source.silent = True
        for passed, seconds in ((0, 10), (4, 6), (5.5, 1)):
            source.now += passed
            with pytest.raises(KeysUnavailable) as caught:
                await source.knows("a")
            assert (caught.value.seconds, source.fetches) == (seconds, 1)
        source.silent = False
        source.now += 0.5
        assert await source.knows("a")

    run(work, "a")


def test_closing_it_ends_a_fetch_that_is_under_way() -> None:
    async def work(source: Source) -> None:
        source.gate = asyncio.Event()
        asking = asyncio.create_task(source.knows("a"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await source.keys.aclose()
        with pytest.raises(asyncio.CancelledError):
            await asking

    run(work, "a")


def weak() -> dict[str, Any]:
    return RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key(), as_dict=True)


GOOD = public_jwk(private_key("RSA"), "k")
PRIVATE = {**RSAAlgorithm.to_jwk(private_key("RSA"), as_dict=True), "kid": "k"}
del PRIVATE["key_ops"]
WRONG: dict[str, Any] = {
    "a secret": {"kty": "oct", "kid": "k", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"},
    "a secret that says RS256": {"kty": "oct", "kid": "k", "k": "c2VjcmV0", "alg": "RS256"},
    "an RSA key for HS256": {**GOOD, "alg": "HS256"},
    "an RSA key for none": {**GOOD, "alg": "none"},
    "an RSA key for ES256": {**GOOD, "alg": "ES256"},
    "a key for encryption": {**GOOD, "use": "enc"},
    "a key for signing only": {**GOOD, "key_ops": ["sign"]},
    "a private key": PRIVATE,
    "a key without id": {name: value for name, value in GOOD.items() if name != "kid"},
    "a short RSA key": {**weak(), "kid": "k"},
    "a curve that nobody knows": {**public_jwk(private_key("EC"), "k"), "crv": "P-999"},
    "a curve that is no text": {**public_jwk(private_key("EC"), "k"), "crv": [1]},
    "a broken key": {**GOOD, "n": "!"},
    "operations that are no list": {**GOOD, "key_ops": 7},
    "a number": 7,
}


@pytest.mark.parametrize("name", WRONG)
def test_a_key_that_cannot_be_used_is_passed_over(name: str) -> None:
    other = public_jwk(private_key("EC"), "other")

    assert set(read_keys(json.dumps({"keys": [WRONG[name], other]}).encode())) == {"other"}


def test_a_key_is_for_the_algorithms_of_its_kind_and_for_its_own_where_it_names_one() -> None:
    keys = [
        public_jwk(private_key("RSA"), "rsa"),
        public_jwk(private_key("RSA"), "ps", alg="PS384"),
        public_jwk(private_key("EC"), "ec"),
        public_jwk(private_key("P-384"), "p-384"),
        public_jwk(private_key("OKP"), "okp"),
    ]

    read = read_keys(json.dumps({"keys": keys}).encode())

    assert {kid: set(by_algorithm) for kid, by_algorithm in read.items()} == {
        "rsa": {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
        "ps": {"PS384"},
        "ec": {"ES256"},
        "p-384": {"ES384"},
        "okp": {"EdDSA"},
    }


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys": 7}', b'{"keys": []}', b"\xff", b"[" * 5000])
def test_a_document_without_keys_is_none(document: bytes) -> None:
    with pytest.raises(UnusableKeys):
        read_keys(document)
