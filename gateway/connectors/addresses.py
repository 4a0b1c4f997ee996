"""What providers that store the parts of an address have in common when one is written."""

from gateway.domain.changes import WantedAddress
from gateway.domain.contact import Field, one_line
from gateway.domain.writes import WriteWarning, coerced, dropped


def street_of(address: WantedAddress, provider_name: str, warnings: list[WriteWarning]) -> str | None:
    """The street line: an address that is only one line goes there whole (design section 7)."""
    if not address.parts:
        message = f"{provider_name} has no one-line address; the line went to the street."
        warnings.append(coerced(Field.ADDRESSES, message, address.position, "formatted"))
        return address.formatted
    if address.formatted and address.formatted != one_line(*address.parts):
        message = f"{provider_name} stores the parts of an address; the formatted line was left out."
        warnings.append(dropped(Field.ADDRESSES, message, address.position, "formatted"))
    return address.street
