"""What the caller sent, checked and brought into one form; everything wrong is said at once.

Rules: design section 7. Normalising twice changes nothing.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import phonenumbers
from msgspec import UNSET
from msgspec.structs import replace

from gateway.domain.changes import (
    Changes,
    Draft,
    Patch,
    WantedAddress,
    WantedCustomFields,
    WantedEmail,
    WantedPhone,
    WantedTags,
)
from gateway.domain.compare import email_key, text_key
from gateway.domain.contact import Field
from gateway.domain.email_syntax import is_email_address
from gateway.domain.errors import InputProblem, InvalidInput

MAX_LINE_CHARACTERS = 2_000
MAX_JSON_DEPTH = 12
LINE_FIELDS = (
    Field.NAME,
    Field.FIRST_NAME,
    Field.LAST_NAME,
    Field.COMPANY,
    Field.WEBSITE,
    Field.STAGE,
    Field.EXTERNAL_ID,
    Field.KLEN_STATUS,
)
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
ADDRESS_PARTS = ("street", "street2", "city", "state", "postal_code", "country", "formatted")

# Lists show the same contacts again and again, and reading a number takes longer than anything else of one: some 15
# microseconds. Each remembered one takes about 200 bytes.
_REMEMBERED_NUMBERS = 10_000

Path = tuple[str, ...]
Item = TypeVar("Item", WantedEmail, WantedPhone, WantedAddress)


def read_draft(asked: Changes) -> Draft:
    """The contact to create.

    Raises:
        InvalidInput: with every problem found.
    """
    normalised = _Normaliser(asked).result()
    return Draft(**{name: value for name, value in normalised.items() if value is not None})


def read_patch(asked: Changes) -> Patch:
    """The changes to make.

    Raises:
        InvalidInput: with every problem found.
    """
    return Patch(**_Normaliser(asked).result())


@lru_cache(maxsize=_REMEMBERED_NUMBERS)
def e164(number: str) -> str | None:
    """The number in E.164, or None where it cannot be told (no country code, impossible length)."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None
    if parsed.extension or not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


