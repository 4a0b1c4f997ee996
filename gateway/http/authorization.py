"""The header in which a caller says who they are."""

from starlette.requests import HTTPConnection


def authorization(connection: HTTPConnection) -> str | None:
    """Several headers are joined, and so have the form of no credential: which of them counts is nobody's guess."""
    return ", ".join(connection.headers.getlist("authorization")) or None
