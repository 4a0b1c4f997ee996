"""A creation whose answer was lost is found again, and what merely looks like it is not taken for it."""

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gateway.connectors.base import Connector, Sighting, Sought
from gateway.connectors.screening import screen
from gateway.domain.changes import Draft
from gateway.domain.contact import Provider, RecordKey
from gateway.domain.errors import InputRefused, ProviderFailure, ReplyUnreadable
from gateway.sandbox.cometly.profile import CometlyProfile, Values
from gateway.sandbox.faults import Fault
from gateway.sandbox.gately.contact import GatelyContact
from gateway.sandbox.klen.contact import KlenContact, Phone
from gateway.sandbox.sandbox import CometlySwitches, GatelySwitches, KlenSwitches
from tests.connectors.canned import answered_by, changed, documented
from tests.connectors.timed import NOON, TestClock, timed_connector
from tests.domain.wanted import emails, phone

INES = Draft(name="Ines Aalto", first_name="Ines", last_name="Aalto", emails=emails("Ines@aalto.test", primary=0))
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NOTHING = Sighting()


@pytest.fixture
def clock(sandbox, monkeypatch):
    started = TestClock(NOON)
    for simulator in sandbox.simulators:
        monkeypatch.setattr(simulator, "clock", started.theirs)
        simulator.contacts.clear()
    return started


@pytest.fixture
def timed(running_sandbox, clock, run) -> Iterator[Callable[..., Connector]]:
    opened = []

    def open_one(provider: Provider, zone: str = "America/New_York") -> Connector:
        opened.append(timed_connector(provider, running_sandbox, clock.ours, zone))
        return opened[-1]

    yield open_one
    for connector in opened:
        run(connector.aclose())


@pytest.fixture
def connector(registration, timed):
    return timed(registration.provider)


@pytest.fixture
def gately(timed):
    return timed(Provider.GATELY)


@pytest.fixture
def klen(timed):
    return timed(Provider.KLEN)


@pytest.fixture
def cometly(timed):
    return timed(Provider.COMETLY)


def lose(connector, run, simulator, draft=INES, **fault) -> RecordKey:
    """Sends a creation that is applied and whose answer never arrives; the key of what it made."""
    before = set(simulator.contacts)
    simulator.faults.add(Fault(operation="create", count=1, **(fault or {"kind": "drop_after"})))
    with pytest.raises(ProviderFailure) as failed:
        run(connector.create(screen(draft, connector.capabilities).changes))
    assert failed.value.outcome == "UNKNOWN"
    (made,) = set(simulator.contacts) - before
    return RecordKey(connector.capabilities.provider, str(made))


def look(connector, run, draft=INES, since=NOON) -> Sighting:
    return run(connector.find_created(Sought(draft=screen(draft, connector.capabilities).changes, since=since)))


def keys(records) -> list[RecordKey]:
    return [record.key for record in records]


def seen(sighting) -> tuple[list[str], list[str], list[str]]:
    """The ids of what was created, was there before, and is doubtful."""
    created, before, doubtful = (
        [key.remote_id for key in keys(found)] for found in (sighting.created, sighting.before, sighting.doubtful)
    )
    return created, before, doubtful


# Every provider


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_after"},
        {"kind": "status", "status": 500, "applied": True},
        {"kind": "html"},
        {"kind": "cut_json"},
        {"kind": "no_id"},
    ],
    ids=lambda fault: fault["kind"],
)
def test_a_creation_whose_answer_was_lost_is_found(fault, connector, log, clock, run):
    key = lose(connector, run, log.simulator, **fault)
    clock.go_on(minutes=5)
    assert seen(look(connector, run)) == ([key.remote_id], [], [])


def test_a_creation_that_never_arrived_is_not_there(connector, log, clock, run):
    log.simulator.faults.add(Fault(kind="drop_before", operation="create"))
    with pytest.raises(ProviderFailure):
        run(connector.create(INES))
    clock.go_on(minutes=5)
    assert look(connector, run) == NOTHING


