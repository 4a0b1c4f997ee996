"""An upsert: at each provider it creates where nobody matches, changes the one that does, and never guesses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from gateway.connectors.cometly import looking as cometly_looking
from gateway.sandbox.cometly.profile import Values
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import GatelySwitches, KlenSwitches, Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_EMAIL
from gateway.sandbox.seed.people import person
from gateway.store.locks import LockStore
from tests.conftest import Gateway
from tests.graphql.changes import differences, look
from tests.graphql.ids import ADA, ADA_CONTACTS, COMETLY_ID, GATELY_ID, KLEN_ID, contact_id, record_id
from tests.writes.rig import HeldAnswers, in_background, until
from tests.writes.witnessed import (
    LINK,
    QUIET,
    RETRY,
    UPSERT,
    asked,
    at_once,
    counts,
    failure,
    forget,
    held,
    rows,
    sent,
    spelt_out,
    success,
    warning,
)

PROVIDERS = ("GATELY", "KLEN", "COMETLY")
NEW = {"name": "Ines Aalto", "firstName": "Ines", "lastName": "Aalto", "emails": [{"address": "Ines@Aalto.test"}]}
ADA_INPUT = {"name": "Ada Winter", "firstName": "Ada", "lastName": "Winter", "emails": [{"address": EVERYWHERE_EMAIL}]}
# What a write to everybody says of a name that comes with its parts: nothing.
ADA_SENT: dict[str, Any] = {
    "gately": [
        (
            "PATCH",
            f"/contacts/{GATELY_ID}",
            {"name": "Ada Winter", "first_name": "Ada", "last_name": "Winter", "email": EVERYWHERE_EMAIL},
        )
    ],
    "klen": [
        (
            "PATCH",
            f"/contacts/{KLEN_ID}/update",
            {"first_name": "Ada", "last_name": "Winter", "email": EVERYWHERE_EMAIL},
        )
    ],
    "cometly": [("PUT", f"/contacts/{COMETLY_ID}", {"names": ["Ada Winter"], "emails": [EVERYWHERE_EMAIL]})],
}
NEW_SENT: dict[str, Any] = {
    "gately": [
        (
            "POST",
            "/contacts",
            {"name": "Ines Aalto", "first_name": "Ines", "last_name": "Aalto", "email": "Ines@Aalto.test"},
        )
    ],
    "klen": [
        ("POST", "/contacts/create", {"first_name": "Ines", "last_name": "Aalto", "email": "Ines@Aalto.test"}),
    ],
    "cometly": [("POST", "/contacts", {"names": ["Ines Aalto"], "emails": ["Ines@Aalto.test"]})],
}


@pytest.fixture
def quiet(start_gateway: Callable[..., Gateway]) -> Gateway:
    return start_gateway(**QUIET)


def upserted(gateway: Gateway, asked_for: dict[str, Any], **variables: Any) -> dict[str, Any]:
    payload: dict[str, Any] = gateway.data(UPSERT, input=asked_for, **variables)["upsertContact"]
    return payload


def newest(sandbox: Sandbox) -> dict[str, Any]:
    """The remote ids of what was created last."""
    every = {simulator.provider: simulator.contacts for simulator in sandbox.simulators}  # type: ignore[attr-defined]
    return {provider: list(contacts)[-1] for provider, contacts in every.items()}


def records_of(gateway: Gateway, contact: str) -> list[dict[str, str]]:
    document = "query ($id: ID!) { contact(id: $id) { records { provider remoteId } } }"
    found: list[dict[str, str]] = gateway.data(document, id=contact)["contact"]["records"]
    return found


def as_records(**ids: object) -> list[dict[str, str]]:
    return [{"provider": name, "remoteId": str(ids[name])} for name in PROVIDERS if name in ids]


# Nobody there


def test_where_nobody_matches_the_contact_is_created_everywhere_and_linked(quiet: Gateway, sandbox: Sandbox) -> None:
    before = counts(sandbox)
    payload = upserted(quiet, NEW)
    made = newest(sandbox)
    ids = {name: made[name.lower()] for name in PROVIDERS}
    del payload["operationId"]
    assert payload == {
        "status": "SUCCEEDED",
        "contact": {"id": contact_id("gately", made["gately"]), "records": as_records(**ids)},
        "results": [success(name, "CREATED", ids[name]) for name in PROVIDERS],
    }
    assert sent(sandbox) == NEW_SENT
    assert counts(sandbox) == {name: count + 1 for name, count in before.items()}
    for name in PROVIDERS:
        assert records_of(quiet, record_id(name.lower(), ids[name])) == as_records(**ids)


def test_the_named_providers_alone_are_looked_at_and_written(quiet: Gateway, sandbox: Sandbox) -> None:
    payload = upserted(quiet, {**NEW, "providers": ["KLEN"]})
    assert payload["results"] == [success("KLEN", "CREATED", newest(sandbox)["klen"])]
    assert asked(sandbox) == {"klen": ["GET /contacts", "POST /contacts/create"]}


def test_the_same_upsert_again_changes_what_the_first_created(quiet: Gateway, sandbox: Sandbox) -> None:
    first = upserted(quiet, NEW)
    there = counts(sandbox)
    forget(sandbox)
    again = upserted(quiet, NEW)
    made = newest(sandbox)
    assert again["contact"] == first["contact"]
    assert again["results"] == [success(name, "UPDATED", made[name.lower()]) for name in PROVIDERS]
    assert counts(sandbox) == there
    assert {name: [method for method, _, _ in writes] for name, writes in sent(sandbox).items()} == {
        "gately": ["PATCH"],
        "klen": ["PATCH"],
        "cometly": ["PUT"],
    }


# One is there


def test_the_one_that_matches_is_changed_in_what_is_mentioned_and_nothing_else(
    quiet: Gateway, sandbox: Sandbox
) -> None:
    before = look(sandbox)
    everybody = counts(sandbox)
    payload = upserted(quiet, {**ADA_INPUT, "company": "New Oy", "notes": None, "tags": ["X"]})
    del payload["operationId"]
    dropped = [warning("FIELD_DROPPED", "company"), warning("FIELD_DROPPED", "tags")]
    assert payload == {
        "status": "SUCCEEDED",
        "contact": {
            "id": ADA_CONTACTS["gately"],
            "records": as_records(GATELY=GATELY_ID, KLEN=KLEN_ID, COMETLY=COMETLY_ID),
        },
        "results": [
            success("GATELY", "UPDATED", GATELY_ID),
            success("KLEN", "UPDATED", KLEN_ID, warning("FIELD_DROPPED", "notes")),
            success("COMETLY", "UPDATED", COMETLY_ID, *dropped),
        ],
    }
    wanted = {
        "gately": {**ADA_SENT["gately"][0][2], "company": "New Oy", "notes": None, "tags": ["X"]},
        "klen": {**ADA_SENT["klen"][0][2], "company": "New Oy", "tags": ["X"]},
    }
    writes = sent(sandbox)
    assert {name: writes[name][0][2] for name in wanted} == wanted
    assert {name: [(method, path) for method, path, _ in calls] for name, calls in writes.items()} == {
        name: [(method, path) for method, path, _ in calls] for name, calls in ADA_SENT.items()
    }
    after = look(sandbox)
    assert differences(before["gately"], after["gately"]) == {"company": "New Oy", "notes": None, "tags": ["X"]}
    assert differences(before["klen"], after["klen"]) == {"company": "New Oy", "tags": ["X"]}
    assert after["cometly"]["emails"] == [EVERYWHERE_EMAIL]
    assert after["cometly"]["names"] == before["cometly"]["names"]
    assert differences(before["cometly"], after["cometly"]).keys() <= {"emails"}
    assert counts(sandbox) == everybody


def test_lists_are_replaced_whole(quiet: Gateway, sandbox: Sandbox) -> None:
    profile = sandbox.cometly.contacts[COMETLY_ID]
    profile.emails = Values([EVERYWHERE_EMAIL, "old@aalto.test"], EVERYWHERE_EMAIL)
    profile.phones = Values(["+358400000009"], "+358400000009")
    asked_for = {**ADA_INPUT, "phones": [{"number": "+358400000001"}, {"number": "+358400000002"}]}
    upserted(quiet, {**asked_for, "providers": ["COMETLY"]})
    assert sent(sandbox)["cometly"][0][2]["phones"] == ["+358400000001", "+358400000002"]
    assert profile.emails.oldest_first == [EVERYWHERE_EMAIL]
    assert sorted(profile.phones.oldest_first) == ["+358400000001", "+358400000002"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_address_is_recognised_whatever_its_case(provider: str, quiet: Gateway, sandbox: Sandbox) -> None:
    asked_for = {**ADA_INPUT, "emails": [{"address": EVERYWHERE_EMAIL.title()}], "providers": [provider]}
    payload = upserted(quiet, asked_for)
    assert payload["results"] == [success(provider, "UPDATED", ADA[provider.lower()])]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_any_of_several_addresses_makes_a_match(provider: str, quiet: Gateway, sandbox: Sandbox) -> None:
    emails = [{"address": "new@aalto.test", "primary": True}, {"address": EVERYWHERE_EMAIL}]
    payload = upserted(quiet, {**ADA_INPUT, "emails": emails, "providers": [provider]})
    (result,) = payload["results"]
    assert (result["action"], result["record"]["remoteId"]) == ("UPDATED", str(ADA[provider.lower()]))
    assert [method for method, _, _ in sent(sandbox)[provider.lower()]] in (["PATCH"], ["PUT"])


def test_a_part_of_an_address_is_nobodys(quiet: Gateway, sandbox: Sandbox) -> None:
    emails = [{"address": EVERYWHERE_EMAIL.removeprefix("ada.")}]
    payload = upserted(quiet, {**NEW, "emails": emails})
    assert [result["action"] for result in payload["results"]] == ["CREATED"] * 3


def test_found_at_one_and_created_at_the_others_joins_the_contact_that_is_there(
    quiet: Gateway, sandbox: Sandbox
) -> None:
    at_gately = person(23)
    there = f"6f3d0001-0000-4000-8000-{23:012d}"
    payload = upserted(quiet, {**NEW, "emails": [{"address": at_gately.email}]})
    made = newest(sandbox)
    ids = {"GATELY": there, "KLEN": made["klen"], "COMETLY": made["cometly"]}
    assert payload["results"] == [
        success("GATELY", "UPDATED", there),
        success("KLEN", "CREATED", made["klen"]),
        success("COMETLY", "CREATED", made["cometly"]),
    ]
    assert payload["contact"] == {"id": contact_id("gately", there), "records": as_records(**ids)}
    assert records_of(quiet, contact_id("gately", there)) == as_records(**ids)
    assert {name: [(method, path) for method, path, _ in calls] for name, calls in sent(sandbox).items()} == {
        "gately": [("PATCH", f"/contacts/{there}")],
        "klen": [("POST", "/contacts/create")],
        "cometly": [("POST", "/contacts")],
    }


def linked_elsewhere(gateway: Gateway, sandbox: Sandbox) -> str:
    """Somebody whom only Gately can find by the address; at Cometly it is the record linked to that."""
    there = f"6f3d0001-0000-4000-8000-{23:012d}"
    gateway.data(LINK, ids=[contact_id("gately", there), contact_id("cometly", 48_015)])
    forget(sandbox)
    return there


def test_a_record_that_is_linked_to_a_match_elsewhere_is_the_match(quiet: Gateway, sandbox: Sandbox) -> None:
    there = linked_elsewhere(quiet, sandbox)
    payload = upserted(quiet, {**NEW, "emails": [{"address": person(23).email}], "providers": ["GATELY", "COMETLY"]})
    assert payload["results"] == [
        success("GATELY", "UPDATED", there),
        success("COMETLY", "UPDATED", 48_015),
    ]
    assert sent(sandbox)["cometly"][0][:2] == ("PUT", "/contacts/48015")


def test_a_match_and_another_one_by_its_link_are_ambiguous(quiet: Gateway, sandbox: Sandbox) -> None:
    quiet.data(LINK, ids=[contact_id("gately", GATELY_ID), contact_id("klen", 9002)])
    forget(sandbox)
    payload = upserted(quiet, {**ADA_INPUT, "providers": ["GATELY", "KLEN"]})
    assert payload["results"] == [
        success("GATELY", "UPDATED", GATELY_ID),
        failure("KLEN", "AMBIGUOUS_MATCH", candidates=[9001, 9002]),
    ]
    assert list(sent(sandbox)) == ["gately"]


# Several are there


def test_several_at_one_provider_are_listed_and_the_others_go_on(quiet: Gateway, sandbox: Sandbox) -> None:
    sandbox.klen.contacts[9002].email = EVERYWHERE_EMAIL
    klen_before = held(sandbox)["klen"]
    payload = upserted(quiet, ADA_INPUT)
    assert payload["status"] == "PARTIAL"
    assert payload["results"] == [
        success("GATELY", "UPDATED", GATELY_ID),
        failure("KLEN", "AMBIGUOUS_MATCH", candidates=[9001, 9002]),
        success("COMETLY", "UPDATED", COMETLY_ID),
    ]
    assert payload["contact"]["records"] == as_records(GATELY=GATELY_ID, COMETLY=COMETLY_ID)
    assert sent(sandbox) == {name: writes for name, writes in ADA_SENT.items() if name != "klen"}
    assert held(sandbox)["klen"] == klen_before


def test_several_everywhere_is_one_error_that_lists_them(quiet: Gateway, sandbox: Sandbox) -> None:
    second = f"6f3d0001-0000-4000-8000-{2:012d}"
    sandbox.gately.contacts[second].email = EVERYWHERE_EMAIL
    sandbox.klen.contacts[9002].email = EVERYWHERE_EMAIL
    sandbox.cometly.contacts[48_002].emails = Values([EVERYWHERE_EMAIL], EVERYWHERE_EMAIL)
    error = quiet.error(UPSERT, input=ADA_INPUT)
    assert error["path"] == ["upsertContact"]
    assert (error["extensions"]["code"], error["extensions"]["retryable"]) == ("AMBIGUOUS_MATCH", False)
    told = error["extensions"]["providers"]
    assert [(one["provider"], one["code"], [spelt_out(each) for each in one["candidates"]]) for one in told] == [
        ("GATELY", "AMBIGUOUS_MATCH", [f"ContactRecord:gately:{GATELY_ID}", f"ContactRecord:gately:{second}"]),
        ("KLEN", "AMBIGUOUS_MATCH", ["ContactRecord:klen:9001", "ContactRecord:klen:9002"]),
        ("COMETLY", "AMBIGUOUS_MATCH", ["ContactRecord:cometly:48001", "ContactRecord:cometly:48002"]),
    ]
    assert sent(sandbox) == {}


# What it is matched on


def test_an_external_id_matches_at_gately_alone(quiet: Gateway, sandbox: Sandbox) -> None:
    fourth = f"6f3d0001-0000-4000-8000-{4:012d}"
    payload = upserted(quiet, {**NEW, "externalId": "crm-0004"}, on=["EXTERNAL_ID"])
    external_id = ["input", "externalId"]
    assert payload["status"] == "PARTIAL"
    assert payload["results"] == [
        success("GATELY", "UPDATED", fourth, warning("FIELD_DROPPED", "externalId")),
        failure("KLEN", "UNSUPPORTED_FIELD", field=external_id),
        failure("COMETLY", "UNSUPPORTED_FIELD", field=external_id),
    ]
    assert sent(sandbox) == {
        "gately": [
            (
                "PATCH",
                f"/contacts/{fourth}",
                {"name": "Ines Aalto", "first_name": "Ines", "last_name": "Aalto", "email": "Ines@Aalto.test"},
            )
        ]
    }
    assert sorted(asked(sandbox)) == ["gately"]


@pytest.mark.parametrize("shown", ["summary", "whole"])
def test_an_external_id_that_nobody_has_creates(shown: Any, quiet: Gateway, sandbox: Sandbox) -> None:
    sandbox.gately.switches = GatelySwitches(list_items=shown)
    asked_for = {**NEW, "externalId": "crm-9999", "providers": ["GATELY"]}
    payload = upserted(quiet, asked_for, on=["EXTERNAL_ID"])
    made = newest(sandbox)["gately"]
    assert payload["results"] == [success("GATELY", "CREATED", made)]
    assert sandbox.gately.contacts[made].external_id == "crm-9999"
    forget(sandbox)
    assert upserted(quiet, asked_for, on=["EXTERNAL_ID"])["results"][0]["record"] == {"remoteId": made}


def test_by_both_either_makes_a_match(quiet: Gateway, sandbox: Sandbox) -> None:
    fourth = f"6f3d0001-0000-4000-8000-{4:012d}"
    payload = upserted(quiet, {**NEW, "externalId": "crm-0004"}, on=["EMAIL", "EXTERNAL_ID"])
    made = newest(sandbox)
    assert [(one["provider"], one["action"], one["record"]["remoteId"]) for one in payload["results"]] == [
        ("GATELY", "UPDATED", fourth),
        ("KLEN", "CREATED", str(made["klen"])),
        ("COMETLY", "CREATED", str(made["cometly"])),
    ]


def test_an_address_and_an_external_id_of_two_people_are_ambiguous(quiet: Gateway, sandbox: Sandbox) -> None:
    fourth = f"6f3d0001-0000-4000-8000-{4:012d}"
    asked_for = {**ADA_INPUT, "externalId": "crm-0004"}
    payload = upserted(quiet, asked_for, on=["EMAIL", "EXTERNAL_ID"])
    assert payload["results"][0] == failure("GATELY", "AMBIGUOUS_MATCH", candidates=[GATELY_ID, fourth])
    assert [one["outcome"] for one in payload["results"]] == ["NOT_APPLIED", "APPLIED", "APPLIED"]
    assert sorted(sent(sandbox)) == ["cometly", "klen"]


def test_an_external_id_is_not_matched_on_unless_it_is_asked_for(quiet: Gateway, sandbox: Sandbox) -> None:
    payload = upserted(quiet, {**NEW, "externalId": "crm-0004", "providers": ["GATELY"]})
    assert payload["results"] == [success("GATELY", "CREATED", newest(sandbox)["gately"])]


@pytest.mark.parametrize(
    ("asked_for", "match_on"),
    [
        ({"name": "Ines Aalto", "externalId": "crm-1"}, ["EMAIL"]),
        ({"name": "Ines Aalto", "emails": None, "externalId": "crm-1"}, ["EMAIL"]),
        ({"name": "Ines Aalto", "emails": []}, ["EMAIL"]),
        (NEW, ["EXTERNAL_ID"]),
        ({**NEW, "externalId": None}, ["EXTERNAL_ID"]),
        ({"name": "Ines Aalto"}, ["EMAIL", "EXTERNAL_ID"]),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_with_nothing_to_match_on_nobody_is_called(
    asked_for: dict[str, Any], match_on: list[str], dry_run: bool, quiet: Gateway, sandbox: Sandbox
) -> None:
    error = quiet.error(UPSERT, input={**asked_for, "dryRun": dry_run}, on=match_on)
    assert error["extensions"]["code"] == "INVALID_INPUT"
    (problem,) = error["extensions"]["fields"]
    assert (problem["path"], problem["code"]) == (["input"], "NOTHING_TO_MATCH")
    assert asked(sandbox) == {}


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_list_of_nothing_to_match_on_is_to_blame_itself(dry_run: bool, quiet: Gateway, sandbox: Sandbox) -> None:
    error = quiet.error(UPSERT, input={**NEW, "externalId": "crm-1", "dryRun": dry_run}, on=[])
    (problem,) = error["extensions"]["fields"]
    assert (problem["path"], problem["code"]) == (["matchOn"], "NOTHING_TO_MATCH")
    assert problem["message"] == "must name at least one of EMAIL and EXTERNAL_ID"
    assert asked(sandbox) == {}


# What is wrong, and what fails


@pytest.mark.parametrize(
    ("wrong", "paths"),
    [
        # Gately needs a name and Klen AI a first one, although somebody with this address is there.
        ({"emails": [{"address": EVERYWHERE_EMAIL}]}, [["input", "name"], ["input", "firstName"]]),
        ({**ADA_INPUT, "phones": [{"number": "12"}]}, [["input", "phones", "0", "number"]]),
        ({**ADA_INPUT, "tags": ["a,b"]}, [["input", "tags", "0"]]),
        ({**ADA_INPUT, "name": " "}, [["input", "name"]]),
        ({**ADA_INPUT, "emails": [{"address": "nobody"}]}, [["input", "emails", "0", "address"]]),
        ({**ADA_INPUT, "providers": []}, [["input", "providers"]]),
    ],
)
def test_what_is_wrong_is_said_before_anybody_is_called(
    wrong: dict[str, Any], paths: list[list[str]], quiet: Gateway, sandbox: Sandbox, tmp_path: Any
) -> None:
    error = quiet.error(UPSERT, input=wrong)
    assert error["extensions"]["code"] == "INVALID_INPUT"
    assert [problem["path"] for problem in error["extensions"]["fields"]] == paths
    assert asked(sandbox) == {}
    assert rows(f"sqlite:///{tmp_path}/gateway.db", "SELECT count(*) FROM operations") == [(0,)]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("fault", "code", "status", "retryable"),
    [
        (Fault(kind="status", status=500), "PROVIDER_ERROR", 500, True),
        (Fault(kind="status", status=401), "PROVIDER_UNAUTHENTICATED", 401, False),
        (Fault(kind="drop_before"), "PROVIDER_TIMEOUT", None, True),
        (Fault(kind="html"), "PROVIDER_BAD_RESPONSE", 200, False),
    ],
    ids=["500", "401", "lost", "html"],
)
def test_without_having_looked_nothing_is_created_there(
    provider: str, fault: Any, code: str, status: int | None, retryable: bool, quiet: Gateway, sandbox: Sandbox
) -> None:
    getattr(sandbox, provider.lower()).faults.add(fault)
    there = held(sandbox)[provider.lower()]
    payload = upserted(quiet, NEW)
    made = newest(sandbox)
    assert payload["status"] == "PARTIAL"
    assert payload["results"] == [
        failure(name, code, status=status, retryable=retryable)
        if name == provider
        else success(name, "CREATED", made[name.lower()])
        for name in PROVIDERS
    ]
    assert sent(sandbox) == {name: writes for name, writes in NEW_SENT.items() if name != provider.lower()}
    assert held(sandbox)[provider.lower()] == there


def test_when_every_look_fails_nothing_is_written(quiet: Gateway, sandbox: Sandbox) -> None:
    for simulator in sandbox.simulators:
        simulator.faults.add(Fault(kind="drop_before"))
    error = quiet.error(UPSERT, input=NEW)
    assert error["extensions"]["code"] == "PROVIDER_TIMEOUT"
    assert sent(sandbox) == {}


def test_more_contacts_than_are_looked_through_at_cometly_are_not_written_beside(
    quiet: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cometly_looking, "PAGE_SIZE", 7)
    monkeypatch.setattr(cometly_looking, "MAX_PAGES", 2)
    # The newest stands on the first page and would be found; another one may stand behind the last.
    sandbox.cometly.contacts[max(sandbox.cometly.contacts)].emails = Values(["ines@aalto.test"], "ines@aalto.test")
    payload = upserted(quiet, NEW)
    assert payload["results"][2] == failure("COMETLY", "LIST_TRUNCATED")
    assert [result["outcome"] for result in payload["results"]] == ["APPLIED", "APPLIED", "NOT_APPLIED"]
    assert asked(sandbox)["cometly"] == ["GET /contacts"] * 2


def test_all_pages_of_cometlys_list_are_looked_through(
    quiet: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cometly_looking, "PAGE_SIZE", 7)
    monkeypatch.setattr(cometly_looking, "MAX_PAGES", 50)
    payload = upserted(quiet, {**ADA_INPUT, "providers": ["COMETLY"]})
    assert payload["results"] == [success("COMETLY", "UPDATED", COMETLY_ID)]


def test_a_taken_address_that_the_look_did_not_see_is_a_duplicate(quiet: Gateway, sandbox: Sandbox) -> None:
    """Somebody else created the person between the look and the write."""
    answers = sandbox.gately.answer

    def late(received: Any) -> Any:
        reply = answers(received)
        if received.method == "GET" and len(sandbox.gately.requests) == 1:
            sandbox.gately.contacts[GATELY_ID].email = "ines@aalto.test"
        return reply

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox.gately, "answer", late)
        error = quiet.error(UPSERT, input={**NEW, "providers": ["GATELY"]})
    assert error["extensions"]["code"] == "DUPLICATE"
    assert spelt_out(error["extensions"]["existing"]) == f"ContactRecord:gately:{GATELY_ID}"


# Again


def test_a_key_replays_an_upsert_without_any_call(quiet: Gateway, sandbox: Sandbox) -> None:
    first = upserted(quiet, {**NEW, "idempotencyKey": "k"})
    forget(sandbox)
    again = upserted(quiet, {**NEW, "idempotencyKey": "k"})
    made = newest(sandbox)
    assert again == {
        **first,
        "results": [success(name, "REPLAYED", made[name.lower()]) for name in PROVIDERS],
    }
    assert sent(sandbox) == {}
    assert "GET /contacts" not in [call for calls in asked(sandbox).values() for call in calls]


@pytest.mark.parametrize(
    ("asked_for", "match_on"),
    [
        ({**NEW, "externalId": "crm-1"}, ["EMAIL", "EXTERNAL_ID"]),
        ({**NEW, "externalId": "crm-1"}, ["EXTERNAL_ID"]),
        ({**NEW, "externalId": "crm-2"}, ["EMAIL"]),
    ],
)
def test_a_key_is_for_one_input_and_one_way_to_match(
    asked_for: dict[str, Any], match_on: list[str], quiet: Gateway, sandbox: Sandbox
) -> None:
    upserted(quiet, {**NEW, "externalId": "crm-1", "idempotencyKey": "k"})
    forget(sandbox)
    error = quiet.error(UPSERT, input={**asked_for, "idempotencyKey": "k"}, on=match_on)
    assert error["extensions"] == {"code": "IDEMPOTENCY_KEY_MISMATCH", "retryable": False}
    assert asked(sandbox) == {}


def test_a_key_of_a_creation_is_none_of_an_upsert(quiet: Gateway, sandbox: Sandbox) -> None:
    document = "mutation ($input: CreateContactInput!) { createContact(input: $input) { status } }"
    quiet.data(document, input={**NEW, "idempotencyKey": "k"})
    forget(sandbox)
    error = quiet.error(UPSERT, input={**NEW, "idempotencyKey": "k"})
    assert error["extensions"] == {"code": "IDEMPOTENCY_KEY_MISMATCH", "retryable": False}
    assert asked(sandbox) == {}


@pytest.mark.parametrize("how", ["retryWrite", "key"])
def test_what_was_not_applied_is_sent_again_and_joins_the_contact(how: str, quiet: Gateway, sandbox: Sandbox) -> None:
    sandbox.cometly.faults.add(Fault(kind="status", status=429, operation="create"))
    asked_for = {**NEW, "idempotencyKey": "k"}
    first = upserted(quiet, asked_for)
    assert first["results"][2] == failure("COMETLY", "RATE_LIMITED", status=429, retryable=True)
    sandbox.cometly.faults.clear()
    forget(sandbox)
    again = upserted(quiet, asked_for) if how == "key" else quiet.data(RETRY, id=first["operationId"])["retryWrite"]
    made = newest(sandbox)
    ids = {name: made[name.lower()] for name in PROVIDERS}
    assert again == {
        "status": "SUCCEEDED",
        "operationId": first["operationId"],
        "contact": {"id": first["contact"]["id"], "records": as_records(**ids)},
        "results": [
            success("GATELY", "REPLAYED", ids["GATELY"]),
            success("KLEN", "REPLAYED", ids["KLEN"]),
            success("COMETLY", "CREATED", ids["COMETLY"]),
        ],
    }
    assert sent(sandbox) == {"cometly": NEW_SENT["cometly"]}


def test_an_upsert_that_is_sent_again_looks_again(quiet: Gateway, sandbox: Sandbox) -> None:
    """Somebody has created the person there since."""
    sandbox.klen.faults.add(Fault(kind="status", status=429, operation="create"))
    first = upserted(quiet, NEW)
    sandbox.klen.faults.clear()
    sandbox.klen.contacts[9002].email = "ines@aalto.test"
    forget(sandbox)
    again = quiet.data(RETRY, id=first["operationId"])["retryWrite"]
    assert again["results"][1] == success("KLEN", "UPDATED", 9002)
    assert [write[:2] for write in sent(sandbox)["klen"]] == [("PATCH", "/contacts/9002/update")]


def test_a_creation_that_was_put_off_is_recorded_as_what_it_is_recognised_by(
    start_gateway: Callable[..., Gateway], sandbox: Sandbox, database_url: str
) -> None:
    """Klen AI takes one of the two addresses. Recorded with both, it would not be seen by whoever looks for a
    creation of the same contact whose answer was lost, and either could take the other's record for its own."""
    quiet = start_gateway(database_url=database_url, **QUIET)
    two = {**NEW, "emails": [*NEW["emails"], {"address": "ines@second.test"}], "providers": ["KLEN"]}
    sandbox.klen.faults.add(Fault(kind="status", status=500, operation="find"))
    put_off = quiet.send(UPSERT, input=two)["errors"][0]["extensions"]
    sandbox.klen.faults.clear()
    assert quiet.data(RETRY, id=put_off["operationId"])["retryWrite"]["status"] == "SUCCEEDED"
    quiet.data("mutation ($input: CreateContactInput!) { createContact(input: $input) { status } }", input=two)
    assert len(rows(database_url, "SELECT likeness FROM operation_targets")) == 2
    assert len(rows(database_url, "SELECT DISTINCT likeness FROM operation_targets")) == 1


