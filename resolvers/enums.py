"""Every enum of the schema, registered once, with a description for each of its values."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import strawberry

from gateway.contacts.reading import SourceState
from gateway.domain.contact import ContactStatus, PhoneType, Provider
from gateway.domain.errors import ErrorCode, WriteOutcome
from gateway.domain.exchange import CallKind
from gateway.domain.intent import MatchKey
from gateway.domain.writes import WarningCode, WriteAction, WriteStatus
from gateway.resilience.events import CircuitState
from gateway.resilience.status import ProviderState


def _register(enum: type[Enum], name: str, description: str, values: Mapping[Any, str]) -> None:
    strawberry.enum(enum, name=name, description=description)
    # Expected: descriptions of members given beside the enum. Actual: only inside its class body, where
    # the domain would have to know GraphQL. The definition is plain data, so it is completed here.
    definition: Any = enum.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[enum[value.name]]


_register(
    Provider,
    "Provider",
    "A contact system behind this gateway.",
    {
        Provider.GATELY: "Gately: one flat object per contact.",
        Provider.COMETLY: "Cometly: lists of emails, phones, names and locations.",
        Provider.KLEN: "Klen AI: phones as objects with type and do-not-call mark.",
    },
)
_register(
    PhoneType,
    "PhoneType",
    "What kind of number a phone has.",
    {
        PhoneType.MOBILE: "A mobile phone.",
        PhoneType.WORK: "A phone at work.",
        PhoneType.HOME: "A phone at home.",
        PhoneType.OTHER: "Anything else, or unknown.",
    },
)
_register(
    ContactStatus,
    "ContactStatus",
    "Where a contact stands. A provider's own word is `ContactRecord.providerStatus`.",
    {
        ContactStatus.NEW: "Nobody has been in touch yet.",
        ContactStatus.ACTIVE: "In touch.",
        ContactStatus.INACTIVE: "No longer in touch.",
        ContactStatus.ARCHIVED: "Kept for the record only.",
    },
)
_register(
    SourceState,
    "SourceState",
    "How a provider answered.",
    {
        SourceState.OK: "It answered.",
        SourceState.NOT_FOUND: "It answered that it has no such record (any more).",
        SourceState.FAILED: "It did not answer, or not usably; `error` says why.",
        SourceState.SKIPPED: "It was not asked, because it cannot do what was asked; `error` says what.",
        SourceState.STALE: "It did not answer, so an older record stands in: `ageSeconds` old; `error` says why.",
        SourceState.PENDING: "It had not answered when `maxWaitMs` was over; ask again shortly.",
    },
)
_register(
    ProviderState,
    "ProviderState",
    "How a provider is, as far as its last answer tells.",
    {
        ProviderState.UNKNOWN: "It has not been called yet, or not since a limit ended.",
        ProviderState.UP: "It answered its last call, even if only to refuse it.",
        ProviderState.FAILING: "Its last call got no answer, or not a usable one; `fault` says why.",
        ProviderState.LIMITED: "It takes no calls for now and said so; `limitedUntil` says until when, if it is known.",
    },
)
_register(
    CircuitState,
    "CircuitState",
    "Whether calls are let through to a provider (a circuit breaker).",
    {
        CircuitState.CLOSED: "Calls are made.",
        CircuitState.OPEN: "Too many failed just now; until the next probe nobody calls (PROVIDER_UNAVAILABLE).",
        CircuitState.HALF_OPEN: "One call at a time probes whether the provider is back.",
    },
)
_register(
    CallKind,
    "ProviderOperation",
    "What can be asked of a provider.",
    {
        CallKind.CREATE: "Create a contact.",
        CallKind.READ: "Read one contact by id.",
        CallKind.LIST: "List contacts.",
        CallKind.UPDATE: "Change a contact.",
        CallKind.DELETE: "Delete a contact for good.",
        CallKind.FIND_BY_EMAIL: "Find contacts by their exact email address.",
    },
)
_register(
    WriteStatus,
    "WriteStatus",
    "The end of a write over all its providers.",
    {
        WriteStatus.SUCCEEDED: "Every provider applied it.",
        WriteStatus.PARTIAL: "Some applied it; `results` says who did not, and why.",
        WriteStatus.UNKNOWN: "Nobody surely applied it, and somebody may have. Look before you repeat it.",
        WriteStatus.FAILED: "Nobody applied it. Answered as one error, except by reconcileWrite.",
        WriteStatus.PREVIEWED: "A dry run: nothing was written.",
    },
)
_register(
    WriteOutcome,
    "WriteOutcome",
    "What is known about a write at one provider.",
    {
        WriteOutcome.APPLIED: "It was done.",
        WriteOutcome.NOT_APPLIED: "It was surely not done; repeating it cannot double it.",
        WriteOutcome.UNKNOWN: "It may have been done. Repeating a creation could double it.",
    },
)
_register(
    WriteAction,
    "WriteAction",
    "What a provider did.",
    {
        WriteAction.CREATED: "It created the record.",
        WriteAction.UPDATED: "It changed the record.",
        WriteAction.DELETED: "It deleted the record.",
        WriteAction.UNCHANGED: "Nothing was left to do there, so it was not called.",
        WriteAction.REPLAYED: "It did this when the write was sent before; now it was not called.",
    },
)
_register(
    MatchKey,
    "MatchKey",
    "What an upsert recognises a contact by.",
    {
        MatchKey.EMAIL: "Any of its email addresses; upper and lower case are equal.",
        MatchKey.EXTERNAL_ID: "Your own id for it, at providers that hold one.",
    },
)
_register(
    WarningCode,
    "WarningCode",
    "What a provider could not take as it was given.",
    {
        WarningCode.FIELD_DROPPED: "The provider cannot hold it, so it was not sent, or did not go away.",
        WarningCode.VALUE_DERIVED: "It was worked out from other fields, such as a first name from a whole name.",
        WarningCode.VALUE_COERCED: "It was sent in another form, such as an address as one line of text.",
        WarningCode.NOT_STORED: "It was sent and accepted, but the provider answers another value.",
    },
)
_register(
    ErrorCode,
    "ErrorCode",
    "What went wrong, for programs. The same words stand in `extensions.code` of an error.",
    {
        ErrorCode.INVALID_INPUT: "The input is wrong; `extensions.fields` or `field` says where.",
        ErrorCode.UNSUPPORTED_OPERATION: "The provider cannot do this at all, or is not configured.",
        ErrorCode.UNSUPPORTED_FIELD: "The provider cannot filter, match or check a condition by this.",
        ErrorCode.UNSUPPORTED_CLEAR: "The provider cannot clear this field.",
        ErrorCode.LIST_TRUNCATED: "The provider shows a list only in part, so it cannot be written back safely.",
        ErrorCode.NOT_FOUND: "The provider has no such record, or does not show it.",
        ErrorCode.DUPLICATE: "The provider already holds such a contact.",
        ErrorCode.PROVIDER_UNAUTHENTICATED: "The provider refused the gateway's credentials.",
        ErrorCode.PROVIDER_FORBIDDEN: "The gateway's credentials do not permit this.",
        ErrorCode.FORBIDDEN: "Your own credential does not permit this at the provider; nothing was sent.",
        ErrorCode.RATE_LIMITED: "Too many calls; `retryAfterMs` says how long to wait, if that is known.",
        ErrorCode.PROVIDER_UNREACHABLE: "No connection; nothing was sent.",
        ErrorCode.PROVIDER_UNAVAILABLE: "The provider takes no calls for now.",
        ErrorCode.PROVIDER_TIMEOUT: "The request was sent and no whole answer came.",
        ErrorCode.PROVIDER_ERROR: "The provider failed.",
        ErrorCode.PROVIDER_BAD_RESPONSE: "The provider's answer could not be understood.",
        ErrorCode.DEADLINE_EXCEEDED: "The operation ran out of time before the provider was called.",
        ErrorCode.UPSTREAM_CALL_LIMIT: "The operation needs more calls to providers than one may make.",
        ErrorCode.RECORD_BUSY: "Another write to the same record did not end in time; nothing was sent.",
        ErrorCode.STALE_RECORD: "The record was changed after `ifUnmodifiedSince`; nothing was sent.",
        ErrorCode.AMBIGUOUS_MATCH: "An upsert could mean any of several records; `candidates` lists them.",
        ErrorCode.IDEMPOTENCY_KEY_MISMATCH: "The key was used with another input.",
        ErrorCode.IDEMPOTENCY_IN_PROGRESS: "The write is still under way; `retryAfterMs` says when to ask again.",
    },
)
