"""The record that a write answers is what the provider stored, and what did not stick is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.domain.contact import Field
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import CometlySwitches, GatelySwitches, KlenSwitches, Sandbox
from tests.conftest import Gateway
from tests.connectors.samples import FIRST, SECOND
from tests.echo.losses import LOSSES
from tests.graphql.ids import ADA, ADA_CONTACTS, ADA_RECORDS, COMETLY_ID, GATELY_ID, KLEN_ID
from tests.writes.witnessed import LINK, QUIET, asked, forget, sent, warning

PROVIDERS = ("GATELY", "KLEN", "COMETLY")
EVERYTHING = """name firstName lastName emails { address } phones { number e164 type doNotCall } addresses { formatted }
  company website status providerStatus stage tags notes customFields unsubscribed externalId"""
READS = {
    "gately": f"GET /contacts/{GATELY_ID}",
    "klen": f"GET /contacts/{KLEN_ID}",
    "cometly": f"GET /contacts/{COMETLY_ID}",
}


@pytest.fixture
def quiet(start_gateway: Callable[..., Gateway]) -> Gateway:
    return start_gateway(**QUIET)


@pytest.fixture
def ada(quiet: Gateway, sandbox: Sandbox) -> str:
    quiet.data(LINK, ids=list(ADA_CONTACTS.values()))
    forget(sandbox)
    return ADA_CONTACTS["gately"]


def document(selected: str, mutation: str = "updateContact", beside: str = "") -> str:
    kind = "UpdateContactInput" if mutation == "updateContact" else "CreateContactInput"
    record = f"... on ProviderWriteSuccess {{ action record {{ {selected} }} }}" if selected else ""
    return f"""mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ status {beside}
      results {{ provider outcome warnings {{ code field }} {record} }} }} }}"""


def results(gateway: Gateway, text: str, **asked_for: Any) -> list[dict[str, Any]]:
    (payload,) = gateway.data(text, input=asked_for).values()
    found: list[dict[str, Any]] = payload["results"]
    return found


def not_stored(result: dict[str, Any]) -> list[list[str]]:
    return [one["field"] for one in result["warnings"] if one["code"] == "NOT_STORED"]


def losing(
    monkeypatch: pytest.MonkeyPatch, simulator: Any, lose: Callable[[Any], None], remote_id: object = None
) -> None:
    """The provider says yes to every write, and keeps less than it was sent; of the newest record by default."""
    answer = simulator.answer

    def answer_and_lose(received: Any) -> Any:
        reply = answer(received)
        if received.method != "GET" and reply.succeeded:
            lose(simulator.contacts[remote_id or list(simulator.contacts)[-1]])
        return reply

    monkeypatch.setattr(simulator, "answer", answer_and_lose)


# How often is read


@pytest.mark.parametrize("selected", ["", "id", "remoteId provider", "__typename"])
def test_what_is_not_asked_for_is_not_read(selected: str, ada: str, quiet: Gateway, sandbox: Sandbox) -> None:
    results(quiet, document(selected), id=ada, emails=[{"address": "ada@new.test"}])
    assert asked(sandbox) == {
        "gately": [f"PATCH /contacts/{GATELY_ID}"],
        "klen": [f"PATCH /contacts/{KLEN_ID}/update"],
        "cometly": [f"PUT /contacts/{COMETLY_ID}"],
    }


def test_what_the_answer_told_is_not_read_again(ada: str, quiet: Gateway, sandbox: Sandbox) -> None:
    """Gately answers some fields, Cometly those that were sent, Klen AI none."""
    told = results(quiet, document("emails { address }"), id=ada, emails=[{"address": "ada@new.test"}])
    assert [one["record"] for one in told] == [{"emails": [{"address": "ada@new.test"}]}] * 3
    assert asked(sandbox) == {
        "gately": [f"PATCH /contacts/{GATELY_ID}"],
        "klen": [f"PATCH /contacts/{KLEN_ID}/update", READS["klen"]],
        "cometly": [f"PUT /contacts/{COMETLY_ID}"],
    }


@pytest.mark.parametrize(
    "beside", ["", "contact { name company records { company tags } }", "contact { records { raw } }"]
)
def test_what_it_did_not_tell_is_read_once(beside: str, ada: str, quiet: Gateway, sandbox: Sandbox) -> None:
    results(quiet, document(EVERYTHING, beside=beside), id=ada, emails=[{"address": "ada@new.test"}])
    assert asked(sandbox) == {
        "gately": [f"PATCH /contacts/{GATELY_ID}", READS["gately"]],
        "klen": [f"PATCH /contacts/{KLEN_ID}/update", READS["klen"]],
        "cometly": [f"PUT /contacts/{COMETLY_ID}", READS["cometly"]],
    }


@pytest.mark.parametrize(
    ("selected", "reads"),
    [
        ("... on ContactRecord { tags }", 1),
        ("mine: tags", 1),
        ("tags @include(if: false)", 0),
        ("tags @skip(if: true)", 0),
        ("providerStatus", 1),
        # Gately holds no website, so nothing about it has to be read.
        ("website", 0),
    ],
)
def test_how_the_field_is_selected_does_not_matter(selected: str, reads: int, quiet: Gateway, sandbox: Sandbox) -> None:
    sandbox.gately.switches = GatelySwitches(unlisted_on_read="left_out")
    text = document(f"id {selected}")
    results(quiet, text, id=ADA_RECORDS["gately"], company="New Oy")
    calls = asked(sandbox)["gately"]
    # Gately's answer to an update tells the status; nothing else of these.
    expected = 0 if selected == "providerStatus" else reads
    assert calls == [f"PATCH /contacts/{GATELY_ID}"] + [READS["gately"]] * expected


def test_the_record_is_what_the_provider_stored(ada: str, quiet: Gateway, sandbox: Sandbox) -> None:
    asked_for = {"company": "New Oy", "tags": {"add": ["X"]}, "customFields": {"merge": {"tier": "lead"}}}
    told = results(quiet, document(EVERYTHING), id=ada, **asked_for)
    for result, record_id in zip(told, ADA_RECORDS.values(), strict=True):
        read = quiet.data(f"query ($id: ID!) {{ contact(id: $id) {{ records {{ id {EVERYTHING} }} }} }}", id=record_id)
        (stored,) = [one for one in read["contact"]["records"] if one.pop("id") == record_id]
        assert result["record"] == stored
        assert not_stored(result) == []
    gately, klen = sandbox.gately.contacts[GATELY_ID], sandbox.klen.contacts[KLEN_ID]
    assert (told[0]["record"]["company"], told[0]["record"]["customFields"]) == ("New Oy", gately.custom_fields)
    assert (told[1]["record"]["company"], told[1]["record"]["tags"]) == ("New Oy", klen.tags)
    assert told[2]["record"]["customFields"]["tier"] == "lead"


# Nothing is told of what was stored

NAMES = {field: field.value for field in FIRST}


def as_input(values: dict[Field, Any], *, updating: bool) -> dict[str, Any]:
    """The samples of the contract suite in the words of the API."""
    asked_for: dict[str, Any] = {}
    for field, value in values.items():
        path = field.input_path[1:]
        if field in (Field.EMAILS, Field.PHONES, Field.ADDRESSES):
            wanted: Any = [item(field, one) for one in value]
        elif field is Field.TAGS:
            wanted = {"set": list(value.whole)} if updating else list(value.whole)
        elif field is Field.CUSTOM_FIELDS:
            wanted = {"replace": value.values} if updating else value.values
        elif field is Field.STATUS:
            wanted = value.name
        else:
            wanted = value
        if len(path) == 2:
            asked_for.setdefault(path[0], {})[path[1]] = wanted
        else:
            asked_for[path[0]] = wanted
    if not updating:
        asked_for.pop("unsubscribed", None)
    return asked_for


def item(field: Field, one: Any) -> dict[str, Any]:
    if field is Field.EMAILS:
        return {"address": one.address}
    if field is Field.PHONES:
        return {"number": one.number, "type": one.type.name}
    parts = {"street": one.street, "city": one.city, "state": one.state}
    return {**parts, "postalCode": one.postal_code, "country": one.country}


NEEDED = {field: FIRST[field] for field in (Field.NAME, Field.FIRST_NAME, Field.LAST_NAME, Field.EMAILS)}
CREATIONS = {"everything": FIRST, "another everything": SECOND} | {
    str(field): NEEDED | {field: value} for field, value in FIRST.items()
}
UPDATES = {"everything": SECOND, "the same again": FIRST} | {
    str(field): {field: value} for field, value in SECOND.items()
}


@pytest.mark.parametrize("name", CREATIONS)
def test_nothing_is_told_of_a_creation_that_was_stored(name: str, quiet: Gateway, sandbox: Sandbox) -> None:
    told = results(quiet, document(EVERYTHING, "createContact"), **as_input(CREATIONS[name], updating=False))
    assert [(one["provider"], one["outcome"], not_stored(one)) for one in told] == [
        (provider, "APPLIED", []) for provider in PROVIDERS
    ]


@pytest.mark.parametrize("name", UPDATES)
def test_nothing_is_told_of_an_update_that_was_stored(name: str, quiet: Gateway, sandbox: Sandbox) -> None:
    create = "mutation ($input: CreateContactInput!) { createContact(input: $input) { contact { id } } }"
    made = quiet.data(create, input=as_input(FIRST, updating=False))["createContact"]["contact"]["id"]
    told = results(quiet, document(EVERYTHING), id=made, **as_input(UPDATES[name], updating=True))
    assert [(one["provider"], one["outcome"], not_stored(one)) for one in told] == [
        (provider, "APPLIED", []) for provider in PROVIDERS
    ]


# What was lost is told

# Another face of the same stored value would tell of the loss too.
ALONE = {Field.NAME, Field.FIRST_NAME, Field.LAST_NAME, Field.STATUS, Field.KLEN_STATUS, Field.KLEN_TEAM_ID}
# Only a creation takes it, and it needs more beside it.
LOST = [
    pytest.param(provider.name, field, lose, id=f"{provider}-{field}-{place}")
    for provider, fields in LOSSES.items()
    for field, ways in fields.items()
    for place, lose in enumerate(ways)
    if field not in ALONE and field is not Field.EXTERNAL_ID
]


@pytest.mark.parametrize(("provider", "field", "lose"), LOST)
def test_a_field_that_an_update_lost_is_told_and_no_other(
    provider: str,
    field: Field,
    lose: Any,
    quiet: Gateway,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create = "mutation ($input: CreateContactInput!) { createContact(input: $input) { contact { id } } }"
    first = {**as_input(FIRST, updating=False), "providers": [provider]}
    made = quiet.data(create, input=first)["createContact"]["contact"]["id"]
    # One that is not warned about at this provider.
    others = {Field.EMAILS: SECOND[Field.EMAILS]}
    wanted = {**others, field: (FIRST if field is Field.TAGS else SECOND)[field]}
    if field is Field.CUSTOM_FIELDS:
        wanted[field] = FIRST[field]
    losing(monkeypatch, getattr(sandbox, provider.lower()), lose)
    forget(sandbox)
    (told,) = results(quiet, document(EVERYTHING), id=made, **as_input(wanted, updating=True))
    # Cometly says of an address and of a type of number beforehand that they are coerced.
    warned = {tuple(one["field"][:2]) for one in told["warnings"] if one["code"] != "NOT_STORED"}
    expected = [] if ("input", field.value) in warned or field.input_path in warned else [list(field.input_path)]
    assert not_stored(told) == expected
    assert told["outcome"] == "APPLIED"
    simulator: Any = getattr(sandbox, provider.lower())
    assert [request.method for request in simulator.requests].count("GET") >= 1


@pytest.mark.parametrize("provider", ["gately", "klen"])
def test_a_null_that_is_ignored_is_told(provider: str, quiet: Gateway, sandbox: Sandbox) -> None:
    sandbox.gately.switches = GatelySwitches(null_on_update="ignored")
    sandbox.klen.switches = KlenSwitches(null_on_update="ignored")
    (told,) = results(quiet, document("company name"), id=ADA_RECORDS[provider], company=None, lastName=None)
    assert told["outcome"] == "APPLIED"
    company = getattr(sandbox, provider).contacts[ADA[provider]].company
    assert company
    assert told["record"]["company"] == company
    assert sorted(not_stored(told)) == [["input", "company"], ["input", "lastName"]]


def test_a_list_that_cometly_does_not_empty_is_told(
    quiet: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    phones = list(sandbox.cometly.contacts[COMETLY_ID].phones.oldest_first)
    assert phones

    def put_back(profile: Any) -> None:
        profile.phones.oldest_first = list(phones)

    losing(monkeypatch, sandbox.cometly, put_back, COMETLY_ID)
    (told,) = results(quiet, document("phones { number } name"), id=ADA_RECORDS["cometly"], phones=[])
    assert not_stored(told) == [["input", "phones"]]


def test_only_the_provider_that_lost_it_is_told_of(
    ada: str, quiet: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    losing(monkeypatch, sandbox.klen, lambda contact: setattr(contact, "email", "somebody@else.test"), KLEN_ID)
    told = results(quiet, document(EVERYTHING), id=ada, emails=[{"address": "ada@new.test"}])
    assert [not_stored(one) for one in told] == [[], [["input", "emails"]], []]
    assert told[1]["record"]["emails"] == [{"address": "somebody@else.test"}]


def test_the_answer_alone_tells_too(quiet: Gateway, sandbox: Sandbox) -> None:
    """Gately's answer to an update shows the notes; nobody has to read them."""
    sandbox.gately.switches = GatelySwitches(null_on_update="ignored")
    (told,) = results(quiet, document(""), id=ADA_RECORDS["gately"], notes=None)
    assert not_stored(told) == [["input", "notes"]]
    assert asked(sandbox) == {"gately": [f"PATCH /contacts/{GATELY_ID}"]}


