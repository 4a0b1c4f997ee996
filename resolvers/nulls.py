"""Where the input of a write says null: what it wants is told from what it leaves out, in an idempotency key too."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from strawberry import Some

# How a write is asked for, rather than what.
_NOT_OF_THE_WRITE = frozenset({"idempotency_key", "dry_run"})


def nulls_in(asked: Any) -> tuple[str, ...]:
    """Where an input says null, as paths. Left out and null are two inputs to an idempotency key."""
    return tuple(_nulls(asked, ""))


def _nulls(asked: Any, path: str) -> Iterator[str]:
    if isinstance(asked, Some):
        asked = asked.value
        if asked is None:
            yield path
            return
    if isinstance(asked, list):
        for place, item in enumerate(asked):
            yield from _nulls(item, f"{path}.{place}")
    kind: Any = type(asked)
    for name in _names_of(kind):
        # What was left out, which is most of it, holds nothing.
        if (value := getattr(asked, name)) is not None:
            yield from _nulls(value, f"{path}.{name}" if path else name)


@cache
def _names_of(input_type: Any) -> tuple[str, ...]:
    """The fields of an input type; none of any other."""
    if not is_dataclass(input_type):
        return ()
    return tuple(field.name for field in fields(input_type) if field.name not in _NOT_OF_THE_WRITE)
