"""Holds a write against a provider's capabilities before anything is mapped or called (design section 6)."""

from typing import Any, Generic, TypeVar

from msgspec import UNSET, Struct
from msgspec.structs import replace

from gateway.connectors.base import Capabilities, FieldCapability
from gateway.domain.changes import Changes, Draft
from gateway.domain.contact import KLEN_FIELDS, Field
from gateway.domain.errors import ClearUnsupported, ProviderFailure
from gateway.domain.writes import WriteWarning, dropped

C = TypeVar("C", bound=Changes)


class Screened(Struct, Generic[C], frozen=True, kw_only=True):
    """What is left of a write for one provider. With a refusal nothing may be sent there."""

    changes: C
    warnings: tuple[WriteWarning, ...]
    refusal: ProviderFailure | None


def screen(changes: C, capabilities: Capabilities) -> Screened[C]:
    """Leaves out what the provider cannot hold, saying so; refuses what it cannot clear."""
    creating = isinstance(changes, Draft)
    whole = capabilities.created_whole if creating else capabilities.updated_whole
    kept: dict[str, Any] = {}
    warnings: list[WriteWarning] = []
    refusal: ProviderFailure | None = None
    for field in changes.mentioned:
        value = changes.value(field)
        if value is not None and field in whole:
            continue
        capability = capabilities.of(field)
        if value is None and not capability.held:
            # Null for what is never held changes nothing and says nothing.
            kept[field.attribute] = UNSET
        elif value is None and capability.read_only:
            # Nobody could ever have written it there, so it is no reason to refuse the rest.
            kept[field.attribute] = UNSET
            warnings.append(_not_held(capabilities, field, capability))
        elif value is None:
            if not capability.clearable:
                refusal = refusal or _cannot_clear(capabilities, field)
        elif not (capability.writable if creating else capability.updatable):
            kept[field.attribute] = UNSET
            if field not in KLEN_FIELDS:
                warnings.append(_not_held(capabilities, field, capability))
        elif len(value) > 1:
            # One item is kept there.
            primary, others = _primary_and_others(value)
            kept[field.attribute] = (primary,)
            warnings += [
                dropped(field, f"{capabilities.display_name} keeps one of these.", other.position) for other in others
            ]
    screened = replace(changes, **kept) if kept else changes
    return Screened(changes=screened, warnings=tuple(warnings), refusal=refusal)


def _primary_and_others(items: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    primary = next(item for item in items if item.primary)
    return primary, tuple(item for item in items if item is not primary)


def _cannot_clear(capabilities: Capabilities, field: Field) -> ClearUnsupported:
    name = capabilities.display_name
    return ClearUnsupported(
        capabilities.provider, f"{name} cannot clear {field.value}; leave it out there.", field=field.input_path
    )


def _not_held(capabilities: Capabilities, field: Field, capability: FieldCapability) -> WriteWarning:
    name = capabilities.display_name
    if capability.writable:
        return dropped(field, f"{name} takes {field.value} only when a contact is created.")
    return dropped(field, f"{name} cannot store {field.value}.")
