"""How Cometly words its errors: a message without a machine code. Source: docs/providers/cometly.md, error format."""

import re

from gateway.connectors.cometly import wire
from gateway.connectors.cometly.capabilities import CAPABILITIES
from gateway.domain.contact import Field
from gateway.domain.exchange import Call, CallKind
from gateway.upstream.decode import decode_leniently
from gateway.upstream.refusal import Refusal

_BLAMES_ID = re.compile(r"\bid\b", re.IGNORECASE)

INPUT_FIELDS = {
    "emails": Field.EMAILS,
    "phones": Field.PHONES,
    "names": Field.NAME,
    "locations": Field.ADDRESSES,
    "custom_fields": Field.CUSTOM_FIELDS,
}


class CometlyDialect:
    provider = CAPABILITIES.provider
    display_name = CAPABILITIES.display_name

    def read_refusal(self, call: Call, status: int, body: bytes) -> Refusal:
        error = decode_leniently(body, wire.ErrorObject)
        message = error.message if isinstance(error.message, str) else None
        return Refusal(
            message=message,
            field=_blamed_field(error.errors),
            # "422: on get, an invalid id" [get-contact]: our get sends nothing else.
            blames_id=call.kind is CallKind.READ and (status == 422 or bool(_BLAMES_ID.search(message or ""))),
            hint="The key lacks the permission, or the Space's subscription is not active." if status == 403 else None,
        )


def _blamed_field(errors: object) -> tuple[str, ...] | None:
    """Laravel names a list item as `emails.0`; we may have sent it in another order, so the list is named."""
    for name in errors if isinstance(errors, dict) else ():
        if field := INPUT_FIELDS.get(str(name).split(".")[0]):
            return field.input_path
    return None
