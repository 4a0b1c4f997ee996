"""The headers of one answer, as ASGI takes them: names in lower case."""

from typing import TypeAlias

AnswerHeaders: TypeAlias = list[tuple[bytes, bytes]]


def add_vary(headers: AnswerHeaders, name: bytes) -> None:
    """The answer differs by this header of the request, too."""
    for place, (header, value) in enumerate(headers):
        if header == b"vary":
            headers[place] = (header, value + b", " + name)
            return
    headers.append((b"vary", name))


def put(headers: AnswerHeaders, name: bytes, value: bytes) -> None:
    """In the place of what the answer says itself."""
    headers[:] = [header for header in headers if header[0] != name]
    headers.append((name, value))
