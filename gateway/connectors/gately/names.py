"""Gately keeps a whole name and its parts side by side, without deriving either: an update keeps them in line."""

from typing import Any

from msgspec import UNSET

from gateway.domain.changes import Patch
from gateway.domain.contact import Field, Record
from gateway.domain.names import join_name, split_name
from gateway.domain.writes import WriteWarning, derived


def patched_names(patch: Patch, stored: Record | None, warnings: list[WriteWarning]) -> dict[str, Any]:
    """A whole name and its parts move together; what the caller did not give is derived."""
    given = {
        key: value
        for key, value in (("name", patch.name), ("first_name", patch.first_name), ("last_name", patch.last_name))
        if value is not UNSET
    }
    if not given:
        return {}
    if patch.name is not UNSET:
        guessed = dict(zip(("first_name", "last_name"), split_name(patch.name or ""), strict=True))
    else:
        guessed = _missing_half(stored)
        whole = join_name(*({**guessed, **given}[key] for key in ("first_name", "last_name")))
        guessed = {"name": whole} if whole else {}
    warnings += [
        derived(Field[key.upper()], "Gately keeps the name twice; this half was brought in line.")
        for key in guessed
        if key not in given
    ]
    return {**guessed, **given}


def _missing_half(stored: Record | None) -> dict[str, str | None]:
    if stored is None:
        return {"first_name": None, "last_name": None}
    first, last = split_name(stored.name) if stored.name else (None, None)
    return {"first_name": stored.first_name or first, "last_name": stored.last_name or last}
