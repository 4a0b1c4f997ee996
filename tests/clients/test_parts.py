"""Real clients show what came first, then the rest beside it: @defer and @stream as they are put together there."""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.clients.conftest import NODE, Start, ended
from tests.graphql.ids import ADA_CONTACTS
from tests.graphql.test_contact_list import stock
from tests.parts.conftest import merged

Shown: TypeAlias = Callable[[str], dict[str, list[Any]]]

ADA = ADA_CONTACTS["gately"]
BARE = {"contact": {"id": ADA}}
WHOLE = {"contact": {"id": ADA, "name": "Ada Winter", "emails": [{"address": "ada.winter@northwind.example"}]}}
SOURCES = [{"provider": provider, "state": "OK"} for provider in ("GATELY", "KLEN", "COMETLY")]


@pytest.fixture
def shown(start: Start) -> Shown:
    """The states that a client went through, by what it asked for."""

    def shown(client: str) -> dict[str, list[Any]]:
        status, printed = ended(start(NODE, "parts.mjs", client, ADA))
        assert status == 0, printed
        told: dict[str, list[Any]] = json.loads(printed[-1])
        return told

    return shown


def nodes(state: dict[str, Any]) -> list[str]:
    return [edge["node"]["id"] for edge in state["contacts"]["edges"]]


def newest(sandbox: Sandbox) -> list[str]:
    """A page of three: the share of each provider is one."""
    return sorted(stock(sandbox, provider)[0] for provider in ("gately", "klen", "cometly"))


@pytest.mark.parametrize("client", ["apollo", "apollo over graphql-ws"])
def test_apollo_shows_the_first_part_and_then_each_as_it_comes(shown: Shown, sandbox: Sandbox, client: str) -> None:
    states = shown(client)

    assert states["deferred"] == [BARE, WHOLE]
    first, *_, last = states["streamed"]
    assert first == {"contacts": {"edges": []}}
    assert (sorted(nodes(last)), last["contacts"]["sources"]) == (newest(sandbox), SOURCES)
    for before, after in zip(states["streamed"], states["streamed"][1:], strict=False):
        assert nodes(after)[: len(nodes(before))] == nodes(before)


def test_apollo_with_the_format_before_gets_one_whole_answer(shown: Shown, sandbox: Sandbox) -> None:
    """It names the format that it reads, which is not spoken here, and takes JSON too."""
    states = shown("apollo of the format before")

    assert states["deferred"] == [WHOLE]
    (only,) = states["streamed"]
    assert (sorted(nodes(only)), only["contacts"]["sources"]) == (newest(sandbox), SOURCES)


def test_urql_shows_the_first_part_and_then_what_was_deferred(shown: Shown) -> None:
    assert shown("urql")["deferred"] == [BARE, WHOLE]


@pytest.mark.xfail(
    reason="@urql/core 6.0.3 puts streamed items beside the list: it takes the last step of a path for an index, which"
    " is so in the format before",
    strict=True,
)
def test_urql_shows_what_was_streamed(shown: Shown, sandbox: Sandbox) -> None:
    assert sorted(nodes(shown("urql")["streamed"][-1])) == newest(sandbox)


@pytest.mark.parametrize("client", ["graphql-sse", "graphql-ws"])
def test_clients_of_streams_pass_every_part_on(shown: Shown, sandbox: Sandbox, client: str) -> None:
    states = shown(client)

    assert states["deferred"][0]["data"] == BARE
    assert merged(states["deferred"])["data"] == WHOLE
    page = merged(states["streamed"])["data"]
    assert (sorted(nodes(page)), page["contacts"]["sources"]) == (newest(sandbox), SOURCES)
