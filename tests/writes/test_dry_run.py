"""A dry run writes nothing anywhere, and shows what the write itself then sends, loses and is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.sandbox.cometly.profile import Values
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import GatelySwitches, KlenSwitches, Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_EMAIL
from gateway.sandbox.seed.people import person
from tests.conftest import Gateway
from tests.graphql.ids import ADA_CONTACTS, ADA_RECORDS, COMETLY_ID, GATELY_ID, KLEN_ID, contact_id
from tests.writes.witnessed import (
    CREATE,
    LINK,
    QUIET,
    UPDATE,
    UPSERT,
    asked,
    failure,
    forget,
    held,
    rows,
    sent,
    warning,
)

PROVIDERS = ("GATELY", "KLEN", "COMETLY")
NEW: dict[str, Any] = {
    "name": "Ines Aalto",
    "firstName": "Ines",
    "lastName": "Aalto",
    "emails": [{"address": "ines@aalto.test"}],
}
SLOTS = {"COMETLY_CUSTOM_FIELDS": '{"tier": "profile_field_1", "city": "profile_field_2"}'}
SECOND_GATELY_ID = f"6f3d0001-0000-4000-8000-{2:012d}"


@pytest.fixture
def quiet(start_gateway: Callable[..., Gateway]) -> Gateway:
    return start_gateway(SLOTS, **QUIET)


@pytest.fixture
def ada(quiet: Gateway, sandbox: Sandbox) -> str:
    """Ada Winter's three records as one contact."""
    quiet.data(LINK, ids=list(ADA_CONTACTS.values()))
    forget(sandbox)
    return ADA_CONTACTS["gately"]


def preview(
    provider: str,
    *warnings: dict[str, Any],
    requests: tuple[tuple[str, str, Any], ...] = (),
    target: object = None,
    collisions: list[tuple[str, object]] | None = (),  # type: ignore[assignment]
) -> dict[str, Any]:
    return {
        "__typename": "ProviderWritePreview",
        "provider": provider,
        "outcome": "NOT_APPLIED",
        "warnings": list(warnings),
        "requests": [{"method": method, "path": path, "body": body} for method, path, body in requests],
        "target": None if target is None else {"remoteId": str(target)},
        "collisions": None
        if collisions is None
        else [{"provider": name, "remoteId": str(remote_id)} for name, remote_id in collisions],
    }


def field_of(document: str) -> str:
    return {CREATE: "createContact", UPDATE: "updateContact", UPSERT: "upsertContact"}[document]


def dry(gateway: Gateway, document: str, asked_for: dict[str, Any], **variables: Any) -> dict[str, Any]:
    field = field_of(document)
    payload: dict[str, Any] = gateway.data(document, input={**asked_for, "dryRun": True}, **variables)[field]
    return payload


def tables(folder: Any) -> dict[str, int]:
    url = f"sqlite:///{folder}/gateway.db"
    names = ("operations", "operation_targets", "links", "aliases", "locks")
    return {name: rows(url, f"SELECT count(*) FROM {name}")[0][0] for name in names}


# Nothing is written


@pytest.mark.parametrize(
    ("document", "asked_for"),
    [
        (CREATE, NEW),
        (UPSERT, NEW),
        (UPSERT, {**NEW, "emails": [{"address": EVERYWHERE_EMAIL}]}),
        *((UPDATE, {"id": one, "name": "Ada Summer", "tags": {"add": ["X"]}}) for one in ADA_CONTACTS.values()),
        (UPDATE, {"id": ADA_CONTACTS["gately"], "unsubscribed": True, "customFields": {"merge": {"a": 1}}}),
    ],
)
def test_nothing_is_written_and_nothing_is_remembered(
    document: str, asked_for: dict[str, Any], quiet: Gateway, sandbox: Sandbox, tmp_path: Any
) -> None:
    before = held(sandbox)
    payload = dry(quiet, document, {**asked_for, "idempotencyKey": "k"})
    assert (payload["status"], payload["contact"]) == ("PREVIEWED", None)
    assert {result["__typename"] for result in payload["results"]} == {"ProviderWritePreview"}
    assert sent(sandbox) == {}
    assert held(sandbox) == before
    assert tables(tmp_path) == dict.fromkeys(tables(tmp_path), 0)
    retry = "mutation ($id: ID!) { retryWrite(input: {operationId: $id}) { status } }"
    assert quiet.error(retry, id=payload["operationId"])["extensions"]["fields"][0]["code"] == "UNKNOWN_OPERATION"


