"""Who tells a contact: a record whose id is still the contact's."""

from __future__ import annotations

from gateway.domain.contact import Field, Provider, RecordKey
from resolvers.selection import Selection
from resolvers.views import ContactView
from tests.plans.real import RealWorld

OLD, NEW = RecordKey(Provider.KLEN, "1"), RecordKey(Provider.KLEN, "2")
NAME = frozenset({Field.NAME})


def test_a_record_that_its_provider_has_merged_tells_no_id_any_more() -> None:
    world = RealWorld(1)
    context = world.scene().context
    summary = world._record(OLD)
    view = ContactView(context, summary, Selection(fields=NAME), {OLD: summary})

    assert (view.teller(NAME), view.anchor) == (summary, OLD)
    view.records[0].key = NEW
    assert (view.teller(NAME), view.anchor) == (None, NEW)
