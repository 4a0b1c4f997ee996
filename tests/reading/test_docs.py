"""The examples of docs/reading.md get the answers that stand below them, and its numbers are those of the code."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from gateway.contacts.lingering import MAX_LINGERING
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.settings import GatewaySettings
from resolvers.read_terms import MAX_WAIT_MS
from tests.conftest import Gateway
from tests.reading.bench import LONGEST_WAIT_SECONDS, FakeTime, Providers

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/reading.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```graphql\n(.*?)```\s+```json\n(.*?)```", TEXT, re.DOTALL)


def example(name: str) -> tuple[str, dict[str, Any]]:
    """The query and the answer that name a state; every example belongs to one."""
    assert len(EXAMPLES) == TEXT.count("```graphql") == 3
    ((query, answer),) = [one for one in EXAMPLES if f'"{name}"' in one[1]] if name != "OK" else EXAMPLES[:1]
    return query, json.loads(answer)


def test_a_fresh_record_tells_its_age(gateway: Gateway, time: FakeTime) -> None:
    query, answer = example("OK")
    gateway.data(query)
    time.advance(3)

    assert gateway.send(query) == answer


def test_a_stale_record_tells_its_age_and_why(gateway: Gateway, sandbox: Sandbox, time: FakeTime) -> None:
    query, answer = example("STALE")
    gateway.data(query)
    time.advance(120)
    sandbox.klen.faults.add(Fault(kind="status", status=503, retry_after_seconds=30))

    assert gateway.send(query) == answer


def test_a_pending_provider_is_told(gateway: Gateway, providers: Providers, time: FakeTime) -> None:
    query, answer = example("PENDING")
    given: list[Any] = []
    providers["KLEN"].hold()
    asking = threading.Thread(target=lambda: given.append(gateway.send(query)))
    asking.start()
    providers["KLEN"].wait_for_answer()
    providers.wait_for_arrival("GATELY")
    time.advance(0.5)
    asking.join(LONGEST_WAIT_SECONDS)

    assert given == [answer]


def test_the_numbers_are_those_of_the_code() -> None:
    settings = GatewaySettings.model_construct()

    assert f"`GATEWAY_READ_CACHE_SECONDS` ({settings.read_cache_seconds:.0f};" in TEXT
    assert f"`GATEWAY_STALE_IF_ERROR_SECONDS` ago ({settings.stale_if_error_seconds:.0f};" in TEXT
    assert f"0 to {MAX_WAIT_MS}" in TEXT
    assert f"At most {MAX_LINGERING:,} calls" in TEXT


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(GATEWAY_[A-Z_]+)`", TEXT))))
def test_every_setting_that_is_named_exists(name: str) -> None:
    assert name.removeprefix("GATEWAY_").lower() in GatewaySettings.model_fields
