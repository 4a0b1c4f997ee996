"""Cometly's list of whole names: a new one goes first, and the others stay."""

from msgspec import UNSET

from gateway.connectors.cometly import wire
from gateway.connectors.cometly.values import texts
from gateway.domain.changes import Changes, Patch
from gateway.domain.compare import text_key
from gateway.domain.contact import Field, Provider, filled
from gateway.domain.errors import ListTruncated
from gateway.domain.names import join_name, split_name
from gateway.domain.writes import WriteWarning, derived, dropped

MAX_LISTED = 25
"""How many items of a list a read shows at most [get-contact]."""


def patched_names(patch: Patch, stored: wire.Contact | None, warnings: list[WriteWarning]) -> list[str] | None:
    """The new name goes first and the other names stay. None: no name is changed."""
    if patch.name is UNSET and patch.first_name is UNSET and patch.last_name is UNSET:
        return None
    if patch.name is None:
        return _names_of_parts(patch, warnings)
    before = texts(stored.names) if stored else []
    if len(before) >= MAX_LISTED:
        raise ListTruncated(
            Provider.COMETLY,
            f"Cometly shows at most {MAX_LISTED} names of a contact; writing the list back could lose the rest.",
            field=Field.NAME.input_path,
        )
    name = patch.name or _name_of_parts(patch, before)
    if name is None:
        return before[1:]
    say_about_parts(patch, name, warnings)
    return [name, *(other for other in before if text_key(other) != text_key(name))]


def _names_of_parts(patch: Patch, warnings: list[WriteWarning]) -> list[str]:
    """All names are cleared; what the parts say beside that is the only new one."""
    name = join_name(patch.first_name or None, patch.last_name or None)
    if name:
        say_about_parts(patch, name, warnings)
    return [name] if name else []


def _name_of_parts(patch: Patch, before: list[str]) -> str | None:
    first, last = split_name(before[0]) if before else (None, None)
    return join_name(
        first if patch.first_name is UNSET else patch.first_name,
        last if patch.last_name is UNSET else patch.last_name,
    )


def say_about_parts(changes: Changes, name: str, warnings: list[WriteWarning]) -> None:
    if not changes.name:
        warnings.append(derived(Field.NAME, "Cometly keeps whole names; it was joined from its parts."))
        return
    for field in (Field.FIRST_NAME, Field.LAST_NAME):
        part = filled(changes.value(field) or None)
        if part and text_key(part) not in text_key(name):
            warnings.append(dropped(field, "Cometly keeps the whole name only."))
