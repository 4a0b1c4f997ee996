"""One request to the endpoint, as it is read there."""

from dataclasses import dataclass
from typing import Any

from starlette.types import Receive, Scope

from gateway.http.client import CLIENT, Client
from gateway.http.request_headers import RequestHeaders


@dataclass(frozen=True, slots=True)
class Incoming:
    """`scope` and `receive` are ASGI's."""

    scope: Scope
    receive: Receive
    headers: RequestHeaders

    @property
    def method(self) -> str:
        method: str = self.scope["method"]
        return method

    @property
    def client(self) -> Client | None:
        """Who tells when the client leaves, once all of the request is here; None where `receive` has to be asked."""
        client: Client | None = self.scope.get(CLIENT)
        return client if client is not None and client.is_all_here else None

    @property
    def state(self) -> dict[str, Any]:
        """What is known of this request alone."""
        state: dict[str, Any] = self.scope["state"]
        return state
