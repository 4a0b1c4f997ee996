"""What the providers were asked, for tests of who is called and how often."""

from typing import Any

from gateway.sandbox.sandbox import Sandbox

NOBODY: dict[str, list[str]] = {}


class Traffic:
    """The requests that reached the simulators since the test began or `forget` was called."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._simulators = {simulator.provider: simulator for simulator in sandbox.simulators}

    @property
    def calls(self) -> dict[str, list[str]]:
        """Method and path below the base path; a provider that received nothing is not named."""
        every = {
            provider: [
                f"{request.method} {request.path.removeprefix(simulator.base_path)}" for request in simulator.requests
            ]
            for provider, simulator in self._simulators.items()
        }
        return {provider: calls for provider, calls in every.items() if calls}

    def queries(self, provider: str) -> list[dict[str, str]]:
        return [request.query for request in self._simulators[provider].requests]

    def bodies(self, provider: str) -> list[Any]:
        return [request.body for request in self._simulators[provider].requests if request.body is not None]

    def forget(self) -> None:
        for simulator in self._simulators.values():
            simulator.requests.clear()
