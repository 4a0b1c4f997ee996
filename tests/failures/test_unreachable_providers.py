"""No connection: nothing was sent, so a write was surely not applied."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_EMAIL
from gateway.sandbox.server import RunningSandbox
from tests.conftest import Gateway
from tests.failures.outcomes import (
    BY_EMAIL,
    CHANGES,
    CREATE,
    DELETE,
    FINDERS,
    LIST,
    PERSON,
    PROVIDERS,
    READ,
    UPDATE,
    a_fault,
    assert_failed,
    assert_read_failed,
    contact_id,
    everything_received,
    failure_result,
    operations,
    results_without_messages,
    source,
    sources_without_messages,
)

StartGateway = Callable[..., Gateway]
providers = pytest.mark.parametrize("provider", PROVIDERS)


NAMES = ("GATELY", "COMETLY", "KLEN")


def unreachable(provider: str) -> dict[str, Any]:
    return a_fault(provider, "PROVIDER_UNREACHABLE", retryable=True)


@providers
def test_a_creation_at_a_closed_port_is_surely_not_applied(provider: str, cut_off: Gateway) -> None:
    answer = cut_off.send(CREATE, input={**PERSON, "providers": [provider]})
    assert_failed(answer, "createContact", unreachable(provider))


@providers
def test_an_update_at_a_closed_port_is_surely_not_applied(provider: str, cut_off: Gateway) -> None:
    answer = cut_off.send(UPDATE, input={**CHANGES[provider], "id": contact_id(provider)})
    assert_failed(answer, "updateContact", unreachable(provider))


def test_a_deletion_at_a_closed_port_is_surely_not_applied(cut_off: Gateway) -> None:
    assert_failed(cut_off.send(DELETE, input={"id": contact_id("GATELY")}), "deleteContact", unreachable("GATELY"))


@providers
def test_a_read_at_a_closed_port_may_be_repeated(provider: str, cut_off: Gateway) -> None:
    answer = cut_off.send(READ, id=contact_id(provider))
    assert_read_failed(answer, ["contact", "name"], unreachable(provider))
    shown = sources_without_messages(answer["data"]["contact"]["sources"])
    assert shown == [source(provider, "FAILED", unreachable(provider))]


@providers
def test_a_list_at_a_closed_port_may_be_repeated(provider: str, cut_off: Gateway) -> None:
    answer = cut_off.send(LIST, providers=[provider])
    assert_read_failed(answer, ["contacts", "edges", 0], unreachable(provider))


@pytest.mark.parametrize("provider", FINDERS)
def test_a_look_up_at_a_closed_port_stands_in_the_sources(provider: str, cut_off: Gateway) -> None:
    found = cut_off.data(BY_EMAIL, email=EVERYWHERE_EMAIL, providers=[provider])["contactsByEmail"]
    assert found["contacts"] == []
    assert sources_without_messages(found["sources"]) == [source(provider, "FAILED", unreachable(provider))]


def test_nobody_reachable_is_one_error_with_the_shared_code(cut_off: Gateway) -> None:
    answer = cut_off.send(CREATE, input={**PERSON, "providers": ["KLEN", "COMETLY", "GATELY"]})
    faults = [unreachable(provider) for provider in ("KLEN", "COMETLY", "GATELY")]
    assert_failed(answer, "createContact", *faults, code="PROVIDER_UNREACHABLE")


def _bases(url_of: Callable[[str], str]) -> dict[str, str]:
    return {f"{name}_BASE_URL": url_of(name) for name in NAMES}


def _assert_nobody_reached(gateway: Gateway, sandbox: Sandbox) -> None:
    answer = gateway.send(CREATE, input={**PERSON, "providers": list(PROVIDERS)})
    assert_failed(answer, "createContact", *map(unreachable, PROVIDERS), code="PROVIDER_UNREACHABLE")
    assert everything_received(sandbox) == []


def test_a_tls_error_is_unreachable(
    start_gateway: StartGateway, running_sandbox: RunningSandbox, sandbox: Sandbox
) -> None:
    """The simulators speak no TLS, so the handshake fails after a connection was made."""
    plain = running_sandbox.environment()
    secure = _bases(lambda name: plain[f"{name}_BASE_URL"].replace("http://", "https://"))
    _assert_nobody_reached(start_gateway(environment=secure), sandbox)


def test_a_handshake_that_never_ends_is_unreachable(start_gateway: StartGateway, sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/v1"
        gateway = start_gateway(environment=_bases(lambda _: url), connect_timeout_seconds=0.2)
        _assert_nobody_reached(gateway, sandbox)


def test_a_name_that_cannot_be_resolved_is_unreachable(
    start_gateway: StartGateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)

    def unknown_name(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    gateway = start_gateway(environment=_bases(lambda _: "http://provider.invalid/v1"))
    monkeypatch.setattr(socket, "getaddrinfo", unknown_name)
    _assert_nobody_reached(gateway, sandbox)


def test_one_provider_out_of_reach_costs_nobody_else_anything(
    start_gateway: StartGateway, closed_port: int, sandbox: Sandbox
) -> None:
    gateway = start_gateway(environment={"KLEN_BASE_URL": f"http://127.0.0.1:{closed_port}/v1"})
    payload = gateway.data(CREATE, input=PERSON)["createContact"]
    results = results_without_messages(payload)
    assert (payload["status"], [(one["provider"], one["outcome"]) for one in results]) == (
        "PARTIAL",
        [("GATELY", "APPLIED"), ("KLEN", "NOT_APPLIED"), ("COMETLY", "APPLIED")],
    )
    assert results[1] == failure_result(unreachable("KLEN"), "NOT_APPLIED")
    assert operations(sandbox.klen) == []