def test_a_creation_is_shown_request_by_request(quiet: Gateway, sandbox: Sandbox) -> None:
    payload = dry(quiet, CREATE, {"name": "Ines Aalto", "emails": NEW["emails"], "tags": ["fair"], "notes": "Hello"})
    parts = [warning("VALUE_DERIVED", "firstName"), warning("VALUE_DERIVED", "lastName")]
    gately = {"name": "Ines Aalto", "email": "ines@aalto.test", "tags": ["fair"], "notes": "Hello"}
    klen = {"first_name": "Ines", "last_name": "Aalto", "email": "ines@aalto.test", "tags": ["fair"]}
    cometly = {"emails": ["ines@aalto.test"], "names": ["Ines Aalto"]}
    assert payload["results"] == [
        preview("GATELY", requests=(("POST", "/contacts", gately),)),
        preview("KLEN", warning("FIELD_DROPPED", "notes"), *parts, requests=(("POST", "/contacts/create", klen),)),
        preview(
            "COMETLY",
            warning("FIELD_DROPPED", "tags"),
            warning("FIELD_DROPPED", "notes"),
            requests=(("POST", "/contacts", cometly),),
            collisions=None,
        ),
    ]
    assert asked(sandbox) == {"gately": ["GET /contacts"], "klen": ["GET /contacts"]}


def test_an_update_of_several_calls_is_shown_in_their_order(quiet: Gateway, sandbox: Sandbox) -> None:
    asked_for = {
        "id": ADA_RECORDS["gately"],
        "company": "New Oy",
        "customFields": {"merge": {"a": 1}},
        "unsubscribed": True,
    }
    path = f"/contacts/{GATELY_ID}"
    calls = (
        ("PATCH", path, {"company": "New Oy"}),
        ("PATCH", f"{path}/custom-fields", {"a": 1}),
        ("POST", f"{path}/unsubscribes", {}),
    )
    assert dry(quiet, UPDATE, asked_for)["results"] == [preview("GATELY", requests=calls, target=GATELY_ID)]
    back = {"id": ADA_RECORDS["gately"], "unsubscribed": False}
    calls = (("DELETE", f"{path}/unsubscribes", None),)
    assert dry(quiet, UPDATE, back)["results"] == [preview("GATELY", requests=calls, target=GATELY_ID)]


def test_where_nothing_is_left_to_send_no_request_is_shown(ada: str, quiet: Gateway, sandbox: Sandbox) -> None:
    payload = dry(quiet, UPDATE, {"id": ada, "website": "https://aalto.test"})
    website = warning("FIELD_DROPPED", "website")
    assert payload["results"] == [
        preview("GATELY", website, target=GATELY_ID),
        preview(
            "KLEN",
            requests=(("PATCH", f"/contacts/{KLEN_ID}/update", {"website": "https://aalto.test"}),),
            target=KLEN_ID,
        ),
        preview("COMETLY", website, target=COMETLY_ID),
    ]


