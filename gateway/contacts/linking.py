"""Correcting by hand which records are one contact."""

from collections.abc import Iterable, Sequence

from gateway.contacts.directory import Directory
from gateway.domain.contact import RecordKey
from gateway.domain.errors import InputProblem, InvalidInput
from gateway.domain.exchange import CallKind
from gateway.resilience.permission import refuse_unpermitted
from gateway.store.links import Family, LinkStore

MAX_IDS = 50


class Linking:
    def __init__(self, directory: Directory, links: LinkStore) -> None:
        self._directory = directory
        self._links = links

    async def link(self, keys: Sequence[RecordKey]) -> RecordKey:
        """Makes one contact of everything that these contacts and records hold; returns its anchor.

        Raises:
            InvalidInput: at `input.ids`, unless two or more different ones are given.
            CallerNotPermitted: unless the caller may write at every provider that holds one of the records.
        """
        if not 2 <= len(set(keys)) <= MAX_IDS:
            message = f"must name 2 to {MAX_IDS} different contacts or records"
            raise InvalidInput(InputProblem(path=("input", "ids"), code="OUT_OF_RANGE", message=message))
        _refuse_unpermitted((await self._links.families(keys)).values())
        return (await self._links.link(keys, self._directory.rank)).anchor

    async def unlink(self, key: RecordKey) -> tuple[Family, Family | None]:
        """Puts one record on its own; the second family is what remains of its contact.

        Raises:
            InvalidInput: at `input.recordId`, when the record is on its own already.
            CallerNotPermitted: as `link` does.
        """
        family = (await self._links.families([key]))[key]
        if len(family.members) == 1:
            message = "is a contact of its own already; there is nothing to separate it from"
            raise InvalidInput(InputProblem(path=("input", "recordId"), code="NOT_LINKED", message=message))
        _refuse_unpermitted([family])
        return await self._links.unlink(key, self._directory.rank)


def _refuse_unpermitted(families: Iterable[Family]) -> None:
    """No provider is called, and yet everybody reads these contacts in another way afterwards."""
    for provider in sorted({member.provider for family in families for member in family.members}):
        refuse_unpermitted(CallKind.UPDATE, provider)
