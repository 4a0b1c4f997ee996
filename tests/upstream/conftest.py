"""A provider that exists for these tests only, and calls to it."""

from __future__ import annotations

import pytest

from gateway.domain.contact import Provider
from gateway.domain.exchange import Call
from gateway.upstream.refusal import Refusal


class PlainDialect:
    """Reads nothing from the body of an error but what a test puts in its place."""

    provider = Provider.KLEN
    display_name = "Sample CRM"

    def __init__(self, refusal: Refusal | None = None) -> None:
        self.refusal = refusal or Refusal()
        self.bodies: list[bytes] = []

    def read_refusal(self, call: Call, status: int, body: bytes) -> Refusal:
        self.bodies.append(body)
        return self.refusal


@pytest.fixture
def dialect() -> PlainDialect:
    return PlainDialect()