class _Normaliser:
    """One pass over the mentioned fields, collecting problems instead of stopping at the first."""

    def __init__(self, asked: Changes) -> None:
        self._asked = asked
        self._problems: list[InputProblem] = []

    def result(self) -> dict[str, Any]:
        values = {field.attribute: self._field(field) for field in self._asked.mentioned}
        if self._problems:
            raise InvalidInput(*self._problems)
        return {name: value for name, value in values.items() if value is not UNSET}

    def _field(self, field: Field) -> Any:
        value, reader = self._asked.value(field), _READERS.get(field)
        return value if value is None or reader is None else reader(self, value, field.input_path)

    def _problem(self, path: Path, code: str, message: str) -> None:
        self._problems.append(InputProblem(path=path, code=code, message=message))

    def _text(self, value: str, path: Path) -> str:
        if not value.strip():
            self._problem(path, "BLANK", "must not be blank; send null to clear it, or leave it out")
        elif _CONTROL_CHARACTER.search(value):
            self._problem(path, "CONTROL_CHARACTER", "must not hold control characters")
        return value

    def _line(self, value: str, path: Path) -> str:
        if len(value) > MAX_LINE_CHARACTERS:
            self._problem(path, "TOO_LONG", f"must not be longer than {MAX_LINE_CHARACTERS:,} characters")
        return self._text(value, path).strip()

    def _emails(self, items: tuple[WantedEmail, ...], path: Path) -> tuple[WantedEmail, ...] | None:
        emails = tuple(replace(item, address=item.address.strip()) for item in items)
        for email in emails:
            self._email(email.address, (*path, str(email.position), "address"))
        return self._list(emails, path, lambda email: email_key(email.address), "address")

    def _email(self, address: str, path: Path) -> None:
        if not is_email_address(address):
            self._problem(path, "INVALID_EMAIL", "is not an email address such as ines@aalto.test")

    def _phones(self, items: tuple[WantedPhone, ...], path: Path) -> tuple[WantedPhone, ...] | None:
        phones = tuple(self._phone(item, (*path, str(item.position), "number")) for item in items)
        return self._list(phones, path, lambda phone: phone.e164 or text_key(phone.number), "number")

    def _phone(self, item: WantedPhone, path: Path) -> WantedPhone:
        number = self._line(item.number, path)
        if number and not any(sign.isdigit() for sign in number):
            self._problem(path, "INVALID_PHONE", "holds no digit; write it like +358 40 000 0001")
        return replace(item, number=number, e164=e164(number))

    def _addresses(self, items: tuple[WantedAddress, ...], path: Path) -> tuple[WantedAddress, ...] | None:
        addresses = tuple(self._address(item, (*path, str(item.position))) for item in items)
        return self._list(addresses, path, lambda address: text_key(address.one_line), "formatted")

    def _address(self, item: WantedAddress, path: Path) -> WantedAddress:
        parts: dict[str, Any] = {}
        for name in ADDRESS_PARTS:
            value = getattr(item, name)
            graphql_name = "postalCode" if name == "postal_code" else name
            parts[name] = None if value is None else self._line(value, (*path, graphql_name))
        if not any(value is not None for value in parts.values()):
            self._problem(path, "EMPTY", "needs at least one part, or formatted")
        return replace(item, **parts)

    def _list(
        self, items: tuple[Item, ...], path: Path, key_of: Callable[[Item], str], key_name: str
    ) -> tuple[Item, ...] | None:
        """None for an empty list, since it clears like null; otherwise exactly one item is primary."""
        seen: set[str] = set()
        for item in items:
            key = key_of(item)
            if key and key in seen:
                self._problem((*path, str(item.position), key_name), "LISTED_TWICE", "is listed twice")
            seen.add(key)
        if sum(item.primary for item in items) > 1:
            self._problem(path, "SEVERAL_PRIMARIES", "must not mark more than one item as primary")
        first_is_primary = not any(item.primary for item in items)
        marked = tuple(replace(item, primary=item.primary or (first_is_primary and item is items[0])) for item in items)
        return marked or None

    def _tags(self, tags: WantedTags, path: Path) -> Any:
        path += tags.below
        whole = None if tags.whole is None else self._tag_names(tags.whole, path)
        add = self._tag_names(tags.add, path)
        remove = self._tag_names(tags.remove, path)
        if whole == ():
            return None
        if whole is None and not add and not remove:
            return UNSET
        return replace(tags, whole=whole, add=add, remove=remove)

    def _tag_names(self, names: Sequence[str], path: Path) -> tuple[str, ...]:
        unique: dict[str, str] = {}
        for position, name in enumerate(names):
            line = self._line(name, (*path, str(position)))
            # Tags that differ only by case become two tags at one provider and one at another.
            unique.setdefault(text_key(line), line)
        return tuple(unique.values())

    def _custom_fields(self, asked: WantedCustomFields, path: Path) -> Any:
        values = self._json_object(asked.values, path + asked.below)
        if values is None:
            return UNSET if asked.merge else None
        return replace(asked, values=values)

    def _json_object(self, value: Any, path: Path) -> dict[str, Any] | None:
        """None for an empty object."""
        if not isinstance(value, dict):
            self._problem(path, "NOT_AN_OBJECT", 'must be a JSON object such as {"tier": "gold"}')
            return None
        for key, item in value.items():
            if not key.strip():
                self._problem(path, "BLANK", "must not have a blank key")
            self._json_value(key, path, depth=1)
            self._json_value(item, (*path, key), depth=1)
        return value or None

    def _json_value(self, value: Any, path: Path, *, depth: int) -> None:
        if depth > MAX_JSON_DEPTH:
            self._problem(path, "TOO_DEEP", f"must not nest deeper than {MAX_JSON_DEPTH} levels")
        elif isinstance(value, float) and not math.isfinite(value):
            self._problem(path, "NOT_FINITE", "must be a finite number")
        elif isinstance(value, str) and "\0" in value:
            self._problem(path, "CONTROL_CHARACTER", "must not hold control characters")
        elif isinstance(value, dict):
            for key, item in value.items():
                self._json_value(key, path, depth=depth)
                self._json_value(item, (*path, key), depth=depth + 1)
        elif isinstance(value, list):
            for position, item in enumerate(value):
                self._json_value(item, (*path, str(position)), depth=depth + 1)


_READERS: Mapping[Field, Callable[[_Normaliser, Any, Path], Any]] = {
    **dict.fromkeys(LINE_FIELDS, _Normaliser._line),
    Field.NOTES: _Normaliser._text,
    Field.EMAILS: _Normaliser._emails,
    Field.PHONES: _Normaliser._phones,
    Field.ADDRESSES: _Normaliser._addresses,
    Field.TAGS: _Normaliser._tags,
    Field.CUSTOM_FIELDS: _Normaliser._custom_fields,
    Field.KLEN_INDUSTRY_CONTEXT: _Normaliser._json_object,
}
"""What is not here is taken as it is."""