def test_an_upsert_shows_whom_it_would_change_and_where_it_would_create(quiet: Gateway, sandbox: Sandbox) -> None:
    email = person(23).email
    there = f"6f3d0001-0000-4000-8000-{23:012d}"
    payload = dry(quiet, UPSERT, {**NEW, "emails": [{"address": email}]})
    names = {"first_name": "Ines", "last_name": "Aalto"}
    assert payload["results"] == [
        preview(
            "GATELY",
            requests=(("PATCH", f"/contacts/{there}", {"name": "Ines Aalto", **names, "email": email}),),
            target=there,
        ),
        preview("KLEN", requests=(("POST", "/contacts/create", {**names, "email": email}),)),
        preview(
            "COMETLY", requests=(("POST", "/contacts", {"emails": [email], "names": ["Ines Aalto"]}),), collisions=None
        ),
    ]


# The same as the write


def told(answer: dict[str, Any], field: str) -> Any:
    """What a write or a dry run said of each provider: the code of what kept it back, and its warnings.

    A write that failed everywhere is one error, which tells no warnings.
    """
    if answer["data"][field] is not None:
        return [
            (one["provider"], one.get("error", {}).get("code"), one["warnings"])
            for one in answer["data"][field]["results"]
        ]
    (error,) = answer["errors"]
    if error["extensions"]["code"] == "INVALID_INPUT" and "fields" in error["extensions"]:
        return error["extensions"]["fields"]
    return [(one["provider"], one["code"], None) for one in error["extensions"]["providers"]]


def assert_shows_what_is_sent(gateway: Gateway, sandbox: Sandbox, document: str, asked_for: dict[str, Any]) -> None:
    field = field_of(document)
    before = held(sandbox)
    forget(sandbox)
    shown = gateway.send(document, input={**asked_for, "dryRun": True})
    assert (sent(sandbox), held(sandbox)) == ({}, before)
    forget(sandbox)
    done = gateway.send(document, input=asked_for)
    writes = {name.upper(): calls for name, calls in sent(sandbox).items()}
    if shown["data"][field] is None:
        assert told(done, field) == told(shown, field)
        assert writes == {}
        return
    assert "errors" not in shown
    planned = {
        one["provider"]: [(call["method"], call["path"], call["body"]) for call in one["requests"]]
        for one in shown["data"][field]["results"]
        if one.get("requests")
    }
    assert json.dumps(planned, sort_keys=False) == json.dumps(
        {name: writes[name] for name in planned if name in writes}, sort_keys=False
    )
    assert writes.keys() == planned.keys()
    said, said_before = told(done, field), told(shown, field)
    collided = {one["provider"] for one in shown["data"][field]["results"] if one.get("collisions")}
    # What a provider may refuse is no refusal yet: who would collide is said instead.
    said = [
        (provider, None if code == "DUPLICATE" and provider in collided else code, warnings)
        for provider, code, warnings in said
    ]
    if any(warnings is None for *_, warnings in said):
        said_before = [(provider, code, None) for provider, code, _ in said_before]
    assert said == said_before


TEXTS = st.sampled_from(["Noor", "Åsa Öst", "Haddad, Noor", "Dr. Noor Haddad", "x", "名前", "1.0", "null"])
NUMBERS = st.sampled_from(["+358400000001", "+358 40 000 0002", "+353 21 000 0001", "+447700900101"])
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text('aé"\\/\u2028 ', max_size=4),
    st.lists(st.integers(0, 3), max_size=2),
)
OBJECTS = st.dictionaries(st.sampled_from(["tier", "seats", "é", "a b"]), VALUES, max_size=3)
TAGS = st.lists(st.sampled_from(["Beta", "beta", "VIP", "Ö", "new one"]), max_size=3)
PHONES = st.lists(
    st.fixed_dictionaries(
        {"number": NUMBERS},
        optional={
            "type": st.sampled_from(["MOBILE", "OTHER", None, "WORK"]),
            "doNotCall": st.sampled_from([True, False, None]),
        },
    ),
    max_size=2,
    unique_by=lambda one: one["number"],
)
ADDRESSES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "street": st.sampled_from(["12 Cedar Street", "5 Quay Road"]),
            "street2": st.just("Flat 2"),
            "city": st.sampled_from(["Boston", "Turku"]),
            "postalCode": st.just("02108"),
            "country": st.sampled_from(["US", "FI"]),
            "formatted": st.just("5 Quay Road, Cork"),
        },
    ),
    max_size=2,
)
ANY_EMAILS = st.lists(
    st.sampled_from(["ines@aalto.test", "noor@example.test", EVERYWHERE_EMAIL]), unique=True, max_size=2
).map(lambda addresses: [{"address": address} for address in addresses])


