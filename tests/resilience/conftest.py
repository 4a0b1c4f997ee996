"""A Redis for what several processes share."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from redis import Redis

from tests import redis_server


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with redis_server.or_skipped(redis_server.running()) as url:
        yield url


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that answers late, as on a busy machine, counts as one that went away. Here it may take its time."""
    monkeypatch.setattr("gateway.resilience.redis_link.CONNECT_SECONDS", 10.0)
    monkeypatch.setattr("gateway.resilience.redis_link.ANSWER_SECONDS", 10.0)


@pytest.fixture
def redis_prefix(redis_url: str, patience: None) -> Iterator[str]:
    """Keys below it are the test's own."""
    prefix = f"gateway-test:{uuid4().hex}"
    yield prefix
    with Redis.from_url(redis_url) as client:
        for key in client.scan_iter(f"{prefix}*"):
            client.delete(key)


@pytest.fixture
def own_redis(patience: None) -> Iterator[redis_server.OwnServer]:
    """A Redis that the test may kill."""
    with redis_server.or_skipped(redis_server.own_server()) as server:
        yield server
