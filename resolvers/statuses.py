"""How providers are at present: Subscription.providerStatusChanged and ProviderInfo.status."""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry
from strawberry import UNSET

from gateway.domain.contact import Provider
from gateway.resilience.events import CircuitState
from gateway.resilience.status import ProviderState
from resolvers.context import Info
from resolvers.faults import ProviderFault
from resolvers.scalars import DateTime


@strawberry.type(
    description="How a provider answered last, whoever asked. It is not called to find out, so nothing is known of one"
    " that nobody needed yet."
)
class ProviderStatus:
    provider: Provider = strawberry.field(description="The provider.")
    state: ProviderState = strawberry.field(description="How it is.")
    since: DateTime = strawberry.field(description="Since when it is so.")
    fault: ProviderFault | None = strawberry.field(
        description="What went wrong last; null when the state is UP or UNKNOWN."
    )
    limited_until: DateTime | None = strawberry.field(
        description="When a LIMITED provider takes calls again; null when it does not say, and in every other state."
    )
    circuit: CircuitState = strawberry.field(
        description="The circuit of calls to it; of several kinds of call the one that holds the most back."
    )


def provider_status_changed(
    info: Info,
    providers: Annotated[
        list[Provider] | None,
        strawberry.argument(description="Which providers; every configured one when left out."),
    ] = UNSET,
) -> AsyncGenerator[ProviderStatus, None]:
    """No generator itself: a wrong argument has to be refused before the stream begins."""
    named = info.context.directory.named(None if providers is UNSET else providers, ("providers",))
    # The domain's status has every field of the type under the same name.
    changes: AsyncGenerator[ProviderStatus, None] = info.context.use_cases.statuses.changes(named)  # type: ignore[assignment]
    return changes


@strawberry.type(description="What can be watched.")
class Subscription:
    provider_status_changed: AsyncGenerator[ProviderStatus, None] = strawberry.subscription(
        resolver=provider_status_changed,
        description="The present status of each named provider at once, then each change. Whoever reads slowly gets the"
        " latest status of each.",
    )
