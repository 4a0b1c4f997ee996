"""Klen AI's address: an object as it is read; flat as it is written, with the street called `address`.

Source: docs/providers/klen.md, contact shapes and ambiguities 18 to 20.
"""

from gateway.connectors.addresses import street_of
from gateway.connectors.klen import wire
from gateway.connectors.klen.capabilities import CAPABILITIES
from gateway.domain.changes import WantedAddress
from gateway.domain.contact import Address, Field, filled, one_line
from gateway.domain.errors import InputProblem
from gateway.domain.writes import WriteWarning, coerced

# What Klen AI fills in by itself: an address that says nothing else says nothing.
DEFAULT_COUNTRY = "US"


def read_address(address: wire.Address | None) -> tuple[Address, ...]:
    if address is None:
        return ()
    street, city, state, postal_code, country = (
        filled(part) for part in (address.street, address.city, address.state, address.zip_code, address.country)
    )
    elsewhere = one_line(street, city, state, postal_code)
    if not elsewhere and country in (None, DEFAULT_COUNTRY):
        return ()
    return (
        Address(
            street=street,
            city=city,
            state=state,
            postal_code=postal_code,
            country=country,
            formatted=one_line(elsewhere, country),
            primary=True,
            country_may_be_default=country == DEFAULT_COUNTRY,
        ),
    )


def address_fields(
    address: WantedAddress | None, warnings: list[WriteWarning], problems: list[InputProblem]
) -> dict[str, str | None]:
    """Flat when written. All parts travel together, so that no part of an old address stays behind."""
    if address is None:
        return dict.fromkeys(("address", "city", "state", "zip_code", "country"))
    street = one_line(street_of(address, CAPABILITIES.display_name, warnings), address.street2) or None
    path = (*Field.ADDRESSES.input_path, str(address.position))
    if address.street2:
        message = "Klen AI has one street line; the second was joined to it."
        warnings.append(coerced(Field.ADDRESSES, message, address.position, "street2"))
    country = address.country
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        message = "Klen AI takes a country by its ISO 3166-1 alpha-2 code, such as FI"
        problems.append(
            InputProblem(path=(*path, "country"), code="COUNTRY_CODE", message=message, provider=CAPABILITIES.provider)
        )
    return {
        "address": street,
        "city": address.city,
        "state": address.state,
        "zip_code": address.postal_code,
        "country": country.upper() if country else None,
    }
