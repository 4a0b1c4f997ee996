"""The made-up people of the seed, and which of them is at which provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

_FIRST_NAMES = [
    "Ada",
    "Bruno",
    "Chiara",
    "Dov",
    "Elif",
    "Femi",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kaia",
    "Liam",
    "Mika",
    "Noor",
    "Otto",
    "Priya",
    "Quinn",
    "Rosa",
    "Soren",
    "Tomas",
    "Uma",
    "Viktor",
    "Wren",
    "Ximena",
    "Yusuf",
    "Zoe",
]
_LAST_NAMES = [
    "Winter",
    "Aalto",
    "Moreau",
    "Haddad",
    "Keller",
    "Okafor",
    "Lindgren",
    "Virta",
    "Quill",
    "Marsh",
    "Tanaka",
]
_COMPANIES = ("Northwind Oy", "Harbour Ltd", "Copperleaf Inc", "Blue Kiln GmbH", "Lantern SARL")
_DOMAINS = ("northwind.example", "harbour.example", "copperleaf.test", "bluekiln.example", "lantern.test")


@dataclass(frozen=True, slots=True)
class Place:
    """`phone_form` is from a range that its country keeps for fiction."""

    street: str
    city: str
    state: str | None
    zip_code: str
    country: str
    phone_form: str


_PLACES = (
    Place("12 Cedar Street", "Boston", "MA", "02108", "US", "+1617555{:04d}"),
    Place("4 Foundry Lane", "London", None, "SE1 7AB", "GB", "+44207946{:04d}"),
    Place("88 Mission Row", "San Francisco", "CA", "94103", "US", "+1415555{:04d}"),
    Place("5 Quay Road", "Dublin", None, "D02 AF30", "IE", "+353209100{:03d}"),
    Place("31 Lindenweg", "Berlin", None, "10115", "DE", "+493023125{:03d}"),
)


@dataclass(frozen=True, slots=True)
class Person:
    number: int
    first_name: str
    last_name: str
    email: str
    company: str
    place: Place

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def phone(self) -> str:
        """A number in E.164, from the part of the range kept for fiction."""
        return self.place.phone_form.format(100 + self.number)

    @property
    def second_phone(self) -> str:
        return f"+447700900{100 + self.number:03d}"

    @property
    def created_at(self) -> datetime:
        """Long past and a day and some hours apart, so no two are alike."""
        return datetime(2024, 3, 1, 9, 0, tzinfo=UTC) + timedelta(hours=31 * self.number)


@dataclass(frozen=True, slots=True)
class Placement:
    """Who is known where: the ranges of person numbers at each provider."""

    gately: tuple[range, ...] = (range(1, 19), range(23, 43))
    cometly: tuple[range, ...] = (range(1, 9), range(15, 23), range(43, 59))
    klen: tuple[range, ...] = (range(1, 15), range(19, 23), range(59, 77))


PLACEMENT = Placement()


@cache
def person(number: int) -> Person:
    """The person of this number, the same on every run; numbers from 1 to 99."""
    first_name = _FIRST_NAMES[(number - 1) % len(_FIRST_NAMES)]
    last_name = _LAST_NAMES[(number - 1) % len(_LAST_NAMES)]
    home = (number - 1) % len(_PLACES)
    email = f"{first_name}.{last_name}@{_DOMAINS[home]}".lower()
    return Person(number, first_name, last_name, email, _COMPANIES[home], _PLACES[home])


def people(ranges: tuple[range, ...]) -> list[Person]:
    return [person(number) for numbers in ranges for number in numbers]