def test_an_ambiguous_match_that_was_put_right_is_sent_again(quiet: Gateway, sandbox: Sandbox) -> None:
    sandbox.klen.contacts[9002].email = EVERYWHERE_EMAIL
    first = upserted(quiet, ADA_INPUT)
    sandbox.klen.contacts[9002].email = "somebody@else.test"
    forget(sandbox)
    again = quiet.data(RETRY, id=first["operationId"])["retryWrite"]
    assert again["results"][1] == success("KLEN", "UPDATED", KLEN_ID)
    assert sent(sandbox) == {"klen": ADA_SENT["klen"]}


@pytest.mark.parametrize("how", ["retryWrite", "key"])
def test_a_match_by_link_is_still_the_match_when_it_is_sent_again(how: str, quiet: Gateway, sandbox: Sandbox) -> None:
    there = linked_elsewhere(quiet, sandbox)
    sandbox.cometly.faults.add(Fault(kind="status", status=429, operation="update"))
    asked_for = {**NEW, "emails": [{"address": person(23).email}], "providers": ["GATELY", "COMETLY"]}
    asked_for["idempotencyKey"] = "k"
    first = upserted(quiet, asked_for)
    assert first["results"] == [
        success("GATELY", "UPDATED", there),
        failure("COMETLY", "RATE_LIMITED", status=429, retryable=True),
    ]
    sandbox.cometly.faults.clear()
    before = counts(sandbox)
    forget(sandbox)
    again = upserted(quiet, asked_for) if how == "key" else quiet.data(RETRY, id=first["operationId"])["retryWrite"]
    assert counts(sandbox) == before
    assert again["results"][1] == success("COMETLY", "UPDATED", 48_015)
    assert [write[:2] for write in sent(sandbox)["cometly"]] == [("PUT", "/contacts/48015")]