def test_what_a_look_found_is_a_summary_that_names_the_contact(connector, log, run):
    lose(connector, run, log.simulator)
    (record,) = look(connector, run).created
    assert (record.name, [email.normalized for email in record.emails]) == ("Ines Aalto", ["ines@aalto.test"])


def test_a_look_writes_nothing(connector, log, run):
    lose(connector, run, log.simulator)
    log.clear()
    look(connector, run)
    assert log.requests != []
    assert log.writes == []


@pytest.mark.parametrize("status", [401, 403, 422, 429, 500, 503])
def test_a_look_that_is_refused_says_so_and_not_that_nothing_is_there(status, connector, log, run):
    lose(connector, run, log.simulator)
    log.simulator.faults.add(Fault(kind="status", status=status, operation="list"))
    with pytest.raises(ProviderFailure) as failed:
        look(connector, run)
    assert failed.value.fault.upstream_status == status


def test_a_look_that_nobody_answers_says_so(connector, log, run):
    lose(connector, run, log.simulator)
    log.simulator.faults.add(Fault(kind="drop_before", operation="list"))
    with pytest.raises(ProviderFailure):
        look(connector, run)


@pytest.mark.parametrize("seconds", [5, 4, -4, -5])
def test_the_clocks_may_differ_by_five_seconds(seconds, connector, log, clock, run):
    clock.behind = timedelta(seconds=seconds)
    key = lose(connector, run, log.simulator)
    assert seen(look(connector, run)) == ([key.remote_id], [], [])


@pytest.mark.parametrize("seconds", [59 * 60, 60, 8, -10, -3600], ids=lambda seconds: f"{seconds} s behind")
def test_ours_is_doubtful_where_the_clocks_differ_more(seconds, connector, log, clock, run):
    clock.behind = timedelta(seconds=seconds)
    key = lose(connector, run, log.simulator)
    assert seen(look(connector, run)) == ([], [], [key.remote_id])


def test_ours_is_no_longer_in_the_future_when_it_is_looked_for_later(connector, log, clock, run):
    clock.behind = timedelta(seconds=-60)
    key = lose(connector, run, log.simulator)
    clock.go_on(minutes=2)
    assert seen(look(connector, run)) == ([key.remote_id], [], [])


# When somebody's contact with our address was made, by the provider's clock, and under which name; by provider,
# as what it is seen then.
ZONES = {
    "4 s before": (-4, "created", "created", "created"),
    # Cometly's window is of whole seconds, and its ends may not count: it is a second longer on either side.
    "6 s before": (-6, "doubtful", "doubtful", "created"),
    "7 s before": (-7, "doubtful", "doubtful", "doubtful"),
    "59 min before": (-59 * 60, "doubtful", "doubtful", "doubtful"),
    "61 min before": (-61 * 60, "before", "nothing", "doubtful"),
    "25 h before": (-25 * 3600, "before", "nothing", "doubtful"),
    "2 days before": (-48 * 3600, "before", "nothing", "nothing"),
    "at once": (0, "created", "created", "created"),
    "4 s in the future": (4, "created", "created", "created"),
    "10 s in the future": (10, "doubtful", "doubtful", "doubtful"),
    "an hour in the future": (3600, "doubtful", "doubtful", "doubtful"),
}
PLACES = {"created": (["1"], [], []), "before": ([], ["1"], []), "doubtful": ([], [], ["1"]), "nothing": ([], [], [])}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", ["Ines Aalto", "Ines Virta"])
def test_when_and_under_which_name_a_contact_was_made_decides_whose_it_is(name, zone, connector, sandbox, run):
    """Under another name it may be ours, renamed, as long as it is not older."""
    seconds, *places = ZONES[zone]
    created_at = NOON + timedelta(seconds=seconds)
    gately_contact(sandbox, "1", created_at, name=name)
    klen_contact(sandbox, 1, created_at, last_name=name.split()[1])
    profile(sandbox, 1, created_at, name=name)
    place = places[(Provider.GATELY, Provider.KLEN, Provider.COMETLY).index(connector.capabilities.provider)]
    if name != "Ines Aalto" and place == "created":
        place = "doubtful"
    assert seen(look(connector, run)) == PLACES[place]


