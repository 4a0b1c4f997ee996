"""Every attempt is put down to the operation that it is made for, and told to whoever counts."""

from gateway.clock import Monotonic
from gateway.domain.contact import Provider
from gateway.domain.errors import ProviderFailure
from gateway.domain.exchange import Call, Reply
from gateway.resilience.events import ABANDONED, Outcome, PolicyEvents
from gateway.resilience.operation import current_operation
from gateway.resilience.policy import Policy, Send


def tallied(clock: Monotonic, events: PolicyEvents) -> Policy:
    def around(provider: Provider, send: Send) -> Send:
        async def guarded(call: Call) -> Reply:
            spending = current_operation().tally.of(provider)
            spending.calls += 1
            started = clock()
            outcome: Outcome = ABANDONED
            try:
                reply = await send(call)
                outcome = None
                return reply
            except ProviderFailure as failure:
                outcome = failure.code
                raise
            finally:
                seconds = clock() - started
                spending.spent_ms += seconds * 1000
                events.attempted(provider, call.kind, seconds, outcome)

        return guarded

    return around
