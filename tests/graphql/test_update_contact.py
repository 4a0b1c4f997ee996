"""updateContact: left out, null, empty and a value are four cases for every field at every provider (section 7)."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import DO_NOT_CALL_KLEN_ID, MANY_EMAILS_COMETLY_ID, SURVIVING_COMETLY_ID
from tests.conftest import Gateway
from tests.graphql.changes import differences, look
from tests.graphql.ids import (
    ADA_CONTACTS,
    ADA_RECORDS,
    COMETLY_ID,
    GATELY_ID,
    KLEN_ID,
    UNKNOWN_GATELY_ID,
    contact_id,
    record_id,
)
from tests.graphql.traffic import NOBODY, Traffic

UPDATE = """mutation($input: UpdateContactInput!) {
  updateContact(input: $input) {
    status
    results {
      provider outcome warnings { code field message }
      ... on ProviderWriteSuccess { action }
      ... on ProviderWriteFailure { error { code field message } }
    }
  }
}"""

DROPPED, DERIVED, COERCED = "FIELD_DROPPED", "VALUE_DERIVED", "VALUE_COERCED"


@dataclass(frozen=True)
class Case:
    """One input to one record: what changes there, and what is said about it; or the code of its refusal."""

    given: dict[str, Any]
    changes: dict[str, Any] | None = None
    warned: tuple[tuple[str, str], ...] = ()
    refused: str | None = None

    def __str__(self) -> str:
        return str(self.given)[:60]


MOBILE, OTHER = "+447700900555", "+442079460555"
NEW_PHONES = [{"number": MOBILE, "type": "MOBILE"}, {"number": OTHER, "type": "OTHER", "primary": True}]
CORK = {"city": "Cork", "country": "IE"}
QUAY = {"street": "5 Quay Road", "street2": "Floor 2", **CORK}

GATELY = [
    Case({}, {}),
    Case(
        {"name": "Eva Maria Sommer"},
        {"name": "Eva Maria Sommer", "first_name": "Eva Maria", "last_name": "Sommer"},
        ((DERIVED, "firstName"), (DERIVED, "lastName")),
    ),
    Case({"name": None}, refused="UNSUPPORTED_CLEAR"),
    Case({"firstName": "Eva"}, {"first_name": "Eva", "name": "Eva Winter"}, ((DERIVED, "name"),)),
    Case({"firstName": None}, {"first_name": None, "name": "Winter"}, ((DERIVED, "name"),)),
    Case({"lastName": "Sommer"}, {"last_name": "Sommer", "name": "Ada Sommer"}, ((DERIVED, "name"),)),
    Case({"lastName": None}, {"last_name": None, "name": "Ada"}, ((DERIVED, "name"),)),
    Case(
        {"name": "Dr. E. Sommer", "firstName": "Eva", "lastName": "Sommer"},
        {"name": "Dr. E. Sommer", "first_name": "Eva", "last_name": "Sommer"},
    ),
    Case({"emails": [{"address": "eva@sommer.test"}]}, {"email": "eva@sommer.test"}),
    Case(
        {"emails": [{"address": "eva@sommer.test"}, {"address": "e@sommer.test", "primary": True}]},
        {"email": "e@sommer.test"},
        ((DROPPED, "emails.0"),),
    ),
    Case({"emails": None}, refused="UNSUPPORTED_CLEAR"),
    Case({"emails": []}, refused="UNSUPPORTED_CLEAR"),
    Case({"phones": NEW_PHONES}, {"mobile": MOBILE, "phone": OTHER}),
    Case({"phones": [{"number": MOBILE}]}, {"mobile": MOBILE, "phone": None}),
    Case(
        {"phones": [{"number": OTHER, "type": "WORK", "doNotCall": True}]},
        {"mobile": None, "phone": OTHER},
        ((COERCED, "phones.0.type"), (DROPPED, "phones.0.doNotCall")),
    ),
    Case(
        {"phones": [*NEW_PHONES, {"number": "+447700900556"}]},
        {"mobile": MOBILE, "phone": OTHER},
        ((DROPPED, "phones.2"),),
    ),
    Case({"phones": [{"number": "617 555 0199"}]}, {"mobile": "617 555 0199", "phone": None}),
    Case({"phones": None}, {"mobile": None, "phone": None}),
    Case({"phones": []}, {"mobile": None, "phone": None}),
    # The street lines cannot be changed, so an address is taken with the stored ones or not at all.
    Case({"addresses": [QUAY]}, {}, ((DROPPED, "addresses.0"),)),
    Case({"addresses": [CORK]}, {}, ((DROPPED, "addresses.0"),)),
    Case({"addresses": [{"formatted": "Somewhere in Cork"}]}, {}, ((DROPPED, "addresses.0"),)),
    Case(
        {"addresses": [{"street": "12 Cedar Street", **CORK}]},
        {"city": "Cork", "country": "IE", "state": None, "zip": None},
    ),
    Case({"addresses": None}, refused="UNSUPPORTED_CLEAR"),
    Case({"addresses": []}, refused="UNSUPPORTED_CLEAR"),
    Case({"company": "Harbour Ltd"}, {"company": "Harbour Ltd"}),
    Case({"company": " Harbour Ltd "}, {"company": "Harbour Ltd"}),
    Case({"company": None}, {"company": None}),
    Case({"website": "https://eva.test"}, {}, ((DROPPED, "website"),)),
    Case({"website": None}, {}),
    Case({"status": "ARCHIVED"}, {"status": "archived"}),
    Case({"status": None}, refused="UNSUPPORTED_CLEAR"),
    Case({"stage": "customer"}, {}, ((DROPPED, "stage"),)),
    Case({"stage": None}, {}),
    Case({"tags": {"set": ["Beta", "New tag"]}}, {"tags": ["Beta", "New tag"]}),
    Case({"tags": {"set": []}}, {"tags": []}),
    Case({"tags": None}, {"tags": []}),
    Case({"tags": {"add": ["Beta", "VIP"]}}, {"tags": ["Fair 2031", "VIP", "Beta"]}),
    Case({"tags": {"add": ["VIP"]}}, {}),
    Case({"tags": {"add": []}}, {}),
    Case({"tags": {"remove": ["VIP", "Never there"]}}, {"tags": ["Fair 2031"]}),
    Case({"tags": {"remove": ["Never there"]}}, {}),
    Case({"tags": {"remove": ["VIP", "Fair 2031"]}}, {"tags": []}),
    Case({"notes": "Two\nlines"}, {"notes": "Two\nlines"}),
    Case({"notes": None}, {"notes": None}),
    Case(
        {"customFields": {"merge": {"tier": "gold", "since": 2031}}},
        {"custom_fields": {"tier": "gold", "seats": 1, "since": 2031}},
    ),
    Case({"customFields": {"merge": {"tier": None}}}, {"custom_fields": {"seats": 1}}),
    Case({"customFields": {"merge": {"tier": None, "seats": 2}}}, {"custom_fields": {"seats": 2}}),
    Case({"customFields": {"merge": {}}}, {}),
    Case(
        {"customFields": {"replace": {"plan": {"name": "pro", "years": [1, 2]}}}},
        {"custom_fields": {"plan": {"name": "pro", "years": [1, 2]}}},
    ),
    Case({"customFields": {"replace": {}}}, {"custom_fields": None}),
    Case({"customFields": None}, {"custom_fields": None}),
    Case({"unsubscribed": True}, {"unsubscribed": True}),
    Case({"unsubscribed": None}, refused="UNSUPPORTED_CLEAR"),
    Case({"externalId": "crm-9"}, {}, ((DROPPED, "externalId"),)),
    Case({"externalId": None}, refused="UNSUPPORTED_CLEAR"),
    Case({"klen": {"status": "active", "teamId": 7}}, {}, ((DROPPED, "klen.status"), (DROPPED, "klen.teamId"))),
    Case({"klen": None}, {}),
    Case({"klen": {}}, {}),
]

KLEN = [
    Case({}, {}),
    Case(
        {"name": "Eva Maria Sommer"},
        {"first_name": "Eva Maria", "last_name": "Sommer", "full_name": "Eva Maria Sommer"},
        ((DERIVED, "firstName"), (DERIVED, "lastName")),
    ),
    Case({"name": None}, refused="UNSUPPORTED_CLEAR"),
    Case({"firstName": "Eva"}, {"first_name": "Eva", "full_name": "Eva Winter"}),
    Case({"firstName": None}, refused="UNSUPPORTED_CLEAR"),
    Case({"lastName": None}, {"last_name": None, "full_name": "Ada"}),
    Case({"emails": [{"address": "eva@sommer.test"}]}, {"email": "eva@sommer.test"}),
    Case({"emails": None}, {"email": None}),
    Case({"emails": []}, {"email": None}),
    Case({"phones": None}, refused="UNSUPPORTED_CLEAR"),
    Case({"phones": []}, refused="UNSUPPORTED_CLEAR"),
    Case(
        {"addresses": [QUAY]},
        {
            "address": {
                "street": "5 Quay Road, Floor 2",
                "city": "Cork",
                "state": None,
                "zip_code": None,
                "country": "IE",
            }
        },
        ((COERCED, "addresses.0.street2"),),
    ),
    Case(
        {"addresses": [{"formatted": "Somewhere in Cork"}]},
        {"address": {"street": "Somewhere in Cork", "city": None, "state": None, "zip_code": None, "country": None}},
        ((COERCED, "addresses.0.formatted"),),
    ),
    Case(
        {"addresses": None},
        {"address": {"street": None, "city": None, "state": None, "zip_code": None, "country": None}},
    ),
    Case(
        {"addresses": []}, {"address": {"street": None, "city": None, "state": None, "zip_code": None, "country": None}}
    ),
    Case({"company": None, "website": None}, {"company": None, "website": None}),
    Case(
        {"company": "Harbour Ltd", "website": "https://eva.test"},
        {"company": "Harbour Ltd", "website": "https://eva.test"},
    ),
    Case({"status": "NEW"}, {"status": "not_contacted"}),
    Case({"status": "ACTIVE"}, {}),
    Case({"status": "ARCHIVED"}, {}, ((DROPPED, "status"),)),
    Case({"status": None}, refused="UNSUPPORTED_CLEAR"),
    Case({"status": "NEW", "klen": {"status": "active"}}, {"status": "active"}),
    Case(
        {"klen": {"status": "active", "teamId": 7, "industryContext": {"fleet": 3}}},
        {"status": "active", "team_id": 7, "industry_context": {"fleet": 3}},
    ),
    Case({"klen": {"teamId": None, "industryContext": None}}, {"team_id": None, "industry_context": {}}),
    Case({"klen": {"status": None}}, refused="UNSUPPORTED_CLEAR"),
    Case({"stage": "customer"}, {"stage": "customer"}),
    Case({"stage": None}, refused="UNSUPPORTED_CLEAR"),
    Case({"tags": {"set": ["VIP"]}}, {"tags": ["VIP"]}),
    Case({"tags": {"add": ["VIP", "New"]}}, {"tags": ["New", "Priority", "VIP"]}),
    Case({"tags": {"remove": ["New"]}}, {"tags": ["Priority"]}),
    Case({"tags": None}, {"tags": []}),
    Case({"notes": "Nothing to write to"}, {}, ((DROPPED, "notes"),)),
    Case({"customFields": {"merge": {"tier": "silver", "lead_source": None}}}, {"custom_context": {"tier": "silver"}}),
    Case({"customFields": {"replace": {"a": [1]}}}, {"custom_context": {"a": [1]}}),
    Case({"customFields": None}, {"custom_context": {}}),
    Case({"unsubscribed": True}, {}, ((DROPPED, "unsubscribed"),)),
    Case({"unsubscribed": None}, {}),
    Case({"externalId": "crm-9"}, {}, ((DROPPED, "externalId"),)),
    Case({"externalId": None}, {}),
]

COMETLY = [
    Case({}, {}),
    Case({"name": "Eva Sommer"}, {"names": ["Ada Winter", "Eva Sommer"]}),
    Case({"name": None}, {"names": []}),
    Case({"firstName": "Eva"}, {"names": ["Ada Winter", "Eva Winter"]}, ((DERIVED, "name"),)),
    Case(
        {"emails": [{"address": "new@winter.test"}, {"address": "first@winter.test", "primary": True}]},
        {"emails": ["new@winter.test", "first@winter.test"]},
    ),
    Case({"emails": None}, {"emails": []}),
    Case({"emails": []}, {"emails": []}),
    Case({"phones": [{"number": OTHER, "type": "OTHER"}]}, {"phones": [OTHER]}),
    Case(
        {"phones": [{"number": MOBILE, "type": "MOBILE", "doNotCall": False}]},
        {"phones": [MOBILE]},
        ((COERCED, "phones.0.type"), (DROPPED, "phones.0.doNotCall")),
    ),
    Case({"phones": None}, {"phones": []}),
    Case({"phones": []}, {"phones": []}),
    Case({"addresses": [{"formatted": "Somewhere in Cork"}]}, {"locations": ["Somewhere in Cork"]}),
    Case({"addresses": [CORK]}, {"locations": ["Cork, IE"]}, ((COERCED, "addresses.0"),)),
    Case({"addresses": None}, {"locations": []}),
    Case({"company": "Harbour Ltd"}, {}, ((DROPPED, "company"),)),
    Case({"company": None, "status": None, "tags": None, "notes": None, "externalId": None}, {}),
    Case({"status": "NEW"}, {}, ((DROPPED, "status"),)),
    Case({"tags": {"add": ["VIP"]}}, {}, ((DROPPED, "tags"),)),
    Case({"unsubscribed": True}, {}, ((DROPPED, "unsubscribed"),)),
    Case(
        {"customFields": {"merge": {"tier": "Gold"}}},
        {"custom_fields": {"profile_field_1": "Gold", "profile_field_16": 1, "profile_field_26": "2031-02-15"}},
    ),
    Case(
        {"customFields": {"merge": {"seats": None}}},
        {"custom_fields": {"profile_field_1": "Silver", "profile_field_26": "2031-02-15"}},
    ),
    Case({"customFields": {"replace": {"seats": 2}}}, {"custom_fields": {"profile_field_16": 2}}),
    Case({"customFields": {"merge": {"colour": "red"}}}, {}, ((DROPPED, "customFields.merge.colour"),)),
    Case({"customFields": None}, {"custom_fields": {}}),
]

EVERY_CASE = [
    pytest.param(provider, case, id=f"{provider}-{case}")
    for provider, cases in {"gately": GATELY, "klen": KLEN, "cometly": COMETLY}.items()
    for case in cases
]


@pytest.mark.parametrize(("provider", "case"), EVERY_CASE)
def test_each_field_is_changed_as_it_was_given(
    gateway: Gateway, sandbox: Sandbox, traffic: Traffic, provider: str, case: Case
) -> None:
    before = look(sandbox)

    answer = gateway.send(UPDATE, input={"id": ADA_RECORDS[provider], **case.given})

    after = look(sandbox)
    changed = {name: differences(before[name], after[name]) for name in before}
    assert changed == {name: case.changes or {} if name == provider else {} for name in before}
    if case.refused:
        (error,) = answer["errors"]
        assert answer["data"] == {"updateContact": None}
        assert (error["path"], error["extensions"]["code"]) == (["updateContact"], case.refused)
        assert [fault["provider"] for fault in error["extensions"]["providers"]] == [provider.upper()]
        assert traffic.calls == NOBODY
        return
    assert "errors" not in answer, answer["errors"]
    (result,) = answer["data"]["updateContact"]["results"]
    assert answer["data"]["updateContact"]["status"] == "SUCCEEDED"
    assert (result["provider"], result["outcome"]) == (provider.upper(), "APPLIED")
    assert result["action"] == ("UPDATED" if case.changes else "UNCHANGED")
    said = {(warning["code"], ".".join(warning["field"]).removeprefix("input.")) for warning in result["warnings"]}
    assert said == set(case.warned)
    assert all(warning["field"][0] == "input" and warning["message"] for warning in result["warnings"])


@pytest.mark.parametrize("provider", ADA_RECORDS)
def test_an_update_of_nothing_calls_nobody(gateway: Gateway, traffic: Traffic, provider: str) -> None:
    result = gateway.data(UPDATE, input={"id": ADA_RECORDS[provider]})["updateContact"]["results"][0]

    assert result == {"provider": provider.upper(), "outcome": "APPLIED", "warnings": [], "action": "UNCHANGED"}
    assert traffic.calls == NOBODY


def test_what_no_provider_holds_is_unchanged_without_a_call(gateway: Gateway, ada: str, traffic: Traffic) -> None:
    gateway.data(UPDATE, input={"id": ADA_RECORDS["cometly"], "company": "Harbour Ltd", "stage": "lead"})

    assert traffic.calls == NOBODY


class TestResubscribing:
    def test_consent_goes_to_gatelys_own_endpoints(self, gateway: Gateway, traffic: Traffic) -> None:
        for unsubscribed in (True, False):
            gateway.data(UPDATE, input={"id": ADA_RECORDS["gately"], "unsubscribed": unsubscribed})

        path = f"/contacts/{GATELY_ID}/unsubscribes"
        assert traffic.calls == {"gately": [f"POST {path}", f"DELETE {path}"]}

    def test_consent_is_not_translated(self, gateway: Gateway, sandbox: Sandbox, ada: str) -> None:
        """Unsubscribing from email forbids no call, and a number that may not be called forbids no email."""
        before = look(sandbox)
        gateway.data(UPDATE, input={"id": ada, "unsubscribed": True})
        after = look(sandbox)

        assert {name: differences(before[name], after[name]) for name in before} == {
            "gately": {"unsubscribed": True},
            "klen": {},
            "cometly": {},
        }

    def test_a_number_that_may_not_be_called_leaves_consent_alone(self, gateway: Gateway, sandbox: Sandbox) -> None:
        before = look(sandbox)
        phones = [{"number": "+16175550101", "doNotCall": True}, {"number": "+447700900101"}]
        gateway.data(UPDATE, input={"id": ADA_RECORDS["klen"], "phones": phones})
        after = look(sandbox)["klen"]

        assert set(differences(before["klen"], after)) == {"phone_numbers"}
        assert [number["do_not_call"] for number in after["phone_numbers"]] == [True, False]

    @pytest.mark.parametrize("unsubscribed", [True, False])
    def test_the_payload_tells_the_new_consent_though_gately_answered_the_old(
        self, gateway: Gateway, sandbox: Sandbox, unsubscribed: bool
    ) -> None:
        """With whole answers (gately.md, row 6) the PATCH still tells how it was before the unsubscribing."""
        sandbox.gately.switches = replace(sandbox.gately.switches, write_answers="whole")
        sandbox.gately.contacts[GATELY_ID].unsubscribed = not unsubscribed
        mutation = """mutation($input: UpdateContactInput!) {
          updateContact(input: $input) { contact { company unsubscribed } } }"""
        given = {"id": ADA_RECORDS["gately"], "company": "Harbour Ltd", "unsubscribed": unsubscribed}

        contact = gateway.data(mutation, input=given)["updateContact"]["contact"]

        assert contact == {"company": "Harbour Ltd", "unsubscribed": unsubscribed}


class TestKlenPhones:
    def update(self, gateway: Gateway, id: object, *phones: dict[str, Any]) -> dict[str, Any]:
        answer = gateway.data(UPDATE, input={"id": record_id("klen", id), "phones": list(phones)})
        result: dict[str, Any] = answer["updateContact"]["results"][0]
        return result

    def test_numbers_are_matched_and_keep_what_was_left_out(self, gateway: Gateway, sandbox: Sandbox) -> None:
        number = sandbox.klen.contacts[DO_NOT_CALL_KLEN_ID].phone_numbers[0]

        result = self.update(gateway, DO_NOT_CALL_KLEN_ID, {"number": "+1 (415) 555-0103"})

        assert result["warnings"] == []
        assert sandbox.klen.contacts[DO_NOT_CALL_KLEN_ID].phone_numbers == [number]

    def test_a_new_number_is_a_mobile(self, gateway: Gateway, sandbox: Sandbox) -> None:
        known = [{"number": "+16175550101"}, {"number": "+447700900101"}]
        self.update(gateway, KLEN_ID, *known, {"number": MOBILE, "primary": True})

        numbers = sandbox.klen.contacts[KLEN_ID].phone_numbers
        assert [(one.phone_number, one.phone_type, one.primary) for one in numbers] == [
            ("+16175550101", "work", False),
            ("+447700900101", "mobile", False),
            (MOBILE, "mobile", True),
        ]

    def test_numbers_that_klen_cannot_remove_are_said_to_stay(self, gateway: Gateway, sandbox: Sandbox) -> None:
        result = self.update(gateway, KLEN_ID, {"number": MOBILE})

        assert [(warning["code"], warning["field"]) for warning in result["warnings"]] == [
            (DROPPED, ["input", "phones"])
        ]
        assert len(sandbox.klen.contacts[KLEN_ID].phone_numbers) == 3

    def test_numbers_that_klen_does_remove_are_not_spoken_of(self, gateway: Gateway, sandbox: Sandbox) -> None:
        sandbox.klen.switches = replace(sandbox.klen.switches, patch_phones="removes_unlisted")

        result = self.update(gateway, KLEN_ID, {"number": MOBILE})

        assert result["warnings"] == []
        assert [one.phone_number for one in sandbox.klen.contacts[KLEN_ID].phone_numbers] == [MOBILE]


class TestCometlyLists:
    def test_the_first_of_a_written_list_is_the_primary(self, gateway: Gateway, sandbox: Sandbox) -> None:
        emails = [{"address": "b@winter.test"}, {"address": "a@winter.test", "primary": True}]
        mutation = """mutation($input: UpdateContactInput!) {
          updateContact(input: $input) { contact { emails { address primary } } } }"""

        payload = gateway.data(mutation, input={"id": ADA_RECORDS["cometly"], "emails": emails})

        assert sandbox.cometly.contacts[COMETLY_ID].emails.primary == "a@winter.test"
        assert payload["updateContact"]["contact"]["emails"] == [
            {"address": "a@winter.test", "primary": True},
            {"address": "b@winter.test", "primary": False},
        ]

    def test_a_new_name_goes_first_and_the_others_stay(self, gateway: Gateway, sandbox: Sandbox) -> None:
        sandbox.cometly.contacts[COMETLY_ID].names.add(["A. Winter"])

        gateway.data(UPDATE, input={"id": ADA_RECORDS["cometly"], "name": "Ada Sommer"})

        names = sandbox.cometly.contacts[COMETLY_ID].names
        assert names.primary == "Ada Sommer"
        assert sorted(names.oldest_first) == ["A. Winter", "Ada Sommer", "Ada Winter"]

    def test_names_that_were_shown_only_in_part_are_not_written_back(
        self, gateway: Gateway, sandbox: Sandbox, traffic: Traffic
    ) -> None:
        sandbox.cometly.contacts[COMETLY_ID].names.add([f"Ada {number}" for number in range(30)])

        error = gateway.error(UPDATE, input={"id": ADA_RECORDS["cometly"], "name": "Ada Sommer"})

        assert (error["path"], error["extensions"]["code"]) == (["updateContact"], "LIST_TRUNCATED")
        assert traffic.calls == {"cometly": [f"GET /contacts/{COMETLY_ID}"]}
        assert len(sandbox.cometly.contacts[COMETLY_ID].names.oldest_first) == 31

    def test_a_whole_list_from_the_caller_replaces_even_a_long_one(self, gateway: Gateway, sandbox: Sandbox) -> None:
        given = {"id": record_id("cometly", MANY_EMAILS_COMETLY_ID), "emails": [{"address": "only@copperleaf.test"}]}

        assert gateway.data(UPDATE, input=given)["updateContact"]["status"] == "SUCCEEDED"
        assert sandbox.cometly.contacts[MANY_EMAILS_COMETLY_ID].emails.oldest_first == ["only@copperleaf.test"]

    def test_slots_without_a_name_survive_a_replacement(self, gateway: Gateway, sandbox: Sandbox) -> None:
        sandbox.cometly.contacts[COMETLY_ID].custom_fields["profile_field_7"] = "ours alone"

        gateway.data(UPDATE, input={"id": ADA_RECORDS["cometly"], "customFields": {"replace": {"tier": "Gold"}}})

        assert sandbox.cometly.contacts[COMETLY_ID].custom_fields == {
            "profile_field_1": "Gold",
            "profile_field_7": "ours alone",
        }


class TestWhomItGoesTo:
    def test_a_contact_is_updated_at_all_its_providers(self, gateway: Gateway, sandbox: Sandbox, ada: str) -> None:
        before = look(sandbox)
        payload = gateway.data(UPDATE, input={"id": ada, "name": "Eva Sommer", "company": "Harbour Ltd"})
        after = look(sandbox)

        assert payload["updateContact"]["status"] == "SUCCEEDED"
        assert [result["provider"] for result in payload["updateContact"]["results"]] == ["GATELY", "KLEN", "COMETLY"]
        assert {name: differences(before[name], after[name]) for name in before} == {
            "gately": {
                "name": "Eva Sommer",
                "first_name": "Eva",
                "last_name": "Sommer",
                "company": "Harbour Ltd",
            },
            "klen": {
                "first_name": "Eva",
                "last_name": "Sommer",
                "full_name": "Eva Sommer",
                "company": "Harbour Ltd",
            },
            "cometly": {"names": ["Ada Winter", "Eva Sommer"]},
        }

    def test_named_providers_alone_are_updated(self, gateway: Gateway, sandbox: Sandbox, ada: str) -> None:
        before = look(sandbox)
        payload = gateway.data(UPDATE, input={"id": ada, "providers": ["COMETLY", "GATELY"], "name": "Eva Sommer"})
        after = look(sandbox)

        assert [result["provider"] for result in payload["updateContact"]["results"]] == ["COMETLY", "GATELY"]
        assert differences(before["klen"], after["klen"]) == {}
        assert differences(before["cometly"], after["cometly"]) == {"names": ["Ada Winter", "Eva Sommer"]}

    def test_a_records_id_means_that_record_alone(
        self, gateway: Gateway, sandbox: Sandbox, ada: str, traffic: Traffic
    ) -> None:
        mutation = """mutation($input: UpdateContactInput!) { updateContact(input: $input) {
          contact { id records { provider } } results { provider } } }"""

        payload = gateway.data(mutation, input={"id": ADA_RECORDS["klen"], "company": "Harbour Ltd"})["updateContact"]

        assert payload == {
            "contact": {"id": ada, "records": [{"provider": name} for name in ("GATELY", "KLEN", "COMETLY")]},
            "results": [{"provider": "KLEN"}],
        }
        assert traffic.calls == {"klen": [f"PATCH /contacts/{KLEN_ID}/update"]}

    @pytest.mark.parametrize(("providers", "code"), [([], "NO_PROVIDER"), (["GATELY"], "NO_RECORD")])
    def test_providers_that_cannot_be_meant_are_invalid_input(
        self, gateway: Gateway, traffic: Traffic, providers: list[str], code: str
    ) -> None:
        error = gateway.error(UPDATE, input={"id": ADA_CONTACTS["klen"], "providers": providers, "company": "X"})

        assert (error["path"], error["extensions"]["code"]) == (["updateContact"], "INVALID_INPUT")
        assert [(wrong["path"], wrong["code"]) for wrong in error["extensions"]["fields"]] == [
            (["input", "providers"], code)
        ]
        assert traffic.calls == NOBODY

    def test_what_one_provider_cannot_clear_the_others_do(self, gateway: Gateway, sandbox: Sandbox, ada: str) -> None:
        payload = gateway.data(UPDATE, input={"id": ada, "emails": None})["updateContact"]

        assert payload["status"] == "PARTIAL"
        assert [
            (one["provider"], one["outcome"], one.get("error", {}).get("code"), one.get("error", {}).get("field"))
            for one in payload["results"]
        ] == [
            ("GATELY", "NOT_APPLIED", "UNSUPPORTED_CLEAR", ["input", "emails"]),
            ("KLEN", "APPLIED", None, None),
            ("COMETLY", "APPLIED", None, None),
        ]
        assert sandbox.gately.contacts[GATELY_ID].email == "ada.winter@northwind.example"
        assert sandbox.klen.contacts[KLEN_ID].email is None
        assert sandbox.cometly.contacts[COMETLY_ID].emails.oldest_first == []

    def test_wrong_input_for_one_provider_calls_nobody(
        self, gateway: Gateway, sandbox: Sandbox, ada: str, traffic: Traffic
    ) -> None:
        given = {"id": ada, "phones": [{"number": "617 555 0199"}], "customFields": {"merge": {"seats": "many"}}}

        error = gateway.error(UPDATE, input=given)

        assert (error["path"], error["extensions"]["code"]) == (["updateContact"], "INVALID_INPUT")
        assert [(wrong["path"], wrong["code"], wrong["provider"]) for wrong in error["extensions"]["fields"]] == [
            (["input", "phones", "0", "number"], "NOT_E164", "KLEN"),
            (["input", "customFields", "merge", "seats"], "WRONG_TYPE", "COMETLY"),
        ]
        assert traffic.calls == NOBODY

    def test_a_record_that_is_gone_is_not_found(self, gateway: Gateway) -> None:
        error = gateway.error(UPDATE, input={"id": record_id("gately", UNKNOWN_GATELY_ID), "company": "X"})

        assert (error["path"], error["extensions"]["code"]) == (["updateContact"], "NOT_FOUND")

    def test_several_reasons_have_one_code_that_stands_for_all(
        self, gateway: Gateway, sandbox: Sandbox, link: Any
    ) -> None:
        sandbox.klen.faults.add(Fault(kind="status", status=429, retry_after_seconds=30))
        linked = link(contact_id("gately", UNKNOWN_GATELY_ID), ADA_CONTACTS["klen"])

        error = gateway.error(UPDATE, input={"id": linked, "company": "X"})

        assert (error["path"], error["extensions"]["code"]) == (["updateContact"], "ALL_PROVIDERS_FAILED")
        faults = [(fault["provider"], fault["code"]) for fault in error["extensions"]["providers"]]
        assert faults == [("GATELY", "NOT_FOUND"), ("KLEN", "RATE_LIMITED")]


class TestConcurrently:
    """What can only be written whole is read, changed and written by one writer at a time (section 7)."""

    @pytest.mark.parametrize("provider", ["gately", "klen"])
    def test_twenty_tags_added_at_once_are_all_there(
        self, gateway: Gateway, sandbox: Sandbox, ada: str, provider: str
    ) -> None:
        before = look(sandbox)[provider]["tags"]
        tags = [f"Tag {number}" for number in range(20)]
        ids = [ada, ADA_RECORDS[provider]]

        def add(place: int) -> str:
            given = {"id": ids[place % 2], "providers": [provider.upper()], "tags": {"add": [tags[place]]}}
            status: str = gateway.data(UPDATE, input=given)["updateContact"]["status"]
            return status

        with ThreadPoolExecutor(max_workers=20) as callers:
            assert set(callers.map(add, range(20))) == {"SUCCEEDED"}

        after = look(sandbox)[provider]["tags"]
        assert after[: len(before)] == before
        assert sorted(after[len(before) :]) == sorted(tags)

    @pytest.mark.parametrize("provider", ["klen", "cometly"])
    def test_custom_fields_merged_at_once_are_all_there(
        self, gateway: Gateway, sandbox: Sandbox, provider: str
    ) -> None:
        values = {"tier": "Gold", "seats": 20, "renewal": "2032-01-01"}

        def merge(name: str) -> None:
            gateway.data(UPDATE, input={"id": ADA_RECORDS[provider], "customFields": {"merge": {name: values[name]}}})

        with ThreadPoolExecutor(max_workers=3) as callers:
            list(callers.map(merge, values))

        read = gateway.data("query($id: ID!) { contact(id: $id) { customFields } }", id=ADA_CONTACTS[provider])
        assert {name: read["contact"]["customFields"][name] for name in values} == values

    def test_a_merged_away_id_is_the_same_record(self, gateway: Gateway, sandbox: Sandbox) -> None:
        """48094 and 48001 are one profile: once that is known, writers by either id take turns."""
        old = record_id("cometly", 48094)
        gateway.data("query($id: ID!) { contact(id: $id) { name } }", id=old)
        names = [f"Ada {number:02d}" for number in range(10)]

        def rename(place: int) -> None:
            gateway.data(UPDATE, input={"id": (old, ADA_RECORDS["cometly"])[place % 2], "name": names[place]})

        with ThreadPoolExecutor(max_workers=10) as callers:
            list(callers.map(rename, range(10)))

        held = sandbox.cometly.contacts[SURVIVING_COMETLY_ID].names.oldest_first
        assert sorted(held) == sorted([*names, "Ada Winter"])


def test_a_caller_that_leaves_stops_nobody_else(gateway: Gateway, sandbox: Sandbox) -> None:
    """A cancelled writer gives its place up, so that the next one is not kept waiting for ever."""
    sandbox.klen.faults.add(Fault(kind="hang", operation="update", count=1))
    given = {"id": ADA_RECORDS["klen"], "company": "Left"}

    body = {"query": UPDATE, "variables": {"input": given}}
    call = asyncio.run_coroutine_threadsafe(gateway._client.post("/graphql", json=body), gateway._loop)
    while not sandbox.klen.requests:
        assert not call.done()
    call.cancel()

    assert gateway.data(UPDATE, input={**given, "company": "Stayed"})["updateContact"]["status"] == "SUCCEEDED"
    assert sandbox.klen.contacts[KLEN_ID].company == "Stayed"