def test_the_name_that_was_sent_is_compared_without_case_and_spaces(connector, log, run):
    lose(connector, run, log.simulator)
    (made,) = log.simulator.contacts.values()
    match made:
        case GatelyContact():
            made.name = " INES  aalto"
        case KlenContact():
            made.first_name, made.last_name = "INES ", " aalto"
        case CometlyProfile():
            made.names = Values([" INES  aalto"], " INES  aalto")
    assert len(look(connector, run).created) == 1


# Gately: one contact per address


def gately_contact(sandbox, remote_id, created_at, name="Ines Aalto", email="ines@AALTO.test"):
    sandbox.gately.contacts[remote_id] = GatelyContact(remote_id, name, email, created_at, created_at)


def test_an_older_contact_of_gately_with_the_address_rules_ours_out(gately, sandbox, run):
    gately_contact(sandbox, "older", NOON - HOUR - timedelta(seconds=1))
    assert seen(look(gately, run)) == ([], ["older"], [])


def test_a_contact_of_gately_that_is_not_an_hour_older_may_be_ours_by_a_wrong_clock(gately, sandbox, run):
    gately_contact(sandbox, "older", NOON - HOUR)
    assert seen(look(gately, run)) == ([], [], ["older"])


def test_gatelys_times_count_from_the_second_that_began_five_seconds_before(gately, sandbox, run):
    """NOON has half a second."""
    gately_contact(sandbox, "since", NOON - timedelta(seconds=5.5))
    assert seen(look(gately, run)) == (["since"], [], [])
    sandbox.gately.contacts.clear()
    gately_contact(sandbox, "earlier", NOON - timedelta(seconds=5.501))
    assert seen(look(gately, run)) == ([], [], ["earlier"])


def test_a_contact_of_gately_with_another_name_may_be_ours_renamed(gately, sandbox, run):
    gately_contact(sandbox, "other", NOON, name="Ines Virta")
    assert seen(look(gately, run)) == ([], [], ["other"])


def test_a_contact_of_gately_with_a_similar_address_says_nothing(gately, sandbox, run):
    gately_contact(sandbox, "similar", NOON, email="xines@aalto.test")
    assert look(gately, run) == NOTHING


def test_a_whole_name_that_gately_got_joined_is_the_one_that_is_compared(gately, sandbox, run):
    draft = Draft(first_name="Ines", last_name="Aalto", emails=INES.emails)
    key = lose(gately, run, sandbox.gately, draft)
    assert seen(look(gately, run, draft)) == ([key.remote_id], [], [])


@pytest.mark.parametrize("order", ["newest_first", "oldest_first"])
def test_gatelys_older_contact_may_stand_beside_ours_where_case_counts(order, gately, sandbox, run):
    sandbox.gately.switches = GatelySwitches(email_comparison="case_sensitive", list_order=order)
    gately_contact(sandbox, "older", NOON - timedelta(days=1))
    key = lose(gately, run, sandbox.gately)
    assert seen(look(gately, run)) == ([key.remote_id], ["older"], [])


@pytest.mark.parametrize("name", ["Ines Aalto", "Ines Virta"])
def test_a_contact_of_gately_whose_time_is_not_told_is_doubtful(name, run):
    page = changed(documented(Provider.GATELY, "list_response"), "contacts", 0, "created_at", to=None)
    email = emails("ines@aalto.test", primary=0)
    page = changed(changed(page, "contacts", 0, "name", to=name), "contacts", 0, "email", to=email[0].address)
    connector = answered_by(Provider.GATELY, page)
    sighting = look(connector, run, Draft(name="Ines Aalto", emails=email))
    assert (sighting.created, sighting.before, len(sighting.doubtful)) == ((), (), 1)


@pytest.mark.parametrize("order", ["newest_first", "oldest_first"])
def test_ours_is_found_behind_a_page_of_gatelys_search(order, gately, sandbox, gately_log, run):
    sandbox.gately.switches = GatelySwitches(list_order=order)
    sign = 1 if order == "newest_first" else -1
    for n in range(200):
        gately_contact(sandbox, f"n{n}", NOON + sign * timedelta(hours=1), email=f"{n}ines@aalto.test")
    key = lose(gately, run, sandbox.gately)
    gately_log.clear()
    assert seen(look(gately, run)) == ([key.remote_id], [], [])
    assert len(gately_log.requests) == 2


