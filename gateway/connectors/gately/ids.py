"""Gately's ids: what may stand in the path of a URL. Source: docs/providers/gately.md."""

import re
from collections.abc import Iterable

from gateway.connectors.gately import wire
from gateway.domain.contact import Provider
from gateway.domain.errors import ReplyUnreadable

# Literal segments that stand where a contact's id stands: as an id they would reach another resource.
RESERVED_IDS = frozenset({"tags", "lists", "segments", "contact-tags", "bulk-import"})
_FORM = "Gately ids are letters, digits, - and _"

_is_id = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}").fullmatch


def id_problem(remote_id: str) -> str | None:
    return _FORM if remote_id in RESERVED_IDS or not _is_id(remote_id) else None


def check_ids(contacts: Iterable[wire.Contact], status: int) -> None:
    """Here rather than as a pattern of the shape: msgspec takes four times as long for it.

    Raises:
        ReplyUnreadable: where one could not be used again.
    """
    if not all(map(_is_id, [contact.id for contact in contacts])):
        message = f"The answer could not be read: the id of a contact cannot be one. {_FORM}."
        raise ReplyUnreadable(Provider.GATELY, message, upstream_status=status)
