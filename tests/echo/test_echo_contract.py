"""What every provider shows after a write, held against the write: no false alarm, and no loss unseen.

Driven by the registry, over the real simulators on real sockets.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from gateway.connectors.registry import REGISTRY
from gateway.connectors.screening import screen
from gateway.domain.changes import Changes, Draft, Patch, WantedTags
from gateway.domain.contact import ContactStatus, Field
from gateway.domain.echo import not_stored_warnings
from gateway.domain.writes import WarningCode, WriteWarning
from tests.connectors.samples import FIRST, SECOND
from tests.connectors.test_connector_contract import drafts, pairs
from tests.domain.wanted import address, emails, merged_custom_fields, phone
from tests.echo.losses import LOSSES

PARTS = frozenset({Field.FIRST_NAME, Field.LAST_NAME})
EXTRA: dict[str, dict[Field, Any]] = {
    "tags added": {Field.TAGS: WantedTags(add=("Extra",), remove=("beta",))},
    "tags added and removed": {Field.TAGS: WantedTags(add=("Extra", "beta"), remove=("Fair 2031", "Unheard of"))},
    "custom fields merged": {Field.CUSTOM_FIELDS: merged_custom_fields(seats=13, renewal="2032-01-01")},
    "custom field removed": {Field.CUSTOM_FIELDS: merged_custom_fields(seats=None, tier="silver")},
    "resubscribed": {Field.UNSUBSCRIBED: False},
    "first name only": {Field.FIRST_NAME: "Noor"},
    "title and nickname": {Field.NAME: 'Dr. Noor "Nunu" Haddad'},
    "last name first": {Field.NAME: "Haddad, Noor"},
    "name against its parts": {Field.NAME: "Noor Haddad", Field.FIRST_NAME: "Ines", Field.LAST_NAME: None},
    "name of one word": {Field.NAME: "Cher"},
    "several emails": {Field.EMAILS: emails("n@aalto.test", "i@aalto.test", primary=1)},
    "types and marks": {
        Field.PHONES: (
            phone("+358400000001", None, do_not_call=True, primary=True, e164="+358400000001"),
            phone("+358400000002", do_not_call=False, position=1, e164="+358400000002"),
        )
    },
    "number of another type": {Field.PHONES: (phone("+353 21 000 0001", None, primary=True, e164="+353210000001"),)},
    "one line": {Field.ADDRESSES: (address(formatted="5 Quay Road, Cork", primary=True),)},
    "no country": {Field.ADDRESSES: (address(street="5 Quay Road", city="Cork", primary=True),)},
    "another street": {Field.ADDRESSES: (address(street="1 Elsewhere", street2="Flat 2", city="Oslo", primary=True),)},
    "country alone": {Field.ADDRESSES: (address(country="US", primary=True),)},
    "status without a word": {Field.STATUS: ContactStatus.ARCHIVED},
    "status against its word": {Field.STATUS: ContactStatus.NEW, Field.KLEN_STATUS: "contacted"},
    "active over contacted": {Field.STATUS: ContactStatus.ACTIVE},
}
UPDATES: dict[str, dict[Field, Any]] = {
    "everything": SECOND,
    "nothing new": FIRST,
    **{str(field): {field: value} for field, value in SECOND.items()},
    **{f"{field} cleared": {field: None} for field in SECOND},
    **EXTRA,
}
CREATIONS: dict[str, dict[Field, Any]] = {
    "everything": FIRST,
    "another everything": SECOND,
    **{str(field): {field: value} for field, value in FIRST.items()},
    **{
        name: {field: value for field, value in values.items() if value is not None}
        for name, values in EXTRA.items()
        if not name.startswith(("tags", "custom"))
    },
}


def patch(values: dict[Field, Any]) -> Patch:
    return Patch(**{field.attribute: value for field, value in values.items()})


class Provided:
    """Writes to one provider, and what is said of each once the record was read back."""

    def __init__(self, connector: Any, run: Any, contacts: Any) -> None:
        self._connector, self._run, self._contacts = connector, run, contacts
        self.capabilities = connector.capabilities

    def draft(self, values: dict[Field, Any]) -> Draft:
        """With what this provider requires."""
        needed = {field: FIRST[field] for field in FIRST if self.capabilities.of(field).required_on_create}
        return Draft(**{field.attribute: value for field, value in {**needed, **values}.items()})

    def can_take(self, draft: Draft) -> bool:
        return self._connector.plan_create(screen(draft, self.capabilities).changes).problems == ()

    def create(self, draft: Draft) -> tuple[str, Changes, tuple[WriteWarning, ...]]:
        screened = screen(draft, self.capabilities)
        planned = self._connector.plan_create(screened.changes)
        assert planned.problems == ()
        record = self._run(self._connector.create(screened.changes))
        return record.key.remote_id, screened.changes, screened.warnings + planned.warnings

    def update(self, remote_id: str, values: dict[Field, Any]) -> tuple[Changes, tuple[WriteWarning, ...]]:
        screened = screen(patch(values), self.capabilities)
        assert screened.refusal is None
        updated = self._run(self._connector.update(remote_id, screened.changes))
        return screened.changes, screened.warnings + updated.warnings

    def told(self, remote_id: str, changes: Changes, warned: tuple[WriteWarning, ...]) -> list[tuple[str, ...]]:
        record = self._run(self._connector.read(remote_id))
        told = not_stored_warnings(changes, record, warned, self.capabilities.display_name)
        assert {one.code for one in told} <= {WarningCode.NOT_STORED}
        assert all(one.message.startswith(self.capabilities.display_name) for one in told)
        return [one.field for one in told]

    def stored(self, remote_id: str) -> Any:
        """The simulator's own contact."""
        return next(one for key, one in self._contacts().items() if str(key) == remote_id)


