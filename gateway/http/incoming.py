"""One request to the endpoint, as it is read there."""

from typing import Any

from starlette.types import Receive, Scope

from gateway.http.client import CLIENT, Client
from gateway.http.request_headers import request_headers


class Incoming:
    """`scope` and `receive` are ASGI's, `state` is what is known of this request alone."""

    __slots__ = ("headers", "method", "receive", "scope", "state")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope, self.receive = scope, receive
        self.method: str = scope["method"]
        self.state: dict[str, Any] = scope["state"]
        self.headers = request_headers(scope)

    @property
    def client(self) -> Client | None:
        """Who tells when the client leaves, once all of the request is here; None where `receive` has to be asked."""
        client: Client | None = self.scope.get(CLIENT)
        return client if client is not None and client.is_all_here else None