# Klen AI: duplicates are allowed, times are whole seconds


def klen_contact(sandbox, remote_id, created, **fields):
    asked = {"last_name": "Aalto", "email": "INES@aalto.test", **fields}
    sandbox.klen.contacts[remote_id] = KlenContact(remote_id, asked.pop("first_name", "Ines"), created, **asked)


def klen_times(sandbox) -> list[str]:
    return [shown["created_date"] for shown in sandbox.klen.describe_contacts()]


@pytest.mark.parametrize("order", ["newest_first", "oldest_first"])
def test_an_older_contact_of_klen_says_nothing(order, klen, sandbox, run):
    sandbox.klen.switches = KlenSwitches(list_order=order)
    klen_contact(sandbox, 1, NOON - HOUR - timedelta(seconds=1))
    assert look(klen, run) == NOTHING
    key = lose(klen, run, sandbox.klen)
    assert seen(look(klen, run)) == ([key.remote_id], [], [])


def test_klen_tells_no_fractions_so_a_second_that_began_earlier_counts(klen, sandbox, run):
    klen_contact(sandbox, 1, NOON - timedelta(seconds=5))
    assert klen_times(sandbox) == ["2031-07-01T11:59:55Z"], "half a second earlier than it was made"
    assert seen(look(klen, run)) == (["1"], [], [])
    sandbox.klen.contacts[1].created_date -= timedelta(seconds=1)
    assert seen(look(klen, run)) == ([], [], ["1"])


@pytest.mark.parametrize("order", ["newest_first", "oldest_first"])
def test_several_at_klen_are_named_oldest_first(order, klen, sandbox, clock, run):
    clock.go_on(minutes=1)
    sandbox.klen.switches = KlenSwitches(list_order=order)
    for remote_id, seconds in ((3, 5), (10, 0), (2, 0), (9, 9)):
        klen_contact(sandbox, remote_id, NOON + timedelta(seconds=seconds))
    assert seen(look(klen, run)) == (["2", "10", "3", "9"], [], [])


@pytest.mark.parametrize("fields", [{"first_name": "Iris"}, {"last_name": "Virta"}, {"last_name": None}])
def test_a_contact_of_klen_with_another_name_may_be_ours_renamed(fields, klen, sandbox, run):
    klen_contact(sandbox, 1, NOON, **fields)
    assert seen(look(klen, run)) == ([], [], ["1"])
    sandbox.klen.contacts[1].created_date = NOON - HOUR - timedelta(seconds=1)
    assert look(klen, run) == NOTHING


@pytest.mark.parametrize("email", ["xines@aalto.test", None])
@pytest.mark.parametrize("first_name", ["Ines", "ines@aalto.test"])
def test_a_contact_of_klen_with_another_address_says_nothing(email, first_name, klen, sandbox, run):
    klen_contact(sandbox, 1, NOON, email=email, first_name=first_name)
    assert look(klen, run) == NOTHING


def test_the_parts_that_klen_got_split_are_the_ones_that_are_compared(klen, sandbox, run):
    draft = Draft(name="Ines Maria Aalto", emails=INES.emails)
    klen_contact(sandbox, 1, NOON)
    key = lose(klen, run, sandbox.klen, draft)
    assert sandbox.klen.contacts[int(key.remote_id)].first_name == "Ines Maria"
    assert seen(look(klen, run, draft)) == ([key.remote_id], [], ["1"])


def test_a_contact_of_klen_whose_time_is_not_told_is_doubtful(run):
    page = documented(Provider.KLEN, "list_response")
    item = ("contacts", 0)
    for name, value in (("first_name", "Ines"), ("last_name", "Aalto"), ("email", "ines@aalto.test")):
        page = changed(page, *item, name, to=value)
    page = changed(page, *item, "created_date", to=None)
    sighting = look(answered_by(Provider.KLEN, page), run)
    assert (sighting.created, sighting.before, len(sighting.doubtful)) == ((), (), 1)


