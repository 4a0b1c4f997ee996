"""What a connector says that it would send is what it sends, call by call."""

import json
from typing import Any

import pytest
from msgspec import UNSET

from gateway.connectors.base import Prepared
from gateway.connectors.screening import screen
from gateway.domain.changes import Draft, Patch, WantedTags
from gateway.domain.contact import Field
from gateway.domain.errors import ListTruncated, ReplyTimedOut
from gateway.domain.writes import WriteAction
from gateway.sandbox.cometly.profile import Values
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import GatelySwitches
from tests.connectors.samples import FIRST, SAMPLES, SECOND
from tests.domain.wanted import emails, merged_custom_fields, phone

FULL_GATELY_ID = "0d6f2c1e-7b1a-4c55-9f0e-2a9b6f3d1c77"


def holding(kind, values: dict[Field, Any]):
    return kind(**{field.attribute: value for field, value in values.items()})


def announced(prepared: Prepared) -> list[tuple[str, Any]]:
    """The calls as the simulator's log shows them: method, path below the base URL, body as JSON."""
    return [(f"{call.method} {call.path}", json.loads(json.dumps(call.body))) for call in prepared.calls]


@pytest.fixture
def remote_id(registration, sandbox):
    return SAMPLES[registration.provider].add_full_record(sandbox)


def only_required(capabilities) -> dict[Field, Any]:
    return {field: SECOND[field] for field in FIRST if capabilities.of(field).required_on_create}


def parts_of_a_name(values: dict[Field, Any]) -> dict[Field, Any]:
    """Where a whole name is needed it has to be derived, which is said."""
    return {**values, Field.NAME: UNSET, Field.FIRST_NAME: "Ines", Field.LAST_NAME: "Aalto"}


DRAFTS = {
    "first": lambda _: FIRST,
    "second": lambda _: SECOND,
    "required": only_required,
    "name": lambda can: only_required(can) | {Field.NAME: "Dr. Ines Aalto"},
    "parts": lambda can: parts_of_a_name(only_required(can)),
}


@pytest.mark.parametrize("values", DRAFTS.values(), ids=DRAFTS)
def test_a_creation_sends_the_calls_that_were_prepared(values, connector, log, run):
    # Another address than the seeded one, so that nothing is refused.
    asked = values(connector.capabilities) | {Field.EMAILS: emails("prepared@aalto.test", primary=0)}
    draft = screen(holding(Draft, asked), connector.capabilities).changes
    prepared = connector.prepare_create(draft)
    assert log.requests == []
    run(connector.create(draft))
    assert log.writes == announced(prepared)
    assert len(prepared.calls) == 1
    assert prepared.warnings == connector.plan_create(draft).warnings


def test_a_creation_that_was_planned_is_sent_as_it_was_planned(connector, log, run):
    asked = SECOND | {Field.EMAILS: emails("planned@aalto.test", primary=0)}
    draft = screen(holding(Draft, asked), connector.capabilities).changes
    planned = connector.plan_create(draft)
    run(connector.create(Draft(name="somebody else"), planned))
    assert [body for _, body in log.writes] == [json.loads(json.dumps(planned.body))]


PATCHES: dict[str, Patch] = {
    **{f"first {field}": holding(Patch, {field: value}) for field, value in FIRST.items()},
    **{f"second {field}": holding(Patch, {field: value}) for field, value in SECOND.items()},
    **{f"no {field}": holding(Patch, {field: None}) for field in FIRST},
    "all of first": holding(Patch, FIRST),
    "all of second": holding(Patch, SECOND),
    "nothing": Patch(),
    "tags added": Patch(tags=WantedTags(add=("More",), remove=("Beta",))),
    "tags that are there": Patch(tags=WantedTags(add=("Beta",))),
    "fields merged": Patch(custom_fields=merged_custom_fields(tier="silver")),
    "a field removed": Patch(custom_fields=merged_custom_fields(tier=None)),
    "resubscribed": Patch(unsubscribed=False),
    "half a name": Patch(last_name="Virta"),
    "an untyped number": Patch(phones=(phone("+358400000009", primary=True, e164="+358400000009"),)),
}


