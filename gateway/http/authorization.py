"""The header in which a caller says who they are."""

from gateway.http.request_headers import RequestHeaders


def authorization(headers: RequestHeaders) -> str | None:
    """Several headers are joined, and so have the form of no credential: which of them counts is nobody's guess."""
    return ", ".join(headers.all(b"authorization")) or None
