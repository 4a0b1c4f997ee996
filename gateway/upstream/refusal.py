"""What a status other than 2xx means: the table of outcomes (design section 6), the same for every provider.

A provider's own words (machine codes, names of fields) are read by its dialect, in its folder.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.domain.contact import Provider
from gateway.domain.errors import (
    CredentialsRefused,
    DuplicateRecord,
    InputRefused,
    PermissionDenied,
    ProviderBroken,
    ProviderFailure,
    ProviderUnavailable,
    RateLimited,
    RecordNotFound,
    ReplyTimedOut,
    ReplyUnreadable,
    WriteOutcome,
)
from gateway.domain.exchange import Call, CallKind
from gateway.upstream.retry_after import read_wait_ms

MAX_MESSAGE_CHARACTERS = 200
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
# A sentence for people: one line, no markup, no path, no address of a machine or a file.
_SENTENCE = re.compile(rf"[^\n\r<>{{}}\\/]{{3,{MAX_MESSAGE_CHARACTERS}}}")


# What a program says to its makers: dotted names, source files, exceptions, queries.
_MACHINE_TALK = re.compile(
    r"\w\.\w+\.\w|\.(py|php|js|ts|rb|java|go|cs)\b|exception|traceback|\w(Error|Exception)\b|\berror in\b"
    r"|sqlstate|\b(select|insert|update|delete)\b.*\b(from|into|set|where)\b|\*\*\*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What a dialect read from the body of an error.

    `field` is the path into our input that the provider blames; `blames_id` says that it finds
    fault with the id in the URL; `hint` is a sentence of ours on what to do about this provider's
    refusal; `failure` overrules the table.
    """

    code: str | None = None
    message: str | None = None
    field: tuple[str, ...] | None = None
    blames_id: bool = False
    hint: str | None = None
    failure: type[ProviderFailure] | None = None


class Dialect(Protocol):
    """How one provider words its errors."""

    provider: Provider
    display_name: str

    def read_refusal(self, call: Call, status: int, body: bytes) -> Refusal: ...


def failure_for(
    dialect: Dialect, call: Call, *, status: int, headers: Mapping[str, str], body: bytes, now: datetime
) -> ProviderFailure:
    """The domain error for an answer whose status is not 2xx."""
    refusal = dialect.read_refusal(call, status, body)
    name = dialect.display_name
    failure = refusal.failure or _failure_by_status(call, status, headers, refusal)
    wait_ms = read_wait_ms(headers, now) if failure in (RateLimited, ProviderUnavailable) else None
    return failure(
        dialect.provider,
        _message(name, failure, status, refusal),
        retryable=_retryable(failure, call, status),
        outcome=_outcome(failure, status),
        retry_after_ms=wait_ms,
        upstream_status=status,
        upstream_code=refusal.code if refusal.code and _CODE.fullmatch(refusal.code) else None,
        field=refusal.field,
    )


def _failure_by_status(call: Call, status: int, headers: Mapping[str, str], refusal: Refusal) -> type[ProviderFailure]:
    if status in (400, 422):
        unknown_id = call.kind is CallKind.READ and refusal.blames_id
        return RecordNotFound if unknown_id else InputRefused
    if status in (404, 410) and call.kind in (CallKind.READ, CallKind.UPDATE, CallKind.DELETE):
        return RecordNotFound
    if status == 409 and call.kind not in (CallKind.CREATE, CallKind.UPDATE):
        return ProviderBroken
    if status == 503 and "retry-after" in headers:
        return ProviderUnavailable
    if status < 400:
        return ReplyUnreadable
    return _BY_STATUS.get(status, ProviderBroken)


_BY_STATUS: Mapping[int, type[ProviderFailure]] = {
    401: CredentialsRefused,
    403: PermissionDenied,
    408: ReplyTimedOut,
    409: DuplicateRecord,
    429: RateLimited,
}


def _outcome(failure: type[ProviderFailure], status: int) -> WriteOutcome:
    """Only a failure inside the provider leaves it open whether the write happened."""
    applied_nothing = status < 500 or failure is ProviderUnavailable
    return WriteOutcome.NOT_APPLIED if applied_nothing else WriteOutcome.UNKNOWN


def _retryable(failure: type[ProviderFailure], call: Call, status: int) -> bool | None:
    if failure is ProviderBroken:
        return status >= 500 and not call.kind.writes
    return True if failure is ReplyTimedOut else None


_SENTENCES: Mapping[type[ProviderFailure], str] = {
    CredentialsRefused: "{name} refused this gateway's credentials.",
    PermissionDenied: "{name} does not permit this with the gateway's credentials.",
    ReplyTimedOut: "{name} gave up waiting for the request.",
    DuplicateRecord: "{name} already holds such a contact.",
    RateLimited: "{name} takes no more calls for now.",
    RecordNotFound: "{name} has no such contact, or does not show it.",
    ProviderUnavailable: "{name} is not available for now.",
    ReplyUnreadable: "{name} answered with a redirect, which is never followed.",
    InputRefused: "{name} refused the input.",
    ProviderBroken: "{name} failed.",
}


def _message(name: str, failure: type[ProviderFailure], status: int, refusal: Refusal) -> str:
    """Our own sentence; the provider's is added only where the caller has to mend the input."""
    sentence = _SENTENCES.get(failure, "{name} did not do it.").format(name=name)
    if failure in (InputRefused, DuplicateRecord) and refusal.message:
        said = refusal.message.strip()
        if said.isprintable() and _SENTENCE.fullmatch(said) and not _MACHINE_TALK.search(said):
            return f"{sentence} It says: {said}"
    return f"{sentence} {refusal.hint or f'(HTTP {status})'}"
