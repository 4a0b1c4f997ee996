"""No call is made that the running operation's caller may not make: the one place where scopes are enforced."""

from collections.abc import Awaitable

from gateway.domain.contact import Provider
from gateway.domain.errors import CallerNotPermitted
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.resilience.operation import current_operation
from gateway.resilience.policy import Send


def permitted(provider: Provider, send: Send) -> Send:
    def guarded(call: Call) -> Awaitable[Reply]:
        refuse_unpermitted(call.kind, provider)
        return send(call)

    return guarded


def refuse_unpermitted(kind: CallKind, provider: Provider) -> None:
    """
    Raises:
        CallerNotPermitted: nothing was sent.
    """
    if not current_operation().caller.may(kind, provider):
        what = "write" if kind.writes else "read"
        message = f"Your credential does not permit this; it needs the scope contacts:{what}:{provider}."
        raise CallerNotPermitted(provider, message)
