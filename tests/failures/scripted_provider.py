"""A provider that sends back the very bytes that a test wrote down, for what no simulator would ever say."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable
from typing import Any


def http_reply(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A whole HTTP answer; `retry_after` becomes Retry-After."""
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
    fields |= {name.replace("_", "-").title(): text for name, text in headers.items()}
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {text}" for name, text in fields.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def json_reply(status: int, value: Any, **headers: str) -> bytes:
    return http_reply(status, json.dumps(value).encode(), **headers)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        lines: list[str] = []
        while line := self.rfile.readline().decode("latin-1").strip():
            lines.append(line)
        if not lines:
            return
        headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines[1:])}
        self.rfile.read(int(headers.get("content-length", "0")))
        request = lines[0].removesuffix(" HTTP/1.1")
        self.server.owner.requests.append(request)
        self.wfile.write(self.server.owner.answer(request))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    owner: ScriptedProvider


class ScriptedProvider:
    """`answer` is given the method and target of a request, such as "GET /api/contacts/1"."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.reset()

    def __enter__(self) -> ScriptedProvider:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/api"

    def reset(self) -> None:
        self.requests: list[str] = []
        self.answer: Callable[[str], bytes] = lambda _: json_reply(500, {"message": "not scripted"})

    def always(self, reply: bytes) -> None:
        self.answer = lambda _: reply
