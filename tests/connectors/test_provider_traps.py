"""The nineteen traps of docs/providers/README.md, each with a test that walks into it."""

import json

import pytest

from gateway.connectors.base import PageRequest
from gateway.connectors.registry import REGISTRY
from gateway.domain.changes import Draft, Patch, WantedTags
from gateway.domain.contact import Field, PhoneType, Provider
from gateway.domain.errors import (
    InputRefused,
    OperationUnsupported,
    PermissionDenied,
    RateLimited,
    RecordNotFound,
    ReplyTimedOut,
)
from gateway.domain.exchange import CallKind
from gateway.sandbox.cometly.profile import Values
from gateway.sandbox.faults import Fault
from gateway.sandbox.klen.contact import CLOSED_TEAM
from gateway.sandbox.sandbox import CometlySwitches
from gateway.sandbox.seed.landmarks import (
    MANY_EMAILS_COMETLY_ID,
    MERGED_AWAY_COMETLY_ID,
    OTHER_TEAM_KLEN_ID,
    SURVIVING_COMETLY_ID,
)
from tests.connectors.samples import SAMPLES
from tests.domain.wanted import address, emails, merged_custom_fields, phone, phones, tags

ADA = 9001
EMAIL = emails("ines@aalto.test", primary=0)


def test_trap_01_a_merged_custom_field_keeps_the_others_at_every_provider(registration, connector, sandbox, run):
    """Replace against merge: never send a part of an object that is replaced whole."""
    key = SAMPLES[registration.provider].add_full_record(sandbox)
    run(connector.update(key, Patch(custom_fields=merged_custom_fields(seats=2))))
    assert run(connector.read(key)).custom_fields == {"tier": "gold", "seats": 2}


def test_trap_02_a_capped_read_is_not_written_back(cometly, sandbox, cometly_log, run):
    """Cometly reads are capped, writes are not: an update of another list sends no emails."""
    run(cometly.update(str(MANY_EMAILS_COMETLY_ID), Patch(phones=phones("1", primary=0))))
    assert cometly_log.only_write == {"phones": ["1"]}
    assert len(sandbox.cometly.contacts[MANY_EMAILS_COMETLY_ID].emails.oldest_first) == 30


@pytest.mark.parametrize("order", ["reversed", "as_sent"])
def test_trap_03_the_primary_goes_first_and_is_not_taken_from_the_order_of_a_read(cometly, sandbox, run, order):
    """Cometly's order differs by direction: writes begin with the primary, reads with the newest."""
    sandbox.cometly.switches = CometlySwitches(order_after_write=order)
    profile = sandbox.cometly.contacts[SURVIVING_COMETLY_ID]
    run(cometly.update(str(profile.id), Patch(emails=emails("a@x.test", "b@x.test", primary=1))))
    assert profile.emails.primary == "b@x.test"
    assert [email.primary for email in run(cometly.read(str(profile.id))).emails] == [False, False]


def test_trap_04_klens_address_is_an_object_when_read_and_the_street_when_written(klen, sandbox, klen_log, run):
    contact = sandbox.klen.contacts[ADA]
    (read,) = run(klen.read(str(ADA))).addresses
    parts = {name: getattr(read, name) for name in ("street", "city", "state", "postal_code", "country")}
    run(klen.update(str(ADA), Patch(addresses=(address(**parts, primary=True),))))
    assert klen_log.only_write == {
        "address": contact.address,
        "city": contact.city,
        "state": contact.state,
        "zip_code": contact.zip_code,
        "country": contact.country,
    }


def test_trap_05_the_country_that_klen_makes_up_is_not_taken_for_knowledge(klen, run):
    key = run(klen.create(Draft(first_name="Noor"))).key
    assert json.loads(run(klen.read(key.remote_id)).raw)["address"]["country"] == "US"
    assert run(klen.read(key.remote_id)).addresses == ()


def test_trap_06_what_an_answer_to_a_write_leaves_out_is_unknown_and_not_cleared(connector, registration, sandbox, run):
    """Responses of writes are not the record."""
    key = SAMPLES[registration.provider].add_full_record(sandbox)
    record = run(connector.update(key, Patch(emails=emails("new@aalto.test", primary=0)))).record
    assert Field.PHONES not in record.known
    assert Field.CUSTOM_FIELDS not in record.known
    assert run(connector.read(key)).phones != ()


