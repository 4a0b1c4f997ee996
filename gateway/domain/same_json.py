"""Whether two JSON values say the same, in whatever form a provider writes a number or nothing; pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.domain.compare import text_key


def is_empty(value: Any) -> bool:
    """Providers say "nothing there" by null, by a blank text and by empty lists and objects, or leave it out."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, Mapping):
        return not _filled(value)
    return value is None or (isinstance(value, Sequence) and not value)


def same_json(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) or isinstance(other, int | float):
        return _same_number(_number(one), _number(other))
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) and isinstance(other, str) and text_key(one) == text_key(other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        here, there = _filled(one), _filled(other)
        return here.keys() == there.keys() and all(same_json(here[key], there[key]) for key in here)
    if isinstance(one, Sequence) and isinstance(other, Sequence):
        return len(one) == len(other) and all(map(same_json, one, other))
    return is_empty(one) and is_empty(other)


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if not is_empty(value)}


def _number(value: Any) -> Decimal | None:
    """A number, or the decimal text that a provider answers in its place."""
    if not isinstance(value, str | int | float):
        return None
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _same_number(one: Decimal | None, other: Decimal | None) -> bool:
    """Equal as floating-point numbers, since JSON may carry them as such."""
    return one is not None and other is not None and float(one) == float(other)
