"""Requests that a page of somebody else makes a browser send are refused before they do anything.

A POST is safe by its media type: no page may send application/json elsewhere without asking first (CORS). A GET may
be sent by an image, a link or a form; it has to show that a program made it.

Source: Fetch standard, sections CORS protocol and Sec-Fetch-*; the same check in Go's http.CrossOriginProtection.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from gateway.http.negotiation import EVENT_STREAM, GRAPHQL_JSON, JSON, names
from gateway.http.refusal import RequestRefused
from gateway.http.request_headers import RequestHeaders

# No page can send one of these elsewhere without a preflight. Apollo Client and Yoga's clients send theirs.
PREFLIGHT_HEADERS = ("graphql-require-preflight", "apollo-require-preflight", "x-apollo-operation-name")
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


def refuse_foreign_page(headers: RequestHeaders, allowed: Collection[str]) -> None:
    """`allowed` are origins (CORS) beside our own.

    Raises:
        RequestRefused: with 403, for a browser's request on behalf of a page from elsewhere.
    """
    origin = headers.get(b"origin")
    if origin is not None:
        if origin not in allowed and not _is_own(origin, headers):
            raise _refused("Pages of this origin may not call the gateway; GATEWAY_CORS_ORIGINS names those that may.")
    elif headers.get(b"sec-fetch-site") not in (None, "none", "same-origin"):
        raise _refused("This is a request of a page from elsewhere.")


def refuse_simple_get(headers: RequestHeaders) -> None:
    """
    Raises:
        RequestRefused: with 403, for a GET that an image, a link or a form could have made.
    """
    content_type = (headers.get(b"content-type") or "").split(";")[0].strip().lower()
    if content_type not in _FORM_TYPES:
        deliberate = (
            content_type == JSON
            or any(headers.get(name.encode()) for name in PREFLIGHT_HEADERS)
            or names((headers.get(b"accept") or "").lower(), (GRAPHQL_JSON, JSON, EVENT_STREAM))
            # Set by the browser itself for what a script fetches; images, links and forms have other modes.
            or headers.get(b"sec-fetch-mode") in ("cors", "same-origin")
        )
        if deliberate:
            return
    raise _refused(f"Send `Accept: {GRAPHQL_JSON}` with a GET, so that no link or image can make a browser send it.")


def _is_own(origin: str, headers: RequestHeaders) -> bool:
    # Host alone: behind a proxy that ends TLS the scheme is not ours to know.
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        # Such as http://[x, which no browser sends.
        return False
    return bool(host) and host == headers.get(b"host")


def _refused(message: str) -> RequestRefused:
    return RequestRefused(403, "CROSS_SITE_REQUEST", message)
