"""The examples of docs/examples, run as they are: what they tell, and what the providers hold afterwards."""

import json
import time
from collections.abc import Callable

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from tests.clients.conftest import COMMANDS, LiveGateway, Start, ended

EVERYWHERE = {"gately": 1, "klen": 1, "cometly": 1}
ALL_APPLIED = ["GATELY APPLIED", "KLEN APPLIED", "COMETLY APPLIED"]

Run = Callable[[str], tuple[int, list[str]]]


@pytest.fixture(params=sorted(COMMANDS))
def command(request: pytest.FixtureRequest) -> list[str]:
    return COMMANDS[request.param]


@pytest.fixture
def run(start: Start, command: list[str]) -> Run:
    """Runs the example for an email address."""
    return lambda address: ended(start(*command, address))


def held(sandbox: Sandbox, address: str) -> dict[str, int]:
    """How many contacts with this address each provider holds."""
    return {
        one.provider: sum(address in json.dumps(contact, default=str) for contact in one.describe_contacts())
        for one in (sandbox.gately, sandbox.klen, sandbox.cometly)
    }


def creations(sandbox: Sandbox) -> dict[str, int]:
    """How many creations were sent to each provider."""
    return {
        one.provider: sum(request.operation == "create" for request in one.requests)
        for one in (sandbox.gately, sandbox.klen, sandbox.cometly)
    }


def check_succeeded(status: int, printed: list[str]) -> None:
    assert printed[:-1] == ALL_APPLIED
    assert printed[-1].startswith("SUCCEEDED ")
    assert status == 0


def test_a_contact_is_created_everywhere(run: Run, sandbox: Sandbox) -> None:
    check_succeeded(*run("ines@aalto.test"))

    assert held(sandbox, "ines@aalto.test") == EVERYWHERE
    assert creations(sandbox) == EVERYWHERE


def test_an_answer_lost_by_a_provider_is_found_again(run: Run, sandbox: Sandbox) -> None:
    check_succeeded(*run("lost-answer.klen@fault.test"))

    assert held(sandbox, "lost-answer.klen@fault.test") == EVERYWHERE
    assert creations(sandbox) == EVERYWHERE


def test_a_request_lost_on_its_way_is_sent_again_once_it_surely_was(run: Run, sandbox: Sandbox) -> None:
    sandbox.gately.faults.add(Fault(kind="drop_before", operation="create", count=1))

    check_succeeded(*run("ines@aalto.test"))

    assert held(sandbox, "ines@aalto.test") == EVERYWHERE
    assert creations(sandbox) == {**EVERYWHERE, "gately": 2}


def test_a_request_that_is_lost_for_good_is_not_called_a_success(start: Start, sandbox: Sandbox) -> None:
    address = "lost-request.gately@fault.test"
    # All at a time, because each of them asks again for ten seconds.
    for process in [start(*command, address) for command in COMMANDS.values()]:
        status, printed = ended(process)
        assert printed[0].startswith("GATELY UNKNOWN PROVIDER_TIMEOUT: ")
        assert printed[1:3] == ALL_APPLIED[1:]
        assert printed[3].startswith("PARTIAL ")
        assert status == 1
    assert held(sandbox, address) == {"gately": 0, "klen": 3, "cometly": 3}


def test_a_provider_that_is_unavailable_once_gets_it_the_second_time(run: Run, sandbox: Sandbox) -> None:
    check_succeeded(*run("flaky.cometly@fault.test"))

    assert held(sandbox, "flaky.cometly@fault.test") == EVERYWHERE
    assert creations(sandbox) == {**EVERYWHERE, "cometly": 2}


def test_a_wait_that_is_too_long_is_told_instead(run: Run, sandbox: Sandbox) -> None:
    status, printed = run("429.gately@fault.test")

    assert printed[0] == "GATELY NOT_APPLIED RATE_LIMITED: Gately takes no more calls for now. (HTTP 429)"
    assert printed[1:3] == ALL_APPLIED[1:]
    assert printed[3].startswith("PARTIAL ")
    assert status == 1
    assert held(sandbox, "429.gately@fault.test") == {**EVERYWHERE, "gately": 0}
    assert creations(sandbox) == EVERYWHERE


def test_a_write_that_everybody_refuses_has_failed(run: Run, sandbox: Sandbox) -> None:
    for simulator in sandbox.simulators:
        simulator.faults.add(Fault(kind="status", status=422, operation="create"))

    status, printed = run("ines@aalto.test")

    assert [line.split(":")[0] for line in printed[:3]] == [
        "GATELY NOT_APPLIED INVALID_INPUT",
        "KLEN NOT_APPLIED INVALID_INPUT",
        "COMETLY NOT_APPLIED INVALID_INPUT",
    ]
    assert printed[3].startswith("FAILED INVALID_INPUT ")
    assert status == 1
    assert held(sandbox, "ines@aalto.test") == dict.fromkeys(EVERYWHERE, 0)
    assert creations(sandbox) == EVERYWHERE


def test_a_write_that_failed_for_now_is_sent_again(run: Run, sandbox: Sandbox) -> None:
    for simulator in sandbox.simulators:
        simulator.faults.add(Fault(kind="status", status=429, retry_after_seconds=1, operation="create", count=1))

    check_succeeded(*run("ines@aalto.test"))

    assert held(sandbox, "ines@aalto.test") == EVERYWHERE
    assert creations(sandbox) == dict.fromkeys(EVERYWHERE, 2)


def test_input_that_is_wrong_reaches_nobody(run: Run, sandbox: Sandbox) -> None:
    status, printed = run("no address")

    assert len(printed) == 1
    assert printed[0].startswith("INVALID_INPUT: ")
    assert status == 1
    assert creations(sandbox) == dict.fromkeys(EVERYWHERE, 0)


def test_an_answer_lost_between_gateway_and_client_is_asked_for_again(
    run: Run, sandbox: Sandbox, live_gateway: LiveGateway
) -> None:
    live_gateway.cut_the_next_answer()

    check_succeeded(*run("ines@aalto.test"))

    assert held(sandbox, "ines@aalto.test") == EVERYWHERE
    assert creations(sandbox) == EVERYWHERE


def test_the_same_key_twice_at_a_time_is_one_write(start: Start, command: list[str], sandbox: Sandbox) -> None:
    sandbox.gately.faults.add(Fault(kind="slow", delay_ms=3000, operation="create"))

    first = start(*command, "ines@aalto.test", "one-key")
    give_up_at = time.monotonic() + 30
    while not sandbox.gately.requests:
        assert time.monotonic() < give_up_at
        time.sleep(0.01)
    second = start(*command, "ines@aalto.test", "one-key")

    check_succeeded(*ended(first))
    check_succeeded(*ended(second))
    assert held(sandbox, "ines@aalto.test") == EVERYWHERE
    assert creations(sandbox) == EVERYWHERE