def test_a_field_for_klen_alone_is_not_said_to_be_lost_when_klen_had_it(quiet: Gateway, sandbox: Sandbox) -> None:
    sandbox.gately.faults.add(Fault(kind="status", status=429, operation="create"))
    asked_for = {**NEW, "klen": {"status": "contacted"}, "providers": ["GATELY", "KLEN"]}
    first = upserted(quiet, asked_for)
    assert first["results"][0]["warnings"] == []
    sandbox.gately.faults.clear()
    again = quiet.data(RETRY, id=first["operationId"])["retryWrite"]
    assert again["results"][0] == success("GATELY", "CREATED", newest(sandbox)["gately"])


# At once


@pytest.mark.parametrize("gateways", [1, 2])
def test_upserts_of_one_new_person_at_once_make_one_record_at_each_provider(
    gateways: int, start_gateway: Callable[..., Gateway], sandbox: Sandbox, database_url: str
) -> None:
    before = counts(sandbox)
    every = [start_gateway(database_url=database_url, **QUIET) for _ in range(gateways)]
    cases = ["Ines@Aalto.test", "ines@aalto.test", "INES@AALTO.TEST", "ines@AALTO.test"]
    inputs = [{**NEW, "emails": [{"address": address}]} for address in cases * 2]
    payloads = at_once(partial(upserted, every[place % gateways], one) for place, one in enumerate(inputs))
    made = newest(sandbox)
    assert counts(sandbox) == {name: count + 1 for name, count in before.items()}
    assert [payload["status"] for payload in payloads] == ["SUCCEEDED"] * len(inputs)
    assert {payload["contact"]["id"] for payload in payloads} == {contact_id("gately", made["gately"])}
    for place, name in enumerate(PROVIDERS):
        results = [payload["results"][place] for payload in payloads]
        assert {result["record"]["remoteId"] for result in results} == {str(made[name.lower()])}
        assert sorted(result["action"] for result in results) == ["CREATED"] + ["UPDATED"] * (len(inputs) - 1)
    assert rows(database_url, "SELECT name FROM locks") == []


