"""What Klen AI can do, as data. Source: docs/providers/klen.md, contact shapes and endpoints."""

from gateway.connectors.base import Capabilities, FieldCapability, FilterName
from gateway.domain.contact import Field, Provider
from gateway.domain.exchange import CallKind

_TEXT = FieldCapability(readable=True, writable=True, updatable=True, clearable=True)
_WORD = FieldCapability(readable=True, writable=True, updatable=True)
_READ_ONLY = FieldCapability(readable=True)

CAPABILITIES = Capabilities(
    provider=Provider.KLEN,
    display_name="Klen AI",
    operations=frozenset(CallKind) - {CallKind.DELETE},
    fields={
        # Built from its parts by Klen AI; a whole name is split on its way there.
        Field.NAME: _WORD,
        Field.FIRST_NAME: FieldCapability(readable=True, writable=True, updatable=True, required_on_create=True),
        Field.LAST_NAME: _TEXT,
        Field.EMAILS: FieldCapability(readable=True, writable=True, updatable=True, clearable=True, max_items=1),
        # No call removes a number, so the list cannot be emptied (ambiguity 5).
        Field.PHONES: FieldCapability(readable=True, writable=True, updatable=True, keeps_left_out=True),
        Field.ADDRESSES: FieldCapability(readable=True, writable=True, updatable=True, clearable=True, max_items=1),
        Field.COMPANY: _TEXT,
        Field.WEBSITE: _TEXT,
        Field.STATUS: _WORD,
        Field.STAGE: _WORD,
        Field.TAGS: _TEXT,
        Field.NOTES: _READ_ONLY,
        Field.CUSTOM_FIELDS: _TEXT,
        Field.CREATED_AT: _READ_ONLY,
        Field.LAST_CONTACTED_AT: _READ_ONLY,
        Field.KLEN_STATUS: FieldCapability(writable=True, updatable=True),
        Field.KLEN_TEAM_ID: FieldCapability(writable=True, updatable=True, clearable=True),
        Field.KLEN_INDUSTRY_CONTEXT: FieldCapability(writable=True, updatable=True, clearable=True),
    },
    filters=frozenset(FilterName),
)
