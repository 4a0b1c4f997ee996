"""What a request has made is let go of with its answer: nobody is answered while Python collects garbage."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gateway.domain.errors import ProviderFailure
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_GATELY_ID
from resolvers.context import Context
from tests.conftest import Gateway
from tests.failures.outcomes import contact_id

ADA = contact_id("GATELY", EVERYWHERE_GATELY_ID)
READ = f'{{ contact(id: "{ADA}") {{ name emails {{ address }} records {{ id raw }} sources {{ state }} }} }}'
GONE = f'{{ contact(id: "{contact_id("GATELY", "nobody")}") {{ name }} }}'
LIST = "{ contacts(first: 3) { nodes { name phones { number } } sources { state failure { code } } } }"
FIND = '{ contactsByEmail(email: "a@b.test") { contacts { name } sources { state } } }'
CREATE = 'mutation { createContact(input: {providers: [KLEN], firstName: "Ines"}) { status results { outcome } } }'
FAULTS = [
    None,
    Fault(kind="status", status=500),
    Fault(kind="status", status=429),
    Fault(kind="drop_before"),
    Fault(kind="drop_after"),
    Fault(kind="html"),
]


@contextmanager
def collected() -> Iterator[list[Any]]:
    """What only a collection could let go of after the block."""
    found: list[Any] = []
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        found += gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


@pytest.mark.parametrize("executed", ["gateway", "unplanned"])
@pytest.mark.parametrize("query", [READ, GONE, LIST, FIND, CREATE], ids=["read", "gone", "list", "find", "create"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault and f"{fault.kind} {fault.status or ''}".strip())
def test_an_answer_leaves_nothing_of_its_request(
    request: pytest.FixtureRequest,
    sandbox: Sandbox,
    break_all: Callable[[Fault], None],
    executed: str,
    query: str,
    fault: Fault | None,
) -> None:
    gateway: Gateway = request.getfixturevalue(executed)
    if fault is not None:
        break_all(fault)
    gateway.send(query)
    with collected() as found:
        gateway.send(query)
    kept = Counter(type(one).__name__ for one in found if isinstance(one, Context | ProviderFailure))
    assert kept == {}


@pytest.fixture
def break_all(sandbox: Sandbox) -> Callable[[Fault], None]:
    def break_all(fault: Fault) -> None:
        for simulator in (sandbox.gately, sandbox.cometly, sandbox.klen):
            simulator.faults.add(fault)

    return break_all