def test_trap_07_a_list_item_does_not_claim_to_know_phones_or_addresses(connector, run):
    """Lists are summaries."""
    records = run(connector.list_page(PageRequest(limit=100))).records
    claimed = {field for record in records for field in record.known}
    assert claimed & {Field.PHONES, Field.ADDRESSES, Field.NOTES, Field.WEBSITE} == set()


def test_trap_08_tags_are_names_whether_they_travel_as_texts_or_objects(gately, klen, cometly, run):
    """Tags change type in Gately, are plain in Klen and do not exist in Cometly."""
    draft = Draft(name="Ines Aalto", first_name="Ines", emails=EMAIL, tags=tags("Brand new", "VIP"))
    for connector in (gately, klen):
        key = run(connector.create(draft)).key
        assert run(connector.read(key.remote_id)).tags == ("Brand new", "VIP")
        run(connector.update(key.remote_id, Patch(tags=WantedTags(add=("More",)))))
        assert run(connector.read(key.remote_id)).tags == ("Brand new", "VIP", "More")
    assert not cometly.capabilities.of(Field.TAGS).held


def test_trap_09_a_read_never_guesses_the_parts_of_a_name(gately, cometly, sandbox, run):
    """Splitting and joining is a guess; keep the original."""
    ids = {str(key): contact for key, contact in sandbox.gately.contacts.items()}
    remote_id = next(key for key, contact in ids.items() if contact.first_name is None)
    record = run(gately.read(remote_id))
    assert (record.name, record.first_name, record.last_name) == (ids[remote_id].name, None, None)
    profile = run(cometly.read("48002"))
    assert (profile.name is not None, profile.first_name, profile.last_name) == (True, None, None)


def test_trap_10_a_contact_without_an_email_can_go_to_klen_only(connectors):
    """Email is required in Gately and on a Cometly create, optional in Klen."""
    draft = Draft(name="Ines Aalto")
    problems = {provider: connector.plan_create(draft).problems for provider, connector in connectors.items()}
    assert {provider: [one.path for one in found] for provider, found in problems.items()} == {
        Provider.GATELY: [("input", "emails")],
        Provider.COMETLY: [("input", "emails")],
        Provider.KLEN: [],
    }


def test_trap_10_a_cometly_contact_can_lose_its_emails(cometly, run):
    run(cometly.update("48001", Patch(emails=None)))
    assert run(cometly.read("48001")).emails == ()


def test_trap_11_klen_gets_e164_and_the_others_the_original_text(connectors):
    """Phone formats: normalise for comparison, keep the original."""
    wanted = phone("+358 40 000 0001", PhoneType.MOBILE, primary=True, e164="+358400000001")
    draft = Draft(name="Ines", first_name="Ines", emails=EMAIL, phones=(wanted,))
    bodies = {provider: connector.plan_create(draft).body for provider, connector in connectors.items()}
    assert bodies[Provider.GATELY]["mobile"] == "+358 40 000 0001"
    assert bodies[Provider.COMETLY]["phones"] == ["+358 40 000 0001"]
    assert bodies[Provider.KLEN]["phone_numbers"][0]["phone_number"] == "+358400000001"


def test_trap_12_consent_of_one_kind_is_never_translated_into_the_other(gately, klen, gately_log, klen_log, run):
    """Gately: no email to this contact. Klen: no call to this number."""
    wanted = phone("+358400000001", primary=True, do_not_call=True, e164="+358400000001")
    gately_id = run(gately.list_page(PageRequest(limit=1))).records[0].key.remote_id
    run(gately.update(gately_id, Patch(phones=(wanted,))))
    run(klen.update(str(ADA), Patch(unsubscribed=True)))
    assert [call.split()[0] for call, _ in gately_log.writes] == ["PATCH"]
    assert set(gately_log.only_write) == {"phone", "mobile"}
    assert klen_log.writes == []


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_trap_13_a_limit_that_others_used_up_is_rate_limited_with_its_wait(connector, registration, log, run, form):
    """A limit per Space is shared with every other user of that Space."""
    log.simulator.faults.add(Fault(kind="status", status=429, retry_after_seconds=30, retry_after_form=form))
    with pytest.raises(RateLimited) as failed:
        run(connector.list_page(PageRequest(limit=1)))
    fault = failed.value.fault
    assert (fault.provider, fault.retryable, failed.value.outcome) == (registration.provider, True, "NOT_APPLIED")
    assert 28_000 <= fault.retry_after_ms <= 30_000