BARE = Draft(first_name="Ines")
NUMBERED = Draft(
    first_name="Ines",
    phones=(
        phone("+358 40 000 0001", e164="+358400000001"),
        phone("+358400000002", primary=True, position=1, e164="+358400000002"),
    ),
)
NO_EMAIL = {"email": None, "last_name": None}


@pytest.mark.parametrize("empty", ["null", "absent", "blank"])
@pytest.mark.parametrize("listed", ["primary", "first"])
@pytest.mark.parametrize("draft", [BARE, NUMBERED], ids=["bare", "numbered"])
def test_without_an_address_klens_contact_is_found_by_its_name(empty, listed, draft, klen, sandbox, run):
    sandbox.klen.switches = KlenSwitches(empty_fields=empty, listed_phone=listed)
    klen_contact(sandbox, 1, NOON - HOUR - timedelta(seconds=1), **NO_EMAIL)
    key = lose(klen, run, sandbox.klen, draft)
    assert seen(look(klen, run, draft)) == ([key.remote_id], [], [])


def test_without_an_address_a_contact_of_klen_like_ours_is_doubtful_by_its_time(klen, sandbox, run):
    klen_contact(sandbox, 1, NOON - MINUTE, **NO_EMAIL)
    klen_contact(sandbox, 2, NOON - MINUTE, email=None, last_name="Virta")
    assert seen(look(klen, run, BARE)) == ([], [], ["1"])
    assert look(klen, run, NUMBERED) == NOTHING


@pytest.mark.parametrize(
    "phones", [[], [Phone(1, "+358400000003", "mobile", primary=True)]], ids=["no number", "another number"]
)
def test_without_an_address_another_number_is_another_contact(phones, klen, sandbox, run):
    klen_contact(sandbox, 1, NOON, **NO_EMAIL, phone_numbers=phones)
    assert look(klen, run, NUMBERED) == NOTHING
    assert seen(look(klen, run, BARE)) == (["1"], [], [])


def test_with_an_address_the_number_that_klen_shows_does_not_matter(klen, sandbox, run):
    draft = Draft(first_name="Ines", last_name="Aalto", emails=INES.emails, phones=NUMBERED.phones)
    klen_contact(sandbox, 1, NOON, phone_numbers=[Phone(1, "+358400000003", "mobile", primary=True)])
    assert seen(look(klen, run, draft)) == (["1"], [], [])


def test_a_contact_with_an_address_is_not_the_one_that_was_sent_without(klen, sandbox, run):
    klen_contact(sandbox, 1, NOON, last_name=None)
    assert look(klen, run, BARE) == NOTHING


@pytest.mark.parametrize("order", ["newest_first", "oldest_first"])
@pytest.mark.parametrize("draft", [INES, BARE], ids=["by address", "by name"])
def test_ours_is_found_behind_pages_of_klens_search(order, draft, klen, sandbox, klen_log, run):
    sandbox.klen.switches = KlenSwitches(list_order=order)
    key = lose(klen, run, sandbox.klen, draft)
    if order == "oldest_first":
        sandbox.klen.contacts[10_000] = sandbox.klen.contacts.pop(int(key.remote_id))
        sandbox.klen.contacts[10_000].id = 10_000
    for n in range(9_100, 9_300):
        klen_contact(sandbox, n, NOON, first_name="Inesita", email=f"{n}ines@aalto.test")
    klen_log.clear()
    (found,) = look(klen, run, draft).created
    assert found.key.remote_id == ("10000" if order == "oldest_first" else key.remote_id)
    asked_for = "Ines@aalto.test" if draft is INES else "Ines"
    assert [request.query["search"] for request in klen_log.requests] == [asked_for] * 3


# Cometly: no times, a window in a zone that may be set wrong


