"""A creation that is refused because its address is taken names the record that has it, wherever one look finds it."""

import pytest

from gateway.connectors.screening import screen
from gateway.domain.changes import Draft
from gateway.domain.contact import Provider
from gateway.domain.errors import DuplicateRecord, InputRefused, ProviderFailure
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import CometlySwitches, GatelySwitches, KlenSwitches
from tests.domain.wanted import emails

INES = Draft(name="Ines Aalto", first_name="Ines", emails=emails("Ines@aalto.test", primary=0))
REFUSING = {
    Provider.GATELY: GatelySwitches(duplicate_status=409),
    Provider.KLEN: KlenSwitches(duplicate_email="409"),
    Provider.COMETLY: CometlySwitches(duplicate_email="refused", errors_in_422=True),
}
STATUS = {Provider.GATELY: 409, Provider.KLEN: 409, Provider.COMETLY: 422}


def create(connector, run, draft=INES):
    return run(connector.create(screen(draft, connector.capabilities).changes))


def refused(connector, run, draft=INES) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as failed:
        create(connector, run, draft)
    assert failed.value.outcome == "NOT_APPLIED"
    return failed.value


@pytest.fixture
def taken(connector, registration, log, run):
    """The key of the record that has the address, at a provider that allows no second one."""
    key = create(connector, run).key
    log.simulator.switches = REFUSING[registration.provider]
    log.clear()
    return key


def test_a_taken_address_names_who_has_it(connector, registration, taken, log, run):
    failure = refused(connector, run)
    assert type(failure) is DuplicateRecord
    fault = failure.fault
    assert (fault.existing, fault.field, fault.retryable) == (taken, ("input", "emails"), False)
    assert fault.upstream_status == STATUS[registration.provider]
    name = connector.capabilities.display_name
    assert fault.message == f"{name} already holds a contact with this email address."
    assert [request.method for request in log.requests] == ["POST", "GET"]


def test_a_look_that_fails_leaves_the_refusal_as_it_was(connector, registration, taken, log, run):
    log.simulator.faults.add(Fault(kind="drop_before", operation="list"))
    failure = refused(connector, run)
    is_conflict = STATUS[registration.provider] == 409
    assert type(failure) is (DuplicateRecord if is_conflict else InputRefused)
    assert failure.fault.existing is None
    assert len(log.requests) > 1


def test_a_conflict_without_a_find_is_a_duplicate_of_nobody_known(connector, log, run):
    log.simulator.faults.add(Fault(kind="status", status=409, operation="create"))
    failure = refused(connector, run)
    assert (type(failure), failure.fault.existing) == (DuplicateRecord, None)
    assert [request.method for request in log.requests] == ["POST", "GET"]


def test_a_conflict_names_who_has_the_address(connector, log, run):
    key = create(connector, run).key
    log.simulator.faults.add(Fault(kind="status", status=409, operation="create"))
    failure = refused(connector, run)
    assert (type(failure), failure.fault.existing) == (DuplicateRecord, key)


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_no_other_refusal_is_looked_into(status, connector, log, run):
    create(connector, run)
    log.clear()
    log.simulator.faults.add(Fault(kind="status", status=status, operation="create"))
    with pytest.raises(ProviderFailure) as failed:
        create(connector, run)
    assert not isinstance(failed.value, DuplicateRecord)
    assert [request.method for request in log.requests] == ["POST"]


def test_a_conflict_at_klen_over_a_contact_without_an_address_is_not_looked_into(klen, klen_log, run):
    klen_log.simulator.faults.add(Fault(kind="status", status=409, operation="create"))
    assert type(refused(klen, run, Draft(first_name="Ines"))) is DuplicateRecord
    assert klen_log.calls == ["POST /contacts/create"]


def test_a_validation_error_of_klen_is_no_duplicate(klen, sandbox, klen_log, run):
    create(klen, run)
    sandbox.klen.switches = KlenSwitches(duplicate_email="400")
    klen_log.clear()
    assert type(refused(klen, run)) is InputRefused
    assert klen_log.calls == ["POST /contacts/create"]


def test_a_422_of_cometly_that_blames_nothing_is_not_looked_into(cometly, sandbox, cometly_log, run):
    create(cometly, run)
    sandbox.cometly.switches = CometlySwitches(duplicate_email="refused")
    cometly_log.clear()
    assert type(refused(cometly, run)) is InputRefused
    assert cometly_log.calls == ["POST /contacts"]


def test_a_422_of_cometly_that_blames_an_address_which_nobody_has_stays_a_refusal(cometly, sandbox, cometly_log, run):
    sandbox.cometly.switches = CometlySwitches(errors_in_422=True)
    failure = refused(cometly, run, Draft(emails=emails("not an address", primary=0)))
    assert (type(failure), failure.fault.field) == (InputRefused, ("input", "emails"))
    assert cometly_log.calls == ["POST /contacts", "GET /contacts"]


def test_any_of_the_addresses_may_be_the_taken_one_at_cometly(cometly, sandbox, run):
    key = create(cometly, run).key
    sandbox.cometly.switches = REFUSING[Provider.COMETLY]
    failure = refused(cometly, run, Draft(emails=emails("new@aalto.test", "INES@aalto.test", primary=0)))
    assert failure.fault.existing == key
