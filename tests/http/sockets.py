"""HTTP by hand: bytes out, answers in, each held against RFC 9112 before a test looks at it."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

PATIENCE_SECONDS = 10.0
_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [ -~]*")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9a-z-]+): ([\x20-\x7e\t]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        """Of an answer without errors."""
        assert "errors" not in self.json, self.json
        return self.json["data"]

    @property
    def code(self) -> str:
        """Of the only error."""
        assert "data" not in self.json
        (error,) = self.json["errors"]
        assert error["message"].strip()
        code: str = error["extensions"]["code"]
        return code


class Wire:
    """One connection to the gateway."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self._received = bytearray()

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, *pieces: bytes) -> "Wire":
        """As far as the other side takes it: it may close in the middle."""
        with suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                self._socket.sendall(piece)
        return self

    def ended(self) -> bool:
        """Whether nothing more comes; waits for it, or for more."""
        if self._received:
            return False
        try:
            self._more()
        except (ConnectionAbortedError, ConnectionResetError):
            return True
        return False

    def patience(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def status(self) -> int:
        """Of the next answer, whose body is of no interest; it may be one outside of GraphQL."""
        first = self._until(b"\r\n").split(b" ")
        return int(first[1])

    def take(self, count: int) -> bytes:
        return self._exactly(count)

    def answer(self, *, to_head: bool = False) -> Answer:
        """The next one, interim answers (1xx) included."""
        head = self._until(b"\r\n\r\n")
        first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        status_line = _STATUS_LINE.fullmatch(first)
        assert status_line, first
        headers: dict[str, str] = {}
        for line in lines:
            header = _HEADER.fullmatch(line)
            assert header, line
            name = header[1].decode().lower()
            assert name not in headers, f"{name} stands twice"
            headers[name] = header[2].decode()
        status = int(status_line[1])
        return Answer(status, headers, b"" if to_head else self._body(status, headers))

    def closed(self) -> bool:
        """Waits for the end of what comes; whether there was nothing more. A reset is no end: it may take the answer
        away from a client that has not read it yet."""
        assert self._received == b"", self._received
        return self._socket.recv(1) == b""

    def _body(self, status: int, headers: dict[str, str]) -> bytes:
        if status < 200 or status in (204, 304):
            return b""
        if headers.get("transfer-encoding") == "chunked":
            return self._chunks()
        return self._exactly(int(headers["content-length"]))

    def _chunks(self) -> bytes:
        body = bytearray()
        while size := int(self._until(b"\r\n"), 16):
            body += self._exactly(size)
            assert self._until(b"\r\n") == b"\r\n"
        assert self._until(b"\r\n") == b"\r\n"
        return bytes(body)

    def _until(self, end: bytes) -> bytes:
        while (at := self._received.find(end)) < 0:
            self._more()
        return self._exactly(at + len(end))

    def _exactly(self, count: int) -> bytes:
        while len(self._received) < count:
            self._more()
        found = bytes(self._received[:count])
        del self._received[:count]
        return found

    def _more(self) -> None:
        piece = self._socket.recv(65_536)
        if not piece:
            raise ConnectionAbortedError(f"closed after {bytes(self._received)!r}")
        self._received += piece


def post(body: bytes, *headers: bytes, framed: bool = True) -> bytes:
    """A POST to the endpoint; `framed` gives it the length of the body."""
    lines = [b"POST /graphql HTTP/1.1", b"Host: 127.0.0.1", b"Content-Type: application/json", *headers]
    if framed:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


def get(target: bytes = b"/health/live", *headers: bytes) -> bytes:
    return b"\r\n".join([b"GET " + target + b" HTTP/1.1", b"Host: 127.0.0.1", *headers, b"", b""])


def chunked(pieces: Iterable[bytes]) -> Iterable[bytes]:
    for piece in pieces:
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def until(happens: Callable[[], bool]) -> None:
    """Waits for something that another thread does."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)
