"""Whole names and their parts: split by a library, joined by a space; either way a guess that is said aloud."""

from functools import lru_cache

from nameparser import HumanName

# Those of the writes under way: each splits its name when it is planned, and again when it is sent.
_REMEMBERED_NAMES = 256


@lru_cache(maxsize=_REMEMBERED_NAMES)
def split_name(name: str) -> tuple[str, str | None]:
    """Given names and family name. The first is never empty: Klen AI insists on one.

    Titles and nicknames belong to neither part and are left out, unless nothing else is there.
    """
    parsed = HumanName(name)
    first = _joined(parsed.first, parsed.middle) or parsed.title
    last = _joined(parsed.last, parsed.suffix)
    return (first, last or None) if first else (name, None)


def join_name(first: str | None, last: str | None) -> str | None:
    return _joined(first or "", last or "") or None


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
