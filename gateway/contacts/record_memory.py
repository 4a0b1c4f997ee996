"""How much memory a record takes, without looking at each of its values."""

import sys
from typing import Any

from gateway.domain.contact import Record

# What Python adds to each object: of a record with its texts, of an email address or a phone, a postal address, a tag.
_RECORD_BYTES, _VALUE_BYTES, _ADDRESS_BYTES, _TEXT_BYTES = 2048, 320, 768, 88


def memory_of(record: Record) -> int:
    """Bytes that a record takes, with all its values and the provider's JSON; rather too many than too few.

    Its texts are parts of that JSON, so they are not looked at one by one: that took longer than the reading of it.
    """
    raw = record.raw or b""
    # Twice for each: as it was sent, and in the form that is compared.
    texts = 2 * len(raw) * _bytes_of_a_character(raw) + _TEXT_BYTES * len(record.tags or ())
    values = _VALUE_BYTES * (len(record.emails or ()) + len(record.phones or ()))
    addresses = _ADDRESS_BYTES * len(record.addresses or ())
    return _RECORD_BYTES + len(raw) + texts + values + addresses + _memory_of_json(record.custom_fields)


def _bytes_of_a_character(raw: bytes) -> int:
    """In the widest text that this JSON may hold: Python keeps one of one wide character wide as a whole."""
    return 1 if raw.isascii() and b"\\u" not in raw else 4


def _memory_of_json(given: Any) -> int:
    total = 0
    left: list[Any] = [given] if given else []
    while left:
        value = left.pop()
        total += sys.getsizeof(value)
        if isinstance(value, dict):
            left += value.keys()
            left += value.values()
        elif isinstance(value, list):
            left += value
    return total
