"""What a policy is: a function around the next sender, knowing one provider."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from gateway.domain.contact import Provider
from gateway.domain.exchange import Call, Reply

Send: TypeAlias = Callable[[Call], Awaitable[Reply]]
"""Whatever goes wrong is raised at the latest where the answer is awaited: a policy that only looks before anything is
sent need not be a coroutine, which costs more than its look."""
Policy: TypeAlias = Callable[[Provider, Send], Send]


def stacked(provider: Provider, policies: tuple[Policy, ...], send: Send) -> Send:
    """Folds the policies around `send`; the first one named is the outermost."""
    for policy in reversed(policies):
        send = policy(provider, send)
    return send
