"""How providers answered and what went wrong with them, as data."""

from typing import Any

import strawberry

from gateway.contacts.reading import Source as DomainSource
from gateway.contacts.reading import SourceState
from gateway.domain.contact import Provider
from gateway.domain.errors import ErrorCode
from resolvers.cost_directives import at_most


@strawberry.type(
    description="What went wrong with one provider. The same fields stand in the extensions of a GraphQL error."
)
class ProviderFault:
    code: ErrorCode = strawberry.field(description="What happened, for programs.")
    message: str = strawberry.field(description="What happened, for people. Never empty; may change.")
    provider: Provider = strawberry.field(description="Where it happened.")
    retryable: bool = strawberry.field(
        description="Whether the same request may be sent again without harm. With an idempotency key that is so for an"
        " unknown outcome too: it is looked for first."
    )
    retry_after_ms: int | None = strawberry.field(
        description="How long to wait before that, in milliseconds (at most 24 hours), when the provider said so."
    )
    upstream_status: int | None = strawberry.field(description="The HTTP status that the provider answered, if any.")
    upstream_code: str | None = strawberry.field(description="The provider's own machine code, if it has one.")
    field: list[str] | None = strawberry.field(
        description="The path into the input that the provider blames, beginning with `input`.",
        directives=[at_most(5)],
    )


def _error(root: DomainSource) -> Any:
    return root.failure.fault if root.failure else None


@strawberry.type(
    description="How one provider answered. Select it to show a degraded answer instead of an incomplete one."
)
class Source:
    provider: Provider = strawberry.field(description="Who was asked.")
    state: SourceState = strawberry.field(description="How it answered.")
    error: ProviderFault | None = strawberry.field(
        resolver=_error, description="Why it failed, was skipped, is stale or pending; null otherwise."
    )
    latency_ms: int = strawberry.field(description="How long it took, in milliseconds.")
    age_seconds: int | None = strawberry.field(
        description="How many seconds old the data are, where the gateway had kept them; null when they were asked for"
        " just now. `maxAgeSeconds` bounds it."
    )
