"""One operation makes a bounded number of calls, so that a small query cannot become a flood upstream."""

from gateway.domain.contact import Provider
from gateway.domain.errors import CallLimitReached
from gateway.domain.exchange import Call, Reply
from gateway.resilience.operation import MAX_UPSTREAM_CALLS, current_operation
from gateway.resilience.policy import Send


def counted(provider: Provider, send: Send) -> Send:
    async def guarded(call: Call) -> Reply:
        payer = current_operation().payer
        if payer.calls_left <= 0:
            raise CallLimitReached(
                provider,
                f"The operation needs more than {MAX_UPSTREAM_CALLS} calls to providers; ask for fewer"
                " contacts at once, or for fewer fields.",
            )
        payer.calls_left -= 1
        return await send(call)

    return guarded
