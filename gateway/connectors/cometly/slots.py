"""Cometly's thirty custom-field slots: which name goes where, and what each may hold.

Source: docs/providers/cometly.md, custom fields and ambiguities 15, 16.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.connectors.cometly import wire
from gateway.domain.changes import WantedCustomFields
from gateway.domain.contact import Field, Provider
from gateway.domain.errors import InputProblem
from gateway.domain.writes import WriteWarning, coerced, dropped

MAX_TEXT_CHARACTERS = 10_240
SLOT = re.compile(r"profile_field_([1-9]|[12][0-9]|30)")


class WrongValue(ValueError):
    """A value that its slot cannot hold; the text says what it can."""


@dataclass(frozen=True, slots=True)
class Slots:
    """`names` maps the unified name of a custom field to its slot, e.g. {"tier": "profile_field_1"}."""

    names: Mapping[str, str]

    def read(self, stored: wire.CustomFields) -> dict[str, Any]:
        """The unified custom fields; a slot without a name is not shown, one without a value is left out."""
        values = stored if isinstance(stored, dict) else {}
        return {
            name: _from_slot(slot, value)
            for name, slot in self.names.items()
            if (value := values.get(slot)) is not None
        }

    def write(
        self, wanted: WantedCustomFields, warnings: list[WriteWarning], problems: list[InputProblem]
    ) -> dict[str, str | None]:
        """Slots to set; a null value empties its slot."""
        written: dict[str, str | None] = {}
        for name, value in wanted.values.items():
            path = (*wanted.below, name)
            slot = self.names.get(name)
            if slot is None and value is None:
                continue
            if slot is None:
                message = "Cometly has no slot for this name; COMETLY_CUSTOM_FIELDS maps names to slots."
                warnings.append(dropped(Field.CUSTOM_FIELDS, message, *path))
                continue
            try:
                written[slot] = None if value is None else _to_slot(slot, value)
            except WrongValue as error:
                problems.append(_problem(path, str(error)))
                continue
            if _kind(slot) == "date" and value != written[slot]:
                warnings.append(coerced(Field.CUSTOM_FIELDS, "Cometly keeps the date only.", *path))
        return written

    def kept(self, stored: wire.CustomFields, *, unnamed_only: bool) -> dict[str, str]:
        """What has to be sent again so that writing the whole object loses nothing."""
        values = stored if isinstance(stored, dict) else {}
        named = set(self.names.values())
        return {
            slot: _as_written(slot, value)
            for slot, value in values.items()
            if value is not None and SLOT.fullmatch(slot) and not (unnamed_only and slot in named)
        }


def _kind(slot: str) -> str:
    """Slots 1 to 15 hold text, 16 to 25 numbers, 26 to 30 dates."""
    number = int(slot.rsplit("_", 1)[1])
    return "text" if number <= 15 else "number" if number <= 25 else "date"


def _from_slot(slot: str, value: wire.Scalar) -> Any:
    kind = _kind(slot)
    if kind == "number" and isinstance(value, str):
        try:
            number = Decimal(value)
        except InvalidOperation:
            return value
        if not number.is_finite():
            return value
        return int(number) if number == number.to_integral_value() and abs(number) < 10**15 else float(number)
    if kind == "date" and isinstance(value, str):
        return value[:10]
    return value


def _to_slot(slot: str, value: Any) -> str:
    kind = _kind(slot)
    if kind == "text":
        if not isinstance(value, str) or len(value) > MAX_TEXT_CHARACTERS:
            raise WrongValue(f"must be a text of at most {MAX_TEXT_CHARACTERS:,} characters for Cometly")
        return value
    if kind == "number":
        return _number(value)
    try:
        return _date(value).isoformat()
    except (TypeError, ValueError):
        raise WrongValue('must be a date such as "2031-03-04" for Cometly') from None


def _number(value: Any) -> str:
    """Sent as a text, as the documented example does."""
    try:
        number = Decimal(value if isinstance(value, str) else _number_text(value))
    except (InvalidOperation, TypeError):
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        raise WrongValue("must be a number such as 12 or 12.5 for Cometly")
    return value.strip() if isinstance(value, str) else _number_text(value)


def _as_written(slot: str, value: str | int | float) -> str:
    """A stored value in the form in which it may be sent."""
    text = value if isinstance(value, str) else _number_text(value)
    return text[:10] if _kind(slot) == "date" else text


def _number_text(value: Any) -> str:
    return format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value)


def _date(value: Any) -> date:
    if isinstance(value, str) and len(value) > 10:
        return datetime.fromisoformat(value).date()
    return date.fromisoformat(value)


def _problem(path: tuple[str, ...], message: str) -> InputProblem:
    return InputProblem(
        path=(*Field.CUSTOM_FIELDS.input_path, *path),
        code="WRONG_TYPE",
        message=message,
        provider=Provider.COMETLY,
    )
