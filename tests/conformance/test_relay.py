"""An application written with Relay: its compiler takes the schema, its store keeps what the gateway answers."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.conftest import Run


@pytest.fixture(scope="module")
def seen(run: Run, told: Callable[[str], Any]) -> dict[str, Any]:
    run("node_modules/relay-compiler/cli.js", "relay.config.json")
    kept: dict[str, Any] = told("relay.mjs")
    return kept


def test_a_connection_grows_page_by_page(seen: dict[str, Any]) -> None:
    assert len(seen["first"]) == 2
    assert seen["second"][:2] == seen["first"]
    assert len(set(seen["second"])) == 4


def test_a_partial_write_is_data(seen: dict[str, Any]) -> None:
    created = seen["created"]

    assert (created["status"], created["errors"]) == ("PARTIAL", None)
    assert created["results"] == [
        {"provider": "GATELY", "outcome": "NOT_APPLIED", "error": {"code": "RATE_LIMITED"}},
        {"provider": "KLEN", "outcome": "APPLIED"},
        {"provider": "COMETLY", "outcome": "APPLIED"},
    ]


def test_a_contact_is_fetched_again_by_its_node(seen: dict[str, Any]) -> None:
    assert seen["again"] == "Ines Aalto"
