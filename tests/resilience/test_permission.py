"""The policy that holds a caller to their scopes, and what it does not hold back."""

from __future__ import annotations

import asyncio

import pytest

from gateway.connectors.klen.dialect import KlenDialect
from gateway.domain.caller import Caller
from gateway.domain.contact import Provider
from gateway.domain.errors import ErrorCode, Fault, ProviderFailure, WriteOutcome
from gateway.domain.exchange import Call, CallKind
from gateway.resilience.operation import operation
from gateway.resilience.permission import permitted
from gateway.upstream.endpoint import Endpoint
from gateway.upstream.upstream import Conditions, Upstream
from tests.resilience.test_policies import REPLY, Sender

READER = Caller(id="a reader", may_read=frozenset({Provider.KLEN}), may_write=frozenset())
WRITES = (CallKind.CREATE, CallKind.UPDATE, CallKind.DELETE)


def call(kind: CallKind) -> Call:
    return Call("POST", "/contacts", kind=kind)


def test_it_stands_before_everything_else() -> None:
    upstream = Upstream(Endpoint(base_url="http://127.0.0.1:9", headers={}), KlenDialect(), Conditions())
    asyncio.run(upstream.aclose())

    assert upstream.policies[0] is permitted


@pytest.mark.parametrize("kind", CallKind)
def test_a_reader_reads_and_does_not_write(kind: CallKind) -> None:
    sender = Sender()
    with operation(deadline_seconds=1, caller=READER):
        if kind not in WRITES:
            assert asyncio.run(_sent(Provider.KLEN, sender, kind)) is REPLY
            return
        with pytest.raises(ProviderFailure) as caught:
            asyncio.run(_sent(Provider.KLEN, sender, kind))

    message = "Your credential does not permit this; it needs the scope contacts:write:klen."
    expected = Fault(code=ErrorCode.FORBIDDEN, message=message, provider=Provider.KLEN, retryable=False)
    assert (caught.value.fault, caught.value.outcome, sender.calls) == (expected, WriteOutcome.NOT_APPLIED, [])


@pytest.mark.parametrize("kind", CallKind)
def test_at_another_provider_nothing_is_permitted(kind: CallKind) -> None:
    sender = Sender()
    with operation(deadline_seconds=1, caller=READER), pytest.raises(ProviderFailure) as caught:
        asyncio.run(_sent(Provider.GATELY, sender, kind))

    assert (caught.value.code, sender.calls) == (ErrorCode.FORBIDDEN, [])


@pytest.mark.parametrize("kind", CallKind)
def test_what_the_gateway_does_on_its_own_is_not_held_back(kind: CallKind) -> None:
    assert asyncio.run(_sent(Provider.GATELY, Sender(), kind)) is REPLY
    with operation(deadline_seconds=1):
        assert asyncio.run(_sent(Provider.GATELY, Sender(), kind)) is REPLY


async def _sent(provider: Provider, sender: Sender, kind: CallKind) -> object:
    return await permitted(provider, sender)(call(kind))
