"""How Gately words its errors: not documented, so the status decides and the body only explains.

Source: docs/providers/gately.md, error format and ambiguities 1, 2 and 22.
"""

import re
from typing import Any
from uuid import UUID

from gateway.connectors.gately import wire
from gateway.connectors.gately.capabilities import CAPABILITIES
from gateway.domain.contact import Field
from gateway.domain.exchange import Call
from gateway.upstream.decode import decode_leniently
from gateway.upstream.refusal import Refusal

_BLAMES_ID = re.compile(r"\b(id|uuid|contact_?id)\b", re.IGNORECASE)

INPUT_FIELDS = {
    "name": Field.NAME,
    "first_name": Field.FIRST_NAME,
    "last_name": Field.LAST_NAME,
    "email": Field.EMAILS,
    "phone": Field.PHONES,
    "mobile": Field.PHONES,
    "company": Field.COMPANY,
    "status": Field.STATUS,
    "notes": Field.NOTES,
    "address_line_1": Field.ADDRESSES,
    "address_line_2": Field.ADDRESSES,
    "city": Field.ADDRESSES,
    "state": Field.ADDRESSES,
    "zip": Field.ADDRESSES,
    "country": Field.ADDRESSES,
    "custom_fields": Field.CUSTOM_FIELDS,
    "tags": Field.TAGS,
    "external_id": Field.EXTERNAL_ID,
    "unsubscribed": Field.UNSUBSCRIBED,
}


class GatelyDialect:
    provider = CAPABILITIES.provider
    display_name = CAPABILITIES.display_name

    def read_refusal(self, call: Call, status: int, body: bytes) -> Refusal:
        error = decode_leniently(body, wire.ErrorObject)
        inner = error.error if isinstance(error.error, dict) else {}
        said = (error.message, inner.get("message"), error.error)
        message = next((text for text in said if isinstance(text, str) and text), None)
        codes = (error.code, inner.get("code"))
        return Refusal(
            code=next((text for text in codes if isinstance(text, str)), None),
            message=message,
            field=_blamed_field(error.errors or inner.get("errors") or inner.get("field")),
            blames_id=bool(message and _BLAMES_ID.search(message)) or not _is_uuid(call.path.split("/")[-1]),
        )


def _blamed_field(errors: Any) -> tuple[str, ...] | None:
    """`{"email": [...]}` or `"email"`: the first name that is one of ours."""
    names = errors if isinstance(errors, dict) else [errors]
    for name in names:
        if isinstance(name, str) and (field := INPUT_FIELDS.get(name.split(".")[0])):
            return field.input_path
    return None


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