def without_what_cannot_be_cleared(patch: Patch, capabilities) -> Patch:
    cleared = [field for field in patch.mentioned if patch.value(field) is None]
    refused = {field.attribute: UNSET for field in cleared if not capabilities.of(field).clearable}
    return holding(Patch, {field: patch.value(field) for field in patch.mentioned if field.attribute not in refused})


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES)
def test_an_update_sends_the_calls_that_were_prepared(patch, connector, remote_id, log, run):
    capabilities = connector.capabilities
    patch = screen(without_what_cannot_be_cleared(patch, capabilities), capabilities).changes
    prepared = run(connector.prepare_update(remote_id, patch))
    assert log.writes == []
    updated = run(connector.update(remote_id, patch))
    assert log.writes == announced(prepared)
    assert (updated.action is WriteAction.UNCHANGED) is (prepared.calls == ())
    # After the write Klen AI may have more to say.
    assert updated.warnings[: len(prepared.warnings)] == prepared.warnings


def test_an_update_of_nothing_has_no_calls(connector, remote_id, log, run):
    assert run(connector.prepare_update(remote_id, Patch())) == Prepared(calls=())
    assert log.requests == []


def test_gatelys_update_takes_up_to_three_calls_in_this_order(gately, sandbox, gately_log, run):
    SAMPLES[gately.capabilities.provider].add_full_record(sandbox)
    patch = Patch(company="Harbour Ltd", custom_fields=merged_custom_fields(seats=2), unsubscribed=True)
    prepared = run(gately.prepare_update(FULL_GATELY_ID, patch))
    assert announced(prepared) == [
        (f"PATCH /contacts/{FULL_GATELY_ID}", {"company": "Harbour Ltd"}),
        (f"PATCH /contacts/{FULL_GATELY_ID}/custom-fields", {"seats": 2}),
        (f"POST /contacts/{FULL_GATELY_ID}/unsubscribes", {}),
    ]
    assert gately_log.requests == []


@pytest.mark.parametrize("answer", ["404", "405"])
def test_a_merge_is_prepared_even_where_gately_will_not_have_its_endpoint(answer, gately, sandbox, gately_log, run):
    """Only sending it tells that the endpoint is not there, and a dry run sends nothing."""
    SAMPLES[gately.capabilities.provider].add_full_record(sandbox)
    sandbox.gately.switches = GatelySwitches(custom_fields_endpoint=answer)
    patch = Patch(custom_fields=merged_custom_fields(seats=2))
    prepared = run(gately.prepare_update(FULL_GATELY_ID, patch))
    assert announced(prepared) == [(f"PATCH /contacts/{FULL_GATELY_ID}/custom-fields", {"seats": 2})]
    run(gately.update(FULL_GATELY_ID, patch))
    whole = (f"PATCH /contacts/{FULL_GATELY_ID}", {"custom_fields": {"tier": "gold", "seats": 2}})
    assert gately_log.writes == [*announced(prepared), whole]


def test_a_list_that_is_shown_in_part_is_refused_before_anything_is_sent(cometly, sandbox, cometly_log, run):
    sandbox.cometly.contacts[48001].names = Values([f"Name {n}" for n in range(25)], "Name 0")
    for call in (cometly.prepare_update, cometly.update):
        with pytest.raises(ListTruncated):
            run(call("48001", Patch(name="Ada")))
    assert cometly_log.writes == []


NEEDS_A_READ = Patch(
    tags=WantedTags(add=("More",)),
    name="Ada",
    phones=(phone("+358400000009", primary=True, e164="+358400000009"),),
)


def test_a_read_that_fails_before_an_update_has_applied_nothing(connector, remote_id, log, run):
    patch = screen(NEEDS_A_READ, connector.capabilities).changes
    for call in (connector.prepare_update, connector.update):
        log.simulator.faults.add(Fault(kind="drop_before", operation="read", count=1))
        with pytest.raises(ReplyTimedOut) as failed:
            run(call(remote_id, patch))
        assert failed.value.outcome == "NOT_APPLIED"
    assert log.writes == []