def or_null(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values, values, values, st.none())


LINES = {
    name: or_null(TEXTS) for name in ("name", "firstName", "lastName", "company", "website", "notes", "externalId")
}
SHARED = {
    **LINES,
    "phones": or_null(PHONES),
    "addresses": or_null(ADDRESSES),
    "status": or_null(st.sampled_from(["NEW", "ACTIVE", "INACTIVE", "ARCHIVED"])),
    "stage": or_null(st.sampled_from(["prospect", "customer"])),
    "klen": st.fixed_dictionaries(
        {},
        optional={
            "status": st.sampled_from(["contacted", None]),
            "teamId": st.sampled_from([7, None]),
            "industryContext": or_null(OBJECTS),
        },
    ),
    "providers": st.lists(st.sampled_from(PROVIDERS), min_size=1, max_size=3, unique=True),
}
CREATIONS = st.fixed_dictionaries(
    {"name": TEXTS, "firstName": TEXTS, "emails": ANY_EMAILS.filter(bool)},
    optional={
        **{name: values for name, values in SHARED.items() if name not in ("name", "firstName")},
        "tags": or_null(TAGS),
        "customFields": or_null(OBJECTS),
    },
)
PATCHES = {
    **{name: values for name, values in SHARED.items() if name != "providers"},
    "emails": or_null(ANY_EMAILS),
    "tags": or_null(
        st.one_of(
            TAGS.map(lambda names: {"set": names}),
            TAGS.map(lambda names: {"add": names}),
            TAGS.map(lambda names: {"remove": names}),
        )
    ),
    "customFields": or_null(
        st.one_of(OBJECTS.map(lambda one: {"merge": one}), OBJECTS.map(lambda one: {"replace": one}))
    ),
    "unsubscribed": or_null(st.booleans()),
}


@st.composite
def updates(draw: st.DrawFn) -> dict[str, Any]:
    """A few fields at a time: one that a provider cannot clear hides all others there."""
    names = draw(st.lists(st.sampled_from(sorted(PATCHES)), min_size=1, max_size=4, unique=True))
    target = draw(st.sampled_from([ADA_CONTACTS["gately"], ADA_CONTACTS["gately"], *ADA_RECORDS.values()]))
    return {"id": target, **{name: draw(PATCHES[name]) for name in names}}


PROPERTY = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)


@given(CREATIONS)
@PROPERTY
def test_any_creation_sends_what_was_shown(quiet: Gateway, sandbox: Sandbox, asked_for: dict[str, Any]) -> None:
    sandbox.reset()
    assert_shows_what_is_sent(quiet, sandbox, CREATE, asked_for)


@given(updates())
@PROPERTY
def test_any_update_sends_what_was_shown(ada: str, quiet: Gateway, sandbox: Sandbox, asked_for: dict[str, Any]) -> None:
    sandbox.reset()
    # Which numbers Klen AI removes shows only afterwards: that is a test of its own.
    sandbox.klen.switches = KlenSwitches(patch_phones="removes_unlisted")
    assert_shows_what_is_sent(quiet, sandbox, UPDATE, asked_for)


@given(CREATIONS)
@PROPERTY
def test_any_upsert_sends_what_was_shown(ada: str, quiet: Gateway, sandbox: Sandbox, asked_for: dict[str, Any]) -> None:
    sandbox.reset()
    sandbox.klen.switches = KlenSwitches(patch_phones="removes_unlisted")
    assert_shows_what_is_sent(quiet, sandbox, UPSERT, asked_for)


