"""The Idempotency-Key header.

Source: draft-ietf-httpapi-idempotency-key-header, section 2.1: a String of RFC 8941, which stands in quotes;
most clients leave the quotes out, so both forms mean the same key.
"""

import re
from collections.abc import Sequence

from gateway.http.refusal import RequestRefused

_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE = re.compile(r"[!#-~][ -~]*")


def read_idempotency_key(values: Sequence[str]) -> str | None:
    """The key, or None where there is no such header. Its length is the schema's matter.

    Raises:
        RequestRefused: with 400, for several headers or a text that is no key.
    """
    if not values:
        return None
    text = values[0].strip()
    if len(values) == 1 and (quoted := _QUOTED.fullmatch(text)) and quoted[1]:
        return re.sub(r"\\(.)", r"\1", quoted[1])
    if len(values) == 1 and _BARE.fullmatch(text):
        return text
    message = "Send one Idempotency-Key header of printable ASCII characters, such as a UUID."
    raise RequestRefused(400, "BAD_REQUEST", message)
