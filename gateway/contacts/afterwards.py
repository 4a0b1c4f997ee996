"""What is noted after the fact: ids that a provider replaced, records that are gone.

The answer stands already, so a database that cannot take the note is logged and costs nothing else.
"""

from collections.abc import Collection

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.connectors.base import Capabilities
from gateway.contacts.directory import Directory
from gateway.domain.contact import RecordKey
from gateway.domain.errors import ReplyUnreadable
from gateway.store.links import Family, LinkStore

log = structlog.get_logger(__name__)


def check_replaced(capabilities: Capabilities, *, old: RecordKey, new: RecordKey) -> None:
    """
    Raises:
        ReplyUnreadable: when a provider that never replaces ids answers with another record than asked for.
    """
    if not capabilities.replaces_ids:
        message = f"{capabilities.display_name} answered with another contact than the one asked for."
        raise ReplyUnreadable(old.provider, message)


async def follow(links: LinkStore, directory: Directory, *, old: RecordKey, new: RecordKey) -> None:
    """The old id keeps working; without the note the provider still resolves it."""
    try:
        await links.follow(old, new, directory.rank)
    except SQLAlchemyError as error:
        log.warning("alias_not_stored", provider=old.provider, error=type(error).__name__)


async def note_deleted(links: LinkStore, family: Family, deleted: Collection[RecordKey]) -> None:
    """A contact that is gone needs no links; of one that is left, the deleted records are marked."""
    try:
        if family.members <= {*deleted, *family.gone}:
            await links.forget(family)
        else:
            await links.mark_gone(deleted)
    except SQLAlchemyError as error:
        log.warning("deletion_not_noted", error=type(error).__name__)