def test_trap_14_klens_two_404_are_told_apart(klen, run):
    """404 differs: a wrong team is a bad request of ours, not a missing contact."""
    with pytest.raises(InputRefused) as refused:
        run(klen.create(Draft(first_name="Noor", klen_team_id=999)))
    fault = refused.value.fault
    assert (fault.field, fault.upstream_code, fault.upstream_status) == (
        ("input", "klen", "teamId"),
        "team_not_found",
        404,
    )
    with pytest.raises(InputRefused):
        run(klen.update(str(ADA), Patch(klen_team_id=999)))
    with pytest.raises(RecordNotFound):
        run(klen.read("99999"))


def test_trap_14_a_404_is_not_taken_for_a_deletion(klen, run):
    with pytest.raises(RecordNotFound) as missing:
        run(klen.read(str(OTHER_TEAM_KLEN_ID)))
    assert missing.value.fault.message == "Klen AI has no such contact, or does not show it. (HTTP 404)"


def test_trap_14_a_closed_team_is_forbidden(klen, run):
    with pytest.raises(PermissionDenied) as refused:
        run(klen.create(Draft(first_name="Noor", klen_team_id=CLOSED_TEAM)))
    fault = refused.value.fault
    assert (fault.upstream_code, fault.message) == (
        "team_access_denied",
        "Klen AI does not permit this with the gateway's credentials. The key's user has no access to that team.",
    )


def test_trap_15_a_403_of_cometly_may_mean_an_unpaid_subscription(cometly, sandbox, run):
    sandbox.cometly.switches = CometlySwitches(subscription="inactive")
    with pytest.raises(PermissionDenied) as refused:
        run(cometly.read("48001"))
    fault = refused.value.fault
    assert (fault.retryable, fault.upstream_status) == (False, 403)
    assert "subscription is not active" in fault.message


def test_trap_16_a_deletion_that_does_not_exist_is_not_imitated(cometly, klen, cometly_log, klen_log, run):
    for connector, log, remote_id in ((cometly, cometly_log, "48001"), (klen, klen_log, str(ADA))):
        with pytest.raises(OperationUnsupported) as refused:
            run(connector.delete(remote_id))
        assert refused.value.outcome == "NOT_APPLIED"
        assert log.requests == []


def test_trap_17_a_creation_whose_answer_is_lost_is_unknown_and_never_sent_again(connector, log, run):
    """No idempotent create anywhere: look before retrying."""
    before = len(log.simulator.contacts)
    log.simulator.faults.add(Fault(kind="drop_after", operation="create"))
    with pytest.raises(ReplyTimedOut) as failed:
        run(connector.create(Draft(name="Ines", first_name="Ines", emails=EMAIL)))
    assert (failed.value.outcome, failed.value.retryable) == ("UNKNOWN", False)
    assert len(log.writes) == 1
    assert len(log.simulator.contacts) == before + 1


def test_trap_18_only_gately_tells_when_a_contact_changed():
    """No contact webhooks anywhere, and change detection differs."""
    told = {entry.provider for entry in REGISTRY if entry.capabilities.of(Field.UPDATED_AT).readable}
    created = {entry.provider for entry in REGISTRY if entry.capabilities.of(Field.CREATED_AT).readable}
    assert (told, created) == ({Provider.GATELY}, {Provider.GATELY, Provider.KLEN})


def test_trap_19_ids_are_texts_and_the_id_that_an_answer_gives_is_followed(connector, cometly, sandbox, run):
    records = run(connector.list_page(PageRequest(limit=5))).records
    assert {type(record.key.remote_id) for record in records} == {str}
    assert run(cometly.read(str(MERGED_AWAY_COMETLY_ID))).key.remote_id == str(SURVIVING_COMETLY_ID)
    sandbox.cometly.contacts[SURVIVING_COMETLY_ID].names = Values(["Ada"], "Ada")
    updated = run(cometly.update(str(MERGED_AWAY_COMETLY_ID), Patch(name="Ada Winter")))
    assert updated.record.key.remote_id == str(SURVIVING_COMETLY_ID)


def test_no_operation_that_looks_up_by_email_exists_where_the_provider_has_none(cometly, cometly_log, run):
    assert CallKind.FIND_BY_EMAIL not in cometly.capabilities.operations
    with pytest.raises(OperationUnsupported) as refused:
        run(cometly.find_by_email("ada@x.test"))
    assert refused.value.fault.message == "Cometly cannot look an email address up."
    assert cometly_log.requests == []