def test_numbers_that_klen_keeps_are_said_of_the_write_alone(quiet: Gateway, sandbox: Sandbox) -> None:
    """Whether an update removes what it leaves out is not documented, so it cannot be told beforehand."""
    asked_for = {"id": ADA_RECORDS["klen"], "phones": [{"number": "+358400000001"}]}
    assert dry(quiet, UPDATE, asked_for)["results"][0]["warnings"] == []
    done = quiet.data(UPDATE, input=asked_for)["updateContact"]["results"][0]
    assert done["warnings"] == [warning("FIELD_DROPPED", "phones")]


# What is refused


def test_a_refusal_is_its_providers_and_never_an_error(ada: str, quiet: Gateway, sandbox: Sandbox) -> None:
    cannot = failure("GATELY", "UNSUPPORTED_CLEAR", field=["input", "emails"])
    payload = dry(quiet, UPDATE, {"id": ada, "emails": None})
    assert payload["status"] == "PREVIEWED"
    assert payload["results"] == [
        cannot,
        preview("KLEN", requests=(("PATCH", f"/contacts/{KLEN_ID}/update", {"email": None}),), target=KLEN_ID),
        preview("COMETLY", requests=(("PUT", f"/contacts/{COMETLY_ID}", {"emails": []}),), target=COMETLY_ID),
    ]
    alone = dry(quiet, UPDATE, {"id": ada, "emails": None, "providers": ["GATELY"]})
    assert (alone["status"], alone["results"]) == ("PREVIEWED", [cannot])
    assert asked(sandbox) == {}


def test_a_list_that_is_shown_in_part_is_a_refusal(ada: str, quiet: Gateway, sandbox: Sandbox) -> None:
    sandbox.cometly.contacts[COMETLY_ID].names = Values([f"Ada {n}" for n in range(25)], "Ada 0")
    asked_for = {"id": ada, "name": "Ada Summer", "providers": ["COMETLY"]}
    refused = dry(quiet, UPDATE, asked_for)["results"]
    assert [(one["__typename"], one["outcome"], one["error"]["code"]) for one in refused] == [
        ("ProviderWriteFailure", "NOT_APPLIED", "LIST_TRUNCATED")
    ]
    assert quiet.error(UPDATE, input=asked_for)["extensions"]["code"] == "LIST_TRUNCATED"
    assert sent(sandbox) == {}


def test_several_matches_are_a_refusal_with_candidates(quiet: Gateway, sandbox: Sandbox) -> None:
    sandbox.klen.contacts[9002].email = "ines@aalto.test"
    sandbox.klen.contacts[9003].email = "ines@aalto.test"
    payload = dry(quiet, UPSERT, {**NEW, "providers": ["KLEN"]})
    assert payload["status"] == "PREVIEWED"
    assert payload["results"] == [failure("KLEN", "AMBIGUOUS_MATCH", candidates=[9002, 9003])]


@pytest.mark.parametrize("document", [CREATE, UPSERT])
def test_wrong_input_is_an_error_as_of_the_write(document: str, quiet: Gateway, sandbox: Sandbox) -> None:
    asked_for = {"emails": [{"address": "ines@aalto.test"}], "tags": ["a,b"]}
    shown = quiet.error(document, input={**asked_for, "dryRun": True})
    assert shown == quiet.error(document, input=asked_for)
    assert shown["extensions"]["code"] == "INVALID_INPUT"
    assert asked(sandbox) == {}


def test_a_record_that_cannot_be_read_is_its_providers_failure(ada: str, quiet: Gateway, sandbox: Sandbox) -> None:
    sandbox.klen.faults.add(Fault(kind="drop_before", operation="read"))
    payload = dry(quiet, UPDATE, {"id": ada, "tags": {"add": ["X"]}})
    assert payload["results"][1] == failure("KLEN", "PROVIDER_TIMEOUT", retryable=True)
    assert [one["__typename"] for one in payload["results"]] == [
        "ProviderWritePreview",
        "ProviderWriteFailure",
        "ProviderWritePreview",
    ]


