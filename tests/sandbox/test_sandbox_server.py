"""The sandbox on sockets: ports, environment, a clean stop, and rate limits by an injected clock."""

from __future__ import annotations

import asyncio
import json
import socket
import threading

import httpx
import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import CometlySwitches, GatelySwitches, KlenSwitches, Sandbox
from gateway.sandbox.seed.landmarks import SURVIVING_COMETLY_ID
from gateway.sandbox.server import PortUnavailable, RunningSandbox, running, running_in_thread
from tests.sandbox.fake_time import FakeTime


def test_the_environment_configures_a_gateway(served: RunningSandbox) -> None:
    environment = served.environment()
    assert environment["GATELY_BASE_URL"] == served.gately.base_url
    assert environment["COMETLY_BASE_URL"].endswith("/public-api/v1")
    assert environment["COMETLY_TIMEZONE"] == "America/New_York"
    assert json.loads(environment["COMETLY_CUSTOM_FIELDS"]) == {
        "tier": "profile_field_1",
        "seats": "profile_field_16",
        "renewal": "profile_field_26",
    }
    assert all(environment.values())
    assert len(environment) == 9


def test_it_serves_within_a_running_event_loop() -> None:
    async def read_one() -> int:
        async with running(Sandbox()) as served, httpx.AsyncClient(trust_env=False, verify=False) as client:
            answer = await client.get(f"{served.klen.control_url}/contacts")
            return len(answer.json()["contacts"])

    assert asyncio.run(read_one()) == 38


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        wanted = pytest.raises(PortUnavailable, match=f"cometly cannot listen on 127.0.0.1:{port}")
        with wanted, running_in_thread(Sandbox(), ports=(0, port, 0)):
            pytest.fail("it must not start")


@pytest.mark.parametrize(
    "fault", [Fault(kind="hang"), Fault(kind="slow", delay_ms=60_000), Fault(kind="drip", delay_ms=60_000)]
)
def test_it_stops_at_once_although_a_client_still_waits(fault: Fault) -> None:
    sandbox = Sandbox()
    sandbox.klen.faults.add(fault)
    seen: list[str] = []

    def wait_for_klen(url: str) -> None:
        try:
            httpx.get(url, timeout=30, trust_env=False, verify=False)
        except httpx.TransportError as error:
            seen.append(type(error).__name__)

    with running_in_thread(sandbox) as served:
        waiting = threading.Thread(target=wait_for_klen, args=(f"{served.klen.base_url}/contacts",))
        waiting.start()
        while not sandbox.klen.requests:
            waiting.join(0.001)
    waiting.join(5)
    assert seen == ["RemoteProtocolError"]
    assert not waiting.is_alive()


def test_outside_its_api_a_simulator_has_nothing(served: RunningSandbox, gately: httpx.Client) -> None:
    assert gately.get(served.gately.base_url.replace("/api/v1", "/other")).status_code == 404


def test_gately_and_klen_take_sixty_requests_a_minute(
    sandbox: Sandbox, gately: httpx.Client, klen: httpx.Client, time: FakeTime
) -> None:
    sandbox.gately.switches = GatelySwitches(rate_limit=True)
    sandbox.klen.switches = KlenSwitches(rate_limit=True)
    for client in (gately, klen):
        statuses = [client.get("/contacts").status_code for _ in range(61)]
        assert statuses == [200] * 60 + [429]
        time.advance(20)
        refused = client.get("/contacts")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "40")
        time.advance(40)
        assert client.get("/contacts").status_code == 200


def test_cometly_limits_each_endpoint_and_tells_what_is_left(
    sandbox: Sandbox, cometly: httpx.Client, time: FakeTime
) -> None:
    sandbox.cometly.switches = CometlySwitches(rate_limit=True)
    path = f"/contacts/{SURVIVING_COMETLY_ID}"
    answers = [cometly.get(path) for _ in range(16)]
    assert [answer.status_code for answer in answers] == [200] * 15 + [429]
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"15"}
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers[:3]] == ["14", "13", "12"]
    assert answers[-1].headers["retry-after"] == "60"
    assert cometly.put(path, json={"names": []}).headers["x-ratelimit-limit"] == "60"


def test_cometly_sends_its_limit_headers_always(cometly: httpx.Client) -> None:
    for answer in (cometly.get(f"/contacts/{SURVIVING_COMETLY_ID}"), cometly.get("/contacts/1")):
        assert answer.headers["x-ratelimit-limit"] == answer.headers["x-ratelimit-remaining"] == "6000"
