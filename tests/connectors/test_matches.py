"""Whom an upsert means: everybody with one of the addresses, or with the external id where there is one."""

from datetime import UTC, datetime

import pytest

from gateway.connectors.base import Match
from gateway.connectors.screening import screen
from gateway.domain.changes import Draft
from gateway.domain.contact import Provider
from gateway.domain.errors import FieldUnsupported, InputRefused, ListTruncated, ProviderFailure, ReplyUnreadable
from gateway.sandbox.cometly.profile import CometlyProfile, Values
from gateway.sandbox.faults import Fault
from gateway.sandbox.gately.contact import GatelyContact
from gateway.sandbox.klen.contact import KlenContact
from gateway.sandbox.sandbox import CometlySwitches, GatelySwitches, KlenSwitches
from gateway.sandbox.seed.landmarks import MANY_EMAILS_COMETLY_ID
from tests.connectors.canned import answered_by, changed, documented
from tests.domain.wanted import emails

WHEN = datetime(2024, 3, 4, 5, 6, 7, tzinfo=UTC)
EXTERNAL_ID_PATH = ("input", "externalId")
WITHOUT_EXTERNAL_IDS = (Provider.KLEN, Provider.COMETLY)


@pytest.fixture(params=WITHOUT_EXTERNAL_IDS)
def forgetful(request, connectors, sandbox):
    """A provider that holds no external id."""
    return connectors[request.param]


@pytest.fixture
def forgetful_simulator(forgetful, sandbox):
    return getattr(sandbox, forgetful.capabilities.provider)


def create(connector, run, *addresses: str):
    draft = Draft(name="Ines Aalto", first_name="Ines", emails=emails(*addresses, primary=0))
    return run(connector.create(screen(draft, connector.capabilities).changes)).key


def matched(connector, run, *addresses: str, external_id: str | None = None) -> list[str]:
    found = run(connector.find_matches(Match(emails=addresses, external_id=external_id)))
    return [record.key.remote_id for record in found]


# By address, everywhere


def test_everybody_with_one_of_the_addresses_is_meant(connector, run):
    first, second = create(connector, run, "Ines@aalto.test"), create(connector, run, "noor@example.test")
    create(connector, run, "xines@aalto.test")
    found = matched(connector, run, "INES@aalto.test", "noor@example.test", "nobody@aalto.test")
    assert sorted(found) == sorted([first.remote_id, second.remote_id])


def test_an_unknown_address_means_nobody(connector, run):
    create(connector, run, "xines@aalto.test")
    assert matched(connector, run, "ines@aalto.test") == []


def test_one_address_in_two_ways_of_writing_finds_its_contact_by_one_call(connector, log, run):
    key = create(connector, run, "ines@aalto.test")
    log.clear()
    assert matched(connector, run, "ines@aalto.test", "INES@aalto.test") == [key.remote_id]
    assert log.calls == ["GET /contacts"]


def test_a_match_by_nothing_is_refused_without_a_call(connector, log, run):
    with pytest.raises(FieldUnsupported) as refused:
        matched(connector, run)
    assert refused.value.fault.field == EXTERNAL_ID_PATH
    assert log.requests == []


def test_a_look_that_fails_does_not_mean_that_nobody_is_there(connector, log, run):
    log.simulator.faults.add(Fault(kind="status", status=503, operation="list"))
    with pytest.raises(ProviderFailure):
        matched(connector, run, "ines@aalto.test")


# By external id


def test_who_holds_no_external_id_says_so_without_a_call(forgetful, forgetful_simulator, run):
    with pytest.raises(FieldUnsupported) as refused:
        matched(forgetful, run, external_id="crm-1")
    fault, name = refused.value.fault, forgetful.capabilities.display_name
    assert fault.field == EXTERNAL_ID_PATH
    assert fault.message == f"{name} holds no external id; it recognises a contact by an email address."
    assert forgetful_simulator.requests == []


