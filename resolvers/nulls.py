"""Where the input of a write says null: what it wants is told from what it leaves out, in an idempotency key too."""

from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from strawberry import Some

# How a write is asked for, rather than what.
_NOT_OF_THE_WRITE = frozenset({"idempotency_key", "dry_run"})


def nulls_in(asked: Any) -> tuple[str, ...]:
    """Where an input says null, as paths. Left out and null are two inputs to an idempotency key."""
    found: list[str] = []
    _look_through(asked, "", found)
    return tuple(found)


def _look_through(asked: Any, path: str, found: list[str]) -> None:
    """`path` is that of an input, with a point after it where it is not the outermost."""
    kind: Any = type(asked)
    for name in _names_of(kind):
        value = getattr(asked, name)
        if value is None:
            # Left out, which most of it is.
            continue
        if isinstance(value, Some):
            value = value.value
            if value is None:
                found.append(path + name)
                continue
        if isinstance(value, list):
            for place, item in enumerate(value):
                _look_through(item, f"{path}{name}.{place}.", found)
        else:
            _look_through(value, f"{path}{name}.", found)


@cache
def _names_of(input_type: Any) -> tuple[str, ...]:
    """The fields of an input type; none of any other."""
    if not is_dataclass(input_type):
        return ()
    return tuple(field.name for field in fields(input_type) if field.name not in _NOT_OF_THE_WRITE)
