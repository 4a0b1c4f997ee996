"""Short ways to say what a caller wants, as the resolvers would hand it over."""

from typing import Any

from gateway.domain.changes import WantedAddress, WantedCustomFields, WantedEmail, WantedPhone, WantedTags
from gateway.domain.contact import PhoneType


def emails(*addresses: str, primary: int | None = None) -> tuple[WantedEmail, ...]:
    """`primary` is the position of the one that is marked."""
    return tuple(
        WantedEmail(address=address, primary=position == primary, position=position)
        for position, address in enumerate(addresses)
    )


def phone(
    number: str,
    type: PhoneType | None = None,
    *,
    primary: bool = False,
    do_not_call: bool | None = None,
    primary_named: bool = False,
    position: int = 0,
    e164: str | None = None,
) -> WantedPhone:
    """`primary_named` tells a number that the caller marked from one that is primary for being the first."""
    return WantedPhone(
        number=number,
        e164=e164,
        type=type,
        primary=primary,
        do_not_call=do_not_call,
        position=position,
        primary_named=primary_named,
    )


def phones(*numbers: str, primary: int | None = None) -> tuple[WantedPhone, ...]:
    return tuple(
        phone(number, primary=position == primary, position=position) for position, number in enumerate(numbers)
    )


def address(*, primary: bool = False, position: int = 0, **parts: str | None) -> WantedAddress:
    empty: dict[str, Any] = dict.fromkeys(("street", "street2", "city", "state", "postal_code", "country", "formatted"))
    return WantedAddress(**{**empty, **parts}, primary=primary, position=position)


def tags(*names: str) -> WantedTags:
    return WantedTags(whole=names)


def custom_fields(**values: Any) -> WantedCustomFields:
    """The whole new object."""
    return WantedCustomFields(values=values, merge=False)


def merged_custom_fields(**values: Any) -> WantedCustomFields:
    return WantedCustomFields(values=values, merge=True)