def test_upserts_that_have_one_address_of_two_in_common_wait_for_each_other(
    start_gateway: Callable[..., Gateway], sandbox: Sandbox, database_url: str
) -> None:
    before = counts(sandbox)
    every = [start_gateway(database_url=database_url, **QUIET) for _ in range(2)]
    first, both, last = "a@aalto.test", "b@aalto.test", "c@aalto.test"
    pairs = [(first, both), (both, first), (both, last), (last, both)]
    inputs = [{**NEW, "emails": [{"address": one} for one in pair], "providers": ["COMETLY"]} for pair in pairs]
    payloads = at_once(partial(upserted, every[place % 2], one) for place, one in enumerate(inputs * 2))
    assert [payload["status"] for payload in payloads] == ["SUCCEEDED"] * 8
    assert counts(sandbox) == {**before, "cometly": before["cometly"] + 1}


@pytest.mark.parametrize("gateways", [1, 2])
def test_one_key_at_once_upserts_once(
    gateways: int, start_gateway: Callable[..., Gateway], sandbox: Sandbox, database_url: str
) -> None:
    before = counts(sandbox)
    every = [start_gateway(database_url=database_url, **QUIET) for _ in range(gateways)]
    asked_for = {**NEW, "idempotencyKey": "k"}
    answers = at_once(partial(every[place % gateways].send, UPSERT, input=asked_for) for place in range(6))
    assert counts(sandbox) == {name: count + 1 for name, count in before.items()}
    assert sent(sandbox) == NEW_SENT
    codes = [answer["errors"][0]["extensions"]["code"] for answer in answers if "errors" in answer]
    assert set(codes) <= {"IDEMPOTENCY_IN_PROGRESS"}
    told = [answer["data"]["upsertContact"]["results"] for answer in answers if "errors" not in answer]
    actions = [tuple(result["action"] for result in results) for results in told]
    assert actions.count(("CREATED",) * 3) == 1
    assert set(actions) <= {("CREATED",) * 3, ("REPLAYED",) * 3}


