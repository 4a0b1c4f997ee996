"""Every attempt is put down to the operation that it is made for."""

from gateway.clock import Monotonic
from gateway.domain.contact import Provider
from gateway.domain.exchange import Call, Reply
from gateway.resilience.operation import current_operation
from gateway.resilience.policy import Policy, Send


def tallied(clock: Monotonic) -> Policy:
    def around(provider: Provider, send: Send) -> Send:
        async def guarded(call: Call) -> Reply:
            with current_operation().tally.of(provider).calling(clock):
                return await send(call)

        return guarded

    return around