def test_an_external_id_beside_an_address_does_no_harm(forgetful, run):
    key = create(forgetful, run, "ines@aalto.test")
    assert matched(forgetful, run, "ines@aalto.test", external_id="crm-1") == [key.remote_id]


def gately_contacts(sandbox, count: int, **external_ids: str) -> None:
    """The only contacts there are, newest first: n0, n1, ...; keywords give some their external ids."""
    sandbox.gately.contacts.clear()
    for n in range(count):
        created = datetime.fromtimestamp(1_900_000_000 - n, UTC)
        made = GatelyContact(f"n{n}", f"Name {n}", f"{n}@aalto.test", created, created)
        made.external_id = external_ids.get(made.id)
        sandbox.gately.contacts[made.id] = made


@pytest.mark.parametrize("empty", ["absent", "null"])
def test_gatelys_list_is_walked_for_an_external_id_where_it_shows_them(empty, gately, sandbox, gately_log, run):
    sandbox.gately.switches = GatelySwitches(list_items="whole", empty_fields=empty)
    gately_contacts(sandbox, 401, n3="crm-10", n7="CRM-1", n250="crm-1", n400="crm-1")
    assert matched(gately, run, external_id="crm-1") == ["n250", "n400"]
    assert gately_log.calls == ["GET /contacts"] * 3
    assert {request.query["limit"] for request in gately_log.requests} == {"200"}


def test_gatelys_few_contacts_are_read_where_the_list_shows_no_external_ids(gately, sandbox, gately_log, run):
    gately_contacts(sandbox, 50, n3="crm-10", n49="crm-1")
    assert matched(gately, run, external_id="crm-1") == ["n49"]
    assert gately_log.calls == ["GET /contacts", *(f"GET /contacts/n{n}" for n in range(50))]


def test_too_many_to_be_read_are_refused_before_the_first_is_read(gately, sandbox, gately_log, run):
    gately_contacts(sandbox, 51, n3="crm-1")
    with pytest.raises(ListTruncated) as refused:
        matched(gately, run, external_id="crm-1")
    assert refused.value.fault.field == EXTERNAL_ID_PATH
    assert gately_log.calls == ["GET /contacts"]


def test_who_is_deleted_while_gatelys_contacts_are_read_is_nobody_that_is_meant(gately, sandbox, run):
    gately_contacts(sandbox, 3, n0="crm-1", n1="crm-1")
    sandbox.gately.faults.add(Fault(kind="status", status=404, operation="read", count=1))
    assert matched(gately, run, external_id="crm-1") == ["n1"]


def test_a_read_that_fails_on_the_way_to_an_external_id_is_a_failure(gately, sandbox, run):
    gately_contacts(sandbox, 3, n0="crm-1")
    sandbox.gately.faults.add(Fault(kind="status", status=500, operation="read"))
    with pytest.raises(ProviderFailure):
        matched(gately, run, external_id="crm-1")


def test_an_address_and_an_external_id_may_mean_two_contacts_of_gately_or_one(gately, sandbox, run):
    gately_contacts(sandbox, 5, n3="crm-1")
    assert matched(gately, run, "1@aalto.test", external_id="crm-1") == ["n1", "n3"]
    assert matched(gately, run, "3@aalto.test", external_id="crm-1") == ["n3"]


@pytest.mark.parametrize(("count", "pages"), [(2_000, 10), (2_001, 10)])
def test_gatelys_list_is_walked_ten_pages_far(count, pages, gately, sandbox, gately_log, run):
    sandbox.gately.switches = GatelySwitches(list_items="whole")
    gately_contacts(sandbox, count, n1999="crm-1")
    if count == 2_000:
        assert matched(gately, run, external_id="crm-1") == ["n1999"]
    else:
        with pytest.raises(ListTruncated) as refused:
            matched(gately, run, external_id="crm-1")
        assert refused.value.fault.message == (
            "Gately has no search for this, and holds more than the 2,000 contacts that are looked through."
        )
    assert len(gately_log.requests) == pages


