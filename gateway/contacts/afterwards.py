"""What is noted after the fact: ids that a provider replaced, records that are gone.

The answer stands already, so a database that cannot take the note is logged and costs nothing else.
"""

from collections.abc import Iterable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.contacts.directory import Directory
from gateway.domain.contact import RecordKey
from gateway.store.links import LinkStore

log = structlog.get_logger(__name__)


async def follow(links: LinkStore, directory: Directory, *, old: RecordKey, new: RecordKey) -> None:
    """The old id keeps working; without the note the provider still resolves it."""
    try:
        await links.follow(old, new, directory.rank)
    except SQLAlchemyError as error:
        log.warning("alias_not_stored", provider=old.provider, error=type(error).__name__)


async def forget(links: LinkStore, keys: Iterable[RecordKey]) -> None:
    """Drops the links of a contact that is gone; left behind they would only point at nothing."""
    try:
        await links.forget(keys)
    except SQLAlchemyError as error:
        log.warning("links_not_dropped", error=type(error).__name__)