def profile(sandbox, remote_id, created_at, *addresses, name="Ines Aalto"):
    made = CometlyProfile(remote_id, created_at)
    made.emails = Values(list(addresses or ("ines@aalto.test",)), next(iter(addresses), "ines@aalto.test"))
    made.names = Values([name] if name else [], name)
    sandbox.cometly.contacts[remote_id] = made
    return made


@pytest.mark.parametrize("ends", ["inclusive", "exclusive"])
@pytest.mark.parametrize("seconds", [5, 0, -5])
@pytest.mark.parametrize("zone", ["America/New_York", "UTC", "Pacific/Kiritimati", "Asia/Kathmandu"])
def test_ours_is_in_the_window_at_cometly(ends, seconds, zone, timed, sandbox, cometly_log, clock, run):
    sandbox.cometly.switches = CometlySwitches(window_ends=ends, timezone=zone)
    cometly = timed(Provider.COMETLY, zone)
    clock.behind = timedelta(seconds=seconds)
    key = lose(cometly, run, sandbox.cometly)
    cometly_log.clear()
    assert seen(look(cometly, run)) == ([key.remote_id], [], [])
    assert len(cometly_log.requests) == 1


TWO = Draft(name="Ines Aalto", emails=emails("Ines@aalto.test", "i@aalto.test", primary=1))


@pytest.mark.parametrize("key", ["emails", "all_emails"])
@pytest.mark.parametrize("items", ["strings", "objects"])
@pytest.mark.parametrize("stored", ["as_sent", "lower_case"])
def test_every_address_that_was_sent_is_looked_for_however_cometly_shows_it(key, items, stored, cometly, sandbox, run):
    sandbox.cometly.switches = CometlySwitches(all_emails_key=key, value_items=items, email_storage=stored)
    profile(sandbox, 1, NOON, "ines@aalto.test")
    profile(sandbox, 2, NOON, "i@aalto.test", "other@aalto.test")
    made = lose(cometly, run, sandbox.cometly, TWO)
    assert seen(look(cometly, run, TWO)) == ([made.remote_id], [], [])


def test_a_profile_with_more_addresses_than_were_sent_is_ours_too(cometly, sandbox, run):
    """Cometly may have merged it with another meanwhile."""
    profile(sandbox, 1, NOON, "older@aalto.test", "i@aalto.test", "INES@aalto.test")
    assert seen(look(cometly, run, TWO)) == (["1"], [], [])


def test_a_profile_with_another_name_may_be_ours_renamed(cometly, sandbox, run):
    profile(sandbox, 1, NOON, name="Ines Virta")
    profile(sandbox, 2, NOON, name=None)
    assert seen(look(cometly, run)) == ([], [], ["1", "2"])


def test_a_profile_with_another_name_is_not_mentioned_beside_ours(cometly, sandbox, run):
    profile(sandbox, 1, NOON, name="Ines Virta")
    key = lose(cometly, run, sandbox.cometly)
    assert seen(look(cometly, run)) == ([key.remote_id], [], [])


def test_without_a_name_the_addresses_decide(cometly, sandbox, run):
    draft = Draft(emails=INES.emails)
    profile(sandbox, 1, NOON, name="Ines Virta")
    assert seen(look(cometly, run, draft)) == (["1"], [], [])


def test_several_at_cometly_are_named_oldest_first(cometly, sandbox, run):
    for remote_id in (9, 10, 2):
        profile(sandbox, remote_id, NOON)
    assert seen(look(cometly, run)) == (["2", "9", "10"], [], [])


def test_what_stands_beside_the_window_is_doubtful(cometly, sandbox, run):
    profile(sandbox, 1, NOON - timedelta(seconds=7))
    profile(sandbox, 2, NOON - timedelta(hours=20), name="Ines Virta")
    profile(sandbox, 3, NOON - timedelta(hours=20))
    profile(sandbox, 4, NOON - timedelta(days=2))
    profile(sandbox, 5, NOON - timedelta(hours=20), "other@aalto.test")
    assert seen(look(cometly, run)) == ([], [], ["1", "2", "3"])


def test_what_is_older_than_any_zone_could_make_it_says_nothing(cometly, sandbox, run):
    profile(sandbox, 4, NOON - timedelta(hours=27))
    assert look(cometly, run) == NOTHING


