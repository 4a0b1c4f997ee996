"""What a connector put on the wire, as its simulator saw it."""

from dataclasses import dataclass
from typing import Any

from gateway.sandbox.simulator import RecordedRequest, Simulator


@dataclass(frozen=True, slots=True)
class WireLog:
    """Paths are below the base path of the API."""

    simulator: Simulator

    @property
    def requests(self) -> list[RecordedRequest]:
        return self.simulator.requests

    @property
    def calls(self) -> list[str]:
        """Method and path of every request, such as `GET /contacts/1`."""
        return [f"{one.method} {one.path.removeprefix(self.simulator.base_path)}" for one in self.requests]

    @property
    def writes(self) -> list[tuple[str, Any]]:
        """Every request that is no GET, with its body."""
        pairs = zip(self.calls, self.requests, strict=True)
        return [(call, request.body) for call, request in pairs if request.method != "GET"]

    @property
    def only_write(self) -> Any:
        """The body of the one request that is no GET."""
        ((_, body),) = self.writes
        return body

    def clear(self) -> None:
        self.requests.clear()
