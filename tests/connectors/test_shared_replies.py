"""A reply that several were given is read once for all of them."""

from typing import Any

import pytest

from gateway.connectors.registry import REGISTRY
from gateway.domain.contact import Provider
from gateway.domain.errors import ReplyUnreadable
from gateway.domain.exchange import Call, Reply
from tests.connectors.canned import answered_by, documented
from tests.connectors.conftest import Run


def reply(body: bytes = b"{}") -> Reply:
    return Reply(status=200, headers={}, body=body, latency_ms=1)


class Reader:
    """Counts what it reads, and refuses what is no object."""

    def __init__(self) -> None:
        self.read: list[bytes] = []

    def of(self, given: Reply) -> list[bytes]:
        self.read.append(given.body)
        if given.body != b"{}":
            raise ReplyUnreadable(Provider.KLEN, "The answer could not be read.")
        return [given.body]


def test_whoever_reads_it_the_same_way_gets_the_same() -> None:
    reader, shared = Reader(), reply()
    assert shared.read_once(reader.of) is shared.read_once(reader.of)
    assert reader.read == [b"{}"]


def test_whoever_reads_it_in_another_way_gets_their_own() -> None:
    one, other, shared = Reader(), Reader(), reply()
    assert shared.read_once(one.of) is not shared.read_once(other.of)
    assert (one.read, other.read) == ([b"{}"], [b"{}"])
    assert shared.read_once(len_of) == 2
    assert shared.read_once(one.of) == [b"{}"]


def len_of(given: Reply) -> int:
    return len(given.body)


def test_a_failure_to_read_it_is_everybodys_own() -> None:
    reader, shared = Reader(), reply(b"[]")
    failures = []
    for _ in range(2):
        with pytest.raises(ReplyUnreadable) as failed:
            shared.read_once(reader.of)
        failures.append(failed.value)
    assert failures[0] is not failures[1]
    assert reader.read == [b"[]", b"[]"]


@pytest.mark.parametrize("provider", [entry.provider for entry in REGISTRY])
def test_every_connector_reads_a_record_so(provider: Provider, monkeypatch: pytest.MonkeyPatch, run: Run[Any]) -> None:
    connector, shared = answered_by(provider), reply(documented(provider, "get_response"))

    async def send(_: Call) -> Reply:
        return shared

    monkeypatch.setattr(connector, "_upstream", type("Shared", (), {"send": staticmethod(send)})())
    one, other = run(connector.read("1")), run(connector.read("1"))
    assert one is other
    assert one.raw == shared.body
