"""What a provider cannot hold is left out and said; what it cannot clear is refused."""

import pytest
from msgspec import UNSET

from gateway.connectors.base import Capabilities, FieldCapability
from gateway.connectors.screening import screen
from gateway.domain.changes import Draft, Patch
from gateway.domain.contact import Field, Provider
from gateway.domain.errors import ClearUnsupported, Fault
from gateway.domain.exchange import CallKind
from gateway.domain.writes import WarningCode, WriteWarning
from tests.domain.wanted import emails

CAPABILITIES = Capabilities(
    provider=Provider.KLEN,
    display_name="Klen AI",
    operations=frozenset(CallKind),
    fields={
        Field.NAME: FieldCapability(readable=True, writable=True, updatable=True),
        Field.COMPANY: FieldCapability(readable=True, writable=True, updatable=True, clearable=True),
        Field.NOTES: FieldCapability(readable=True),
        Field.EXTERNAL_ID: FieldCapability(readable=True, writable=True),
        Field.UNSUBSCRIBED: FieldCapability(readable=True, updatable=True),
        Field.EMAILS: FieldCapability(readable=True, writable=True, updatable=True, max_items=1),
    },
    filters=frozenset(),
)


def dropped(message: str, *path: str) -> WriteWarning:
    return WriteWarning(WarningCode.FIELD_DROPPED, ("input", *path), message)


@pytest.mark.parametrize(
    ("changes", "kept", "warnings"),
    [
        (Patch(), Patch(), ()),
        (Patch(name="Ines", company=None), Patch(name="Ines", company=None), ()),
        (Patch(website="x"), Patch(), (dropped("Klen AI cannot store website.", "website"),)),
        (Draft(website="x"), Draft(), (dropped("Klen AI cannot store website.", "website"),)),
        (Patch(website=None), Patch(), ()),
        (Patch(notes="x"), Patch(), (dropped("Klen AI cannot store notes.", "notes"),)),
        (Patch(notes=None), Patch(), (dropped("Klen AI cannot store notes.", "notes"),)),
        (Draft(external_id="x"), Draft(external_id="x"), ()),
        (
            Patch(external_id="x"),
            Patch(),
            (dropped("Klen AI takes externalId only when a contact is created.", "externalId"),),
        ),
        (Draft(unsubscribed=True), Draft(), (dropped("Klen AI cannot store unsubscribed.", "unsubscribed"),)),
        (Patch(unsubscribed=False), Patch(unsubscribed=False), ()),
        (Patch(klen_team_id=7), Patch(), ()),
    ],
)
def test_what_is_kept_and_what_is_said(changes, kept, warnings):
    screened = screen(changes, CAPABILITIES)
    assert (screened.changes, screened.warnings, screened.refusal) == (kept, warnings, None)


def test_a_list_of_one_keeps_the_primary_and_names_the_others():
    screened = screen(Patch(emails=emails("a@x.test", "b@x.test", "c@x.test", primary=1)), CAPABILITIES)
    assert screened.changes.emails == (emails("a@x.test", "b@x.test", primary=1)[1],)
    assert screened.warnings == (
        dropped("Klen AI keeps one of these.", "emails", "0"),
        dropped("Klen AI keeps one of these.", "emails", "2"),
    )


@pytest.mark.parametrize("field", [Field.NAME, Field.EMAILS, Field.UNSUBSCRIBED])
def test_what_cannot_be_cleared_is_refused_at_its_field(field):
    refusal = screen(Patch(**{field.attribute: None}, company="x"), CAPABILITIES).refusal
    assert type(refusal) is ClearUnsupported
    assert refusal.fault == Fault(
        code=refusal.code,
        message=f"Klen AI cannot clear {field.value}; leave it out there.",
        provider=Provider.KLEN,
        retryable=False,
        field=("input", field.value),
    )


def test_a_field_that_can_only_be_set_at_creation_cannot_be_cleared():
    refusal = screen(Patch(external_id=None), CAPABILITIES).refusal
    assert type(refusal) is ClearUnsupported


def test_the_first_of_several_refusals_is_told():
    refusal = screen(Patch(name=None, emails=None), CAPABILITIES).refusal
    assert refusal is not None
    assert refusal.fault.field == ("input", "name")


def test_screening_twice_says_nothing_new():
    once = screen(Patch(name="Ines", website="x", emails=emails("a@x.test", "b@x.test", primary=0)), CAPABILITIES)
    twice = screen(once.changes, CAPABILITIES)
    assert (twice.changes, twice.warnings, twice.refusal) == (once.changes, (), None)
    assert once.changes.website is UNSET
