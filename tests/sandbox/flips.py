"""How a test tells that a switch was turned: what a client sees before and after."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

import httpx

Look = Callable[[httpx.Client], object]


@dataclasses.dataclass(frozen=True)
class Flip:
    """One value of one switch beside its default, and what `look` sees with either."""

    switch: str
    value: Any
    look: Look
    seen: object
    seen_flipped: object
    # Other switches that must be set in both cases for this one to show.
    given: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.switch}={self.value}"


def names(flips: Sequence[Flip]) -> list[str]:
    return [flip.name for flip in flips]


def untried(switches: type, flips: Sequence[Flip]) -> set[str]:
    """The values of a provider's switches that no flip tries, as `switch=value`."""
    defaults = switches()
    tried = {(flip.switch, flip.value) for flip in flips}
    missing = set()
    for name, kind in get_type_hints(switches).items():
        default = getattr(defaults, name)
        if get_origin(kind) is Literal:
            missing |= {f"{name}={value}" for value in get_args(kind) if value != default} - {
                f"{switch}={value}" for switch, value in tried
            }
        elif name not in {switch for switch, _ in tried}:
            missing.add(name)
    return missing