# Collisions


def test_who_holds_the_address_already_is_a_collision(quiet: Gateway, sandbox: Sandbox) -> None:
    payload = dry(quiet, CREATE, {**NEW, "emails": [{"address": EVERYWHERE_EMAIL.upper()}]})
    assert [one["collisions"] for one in payload["results"]] == [
        [{"provider": "GATELY", "remoteId": GATELY_ID}],
        [{"provider": "KLEN", "remoteId": str(KLEN_ID)}],
        None,
    ]


def test_a_record_does_not_collide_with_itself(ada: str, quiet: Gateway, sandbox: Sandbox) -> None:
    sandbox.klen.contacts[9002].email = EVERYWHERE_EMAIL.upper()
    payload = dry(quiet, UPDATE, {"id": ada, "emails": [{"address": EVERYWHERE_EMAIL}]})
    assert [one["collisions"] for one in payload["results"]] == [
        [],
        [{"provider": "KLEN", "remoteId": "9002"}],
        None,
    ]


def test_another_record_of_whom_an_update_takes_the_address_is_a_collision(quiet: Gateway, sandbox: Sandbox) -> None:
    asked_for = {"id": contact_id("gately", SECOND_GATELY_ID), "emails": [{"address": EVERYWHERE_EMAIL}]}
    (shown,) = dry(quiet, UPDATE, asked_for)["results"]
    assert shown["collisions"] == [{"provider": "GATELY", "remoteId": GATELY_ID}]
    assert quiet.error(UPDATE, input=asked_for)["extensions"]["code"] == "DUPLICATE"


def test_without_an_address_nobody_is_looked_for(ada: str, quiet: Gateway, sandbox: Sandbox) -> None:
    payload = dry(quiet, UPDATE, {"id": ada, "company": "New Oy"})
    assert [one["collisions"] for one in payload["results"]] == [[], [], []]
    assert asked(sandbox) == {}


@pytest.mark.parametrize("provider", ["gately", "klen"])
def test_a_look_for_collisions_that_fails_is_null_with_an_error_and_the_rest_is_there(
    provider: str, quiet: Gateway, sandbox: Sandbox
) -> None:
    good = quiet.send(CREATE, input={**NEW, "dryRun": True})["data"]["createContact"]
    getattr(sandbox, provider).faults.add(Fault(kind="status", status=500, operation="find"))
    answer = quiet.send(CREATE, input={**NEW, "dryRun": True})
    place = PROVIDERS.index(provider.upper())
    (error,) = answer["errors"]
    assert error["path"] == ["createContact", "results", place, "collisions"]
    assert (error["extensions"]["code"], error["extensions"]["provider"]) == ("PROVIDER_ERROR", provider.upper())
    good["results"][place]["collisions"] = None
    good["operationId"] = answer["data"]["createContact"]["operationId"]
    assert answer["data"]["createContact"] == good


# Keys and conditions


def test_a_dry_run_does_not_use_its_key_up(quiet: Gateway, sandbox: Sandbox) -> None:
    dry(quiet, CREATE, {**NEW, "idempotencyKey": "k"})
    other = {**NEW, "company": "Aalto Oy", "idempotencyKey": "k"}
    done = quiet.data(CREATE, input=other)["createContact"]
    assert [one["action"] for one in done["results"]] == ["CREATED"] * 3
    forget(sandbox)
    shown = dry(quiet, CREATE, {**NEW, "idempotencyKey": "k"})
    assert [one["__typename"] for one in shown["results"]] == ["ProviderWritePreview"] * 3
    assert sent(sandbox) == {}
    again = quiet.data(CREATE, input=other)["createContact"]
    assert [one["action"] for one in again["results"]] == ["REPLAYED"] * 3


