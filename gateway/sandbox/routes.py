"""Finds the handler of a path; literal segments win over the id that may stand in their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from gateway.sandbox.exchange import Received, Refusal, Reply

Handler = Callable[[Received, str], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """`template` holds at most one `{id}`, which the handler is given decoded."""

    method: str
    template: str
    operation: str
    handler: Handler

    def match(self, path: str) -> str | None:
        """The id in the path ("" for a route without one), or None when the path is another."""
        wanted, given = self.template.split("/"), path.split("/")
        if len(wanted) != len(given):
            return None
        found = ""
        for expected, actual in zip(wanted, given, strict=True):
            if expected == "{id}" and actual:
                found = unquote(actual)
            elif expected != actual:
                return None
        return found


@dataclass(frozen=True, slots=True)
class Matched:
    route: Route
    id: str


def find_route(routes: Sequence[Route], method: str, path: str) -> Matched:
    """The first route in the order given; put literal segments before `{id}`.

    Raises: Refusal 404 for an unknown path, 405 for a known path with another method.
    """
    allowed: set[str] = set()
    for route in routes:
        found = route.match(path)
        if found is None:
            continue
        if route.method == method:
            return Matched(route, found)
        allowed.add(route.method)
    if allowed:
        allow = ("Allow", ", ".join(sorted(allowed)))
        raise Refusal(405, f"{method} is not allowed here", code="method_not_allowed", headers=(allow,))
    raise Refusal(404, f"No route for {path}", code="not_found")
