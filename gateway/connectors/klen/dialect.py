"""How Klen AI words its errors: a machine code in `error`. Source: docs/providers/klen.md, error format."""

import re

from gateway.connectors.klen import wire
from gateway.connectors.klen.capabilities import CAPABILITIES
from gateway.domain.contact import Field
from gateway.domain.errors import InputRefused
from gateway.domain.exchange import Call, CallKind
from gateway.upstream.decode import decode_leniently
from gateway.upstream.refusal import Refusal

_BLAMES_ID = re.compile(r"\b(id|contact_id)\b", re.IGNORECASE)

INPUT_FIELDS = {
    "first_name": Field.FIRST_NAME,
    "last_name": Field.LAST_NAME,
    "email": Field.EMAILS,
    "company": Field.COMPANY,
    "website": Field.WEBSITE,
    "address": Field.ADDRESSES,
    "city": Field.ADDRESSES,
    "state": Field.ADDRESSES,
    "zip_code": Field.ADDRESSES,
    "country": Field.ADDRESSES,
    "status": Field.STATUS,
    "stage": Field.STAGE,
    "team_id": Field.KLEN_TEAM_ID,
    "tags": Field.TAGS,
    "phone_numbers": Field.PHONES,
    "custom_context": Field.CUSTOM_FIELDS,
    "industry_context": Field.KLEN_INDUSTRY_CONTEXT,
}

_FIELD_OF_CODE = {"missing_first_name": Field.FIRST_NAME, "team_not_found": Field.KLEN_TEAM_ID}

_HINTS = {
    "permission_denied": "The key needs can_read_contacts, and perhaps can_write_contacts.",
    "team_access_denied": "The key's user has no access to that team.",
}


class KlenDialect:
    provider = CAPABILITIES.provider
    display_name = CAPABILITIES.display_name

    def read_refusal(self, call: Call, status: int, body: bytes) -> Refusal:
        error = decode_leniently(body, wire.ErrorObject)
        code = error.error if isinstance(error.error, str) else None
        message = error.message if isinstance(error.message, str) else None
        field = _FIELD_OF_CODE.get(code or "")
        return Refusal(
            code=code,
            message=message,
            field=field.input_path if field else _blamed_field(error.details),
            # A read sends nothing but the id, so a validation error can be about nothing else.
            blames_id=call.kind is CallKind.READ
            and (code == "validation_error" or bool(_BLAMES_ID.search(message or ""))),
            hint=_HINTS.get(code or ""),
            # 404 has two meanings; this one is a bad request of ours, not a missing contact.
            failure=InputRefused if status == 404 and code == "team_not_found" else None,
        )


def _blamed_field(details: object) -> tuple[str, ...] | None:
    for name in details if isinstance(details, dict) else ():
        if field := INPUT_FIELDS.get(str(name).split(".")[0]):
            return field.input_path
    return None