def test_what_neither_tells_is_not_judged(quiet: Gateway, sandbox: Sandbox) -> None:
    sandbox.gately.switches = GatelySwitches(null_on_update="ignored")
    (told,) = results(quiet, document("status"), id=ADA_RECORDS["gately"], company=None)
    assert told["warnings"] == []
    assert asked(sandbox) == {"gately": [f"PATCH /contacts/{GATELY_ID}"]}


def test_a_creation_and_an_upsert_are_read_back_too(
    quiet: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    losing(monkeypatch, sandbox.klen, lambda contact: setattr(contact, "company", "Somewhere Else"))
    person = {**as_input(NEEDED, updating=False), "company": "Aalto Oy"}
    for mutation in ("createContact", "upsertContact"):
        told = results(quiet, document("company", mutation), **{**person, "providers": ["KLEN"]})
        assert told[0]["warnings"] == [warning("NOT_STORED", "company")]
        assert told[0]["record"] == {"company": "Somewhere Else"}


# What was said before is not said twice


def test_what_was_dropped_or_derived_is_not_told_again(
    quiet: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    losing(monkeypatch, sandbox.klen, lambda contact: setattr(contact, "last_name", "Else"))
    losing(monkeypatch, sandbox.gately, lambda contact: setattr(contact, "email", "somebody@else.test"))
    emails = [{"address": "ines@aalto.test"}, {"address": "aalto@ines.test"}]
    told = results(
        quiet, document(EVERYTHING, "createContact"), name="Ines Aalto", emails=emails, website="https://a.test"
    )
    assert [one["warnings"] for one in told] == [
        [warning("FIELD_DROPPED", "emails", "1"), warning("FIELD_DROPPED", "website")],
        [
            warning("FIELD_DROPPED", "emails", "1"),
            warning("VALUE_DERIVED", "firstName"),
            warning("VALUE_DERIVED", "lastName"),
            warning("NOT_STORED", "name"),
        ],
        [warning("FIELD_DROPPED", "website")],
    ]


# A read-back that fails


@pytest.mark.parametrize("mutation", ["createContact", "updateContact"])
def test_a_read_back_that_fails_leaves_errors_at_the_fields_and_claims_nothing(
    mutation: str, quiet: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    losing(monkeypatch, sandbox.klen, lambda contact: setattr(contact, "company", None))
    sandbox.klen.faults.add(Fault(kind="status", status=500, operation="read"))
    asked_for: dict[str, Any] = {"company": "New Oy"}
    if mutation == "updateContact":
        asked_for["id"] = ADA_RECORDS["klen"]
    else:
        asked_for |= {**as_input(NEEDED, updating=False), "providers": ["KLEN"]}
    answer = quiet.send(document("remoteId company tags", mutation), input=asked_for)
    payload = answer["data"][mutation]
    made = KLEN_ID if mutation == "updateContact" else list(sandbox.klen.contacts)[-1]
    assert payload["status"] == "SUCCEEDED"
    assert payload["results"] == [
        {
            "provider": "KLEN",
            "outcome": "APPLIED",
            "warnings": [],
            "action": "UPDATED" if mutation == "updateContact" else "CREATED",
            "record": {"remoteId": str(made), "company": None, "tags": None},
        }
    ]
    assert sorted(error["path"] for error in answer["errors"]) == [
        [mutation, "results", 0, "record", "company"],
        [mutation, "results", 0, "record", "tags"],
    ]
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"PROVIDER_ERROR"}
    assert len(sent(sandbox)["klen"]) == 1


def test_a_record_that_is_gone_again_is_null_without_a_claim(
    quiet: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.klen.faults.add(Fault(kind="status", status=404, operation="read"))
    answer = quiet.send(document("company"), input={"id": ADA_RECORDS["klen"], "company": "New Oy"})
    (result,) = answer["data"]["updateContact"]["results"]
    assert (result["outcome"], result["warnings"], result["record"]) == ("APPLIED", [], {"company": None})


def test_a_replay_sends_nothing_and_judges_nothing(quiet: Gateway, sandbox: Sandbox) -> None:
    asked_for = {"id": ADA_RECORDS["klen"], "company": "New Oy", "idempotencyKey": "k"}
    results(quiet, document("company"), **asked_for)
    sandbox.klen.contacts[KLEN_ID].company = "Changed Since"
    forget(sandbox)
    (told,) = results(quiet, document("company"), **asked_for)
    assert (told["action"], told["warnings"], told["record"]) == ("REPLAYED", [], {"company": "Changed Since"})
    assert sent(sandbox) == {}


def test_a_write_that_changes_nothing_is_not_judged(quiet: Gateway, sandbox: Sandbox) -> None:
    (told,) = results(quiet, document("name"), id=ADA_RECORDS["cometly"], company="New Oy")
    assert (told["action"], told["warnings"]) == ("UNCHANGED", [warning("FIELD_DROPPED", "company")])


def test_values_that_cometly_shows_as_objects_are_read_back_alike(quiet: Gateway, sandbox: Sandbox) -> None:
    sandbox.cometly.switches = CometlySwitches(value_items="objects", primary_on_read="marked", number_slots="string")
    told = results(quiet, document(EVERYTHING, "createContact"), **as_input(FIRST, updating=False))
    assert [not_stored(one) for one in told] == [[], [], []]


def test_what_one_write_read_is_not_what_the_next_one_left(quiet: Gateway, sandbox: Sandbox) -> None:
    """Both stand in one operation, which reads a record once for each write."""
    one = "{ results { warnings { code } ... on ProviderWriteSuccess { record { company } } } }"
    text = f"""mutation ($a: UpdateContactInput!, $b: UpdateContactInput!) {{
      a: updateContact(input: $a) {one} b: updateContact(input: $b) {one} }}"""
    first, second = ({"id": ADA_RECORDS["klen"], "company": name} for name in ("A Oy", "B Oy"))
    data = quiet.data(text, a=first, b=second)
    assert data["a"] == {"results": [{"warnings": [], "record": {"company": "A Oy"}}]}
    assert data["b"] == {"results": [{"warnings": [], "record": {"company": "B Oy"}}]}
    assert asked(sandbox) == {"klen": [f"PATCH /contacts/{KLEN_ID}/update", READS["klen"]] * 2}


# Where it is asked for


@pytest.mark.parametrize(
    "asked_for",
    [
        "results { provider } results { told: warnings { code field } }",
        "again: results { told: warnings { code field } }",
        "results { ... on ProviderWriteResult { told: warnings { code field } } }",
        "results { ... on ProviderWriteSuccess { told: warnings { code field } } }",
        "results { ... { ... on ProviderWriteSuccess @include(if: $yes) { told: warnings { code field } } } }",
        "...Told",
    ],
)
def test_what_did_not_stick_is_told_wherever_it_is_asked_for(
    asked_for: str, quiet: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    losing(monkeypatch, sandbox.klen, lambda contact: setattr(contact, "company", "Elsewhere"))
    text = f"""mutation ($input: CreateContactInput!, $yes: Boolean = true) {{ createContact(input: $input) {{
        status @include(if: $yes)
        {asked_for}
        read: results {{ ... on ProviderWriteSuccess {{ record {{ company }} }} }}
      }} }}"""
    if asked_for == "...Told":
        text += " fragment Told on CreateContactPayload { results { told: warnings { code field } } }"
    draft = {"firstName": "Ines", "emails": [{"address": "ines@aalto.test"}], "company": "Aalto"}
    payload = quiet.data(text, input={**draft, "providers": ["KLEN"]})["createContact"]
    assert payload.pop("read") == [{"record": {"company": "Elsewhere"}}]
    assert payload.pop("status") == "SUCCEEDED"
    ((result,),) = payload.values()
    assert result["told"] == [{"code": "NOT_STORED", "field": ["input", "company"]}]
