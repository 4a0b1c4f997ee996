"""No call begins after the operation's deadline; the attempt itself is cut off there by gateway.upstream."""

from collections.abc import Awaitable

from gateway.domain.contact import Provider
from gateway.domain.errors import DeadlineExceeded
from gateway.domain.exchange import Call, Reply
from gateway.resilience.operation import current_operation
from gateway.resilience.policy import Send


def within_deadline(provider: Provider, send: Send) -> Send:
    def guarded(call: Call) -> Awaitable[Reply]:
        if current_operation().seconds_left == 0:
            raise DeadlineExceeded(provider, "The operation ran out of time before this provider was called.")
        return send(call)

    return guarded
