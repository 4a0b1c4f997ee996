"""The closed vocabulary of error codes, so that no label and no line repeats what a client made up."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.domain.errors import ErrorCode

OTHER: Final = "other"
# Beside the enum: README's table of error codes has the same ones, and a test compares.
CODES: Final = frozenset(ErrorCode) | {
    "ALL_PROVIDERS_FAILED",
    "STORE_UNAVAILABLE",
    "INTERNAL_ERROR",
    "UNAUTHENTICATED",
    "IDENTITY_PROVIDER_UNAVAILABLE",
    "BAD_USER_INPUT",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "OPERATION_RESOLUTION_FAILURE",
    "DOCUMENT_NOT_TRUSTED",
    "DOCUMENT_ID_MISMATCH",
    "PERSISTED_QUERY_NOT_FOUND",
    "PERSISTED_QUERY_NOT_SUPPORTED",
    "LIMIT_EXCEEDED",
    "CROSS_SITE_REQUEST",
    "MISDIRECTED_REQUEST",
    "TOO_MANY_CONNECTIONS",
    "GATEWAY_STOPPING",
    "PATH_NOT_FOUND",
    "BAD_REQUEST",
    "METHOD_NOT_ALLOWED",
    "NOT_ACCEPTABLE",
    "REQUEST_TIMEOUT",
    "BATCHING_NOT_SUPPORTED",
    "UNSUPPORTED_MEDIA_TYPE",
    "UNSUPPORTED_ENCODING",
}


def known(code: object) -> str:
    """The code as it is counted."""
    return str(code) if code in CODES else OTHER


def codes_of(body: Mapping[str, Any]) -> Iterator[str]:
    """Those of the errors in one result, the parts of a deferred one included."""
    for error in body.get("errors") or ():
        yield known((error.get("extensions") or {}).get("code"))
    for part in (*(body.get("incremental") or ()), *(body.get("completed") or ())):
        yield from codes_of(part)
