"""What Gately can do, as data. Source: docs/providers/gately.md, contact object and endpoints."""

from gateway.connectors.base import Capabilities, FieldCapability, FilterName
from gateway.domain.contact import Field, Provider
from gateway.domain.exchange import CallKind

_TEXT = FieldCapability(readable=True, writable=True, updatable=True, clearable=True)
_READ_ONLY = FieldCapability(readable=True)

CAPABILITIES = Capabilities(
    provider=Provider.GATELY,
    display_name="Gately",
    operations=frozenset(CallKind),
    fields={
        Field.NAME: FieldCapability(readable=True, writable=True, updatable=True, required_on_create=True),
        Field.FIRST_NAME: _TEXT,
        Field.LAST_NAME: _TEXT,
        Field.EMAILS: FieldCapability(
            readable=True, writable=True, updatable=True, max_items=1, required_on_create=True
        ),
        # Two slots: `mobile` and `phone`.
        Field.PHONES: FieldCapability(readable=True, writable=True, updatable=True, clearable=True, max_items=2),
        # The street lines are not among the fields of an update, so an address cannot be emptied.
        Field.ADDRESSES: FieldCapability(readable=True, writable=True, updatable=True, max_items=1),
        Field.COMPANY: _TEXT,
        Field.STATUS: FieldCapability(readable=True, writable=True, updatable=True),
        Field.TAGS: _TEXT,
        Field.NOTES: _TEXT,
        Field.CUSTOM_FIELDS: _TEXT,
        # Not among the fields of a creation; changed through endpoints of its own.
        Field.UNSUBSCRIBED: FieldCapability(readable=True, updatable=True),
        # Among the fields of a creation only.
        Field.EXTERNAL_ID: FieldCapability(readable=True, writable=True),
        Field.CREATED_AT: _READ_ONLY,
        Field.UPDATED_AT: _READ_ONLY,
        Field.LAST_CONTACTED_AT: _READ_ONLY,
    },
    filters=frozenset({FilterName.SEARCH, FilterName.STATUS, FilterName.TAG}),
)