# Klen AI: several may have one address


@pytest.mark.parametrize("order", ["newest_first", "oldest_first"])
def test_everybody_at_klen_with_the_address_is_meant_over_all_pages(order, klen, sandbox, klen_log, run):
    sandbox.klen.switches = KlenSwitches(list_order=order)
    sandbox.klen.contacts.clear()
    for n in range(1, 202):
        email = "Ines@aalto.test" if n in (1, 101, 201) else f"{n}ines@aalto.test"
        sandbox.klen.contacts[n] = KlenContact(n, "Ines", WHEN, email=email)
    assert sorted(matched(klen, run, "ines@aalto.test")) == ["1", "101", "201"]
    assert len(klen_log.requests) == 3


# Cometly: no search, so the list is walked


def profiles(sandbox, count: int, **addresses: list[str]) -> None:
    """The only profiles there are: 1, 2, ...; keywords such as p7 give some their addresses."""
    sandbox.cometly.contacts.clear()
    for n in range(1, count + 1):
        made = CometlyProfile(n, WHEN)
        held = addresses.get(f"p{n}", [f"{n}@aalto.test"])
        made.emails = Values(held, held[0] if held else None)
        sandbox.cometly.contacts[n] = made


@pytest.mark.parametrize("key", ["emails", "all_emails"])
@pytest.mark.parametrize("items", ["strings", "objects"])
def test_an_address_of_cometly_counts_even_where_it_is_not_the_primary(key, items, cometly, sandbox, run):
    sandbox.cometly.switches = CometlySwitches(all_emails_key=key, value_items=items)
    profiles(sandbox, 3, p1=[], p2=["other@aalto.test", "Ines@aalto.test"])
    assert matched(cometly, run, "ines@aalto.test") == ["2"]


def test_an_address_of_cometly_that_a_read_no_longer_shows_is_found(cometly, sandbox, run):
    oldest = sandbox.cometly.contacts[MANY_EMAILS_COMETLY_ID].emails.oldest_first[0]
    assert matched(cometly, run, oldest) == [str(MANY_EMAILS_COMETLY_ID)]


def test_cometlys_list_is_walked_whole_newest_first_by_two_thousand(cometly, sandbox, cometly_log, run):
    profiles(sandbox, 4_001, p1=["ines@aalto.test"], p2500=["Ines@aalto.test"])
    assert matched(cometly, run, "ines@aalto.test") == ["2500", "1"]
    queries = [request.query for request in cometly_log.requests]
    assert [(query["per_page"], query["include_all_emails"]) for query in queries] == [("2000", "1")] * 3


@pytest.mark.parametrize("count", [10_000, 10_001])
def test_cometlys_list_is_walked_five_pages_far(count, cometly, sandbox, cometly_log, run):
    profiles(sandbox, count, p10000=["ines@aalto.test"])
    if count == 10_000:
        assert matched(cometly, run, "ines@aalto.test") == ["10000"]
    else:
        with pytest.raises(ListTruncated) as refused:
            matched(cometly, run, "ines@aalto.test")
        assert refused.value.fault.message == (
            "Cometly has no search for this, and holds more than the 10,000 contacts that are looked through."
        )
    assert len(cometly_log.requests) == 5


def test_a_window_that_cometly_refuses_does_not_mean_that_nobody_is_there(cometly, sandbox, run):
    sandbox.cometly.switches = CometlySwitches(longest_window_days=365)
    with pytest.raises(InputRefused):
        matched(cometly, run, "ines@aalto.test")


def test_a_list_without_the_addresses_it_was_asked_for_does_not_mean_that_nobody_is_there(run):
    page = changed(documented(Provider.COMETLY, "list_response"), "next_cursor", to=None)
    with pytest.raises(ReplyUnreadable):
        matched(answered_by(Provider.COMETLY, page), run, "ines@aalto.test")
