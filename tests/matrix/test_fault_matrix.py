"""Each fault of the sandbox at each operation of each provider, with every policy in place and a time of its own."""

from __future__ import annotations

import msgspec
import pytest

from gateway.connectors.registry import REGISTRY
from gateway.domain.contact import Provider
from gateway.domain.errors import ProviderFailure, WriteOutcome
from gateway.domain.exchange import CallKind
from gateway.resilience.operation import operation
from tests.failures.outcomes import ROWS, Row
from tests.matrix.bench import OPERATIONS, Bench, bench
from tests.matrix.virtual_time import run, this_loop

CELLS = [
    pytest.param(entry.provider, kind, row, id=f"{entry.provider}-{kind}-{row.event}")
    for entry in REGISTRY
    for kind in CallKind
    if kind in entry.capabilities.operations
    for row in ROWS
]
cells = pytest.mark.parametrize(("provider", "kind", "row"), CELLS)
DEADLINE_SECONDS = 25.0
ATTEMPTS = 3


def is_repeated(row: Row, kind: CallKind) -> bool:
    """Whether the gateway sends such a call again by itself: what surely did not happen, never a 4xx but 429, and
    nothing that would have to wait beyond the deadline."""
    status = row.fault.status
    if status is not None and 400 <= status < 500 and status != 429:
        return False
    if (row.retry_after_ms or 0) >= DEADLINE_SECONDS * 1000:
        return False
    return row.write_repeats if kind.writes else row.read_repeats


def goes_unnoticed(row: Row, bench: Bench, kind: CallKind) -> bool:
    """Whether the answer is good enough for all that this operation needs of it."""
    if kind is CallKind.DELETE or (bench.provider is Provider.KLEN and kind is CallKind.UPDATE):
        return row.event in ("wrong_shape", "no_id")
    return row.event == "no_id" and kind in (CallKind.LIST, CallKind.FIND_BY_EMAIL)


async def struck(bench: Bench, kind: CallKind, row: Row, *, count: int | None) -> ProviderFailure | None:
    """The operation's failure, if any, while the fault befalls `count` calls of this kind, or all of them."""
    fault = msgspec.structs.replace(row.fault, operation=OPERATIONS[kind], count=count)
    if fault.kind == "drip":
        # So slowly that no answer is short enough to arrive in time.
        fault = msgspec.structs.replace(fault, delay_ms=1_000)
    bench.simulator.faults.add(fault)
    clock, failure = this_loop().time, None
    begun = clock()
    with operation(deadline_seconds=DEADLINE_SECONDS, clock=clock):
        try:
            await bench.ask(kind)
        except ProviderFailure as caught:
            failure = caught
    assert clock() - begun <= DEADLINE_SECONDS + 0.01
    return failure


@cells
def test_a_lasting_fault_is_told_after_as_many_calls_as_can_do_no_harm(
    provider: Provider, kind: CallKind, row: Row
) -> None:
    async def cell() -> None:
        async with bench(provider) as here:
            failure = await struck(here, kind, row, count=None)
            sent = here.received(kind)
            if failure is None:
                assert goes_unnoticed(row, here, kind)
                assert sent == 1
                return
            assert failure.code == row.code
            assert sent == (ATTEMPTS if is_repeated(row, kind) else 1)
            if kind.writes:
                assert failure.outcome == row.outcome

    run(cell())


@cells
def test_a_passing_fault_is_got_over_where_that_can_do_no_harm(provider: Provider, kind: CallKind, row: Row) -> None:
    async def cell() -> None:
        async with bench(provider) as here:
            known = len(here.simulator.describe_contacts())
            failure = await struck(here, kind, row, count=1)
            if is_repeated(row, kind):
                assert failure is None
                assert here.received(kind) == 2
            else:
                assert here.received(kind) == 1
            added = len(here.simulator.describe_contacts()) - known
            assert added in {CallKind.CREATE: (0, 1), CallKind.DELETE: (-1, 0)}.get(kind, (0,))
            if failure is None and kind is CallKind.CREATE:
                assert added == 1
            if failure is not None and failure.outcome is WriteOutcome.NOT_APPLIED:
                assert added == 0

    run(cell())
