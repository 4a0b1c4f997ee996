"""Query.providers: what each provider can do, from the same data that writes are held against."""

from typing import Any

import strawberry

from gateway.connectors.base import Capabilities
from gateway.contacts.directory import Directory
from gateway.domain.contact import CONTACT_FIELDS, Field, Provider
from gateway.domain.exchange import CallKind
from gateway.resilience.events import CircuitState
from gateway.resilience.standing import RateLeft
from resolvers.context import Info
from resolvers.cost_directives import at_most
from resolvers.scalars import DateTime
from resolvers.statuses import ProviderStatus


@strawberry.type(description="What a provider can do with one field of a contact.")
class FieldCapability:
    field: str = strawberry.field(description="The field, as it is named in the input: `emails`, `klen.teamId`.")
    readable: bool = strawberry.field(description="Whether it can be read.")
    writable: bool = strawberry.field(description="Whether it can be set when a contact is created.")
    updatable: bool = strawberry.field(description="Whether it can be set by an update.")
    clearable: bool = strawberry.field(description="Whether an update can clear it with null.")
    max_items: int | None = strawberry.field(description="How many items of a list are kept; null: no limit known.")
    required_on_create: bool = strawberry.field(
        description="Whether a creation needs it; names may also be derived from one another."
    )


def _status(root: "ProviderInfo", info: Info) -> Any:
    return info.context.use_cases.statuses.of(root.provider)


def _circuit(root: "ProviderInfo", info: Info) -> CircuitState:
    return info.context.use_cases.statuses.of(root.provider).circuit


def _rate_limits(root: "ProviderInfo", info: Info) -> Any:
    return list(info.context.use_cases.statuses.rate_limits(root.provider))


def _operation(root: RateLeft) -> CallKind:
    return root.kind


@strawberry.type(
    description="What is left of a provider's rate limit, as this gateway counts it and the provider's headers tell."
)
class RateLimit:
    operation: CallKind = strawberry.field(
        resolver=_operation, description="For what; several operations may count against one limit."
    )
    limit: int = strawberry.field(description="How many calls a minute the provider takes.")
    remaining: int = strawberry.field(description="How many of them are left now.")
    reset_at: DateTime = strawberry.field(description="When all of them are left again, if none is made.")


@strawberry.type(description="A provider and what it can do.")
class ProviderInfo:
    provider: Provider = strawberry.field(description="The provider.")
    display_name: str = strawberry.field(description="Its name for people.")
    configured: bool = strawberry.field(description="Whether this gateway has credentials for it.")
    operations: list[CallKind] = strawberry.field(description="What can be asked of it.", directives=[at_most(6)])
    fields: list[FieldCapability] = strawberry.field(
        description="Every field and what it can do with it.", directives=[at_most(25)]
    )
    filters: list[str] = strawberry.field(
        description="Which filters a list of this provider can apply.", directives=[at_most(4)]
    )
    status: ProviderStatus = strawberry.field(
        resolver=_status, description="How it answered last; Subscription.providerStatusChanged tells of changes."
    )
    circuit: CircuitState = strawberry.field(
        resolver=_circuit, description="The circuit of calls to it, as in its status."
    )
    rate_limits: list[RateLimit] = strawberry.field(
        resolver=_rate_limits,
        description="One for each operation that is limited; empty when the gateway keeps no budgets.",
        directives=[at_most(6)],
    )


def list_providers(info: Info) -> list[ProviderInfo]:
    directory = info.context.directory
    return [_info(directory, directory.capabilities(provider)) for provider in directory.precedence]


def _info(directory: Directory, capabilities: Capabilities) -> ProviderInfo:
    own = [field for field in capabilities.fields if field not in CONTACT_FIELDS]
    return ProviderInfo(
        provider=capabilities.provider,
        display_name=capabilities.display_name,
        configured=capabilities.provider in directory.configured,
        operations=[kind for kind in CallKind if kind in capabilities.operations],
        fields=[_capability(capabilities, field) for field in (*CONTACT_FIELDS, *own)],
        filters=sorted(capabilities.filters),
    )


def _capability(capabilities: Capabilities, field: Field) -> FieldCapability:
    can = capabilities.of(field)
    return FieldCapability(
        field=field.value,
        readable=can.readable,
        writable=can.writable,
        updatable=can.updatable,
        clearable=can.clearable,
        max_items=can.max_items,
        required_on_create=can.required_on_create,
    )