def test_a_malformed_key_is_refused_in_a_dry_run_too(quiet: Gateway, sandbox: Sandbox) -> None:
    error = quiet.error(CREATE, input={**NEW, "dryRun": True, "idempotencyKey": ""})
    assert error["extensions"]["fields"][0]["code"] == "MALFORMED_KEY"


def test_the_condition_holds_in_a_dry_run_too(ada: str, quiet: Gateway, sandbox: Sandbox) -> None:
    changed_at = sandbox.gately.contacts[GATELY_ID].updated_at
    asked_for = {"id": ada, "company": "New Oy", "emails": [{"address": EVERYWHERE_EMAIL}]}
    condition = ["input", "ifUnmodifiedSince"]
    fresh = dry(quiet, UPDATE, {**asked_for, "ifUnmodifiedSince": changed_at.isoformat()})
    body = {"company": "New Oy", "email": EVERYWHERE_EMAIL}
    others = [
        failure("KLEN", "UNSUPPORTED_FIELD", field=condition),
        failure("COMETLY", "UNSUPPORTED_FIELD", warning("FIELD_DROPPED", "company"), field=condition),
    ]
    assert fresh["results"] == [
        preview(
            "GATELY",
            requests=(("PATCH", f"/contacts/{GATELY_ID}", {"email": body["email"], "company": "New Oy"}),),
            target=GATELY_ID,
        ),
        *others,
    ]
    stale = dry(quiet, UPDATE, {**asked_for, "ifUnmodifiedSince": changed_at.replace(year=2020).isoformat()})
    assert stale["results"] == [failure("GATELY", "STALE_RECORD", field=condition), *others]
    assert sent(sandbox) == {}


def test_the_condition_is_checked_where_the_write_checks_it(ada: str, quiet: Gateway, sandbox: Sandbox) -> None:
    asked_for = {"id": ada, "company": "New Oy", "ifUnmodifiedSince": "2031-01-01T00:00:00Z"}
    done = quiet.data(UPDATE, input=asked_for)["updateContact"]
    shown = dry(quiet, UPDATE, asked_for)
    assert [one["__typename"] == "ProviderWriteFailure" for one in shown["results"]] == [
        one["__typename"] == "ProviderWriteFailure" for one in done["results"]
    ]


def test_a_dry_run_shows_the_merging_call_although_the_write_may_need_another(quiet: Gateway, sandbox: Sandbox) -> None:
    """Whether the endpoint exists is only known once it was called (docs/providers/gately.md, ambiguity 20)."""
    sandbox.gately.switches = GatelySwitches(custom_fields_endpoint="404")
    asked_for = {"id": ADA_RECORDS["gately"], "customFields": {"merge": {"a": 1}}}
    (shown,) = dry(quiet, UPDATE, asked_for)["results"]
    assert [(one["method"], one["path"]) for one in shown["requests"]] == [
        ("PATCH", f"/contacts/{GATELY_ID}/custom-fields")
    ]
    forget(sandbox)
    quiet.data(UPDATE, input=asked_for)
    assert [write[:2] for write in sent(sandbox)["gately"]] == [
        ("PATCH", f"/contacts/{GATELY_ID}/custom-fields"),
        ("PATCH", f"/contacts/{GATELY_ID}"),
    ]


def test_a_deadline_that_is_over_is_told_per_provider(start_gateway: Callable[..., Gateway], sandbox: Sandbox) -> None:
    # Long enough for a busy machine to hear the other two.
    hasty = start_gateway(mutation_deadline_seconds=1, **QUIET)
    sandbox.klen.faults.add(Fault(kind="hang", operation="find"))
    answer = hasty.send(CREATE, input={**NEW, "dryRun": True})
    assert [error["path"] for error in answer["errors"]] == [["createContact", "results", 1, "collisions"]]
    assert [one["provider"] for one in answer["data"]["createContact"]["results"]] == list(PROVIDERS)
