"""The seeded Cometly profiles: several values a list, slots, a merged id, some without an email."""

from __future__ import annotations

from gateway.sandbox.cometly.profile import CometlyProfile, Values
from gateway.sandbox.cometly.simulator import CometlySpace
from gateway.sandbox.seed.landmarks import (
    MANY_EMAILS_COMETLY_ID,
    MERGED_AWAY_COMETLY_ID,
    NO_EMAIL_COMETLY_IDS,
    SURVIVING_COMETLY_ID,
)
from gateway.sandbox.seed.people import PLACEMENT, Person, people, person

_TIERS = ("Gold", "Silver", "Bronze")
_ID_BEFORE_FIRST = 48_000


def cometly_stock() -> CometlySpace:
    """A fresh copy of the seeded Space; its ids are the same on every run."""
    profiles = [_profile(one) for one in people(PLACEMENT.cometly)]
    profiles += [_many_emails(), *_without_email()]
    merged = {MERGED_AWAY_COMETLY_ID: SURVIVING_COMETLY_ID}
    return CometlySpace({profile.id: profile for profile in profiles}, merged)


def _values(*oldest_first: str) -> Values:
    return Values(list(oldest_first), oldest_first[0] if oldest_first else None)


def _profile(one: Person) -> CometlyProfile:
    number = one.number
    profile = CometlyProfile(_ID_BEFORE_FIRST + number, one.created_at, _values(one.email), names=_values(one.name))
    if number % 2 == 1:
        profile.phones = _values(one.phone)
        profile.locations = _values(f"{one.place.city}, {one.place.country}")
    if number % 3 == 0:
        profile.phones = _values(one.phone, one.second_phone)
        profile.names = _values(one.name, f"{one.first_name[0]}. {one.last_name}")
    if number % 4 == 1:
        tier = _TIERS[number % len(_TIERS)]
        renewal = f"2031-{number % 12 + 1:02d}-15"
        profile.custom_fields = {"profile_field_1": tier, "profile_field_16": number, "profile_field_26": renewal}
    if profile.id == SURVIVING_COMETLY_ID:
        # What the merged-away profile brought along: newer than the primary.
        profile.emails.add([f"{one.first_name}@{one.last_name}.test".lower()])
    return profile


def _many_emails() -> CometlyProfile:
    one = person(90)
    emails = (f"{one.first_name}.{number:02d}@copperleaf.test".lower() for number in range(1, 31))
    return CometlyProfile(MANY_EMAILS_COMETLY_ID, one.created_at, _values(*emails), names=_values(one.name))


def _without_email() -> list[CometlyProfile]:
    """Profiles made by events, or emptied by an update: a phone, a name, or nothing at all."""
    with_phone, with_name, bare = (
        CometlyProfile(profile_id, person(profile_id - _ID_BEFORE_FIRST).created_at)
        for profile_id in NO_EMAIL_COMETLY_IDS
    )
    with_phone.phones = _values(person(91).phone)
    with_name.names = _values(person(92).name)
    return [with_phone, with_name, bare]