@pytest.fixture
def provided(connector, run, log):
    return Provided(connector, run, lambda: log.simulator.contacts)


@pytest.mark.parametrize("name", CREATIONS)
def test_a_creation_that_was_stored_is_not_told(name, provided):
    remote_id, changes, warned = provided.create(provided.draft(CREATIONS[name]))
    assert provided.told(remote_id, changes, warned) == []


@pairs("name", UPDATES, lambda can, name: screen(patch(UPDATES[name]), can).refusal is None)
def test_an_update_that_was_stored_is_not_told(name, provided):
    remote_id, _, _ = provided.create(provided.draft(FIRST))
    changes, warned = provided.update(remote_id, UPDATES[name])
    assert provided.told(remote_id, changes, warned) == []


@given(drafts())
@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
def test_any_contact_that_was_stored_is_not_told(provided, sandbox, draft):
    sandbox.reset()
    assume(provided.can_take(draft))
    remote_id, changes, warned = provided.create(draft)
    assert provided.told(remote_id, changes, warned) == []


@pytest.fixture
def at_cometly(cometly, run, sandbox):
    return Provided(cometly, run, lambda: sandbox.cometly.contacts)


def test_more_values_than_cometly_shows_are_not_told(at_cometly):
    texts = [f"ines{n}@aalto.test" for n in range(30)]
    remote_id, changes, warned = at_cometly.create(at_cometly.draft({Field.EMAILS: emails(*texts, primary=0)}))
    assert at_cometly.told(remote_id, changes, warned) == []


def test_an_older_name_that_cometly_shows_before_the_new_one_is_not_told(at_cometly):
    remote_id, _, _ = at_cometly.create(at_cometly.draft(FIRST))
    for name in ("Noor Haddad", "N. Haddad"):
        assert at_cometly.told(remote_id, *at_cometly.update(remote_id, {Field.NAME: name})) == []


# Losses


def lossy(writable):
    """Every field that this provider can write so and show, with each way to lose it."""
    return pytest.mark.parametrize(
        ("registration", "field", "lose"),
        [
            pytest.param(entry, field, lose, id=f"{entry.provider}-{field}-{place}")
            for entry in REGISTRY
            for field, ways in LOSSES[entry.provider].items()
            for place, lose in enumerate(ways)
            if writable(entry.capabilities.of(field))
        ],
        indirect=["registration"],
    )


def without_others(field: Field, values: dict[Field, Any]) -> dict[Field, Any]:
    """All values, but none that is another face of the same stored one."""
    hidden = {
        Field.NAME: PARTS,
        **{part: {Field.NAME} for part in PARTS},
        Field.STATUS: {Field.KLEN_STATUS},
        Field.KLEN_STATUS: {Field.STATUS},
    }.get(field, {Field.KLEN_STATUS})
    return {other: value for other, value in values.items() if other not in hidden}


@lossy(lambda can: can.writable)
def test_a_field_that_a_creation_lost_is_told_and_no_other(field, lose, provided):
    values = without_others(field, FIRST) | ({} if field is Field.KLEN_STATUS else {Field.EMAILS: FIRST[Field.EMAILS]})
    remote_id, changes, warned = provided.create(provided.draft(values))
    unsaid = tuple(one for one in warned if one.field[:2] != field.input_path[:2])
    lose(provided.stored(remote_id))
    assert provided.told(remote_id, changes, unsaid) == [field.input_path]


@lossy(lambda can: can.updatable)
def test_a_field_that_an_update_lost_is_told_and_no_other(field, lose, provided):
    remote_id, _, _ = provided.create(provided.draft(FIRST))
    changes, warned = provided.update(remote_id, without_others(field, SECOND))
    unsaid = tuple(one for one in warned if one.field[:2] != field.input_path[:2])
    lose(provided.stored(remote_id))
    assert provided.told(remote_id, changes, unsaid) == [field.input_path]


@lossy(lambda can: can.writable)
def test_a_lost_field_of_which_was_warned_is_not_told_twice(field, lose, provided):
    remote_id, changes, _ = provided.create(provided.draft(without_others(field, FIRST)))
    lose(provided.stored(remote_id))
    warned = tuple(WriteWarning(WarningCode.VALUE_COERCED, one.input_path, "So.") for one in changes.mentioned)
    assert provided.told(remote_id, changes, warned) == []


@pairs("field", FIRST, lambda can, field: can.of(field).clearable and can.of(field).readable)
def test_a_field_that_was_to_be_cleared_and_stays_is_told(field, provided):
    """The patch itself is never sent: that is what a provider shows which ignores a null."""
    remote_id, _, _ = provided.create(provided.draft(FIRST))
    assert provided.told(remote_id, patch({field: None}), ()) == [field.input_path]


@pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: str(entry.provider))
def test_every_field_that_can_be_written_and_shown_can_be_lost(entry):
    shown = {
        field
        for field, can in entry.capabilities.fields.items()
        if (can.writable or can.updatable) and (can.readable or field is Field.KLEN_STATUS)
    }
    # A whole name beside its parts is another face of the same value.
    beside_parts = {Field.NAME} if shown >= PARTS else set()
    assert set(LOSSES[entry.provider]) == shown - beside_parts
