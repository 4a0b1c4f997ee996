"""What Cometly can do, as data. Source: docs/providers/cometly.md, contact shapes and endpoints."""

from gateway.connectors.base import Capabilities, FieldCapability
from gateway.domain.contact import Field, Provider
from gateway.domain.exchange import CallKind

_LIST = FieldCapability(readable=True, writable=True, updatable=True, clearable=True)
# Cometly keeps whole names: a part goes into the whole, and no part is guessed back out of it.
_PART_OF_NAME = FieldCapability(writable=True, updatable=True, clearable=True)

CAPABILITIES = Capabilities(
    provider=Provider.COMETLY,
    display_name="Cometly",
    operations=frozenset({CallKind.CREATE, CallKind.READ, CallKind.LIST, CallKind.UPDATE}),
    fields={
        Field.NAME: _LIST,
        Field.FIRST_NAME: _PART_OF_NAME,
        Field.LAST_NAME: _PART_OF_NAME,
        # Required on a creation only; an update may empty the list.
        Field.EMAILS: FieldCapability(
            readable=True, writable=True, updatable=True, clearable=True, required_on_create=True
        ),
        Field.PHONES: _LIST,
        Field.ADDRESSES: _LIST,
        Field.CUSTOM_FIELDS: FieldCapability(
            readable=True, writable=True, updatable=True, clearable=True, max_items=30
        ),
    },
    filters=frozenset(),
    # Merged profiles: the id of the surviving one is answered [get-contact], [update-contact].
    replaces_ids=True,
)
