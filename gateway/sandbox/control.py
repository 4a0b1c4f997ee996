"""The control endpoints of a simulator, on its own port and outside its API."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import msgspec

from gateway.sandbox.exchange import JsonObject, Received, Refusal, Reply
from gateway.sandbox.faults import BadFault, Fault
from gateway.sandbox.routes import Route, find_route

if TYPE_CHECKING:
    from gateway.sandbox.simulator import Simulator

CONTROL_PATH = "/_sandbox"


def answer_control(simulator: Simulator, received: Received) -> Reply:
    """Answer one control request; anything wrong with it is a clear 4xx."""
    control = _Control(simulator)
    try:
        matched = find_route(control.routes(), received.method, received.path)
        return matched.route.handler(received, matched.id)
    except Refusal as refusal:
        reply = Reply.json(refusal.status, {"error": refusal.message})
        return reply.with_headers(*refusal.headers)


class _Control:
    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", f"{CONTROL_PATH}/faults", "faults", self._list_faults),
            Route("POST", f"{CONTROL_PATH}/faults", "faults", self._add_fault),
            Route("DELETE", f"{CONTROL_PATH}/faults", "faults", self._clear_faults),
            Route("GET", f"{CONTROL_PATH}/requests", "requests", self._list_requests),
            Route("DELETE", f"{CONTROL_PATH}/requests", "requests", self._clear_requests),
            Route("GET", f"{CONTROL_PATH}/contacts", "contacts", self._list_contacts),
            Route("POST", f"{CONTROL_PATH}/reset", "reset", self._reset),
        )

    def _list_faults(self, received: Received, _: str) -> Reply:
        return Reply.json(200, {"faults": self._faults()})

    def _add_fault(self, received: Received, _: str) -> Reply:
        try:
            self._simulator.faults.add(msgspec.json.decode(received.body, type=Fault))
        except (msgspec.DecodeError, BadFault) as wrong:
            # msgspec reports a ValueError of __post_init__ as its own ValidationError, a DecodeError.
            raise Refusal(400, f"not a fault: {wrong}") from None
        return Reply.json(201, {"faults": self._faults()})

    def _clear_faults(self, received: Received, _: str) -> Reply:
        self._simulator.faults.clear()
        return Reply.json(200, {"faults": []})

    def _faults(self) -> list[JsonObject]:
        return [
            {**msgspec.to_builtins(pending.fault), "remaining": pending.remaining}
            for pending in self._simulator.faults.pending
        ]

    def _list_requests(self, received: Received, _: str) -> Reply:
        return Reply.json(200, {"requests": [asdict(request) for request in self._simulator.requests]})

    def _clear_requests(self, received: Received, _: str) -> Reply:
        self._simulator.requests.clear()
        return Reply.json(200, {"requests": []})

    def _list_contacts(self, received: Received, _: str) -> Reply:
        return Reply.json(200, {"contacts": self._simulator.describe_contacts()})

    def _reset(self, received: Received, _: str) -> Reply:
        self._simulator.reset()
        return Reply.json(200, {"message": f"{self._simulator.provider} is as it was at the start"})
