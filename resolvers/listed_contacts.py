"""The contacts of one page of a list: told by the records that came with it, and made where more is asked."""

from collections.abc import Iterator, Sequence
from typing import Any

from gateway.contacts.listing import Listing
from gateway.contacts.terms import Terms
from gateway.domain.contact import Field, Record
from resolvers.contact import Contact
from resolvers.context import Context
from resolvers.plans.together import ToldList
from resolvers.selection import Selection
from resolvers.views import ContactView


class ListedContacts(ToldList):
    """One for each edge, or the failure that stands in its place. Whoever goes through them twice meets the same ones,
    which ask each provider once."""

    __slots__ = ("_context", "_listing", "_made", "_selection", "_terms")

    def __init__(self, context: Context, listing: Listing, selection: Selection, terms: Terms) -> None:
        self._context = context
        self._listing = listing
        self._selection = selection
        self._terms = terms
        self._made: list[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        if self._made is None:
            self._made = self._make()
        return iter(self._made)

    def tellers(self, fields: frozenset[Field]) -> Sequence[Record] | None:
        """What each contact's view would be told by: its record, if it is the only one and tells all of that."""
        listing, readable = self._listing, self._context.use_cases.directory.readable
        if listing.families:
            return None
        records = [item for item in listing.items if isinstance(item, Record)]
        if len(records) < len(listing.items):
            return None
        # A provider's items tell the same fields, or nearly so: there are few different sets.
        known = all(fields <= told for told in {record.known for record in records})
        known = known and all(fields <= readable[provider] for provider in {record.key.provider for record in records})
        return records if known else None

    def _make(self) -> list[Any]:
        context, families, selection, terms = self._context, self._listing.families, self._selection, self._terms
        summaries = {record.key: record for record in self._listing.summaries}
        return [
            Contact(view=ContactView(context, families.get(item.key) or item, selection, summaries, terms))
            if isinstance(item, Record)
            else item
            for item in self._listing.items
        ]
