"""Which media type an answer may have.

Source: RFC 9110, section 12.5.1; GraphQL over HTTP (draft), sections Accept and Body. Parameters of multipart/mixed:
Apollo's incremental v0.2, section HTTP, and docs/adr/0012.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

import mimeparse  # type: ignore[import-untyped]  # it has no types

from gateway.http.refusal import RequestRefused

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"
EVENT_STREAM = "text/event-stream"
MULTIPART = "multipart/mixed"
HTML = "text/html"


# How clients name the one format of parts that is spoken here: Apollo's specification, and Apollo Server before it.
_FORMATS = {"incrementalspec": "v0.2", "incrementaldeliveryspec": "3283f8a"}


@dataclass(frozen=True, slots=True)
class Acceptable:
    """`single` is the media type of one result, None where none is acceptable; `stream` whether events are; `parts` is
    the media type of an answer in several parts, None where one result is liked better."""

    single: str | None
    stream: bool
    parts: str | None = None


_ANYTHING = Acceptable(JSON, stream=False)
# A browser's are of some hundred and fifty characters.
_MAX_REMEMBERED_CHARACTERS = 512


def acceptable(accept: str | None) -> Acceptable:
    """What a caller takes. Without an Accept header, and by wildcards, it is application/json: older clients
    send these (audits 80D8 and 47DE of graphql-http).

    Raises:
        RequestRefused: with 406.
    """
    if accept is None or not accept.strip():
        return _ANYTHING
    return (_remembered if len(accept) <= _MAX_REMEMBERED_CHARACTERS else _read)(accept)


def _read(accept: str) -> Acceptable:
    accept = accept.lower()
    # On a draw mimeparse takes the last one that it is given.
    single = best_of((JSON, GRAPHQL_JSON), accept)
    if single == GRAPHQL_JSON and not names(accept, (GRAPHQL_JSON,)):
        single = best_of((JSON,), accept) or single
    stream = names(accept, (EVENT_STREAM,)) and best_of((EVENT_STREAM,), accept) is not None
    parts = _of_parts(accept, stream=stream, single=single)
    if single is None and not stream and parts is None:
        message = f"This endpoint answers {GRAPHQL_JSON} or {JSON}."
        if names(accept, (MULTIPART,)):
            message += " Its answers in parts are multipart/mixed;incrementalSpec=v0.2 and of no other format."
        raise RequestRefused(406, "NOT_ACCEPTABLE", message)
    return Acceptable(single, stream, parts)


# The same few clients send the same few headers. Who sends ever new ones pushes others out, and longer ones are not
# kept. A refusal is raised anew each time: what raises is not remembered.
_remembered = lru_cache(maxsize=256)(_read)


def _of_parts(accept: str, *, stream: bool, single: str | None) -> str | None:
    """Multipart on a draw, as it was made for it. A wildcard alone does not say that its sender reads parts."""
    multipart = max((_quality(MULTIPART, one) for one in accept.split(",") if _is_spoken(one)), default=0.0)
    events = _quality(EVENT_STREAM, accept) if stream else 0.0
    best = max(multipart, events)
    if best == 0 or (single is not None and best < _quality(single, accept)):
        return None
    return MULTIPART if multipart == best else EVENT_STREAM


def _is_spoken(media_range: str) -> bool:
    """Whether it is multipart/mixed with no parameter that asks for another format."""
    name, *parameters = (part.strip() for part in media_range.split(";"))
    given = dict(part.partition("=")[::2] for part in parameters)
    formats = {key: value.strip('"') for key, value in given.items() if key not in ("q", "boundary")}
    return name == MULTIPART and all(_FORMATS.get(key) == value for key, value in formats.items())


def _quality(media_type: str, accept: str) -> float:
    ranges = ",".join(part for part in accept.split(",") if _is_range(part))
    return float(mimeparse.quality(media_type, ranges)) if ranges else 0.0


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