def test_an_upsert_that_waits_in_vain_for_another_one_calls_nobody(
    start_gateway: Callable[..., Gateway], sandbox: Sandbox, database_url: str, hold: Callable[..., HeldAnswers]
) -> None:
    patient = start_gateway(database_url=database_url, **QUIET)
    impatient = start_gateway(database_url=database_url, mutation_deadline_seconds=0.3, **QUIET)
    first_creation = hold("GATELY")
    with in_background(lambda: upserted(patient, NEW)) as first:
        until(first_creation.arrived)
        (error,) = impatient.send(UPSERT, input=NEW)["errors"]
        first_creation.let_go()
        assert first.result()["status"] == "SUCCEEDED"
    assert error["extensions"] == {"code": "IDEMPOTENCY_IN_PROGRESS", "retryable": True, "retryAfterMs": 1000}
    assert sent(sandbox) == NEW_SENT
    assert rows(database_url, "SELECT count(*) FROM operations") == [(1,)]


def test_a_database_that_gives_no_lock_is_told_as_such(
    quiet: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """README: STORE_UNAVAILABLE when the gateway's own database did not take the record of the write."""

    async def broken(*_: Any, **__: Any) -> bool:
        raise OperationalError("INSERT", {}, Exception("disk I/O error"))

    monkeypatch.setattr(LockStore, "take", broken)
    error = quiet.error(UPSERT, input=NEW)
    assert asked(sandbox) == {}
    assert error["extensions"]["code"] == "STORE_UNAVAILABLE"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("beside", [True, False], ids=["beside a success", "alone"])
def test_a_duplicate_names_the_record_that_is_there_and_it_can_be_read(
    provider: str, beside: bool, quiet: Gateway, sandbox: Sandbox
) -> None:
    """A creation, not an upsert; Klen AI and Cometly are made to refuse by 409 what they usually take twice."""
    # Seeded at Gately, Klen AI and Cometly; whoever is not asked about refuses nobody.
    sandbox.klen.switches = KlenSwitches(duplicate_email="409" if provider == "KLEN" else "allowed")
    if provider == "COMETLY":
        sandbox.cometly.faults.add(Fault(kind="status", status=409, operation="create"))
    other = "COMETLY" if provider != "COMETLY" else "KLEN"
    named = [provider, other] if beside else [provider]
    document = """mutation ($input: CreateContactInput!) { createContact(input: $input) { status results {
      provider outcome ... on ProviderWriteFailure { error { code } existing { id remoteId name contact { name } } }
    } } }"""
    before = held(sandbox)[provider.lower()]
    answer = quiet.send(document, input={**ADA_INPUT, "name": "Somebody Else", "providers": named})
    existing = record_id(provider.lower(), ADA[provider.lower()])
    if beside:
        assert answer["data"]["createContact"]["status"] == "PARTIAL"
        assert answer["data"]["createContact"]["results"][0] == {
            "provider": provider,
            "outcome": "NOT_APPLIED",
            "error": {"code": "DUPLICATE"},
            "existing": {
                "id": existing,
                "remoteId": str(ADA[provider.lower()]),
                "name": "Ada Winter",
                "contact": {"name": "Ada Winter"},
            },
        }
    else:
        (error,) = answer["errors"]
        assert (error["extensions"]["code"], error["extensions"]["existing"]) == ("DUPLICATE", existing)
        read = quiet.data("query ($id: ID!) { contact(id: $id) { name } }", id=error["extensions"]["existing"])
        assert read == {"contact": {"name": "Ada Winter"}}
    assert held(sandbox)[provider.lower()] == before
