"""The key under which a write may be sent again: from its input or from the request's header."""

from typing import Any

from gateway.domain.errors import InputProblem, InvalidInput
from resolvers.context import Info
from resolvers.selection import root_fields

MAX_KEY_CHARACTERS = 255
_KEYED = frozenset({"createContact", "updateContact", "deleteContact", "upsertContact"})
_PATH = ("input", "idempotencyKey")


def idempotency_key(info: Info, given: Any) -> str | None:
    """The key of the write that is being resolved, or None.

    Raises:
        InvalidInput: at `input.idempotencyKey`, for a text that is no key, for a header that says another one,
            and for a header that could mean any of several writes.
    """
    named: str | None = given.value if given is not None else None
    header = info.context.idempotency_key
    if named is not None and header is not None and named != header:
        raise _refused("KEYS_DIFFER", "differs from the Idempotency-Key header; send the same, or only one of them")
    if (
        named is None
        and header is not None
        and len([name for name in root_fields(info._raw_info) if name in _KEYED]) > 1
    ):
        message = "is needed for each write: the operation has several, and the Idempotency-Key header is one key"
        raise _refused("KEY_FOR_SEVERAL", message)
    key = named if named is not None else header
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY_CHARACTERS or not (key.isascii() and key.isprintable()) or not key.strip():
        message = f"must be 1 to {MAX_KEY_CHARACTERS} printable ASCII characters, such as a UUID"
        raise _refused("MALFORMED_KEY", message)
    return key


def _refused(code: str, message: str) -> InvalidInput:
    return InvalidInput(InputProblem(path=_PATH, code=code, message=message))
