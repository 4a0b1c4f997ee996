"""Klen AI's address as it is written: flat, with the street called `address`.

Source: docs/providers/klen.md, contact shapes and ambiguities 18 to 20.
"""

from gateway.connectors.addresses import street_of
from gateway.connectors.klen.capabilities import CAPABILITIES
from gateway.domain.changes import WantedAddress
from gateway.domain.contact import Field, one_line
from gateway.domain.errors import InputProblem
from gateway.domain.writes import WriteWarning, coerced


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
