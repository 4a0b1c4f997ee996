"""The small value types of a contact. They are only described here: the values are the domain's own objects."""

import strawberry

from gateway.domain.contact import PhoneType

_PRIMARY = "Whether it is the primary one. At most one is; none where the provider does not tell."


@strawberry.type(description="An email address of a contact.")
class Email:
    address: str = strawberry.field(description="The address as the provider holds it.")
    normalized: str = strawberry.field(description="The address in lower case, for comparison.")
    primary: bool = strawberry.field(description=_PRIMARY)


@strawberry.type(description="A phone number of a contact.")
class Phone:
    number: str = strawberry.field(description="The number as the provider holds it.")
    e164: str | None = strawberry.field(
        description="The number in E.164, such as +358400000001; null where it could not be parsed."
    )
    type: PhoneType = strawberry.field(description="What kind of number it is.")
    primary: bool = strawberry.field(description=_PRIMARY)
    do_not_call: bool | None = strawberry.field(
        description="Whether this number may not be called; null where the provider keeps no such mark."
    )


@strawberry.type(description="A postal address of a contact.")
class Address:
    street: str | None = strawberry.field(description="Street and number.")
    street2: str | None = strawberry.field(description="A second line, such as a floor.")
    city: str | None = strawberry.field(description="City or town.")
    state: str | None = strawberry.field(description="State, province or region.")
    postal_code: str | None = strawberry.field(description="Postal code.")
    country: str | None = strawberry.field(description="Country as the provider holds it, often ISO 3166-1 alpha-2.")
    formatted: str = strawberry.field(
        description="The address on one line: the provider's own, or the filled parts comma separated."
    )
    primary: bool = strawberry.field(description=_PRIMARY)
