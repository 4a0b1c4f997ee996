"""Which media type an answer may have.

Source: RFC 9110, section 12.5.1; GraphQL over HTTP (draft), sections Accept and Body.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import mimeparse  # type: ignore[import-untyped]  # it has no types

from gateway.http.refusal import RequestRefused

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"
EVENT_STREAM = "text/event-stream"
HTML = "text/html"


@dataclass(frozen=True, slots=True)
class Acceptable:
    """`single` is the media type of one result, None where none is acceptable; `stream` whether events are."""

    single: str | None
    stream: bool


def acceptable(accept: str | None) -> Acceptable:
    """What a caller takes. Without an Accept header, and by wildcards, it is application/json: older clients
    send these (audits 80D8 and 47DE of graphql-http).

    Raises:
        RequestRefused: with 406.
    """
    if accept is None or not accept.strip():
        return Acceptable(JSON, stream=False)
    accept = accept.lower()
    # On a draw mimeparse takes the last one that it is given.
    single = best_of((JSON, GRAPHQL_JSON), accept)
    if single == GRAPHQL_JSON and not names(accept, (GRAPHQL_JSON,)):
        single = best_of((JSON,), accept) or single
    stream = names(accept, (EVENT_STREAM,)) and best_of((EVENT_STREAM,), accept) is not None
    if single is None and not stream:
        raise RequestRefused(406, "NOT_ACCEPTABLE", f"This endpoint answers {GRAPHQL_JSON} or {JSON}.")
    return Acceptable(single, stream)


def best_of(offered: Iterable[str], accept: str) -> str | None:
    """The one of `offered` that `accept` likes best; None when it takes none of them."""
    ranges = ",".join(part for part in accept.split(",") if _is_range(part))
    return (mimeparse.best_match(list(offered), ranges) or None) if ranges else None


def names(accept: str, media_types: Collection[str]) -> bool:
    """Whether one of them stands there by its name, not just by a wildcard."""
    return any(part.split(";")[0].strip() in media_types for part in accept.split(","))


def wants_page(accept: str) -> bool:
    """A browser that opens the address, rather than a program that sends a query."""
    accept = accept.lower()
    return names(accept, (HTML,)) and best_of((HTML, GRAPHQL_JSON, JSON), accept) == HTML


def _is_range(text: str) -> bool:
    try:
        mimeparse.parse_media_range(text)
    except mimeparse.MimeTypeParseException:
        return False
    return True