def test_a_foreign_profile_that_is_older_does_not_hide_ours(cometly, sandbox, run):
    profile(sandbox, 1, NOON - timedelta(hours=1))
    key = lose(cometly, run, sandbox.cometly)
    assert seen(look(cometly, run)) == ([key.remote_id], [], [])


@pytest.mark.parametrize(
    ("configured", "real"),
    [
        ("UTC", "America/New_York"),
        ("America/New_York", "UTC"),
        ("Pacific/Pago_Pago", "Pacific/Kiritimati"),
        ("Pacific/Kiritimati", "Pacific/Pago_Pago"),
    ],
)
def test_ours_is_doubtful_where_the_zone_is_set_wrong(configured, real, timed, sandbox, run):
    """docs/providers/cometly.md, ambiguity 19; the last two are 25 hours apart."""
    sandbox.cometly.switches = CometlySwitches(timezone=real)
    cometly = timed(Provider.COMETLY, configured)
    key = lose(cometly, run, sandbox.cometly)
    assert seen(look(cometly, run)) == ([], [], [key.remote_id])


def test_ours_is_in_the_window_although_cometly_took_its_time(cometly, sandbox, clock, run):
    clock.go_on(minutes=10)
    key = lose(cometly, run, sandbox.cometly)
    clock.go_on(hours=3)
    assert seen(look(cometly, run)) == ([key.remote_id], [], [])


def test_ours_is_in_the_window_although_our_clock_was_set_back(cometly, sandbox, clock, run):
    key = lose(cometly, run, sandbox.cometly)
    clock.go_on(minutes=-10)
    assert seen(look(cometly, run)) == ([key.remote_id], [], [])


def test_a_window_that_cometly_refuses_is_not_an_empty_one(cometly, sandbox, run):
    sandbox.cometly.switches = CometlySwitches(longest_window_days=1)
    with pytest.raises(InputRefused) as refused:
        look(cometly, run)
    assert refused.value.fault.upstream_status == 422
    key = lose(cometly, run, sandbox.cometly)
    assert seen(look(cometly, run)) == ([key.remote_id], [], [])


def test_ours_is_found_behind_a_page_of_the_window(cometly, sandbox, cometly_log, run):
    key = lose(cometly, run, sandbox.cometly)
    for n in range(2_000):
        profile(sandbox, 60_000 + n, NOON, f"{n}@aalto.test")
    cometly_log.clear()
    assert seen(look(cometly, run)) == ([key.remote_id], [], [])
    assert len(cometly_log.requests) == 2


@pytest.mark.parametrize("began", ["05:59:00", "06:00:00", "06:30:00", "06:59:30"])
def test_the_hour_that_the_end_of_summer_time_repeats_loses_nothing(began, timed, sandbox, clock, run):
    """In New York 02:00 becomes 01:00 again at 06:00 UTC: by the wall clock a window could end before its start."""
    clock.now = since = datetime.fromisoformat(f"2031-11-02T{began}+00:00")
    assert since.tzinfo == UTC
    cometly = timed(Provider.COMETLY, "America/New_York")
    clock.go_on(seconds=30)
    key = lose(cometly, run, sandbox.cometly)
    clock.go_on(seconds=60)
    assert seen(look(cometly, run, since=since)) == ([key.remote_id], [], [])


def test_a_list_that_does_not_show_the_addresses_it_was_asked_for_proves_nothing(run):
    """docs/providers/cometly.md, ambiguity 12: under which key they stand is not documented."""
    page = changed(documented(Provider.COMETLY, "list_response"), "next_cursor", to=None)
    with pytest.raises(ReplyUnreadable):
        look(answered_by(Provider.COMETLY, page, page), run)


def test_a_record_that_two_pages_show_is_named_once(klen, sandbox, run):
    for n in range(1, 101):
        klen_contact(sandbox, n, NOON)
    twice = copy.copy(sandbox.klen.contacts[1])
    sandbox.klen.contacts[101] = twice
    assert len(sandbox.klen.contacts) == 101
    assert len(look(klen, run).created) == 100
